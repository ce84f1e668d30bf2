package fields

import (
	"encoding/json"
	"slices"

	"github.com/helpd/helpd/models"
)

// PortalForm is the ticket form with this id, if end users may choose it: it is
// active and visible to them.
func (c *Config) PortalForm(id int64) (models.TicketForm, bool) {
	f, ok := c.Form(id)
	return f, ok && inPortal(f)
}

func inPortal(f models.TicketForm) bool { return f.Active && f.EndUserVisible }

// PortalFields are the fields that end users see on a form, in its order: the
// active ones that are visible in the portal, the system's included. Those of
// them with EditableInPortal end users may give a value; what they send for any
// other field is to be ignored. The form is the default one where formID is 0
// or of no form. Conditions are left out of account: they hide fields while a
// request is written, not from who reads it.
func (c *Config) PortalFields(formID int64) []models.Field {
	var visible []models.Field
	for _, f := range c.portal(formID) {
		visible = append(visible, f.Field)
	}
	return visible
}

// portal are PortalFields with their options.
func (c *Config) portal(formID int64) []*Field {
	var visible []*Field
	add := func(f *Field) {
		if f.Active && f.VisibleInPortal {
			visible = append(visible, f)
		}
	}
	form := c.formOrDefault(formID)
	if form == nil {
		for i := range c.Fields {
			add(&c.Fields[i])
		}
		return visible
	}
	for _, id := range form.TicketFieldIDs {
		if f, ok := c.fields[id]; ok {
			add(f)
		}
	}
	return visible
}

// EditableInPortal reports whether end users may give a field a value on a
// form, which is the default one where formID is 0 or of no form.
func (c *Config) EditableInPortal(formID, fieldID int64) bool {
	return slices.ContainsFunc(c.portal(formID), func(f *Field) bool { return f.ID == fieldID && f.EditableInPortal })
}

// MissingInPortal are the fields that an end user may not leave empty and that
// t lacks, in the form's order: those of PortalFields that are editable and
// required in the portal, and those that a condition for end users shows and
// requires. A field that conditions hide is never missing, and one they show is
// if they say so; a required checkbox is to be ticked. Of t the values count
// that its fields are about, not its own form. The error of each is a blank
// value, told by its TitleInPortal.
func (c *Config) MissingInPortal(formID int64, t *models.Ticket) []models.Field {
	r := c.reading(t)
	if form := c.formOrDefault(formID); form != nil {
		_ = json.Unmarshal(form.EndUserConditions, &r.conditions) // written by ourselves
	}
	var missing []models.Field
	for _, f := range c.portal(formID) {
		required := f.RequiredInPortal
		if shown, conditional := r.about(f.ID); conditional {
			required = slices.ContainsFunc(shown, func(ch Child) bool { return ch.IsRequired })
		}
		if required && f.EditableInPortal && r.lacks(f) {
			missing = append(missing, f.Field)
		}
	}
	return missing
}
