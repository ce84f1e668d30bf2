package organizations

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// MaxShown is how many organizations one ShowMany names at most.
const MaxShown = 100

const columns = `o.account_id, o.id, o.name, o.shared_tickets, o.shared_comments, o.external_id, o.domain_names,
	o.details, o.notes, o.group_id, o.tags, o.organization_fields, o.created_at, o.updated_at, o.deleted_at`

func scan(rows *sql.Rows, order ...any) (models.Organization, error) {
	var o models.Organization
	err := rows.Scan(append([]any{&o.AccountID, &o.ID, &o.Name, &o.SharedTickets, &o.SharedComments, &o.ExternalID, &o.DomainNames,
		&o.Details, &o.Notes, &o.GroupID, &o.Tags, &o.OrganizationFields, &o.CreatedAt, &o.UpdatedAt, &o.DeletedAt}, order...)...)
	return o, err
}

var (
	byID   = page.By("id", page.Column{Expr: "o.id", Kind: page.Int})
	byName = page.By("name,id", page.Column{Expr: "lower(o.name)", Kind: page.Text}, page.Column{Expr: "o.id", Kind: page.Int})
)

// Visible is the condition of the live organizations o that by may see: agents as
// scope says, and end users those they are members of.
func Visible(by auth.Actor) (string, []any) {
	where, args := scope(by)
	if !by.Staff() {
		where, args = ofUser, []any{by.ID()}
	}
	return "o.deleted_at IS NULL AND " + where, args
}

// scope is the condition of the organizations o that by may see: all, but for
// an agent held to those he is a member of.
func scope(by auth.Actor) (string, []any) {
	if by.Restriction() != models.RestrictOrganization {
		return "TRUE", nil
	}
	return `EXISTS (SELECT FROM organization_memberships AS own
		WHERE own.account_id = o.account_id AND own.organization_id = o.id AND own.user_id = ?)`, []any{by.ID()}
}

// query lists the live organizations that by may see and cond holds for.
func query(by auth.Actor, cond string, args ...any) page.Query {
	seen, seenArgs := scope(by)
	return page.Query{
		Select: columns, From: "organizations AS o", Order: byID,
		Where: "o.account_id = ? AND o.deleted_at IS NULL AND " + cond + " AND " + seen,
		Args:  append(append([]any{by.AccountID}, args...), seenArgs...),
	}
}

// all lets those list who may see organizations at large. As in the original,
// an agent held to his own organizations is refused and not shown a part.
func all(by auth.Actor) error {
	if !by.Staff() || by.Restriction() == models.RestrictOrganization {
		return fault.Denied()
	}
	return nil
}

// List lists the organizations by id.
func (s *Service) List(ctx context.Context, by auth.Actor, r page.Request) (page.Result[models.Organization], error) {
	if err := all(by); err != nil {
		return page.Result[models.Organization]{}, err
	}
	return page.List(ctx, s.db, query(by, "TRUE"), r, scan)
}

// Count is the number of organizations and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor) (int, time.Time, error) {
	if err := all(by); err != nil {
		return 0, time.Time{}, err
	}
	q := query(by, "TRUE")
	return page.Count(ctx, s.db, q.From, q.Where, q.Args)
}

// ofUser is the condition of the organizations o that a user is a member of.
const ofUser = `EXISTS (SELECT FROM organization_memberships AS m
	WHERE m.account_id = o.account_id AND m.organization_id = o.id AND m.user_id = ?)`

// OfUser lists the organizations of a user by id. It fails with fault.NotFound
// for an unknown user. End users may not: it tells what agents note about them.
func (s *Service) OfUser(ctx context.Context, by auth.Actor, user int64, r page.Request) (page.Result[models.Organization], error) {
	if !by.Staff() {
		return page.Result[models.Organization]{}, fault.Denied()
	}
	if err := s.mayReadUser(ctx, by, user); err != nil {
		return page.Result[models.Organization]{}, err
	}
	return page.List(ctx, s.db, query(by, ofUser, user), r, scan)
}

// CountOfUser is the number of organizations of a user and when it was taken.
func (s *Service) CountOfUser(ctx context.Context, by auth.Actor, user int64) (int, time.Time, error) {
	if !by.Staff() {
		return 0, time.Time{}, fault.Denied()
	}
	if err := s.mayReadUser(ctx, by, user); err != nil {
		return 0, time.Time{}, err
	}
	q := query(by, ofUser, user)
	return page.Count(ctx, s.db, q.From, q.Where, q.Args)
}

// mayReadUser lets staff read everyone's organizations and a user his own.
func (s *Service) mayReadUser(ctx context.Context, by auth.Actor, user int64) error {
	if by.Anonymous() || !by.Staff() && by.ID() != user {
		return fault.Denied()
	}
	var n int64
	err := s.db.WithContext(ctx).Model(&models.User{}).Where("id = ?", user).Count(&n).Error
	if err == nil && n == 0 {
		return fault.Missing("user", user)
	}
	return err
}

// Show returns an organization that by may see, or fault.NotFound.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.Organization, error) {
	if !by.Staff() {
		return models.Organization{}, fault.Denied()
	}
	found, err := s.ByIDs(ctx, by, []int64{id})
	if err == nil && len(found) == 0 {
		err = fault.Missing("organization", id)
	}
	if err != nil {
		return models.Organization{}, err
	}
	return found[0], nil
}

// ShowMany returns those of the organizations that there are, by id. The call
// names at most MaxShown, by id or by external id.
func (s *Service) ShowMany(ctx context.Context, by auth.Actor, ids []int64, externalIDs []string) ([]models.Organization, error) {
	if !by.Staff() {
		return nil, fault.Denied()
	}
	if len(ids)+len(externalIDs) > MaxShown {
		return nil, fault.Exceeds(MaxShown)
	}
	if len(externalIDs) == 0 {
		return s.ByIDs(ctx, by, ids)
	}
	return s.read(ctx, query(by, "(o.id = ANY(?::bigint[]) OR lower(o.external_id) = ANY(ARRAY(SELECT lower(btrim(x)) FROM unnest(?::text[]) AS x)))",
		models.IDs(ids), models.Strings(externalIDs)))
}

// ByIDs returns those of the organizations that there are and by may see, by
// id: for records that refer to them.
func (s *Service) ByIDs(ctx context.Context, by auth.Actor, ids []int64) ([]models.Organization, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.read(ctx, query(by, "o.id = ANY(?::bigint[])", models.IDs(ids)))
}

// Stored returns those of the organizations that there are, deleted ones too, by
// id. It fails with fault.Forbidden unless by is an admin.
func (s *Service) Stored(ctx context.Context, by auth.Actor, ids []int64) ([]models.Organization, error) {
	if !by.Admin() {
		return nil, fault.Denied()
	}
	q := query(by, "TRUE")
	q.Where, q.Args = "o.account_id = ? AND o.id = ANY(?::bigint[])", []any{by.AccountID, models.IDs(ids)}
	return s.read(ctx, q)
}

func (s *Service) read(ctx context.Context, q page.Query) ([]models.Organization, error) {
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+q.Select+" FROM "+q.From+" WHERE "+q.Where+" ORDER BY o.id", q.Args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []models.Organization
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Search lists the organizations with exactly this external id, this name, or
// both, whatever their case; an empty one does not matter, but not both may be.
func (s *Service) Search(ctx context.Context, by auth.Actor, externalID, name string, r page.Request) (page.Result[models.Organization], error) {
	var out page.Result[models.Organization]
	if err := all(by); err != nil {
		return out, err
	}
	externalID, name = strings.TrimSpace(externalID), strings.TrimSpace(name)
	var conds []string
	var args []any
	if externalID != "" {
		conds, args = append(conds, "lower(o.external_id) = lower(?)"), append(args, externalID)
	}
	if name != "" {
		conds, args = append(conds, "lower(o.name) = lower(?)"), append(args, name)
	}
	if len(conds) == 0 {
		return out, fault.Attribute("external_id", "given, or name")
	}
	return page.List(ctx, s.db, query(by, strings.Join(conds, " AND "), args...), r, scan)
}

// Autocomplete lists the organizations whose name begins with the text,
// whatever its case, by name; of a lookup, those of them that it offers. An empty
// text is fault.BadAttribute, and a field that is no lookup of organizations
// fault.Invalid.
func (s *Service) Autocomplete(ctx context.Context, by auth.Actor, text string, of fields.Lookup, r page.Request) (page.Result[models.Organization], error) {
	if err := all(by); err != nil {
		return page.Result[models.Organization]{}, err
	}
	if text = strings.TrimSpace(text); text == "" {
		return page.Result[models.Organization]{}, fault.Attribute("name", "at least one character")
	}
	offered, args, err := s.fields.Offered(ctx, by, fields.TargetOrganizations, of)
	if err != nil {
		return page.Result[models.Organization]{}, err
	}
	begins, more := postgres.Begins("o.name", text)
	q := query(by, begins+" AND "+offered, append(more, args...)...)
	q.Order = byName
	return page.List(ctx, s.db, q, r, scan)
}

// CountUsers is how many members of an organization are active. It fails with
// fault.NotFound.
func (s *Service) CountUsers(ctx context.Context, by auth.Actor, id int64) (int, error) {
	if _, err := s.Show(ctx, by, id); err != nil {
		return 0, err
	}
	n, _, err := page.Count(ctx, s.db,
		"organization_memberships AS m JOIN users AS u ON u.account_id = m.account_id AND u.id = m.user_id",
		"m.account_id = ? AND m.organization_id = ? AND u.active", []any{by.AccountID, id})
	return n, err
}
