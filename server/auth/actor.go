// Package auth knows who is calling: credentials, tokens, roles, and what a
// role may do. It knows no HTTP.
package auth

import (
	"context"
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// Actor is who asks, and in which account.
type Actor struct {
	AccountID int64
	// User is the zero value for nobody (anonymous) and has the id
	// models.SystemUser for rules and jobs.
	User models.User
	// GroupIDs are the groups of the user, in no order.
	GroupIDs []int64
	// Scopes of an OAuth token; nil means that the credentials are not limited.
	Scopes []string
	// Via is how the actor signed in: "token", "password", "oauth", "jwt" or "".
	Via string
	// SessionID is the session of a sign-in with a password; 0 of any other.
	SessionID int64
	// Brand is the one whose host was called; the zero value where no request is.
	Brand Brand

	expires time.Time // when the credentials end; zero: never
}

// System is the actor of rules and jobs.
func System(account int64) Actor {
	return Actor{AccountID: account, User: models.User{
		Tenant: models.Tenant{AccountID: account, ID: models.SystemUser}, Role: models.RoleAdmin, Active: true,
	}}
}

// Anonymous reports whether nobody signed in.
func (a Actor) Anonymous() bool { return a.User.ID == 0 }

// ID is the user's id; 0 for nobody.
func (a Actor) ID() int64 { return a.User.ID }

// Staff reports whether the actor is an agent or admin.
func (a Actor) Staff() bool { return a.User.Staff() }

// Admin reports whether the actor is an admin.
func (a Actor) Admin() bool { return a.User.Role == models.RoleAdmin }

// Restriction tells which tickets an agent may see: models.RestrictGroups and
// the rest; empty is all of them.
func (a Actor) Restriction() string {
	if a.Admin() || a.User.TicketRestriction == nil {
		return ""
	}
	return *a.User.TicketRestriction
}

// InGroup reports whether the actor is a member of the group.
func (a Actor) InGroup(id int64) bool { return slices.Contains(a.GroupIDs, id) }

// Roles in growing order, as operations name the least that may call them.
var rank = map[string]int{"anonymous": 0, models.RoleEndUser: 1, models.RoleAgent: 2, models.RoleAdmin: 3}

// AtLeast reports whether the actor has the role or a higher one.
func (a Actor) AtLeast(role string) bool {
	if a.Anonymous() {
		return rank[role] == 0
	}
	return rank[a.User.Role] >= rank[role]
}

// HasScope reports whether the credentials allow to read or write a resource.
// action is "read" or "write"; a token may be limited to "tickets:read".
func (a Actor) HasScope(resource, action string) bool {
	return a.Scopes == nil || slices.Contains(a.Scopes, action) || slices.Contains(a.Scopes, resource+":"+action)
}

type actorKey struct{}

// With returns a context of the actor, held to the actor's account.
func With(ctx context.Context, a Actor) context.Context {
	return postgres.WithAccount(context.WithValue(ctx, actorKey{}, a), a.AccountID)
}

// From is the actor of ctx. It panics without one: every route has passed
// through authentication.
func From(ctx context.Context) Actor { return ctx.Value(actorKey{}).(Actor) }
