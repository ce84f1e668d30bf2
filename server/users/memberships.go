package users

import (
	"errors"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/memberships"
)

// organizationOf is the organization that c puts a user into; unspecified where
// c says nothing about it.
func organizationOf(tx *gorm.DB, c Change) (nullable.Nullable[int64], error) {
	if c.OrganizationID.IsSpecified() || c.OrganizationName == nil || strings.TrimSpace(*c.OrganizationName) == "" {
		return c.OrganizationID, nil
	}
	var o models.Organization
	err := tx.Select("id").Take(&o, "lower(name) = lower(?) AND deleted_at IS NULL", strings.TrimSpace(*c.OrganizationName)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.InvalidField("organization", "%s does not exist", *c.OrganizationName)
	}
	return nullable.NewNullableWithValue(o.ID), err
}

// setOrganizationTx makes an organization the user's default one; null takes
// the user out of all of them. The former default stays a membership, since a
// user may belong to several.
func (s *Service) setOrganizationTx(tx *gorm.DB, u *subject, to nullable.Nullable[int64]) error {
	if !to.IsSpecified() || sameID(to, u.OrganizationID) {
		return nil
	}
	if to.IsNull() {
		u.OrganizationID = nil
		return s.leaveOrganizationsTx(tx, u)
	}
	id := to.MustGet()
	if err := organizationExists(tx, id); err != nil {
		return err
	}
	u.OrganizationID = &id
	added, err := memberships.Organizations.PutDefaultTx(tx, u.AccountID, u.ID, id, s.stamp())
	if added {
		u.note("organization_membership_created", organizationRef{ref{events.ID(id)}})
	}
	return err
}

func (s *Service) leaveOrganizationsTx(tx *gorm.DB, u *subject) error {
	var ended []models.OrganizationMembership
	if err := tx.Clauses(clause.Returning{}).Where("user_id = ?", u.ID).Delete(&ended).Error; err != nil {
		return err
	}
	for _, m := range ended {
		u.note("organization_membership_deleted", organizationRef{ref{events.ID(m.OrganizationID)}})
		if err := s.leftTx(tx, m); err != nil {
			return err
		}
	}
	return nil
}

// joinOrganizationsTx adds memberships; the first of a user without any becomes
// the default.
func (s *Service) joinOrganizationsTx(tx *gorm.DB, u *subject, ids []int64) error {
	for _, id := range ids {
		if u.OrganizationID == nil {
			if err := s.setOrganizationTx(tx, u, nullable.NewNullableWithValue(id)); err != nil {
				return err
			}
			continue
		}
		if err := organizationExists(tx, id); err != nil {
			return err
		}
		now := s.stamp()
		added := tx.Exec(`
			INSERT INTO organization_memberships (account_id, user_id, organization_id, "default", view_tickets, created_at, updated_at)
			VALUES (?, ?, ?, false, false, ?, ?) ON CONFLICT (account_id, user_id, organization_id) DO NOTHING`,
			u.AccountID, u.ID, id, now, now)
		if added.Error != nil {
			return added.Error
		}
		if added.RowsAffected > 0 {
			u.note("organization_membership_created", organizationRef{ref{events.ID(id)}})
		}
	}
	return nil
}

// organizationExists also keeps the organization from being deleted until the
// membership is committed.
func organizationExists(tx *gorm.DB, id int64) error {
	var live []int64
	err := tx.Model(&models.Organization{}).Where("id = ? AND deleted_at IS NULL", id).
		Clauses(forShare).Limit(1).Pluck("id", &live).Error
	if err == nil && len(live) == 0 {
		return fault.InvalidField("organization_id", "%d is not an organization", id)
	}
	return err
}

// mapDomainTx puts a user without an organization into the one that lists the
// whole address, or else its domain. Of several the oldest wins.
func (s *Service) mapDomainTx(tx *gorm.DB, u *subject, identities []models.UserIdentity) error {
	if u.OrganizationID != nil {
		return nil
	}
	for _, i := range identities {
		if i.Type != models.IdentityEmail {
			continue
		}
		_, domain, _ := strings.Cut(i.Value, "@")
		id, err := one(tx, `
			SELECT id FROM organizations
			WHERE account_id = ? AND deleted_at IS NULL AND domain_names && ?::text[]
			ORDER BY (domain_names @> ?::text[]) DESC, id LIMIT 1`,
			u.AccountID, models.Strings{i.Value, domain}, models.Strings{i.Value})
		if err != nil {
			return err
		}
		if id != 0 {
			return s.setOrganizationTx(tx, u, nullable.NewNullableWithValue(id))
		}
	}
	return nil
}

// joinGroupTx makes a group the default one of an agent: the given one, else
// the account's default group if the agent is in none.
func (s *Service) joinGroupTx(tx *gorm.DB, u *subject, wanted nullable.Nullable[int64]) error {
	var id int64
	switch {
	case wanted.IsSpecified() && !wanted.IsNull():
		id = wanted.MustGet()
	case u.DefaultGroupID != nil:
		return nil
	default:
		var err error
		id, err = one(tx, `SELECT id FROM groups WHERE account_id = ? AND "default" AND NOT deleted`, u.AccountID)
		if err != nil || id == 0 {
			return err
		}
	}
	if sameID(nullable.NewNullableWithValue(id), u.DefaultGroupID) {
		return nil
	}
	var live []int64
	err := tx.Model(&models.Group{}).Where("id = ? AND NOT deleted", id).Clauses(forShare).Limit(1).Pluck("id", &live).Error
	if err != nil {
		return err
	}
	if len(live) == 0 {
		return fault.InvalidField("default_group_id", "%d is not a group", id)
	}
	u.DefaultGroupID = &id
	added, err := memberships.Groups.PutDefaultTx(tx, u.AccountID, u.ID, id, s.stamp())
	if added {
		u.note("group_membership_created", groupRef{ref{events.ID(id)}})
	}
	return err
}

// leaveGroupsTx takes a user who is no agent any more out of every group.
func leaveGroupsTx(tx *gorm.DB, u *subject) error {
	u.DefaultGroupID = nil
	var left []models.GroupMembership
	err := tx.Clauses(clause.Returning{}).Where("user_id = ?", u.ID).Delete(&left).Error
	for _, m := range left {
		u.note("group_membership_deleted", groupRef{ref{events.ID(m.GroupID)}})
	}
	return err
}

// openTickets is how many tickets of a requester are not closed.
func openTickets(tx *gorm.DB, account, requester int64) (int, error) {
	var n int
	err := tx.Raw(`SELECT count(*) FROM tickets
		WHERE account_id = ? AND requester_id = ? AND deleted_at IS NULL AND status <> 'closed'`, account, requester).Row().Scan(&n)
	return n, err
}
