package organizations

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/memberships"
)

// Leave ends a membership, of this user unless user is 0. When it was the
// default, the user's oldest other one becomes it. The user's tickets of the
// organization that are not closed lose it by and by.
func (s *Service) Leave(ctx context.Context, by auth.Actor, user, id int64) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return s.leaveTx(tx, by, user, id) })
	s.auth.Forget(ctx, by.AccountID)
	return err
}

// LeaveOrganization ends the user's membership of an organization as Leave does.
func (s *Service) LeaveOrganization(ctx context.Context, by auth.Actor, user, organization int64) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if !by.Staff() {
			return fault.Denied()
		}
		id, err := membershipIn(tx, user, organization)
		if err != nil {
			return err
		}
		return s.leaveTx(tx, by, user, id)
	})
	s.auth.Forget(ctx, by.AccountID)
	return err
}

func membershipIn(tx *gorm.DB, user, organization int64) (int64, error) {
	var m models.OrganizationMembership
	err := tx.Select("id").Take(&m, "user_id = ? AND organization_id = ?", user, organization).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("membership of organization", organization)
	}
	return m.ID, err
}

func (s *Service) leaveTx(tx *gorm.DB, by auth.Actor, user, id int64) error {
	if !by.Staff() {
		return fault.Denied()
	}
	m, err := s.membership(tx.Statement.Context, tx, by, user, id)
	if err != nil {
		return err
	}
	u, err := s.memberTx(tx, by, m.UserID)
	if err != nil {
		return err
	}
	if _, err := s.membership(tx.Statement.Context, tx, by, user, id); err != nil { // another one was faster
		return err
	}
	if err := memberships.Organizations.EndTx(tx, s.by(by), m.OrganizationID, []int64{u.ID}); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(tx, Left{by.AccountID, m.OrganizationID, u.ID})
}

// Left is the job that follows an organization's deletion, or a user's leaving
// it: to take it from the tickets that are not closed. (Tickets are saved by
// package tickets, which this one must not know.)
type Left struct {
	AccountID      int64 `json:"account_id"`
	OrganizationID int64 `json:"organization_id"`
	UserID         int64 `json:"user_id"` // 0: the organization was deleted
}

// Kind names the job in the queue.
func (Left) Kind() string { return "organization_left" }

// membersAtOnce is how many members are taken out of an organization in one
// transaction.
const membersAtOnce = 500

// Dissolve ends the memberships of an organization that was deleted; each
// member's oldest other membership becomes his default. It is the first part of
// a Left without a user, in parts, so that the members of a very large
// organization are not held for long.
func (s *Service) Dissolve(ctx context.Context, by auth.Actor, id int64) error {
	for {
		var users []int64
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			if users, err = memberships.Organizations.LockMembersTx(tx, by.AccountID, id, membersAtOnce); err != nil || len(users) == 0 {
				return err
			}
			return memberships.Organizations.EndTx(tx, s.by(by), id, users)
		})
		if err != nil {
			return err
		}
		if len(users) == 0 {
			s.auth.Forget(ctx, by.AccountID)
			return nil
		}
	}
}
