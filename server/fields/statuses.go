package fields

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// maxLabel is the length of a status's label, in characters.
const maxLabel = 48

var categories = []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved}

// StatusFilter chooses among custom statuses. Nil is any.
type StatusFilter struct {
	Categories []string
	Active     *bool
	Default    *bool
}

// Statuses are the custom statuses by category and then by id.
func (s *Service) Statuses(ctx context.Context, by auth.Actor, filter StatusFilter) ([]models.CustomStatus, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	list := make([]models.CustomStatus, 0, len(c.Statuses))
	for _, category := range categories {
		for _, st := range c.Statuses {
			switch {
			case st.StatusCategory != category:
			case filter.Categories != nil && !slices.Contains(filter.Categories, category):
			case filter.Active != nil && st.Active != *filter.Active:
			case filter.Default != nil && st.Default != *filter.Default:
			default:
				list = append(list, st)
			}
		}
	}
	return list, nil
}

// GetStatus is a custom status. It fails with fault.NotFound.
func (s *Service) GetStatus(ctx context.Context, by auth.Actor, id int64) (models.CustomStatus, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return models.CustomStatus{}, err
	}
	st, ok := c.Status(id)
	if !ok {
		return st, fault.Missing("custom status", id)
	}
	return st, nil
}

// StatusChange is what a caller asks of a custom status. What is nil or
// unspecified is left alone.
type StatusChange struct {
	Category           *string // heeded when a status is made, ignored later
	AgentLabel         *string
	EndUserLabel       *string
	Description        nullable.Nullable[string]
	EndUserDescription nullable.Nullable[string]
	Active             *bool
}

// CreateStatus makes a custom status. It fails with fault.Invalid.
func (s *Service) CreateStatus(ctx context.Context, by auth.Actor, c StatusChange) (models.CustomStatus, error) {
	now := s.now()
	st := models.CustomStatus{Active: true, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	set(&st.StatusCategory, c.Category)
	err := c.apply(&st)
	if st.StatusCategory == "" {
		err = fault.Join(err, fault.Blank("status_category"))
	} else if !slices.Contains(categories, st.StatusCategory) {
		err = fault.Join(err, fault.InvalidField("status_category", "%s is not one of %s", st.StatusCategory, strings.Join(categories, ", ")))
	}
	if err != nil {
		return st, err
	}
	err = accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error { return tx.Create(&st).Error })
	return st, err
}

// UpdateStatus changes a custom status; its category stays what it is. It fails
// with fault.NotFound, or with fault.Invalid, also when a default is to be
// deactivated.
func (s *Service) UpdateStatus(ctx context.Context, by auth.Actor, id int64, c StatusChange) (models.CustomStatus, error) {
	var st models.CustomStatus
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		err := tx.Take(&st, "id = ?", id).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return fault.Missing("custom status", id)
		}
		if err != nil {
			return err
		}
		if err := c.apply(&st); err != nil {
			return err
		}
		if st.Default && !st.Active {
			return fault.InvalidField("active", "the default status of a category cannot be deactivated")
		}
		st.UpdatedAt = s.now()
		return tx.Select("*").Updates(&st).Error
	})
	return st, err
}

func (c StatusChange) apply(st *models.CustomStatus) error {
	if c.AgentLabel != nil {
		st.AgentLabel = strings.TrimSpace(*c.AgentLabel)
	}
	if c.EndUserLabel != nil {
		st.EndUserLabel = strings.TrimSpace(*c.EndUserLabel)
	}
	if st.EndUserLabel == "" {
		st.EndUserLabel = st.AgentLabel
	}
	setNullable(&st.Description, c.Description)
	setNullable(&st.EndUserDescription, c.EndUserDescription)
	set(&st.Active, c.Active)
	var blank error
	if st.AgentLabel == "" {
		blank = fault.Blank("agent_label")
	}
	return fault.Join(blank, within("agent_label", st.AgentLabel, maxLabel), within("end_user_label", st.EndUserLabel, maxLabel),
		within("description", deref(st.Description), maxDescription), within("end_user_description", deref(st.EndUserDescription), maxDescription))
}

// SetDefaultStatuses makes each status the one that its category stands for; a
// category without one among ids keeps what it has. It fails with
// fault.Invalid for an id that is no active status, or two of one category.
func (s *Service) SetDefaultStatuses(ctx context.Context, by auth.Actor, ids []int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		var chosen []models.CustomStatus
		if err := tx.Where("id = ANY(?) AND active", models.IDs(ids)).Find(&chosen).Error; err != nil {
			return err
		}
		var named []string
		for _, st := range chosen {
			if slices.Contains(named, st.StatusCategory) {
				return fault.InvalidField("ids", "only one status can be the default of %s", st.StatusCategory)
			}
			named = append(named, st.StatusCategory)
		}
		for _, id := range ids {
			if !slices.ContainsFunc(chosen, func(st models.CustomStatus) bool { return st.ID == id }) {
				return fault.InvalidField("ids", "%d is not an active custom status", id)
			}
		}
		// Twice, because a category never has two defaults, even within a statement.
		err := tx.Model(&models.CustomStatus{}).Where(`status_category = ANY(?) AND "default" AND NOT id = ANY(?)`, models.Strings(named), models.IDs(ids)).
			Updates(map[string]any{"default": false, "updated_at": s.now()}).Error
		if err != nil {
			return err
		}
		return tx.Model(&models.CustomStatus{}).Where(`id = ANY(?) AND NOT "default"`, models.IDs(ids)).
			Updates(map[string]any{"default": true, "updated_at": s.now()}).Error
	})
}
