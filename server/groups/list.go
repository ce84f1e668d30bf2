package groups

import (
	"context"
	"database/sql"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

const columns = `g.account_id, g.id, g.name, g.description, g.is_public, g."default", g.deleted, g.created_at, g.updated_at`

func scan(rows *sql.Rows, order ...any) (models.Group, error) {
	var g models.Group
	err := rows.Scan(append([]any{&g.AccountID, &g.ID, &g.Name, &g.Description, &g.IsPublic, &g.Default, &g.Deleted,
		&g.CreatedAt, &g.UpdatedAt}, order...)...)
	return g, err
}

// byName is the order of groups in every list.
var byName = page.By("name,id", page.Column{Expr: "g.name", Kind: page.Text}, page.Column{Expr: "g.id", Kind: page.Int})

func query(by auth.Actor, cond string, args ...any) page.Query {
	return page.Query{
		Select: columns, From: "groups AS g", Order: byName,
		Where: "g.account_id = ? AND " + cond, Args: append([]any{by.AccountID}, args...),
	}
}

// Filter says which groups a list is of. The zero value is all but the deleted.
type Filter struct {
	Deleted    bool  // those too
	Assignable bool  // that the caller may assign tickets to: the public ones and his own
	UserID     int64 // of this user; 0 is any
}

func (s *Service) query(ctx context.Context, by auth.Actor, f Filter) (page.Query, error) {
	if !by.Staff() {
		return page.Query{}, fault.Denied()
	}
	cond, args := "NOT g.deleted", []any{}
	if f.Deleted {
		cond = "TRUE"
	}
	if f.Assignable && !by.Admin() {
		cond += " AND (g.is_public OR " + ofUser + ")"
		args = append(args, by.ID())
	}
	if f.UserID != 0 {
		if err := s.userExists(ctx, f.UserID); err != nil {
			return page.Query{}, err
		}
		cond += " AND " + ofUser
		args = append(args, f.UserID)
	}
	return query(by, cond, args...), nil
}

// ofUser is the condition of the groups g that a user is a member of.
const ofUser = "EXISTS (SELECT FROM group_memberships AS m WHERE m.account_id = g.account_id AND m.group_id = g.id AND m.user_id = ?)"

func (s *Service) userExists(ctx context.Context, id int64) error {
	var n int64
	err := s.db.WithContext(ctx).Model(&models.User{}).Where("id = ?", id).Count(&n).Error
	if err == nil && n == 0 {
		return fault.Missing("user", id)
	}
	return err
}

// List lists groups by name. It fails with fault.NotFound for an unknown user.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, r page.Request) (page.Result[models.Group], error) {
	q, err := s.query(ctx, by, f)
	if err != nil {
		return page.Result[models.Group]{}, err
	}
	return page.List(ctx, s.db, q, r, scan)
}

// Count is the number of groups and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor, f Filter) (int, time.Time, error) {
	q, err := s.query(ctx, by, f)
	if err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, q.From, q.Where, q.Args)
}

// Show is a group, also one that was deleted. It fails with fault.NotFound.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.Group, error) {
	if !by.Staff() {
		return models.Group{}, fault.Denied()
	}
	found, err := s.ByIDs(ctx, by, []int64{id})
	if err == nil && len(found) == 0 {
		err = fault.Missing("group", id)
	}
	if err != nil {
		return models.Group{}, err
	}
	return found[0], nil
}

// ByIDs returns those of the groups that there are, deleted ones too, by name:
// for records that refer to them.
func (s *Service) ByIDs(ctx context.Context, by auth.Actor, ids []int64) ([]models.Group, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q := query(by, "g.id = ANY(?::bigint[])", models.IDs(ids))
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+q.Select+" FROM "+q.From+" WHERE "+q.Where+" ORDER BY g.name, g.id", q.Args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []models.Group
	for rows.Next() {
		g, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// MemberIDs are the ids of the active users in any of the groups.
func (s *Service) MemberIDs(ctx context.Context, by auth.Actor, groups []int64) ([]int64, error) {
	var ids []int64
	err := s.db.WithContext(ctx).Model(&models.User{}).Where(
		"active AND id IN (SELECT user_id FROM group_memberships WHERE account_id = ? AND group_id = ANY(?::bigint[]))",
		by.AccountID, models.IDs(groups)).Order("id").Pluck("id", &ids).Error
	return ids, err
}
