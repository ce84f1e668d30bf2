package groups

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// An agent who is a member of any group has exactly one default membership,
// whose group is also the agent's default_group_id. Whoever changes memberships
// locks first the group, then its users by id, so that writers take turns and
// none waits for another in a circle.

// Of selects memberships; a zero is any.
type Of struct {
	UserID     int64
	GroupID    int64
	Assignable bool // of users to whom tickets can be assigned
}

const membershipColumns = `m.account_id, m.id, m.user_id, m.group_id, m."default", m.created_at, m.updated_at`

func scanMembership(rows *sql.Rows, order ...any) (models.GroupMembership, error) {
	var m models.GroupMembership
	err := rows.Scan(append([]any{&m.AccountID, &m.ID, &m.UserID, &m.GroupID, &m.Default, &m.CreatedAt, &m.UpdatedAt}, order...)...)
	return m, err
}

var membershipsByID = page.By("id", page.Column{Expr: "m.id", Kind: page.Int})

// assignable is the condition of memberships m of users who can have tickets:
// light agents comment, but own none.
const assignable = `EXISTS (SELECT FROM users AS u WHERE u.account_id = m.account_id AND u.id = m.user_id
	AND u.active AND NOT u.suspended AND u.role IN ('agent', 'admin') AND u.role_type IS DISTINCT FROM 1)`

func membershipQuery(by auth.Actor, of Of) page.Query {
	q := page.Query{
		Select: membershipColumns, From: "group_memberships AS m", Order: membershipsByID,
		Where: "m.account_id = ?", Args: []any{by.AccountID},
	}
	if of.UserID != 0 {
		q.Where += " AND m.user_id = ?"
		q.Args = append(q.Args, of.UserID)
	}
	if of.GroupID != 0 {
		q.Where += " AND m.group_id = ?"
		q.Args = append(q.Args, of.GroupID)
	}
	if of.Assignable {
		q.Where += " AND " + assignable
	}
	return q
}

// Memberships lists memberships by id. It fails with fault.NotFound for an
// unknown user or group.
func (s *Service) Memberships(ctx context.Context, by auth.Actor, of Of, r page.Request) (page.Result[models.GroupMembership], error) {
	var none page.Result[models.GroupMembership]
	if !by.Staff() {
		return none, fault.Denied()
	}
	if of.GroupID != 0 {
		if _, err := s.Show(ctx, by, of.GroupID); err != nil {
			return none, err
		}
	}
	if of.UserID != 0 {
		if err := s.userExists(ctx, of.UserID); err != nil {
			return none, err
		}
	}
	return page.List(ctx, s.db, membershipQuery(by, of), r, scanMembership)
}

// Membership returns a membership, of this user unless user is 0. It fails
// with fault.NotFound.
func (s *Service) Membership(ctx context.Context, by auth.Actor, user, id int64) (models.GroupMembership, error) {
	if !by.Staff() {
		return models.GroupMembership{}, fault.Denied()
	}
	return membershipTx(s.db.WithContext(ctx), user, id)
}

func membershipTx(tx *gorm.DB, user, id int64) (models.GroupMembership, error) {
	var m models.GroupMembership
	err := tx.Take(&m, "id = ? AND (?::bigint = 0 OR user_id = ?)", id, user, user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return m, fault.Missing("group membership", id)
	}
	return m, err
}

// NewMembership is what a caller asks for. An agent's first membership becomes
// his default, whether asked or not.
type NewMembership struct {
	UserID  int64
	GroupID int64
	Default bool
}

// Join makes an agent, this user unless user is 0, a member of a group. Admins
// may. It fails with fault.NotFound if there is no such user, and with
// fault.Invalid for a user in n who is no agent, a group that is deleted, or a
// membership that there is already.
func (s *Service) Join(ctx context.Context, by auth.Actor, user int64, n NewMembership) (models.GroupMembership, error) {
	var m models.GroupMembership
	if !by.Admin() {
		return m, fault.Denied()
	}
	if user != 0 {
		if err := s.userExists(ctx, user); err != nil {
			return m, err
		}
		n.UserID = user
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		m, err = s.joinTx(tx, by, n)
		return err
	})
	s.auth.Forget(ctx, by.AccountID)
	return m, err
}

func (s *Service) joinTx(tx *gorm.DB, by auth.Actor, n NewMembership) (models.GroupMembership, error) {
	var m models.GroupMembership
	if _, err := lockTx(tx, n.GroupID, "SHARE"); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.InvalidField("group_id", "%d is not a group", n.GroupID)
		}
		return m, err
	}
	u, err := lockUserTx(tx, n.UserID)
	if fault.Is(err, fault.NotFound) || err == nil && (!u.Active || !u.Staff()) {
		return m, fault.InvalidField("user_id", "%d is not an agent", n.UserID)
	}
	if err != nil {
		return m, err
	}
	now := s.now()
	m = models.GroupMembership{UserID: u.ID, GroupID: n.GroupID, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	var hasDefault int64
	if err := tx.Model(&m).Where(`user_id = ? AND "default"`, u.ID).Count(&hasDefault).Error; err != nil {
		return m, err
	}
	err = tx.Create(&m).Error
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return m, fault.Duplicate("user_id", "is already a member of this group")
	}
	if err != nil {
		return m, err
	}
	if n.Default || hasDefault == 0 {
		if err := s.makeDefaultTx(tx, &m); err != nil {
			return m, err
		}
		u.DefaultGroupID, u.UpdatedAt = &m.GroupID, now
	}
	return m, s.memberChangedTx(tx, by, "created", m.GroupID, u)
}

func lockUserTx(tx *gorm.DB, id int64) (models.User, error) {
	var u models.User
	err := tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Take(&u, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return u, fault.Missing("user", id)
	}
	return u, err
}

// makeDefaultTx makes m the default membership of its user, who is locked.
func (s *Service) makeDefaultTx(tx *gorm.DB, m *models.GroupMembership) error {
	now := s.now()
	err := tx.Model(&models.GroupMembership{}).Where(`user_id = ? AND "default" AND id <> ?`, m.UserID, m.ID).
		Updates(map[string]any{"default": false, "updated_at": now}).Error
	if err != nil {
		return err
	}
	m.Default, m.UpdatedAt = true, now
	if err := tx.Select("default", "updated_at").Updates(m).Error; err != nil {
		return err
	}
	return tx.Model(&models.User{}).Where("id = ?", m.UserID).
		Updates(map[string]any{"default_group_id": m.GroupID, "updated_at": now}).Error
}

// Leave ends a membership, of this user unless user is 0. When it was the
// default, the user's oldest other one becomes it. The user's tickets of the
// group that are not solved lose their assignee by and by. Admins may.
func (s *Service) Leave(ctx context.Context, by auth.Actor, user, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		m, err := membershipTx(tx, user, id)
		if err != nil {
			return err
		}
		if _, err := lockUserTx(tx, m.UserID); err != nil {
			return err
		}
		gone := tx.Delete(&models.GroupMembership{}, "id = ?", id)
		if gone.Error != nil {
			return gone.Error
		}
		if gone.RowsAffected == 0 { // another one was faster
			return fault.Missing("group membership", id)
		}
		if err := s.settleTx(tx, by, m.GroupID, []int64{m.UserID}); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(tx, Left{by.AccountID, m.GroupID, m.UserID})
	})
	s.auth.Forget(ctx, by.AccountID)
	return err
}

// dissolveTx removes the memberships of a group, which is locked.
func (s *Service) dissolveTx(tx *gorm.DB, by auth.Actor, group int64) error {
	var users []int64
	err := tx.Model(&models.User{}).Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).
		Where("id IN (SELECT user_id FROM group_memberships WHERE account_id = ? AND group_id = ?)", by.AccountID, group).
		Order("id").Pluck("id", &users).Error
	if err != nil || len(users) == 0 {
		return err
	}
	if err := tx.Delete(&models.GroupMembership{}, "group_id = ?", group).Error; err != nil {
		return err
	}
	return s.settleTx(tx, by, group, users)
}

// settleTx follows up on the users, who are locked, having left a group: each
// has a default membership again if there is any.
func (s *Service) settleTx(tx *gorm.DB, by auth.Actor, left int64, users []int64) error {
	now := s.now()
	err := tx.Exec(`
		UPDATE group_memberships AS m SET "default" = TRUE, updated_at = ?
		FROM (SELECT user_id, min(id) AS id FROM group_memberships
			WHERE account_id = ? AND user_id = ANY(?::bigint[])
			GROUP BY user_id HAVING NOT bool_or("default")) AS oldest
		WHERE m.account_id = ? AND m.id = oldest.id`, now, by.AccountID, models.IDs(users), by.AccountID).Error
	if err != nil {
		return err
	}
	err = tx.Exec(`
		UPDATE users AS u SET default_group_id = d.group_id, updated_at = ?
		FROM unnest(?::bigint[]) AS gone (user_id)
		LEFT JOIN group_memberships AS d ON d.account_id = ? AND d.user_id = gone.user_id AND d."default"
		WHERE u.account_id = ? AND u.id = gone.user_id AND u.default_group_id IS DISTINCT FROM d.group_id`,
		now, models.IDs(users), by.AccountID, by.AccountID).Error
	if err != nil {
		return err
	}
	var after []models.User
	if err := tx.Order("id").Find(&after, "id = ANY(?::bigint[])", models.IDs(users)).Error; err != nil {
		return err
	}
	return s.memberChangedTx(tx, by, "deleted", left, after...)
}

// MakeDefault makes a membership the default of its user and returns all of
// the user's. Admins may, and an agent his own.
func (s *Service) MakeDefault(ctx context.Context, by auth.Actor, user, id int64) ([]models.GroupMembership, error) {
	if !by.Admin() && (!by.Staff() || by.ID() != user) {
		return nil, fault.Denied()
	}
	var all []models.GroupMembership
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := lockUserTx(tx, user); err != nil {
			return err
		}
		m, err := membershipTx(tx, user, id)
		if err != nil {
			return err
		}
		if !m.Default {
			if err := s.makeDefaultTx(tx, &m); err != nil {
				return err
			}
		}
		return tx.Order("id").Find(&all, "user_id = ?", user).Error
	})
	s.auth.Forget(ctx, by.AccountID)
	return all, err
}
