// Package users keeps the people of an account, the addresses by which they are
// known, and where they belong.
package users

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
)

// Service keeps users and their identities.
type Service struct {
	db   *gorm.DB
	auth *auth.Service
	jobs *jobs.Service // nil until Register

	fields *fields.Service

	followed bool // whether Follow was called
	now      func() time.Time
}

// New makes the service. a is told to forget sign-ins whenever the rights of a
// user have changed; f knows the fields that users have.
func New(db *gorm.DB, a *auth.Service, f *fields.Service, now func() time.Time) *Service {
	return &Service{db: db, auth: a, fields: f, now: now}
}

// Get is a user, also one that was deleted, but not for good. It fails with
// fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (models.User, error) {
	if err := maySee(by, id); err != nil {
		return models.User{}, err
	}
	u, err := take(s.db.WithContext(ctx), id)
	if err == nil && u.PermanentlyDeleted {
		return models.User{}, fault.Missing("user", id)
	}
	return u, err
}

// maySee is about what an end user may: to see nobody but themselves.
func maySee(by auth.Actor, id int64) error {
	if !by.Staff() && (by.Anonymous() || by.ID() != id) {
		return fault.Missing("user", id)
	}
	return nil
}

// Visible is the condition of the active users u that by may see: all of them,
// but to an end user himself alone.
func Visible(by auth.Actor) (string, []any) {
	if by.Staff() {
		return "u.active", nil
	}
	return "u.active AND u.id = ?", []any{by.ID()}
}

func take(db *gorm.DB, id int64) (models.User, error) {
	var u models.User
	err := db.Take(&u, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return u, fault.Missing("user", id)
	}
	return u, err
}

// lockTx reads an active user for a change. The lock makes changes of one user
// take turns: each sees the identities and memberships the other left.
func lockTx(tx *gorm.DB, id int64) (models.User, error) {
	u, err := take(tx.Clauses(clause.Locking{Strength: "UPDATE"}), id)
	if err == nil && !u.Active {
		return u, fault.Missing("user", id)
	}
	return u, err
}

// ByIDs are the users with these ids, deleted ones too, in the order of their
// ids; unknown ids are left out. Other areas add users to their answers by it.
func (s *Service) ByIDs(ctx context.Context, account int64, ids []int64) ([]models.User, error) {
	if len(ids) == 0 {
		return []models.User{}, nil
	}
	return s.read(ctx, account, "u.account_id = ? AND u.id = ANY(?::bigint[]) ORDER BY u.id", account, models.IDs(ids))
}

// MaxMany is how many users one call may name.
const MaxMany = 100

// Many are users by ids, deleted ones too, or active ones by external ids. It
// fails with fault.TooMany beyond MaxMany.
func (s *Service) Many(ctx context.Context, by auth.Actor, ids []int64, externalIDs []string) ([]models.User, error) {
	if !by.Staff() {
		return nil, fault.Denied()
	}
	if len(ids) > MaxMany || len(externalIDs) > MaxMany {
		return nil, fault.Exceeds(MaxMany)
	}
	if len(ids) > 0 || len(externalIDs) == 0 {
		return s.ByIDs(ctx, by.AccountID, ids)
	}
	folded := make(models.Strings, len(externalIDs))
	for i, id := range externalIDs {
		folded[i] = strings.ToLower(id)
	}
	return s.read(ctx, by.AccountID, "u.account_id = ? AND u.active AND lower(u.external_id) = ANY(?::text[]) ORDER BY u.id",
		by.AccountID, folded)
}

func (s *Service) read(ctx context.Context, account int64, where string, args ...any) ([]models.User, error) {
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+columns+" FROM users u WHERE "+where, args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []models.User{}
	for rows.Next() {
		u, err := scanOf(account)(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// columns of a user in every list: all but the password's hash.
const columns = `u.id, u.name, u.email, u.role, u.role_type, u.custom_role_id, u.active, u.suspended, u.verified, u.shared,
	u.moderator, u.only_private_comments, u.ticket_restriction, u.external_id, u.phone, u.shared_phone_number, u.alias,
	u.details, u.notes, u.signature, u.time_zone, u.locale, u.tags, u.user_fields, u.organization_id, u.default_group_id,
	u.photo_id, u.photo, u.remote_photo_url, u.last_login_at, u.created_at, u.updated_at, u.deleted_at, u.merged_into_id, u.permanently_deleted`

// scanOf reads one row of columns, and of an order's columns behind them.
func scanOf(account int64) func(rows *sql.Rows, order ...any) (models.User, error) {
	return func(rows *sql.Rows, order ...any) (models.User, error) {
		u := models.User{Tenant: models.Tenant{AccountID: account}}
		dest := []any{
			&u.ID, &u.Name, &u.Email, &u.Role, &u.RoleType, &u.CustomRoleID, &u.Active, &u.Suspended, &u.Verified, &u.Shared,
			&u.Moderator, &u.OnlyPrivateComments, &u.TicketRestriction, &u.ExternalID, &u.Phone, &u.SharedPhoneNumber, &u.Alias,
			&u.Details, &u.Notes, &u.Signature, &u.TimeZone, &u.Locale, &u.Tags, &u.UserFields, &u.OrganizationID, &u.DefaultGroupID,
			&u.PhotoID, &u.Photo, &u.RemotePhotoURL, &u.LastLoginAt, &u.CreatedAt, &u.UpdatedAt, &u.DeletedAt, &u.MergedIntoID, &u.PermanentlyDeleted,
		}
		err := rows.Scan(append(dest, order...)...)
		return u, err
	}
}

// stamp is the time of a change, as precise as the database keeps it.
func (s *Service) stamp() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
