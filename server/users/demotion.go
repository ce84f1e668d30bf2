package users

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
)

// demoted is the job that follows when somebody is no agent any more.
type demoted struct {
	AccountID int64 `json:"account_id"`
	UserID    int64 `json:"user_id"`
}

// Kind names the job in the queue.
func (demoted) Kind() string { return "user_demoted" }

// AfterDemotion has run called, by the queue and with a context of the account,
// for each user who is no agent any more: to take them off tickets that are not
// closed. A ticket is changed by package tickets and nowhere else, so the work
// comes from there. It is called before j.Start, after Register.
func (s *Service) AfterDemotion(j *jobs.Service, run func(ctx context.Context, account, user int64) error) {
	s.demotions = true
	jobs.Handle(j, jobs.How{}, func(ctx context.Context, args demoted) error {
		return run(postgres.WithAccount(ctx, args.AccountID), args.AccountID, args.UserID)
	})
}

// demoteTx takes from a user what only agents have: groups now, tickets by a
// job after the commit.
func (s *Service) demoteTx(tx *gorm.DB, u *subject) error {
	if err := leaveGroupsTx(tx, u); err != nil || !s.demotions {
		return err
	}
	return s.jobs.EnqueueTx(tx, demoted{u.AccountID, u.ID})
}
