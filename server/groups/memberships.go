package groups

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/memberships"
	"github.com/helpd/helpd/server/page"
)

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
	if n.UserID == 0 {
		return m, fault.Blank("user_id")
	}
	u, err := memberships.LockUserTx(tx, n.UserID)
	if fault.Is(err, fault.NotFound) || err == nil && (!u.Active || !u.Staff()) {
		return m, fault.InvalidField("user_id", "%d is not an agent", n.UserID)
	}
	if err != nil {
		return m, err
	}
	if _, err := lockTx(tx, n.GroupID, "SHARE"); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.InvalidField("group_id", "%d is not a group", n.GroupID)
		}
		return m, err
	}
	now := s.now()
	m = models.GroupMembership{UserID: u.ID, GroupID: n.GroupID, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	hasDefault, err := memberships.Groups.HasDefaultTx(tx, by.AccountID, u.ID)
	if err != nil {
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
	if n.Default || !hasDefault {
		if err := s.makeDefaultTx(tx, &m); err != nil {
			return m, err
		}
		u.DefaultGroupID, u.UpdatedAt = &m.GroupID, now
	}
	return m, memberships.Groups.RecordTx(tx, s.by(by), "created", m.GroupID, u)
}

// makeDefaultTx makes m the default membership of its user, who is locked.
func (s *Service) makeDefaultTx(tx *gorm.DB, m *models.GroupMembership) error {
	m.Default, m.UpdatedAt = true, s.now()
	return memberships.Groups.MakeDefaultTx(tx, m.AccountID, m.UserID, m.ID, m.GroupID, m.UpdatedAt)
}

// Leave ends a membership, of this user unless user is 0. When it was the
// default, the user's oldest other one becomes it. The user's tickets of the
// group that are not solved lose their assignee by and by. Admins may. It fails
// with fault.NotFound, and with fault.Invalid for the only membership of an agent:
// he needs one as long as he is an agent. (The deletion of a group ends it all the
// same, for to put him into another would show him its tickets.)
func (s *Service) Leave(ctx context.Context, by auth.Actor, user, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		m, err := membershipTx(tx, user, id)
		if err != nil {
			return err
		}
		u, err := memberships.LockUserTx(tx, m.UserID)
		if err != nil {
			return err
		}
		if _, err := membershipTx(tx, user, id); err != nil { // another one was faster
			return err
		}
		var others int64
		if err := tx.Model(&models.GroupMembership{}).Where("user_id = ? AND id <> ?", u.ID, id).Count(&others).Error; err != nil {
			return err
		}
		if others == 0 && u.Active && u.Staff() {
			return fault.Base(fault.CodeInvalid, "Agents must belong to at least one group")
		}
		if err := memberships.Groups.EndTx(tx, s.by(by), m.GroupID, []int64{m.UserID}); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(tx, Left{by.AccountID, m.GroupID, m.UserID})
	})
	s.auth.Forget(ctx, by.AccountID)
	return err
}

// membersTx locks the members of a group, and then the group itself. Who joins
// in between is locked in another try: users come before groups.
func membersTx(tx *gorm.DB, account, id int64) (g models.Group, users []int64, err error) {
	for {
		err = tx.Transaction(func(tx *gorm.DB) error {
			if users, err = memberships.Groups.LockMembersTx(tx, account, id, 0); err != nil {
				return err
			}
			if g, err = lockTx(tx, id, "UPDATE"); err != nil {
				return err
			}
			var n int
			err := tx.Raw("SELECT count(*) FROM group_memberships WHERE account_id = ? AND group_id = ? AND user_id <> ALL(?::bigint[])",
				account, id, models.IDs(users)).Row().Scan(&n)
			if err == nil && n > 0 {
				return errJoined
			}
			return err
		})
		if !errors.Is(err, errJoined) {
			return g, users, err
		}
	}
}

// errJoined undoes a try of membersTx.
var errJoined = errors.New("somebody has joined")

// MakeDefault makes a membership the default of its user and returns all of
// the user's. Admins may, and an agent his own.
func (s *Service) MakeDefault(ctx context.Context, by auth.Actor, user, id int64) ([]models.GroupMembership, error) {
	if !by.Admin() && (!by.Staff() || by.ID() != user) {
		return nil, fault.Denied()
	}
	var all []models.GroupMembership
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := memberships.LockUserTx(tx, user); err != nil {
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
