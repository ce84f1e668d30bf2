// Package erasure deletes people for good: it takes away what they were known
// by wherever it stands, in whatever table, and leaves a receipt.
//
// The rows about the person are blanked in the request. What others wrote about
// the person, and copies in audits, events, jobs and stored answers, are covered
// by a job; its list of what to look for goes when it is done.
//
// What is taken out of a row leaves the row's old version behind until
// PostgreSQL's VACUUM, and it stays in the write-ahead log and in backups for as
// long as those are kept. No query sees it.
package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
	words "github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/users"
)

// patience is how long the job may take: it reads every text of the account.
const patience = 6 * time.Hour

// Service erases.
type Service struct {
	db    *gorm.DB
	users *users.Service
	files *attachments.Service
	index *words.Index
	jobs  *jobs.Service
	log   *slog.Logger
	now   func() time.Time
}

// New makes the service and tells the queue of its work. It comes before the
// queue starts.
func New(db *gorm.DB, u *users.Service, files *attachments.Service, index *words.Index, queue *jobs.Service, now func() time.Time, log *slog.Logger) *Service {
	s := &Service{db: db, users: u, files: files, index: index, jobs: queue, log: log, now: now}
	jobs.Handle(queue, jobs.How{Timeout: patience}, s.work)
	return s
}

// erase is the job. Whom it is about is all that the queue is told.
type erase struct {
	AccountID int64 `json:"account_id"`
	UserID    int64 `json:"user_id"`
}

// Kind names the job in the queue.
func (erase) Kind() string { return "erase_user" }

// User deletes for good a user who was deleted, and returns what is left. It
// fails as users.EraseTx does.
func (s *Service) User(ctx context.Context, by auth.Actor, id int64) (models.User, error) {
	var u models.User
	var known users.Known
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if u, known, err = s.users.EraseTx(tx, by, id); err != nil {
			return err
		}
		row := models.Erasure{
			AccountID: by.AccountID, UserID: id, ExecuterID: by.ID(), RequestedAt: s.now(), Terms: models.ToJSON(known), Receipt: models.JSON("{}"),
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.jobs.EnqueueTx(tx, erase{by.AccountID, id})
	})
	if err == nil {
		s.users.Forget(ctx, by.AccountID, known.Users...)
	}
	return u, err
}

// Status is how far the erasure of a user has come: nil if nobody asked for it.
// It fails with fault.NotFound for no such user.
func (s *Service) Status(ctx context.Context, by auth.Actor, user int64) (*models.Erasure, error) {
	if !by.Staff() {
		return nil, fault.Denied()
	}
	var n int64
	if err := s.db.WithContext(ctx).Model(&models.User{}).Where("id = ?", user).Count(&n).Error; err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fault.Missing("user", user)
	}
	var e models.Erasure
	err := s.db.WithContext(ctx).Take(&e, "user_id = ?", user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return &e, err
}

// work is the job. Each of its steps is a transaction that notes in the receipt
// what it did, and finds nothing left to do when it comes again.
func (s *Service) work(ctx context.Context, args erase) error {
	ctx = postgres.WithAccount(ctx, args.AccountID)
	var e models.Erasure
	err := s.db.WithContext(ctx).Take(&e, "user_id = ?", args.UserID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && e.CompletedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	var known users.Known
	if err := json.Unmarshal(e.Terms, &known); err != nil {
		return err
	}
	if e.StartedAt == nil {
		if err := s.mark(ctx, args, "started_at"); err != nil {
			return err
		}
	}
	r := run{Service: s, account: args.AccountID, user: args.UserID, known: known}
	if err := r.all(ctx); err != nil {
		return err
	}
	return s.mark(ctx, args, "completed_at")
}

// mark notes that a stage is reached. What was looked for goes with the last.
func (s *Service) mark(ctx context.Context, args erase, stage string) error {
	changes := map[string]any{stage: s.now()}
	if stage == "completed_at" {
		changes["terms"] = nil
	}
	return s.db.WithContext(ctx).Model(&models.Erasure{}).Where("user_id = ?", args.UserID).Updates(changes).Error
}
