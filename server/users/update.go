package users

import (
	"context"
	"errors"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

func isDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// Update changes a user and returns it as saved. An end user may change the own
// profile only: name, phone number, language and time zone; the rest of c is
// left out. It fails with fault.NotFound, with fault.Forbidden, or with
// fault.Invalid naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.User, error) {
	if err := maySee(by, id); err != nil {
		return models.User{}, err
	}
	var u models.User
	var forget bool
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		u, forget, err = s.updateTx(tx, by, id, c)
		return err
	})
	if err == nil && forget {
		s.auth.Forget(ctx, by.AccountID)
	}
	return u, err
}

// updateTx also tells whether the user's sign-ins are to be forgotten.
func (s *Service) updateTx(tx *gorm.DB, by auth.Actor, id int64, c Change) (models.User, bool, error) {
	before, err := lockTx(tx, id)
	if err != nil {
		return before, false, err
	}
	if !by.Staff() {
		c = c.ownProfile(before)
	}
	u := subject{User: before}
	if err := apply(&u.User, c); err != nil {
		return before, false, err
	}
	if err := mayWrite(by, before, u.User, c); err != nil {
		return before, false, err
	}
	if err := c.Photo.SetTx(tx, &u.PhotoID, &u.Photo); err != nil {
		return before, false, err
	}
	if err := s.fieldsTx(tx, &u, by, c); err != nil {
		return before, false, err
	}
	u.UpdatedAt = s.stamp()
	if c.Password != nil {
		u.PasswordHash = new(auth.HashPassword(*c.Password))
		if err := tx.Where("user_id = ?", id).Delete(&models.Session{}).Error; err != nil {
			return before, false, err
		}
	}
	if err := s.moveTx(tx, before, &u, c); err != nil {
		return before, false, err
	}
	if err := s.addIdentitiesTx(tx, &u, c); err != nil {
		return before, false, err
	}
	if err := phoneTx(tx, &u, before.Phone, c); err != nil {
		return before, false, err
	}
	if err := verifyTx(tx, &u, c); err != nil {
		return before, false, err
	}
	// Select("*") because Updates would skip what was cleared.
	err = tx.Model(&models.User{}).Where("id = ?", id).Select("*").Omit("account_id", "id", "created_at").Updates(&u.User).Error
	if isDuplicate(err) {
		return before, false, taken("external_id", value(u.ExternalID))
	}
	if err != nil {
		return before, false, err
	}
	u.noteChanges(before)
	forget := rightsChanged(before, u.User) || value(before.OrganizationID) != value(u.OrganizationID) ||
		value(before.DefaultGroupID) != value(u.DefaultGroupID) || c.Password != nil
	return u.User, forget, s.recordTx(tx, by, &u)
}

// ownProfile is the part of a change that an end user may make. A number is
// shown, but is none to be known by: see AddIdentity.
func (c Change) ownProfile(u models.User) Change {
	own := Change{Name: c.Name, TimeZone: c.TimeZone, Locale: c.Locale, LocaleID: c.LocaleID, RemotePhotoURL: c.RemotePhotoURL, Photo: c.Photo}
	if c.Phone.IsSpecified() && text(c.Phone) != value(u.Phone) {
		own.Phone, own.SharedPhoneNumber = c.Phone, nullable.NewNullableWithValue(true)
	}
	return own
}

// moveTx keeps organizations and groups in step with what was asked and with
// the role.
func (s *Service) moveTx(tx *gorm.DB, before models.User, u *subject, c Change) error {
	named, err := organizationOf(tx, c)
	if err != nil {
		return err
	}
	if err := s.setOrganizationTx(tx, u, named); err != nil {
		return err
	}
	if err := s.joinOrganizationsTx(tx, u, c.OrganizationIDs); err != nil {
		return err
	}
	if u.Staff() {
		if before.Staff() && u.OnlyPrivateComments && !before.OnlyPrivateComments {
			if err := s.loseTicketsTx(tx, u); err != nil {
				return err
			}
		}
		return s.joinGroupTx(tx, u, c.DefaultGroupID)
	}
	if before.Staff() {
		return s.demoteTx(tx, u)
	}
	return nil
}

// verifyTx carries the flag over to the primary address, whose state it is.
func verifyTx(tx *gorm.DB, u *subject, c Change) error {
	if c.Verified == nil || *c.Verified == u.Verified {
		return nil
	}
	u.Verified = *c.Verified
	return tx.Model(&models.UserIdentity{}).Where(`user_id = ? AND type = 'email' AND "primary"`, u.ID).
		Updates(map[string]any{"verified": u.Verified, "updated_at": u.UpdatedAt}).Error
}

// credentials are what a user who is gone cannot use any more.
var credentials = []any{&models.OAuthToken{}, &models.Session{}, &models.OrganizationSubscription{}, &models.ContentSubscription{}}

// dropTx removes the credentials of users, whom nobody follows any more, and other rows
// of theirs.
func dropTx(tx *gorm.DB, ids models.IDs, others ...any) error {
	for _, rows := range append(others, credentials...) {
		if err := tx.Where("user_id = ANY(?::bigint[])", ids).Delete(rows).Error; err != nil {
			return err
		}
	}
	return tx.Where("follower_id = ANY(?::bigint[]) OR followed_id = ANY(?::bigint[])", ids, ids).Delete(&models.UserSubscription{}).Error
}

// Delete deletes a user and returns it, no longer active. The record stays, for
// the tickets that name it; addresses are free for others, memberships and
// access tokens are gone. It fails with fault.NotFound, with fault.Forbidden,
// and with fault.Invalid for the requester of tickets that are not closed.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) (models.User, error) {
	if !by.Staff() {
		return models.User{}, fault.Denied()
	}
	var u models.User
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		u, err = s.deleteTx(tx, by, id)
		return err
	})
	if err == nil {
		s.auth.Forget(ctx, by.AccountID)
	}
	return u, err
}

func (s *Service) deleteTx(tx *gorm.DB, by auth.Actor, id int64) (models.User, error) {
	before, err := lockTx(tx, id)
	u := subject{User: before}
	if err != nil {
		return before, err
	}
	if u.Staff() && !by.Admin() {
		return before, fault.Denied()
	}
	if u.ID == by.ID() {
		return before, fault.Base(fault.CodeInvalid, "User: you cannot delete yourself")
	}
	n, err := openTickets(tx, by.AccountID, id)
	if err != nil {
		return before, err
	}
	if n > 0 {
		return before, fault.Base(fault.CodeInvalid, "User: is requester on %d tickets that are not closed.", n)
	}
	if u.Staff() {
		if err := s.demoteTx(tx, &u); err != nil {
			return before, err
		}
	}
	if err := dropTx(tx, models.IDs{id}, &models.UserIdentity{}, &models.OrganizationMembership{}); err != nil {
		return before, err
	}
	now := s.stamp()
	u.Active, u.UpdatedAt, u.DeletedAt, u.PasswordHash = false, now, &now, nil
	err = tx.Model(&models.User{}).Where("id = ?", id).
		Select("active", "updated_at", "deleted_at", "password_hash", "default_group_id").Updates(&u.User).Error
	if err != nil {
		return before, err
	}
	u.noteChanges(before)
	u.note("deleted", struct{}{})
	return u.User, s.recordTx(tx, by, &u)
}
