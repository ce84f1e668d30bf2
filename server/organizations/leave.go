package organizations

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
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
	gone := tx.Delete(&models.OrganizationMembership{}, "id = ?", id)
	if gone.Error != nil {
		return gone.Error
	}
	if gone.RowsAffected == 0 { // another one was faster
		return fault.Missing("organization membership", id)
	}
	if err := s.settleTx(tx, by, m.OrganizationID, []int64{u.ID}); err != nil {
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

// settleTx follows up on the users, who are locked, having left an
// organization: each has a default membership again if there is any.
func (s *Service) settleTx(tx *gorm.DB, by auth.Actor, left int64, users []int64) error {
	now, account := s.now(), by.AccountID
	err := tx.Exec(`
		UPDATE organization_memberships AS m SET "default" = TRUE, updated_at = ?
		FROM (SELECT user_id, min(id) AS id FROM organization_memberships
			WHERE account_id = ? AND user_id = ANY(?::bigint[])
			GROUP BY user_id HAVING NOT bool_or("default")) AS oldest
		WHERE m.account_id = ? AND m.id = oldest.id`, now, account, models.IDs(users), account).Error
	if err != nil {
		return err
	}
	err = tx.Exec(`
		UPDATE users AS u SET organization_id = d.organization_id, updated_at = ?
		FROM unnest(?::bigint[]) AS gone (user_id)
		LEFT JOIN organization_memberships AS d ON d.account_id = ? AND d.user_id = gone.user_id AND d."default"
		WHERE u.account_id = ? AND u.id = gone.user_id AND u.organization_id IS DISTINCT FROM d.organization_id`,
		now, models.IDs(users), account, account).Error
	if err != nil {
		return err
	}
	var after []models.User
	if err := tx.Order("id").Find(&after, "id = ANY(?::bigint[])", models.IDs(users)).Error; err != nil {
		return err
	}
	return s.memberChangedTx(tx, by, "deleted", left, after...)
}

// dissolveTx removes the memberships of an organization, which is locked.
func (s *Service) dissolveTx(tx *gorm.DB, by auth.Actor, organization int64) error {
	var users []int64
	err := tx.Model(&models.User{}).Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).
		Where(`id IN (SELECT user_id FROM organization_memberships WHERE account_id = ? AND organization_id = ?)`, by.AccountID, organization).
		Order("id").Pluck("id", &users).Error
	if err != nil {
		return err
	}
	if err := tx.Delete(&models.OrganizationMembership{}, "organization_id = ?", organization).Error; err != nil {
		return err
	}
	// In parts, so that an organization with very many members does not make
	// one statement with as long a list, nor hold them all in memory.
	for part := range slices.Chunk(users, 5_000) {
		if err := s.settleTx(tx, by, organization, part); err != nil {
			return err
		}
	}
	return nil
}
