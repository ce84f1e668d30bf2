package exports

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

const (
	// maxOpen is how many exports of an account may be under way.
	maxOpen = 5
	// keepFiles is how long files can be downloaded.
	keepFiles = 7 * 24 * time.Hour
	// maxFailures is how often an export is begun again after an outage. One that
	// a stop of the process cuts off is begun again in any case.
	maxFailures = 5
	// heartbeat is how often a run tells how far it is, and learns that it is not
	// wanted any more; after silence it is taken for dead.
	heartbeat = time.Second
	silence   = time.Hour
)

// Files writes exports into files, in jobs, and keeps them for a while.
//
// A row of exports names the blobs: all that begin with its prefix. It is there
// before them, and goes after them.
type Files struct {
	from   Sources
	db     *gorm.DB
	places *Service
	bucket *blob.Bucket
	jobs   *jobs.Service
	now    func() time.Time
	log    *slog.Logger
}

// Sources are where the rows of files come from.
type Sources struct {
	Log           *events.Log
	Fields        *fields.Service
	Tickets       *tickets.Service
	Users         *users.Service
	Organizations *organizations.Service
}

// NewFiles makes the service, before the jobs are started.
func NewFiles(db *gorm.DB, places *Service, from Sources, bucket *blob.Bucket, queue *jobs.Service, now func() time.Time, log *slog.Logger) *Files {
	f := &Files{from: from, db: db, places: places, bucket: bucket, jobs: queue, now: now, log: log}
	jobs.Handle(queue, jobs.How{Timeout: -1, Retry: func(attempt int) time.Duration { return min(time.Minute, time.Second<<min(attempt, 6)) }}, f.work)
	queue.Every(10*time.Minute, "exports", f.Sweep)
	return f
}

const exportColumns = "id, token, run, user_id, format, resources, since, status, progress, total, message, failures, manifest, expires_at, doomed, created_at, updated_at"

func dest(e *models.Export) []any {
	return []any{&e.ID, &e.Token, &e.Run, &e.UserID, &e.Format, &e.Resources, &e.Since, &e.Status, &e.Progress, &e.Total, &e.Message, &e.Failures,
		&e.Manifest, &e.ExpiresAt, &e.Doomed, &e.CreatedAt, &e.UpdatedAt}
}

// job is an export in the queue.
type job struct {
	AccountID int64 `json:"account_id"`
	ID        int64 `json:"id"`
}

func (job) Kind() string { return "export" }

// Start has files written. It fails as Write does, and with fault.TooManyJobs.
func (f *Files) Start(ctx context.Context, by auth.Actor, w Wanted) (models.Export, error) {
	if !by.Admin() {
		return models.Export{}, fault.Denied()
	}
	if _, err := w.check(by.AccountID); err != nil {
		return models.Export{}, err
	}
	e := models.Export{
		Tenant: models.Tenant{AccountID: by.AccountID}, Token: random(), UserID: by.ID(), Format: w.Format, Resources: w.Resources, Status: models.JobQueued,
		ExpiresAt: f.now().Add(keepFiles), Stamps: models.Stamps{CreatedAt: f.now(), UpdatedAt: f.now()},
	}
	if w.Since != "" {
		e.Since = &w.Since
	}
	err := f.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// Those that start exports of one account take turns from here on.
		const startClass = 0x6578706f // "expo"
		if err := tx.Exec("SELECT pg_advisory_xact_lock(?, ?)", startClass, int32(by.AccountID)).Error; err != nil {
			return err
		}
		var open int64
		if err := tx.Model(&models.Export{}).Where("status IN ('queued', 'working') AND NOT doomed").Count(&open).Error; err != nil {
			return err
		}
		if open >= maxOpen {
			return fault.New(fault.TooManyJobs, "Too many exports are under way")
		}
		if err := tx.Create(&e).Error; err != nil {
			return err
		}
		return f.jobs.EnqueueTx(tx, job{by.AccountID, e.ID}, river.InsertOpts{Queue: jobs.ExportQueue, MaxAttempts: 1000})
	})
	return e, err
}

func random() string {
	var b [24]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Show is an export of the account. It fails with fault.NotFound, and with
// fault.Forbidden unless by is an admin.
func (f *Files) Show(ctx context.Context, by auth.Actor, id int64) (models.Export, error) {
	var e models.Export
	if !by.Admin() {
		return e, fault.Denied()
	}
	err := f.db.WithContext(ctx).Take(&e, "id = ? AND NOT doomed", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return e, fault.Missing("export", id)
	}
	return e, err
}

// List is a page of the exports of the account, the newest first.
func (f *Files) List(ctx context.Context, by auth.Actor, r page.Request) (page.Result[models.Export], error) {
	if !by.Admin() {
		return page.Result[models.Export]{}, fault.Denied()
	}
	q := page.Query{
		Select: exportColumns, From: "exports", Where: "account_id = ? AND NOT doomed", Args: []any{by.AccountID},
		Order: page.By("-id", page.Column{Expr: "id", Kind: page.Int}).Reversed(),
	}
	return page.List(ctx, f.db, q, r, func(rows *sql.Rows, order ...any) (models.Export, error) {
		e := models.Export{Tenant: models.Tenant{AccountID: by.AccountID}}
		return e, rows.Scan(append(dest(&e), order...)...)
	})
}

// Delete deletes an export with its files, or ends it. It fails as Show does.
func (f *Files) Delete(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	r := f.db.WithContext(ctx).Model(&models.Export{}).Where("id = ? AND NOT doomed", id).Updates(map[string]any{"doomed": true, "updated_at": f.now()})
	if r.Error == nil && r.RowsAffected == 0 {
		return fault.Missing("export", id)
	}
	return r.Error
}

// Names are those of the files of an export that is completed, the manifest's too.
func Names(e models.Export) []string {
	m := ManifestOf(e)
	if m == nil {
		return nil
	}
	names := []string{ManifestName}
	for _, file := range m.Files {
		names = append(names, file.Name)
	}
	return names
}

// byCondition reads an export of any account.
func (f *Files) byCondition(ctx context.Context, where string, args ...any) (e models.Export, found bool, err error) {
	found, err = postgres.Row(f.db.WithContext(ctx), "SELECT "+exportColumns+", account_id FROM exports WHERE "+where, args, append(dest(&e), &e.AccountID)...)
	return e, found, err
}

func prefix(e models.Export) string {
	return "exports/" + strconv.FormatInt(e.AccountID, 10) + "/" + strconv.FormatInt(e.ID, 10) + "/"
}

// runPrefix begins the names of the blobs of one run: another that is taken for
// dead may still write.
func runPrefix(e models.Export) string { return prefix(e) + e.Run + "/" }

// errUnwanted ends a run of an export that was deleted, or begun by another process.
var errUnwanted = errors.New("the export is not wanted any more")

// work writes the files of an export. After a stop of the process it begins anew.
func (f *Files) work(ctx context.Context, j job) error {
	ctx = postgres.WithAccount(ctx, j.AccountID)
	e, found, err := f.byCondition(ctx, "account_id = ? AND id = ? AND NOT doomed AND status IN ('queued', 'working')", j.AccountID, j.ID)
	if err != nil || !found {
		return err
	}
	e.Run = random()[:16]
	if err := f.note(ctx, e, "TRUE", map[string]any{"run": e.Run, "status": models.JobWorking, "progress": 0}); err != nil {
		return unwantedIsDone(err)
	}
	if err := f.removeBlobs(ctx, e, e.Run); err != nil {
		return err
	}
	told := time.Now()
	m, err := f.Write(ctx, auth.System(e.AccountID), Wanted{Resources: e.Resources, Format: e.Format, Since: or(e.Since)}, f.bucket, runPrefix(e), func(done, total int64) error {
		if time.Since(told) < heartbeat {
			return ctx.Err()
		}
		told = time.Now()
		return f.note(postgres.WithoutTx(ctx), e, "run = ?", map[string]any{"progress": done, "total": total}, e.Run)
	})
	switch {
	case err == nil:
		rows := int64(0)
		for _, file := range m.Files {
			rows += file.Rows
		}
		err = f.note(ctx, e, "run = ?", map[string]any{
			"status": models.JobCompleted, "manifest": models.ToJSON(m), "progress": rows, "total": rows, "expires_at": f.now().Add(keepFiles),
			"message": f.now().UTC().Format("Completed at 2006-01-02 15:04:05 +0000"),
		}, e.Run)
	case ctx.Err() == nil && !errors.Is(err, errUnwanted):
		return f.failed(ctx, e, err)
	}
	return unwantedIsDone(err)
}

func unwantedIsDone(err error) error {
	if errors.Is(err, errUnwanted) {
		return nil
	}
	return err
}

// failed notes that a run failed, and has it begun again a few times.
func (f *Files) failed(ctx context.Context, e models.Export, cause error) error {
	f.log.ErrorContext(ctx, "export failed", "account", e.AccountID, "export", e.ID, "error", cause)
	if e.Failures+1 < maxFailures && fault.Of(cause) == nil {
		return errors.Join(cause, unwantedIsDone(f.note(ctx, e, "run = ?", map[string]any{"failures": e.Failures + 1}, e.Run)))
	}
	message := "The files could not be written"
	if known := fault.Of(cause); known != nil {
		message = known.Error()
	}
	return unwantedIsDone(f.note(ctx, e, "run = ?", map[string]any{"failures": e.Failures + 1, "status": models.JobFailed, "message": message}, e.Run))
}

// note changes the row of a run that is still wanted, or fails with errUnwanted.
func (f *Files) note(ctx context.Context, e models.Export, where string, change map[string]any, args ...any) error {
	change["updated_at"] = f.now()
	r := f.db.WithContext(ctx).Model(&models.Export{}).Where("id = ? AND NOT doomed AND status IN ('queued', 'working')", e.ID).Where(where, args...).Updates(change)
	if r.Error == nil && r.RowsAffected == 0 {
		return errUnwanted
	}
	return r.Error
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// removeBlobs removes the blobs of an export, but those of a run; empty: all.
func (f *Files) removeBlobs(ctx context.Context, e models.Export, but string) error {
	list := f.bucket.List(&blob.ListOptions{Prefix: prefix(e)})
	for {
		b, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && (but == "" || !strings.HasPrefix(b.Key, prefix(e)+but+"/")) {
			err = f.bucket.Delete(ctx, b.Key)
		}
		if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("remove files of export %d: %w", e.ID, err)
		}
	}
}

// Sweep removes the files of exports, in all accounts, that were deleted or have
// expired, once nobody writes them any more.
func (f *Files) Sweep(ctx context.Context) error {
	var due []models.Export
	err := postgres.Rows(f.db.WithContext(ctx), "SELECT "+exportColumns+`, account_id FROM exports
		WHERE (doomed OR expires_at < ?) AND (status NOT IN ('queued', 'working') OR updated_at < ?) ORDER BY account_id, id`,
		[]any{f.now(), f.now().Add(-silence)}, func(row postgres.Scanned) error {
			var e models.Export
			err := row.Scan(append(dest(&e), &e.AccountID)...)
			due = append(due, e)
			return err
		})
	if err != nil {
		return err
	}
	for _, e := range due {
		ctx := postgres.WithAccount(ctx, e.AccountID)
		if err := f.db.WithContext(ctx).Model(&models.Export{}).Where("id = ?", e.ID).Update("doomed", true).Error; err != nil {
			return err
		}
		if err := f.removeBlobs(ctx, e, ""); err != nil {
			return err
		}
		if err := f.db.WithContext(ctx).Delete(&models.Export{}, "id = ?", e.ID).Error; err != nil {
			return err
		}
	}
	return nil
}
