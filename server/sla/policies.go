// Package sla keeps what accounts promise for their tickets: SLA policies with
// their targets. And it is the clock that tells how tickets stand with them.
package sla

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// Limits. All policies of an account are kept in memory.
const (
	MaxPolicies    = 500
	maxTitle       = 255    // characters
	maxDescription = 10_000 // characters
	maxFilter      = 65_536 // bytes
)

// Service keeps the SLA policies of all accounts.
type Service struct {
	db       *gorm.DB
	fields   *fields.Service
	now      func() time.Time
	policies accounts.Remembered[[]*Policy]
}

// New makes the service.
func New(db *gorm.DB, f *fields.Service, now func() time.Time) *Service {
	return &Service{db: db, fields: f, now: now}
}

// Change is what a caller asks of a policy. What is nil or unspecified is left
// alone.
type Change struct {
	Title       *string
	Description nullable.Nullable[string]
	Position    *int64 // of a new policy the last one unless told otherwise
	Filter      *rules.Conditions
	Promises    []PromiseChange // all of them; nil leaves, empty clears
	// Settings are members of Settings as JSON: those that are absent are left
	// alone, null is the usual ones.
	Settings json.RawMessage
}

// List is all policies in the order in which tickets are held against them.
func (s *Service) List(ctx context.Context, by auth.Actor) ([]models.SLAPolicy, error) {
	list := []models.SLAPolicy{}
	return list, s.db.WithContext(ctx).Order("position, id").Find(&list).Error
}

// Get is a policy. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (models.SLAPolicy, error) {
	return get(s.db.WithContext(ctx), id)
}

func get(tx *gorm.DB, id int64) (models.SLAPolicy, error) {
	return postgres.One[models.SLAPolicy](tx, "SLA policy", id)
}

// Create makes a policy. It fails with fault.Invalid naming the field.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.SLAPolicy, error) {
	p := models.SLAPolicy{
		PolicyMetrics: models.JSON("[]"), MetricSettings: models.ToJSON(usual()), Stamps: models.Stamps{CreatedAt: s.now()},
	}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return p, err
	}
	err = accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		var others struct{ Count, Last int64 }
		if err := tx.Model(&p).Select("count(*) AS count, coalesce(max(position), 0) AS last").Scan(&others).Error; err != nil {
			return err
		}
		if others.Count >= MaxPolicies {
			return fault.Base(fault.CodeInvalid, "SLA policy: there are %d already", MaxPolicies)
		}
		p.Position = int(min(others.Last+1, positions.Most))
		if err := s.applyTx(tx, &p, c, config); err != nil {
			return err
		}
		return tx.Create(&p).Error
	})
	return p, err
}

// Update changes a policy. Tickets that it was applied to follow with their next
// update. It fails with fault.NotFound, or with fault.Invalid naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.SLAPolicy, error) {
	var p models.SLAPolicy
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return p, err
	}
	err = accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if p, err = get(tx, id); err != nil {
			return err
		}
		if err := s.applyTx(tx, &p, c, config); err != nil {
			return err
		}
		return tx.Select("title", "description", "position", "filter", "policy_metrics", "metric_settings", "updated_at").Updates(&p).Error
	})
	return p, err
}

// Delete removes a policy. Tickets that it was applied to keep its targets until
// their next update. It fails with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		gone := tx.Delete(&models.SLAPolicy{}, "id = ?", id)
		if gone.Error == nil && gone.RowsAffected == 0 {
			return fault.Missing("SLA policy", id)
		}
		return gone.Error
	})
}

// Reorder puts the policies with these ids first, in this order, and returns
// all of them. It fails with fault.Invalid for an id of no policy.
func (s *Service) Reorder(ctx context.Context, by auth.Actor, ids []int64) ([]models.SLAPolicy, error) {
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		var order []int64
		if err := tx.Model(&models.SLAPolicy{}).Order("position, id").Pluck("id", &order).Error; err != nil {
			return err
		}
		policies := positions.Kind{Table: "sla_policies", Name: "SLA policy", Field: "sla_policy_ids", From: 1}
		return policies.ReorderTx(tx, by.AccountID, order, ids, s.now())
	})
	if err != nil {
		return nil, err
	}
	return s.List(ctx, by)
}

func (s *Service) applyTx(tx *gorm.DB, p *models.SLAPolicy, c Change, config *fields.Config) error {
	var errs []error
	if c.Title != nil {
		p.Title = strings.TrimSpace(*c.Title)
	}
	switch {
	case p.Title == "":
		errs = append(errs, fault.Blank("title"))
	case utf8.RuneCountInString(p.Title) > maxTitle:
		errs = append(errs, fault.TooLong("title", maxTitle))
	}
	if c.Description.IsSpecified() {
		p.Description = nil
		if text, err := c.Description.Get(); err == nil {
			p.Description = &text
			if utf8.RuneCountInString(text) > maxDescription {
				errs = append(errs, fault.TooLong("description", maxDescription))
			}
		}
	}
	if c.Position != nil {
		p.Position = int(*c.Position)
		errs = append(errs, positions.Check(*c.Position))
	}
	errs = append(errs, c.applyFilterTx(tx, p, config), c.applyPromises(p), c.applySettings(p))
	p.UpdatedAt = s.now()
	return fault.Join(errs...)
}

// applyFilterTx takes a filter that all of the vocabulary holds for. What is sent
// back as it was is not checked again: a policy for a record that is gone can
// still be renamed.
func (c Change) applyFilterTx(tx *gorm.DB, p *models.SLAPolicy, config *fields.Config) error {
	if c.Filter == nil {
		if p.Filter == nil {
			return fault.Blank("filter")
		}
		return nil
	}
	filter := models.ToJSON(c.Filter)
	if bytes.Equal(filter, p.Filter) {
		return nil
	}
	if p.Filter = filter; len(filter) > maxFilter {
		return fault.InvalidField("filter", "is too long (maximum is %d bytes)", maxFilter)
	}
	refs, err := rules.Check(*c.Filter, rules.SLAPolicies, rules.Env{Config: config})
	if err != nil {
		return err
	}
	return rulebook.Missing(tx, config.Account.ID, refs)
}
