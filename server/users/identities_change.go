package users

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// editIdentities runs change on a locked user whose identities by may change,
// and stores what follows for the user's own row.
func (s *Service) editIdentities(ctx context.Context, by auth.Actor, user int64, change func(tx *gorm.DB, u *subject) error) error {
	if err := maySee(by, user); err != nil {
		return err
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		before, err := lockTx(tx, user)
		if err != nil {
			return err
		}
		if err := mayWrite(by, before, before, Change{}); err != nil {
			return err
		}
		u := subject{User: before}
		u.UpdatedAt = s.stamp()
		if err := change(tx, &u); err != nil {
			return err
		}
		err = tx.Model(&models.User{}).Where("id = ?", u.ID).
			Select("email", "phone", "shared_phone_number", "verified", "organization_id", "updated_at").Updates(&u.User).Error
		if err != nil {
			return err
		}
		return s.recordTx(tx, by, &u)
	})
}

// AddIdentity adds an identity to a user. Only staff may: what is written from
// an address, or signed in with it, belongs to who has it, so that nobody can
// be let claim one without proof. It fails with fault.Invalid for a value that
// is malformed or somebody's already.
func (s *Service) AddIdentity(ctx context.Context, by auth.Actor, user int64, n NewIdentity) (models.UserIdentity, error) {
	if err := mayAddress(by, user); err != nil {
		return models.UserIdentity{}, err
	}
	i, err := n.row()
	if err != nil {
		return i, err
	}
	makePrimary := i.Primary
	i.Primary = false
	err = s.editIdentities(ctx, by, user, func(tx *gorm.DB, u *subject) error {
		i.UserID, i.Stamps = u.ID, models.Stamps{CreatedAt: u.UpdatedAt, UpdatedAt: u.UpdatedAt}
		if err := create(tx, &i, "value", i.Value); err != nil {
			return err
		}
		u.note("identity_created", identityRef{identityOf(i)})
		if makePrimary || i.Type == models.IdentityEmail && u.Email == nil {
			if err := makePrimaryTx(tx, u, &i); err != nil {
				return err
			}
		}
		return s.verifiedTx(tx, u, i)
	})
	return i, err
}

// mayAddress tells whether by may add and change addresses of a user.
func mayAddress(by auth.Actor, user int64) error {
	if err := maySee(by, user); err != nil {
		return err
	}
	if !by.Staff() {
		return fault.Denied()
	}
	return nil
}

// verifiedTx notes on the user what a verified identity says: that somebody is
// there, and where they belong.
func (s *Service) verifiedTx(tx *gorm.DB, u *subject, i models.UserIdentity) error {
	if !i.Verified {
		return nil
	}
	u.Verified = true
	if u.Role != models.RoleEndUser {
		return nil
	}
	return s.mapDomainTx(tx, u, []models.UserIdentity{i})
}

// makePrimaryTx makes i the first of the user's identities of its type.
func makePrimaryTx(tx *gorm.DB, u *subject, i *models.UserIdentity) error {
	err := tx.Model(&models.UserIdentity{}).Where(`user_id = ? AND type = ? AND "primary" AND id <> ?`, u.ID, i.Type, i.ID).
		Updates(map[string]any{"primary": false, "updated_at": u.UpdatedAt}).Error
	if err != nil {
		return err
	}
	before := identityOf(*i)
	i.Primary = true
	switch i.Type {
	case models.IdentityEmail:
		u.Email = new(i.Value)
	case models.IdentityPhone:
		u.Phone, u.SharedPhoneNumber = new(i.Value), new(false)
	}
	return saveIdentity(tx, u, i, before)
}

func saveIdentity(tx *gorm.DB, u *subject, i *models.UserIdentity, before identityDetail) error {
	i.UpdatedAt = u.UpdatedAt
	err := tx.Transaction(func(tx *gorm.DB) error {
		return tx.Model(&models.UserIdentity{}).Where("id = ?", i.ID).
			Select("value", "verified", "primary", "updated_at").Updates(i).Error
	})
	if isDuplicate(err) {
		return taken("value", i.Value)
	}
	if now := identityOf(*i); now != before {
		u.note("identity_changed", events.Changed{Current: now, Previous: before})
	}
	return err
}

// IdentityChange is what a caller asks of an identity. Nil fields are left
// alone.
type IdentityChange struct {
	Value    *string
	Verified *bool
}

// UpdateIdentity changes an identity. It fails as AddIdentity does.
func (s *Service) UpdateIdentity(ctx context.Context, by auth.Actor, user, id int64, c IdentityChange) (models.UserIdentity, error) {
	var i models.UserIdentity
	if err := mayAddress(by, user); err != nil {
		return i, err
	}
	err := s.editIdentities(ctx, by, user, func(tx *gorm.DB, u *subject) (err error) {
		if i, err = identity(tx, user, id); err != nil {
			return err
		}
		before := identityOf(i)
		if c.Value != nil {
			if i.Value, err = cleanIdentity(i.Type, *c.Value); err != nil {
				return err
			}
		}
		if c.Verified != nil {
			i.Verified = *c.Verified
		}
		if i.Type == models.IdentityEmail && i.Primary {
			u.Email = new(i.Value)
		}
		if number, ok := cleanPhone(value(u.Phone)); i.Type == models.IdentityPhone && ok && number == before.Value {
			u.Phone = new(i.Value)
		}
		if err := saveIdentity(tx, u, &i, before); err != nil {
			return err
		}
		return s.verifiedTx(tx, u, i)
	})
	return i, err
}

// VerifyIdentity notes that an identity has been verified. Only staff may.
func (s *Service) VerifyIdentity(ctx context.Context, by auth.Actor, user, id int64) (models.UserIdentity, error) {
	return s.UpdateIdentity(ctx, by, user, id, IdentityChange{Verified: new(true)})
}

// RequestVerification notes that an e-mail address is to be verified by whoever
// holds it. The event is what a message to the address is made from. It fails
// with fault.Invalid for an identity that cannot be written to, or is verified.
func (s *Service) RequestVerification(ctx context.Context, by auth.Actor, user, id int64) error {
	return s.editIdentities(ctx, by, user, func(tx *gorm.DB, u *subject) error {
		i, err := identity(tx, user, id)
		if err != nil {
			return err
		}
		if i.Type != models.IdentityEmail {
			return fault.InvalidField("type", "%s cannot be verified by a message", i.Type)
		}
		if i.Verified {
			return fault.Base(fault.CodeInvalid, "Identity: is verified already")
		}
		u.note("identity_verification_requested", identityRef{identityOf(i)})
		return nil
	})
}

// MakePrimary makes an identity the first of its type: the address or number
// that the user shows. It returns all identities of the user. An end user may
// do so with a verified one only.
func (s *Service) MakePrimary(ctx context.Context, by auth.Actor, user, id int64) ([]models.UserIdentity, error) {
	var all []models.UserIdentity
	err := s.editIdentities(ctx, by, user, func(tx *gorm.DB, u *subject) error {
		i, err := identity(tx, user, id)
		if err != nil {
			return err
		}
		if !by.Staff() && !i.Verified {
			return fault.Base(fault.CodeInvalid, "Identity: must be verified before it can be primary")
		}
		if err := makePrimaryTx(tx, u, &i); err != nil {
			return err
		}
		all, err = identitiesOf(tx, user)
		return err
	})
	return all, err
}

// DeleteIdentity takes an identity from a user. When the primary address goes,
// the oldest other one takes its place; the last address stays (fault.Invalid).
func (s *Service) DeleteIdentity(ctx context.Context, by auth.Actor, user, id int64) error {
	return s.editIdentities(ctx, by, user, func(tx *gorm.DB, u *subject) error {
		i, err := identity(tx, user, id)
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", id).Delete(&models.UserIdentity{}).Error; err != nil {
			return err
		}
		u.note("identity_deleted", identityRef{identityOf(i)})
		if number, ok := cleanPhone(value(u.Phone)); i.Type == models.IdentityPhone && ok && number == i.Value {
			u.Phone, u.SharedPhoneNumber = nil, nil
		}
		if i.Type != models.IdentityEmail || !i.Primary {
			return nil
		}
		rest, err := identitiesOf(tx, user)
		if err != nil {
			return err
		}
		next := slices.IndexFunc(rest, func(r models.UserIdentity) bool { return r.Type == models.IdentityEmail })
		if next < 0 {
			return fault.Base(fault.CodeInvalid, "Identity: the only e-mail address of a user cannot be deleted")
		}
		return makePrimaryTx(tx, u, &rest[next])
	})
}
