package users

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// Filter narrows a list of active users. Zero members do not.
type Filter struct {
	Roles          []string
	PermissionSet  int64 // id of a custom role
	ExternalID     string
	GroupID        *int64
	OrganizationID *int64
}

// byID is the order of users in lists.
var byID = page.By("id", page.Column{Expr: "u.id", Kind: page.Int})

// List is a page of the active users, by id. It fails with fault.NotFound for a
// group or an organization that there is not, and with fault.Invalid for a role
// that there is not.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, p page.Request) (page.Result[models.User], error) {
	q, err := s.query(ctx, by, f)
	if err != nil {
		return page.Result[models.User]{}, err
	}
	return page.List(ctx, s.db, q, p, scanOf(by.AccountID))
}

// Count is how many users List has, and when they were counted.
func (s *Service) Count(ctx context.Context, by auth.Actor, f Filter) (int, time.Time, error) {
	q, err := s.query(ctx, by, f)
	if err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, q.From, q.Where, q.Args)
}

func (s *Service) query(ctx context.Context, by auth.Actor, f Filter) (page.Query, error) {
	q := page.Query{Select: columns, From: "users u", Where: "u.account_id = ? AND u.active", Args: []any{by.AccountID}, Order: byID}
	if !by.Staff() {
		return q, fault.Denied()
	}
	and := func(cond string, args ...any) {
		q.Where += " AND " + cond
		q.Args = append(q.Args, args...)
	}
	for _, role := range f.Roles {
		if !slices.Contains(roles, role) {
			return q, fault.InvalidField("role", "%s is not a role: end-user, agent or admin", role)
		}
	}
	// Written out, since there are but three: a plan made for any role would
	// read all users in search of the few agents.
	if len(f.Roles) > 0 {
		and("u.role IN ('" + strings.Join(slices.Compact(slices.Sorted(slices.Values(f.Roles))), "', '") + "')")
	}
	if f.PermissionSet != 0 {
		and("u.custom_role_id = ?", f.PermissionSet)
	}
	if f.ExternalID != "" {
		and("lower(u.external_id) = ?", strings.ToLower(f.ExternalID))
	}
	if f.GroupID != nil {
		if err := s.exists(ctx, by, "group", "groups", "NOT deleted", *f.GroupID); err != nil {
			return q, err
		}
		and("u.id IN (SELECT user_id FROM group_memberships WHERE account_id = ? AND group_id = ?)", by.AccountID, *f.GroupID)
	}
	if f.OrganizationID != nil {
		if err := s.exists(ctx, by, "organization", "organizations", "deleted_at IS NULL", *f.OrganizationID); err != nil {
			return q, err
		}
		and("u.id IN (SELECT user_id FROM organization_memberships WHERE account_id = ? AND organization_id = ?)", by.AccountID, *f.OrganizationID)
	}
	return q, nil
}

func (s *Service) exists(ctx context.Context, by auth.Actor, what, table, live string, id int64) error {
	found, err := one(s.db.WithContext(ctx), "SELECT id FROM "+table+" WHERE account_id = ? AND id = ? AND "+live, by.AccountID, id)
	if err == nil && found == 0 {
		return fault.Missing(what, id)
	}
	return err
}

// GroupsOf are the groups that any of the users is a member of, by name.
func (s *Service) GroupsOf(ctx context.Context, account int64, users []int64) ([]models.Group, error) {
	out := []models.Group{}
	if len(users) == 0 {
		return out, nil
	}
	err := s.db.WithContext(ctx).Order("name, id").Find(&out,
		"NOT deleted AND id IN (SELECT group_id FROM group_memberships WHERE account_id = ? AND user_id = ANY(?::bigint[]))",
		account, models.IDs(users)).Error
	return out, err
}

// AccountZone is the time zone of the actor's account, as it was set.
func (s *Service) AccountZone(ctx context.Context, by auth.Actor) (string, error) {
	return accountZone(s.db.WithContext(ctx), by.AccountID)
}

// Subdomain is that of the actor's account.
func (s *Service) Subdomain(ctx context.Context, by auth.Actor) (name string, err error) {
	err = s.db.WithContext(ctx).Raw("SELECT subdomain FROM accounts WHERE id = ?", by.AccountID).Row().Scan(&name)
	return name, err
}

func accountZone(db *gorm.DB, account int64) (zone string, err error) {
	err = db.Raw("SELECT time_zone FROM accounts WHERE id = ?", account).Row().Scan(&zone)
	return zone, err
}

// CountSubscriptions is how many organizations a user is subscribed to. It fails
// with fault.NotFound.
func (s *Service) CountSubscriptions(ctx context.Context, by auth.Actor, id int64) (n int64, err error) {
	if _, err := s.Get(ctx, by, id); err != nil {
		return 0, err
	}
	err = s.db.WithContext(ctx).Model(&models.OrganizationSubscription{}).Where("user_id = ?", id).Count(&n).Error
	return n, err
}

// Abilities is what an actor may do with a user.
type Abilities struct {
	Edit, EditPassword, ManageIdentities, VerifyIdentities bool
}

// AbilitiesOf tells what by may do with u.
func AbilitiesOf(by auth.Actor, u models.User) Abilities {
	edit := u.Active && mayWrite(by, u, u, Change{}) == nil
	return Abilities{Edit: edit, EditPassword: edit && by.Admin(), ManageIdentities: edit, VerifyIdentities: edit && by.Staff()}
}
