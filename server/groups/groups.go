// Package groups keeps teams of agents.
package groups

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// Service keeps groups and their memberships.
type Service struct {
	db  *gorm.DB
	now func() time.Time
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service { return &Service{db, now} }

// Change is what a caller asks of a group. Nil fields are left alone.
type Change struct {
	Name        *string
	Description nullable.Nullable[string] // null is empty
	IsPublic    *bool
}

// byName is the order of groups in every list.
var byName = page.By("name,id", page.Column{Expr: "name", Kind: page.Text}, page.Column{Expr: "id", Kind: page.Int})

// List is a page of the account's groups by name, without the deleted ones.
func (s *Service) List(ctx context.Context, by auth.Actor, p page.Request) (page.Result[models.Group], error) {
	return page.List(ctx, s.db, page.Query{
		Select: "id, name, description, is_public, \"default\", deleted, created_at, updated_at",
		From:   "groups", Where: "account_id = ? AND NOT deleted", Args: []any{by.AccountID}, Order: byName,
	}, p, func(rows *sql.Rows, order ...any) (models.Group, error) {
		g := models.Group{Tenant: models.Tenant{AccountID: by.AccountID}}
		dest := []any{&g.ID, &g.Name, &g.Description, &g.IsPublic, &g.Default, &g.Deleted, &g.CreatedAt, &g.UpdatedAt}
		return g, rows.Scan(append(dest, order...)...)
	})
}

// Get is a group, also one that was deleted. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (models.Group, error) {
	var g models.Group
	err := s.db.WithContext(ctx).Take(&g, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return g, fault.Missing("group", id)
	}
	return g, err
}

// Create makes a group. It fails with fault.Invalid for a blank name.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Group, error) {
	now := s.now()
	g := models.Group{IsPublic: true, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	if err := apply(&g, c); err != nil {
		return g, err
	}
	return g, s.db.WithContext(ctx).Create(&g).Error
}

// Count is the number of groups that are not deleted, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor) (int, time.Time, error) {
	return page.Count(ctx, s.db, "groups", "account_id = ? AND NOT deleted", []any{by.AccountID})
}

// Update changes a group. It fails with fault.NotFound or fault.Invalid.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.Group, error) {
	var g models.Group
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lockTx(tx, id, &g); err != nil {
			return err
		}
		if err := apply(&g, c); err != nil {
			return err
		}
		g.UpdatedAt = s.now()
		return tx.Select("name", "description", "is_public", "updated_at").Updates(&g).Error
	})
	return g, err
}

// Delete marks a group as deleted and ends its memberships. It fails with
// fault.NotFound, or with fault.Invalid for the default group.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var g models.Group
		if err := lockTx(tx, id, &g); err != nil {
			return err
		}
		if g.Default {
			return fault.Base(fault.CodeInvalid, "The default group cannot be deleted")
		}
		g.Deleted, g.UpdatedAt = true, s.now()
		if err := tx.Select("deleted", "updated_at").Updates(&g).Error; err != nil {
			return err
		}
		return tx.Delete(&models.GroupMembership{}, "group_id = ?", id).Error
	})
}

// lockTx reads a group that is not deleted, and holds it to the end of tx.
func lockTx(tx *gorm.DB, id int64, g *models.Group) error {
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(g, "id = ? AND NOT deleted", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing("group", id)
	}
	return err
}

func apply(g *models.Group, c Change) error {
	if c.Name != nil {
		g.Name = strings.TrimSpace(*c.Name)
	}
	if c.Description.IsSpecified() {
		g.Description = ""
		if !c.Description.IsNull() {
			g.Description = c.Description.MustGet()
		}
	}
	if c.IsPublic != nil {
		g.IsPublic = *c.IsPublic
	}
	if g.Name == "" {
		return fault.Blank("name")
	}
	return nil
}
