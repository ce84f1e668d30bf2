package users

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
)

// Following is what is done, after the commit, when users lose what their
// tickets depend on. A ticket is changed by package tickets and nowhere else,
// so the work comes from above; it runs with a context of the account.
type Following struct {
	// Demoted: the user is no agent any more, or a light one.
	Demoted func(ctx context.Context, account, user int64) error
	// Left: the user is no member of the organization any more.
	Left func(ctx context.Context, account, organization, user int64) error
}

// Follow has f done by the queue. It is called before j.Start, after Register.
func (s *Service) Follow(j *jobs.Service, how jobs.How, f Following) {
	s.followed = true
	jobs.Handle(j, how, func(ctx context.Context, args demoted) error {
		return f.Demoted(postgres.WithAccount(ctx, args.AccountID), args.AccountID, args.UserID)
	})
	jobs.Handle(j, how, func(ctx context.Context, args left) error {
		return f.Left(postgres.WithAccount(ctx, args.AccountID), args.AccountID, args.OrganizationID, args.UserID)
	})
}

type demoted struct {
	AccountID int64 `json:"account_id"`
	UserID    int64 `json:"user_id"`
}

// Kind names the job in the queue.
func (demoted) Kind() string { return "user_demoted" }

type left struct {
	AccountID      int64 `json:"account_id"`
	OrganizationID int64 `json:"organization_id"`
	UserID         int64 `json:"user_id"`
}

// Kind names the job in the queue.
func (left) Kind() string { return "user_left_organization" }

// demoteTx takes from a user what only agents have: groups now, tickets by a
// job after the commit.
func (s *Service) demoteTx(tx *gorm.DB, u *subject) error {
	if err := leaveGroupsTx(tx, u); err != nil {
		return err
	}
	return s.loseTicketsTx(tx, u)
}

// loseTicketsTx has the tickets of somebody who can own none any more handed
// over.
func (s *Service) loseTicketsTx(tx *gorm.DB, u *subject) error {
	if !s.followed {
		return nil
	}
	return s.jobs.EnqueueTx(tx, demoted{u.AccountID, u.ID})
}

// leftTx has the tickets of a membership that ended followed up.
func (s *Service) leftTx(tx *gorm.DB, m models.OrganizationMembership) error {
	if !s.followed {
		return nil
	}
	return s.jobs.EnqueueTx(tx, left{m.AccountID, m.OrganizationID, m.UserID})
}
