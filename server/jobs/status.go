package jobs

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// keepStatus is how long a job's status can be asked for after it began.
const keepStatus = 24 * time.Hour

// byAge is the order of job statuses: the newest first.
var byAge = page.By("created_at,id",
	page.Column{Expr: "created_at", Kind: page.Time}, page.Column{Expr: "id", Kind: page.Text}).Reversed()

var isJobID = regexp.MustCompile(`^V3-[0-9a-f]{32}$`)

const statusColumns = "id, job_type, status, total, progress, message, results, user_id, created_at, updated_at"

// Show returns the status of a job of the actor's account, or fault.NotFound.
func (s *Service) Show(ctx context.Context, by auth.Actor, id string) (models.JobStatus, error) {
	var job models.JobStatus
	if !isJobID.MatchString(id) { // PostgreSQL refuses some texts
		return job, fault.Missing("job status", id)
	}
	err := s.db.WithContext(postgres.WithAccount(ctx, by.AccountID)).Take(&job, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return job, fault.Missing("job status", id)
	}
	return job, err
}

// ShowMany returns the statuses of the jobs with these ids, the newest first;
// unknown ids are left out. It fails with fault.TooMany for over 100 ids.
func (s *Service) ShowMany(ctx context.Context, by auth.Actor, ids []string) ([]models.JobStatus, error) {
	if len(ids) > MaxItems {
		return nil, fault.Exceeds(MaxItems)
	}
	jobs := []models.JobStatus{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isJobID.MatchString(id) })
	if len(ids) == 0 {
		return jobs, nil
	}
	err := s.db.WithContext(postgres.WithAccount(ctx, by.AccountID)).
		Order("created_at DESC, id DESC").Find(&jobs, "id IN ?", ids).Error
	return jobs, err
}

// List returns a page of the account's job statuses, the newest first.
func (s *Service) List(ctx context.Context, by auth.Actor, r page.Request) (page.Result[models.JobStatus], error) {
	q := page.Query{
		Select: statusColumns, From: "job_statuses", Where: "account_id = ?", Args: []any{by.AccountID}, Order: byAge,
	}
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (models.JobStatus, error) {
		j := models.JobStatus{AccountID: by.AccountID}
		err := rows.Scan(append([]any{&j.ID, &j.JobType, &j.Status, &j.Total, &j.Progress, &j.Message, &j.Results,
			&j.UserID, &j.CreatedAt, &j.UpdatedAt}, order...)...)
		return j, err
	})
}

// prune deletes the statuses that are kept no longer.
func (s *Service) prune(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec(
		"DELETE FROM job_statuses WHERE created_at < ? AND status NOT IN ('queued', 'working')", s.now().Add(-keepStatus)).Error
}

// failAbandoned ends the bulk jobs that the queue gave up, so that nobody waits
// for them and they do not count against the account's limit.
func (s *Service) failAbandoned(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec(`
		UPDATE job_statuses j SET status = 'failed', message = ?, updated_at = ?,
			results = (SELECT json_agg(result ORDER BY index) FROM job_items i
				WHERE i.account_id = j.account_id AND i.job_id = j.id AND result IS NOT NULL)
		WHERE status IN ('queued', 'working') AND NOT EXISTS (
			SELECT FROM river_job r WHERE r.kind = 'bulk' AND r.args @> jsonb_build_object('id', j.id)
			AND r.state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))`,
		"The job could not be completed", s.now()).Error
}
