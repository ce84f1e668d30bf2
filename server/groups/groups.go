// Package groups keeps teams of agents and who is a member of them.
package groups

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/memberships"
)

// maxName is how long a group's name may be, in characters.
const maxName = 255

// Service keeps the groups of all accounts.
type Service struct {
	db   *gorm.DB
	auth *auth.Service
	jobs *jobs.Service
	now  func() time.Time
}

// New makes the service. The queue must know what to do with a Left.
func New(db *gorm.DB, auth *auth.Service, queue *jobs.Service, now func() time.Time) *Service {
	return &Service{db: db, auth: auth, jobs: queue, now: now}
}

// Change is what a caller asks of a group. Nil fields are left alone.
type Change struct {
	Name        *string
	Description nullable.Nullable[string] // null is empty
	IsPublic    *bool                     // a private group cannot be made public
}

// Create makes a group, public unless c says otherwise. Admins may. It fails
// with fault.Invalid for a blank name, and for a taken one where the account
// wants names to be unique.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Group, error) {
	now := s.now()
	g := models.Group{IsPublic: true, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	if !by.Admin() {
		return g, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := fields.BumpTx(tx, by.AccountID); err != nil {
			return err
		}
		apply(&g, c)
		if err := s.checkTx(tx, by, g); err != nil {
			return err
		}
		if err := tx.Create(&g).Error; err != nil {
			return err
		}
		return s.recordTx(tx, by, g, events.Event{Type: "group.created"})
	})
	return g, err
}

// Update changes a group. Admins may. It fails with fault.NotFound, also for a
// deleted group, or with fault.Invalid.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.Group, error) {
	var g models.Group
	if !by.Admin() {
		return g, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if err = fields.BumpTx(tx, by.AccountID); err != nil {
			return err
		}
		if g, err = lockTx(tx, id, "UPDATE"); err != nil {
			return err
		}
		before := g
		apply(&g, c)
		if g == before {
			return nil
		}
		if g.IsPublic && !before.IsPublic {
			return fault.InvalidField("is_public", "cannot be changed from private to public")
		}
		if g.Name != before.Name {
			if err := s.checkTx(tx, by, g); err != nil {
				return err
			}
		}
		g.UpdatedAt = s.now()
		if err := tx.Select("name", "description", "is_public", "updated_at").Updates(&g).Error; err != nil {
			return err
		}
		return s.recordTx(tx, by, g, changes(before, g)...)
	})
	return g, err
}

// Delete marks a group as deleted and ends its memberships; each member's
// oldest other membership becomes his default if this was it. Its tickets that
// are not closed lose it by and by. Admins may. It fails with fault.NotFound,
// or with fault.Invalid for the default group.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := fields.BumpTx(tx, by.AccountID); err != nil {
			return err
		}
		g, users, err := membersTx(tx, by.AccountID, id)
		if err != nil {
			return err
		}
		if g.Default {
			return fault.Base(fault.CodeInvalid, "The default group cannot be deleted")
		}
		if err := memberships.Groups.EndTx(tx, s.by(by), id, users); err != nil {
			return err
		}
		g.Deleted, g.UpdatedAt = true, s.now()
		if err := tx.Select("deleted", "updated_at").Updates(&g).Error; err != nil {
			return err
		}
		if err := s.recordTx(tx, by, g, events.Event{Type: "group.deleted"}); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(tx, Left{AccountID: by.AccountID, GroupID: id})
	})
	s.auth.Forget(ctx, by.AccountID)
	return err
}

// Left is the job that follows a group's deletion, or an agent's leaving it: to
// take tickets that are not closed away from those who are gone. (Tickets are
// saved by package tickets, which this one must not know.)
type Left struct {
	AccountID int64 `json:"account_id"`
	GroupID   int64 `json:"group_id"`
	UserID    int64 `json:"user_id"` // 0: the group was deleted
}

// Kind names the job in the queue.
func (Left) Kind() string { return "group_left" }

// lockTx reads a group that is not deleted and holds it to the end of tx.
func lockTx(tx *gorm.DB, id int64, strength string) (models.Group, error) {
	var g models.Group
	err := tx.Clauses(clause.Locking{Strength: strength}).Take(&g, "id = ? AND NOT deleted", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return g, fault.Missing("group", id)
	}
	return g, err
}

func apply(g *models.Group, c Change) {
	if c.Name != nil {
		g.Name = strings.TrimSpace(*c.Name)
	}
	if c.Description.IsSpecified() {
		g.Description, _ = c.Description.Get() // null is empty
	}
	if c.IsPublic != nil {
		g.IsPublic = *c.IsPublic
	}
}

// checkTx runs behind fields.BumpTx, whose lock makes changes of the account's
// groups take turns: no second group gets the name in between.
func (s *Service) checkTx(tx *gorm.DB, by auth.Actor, g models.Group) error {
	if g.Name == "" {
		return fault.Blank("name")
	}
	if utf8.RuneCountInString(g.Name) > maxName {
		return fault.TooLong("name", maxName)
	}
	var account models.Account
	if err := tx.Select("settings").Take(&account, "id = ?", by.AccountID).Error; err != nil {
		return err
	}
	settings, err := accounts.ReadSettings(account.Settings)
	if err != nil || !settings.Groups.UniqueNames {
		return err
	}
	var n int64
	err = tx.Model(&g).Where("lower(name) = lower(?) AND NOT deleted AND id <> ?", g.Name, g.ID).Count(&n).Error
	if err == nil && n > 0 {
		return fault.Duplicate("name", "%s has already been taken", g.Name)
	}
	return err
}
