// Package merging makes one record of two that stand for the same: users who
// are one person, organizations that are one company. It changes tickets by
// calling package tickets, and people by calling the packages that keep them.
package merging

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// MaxRequested is how many tickets a user may have requested who is merged into
// another (the documentation of Zendesk's merge names the number).
const MaxRequested = 10_000

// Service merges.
type Service struct {
	db            *gorm.DB
	users         *users.Service
	organizations *organizations.Service
	tickets       *tickets.Service
	jobs          *jobs.Service
	now           func() time.Time
}

// New makes the service and tells the queue of its work. It comes before the
// queue starts.
func New(db *gorm.DB, u *users.Service, o *organizations.Service, t *tickets.Service, queue *jobs.Service, now func() time.Time) *Service {
	s := &Service{db: db, users: u, organizations: o, tickets: t, jobs: queue, now: now}
	s.work()
	return s
}

// Users merges a user into another, who gets the tickets, comments, addresses,
// memberships, tags and files of the first, and returns the second. The first
// is no longer active. Agents merge end users; end users merge themselves into
// somebody whose password they know, which the caller has to prove.
//
// It fails with fault.NotFound, with fault.Forbidden, and with fault.Invalid for
// a loser who is staff or has requested more than MaxRequested tickets.
func (s *Service) Users(ctx context.Context, by auth.Actor, loser, winner int64) (models.User, error) {
	var u models.User
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		u, err = s.users.MergeTx(tx, by, loser, winner, func(tx *gorm.DB) error {
			if err := fewEnough(tx, by.AccountID, loser); err != nil {
				return err
			}
			return s.tickets.SucceedUserTx(tx, by, loser, winner)
		})
		return err
	})
	if err == nil {
		s.users.Forget(ctx, by.AccountID, loser, winner)
	}
	return u, err
}

func fewEnough(tx *gorm.DB, account, loser int64) error {
	var n int
	err := tx.Raw(`SELECT count(*) FROM (SELECT FROM tickets WHERE account_id = ? AND requester_id = ? LIMIT ?) AS t`,
		account, loser, MaxRequested+1).Row().Scan(&n)
	if err == nil && n > MaxRequested {
		return fault.Base(fault.CodeInvalid, "User: has requested more than %d tickets", MaxRequested)
	}
	return err
}
