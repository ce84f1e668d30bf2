package jobs

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// bulkAttempts at a job before an item that an outage keeps from being done
	// counts as failed. An attempt that a stop of the process cuts off is free.
	bulkAttempts = 8
	// itemTimeout is how long one item may take.
	itemTimeout = time.Minute
	// conflicts with other writers that an item gets over at once.
	conflicts = 3
)

// bulkRetry is the pause after a failed attempt: 1, 2, 4 … 60 seconds.
func bulkRetry(attempt int) time.Duration {
	return min(time.Minute, time.Second<<(max(1, attempt)-1))
}

type bulkWorker struct {
	river.WorkerDefaults[bulkArgs]
	service *Service
}

// Timeout is none: the items have one each.
func (w *bulkWorker) Timeout(*river.Job[bulkArgs]) time.Duration { return -1 }

func (w *bulkWorker) NextRetry(job *river.Job[bulkArgs]) time.Time {
	return time.Now().Add(w.service.retryAfter(job.Attempt))
}

func (w *bulkWorker) Work(ctx context.Context, job *river.Job[bulkArgs]) error {
	b := bulk{Service: w.service, args: job.Args, last: job.Attempt >= job.MaxAttempts}
	var ok bool
	if b.op, ok = w.service.operations[job.Args.Operation]; !ok {
		return fmt.Errorf("no bulk operation %q", job.Args.Operation)
	}
	err := b.work(postgres.WithAccount(sourced(ctx, job.Metadata), job.Args.AccountID))
	if ctx.Err() != nil {
		// Cut off by the end of the process, not by the work: it goes on where
		// it stopped, and the attempt does not count.
		return river.JobSnooze(0)
	}
	return err
}

// bulk is a bulk job being worked.
type bulk struct {
	*Service
	args bulkArgs
	op   Operation
	last bool // attempt: an item that fails now, whatever the reason, has failed
}

func (b *bulk) work(ctx context.Context) error {
	ongoing, err := b.begin(ctx)
	if err != nil || !ongoing {
		return err
	}
	by, refused, err := b.actor(ctx)
	if err != nil {
		return err
	}
	var items []models.JobItem
	err = b.db.WithContext(ctx).Order("index").Find(&items, "job_id = ? AND result IS NULL", b.args.ID).Error
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, by)
	if refused == nil && b.many(ctx, by, items) {
		return nil
	}
	for _, item := range items {
		select {
		case <-b.stopping:
			return river.JobSnooze(0)
		default:
		}
		if err := b.item(ctx, by, refused, item); err != nil {
			return fmt.Errorf("item %d of job %s: %w", item.Index, b.args.ID, err)
		}
	}
	_, err = b.finish(ctx, nil)
	return err
}

// begin marks the job as being worked. It is false when there is nothing left
// to do: the job has ended or is gone.
func (b *bulk) begin(ctx context.Context) (bool, error) {
	r := b.db.WithContext(ctx).Exec(`
		UPDATE job_statuses SET status = 'working', updated_at = ?, message = coalesce(message, ?),
			progress = CASE WHEN total IS NOT NULL THEN coalesce(progress, 0) END
		WHERE account_id = ? AND id = ? AND status IN ('queued', 'working')`,
		b.now(), b.op.doing(1), b.args.AccountID, b.args.ID)
	return r.RowsAffected == 1, r.Error
}

// actor is who started the job, with the rights that they have now and the
// scopes that their credentials had. refused is set for one who may not sign
// in any more; every item fails with it.
func (b *bulk) actor(ctx context.Context) (by auth.Actor, refused, err error) {
	if b.args.UserID == models.SystemUser {
		return auth.System(b.args.AccountID), nil, nil
	}
	by, err = b.auth.Actor(ctx, b.args.AccountID, b.args.UserID, b.args.Via)
	by.AccountID, by.Scopes = b.args.AccountID, b.args.Scopes
	if fault.Of(err) != nil {
		return by, fault.New(fault.Forbidden, "the user who started this job may not sign in any more"), nil
	}
	return by, nil, err
}

// item does one item and gets over conflicts with other writers.
func (b *bulk) item(ctx context.Context, by auth.Actor, refused error, item models.JobItem) error {
	inTx := func(ctx context.Context, refused error) error {
		return b.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return b.itemTx(tx, by, refused, item) })
	}
	limited, cancel := context.WithTimeout(ctx, itemTimeout)
	defer cancel()
	err := inTx(limited, refused)
	for try := 1; conflict(err) && try < conflicts; try++ {
		err = inTx(limited, refused)
	}
	if err != nil && ctx.Err() == nil && (b.last || fault.Of(err) != nil) {
		b.log.ErrorContext(ctx, "bulk item given up", "job", b.args.ID, "index", item.Index, "error", err)
		return inTx(ctx, err)
	}
	return err
}

// itemTx does an item and notes its result, both or neither. refused, when set,
// is the result without trying.
func (b *bulk) itemTx(tx *gorm.DB, by auth.Actor, refused error, item models.JobItem) error {
	// The lock holds off a second worker, should this one be taken for dead.
	var mine int
	err := tx.Raw("SELECT 1 FROM job_items WHERE account_id = ? AND job_id = ? AND index = ? AND result IS NULL FOR UPDATE",
		b.args.AccountID, b.args.ID, item.Index).Row().Scan(&mine)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var result []byte
	err = refused
	if err == nil {
		result, err = b.run(postgres.WithTx(tx.Statement.Context, tx), by, item)
		if err != nil && (fault.Of(err) == nil || conflict(err)) {
			return err
		}
	}
	if err != nil {
		result = models.ToJSON(failed(b.op, item.Item, item.Index, err))
	}
	err = tx.Model(&models.JobItem{}).Where("job_id = ? AND index = ?", b.args.ID, item.Index).Update("result", stored(result)).Error
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE job_statuses SET progress = progress + 1, message = ?, updated_at = ? WHERE account_id = ? AND id = ?",
		b.op.doing(item.Index+1), b.now(), b.args.AccountID, b.args.ID).Error
}

// stored is a result as it can be kept: an item's own text may be in it, and
// PostgreSQL is strict.
func stored(result []byte) models.JSON { return bytes.ToValidUTF8(result, []byte("\uFFFD")) }

// run calls the operation. What it wrote is undone when it fails.
func (b *bulk) run(ctx context.Context, by auth.Actor, item models.JobItem) (result []byte, err error) {
	err = b.db.WithContext(ctx).Transaction(func(*gorm.DB) error {
		v, err := guarded(func() (any, error) { return b.op.Run(ctx, by, item.Item, item.Index) })
		if err != nil {
			return err
		}
		result, err = json.Marshal(v)
		return err
	})
	return result, err
}

// guarded makes an error of a panic.
func guarded[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// many does all items that are left and ends the job, all of it or nothing: then
// it is false, and they are to be done one by one.
func (b *bulk) many(ctx context.Context, by auth.Actor, items []models.JobItem) bool {
	if b.op.RunMany == nil || len(items) < 2 {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, itemTimeout)
	defer cancel()
	err := b.db.WithContext(limited).Transaction(func(tx *gorm.DB) error { return b.manyTx(tx, by, items) })
	if err != nil {
		b.log.WarnContext(ctx, "bulk items are done one by one", "job", b.args.ID, "items", len(items), "error", err)
	}
	return err == nil
}

func (b *bulk) manyTx(tx *gorm.DB, by auth.Actor, items []models.JobItem) error {
	given := make([]Item, len(items))
	for i, item := range items {
		given[i] = Item{item.Index, item.Item}
	}
	// As of an item alone: a second worker waits here.
	mine := 0
	err := postgres.Rows(tx, "SELECT FROM job_items WHERE account_id = ? AND job_id = ? AND result IS NULL ORDER BY index FOR UPDATE",
		[]any{b.args.AccountID, b.args.ID}, func(postgres.Scanned) error { mine++; return nil })
	if err != nil {
		return err
	}
	if mine < len(items) {
		return errors.New("another worker has done some of them")
	}
	results, err := guarded(func() ([]Result, error) {
		return b.op.RunMany(postgres.WithTx(tx.Statement.Context, tx), by, given)
	})
	if err != nil {
		return err
	}
	for i, r := range results {
		item := &items[i]
		if r.Err != nil && (fault.Of(r.Err) == nil || conflict(r.Err)) {
			return r.Err
		} else if r.Err != nil {
			item.Result = models.ToJSON(failed(b.op, item.Item, item.Index, r.Err))
		} else if item.Result, err = json.Marshal(r.Value); err != nil {
			return err
		}
	}
	ended, err := b.finish(postgres.WithTx(tx.Statement.Context, tx), items)
	if err == nil && !ended {
		err = errors.New("the job has ended or is gone")
	}
	return err
}

// conflict reports whether doing the same again may well succeed.
func conflict(err error) bool {
	if fault.Is(err, fault.Busy) {
		return true
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03")
}

// finish publishes the results, unless another worker has items in hand; then it
// is false. The results of items that were done just now are not in their rows.
func (b *bulk) finish(ctx context.Context, done []models.JobItem) (ended bool, err error) {
	results := "coalesce(json_agg(coalesce(i.result, d.result::json) ORDER BY i.index), '[]')"
	if b.op.Single {
		results = "min(i.result::text)::json" // of the only one
	}
	indexes, fresh := models.IDs{}, models.Strings{}
	for _, item := range done {
		indexes, fresh = append(indexes, int64(item.Index)), append(fresh, string(stored(item.Result)))
	}
	account, id, now := b.args.AccountID, b.args.ID, b.now().UTC()
	err = b.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		r := tx.Exec(`
			UPDATE job_statuses SET status = 'completed', progress = total, message = ?, updated_at = ?,
				results = (SELECT `+results+` FROM job_items i LEFT JOIN unnest(?::int[], ?::text[]) AS d(index, result) ON d.index = i.index
					WHERE i.account_id = ? AND i.job_id = ?)
			WHERE account_id = ? AND id = ? AND status = 'working'
			AND NOT EXISTS (SELECT FROM job_items WHERE account_id = ? AND job_id = ? AND result IS NULL AND index <> ALL(?::int[]))`,
			now.Format("Completed at 2006-01-02 15:04:05 +0000"), now, indexes, fresh, account, id, account, id, account, id, indexes)
		if ended = r.RowsAffected > 0; r.Error != nil || !ended {
			return r.Error
		}
		return tx.Delete(&models.JobItem{}, "job_id = ?", id).Error
	})
	return ended, err
}
