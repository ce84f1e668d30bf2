package attachments

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
)

const (
	sweepEvery = time.Minute
	sweepTime  = 10 * time.Minute
	// sweepBatch is how many rows one statement of a sweep takes.
	sweepBatch = 100
	// expiryGrace is how much later than their expiry uploads are dropped. A
	// file that was being added when the token expired is in by then.
	expiryGrace = time.Minute
	// retryAfter is when a blob that could not be removed is tried again. Until
	// then no other process tries it.
	retryAfter = 10 * time.Minute
)

type sweepArgs struct{}

func (sweepArgs) Kind() string { return "sweep_attachments" }

// sweepSoonTx has a sweep done as soon as tx is committed. Should that fail,
// the periodic one tries again.
func (s *Service) sweepSoonTx(tx *gorm.DB) error {
	if s.options.Jobs == nil {
		return nil
	}
	return s.options.Jobs.EnqueueTx(tx, sweepArgs{}, river.InsertOpts{MaxAttempts: 1})
}

// work registers the sweeping with the queue.
func (s *Service) work(q *jobs.Service) {
	sweep := func(ctx context.Context) error {
		_, err := s.Sweep(ctx)
		return err
	}
	jobs.Handle(q, jobs.How{Timeout: sweepTime}, func(ctx context.Context, _ sweepArgs) error { return sweep(ctx) })
	q.Every(sweepEvery, "sweep attachments", sweep)
}

// Sweep drops expired uploads of all accounts and removes the blobs of all
// files that are dropped, redacted or were never finished. It returns how many
// files' blobs it removed. Any number of processes may sweep at a time.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	ctx = postgres.AcrossAccounts(ctx)
	for {
		n, err := s.expire(ctx)
		if err != nil {
			return 0, err
		}
		if n < sweepBatch {
			break
		}
	}
	removed := 0
	var failures []error
	for {
		due, err := s.due(ctx)
		if err != nil {
			return removed, errors.Join(append(failures, err)...)
		}
		for _, b := range due {
			shared, err := s.shared(ctx, b)
			if shared && err == nil {
				continue
			}
			if err != nil {
				failures = append(failures, err)
				continue
			}
			if err := s.remove(ctx, b.AccountID, b.Key); err != nil {
				failures = append(failures, err)
				continue
			}
			removed++
		}
		if len(due) < sweepBatch {
			return removed, errors.Join(failures...)
		}
	}
}

// expire drops a batch of expired uploads and returns their number.
func (s *Service) expire(ctx context.Context) (int64, error) {
	now := s.now()
	var n int64
	err := s.db.WithContext(ctx).Raw(`
		WITH expired AS (
			SELECT account_id, id FROM uploads WHERE expires_at <= ?
			ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM uploads u USING expired e WHERE u.account_id = e.account_id AND u.id = e.id
			RETURNING u.account_id, u.id
		), `+DropFiles("upload_id")+`
		SELECT count(*) FROM gone`, now.Add(-expiryGrace), sweepBatch, now).Row().Scan(&n)
	return n, err
}

// DropFiles are the parts of a statement that drop the files of what its part
// gone has deleted, and doom their blobs; owner is the column that names it. Its
// question mark is the time.
func DropFiles(owner string) string {
	return `files AS (
			DELETE FROM attachments a USING gone g WHERE a.account_id = g.account_id AND a.` + owner + ` = g.id
			RETURNING a.account_id, a.blob_key, a.parent_id
		), noted AS (
			INSERT INTO blob_removals (account_id, key, doomed, due_at)
			SELECT account_id, blob_key, true, ?::timestamptz FROM files WHERE parent_id IS NULL AND blob_key <> ''
		)`
}

// due dooms a batch of the blobs whose time has come, and has them for itself
// for a while.
func (s *Service) due(ctx context.Context) ([]models.BlobRemoval, error) {
	now := s.now()
	var due []models.BlobRemoval
	err := s.db.WithContext(ctx).Raw(`
		UPDATE blob_removals b SET doomed = true, due_at = ?
		FROM (SELECT account_id, key FROM blob_removals WHERE due_at <= ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED) d
		WHERE b.account_id = d.account_id AND b.key = d.key
		RETURNING b.account_id, b.key, b.doomed, b.due_at`, now.Add(retryAfter), now, sweepBatch).Scan(&due).Error
	return due, err
}
