package merging

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

// Organizations merges an organization into another. The loser is deleted at
// once, and its domain names and subscriptions are the winner's; its users and
// tickets follow by a job. Admins may. It fails with fault.NotFound for the
// loser, and with fault.Invalid for the winner.
func (s *Service) Organizations(ctx context.Context, by auth.Actor, loser, winner int64) (models.OrganizationMerge, error) {
	now := s.now()
	m := models.OrganizationMerge{
		AccountID: by.AccountID, ID: ulid.New(now), LoserID: loser, WinnerID: winner, UserID: by.ID(), Status: models.MergeNew,
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := s.organizations.MergeTx(tx, by, loser, winner); err != nil {
			return err
		}
		if err := tx.Create(&m).Error; err != nil {
			return err
		}
		return s.jobs.EnqueueTx(tx, mergeOrganizations{by.AccountID, m.ID})
	})
	return m, err
}

// OrganizationMerge is a merge. Admins may see it. It fails with fault.NotFound.
func (s *Service) OrganizationMerge(ctx context.Context, by auth.Actor, id string) (models.OrganizationMerge, error) {
	var m models.OrganizationMerge
	if !by.Admin() {
		return m, fault.Denied()
	}
	if !ulid.Is(id) { // PostgreSQL refuses some texts
		return m, fault.Missing("organization merge", id)
	}
	err := s.db.WithContext(ctx).Take(&m, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return m, fault.Missing("organization merge", id)
	}
	return m, err
}

// OrganizationMerges is a page of the merges that an organization, also a
// deleted one, has been in, the oldest first. It fails with fault.NotFound.
func (s *Service) OrganizationMerges(ctx context.Context, by auth.Actor, organization int64, r page.Request) (page.Result[models.OrganizationMerge], error) {
	var none page.Result[models.OrganizationMerge]
	if !by.Admin() {
		return none, fault.Denied()
	}
	var n int64
	if err := s.db.WithContext(ctx).Model(&models.Organization{}).Where("id = ?", organization).Count(&n).Error; err != nil {
		return none, err
	}
	if n == 0 {
		return none, fault.Missing("organization", organization)
	}
	return page.List(ctx, s.db, page.Query{
		Select: "id, loser_id, winner_id, user_id, status, created_at, updated_at", From: "organization_merges",
		Where: "account_id = ? AND (winner_id = ? OR loser_id = ?)", Args: []any{by.AccountID, organization, organization},
		Order: page.By("id", page.Column{Expr: "id", Kind: page.Text}),
	}, r, func(rows *sql.Rows, order ...any) (models.OrganizationMerge, error) {
		m := models.OrganizationMerge{AccountID: by.AccountID}
		err := rows.Scan(append([]any{&m.ID, &m.LoserID, &m.WinnerID, &m.UserID, &m.Status, &m.CreatedAt, &m.UpdatedAt}, order...)...)
		return m, err
	})
}

// mergeOrganizations is the job.
type mergeOrganizations struct {
	AccountID int64  `json:"account_id"`
	ID        string `json:"id"`
}

// Kind names the job in the queue.
func (mergeOrganizations) Kind() string { return "merge_organizations" }

func (s *Service) work() {
	jobs.Handle(s.jobs, jobs.How{Timeout: time.Hour}, func(ctx context.Context, args mergeOrganizations) error {
		return s.moveOrganization(postgres.WithAccount(ctx, args.AccountID), args)
	})
}

// moveOrganization does what is left of a merge. It finds less to do each time
// that it comes again; while it fails, the merge says so.
func (s *Service) moveOrganization(ctx context.Context, args mergeOrganizations) error {
	var m models.OrganizationMerge
	err := s.db.WithContext(ctx).Take(&m, "id = ?", args.ID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && m.Status == models.MergeComplete {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.mark(ctx, m, models.MergeInProgress); err != nil {
		return err
	}
	by := auth.System(m.AccountID)
	by.User.ID = m.UserID // who asked for it is who did it
	err = s.organizations.MoveMembers(ctx, by, m.LoserID, m.WinnerID)
	for last := int64(-1); err == nil && last != 0; {
		err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			last, err = s.tickets.SucceedOrganizationTx(tx, by, m.LoserID, m.WinnerID, max(last, 0))
			return err
		})
	}
	if err != nil {
		return errors.Join(err, s.mark(context.WithoutCancel(ctx), m, models.MergeFailed))
	}
	return s.mark(ctx, m, models.MergeComplete)
}

func (s *Service) mark(ctx context.Context, m models.OrganizationMerge, status string) error {
	return s.db.WithContext(ctx).Model(&models.OrganizationMerge{}).Where("id = ?", m.ID).
		Updates(map[string]any{"status": status, "updated_at": s.now()}).Error
}
