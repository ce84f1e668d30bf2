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
	"github.com/helpd/helpd/server/memberships"
)

// MergeTx deletes an organization in favour of another, which gets its domain
// names and subscriptions. Its members follow by MoveMembers. Admins may. It
// fails with fault.NotFound for the loser, and with fault.Invalid for the winner.
func (s *Service) MergeTx(tx *gorm.DB, by auth.Actor, loserID, winnerID int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	var both []models.Organization
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Order("id").
		Find(&both, "id IN ? AND deleted_at IS NULL", []int64{loserID, winnerID}).Error
	if err != nil {
		return err
	}
	at := func(id int64) int {
		return slices.IndexFunc(both, func(o models.Organization) bool { return o.ID == id })
	}
	switch {
	case at(loserID) < 0:
		return fault.Missing("organization", loserID)
	case winnerID == 0:
		return fault.Blank("winner_id")
	case winnerID == loserID:
		return fault.InvalidField("winner_id", "cannot be the organization itself")
	case at(winnerID) < 0:
		return fault.InvalidField("winner_id", "%d is not an organization", winnerID)
	}
	loser, winner := both[at(loserID)], both[at(winnerID)]
	now := s.now()
	// Before the loser goes, with which segments forget it.
	err = tx.Exec(`UPDATE user_segments SET organization_ids = array_append(array_remove(array_remove(organization_ids, ?), ?), ?)
		WHERE account_id = ? AND organization_ids @> ARRAY[?::bigint]`, loserID, winnerID, winnerID, by.AccountID, loserID).Error
	if err != nil {
		return err
	}
	loser.DeletedAt, loser.UpdatedAt = &now, now
	if err := tx.Select("deleted_at", "updated_at").Updates(&loser).Error; err != nil {
		return err
	}
	names := append(slices.Clone(winner.DomainNames), without(loser.DomainNames, winner.DomainNames)...)
	if len(names) > maxDomains {
		return fault.InvalidField("domain_names", "of both are more than %d", maxDomains)
	}
	if len(names) > len(winner.DomainNames) {
		winner.DomainNames, winner.UpdatedAt = names, now
		if err := tx.Select("domain_names", "updated_at").Updates(&winner).Error; err != nil {
			return err
		}
	}
	err = tx.Exec(`INSERT INTO organization_subscriptions (account_id, user_id, organization_id, created_at)
		SELECT account_id, user_id, ?, created_at FROM organization_subscriptions WHERE account_id = ? AND organization_id = ?
		ON CONFLICT (account_id, user_id, organization_id) DO NOTHING`, winnerID, by.AccountID, loserID).Error
	if err != nil {
		return err
	}
	if err := tx.Delete(&models.OrganizationSubscription{}, "organization_id = ?", loserID).Error; err != nil {
		return err
	}
	return s.recordTx(tx, by, "deleted", loser)
}

// MoveMembers makes the members of an organization that was merged members of
// the other: as their default if it was, and with the right to see its tickets
// if they had it.
func (s *Service) MoveMembers(ctx context.Context, by auth.Actor, loser, winner int64) error {
	for {
		n := 0
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			n, err = s.moveMembersTx(tx, by, loser, winner)
			return err
		})
		if err != nil || n == 0 {
			s.auth.Forget(ctx, by.AccountID)
			return err
		}
	}
}

func (s *Service) moveMembersTx(tx *gorm.DB, by auth.Actor, loser, winner int64) (int, error) {
	kind, now := memberships.Organizations, s.now()
	users, err := kind.LockMembersTx(tx, by.AccountID, loser, membersAtOnce)
	if err != nil || len(users) == 0 {
		return 0, err
	}
	var live []int64 // the winner may be gone by now
	err = tx.Model(&models.Organization{}).Clauses(clause.Locking{Strength: "SHARE"}).Where("id = ? AND deleted_at IS NULL", winner).Pluck("id", &live).Error
	if err != nil {
		return 0, err
	}
	if len(live) == 0 {
		return len(users), kind.EndTx(tx, s.by(by), loser, users)
	}
	// Both are written in one statement each: at most one is the default, and
	// none is lost in between.
	var added []int64
	err = tx.Raw(`WITH gone AS (
			DELETE FROM organization_memberships WHERE account_id = ? AND organization_id = ? AND user_id = ANY(?::bigint[])
			RETURNING user_id, "default", view_tickets)
		INSERT INTO organization_memberships AS m (account_id, user_id, organization_id, "default", view_tickets, created_at, updated_at)
		SELECT ?, user_id, ?, false, view_tickets, ?, ? FROM gone ORDER BY user_id
		ON CONFLICT (account_id, user_id, organization_id) DO UPDATE
			SET view_tickets = m.view_tickets OR excluded.view_tickets, updated_at = excluded.updated_at
		RETURNING CASE WHEN xmax = 0 THEN user_id ELSE 0 END`,
		by.AccountID, loser, models.IDs(users), by.AccountID, winner, now, now).Scan(&added).Error
	if err != nil {
		return 0, err
	}
	// Whose default went has the winner as the default now.
	err = tx.Exec(`UPDATE organization_memberships m SET "default" = true WHERE account_id = ? AND organization_id = ? AND user_id = ANY(?::bigint[])
		AND NOT EXISTS (SELECT FROM organization_memberships d WHERE d.account_id = m.account_id AND d.user_id = m.user_id AND d."default")`,
		by.AccountID, winner, models.IDs(users)).Error
	if err != nil {
		return 0, err
	}
	after, err := kind.SettleTx(tx, by.AccountID, users, now)
	if err != nil {
		return 0, err
	}
	var joined []models.User
	for _, u := range after {
		if slices.Contains(added, u.ID) {
			joined = append(joined, u)
		}
	}
	return len(users), errors.Join(
		kind.RecordTx(tx, s.by(by), "deleted", loser, after...), kind.RecordTx(tx, s.by(by), "created", winner, joined...))
}
