// Package rulebook keeps what accounts have set up as rules: triggers with their
// categories, automations, views and macros. The four are one table and one
// mechanism; what a kind has of its own is in kinds.go. What conditions and
// actions mean is in package rules, and running them is nobody's business here.
package rulebook

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// Limits.
const (
	maxTitle       = 255    // characters
	maxDescription = 65_535 // characters
	maxPosition    = 1_000_000_000
	maxSize        = 65 << 10 // bytes of the conditions and actions of a rule

	MaxTriggers    = 7_000 // active ones of an account
	MaxAutomations = 500   // active ones of an account
	// MaxMany is how many rules one call may name.
	MaxMany = 100
)

// Service keeps the rules of all accounts.
type Service struct {
	db  *gorm.DB
	now func() time.Time

	active accounts.Remembered[[]models.Rule] // triggers, see Triggers
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service {
	return &Service{db: db, now: now}
}

// Get is a rule of a kind. It fails with fault.NotFound, also for what by may not
// see.
func (s *Service) Get(ctx context.Context, by auth.Actor, kind string, id int64) (models.Rule, error) {
	r, err := get(s.db.WithContext(ctx), kind, id)
	if err == nil && !maySee(by, r) {
		return models.Rule{}, fault.Missing(kind, id)
	}
	return r, err
}

func get(tx *gorm.DB, kind string, id int64) (models.Rule, error) {
	var r models.Rule
	err := tx.Take(&r, "kind = ? AND id = ?", kind, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return r, fault.Missing(kind, id)
	}
	return r, err
}

// Create makes a rule of a kind. It fails with fault.Invalid naming the member.
func (s *Service) Create(ctx context.Context, by auth.Actor, kind string, c Change) (models.Rule, error) {
	now := s.now()
	r := models.Rule{
		Kind: kind, Active: true, Position: LastPosition, Conditions: noConditions, Actions: noActions,
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	if c.Title == nil {
		c.Title = new(string)
	}
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if err := s.applyTx(tx, by, &r, c); err != nil {
			return err
		}
		return tx.Create(&r).Error
	})
	return r, err
}

// Update changes a rule of a kind. It fails with fault.NotFound, or with
// fault.Invalid naming the member.
func (s *Service) Update(ctx context.Context, by auth.Actor, kind string, id int64, c Change) (models.Rule, error) {
	var r models.Rule
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if r, err = get(tx, kind, id); err != nil {
			return err
		}
		if err := s.applyTx(tx, by, &r, c); err != nil {
			return err
		}
		return tx.Select("*").Updates(&r).Error // Select, because Updates would skip what was cleared
	})
	return r, err
}

// Delete removes a rule of a kind. It fails with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, kind string, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		r, err := get(tx, kind, id)
		if err != nil {
			return err
		}
		return tx.Delete(&r).Error
	})
}

// Triggers are the active triggers of the account in the order in which they
// run, as they were at accounts.config_version. Those that were read last are
// remembered; nobody may write to them. As fields.Service.Config, it must not be
// called in a transaction that has moved the version itself.
func (s *Service) Triggers(tx *gorm.DB, account, version int64) ([]models.Rule, error) {
	return s.active.At(account, version, func() (list []models.Rule, err error) {
		err = tx.Where("kind = '" + models.RuleTrigger + "' AND active").Order("category_position, position, title, id").Find(&list).Error
		return list, err
	})
}
