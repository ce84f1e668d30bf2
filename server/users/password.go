package users

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// PasswordRequirements is what checkPassword holds a password to, for people.
func PasswordRequirements() []string {
	return []string{
		fmt.Sprintf("must be at least %d characters", minPassword),
		fmt.Sprintf("must be at most %d characters", maxText),
		"must be different from email address",
	}
}

func checkPassword(u *models.User, password string) error {
	if utf8.RuneCountInString(password) < minPassword {
		return tooShort("password", minPassword)
	}
	if u.Email != nil && strings.EqualFold(password, *u.Email) {
		return fault.InvalidField("password", "must be different from email address")
	}
	return limit("password", password, maxText)
}

// SetPassword gives a user a password, and ends the user's sessions. Admins may
// for everybody. It fails with fault.NotFound and with fault.Invalid.
func (s *Service) SetPassword(ctx context.Context, by auth.Actor, id int64, password string) error {
	if !by.Admin() {
		return fault.Denied()
	}
	_, err := s.Update(ctx, by, id, Change{Password: &password})
	return err
}

// ChangePassword gives the caller, who has proved the old one, another
// password, and ends the caller's sessions. It fails with fault.Invalid.
func (s *Service) ChangePassword(ctx context.Context, by auth.Actor, password string) error {
	// The right to one's own password is not one to one's own record.
	_, err := s.Update(ctx, auth.System(by.AccountID), by.ID(), Change{Password: &password})
	return err
}

// AskForUser has the admins told that an agent wants another user to be made,
// who may be named. The event is what a message to them is made from.
func (s *Service) AskForUser(ctx context.Context, by auth.Actor, name, email string) error {
	if !by.Staff() {
		return fault.Denied()
	}
	if err := fault.Join(limit("name", name, maxText), limit("email", email, maxText)); err != nil {
		return err
	}
	return events.AppendTx(s.db.WithContext(ctx), events.By{AccountID: by.AccountID, ActorID: by.ID(), At: s.stamp()}, "user", by.ID(),
		events.Event{Type: "user.creation_requested", Detail: events.UserDetail(by.User), Change: map[string]string{"name": name, "email": email}})
}
