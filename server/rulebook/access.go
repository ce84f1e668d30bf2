package rulebook

import (
	"slices"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

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
