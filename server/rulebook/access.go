package rulebook

import (
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

// Types of a Restriction.
const (
	ToUser  = "User"
	ToGroup = "Group"
)

// Restriction is whom alone a macro or view is for: a user, or the members of
// groups.
type Restriction struct {
	Type string  // ToUser or ToGroup
	IDs  []int64 // one of a user; empty is the caller
}

// RestrictionOf is the restriction of a rule, if it has one.
func RestrictionOf(r models.Rule) (Restriction, bool) {
	if r.OwnerID != nil {
		return Restriction{ToUser, []int64{*r.OwnerID}}, true
	}
	return Restriction{ToGroup, r.GroupIDs}, len(r.GroupIDs) > 0
}

// maySee reports whether the actor, an agent, is shown a rule: one that is shared
// with him, or his own. Admins see all.
func maySee(by auth.Actor, r models.Rule) bool {
	switch {
	case by.Admin():
		return true
	case r.OwnerID != nil:
		return *r.OwnerID == by.ID()
	}
	return len(r.GroupIDs) == 0 || slices.ContainsFunc(r.GroupIDs, by.InGroup)
}

// MayChange reports whether the actor may change or delete a rule: agents their
// own macros and views, admins all rules.
func MayChange(by auth.Actor, r models.Rule) bool {
	return by.Admin() || r.OwnerID != nil && *r.OwnerID == by.ID()
}

// applyRestriction says whom the rule is for. What an agent makes is his own,
// and stays so.
func (c Change) applyRestriction(by auth.Actor, d *draft, config *fields.Config) error {
	r := &d.after
	if !c.Restriction.IsSpecified() {
		if d.fresh && !by.Admin() {
			r.OwnerID = new(by.ID())
		}
		return nil
	}
	r.OwnerID, r.GroupIDs = nil, nil
	to, err := c.Restriction.Get()
	switch {
	case err != nil: // null: for all
	case to.Type == ToUser && len(to.IDs) == 0:
		r.OwnerID = new(by.ID())
	case to.Type == ToUser:
		r.OwnerID = &to.IDs[0]
	case to.Type != ToGroup:
		return fault.InvalidField("restriction", "%s is neither %s nor %s", to.Type, ToUser, ToGroup)
	case len(to.IDs) == 0:
		return fault.InvalidField("restriction", "names no group")
	default:
		for _, id := range to.IDs {
			if !config.HasGroup(id) {
				return fault.InvalidField("restriction", "%d is not a group", id)
			}
			if !slices.Contains(r.GroupIDs, id) {
				r.GroupIDs = append(r.GroupIDs, id)
			}
		}
	}
	if !MayChange(by, *r) {
		return fault.Denied()
	}
	return nil
}

// ownersTx fails unless the rules that have become somebody's have become an
// agent's.
func ownersTx(tx *gorm.DB, drafts []draft) error {
	ids := models.IDs{}
	for _, d := range drafts {
		if id := d.after.OwnerID; id != nil && (d.before.OwnerID == nil || *d.before.OwnerID != *id) && !slices.Contains(ids, *id) {
			ids = append(ids, *id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var agents []int64
	err := tx.Model(&models.User{}).Where("id = ANY(?) AND active AND role IN (?, ?)", ids, models.RoleAgent, models.RoleAdmin).Pluck("id", &agents).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.Contains(agents, id) {
			return fault.InvalidField("restriction", "%d is not an agent", id)
		}
	}
	return nil
}
