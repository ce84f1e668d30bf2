// Package rulebook keeps what accounts have set up as rules: triggers with their
// categories, automations, views and macros. The four are one table and one
// mechanism; what a kind has of its own is in kinds.go. What conditions and
// actions mean is in package rules, and running them is nobody's business here.
package rulebook

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rules"
)

// Limits.
const (
	maxTitle       = 255      // characters
	maxDescription = 65_535   // characters
	maxSize        = 65 << 10 // bytes of the conditions and actions of a rule

	MaxTriggers    = 7_000 // active ones of an account
	MaxAutomations = 500   // active ones of an account
	// MaxMany is how many rules one call may name by their ids.
	MaxMany = 100
	// maxPlaces is how many rules one call may put in another place: all that run.
	maxPlaces = MaxTriggers
)

// Service keeps the rules of all accounts.
type Service struct {
	db     *gorm.DB
	now    func() time.Time
	fields *fields.Service
	files  *attachments.Service

	active accounts.Remembered[[]models.Rule] // triggers, see Triggers
}

// New makes the service.
func New(db *gorm.DB, config *fields.Service, files *attachments.Service, now func() time.Time) *Service {
	return &Service{db: db, now: now, fields: config, files: files}
}

// Get is a rule of a kind. It fails with fault.NotFound, also for what by may not
// see.
func (s *Service) Get(ctx context.Context, by auth.Actor, kind string, id int64) (models.Rule, error) {
	var r models.Rule
	err := s.db.WithContext(ctx).Take(&r, "kind = ? AND id = ?", kind, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !maySee(by, r) {
		return models.Rule{}, fault.Missing(kind, id)
	}
	return r, err
}

// Many are the rules of a kind with these ids, by id. Unknown ones are left out.
// It fails with fault.TooMany beyond MaxMany.
func (s *Service) Many(ctx context.Context, by auth.Actor, kind string, ids []int64) ([]models.Rule, error) {
	if len(ids) > MaxMany {
		return nil, fault.Exceeds(MaxMany)
	}
	return ManyTx(s.db.WithContext(ctx), by, kind, ids)
}

// ManyTx is Service.Many in a transaction, of any number.
func ManyTx(tx *gorm.DB, by auth.Actor, kind string, ids []int64) ([]models.Rule, error) {
	var list []models.Rule
	err := tx.Where("kind = ? AND id = ANY(?)", kind, models.IDs(ids)).Order("id").Find(&list).Error
	return slices.DeleteFunc(list, func(r models.Rule) bool { return !maySee(by, r) }), err
}

// Create makes a rule of a kind. It fails with fault.Invalid naming the member,
// and with fault.Forbidden for one that by may not share.
func (s *Service) Create(ctx context.Context, by auth.Actor, kind string, c Change) (models.Rule, error) {
	if c.Title == nil {
		c.Title = new(string)
	}
	now := s.now()
	return s.saveOne(ctx, by, draft{fresh: true, change: c, after: models.Rule{
		Kind: kind, Active: true, Position: LastPosition, Conditions: noConditions, Actions: noActions,
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}})
}

// Update changes a rule of a kind. It fails with fault.NotFound, with
// fault.Forbidden, or with fault.Invalid naming the member.
func (s *Service) Update(ctx context.Context, by auth.Actor, kind string, id int64, c Change) (models.Rule, error) {
	return s.saveOne(ctx, by, draft{change: c, after: models.Rule{Kind: kind, Tenant: models.Tenant{ID: id}}})
}

// Delete removes rules of a kind: all of them or none. It fails with
// fault.NotFound, fault.Forbidden, fault.TooMany beyond MaxMany, or
// fault.BadRequest for no ids.
func (s *Service) Delete(ctx context.Context, by auth.Actor, kind string, ids ...int64) error {
	if err := someOf(kind, len(ids), MaxMany); err != nil {
		return err
	}
	return s.change(ctx, by, kind, func(tx *gorm.DB) error {
		if _, err := ownTx(tx, by, kind, ids); err != nil {
			return err
		}
		if err := tx.Delete(&models.Rule{}, "kind = ? AND id = ANY(?)", kind, models.IDs(ids)).Error; err != nil || !kinds[kind].files {
			return err
		}
		return s.files.DropOfMacrosTx(tx, ids)
	})
}

// someOf refuses calls about no rules, or about more than most.
func someOf(kind string, n, most int) error {
	switch {
	case n == 0:
		return fault.New(fault.BadRequest, "No %s is named", kind)
	case n > most:
		return fault.Exceeds(most)
	}
	return nil
}

// change runs a change of rules of a kind in a transaction. Changes of triggers
// and automations take turns and have the account's set-up read anew. Macros and
// views, which all agents have of their own, are locked by themselves: no save of
// a ticket keeps them in memory.
func (s *Service) change(ctx context.Context, by auth.Actor, kind string, change func(tx *gorm.DB) error) error {
	if kinds[kind].personal {
		return s.db.WithContext(ctx).Transaction(change)
	}
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, change)
}

// ownTx reads rules that the actor is going to change, and locks them. It fails
// with fault.NotFound or fault.Forbidden.
func ownTx(tx *gorm.DB, by auth.Actor, kind string, ids []int64) (map[int64]models.Rule, error) {
	var list []models.Rule
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("kind = ? AND id = ANY(?)", kind, models.IDs(ids)).Order("id").Find(&list).Error
	if err != nil {
		return nil, err
	}
	found := make(map[int64]models.Rule, len(list))
	for _, r := range list {
		if maySee(by, r) {
			found[r.ID] = r
		}
	}
	for _, id := range ids {
		switch r, ok := found[id]; {
		case !ok:
			return nil, fault.Missing(kind, id)
		case !MayChange(by, r):
			return nil, fault.Denied()
		}
	}
	return found, nil
}

// asTheyRun is the order in which triggers run.
const asTheyRun = "category_position, category_id, position, title, id"

// Triggers are the active triggers of the account in the order in which they
// run, as they were at accounts.config_version. Those that were read last are
// remembered; nobody may write to them. As fields.Service.Config, it must not be
// called in a transaction that has moved the version itself.
func (s *Service) Triggers(tx *gorm.DB, account, version int64) ([]models.Rule, error) {
	return s.active.At(account, version, func() (list []models.Rule, err error) {
		err = tx.Where("kind = '" + models.RuleTrigger + "' AND active").Order(asTheyRun).Find(&list).Error
		return list, err
	})
}

// Automations are the active automations of the account in the order in which
// they run, ready.
func Automations(tx *gorm.DB, config *fields.Config) ([]*rules.Rule, error) {
	var list []models.Rule
	if err := tx.Where("kind = '" + models.RuleAutomation + "' AND active").Order("position, title, id").Find(&list).Error; err != nil {
		return nil, err
	}
	return Compile(tx, config.Account.ID, config, rules.Automations, list)
}
