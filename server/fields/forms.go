package fields

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// FormFilter chooses among ticket forms. Nil is either.
type FormFilter struct {
	Active            *bool
	EndUserVisible    *bool
	OfBrand           bool // only forms of the brand whose host was called, or of the default one
	FallbackToDefault bool // the default form where nothing else is left
}

// Forms are the ticket forms in position order: for people who are no agents
// the active ones that are visible to end users.
func (s *Service) Forms(ctx context.Context, by auth.Actor, filter FormFilter) ([]models.TicketForm, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	brand := c.BrandAt(by.Brand.ID)
	list := make([]models.TicketForm, 0, len(c.Forms))
	for _, f := range c.Forms {
		switch {
		case !seesForm(by, f):
		case filter.Active != nil && f.Active != *filter.Active:
		case filter.EndUserVisible != nil && f.EndUserVisible != *filter.EndUserVisible:
		case filter.OfBrand && !formOf(f, brand):
		default:
			list = append(list, f)
		}
	}
	if form, ok := c.DefaultForm(); ok && len(list) == 0 && filter.FallbackToDefault {
		list = append(list, form)
	}
	return list, nil
}

func seesForm(by auth.Actor, f models.TicketForm) bool {
	return by.Staff() || inPortal(f)
}

func formOf(f models.TicketForm, brand int64) bool {
	return f.InAllBrands || slices.Contains(f.RestrictedBrandIDs, brand)
}

// GetForm is a ticket form. It fails with fault.NotFound.
func (s *Service) GetForm(ctx context.Context, by auth.Actor, id int64) (models.TicketForm, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return models.TicketForm{}, err
	}
	f, ok := c.Form(id)
	if !ok || !seesForm(by, f) {
		return models.TicketForm{}, fault.Missing("ticket form", id)
	}
	return f, nil
}

// FormsByID are the ticket forms with these ids, without those that do not
// exist or that the actor may not see.
func (s *Service) FormsByID(ctx context.Context, by auth.Actor, ids []int64) ([]models.TicketForm, error) {
	all, err := s.Forms(ctx, by, FormFilter{})
	return slices.DeleteFunc(all, func(f models.TicketForm) bool { return !slices.Contains(ids, f.ID) }), err
}

// joinOnlyFormTx adds a field to the form of an account that has just one.
func joinOnlyFormTx(tx *gorm.DB, field int64, now time.Time) error {
	var forms []models.TicketForm
	if err := tx.Order("id").Limit(2).Find(&forms).Error; err != nil || len(forms) != 1 {
		return err
	}
	form := forms[0]
	form.TicketFieldIDs = append(form.TicketFieldIDs, field)
	form.UpdatedAt = now
	return tx.Select("ticket_field_ids", "updated_at").Updates(&form).Error
}

// leaveFormsTx takes a field out of all forms, and the conditions that are about
// it out of them.
func leaveFormsTx(tx *gorm.DB, field int64, now time.Time) error {
	var forms []models.TicketForm
	if err := tx.Where("? = ANY(ticket_field_ids)", field).Find(&forms).Error; err != nil {
		return err
	}
	for _, form := range forms {
		form.TicketFieldIDs = slices.DeleteFunc(form.TicketFieldIDs, func(id int64) bool { return id == field })
		for _, conditions := range []*models.JSON{&form.AgentConditions, &form.EndUserConditions} {
			var list []Condition
			if err := json.Unmarshal(*conditions, &list); err != nil {
				return err
			}
			*conditions = models.ToJSON(append([]Condition{}, conditionsOn(&form, list)...))
		}
		form.UpdatedAt = now
		err := tx.Select("ticket_field_ids", "agent_conditions", "end_user_conditions", "updated_at").Updates(&form).Error
		if err != nil {
			return err
		}
	}
	return nil
}
