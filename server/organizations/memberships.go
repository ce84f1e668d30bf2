package organizations

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
	"github.com/helpd/helpd/server/memberships"
	"github.com/helpd/helpd/server/page"
)

// Membership is a membership with the name of its organization.
type Membership struct {
	models.OrganizationMembership
	OrganizationName string
}

// Of selects memberships; a zero is any.
type Of struct {
	UserID         int64
	OrganizationID int64
}

const membershipColumns = `m.account_id, m.id, m.user_id, m.organization_id, m."default", m.view_tickets, m.created_at, m.updated_at, o.name`

func scanMembership(rows *sql.Rows, order ...any) (Membership, error) {
	var m Membership
	err := rows.Scan(append([]any{&m.AccountID, &m.ID, &m.UserID, &m.OrganizationID, &m.Default, &m.ViewTickets,
		&m.CreatedAt, &m.UpdatedAt, &m.OrganizationName}, order...)...)
	return m, err
}

var (
	membershipsByID = page.By("id", page.Column{Expr: "m.id", Kind: page.Int})
	// Of one user: the default, then by the organization's name.
	membershipsOfUser = page.By("-default,name,id",
		page.Column{Expr: `(CASE WHEN m."default" THEN 0 ELSE 1 END)`, Kind: page.Int},
		page.Column{Expr: "o.name", Kind: page.Text}, page.Column{Expr: "m.id", Kind: page.Int})
)

func membershipQuery(by auth.Actor, cond string, args ...any) page.Query {
	seen, seenArgs := scope(by)
	if !by.Staff() {
		seen, seenArgs = "m.user_id = ?", []any{by.ID()}
	}
	return page.Query{
		Select: membershipColumns, Order: membershipsByID,
		From:  "organization_memberships AS m JOIN organizations AS o ON o.account_id = m.account_id AND o.id = m.organization_id",
		Where: "m.account_id = ? AND o.deleted_at IS NULL AND " + cond + " AND " + seen,
		Args:  append(append([]any{by.AccountID}, args...), seenArgs...),
	}
}

// Memberships lists memberships by id; those of one user with the default
// first, then by the organization's name. End users see their own.
func (s *Service) Memberships(ctx context.Context, by auth.Actor, of Of, r page.Request) (page.Result[Membership], error) {
	var none page.Result[Membership]
	switch {
	case by.Anonymous():
		return none, fault.Denied()
	case of.UserID != 0:
		if err := s.mayReadUser(ctx, by, of.UserID); err != nil {
			return none, err
		}
		q := membershipQuery(by, "m.user_id = ?", of.UserID)
		q.Order = membershipsOfUser
		return page.List(ctx, s.db, q, r, scanMembership)
	case of.OrganizationID != 0:
		if _, err := s.Show(ctx, by, of.OrganizationID); err != nil {
			return none, err
		}
		return page.List(ctx, s.db, membershipQuery(by, "m.organization_id = ?", of.OrganizationID), r, scanMembership)
	}
	return page.List(ctx, s.db, membershipQuery(by, "TRUE"), r, scanMembership)
}

// Membership returns a membership, of this user unless user is 0. It fails
// with fault.NotFound.
func (s *Service) Membership(ctx context.Context, by auth.Actor, user, id int64) (Membership, error) {
	if by.Anonymous() {
		return Membership{}, fault.Denied()
	}
	return s.membership(ctx, s.db, by, user, id)
}

func (s *Service) membership(ctx context.Context, db *gorm.DB, by auth.Actor, user, id int64) (Membership, error) {
	q := membershipQuery(by, "m.id = ? AND (?::bigint = 0 OR m.user_id = ?)", id, user, user)
	found, err := readMemberships(ctx, db, q)
	if err == nil && len(found) == 0 {
		err = fault.Missing("organization membership", id)
	}
	if err != nil {
		return Membership{}, err
	}
	return found[0], nil
}

func readMemberships(ctx context.Context, db *gorm.DB, q page.Query) ([]Membership, error) {
	text := "SELECT " + q.Select + " FROM " + q.From + " WHERE " + q.Where + " ORDER BY "
	for i, c := range q.Order.Columns {
		if i > 0 {
			text += ", "
		}
		text += c.Expr
	}
	rows, err := db.WithContext(ctx).Raw(text, q.Args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Membership
	for rows.Next() {
		m, err := scanMembership(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// NewMembership is what a caller asks for. A user's first membership becomes
// his default, whether asked or not.
type NewMembership struct {
	UserID         int64
	OrganizationID int64
	Default        bool
	ViewTickets    bool
}

// Join makes a user, this one unless user is 0, a member of an organization.
// Admins may for everyone, agents for end users: an agent could otherwise widen
// what he may see. It fails with fault.NotFound if there is no such user, and
// with fault.Invalid for an unknown user or organization in n, or a membership
// that there is already.
func (s *Service) Join(ctx context.Context, by auth.Actor, user int64, n NewMembership) (Membership, error) {
	var out Membership
	if !by.Staff() {
		return out, fault.Denied()
	}
	if user != 0 {
		if err := s.mayReadUser(ctx, by, user); err != nil {
			return out, err
		}
		n.UserID = user
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		out, err = s.joinTx(tx, by, n)
		return err
	})
	s.auth.Forget(ctx, by.AccountID)
	return out, err
}

func (s *Service) joinTx(tx *gorm.DB, by auth.Actor, n NewMembership) (Membership, error) {
	if n.UserID == 0 {
		return Membership{}, fault.Blank("user_id")
	}
	if n.OrganizationID == 0 {
		return Membership{}, fault.Blank("organization_id")
	}
	u, err := s.memberTx(tx, by, n.UserID)
	if fault.Is(err, fault.NotFound) || err == nil && !u.Active {
		return Membership{}, fault.InvalidField("user_id", "%d is not a user", n.UserID)
	}
	if err != nil {
		return Membership{}, err
	}
	o, err := organizationOfTx(tx, by, n.OrganizationID)
	if err != nil {
		return Membership{}, err
	}
	now := s.now()
	m := models.OrganizationMembership{
		UserID: u.ID, OrganizationID: o.ID, ViewTickets: n.ViewTickets,
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	hasDefault, err := memberships.Organizations.HasDefaultTx(tx, by.AccountID, u.ID)
	if err != nil {
		return Membership{}, err
	}
	err = tx.Create(&m).Error
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return Membership{}, fault.Duplicate("user_id", "is already a member of this organization")
	}
	if err != nil {
		return Membership{}, err
	}
	if n.Default || !hasDefault {
		if err := s.makeDefaultTx(tx, &m); err != nil {
			return Membership{}, err
		}
		u.OrganizationID, u.UpdatedAt = &o.ID, now
	}
	return Membership{m, o.Name}, memberships.Organizations.RecordTx(tx, s.by(by), "created", o.ID, u)
}

// organizationOfTx reads the organization that a membership is to be in and
// keeps it from being deleted until then.
func organizationOfTx(tx *gorm.DB, by auth.Actor, id int64) (models.Organization, error) {
	var o models.Organization
	cond, args := scope(by)
	err := tx.Clauses(clause.Locking{Strength: "SHARE"}).Table("organizations AS o").
		Where("o.id = ? AND o.deleted_at IS NULL", id).Where(cond, args...).Take(&o).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return o, fault.InvalidField("organization_id", "%d is not an organization", id)
	}
	return o, err
}

// memberTx reads and locks the user of a membership that by wants to change.
func (s *Service) memberTx(tx *gorm.DB, by auth.Actor, id int64) (models.User, error) {
	u, err := memberships.LockUserTx(tx, id)
	if err == nil && !by.Admin() && u.Staff() {
		return u, fault.Denied()
	}
	return u, err
}

// makeDefaultTx makes m the default membership of its user, who is locked.
func (s *Service) makeDefaultTx(tx *gorm.DB, m *models.OrganizationMembership) error {
	m.Default, m.UpdatedAt = true, s.now()
	return memberships.Organizations.MakeDefaultTx(tx, m.AccountID, m.UserID, m.ID, m.OrganizationID, m.UpdatedAt)
}

// MakeDefault makes a membership the default of its user and returns all of
// the user's. Staff may, and a user his own.
func (s *Service) MakeDefault(ctx context.Context, by auth.Actor, user, id int64) ([]Membership, error) {
	var out []Membership
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := s.chooseTx(tx, by, user, id); err != nil {
			return err
		}
		q := membershipQuery(by, "m.user_id = ?", user)
		q.Order = membershipsOfUser
		var err error
		out, err = readMemberships(ctx, tx, q)
		return err
	})
	s.auth.Forget(ctx, by.AccountID)
	return out, err
}

// MakeOrganizationDefault makes the user's membership of an organization his
// default, and returns it.
func (s *Service) MakeOrganizationDefault(ctx context.Context, by auth.Actor, user, organization int64) (Membership, error) {
	var out Membership
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		id, err := membershipIn(tx, user, organization)
		if err != nil {
			return err
		}
		if err := s.chooseTx(tx, by, user, id); err != nil {
			return err
		}
		out, err = s.membership(ctx, tx, by, user, id)
		return err
	})
	s.auth.Forget(ctx, by.AccountID)
	return out, err
}

func (s *Service) chooseTx(tx *gorm.DB, by auth.Actor, user, id int64) error {
	if by.Anonymous() || !by.Staff() && by.ID() != user {
		return fault.Denied()
	}
	if _, err := s.membership(tx.Statement.Context, tx, by, user, id); err != nil {
		return err
	}
	if by.ID() != user {
		if _, err := s.memberTx(tx, by, user); err != nil {
			return err
		}
	} else if _, err := memberships.LockUserTx(tx, user); err != nil {
		return err
	}
	var m models.OrganizationMembership
	err := tx.Take(&m, "id = ? AND user_id = ?", id, user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing("organization membership", id)
	}
	if err != nil || m.Default {
		return err
	}
	return s.makeDefaultTx(tx, &m)
}
