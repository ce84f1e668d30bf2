// Package segments keeps the kinds of readers of the help center, who belongs to
// each, and who of the staff may edit and publish articles.
//
// To a segment belong the users of its type who have all of its tags and one of
// its or_tags, themselves or by an organization of theirs, and who are in one of
// its groups or organizations if it names any. Of segments of signed-in users
// agents need no organization. Users who are added by name need nothing but the
// type. (Zendesk help, "Creating user segments".) Admins see and may do
// everything, whatever segments say.
package segments

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

const (
	maxName = 255   // characters of a name
	maxList = 1_000 // members of each list of a segment or permission group
)

// Service keeps segments and permission groups of all accounts.
type Service struct {
	db  *gorm.DB
	now func() time.Time
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service { return &Service{db, now} }

// Change is what a caller asks of a segment. What is nil is left alone; an empty
// list clears.
type Change struct {
	Name            *string
	UserType        *string
	GroupIDs        []int64
	OrganizationIDs []int64
	Tags            []string
	OrTags          []string
	AddedUserIDs    []int64
}

// Filter says which segments a list is of. The zero value is all.
type Filter struct {
	BuiltIn    *bool
	Applicable bool  // that the caller may restrict content to: the caller's own; an admin's are all
	UserID     int64 // to which this user belongs; 0 is any
}

const columns = "s.id, s.name, s.user_type, s.group_ids, s.organization_ids, s.tags, s.or_tags, s.added_user_ids, s.built_in, s.created_at, s.updated_at"

var orders = map[string]page.Order{
	"":           page.By("id", ofSegment),
	"name":       page.By("name,id", page.Column{Expr: "lower(s.name)", Kind: page.Text}, ofSegment),
	"created_at": page.By("created_at,id", page.Column{Expr: "s.created_at", Kind: page.Time}, ofSegment),
	"updated_at": page.By("updated_at,id", page.Column{Expr: "s.updated_at", Kind: page.Time}, ofSegment),
}

var ofSegment = page.Column{Expr: "s.id", Kind: page.Int}

// List lists segments, by id unless the page says otherwise. Staff may. It fails
// with fault.NotFound for an unknown user.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, r page.Request) (page.Result[models.UserSegment], error) {
	if !by.Staff() {
		return page.Result[models.UserSegment]{}, fault.Denied()
	}
	cond, args := "s.account_id = ?", []any{by.AccountID}
	if f.BuiltIn != nil {
		cond, args = cond+" AND s.built_in = ?", append(args, *f.BuiltIn)
	}
	if f.UserID != 0 {
		if _, err := postgres.One[models.User](s.db.WithContext(ctx), "user", f.UserID); err != nil {
			return page.Result[models.UserSegment]{}, err
		}
		mine, more := ofUser(by.AccountID, f.UserID)
		cond, args = cond+" AND s.id = ANY("+mine+")", append(args, more...)
	}
	if f.Applicable && !by.Admin() {
		mine, more := Mine(by)
		cond, args = cond+" AND s.id = ANY("+mine+")", append(args, more...)
	}
	return page.List(ctx, s.db, page.Query{
		Select: columns, From: "user_segments AS s", Where: cond, Args: args, Order: sorted(orders, r),
	}, r, func(rows *sql.Rows, order ...any) (models.UserSegment, error) {
		var u models.UserSegment
		u.AccountID = by.AccountID
		return u, rows.Scan(append([]any{&u.ID, &u.Name, &u.UserType, &u.GroupIDs, &u.OrganizationIDs, &u.Tags, &u.OrTags, &u.AddedUserIDs,
			&u.BuiltIn, &u.CreatedAt, &u.UpdatedAt}, order...)...)
	})
}

// sorted is the order that a page asks for; an unknown name is that of none.
func sorted(orders map[string]page.Order, r page.Request) page.Order {
	order, ok := orders[r.Sort]
	if !ok {
		order = orders[""]
	}
	return order.Directed(r.Desc)
}

// Show is a segment. Staff may. It fails with fault.NotFound.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.UserSegment, error) {
	if !by.Staff() {
		return models.UserSegment{}, fault.Denied()
	}
	return postgres.One[models.UserSegment](s.db.WithContext(ctx), "user segment", id)
}

// Create makes a segment. Admins may. It fails with fault.Invalid naming the
// field.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.UserSegment, error) {
	now := s.now()
	made := models.UserSegment{Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	if !by.Admin() {
		return made, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		c.apply(&made)
		if err := checkTx(tx, models.UserSegment{}, made); err != nil {
			return err
		}
		return tx.Create(&made).Error
	})
	return made, err
}

// Update changes a segment that is not built in. Admins may. It fails with
// fault.NotFound, or with fault.Invalid naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.UserSegment, error) {
	var u models.UserSegment
	if !by.Admin() {
		return u, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if u, err = own(postgres.One[models.UserSegment](locked(tx), "user segment", id)); err != nil {
			return err
		}
		before := u
		c.apply(&u)
		if err := checkTx(tx, before, u); err != nil {
			return err
		}
		u.UpdatedAt = s.now()
		return tx.Select("name", "user_type", "group_ids", "organization_ids", "tags", "or_tags", "added_user_ids", "updated_at").Updates(&u).Error
	})
	return u, err
}

// own lets segments pass that are not built in.
func own(u models.UserSegment, err error) (models.UserSegment, error) {
	if err == nil && u.BuiltIn {
		err = fault.Base(fault.CodeInvalid, "Built-in user segments cannot be changed or deleted")
	}
	return u, err
}

// Delete removes a segment that is not built in. Admins may. It fails with
// fault.NotFound, or with fault.Invalid for a segment that something is
// restricted to: without it, more people would see that.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	used := fault.Base(fault.CodeInvalid, "User segment: is in use and cannot be deleted")
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		u, err := own(postgres.One[models.UserSegment](locked(tx), "user segment", id))
		if err != nil {
			return err
		}
		var n int64
		err = tx.Model(&models.PermissionGroup{}).Where("edit_ids @> ARRAY[?::bigint] OR publish_ids @> ARRAY[?::bigint]", id, id).Count(&n).Error
		if err == nil && n > 0 {
			return used
		}
		if err == nil {
			err = tx.Delete(&u).Error
		}
		if errors.Is(err, gorm.ErrForeignKeyViolated) { // what readers see is held by the schema
			return used
		}
		return err
	})
}

func (c Change) apply(u *models.UserSegment) {
	if c.Name != nil {
		u.Name = strings.TrimSpace(*c.Name)
	}
	if c.UserType != nil {
		u.UserType = *c.UserType
	}
	for _, list := range []struct {
		to  *models.IDs
		set []int64
	}{{&u.GroupIDs, c.GroupIDs}, {&u.OrganizationIDs, c.OrganizationIDs}, {&u.AddedUserIDs, c.AddedUserIDs}} {
		if list.set != nil {
			*list.to = once(list.set)
		}
	}
	if c.Tags != nil {
		u.Tags = c.Tags
	}
	if c.OrTags != nil {
		u.OrTags = c.OrTags
	}
}

// once has each id one time.
func once(ids []int64) models.IDs {
	out := models.IDs{}
	seen := map[int64]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

// checkTx holds a segment against the rules. What it had before may be gone by
// now, and be told again by clients that send whole objects.
func checkTx(tx *gorm.DB, before, u models.UserSegment) error {
	err := fault.Join(checkName(u.Name), checkType(u.UserType),
		CheckSize("group_ids", len(u.GroupIDs)), CheckSize("organization_ids", len(u.OrganizationIDs)), CheckSize("added_user_ids", len(u.AddedUserIDs)),
		CheckSize("tags", len(u.Tags)), CheckSize("or_tags", len(u.OrTags)))
	if err != nil {
		return err
	}
	users := "active"
	if u.UserType == models.SegmentStaff {
		users = "active AND role <> '" + models.RoleEndUser + "'"
	}
	return fault.Join(
		ExistTx(tx, "group_ids", "a group", &models.Group{}, "NOT deleted", before.GroupIDs, u.GroupIDs),
		ExistTx(tx, "organization_ids", "an organization", &models.Organization{}, "deleted_at IS NULL", before.OrganizationIDs, u.OrganizationIDs),
		ExistTx(tx, "added_user_ids", "a user of this type", &models.User{}, users, before.AddedUserIDs, u.AddedUserIDs))
}

func checkName(name string) error {
	if name == "" {
		return fault.Blank("name")
	}
	if utf8.RuneCountInString(name) > maxName {
		return fault.TooLong("name", maxName)
	}
	return nil
}

// checkType says what is wrong in the words of the original, as "User Segments" in Zendesk's
// reference of the help center shows them.
func checkType(t string) error {
	if t != models.SegmentSignedIn && t != models.SegmentStaff {
		return fault.InvalidField("user_type", "value `%s` invalid; must be either `staff` or `signed_in_users`", t)
	}
	return nil
}

// CheckSize fails with fault.Invalid, which names the field, for a list of too many.
func CheckSize(field string, n int) error {
	if n > maxList {
		return fault.InvalidField(field, "cannot have more than %d members", maxList)
	}
	return nil
}

// ExistTx fails with fault.Invalid, which names the field, for the first of new ids that
// are not in old and that no row of a table has for which cond holds.
func ExistTx(tx *gorm.DB, field, what string, table any, cond string, old, ids []int64) error {
	known := make(map[int64]bool, len(old))
	for _, id := range old {
		known[id] = true
	}
	var added models.IDs
	for _, id := range ids {
		if !known[id] {
			added = append(added, id)
		}
	}
	if len(added) == 0 {
		return nil
	}
	var found []int64
	// Held, so that none goes before this is committed.
	if err := shared(tx).Model(table).Where("id = ANY(?::bigint[]) AND "+cond, added).Pluck("id", &found).Error; err != nil {
		return err
	}
	for _, id := range found {
		known[id] = true
	}
	for _, id := range added {
		if !known[id] {
			return fault.InvalidField(field, "%d is not %s", id, what)
		}
	}
	return nil
}
