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
	"github.com/helpd/helpd/server/positions"
)

// FormChange is what a caller asks of a ticket form. What is nil or unspecified
// is left alone.
type FormChange struct {
	Name               *string
	DisplayName        nullable.Nullable[string] // null is the name
	Position           *int64
	Active             *bool
	EndUserVisible     *bool
	Default            *bool
	TicketFieldIDs     []int64
	InAllBrands        *bool
	RestrictedBrandIDs []int64
	AgentConditions    []Condition
	EndUserConditions  []Condition
}

// CreateForm makes a ticket form. The fields that every form has come first
// where the list does not name them. It fails with fault.Invalid.
func (s *Service) CreateForm(ctx context.Context, by auth.Actor, c FormChange) (models.TicketForm, error) {
	now := s.now()
	f := models.TicketForm{
		Position: LastPosition, Active: true, InAllBrands: true, AgentConditions: models.JSON("[]"), EndUserConditions: models.JSON("[]"),
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	if c.TicketFieldIDs == nil {
		c.TicketFieldIDs = []int64{}
	}
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if err := s.applyFormTx(tx, by, &f, c); err != nil {
			return err
		}
		return tx.Create(&f).Error
	})
	return f, err
}

// UpdateForm changes a ticket form. It fails with fault.NotFound, or with
// fault.Invalid, also when the default form is to be deactivated or to be the
// default no more.
func (s *Service) UpdateForm(ctx context.Context, by auth.Actor, id int64, c FormChange) (models.TicketForm, error) {
	var f models.TicketForm
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if err := formTx(tx, id, &f); err != nil {
			return err
		}
		if err := s.applyFormTx(tx, by, &f, c); err != nil {
			return err
		}
		f.UpdatedAt = s.now()
		return tx.Select("*").Updates(&f).Error
	})
	return f, err
}

// DeleteForm removes a ticket form. Tickets that have it are treated as having
// the default form. It fails with fault.NotFound, or with fault.Invalid for the
// default form.
func (s *Service) DeleteForm(ctx context.Context, by auth.Actor, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		var f models.TicketForm
		if err := formTx(tx, id, &f); err != nil {
			return err
		}
		if f.Default {
			return fault.Base(fault.CodeInvalid, "The default ticket form cannot be deleted")
		}
		return tx.Delete(&f).Error
	})
}

// CloneForm makes a form like another one, which is not the default. With
// prepend its name begins with "Clone of". It fails with fault.NotFound.
func (s *Service) CloneForm(ctx context.Context, by auth.Actor, id int64, prepend bool) (models.TicketForm, error) {
	var f models.TicketForm
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if err := formTx(tx, id, &f); err != nil {
			return err
		}
		now := s.now()
		f.ID, f.Default, f.Stamps = 0, false, models.Stamps{CreatedAt: now, UpdatedAt: now}
		if prepend {
			f.Name = cut("Clone of "+f.Name, maxTitle)
		}
		return tx.Create(&f).Error
	})
	return f, err
}

// ReorderForms puts the forms with these ids first, in this order, and returns
// all forms. It fails with fault.Invalid for an id of no form.
func (s *Service) ReorderForms(ctx context.Context, by auth.Actor, ids []int64) ([]models.TicketForm, error) {
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		var order []int64
		if err := tx.Model(&models.TicketForm{}).Order("position, id").Pluck("id", &order).Error; err != nil {
			return err
		}
		forms := positions.Kind{Table: "ticket_forms", Name: "ticket form", Field: "ticket_form_ids", From: 1}
		return forms.ReorderTx(tx, by.AccountID, order, ids, s.now())
	})
	if err != nil {
		return nil, err
	}
	return s.Forms(ctx, by, FormFilter{})
}

func formTx(tx *gorm.DB, id int64, f *models.TicketForm) error {
	err := tx.Take(f, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing("ticket form", id)
	}
	return err
}

func (s *Service) applyFormTx(tx *gorm.DB, by auth.Actor, f *models.TicketForm, c FormChange) error {
	setUp, err := load(tx, by.AccountID)
	if err != nil {
		return err
	}
	wasDefault := f.Default
	if c.Name != nil {
		f.Name = strings.TrimSpace(*c.Name)
	}
	clearable(&f.DisplayName, c.DisplayName)
	if f.DisplayName = strings.TrimSpace(f.DisplayName); f.DisplayName == "" {
		f.DisplayName = f.Name
	}
	set(&f.Active, c.Active)
	set(&f.EndUserVisible, c.EndUserVisible)
	set(&f.Default, c.Default)
	set(&f.InAllBrands, c.InAllBrands)
	err = fault.Join(c.applyName(f), c.applyPosition(f), c.applyFields(f, setUp), c.applyBrands(f, setUp))
	if err == nil {
		err = c.applyConditions(f, setUp)
	}
	switch {
	case err != nil:
		return err
	case f.Default && !f.Active:
		return fault.InvalidField("active", "the default ticket form cannot be inactive")
	case wasDefault && !f.Default:
		return fault.InvalidField("default", "make another ticket form the default instead")
	case f.Default && !wasDefault:
		return tx.Model(&models.TicketForm{}).Where(`"default"`).Updates(map[string]any{"default": false, "updated_at": s.now()}).Error
	}
	return nil
}

func (c FormChange) applyName(f *models.TicketForm) error {
	if f.Name == "" {
		return fault.Blank("name")
	}
	return fault.Join(within("name", f.Name, maxTitle), within("display_name", f.DisplayName, maxTitle))
}

func (c FormChange) applyPosition(f *models.TicketForm) error {
	if c.Position == nil {
		return nil
	}
	f.Position = int(*c.Position)
	return positions.Check(*c.Position)
}

// onEveryForm are the system's fields that no form can be without.
var onEveryForm = []string{models.FieldSubject, models.FieldDescription, models.FieldStatus, models.FieldCustomStatus, models.FieldGroup, models.FieldAssignee}

func (c FormChange) applyFields(f *models.TicketForm, setUp *Config) error {
	if c.TicketFieldIDs == nil {
		return nil
	}
	ids := models.IDs{}
	for i := range setUp.Fields {
		field := &setUp.Fields[i]
		if slices.Contains(onEveryForm, field.Type) && !slices.Contains(c.TicketFieldIDs, field.ID) {
			ids = append(ids, field.ID)
		}
	}
	for _, id := range c.TicketFieldIDs {
		if _, ok := setUp.Field(id); !ok {
			return fault.InvalidField("ticket_field_ids", "%d is not a ticket field", id)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	f.TicketFieldIDs = ids
	return nil
}

func (c FormChange) applyBrands(f *models.TicketForm, setUp *Config) error {
	if c.RestrictedBrandIDs == nil {
		return nil
	}
	for _, id := range c.RestrictedBrandIDs {
		if _, ok := setUp.Brand(id); !ok {
			return fault.InvalidField("restricted_brand_ids", "%d is not a brand", id)
		}
	}
	f.RestrictedBrandIDs = c.RestrictedBrandIDs
	return nil
}

func cut(s string, max int) string {
	if r := []rune(s); len(r) > max {
		return string(r[:max])
	}
	return s
}
