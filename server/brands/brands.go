// Package brands keeps the brands of accounts: by which hosts each is reached, and
// whether it has a help center. They are read with the rest of an account's set-up
// (package fields).
package brands

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Max is how many brands an account may have. All are kept in memory.
const Max = 300

// Service keeps the brands of all accounts.
type Service struct {
	db    *gorm.DB
	auth  *auth.Service
	files *attachments.Service
	now   func() time.Time
	look  func(ctx context.Context, host string) (string, error)
}

// New makes the service. files keeps logos; look finds the canonical name of a host, as
// net.Resolver.LookupCNAME does.
func New(db *gorm.DB, a *auth.Service, files *attachments.Service, now func() time.Time, look func(ctx context.Context, host string) (string, error)) *Service {
	return &Service{db: db, auth: a, files: files, now: now, look: look}
}

// Create makes a brand, which is active and has no help center unless c says so. It
// fails with fault.Invalid naming the field.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Brand, error) {
	now := s.now()
	b := models.Brand{
		Active: true, HelpCenterState: models.HelpCenterDisabled, SignatureTemplate: accounts.Signature, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	err := s.change(ctx, by, &b, func(tx *gorm.DB) error {
		var n int64
		if err := tx.Model(&models.Brand{}).Where("NOT is_deleted").Count(&n).Error; err != nil {
			return err
		}
		if n >= Max {
			return fault.Base(fault.CodeInvalid, "Brand: there are %d already", n)
		}
		if err := fault.Join(c.applyTx(tx, by, &b), c.applyLogoTx(tx, by, s.files, &b)); err != nil {
			return err
		}
		return tx.Create(&b).Error
	})
	return b, err
}

// Update changes a brand. The default one stays active, and is the default until
// another one is. It fails with fault.NotFound, also for a deleted brand, or with
// fault.Invalid naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.Brand, error) {
	var b models.Brand
	err := s.change(ctx, by, &b, func(tx *gorm.DB) (err error) {
		if b, err = oneTx(tx, id); err != nil {
			return err
		}
		b.UpdatedAt = s.now()
		if err := fault.Join(c.applyTx(tx, by, &b), c.applyLogoTx(tx, by, s.files, &b)); err != nil {
			return err
		}
		return tx.Select("*").Updates(&b).Error
	})
	return b, err
}

// Delete removes a brand from all lists. Its tickets and articles keep it, and its
// subdomain may be another brand's. It fails with fault.NotFound, or with
// fault.Invalid for the default brand.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	var b models.Brand
	return s.change(ctx, by, &b, func(tx *gorm.DB) (err error) {
		if b, err = oneTx(tx, id); err != nil {
			return err
		}
		if b.Default {
			return fault.Base(fault.CodeInvalid, "The default brand cannot be deleted")
		}
		b.IsDeleted, b.Active, b.UpdatedAt = true, false, s.now()
		return tx.Select("is_deleted", "active", "updated_at").Updates(&b).Error
	})
}

// change runs a change of the brand b, and has everybody know of it.
func (s *Service) change(ctx context.Context, by auth.Actor, b *models.Brand, f func(tx *gorm.DB) error) error {
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, f)
	switch {
	case err == nil:
		s.auth.ForgetHosts(ctx)
	case errors.Is(err, gorm.ErrDuplicatedKey): // taken while we looked
		err = fault.Duplicate("subdomain", "%s or the host mapping has just been taken", b.Subdomain)
	}
	return err
}

func oneTx(tx *gorm.DB, id int64) (models.Brand, error) {
	return postgres.One[models.Brand](tx.Where("NOT is_deleted"), "brand", id)
}
