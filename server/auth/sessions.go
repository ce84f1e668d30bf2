package auth

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// sessionLife is how long a session goes on without its user: eight hours, the
// usual length of a signed-in day.
const sessionLife = 8 * time.Hour

// seen returns the session of a user whose password was right just now: the one
// that goes on, or else a new one. It writes once a minute and user at most,
// since passwords that were right are remembered for so long.
func (s *Service) seen(ctx context.Context, account, user int64) (int64, error) {
	now := s.now()
	db := s.db.WithContext(postgres.WithAccount(ctx, account))
	id, err := goOn(db, account, user, now)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	err = db.Transaction(func(tx *gorm.DB) error {
		// The user first, as whoever changes him does: events have his order.
		var u models.User
		if err := tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Take(&u, "id = ?", user).Error; err != nil {
			return err
		}
		// Whoever had the lock before may have begun one.
		if id, err = goOn(tx, account, user, now); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		row := models.Session{UserID: user, AuthenticatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(sessionLife)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := tx.Model(&models.User{}).Where("id = ?", user).Update("last_login_at", now).Error; err != nil {
			return err
		}
		id = row.ID
		return events.AppendTx(tx, events.By{AccountID: account, ActorID: user, At: now}, "user", user, lastLoginChanged(u, now))
	})
	return id, err
}

// goOn has the session of a user go on that has not ended, and returns its id. It
// fails with sql.ErrNoRows if there is none.
func goOn(db *gorm.DB, account, user int64, now time.Time) (id int64, err error) {
	err = db.Raw(`UPDATE sessions SET last_seen_at = greatest(last_seen_at, ?), expires_at = greatest(expires_at, ?)
		WHERE account_id = ? AND id = (SELECT id FROM sessions
			WHERE account_id = ? AND user_id = ? AND expires_at > ? ORDER BY id DESC LIMIT 1)
		RETURNING id`, now, now.Add(sessionLife), account, account, user, now).Row().Scan(&id)
	return id, err
}

// lastLoginChanged is the event of a user who has just signed in.
func lastLoginChanged(u models.User, now time.Time) events.Event {
	changed := events.Changed{Current: events.Time(now), Previous: ""}
	if u.LastLoginAt != nil {
		changed.Previous = events.Time(*u.LastLoginAt)
	}
	return events.Event{Type: "user.last_login_changed", Detail: events.UserDetail(u), Change: changed}
}

// maySeeSessions lets admins look after everybody's sessions, and everyone
// after their own.
func maySeeSessions(by Actor, user int64) error {
	if by.Anonymous() || !by.Admin() && by.ID() != user {
		return fault.Missing("user", user)
	}
	return nil
}

// Sessions is a page of the sessions that have not ended, by id: those of one
// user, or of all that by may see if user is 0. It fails with fault.NotFound.
func (s *Service) Sessions(ctx context.Context, by Actor, user int64, r page.Request) (page.Result[models.Session], error) {
	q := page.Query{
		Select: "id, user_id, authenticated_at, last_seen_at, expires_at", From: "sessions",
		Where: "account_id = ? AND expires_at > ?", Args: []any{by.AccountID, s.now()},
		Order: page.By("id", page.Column{Expr: "id", Kind: page.Int}),
	}
	if user == 0 && !by.Admin() {
		user = by.ID()
	}
	if user != 0 {
		if err := s.ofUser(ctx, by, user); err != nil {
			return page.Result[models.Session]{}, err
		}
		q.Where += " AND user_id = ?"
		q.Args = append(q.Args, user)
	}
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (models.Session, error) {
		v := models.Session{Tenant: models.Tenant{AccountID: by.AccountID}}
		err := rows.Scan(append([]any{&v.ID, &v.UserID, &v.AuthenticatedAt, &v.LastSeenAt, &v.ExpiresAt}, order...)...)
		return v, err
	})
}

// ofUser fails unless there is such a user, whose sessions by may see.
func (s *Service) ofUser(ctx context.Context, by Actor, user int64) error {
	if err := maySeeSessions(by, user); err != nil {
		return err
	}
	var n int64
	err := s.db.WithContext(ctx).Model(&models.User{}).Where("id = ?", user).Count(&n).Error
	if err == nil && n == 0 {
		return fault.Missing("user", user)
	}
	return err
}

// Session is a session of a user that has not ended. It fails with
// fault.NotFound.
func (s *Service) Session(ctx context.Context, by Actor, user, id int64) (models.Session, error) {
	var v models.Session
	if err := maySeeSessions(by, user); err != nil {
		return v, err
	}
	err := s.db.WithContext(ctx).Take(&v, "id = ? AND user_id = ? AND expires_at > ?", id, user, s.now()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return v, fault.Missing("session", id)
	}
	return v, err
}

// EndSessions ends a user's sessions: one, or all if id is 0. A password that
// comes again begins another one. It fails with fault.NotFound.
func (s *Service) EndSessions(ctx context.Context, by Actor, user, id int64) error {
	if err := s.ofUser(ctx, by, user); err != nil {
		return err
	}
	db := s.db.WithContext(ctx).Where("user_id = ?", user)
	if id != 0 {
		db = db.Where("id = ?", id)
	}
	gone := db.Delete(&models.Session{})
	if gone.Error == nil && id != 0 && gone.RowsAffected == 0 {
		return fault.Missing("session", id)
	}
	s.ForgetPasswords(ctx, by.AccountID, user)
	return gone.Error
}

// LogOut ends all sessions of the users named. Admins may. Unknown ids are
// passed over.
func (s *Service) LogOut(ctx context.Context, by Actor, ids []int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	err := s.db.WithContext(ctx).Where("user_id = ANY(?::bigint[])", models.IDs(ids)).Delete(&models.Session{}).Error
	s.ForgetPasswords(ctx, by.AccountID, ids...)
	return err
}

// ForgetPasswords has the passwords of users computed again when they come
// next, after the transaction that ctx carries.
func (s *Service) ForgetPasswords(ctx context.Context, account int64, users ...int64) {
	gone := make(map[int64]bool, len(users))
	for _, id := range users {
		gone[id] = true
	}
	postgres.AfterCommit(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for key, p := range s.right {
			if p.account == account && gone[p.user] {
				delete(s.right, key)
			}
		}
	})
}

// PruneSessions removes the sessions that have ended.
func (s *Service) PruneSessions(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec("DELETE FROM sessions WHERE expires_at < ?", s.now()).Error
}
