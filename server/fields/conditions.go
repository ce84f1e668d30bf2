package fields

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Condition shows fields of a form while a parent field has a value.
type Condition struct {
	ParentFieldID   int64           `json:"parent_field_id"`
	ParentFieldType string          `json:"parent_field_type,omitempty"` // ignored when it comes, the field's when it goes
	Value           json.RawMessage `json:"value"`                       // an option's value, or a bool
	ChildFields     []Child         `json:"child_fields"`
}

// Child is a field that a condition shows.
type Child struct {
	ID                 int64               `json:"id"`
	IsRequired         bool                `json:"is_required"`
	RequiredOnStatuses *RequiredOnStatuses `json:"required_on_statuses,omitempty"` // for agents only
}

// RequiredOnStatuses tells in which statuses a ticket may not lack a field.
type RequiredOnStatuses struct {
	Type           string   `json:"type"` // ALL_STATUSES, NO_STATUSES, SOME_STATUSES
	Statuses       []string `json:"statuses,omitempty"`
	CustomStatuses []int64  `json:"custom_statuses,omitempty"`
}

// Types of RequiredOnStatuses.
const (
	onAllStatuses  = "ALL_STATUSES"
	onNoStatuses   = "NO_STATUSES"
	onSomeStatuses = "SOME_STATUSES"
)

// requiredIn reports whether agents may not leave the field empty in the status
// that the ticket has.
func (c Child) requiredIn(t *models.Ticket) bool {
	on := c.RequiredOnStatuses
	if on == nil {
		return c.IsRequired && t.Status == models.StatusSolved
	}
	switch on.Type {
	case onAllStatuses:
		return true
	case onSomeStatuses:
		return slices.Contains(on.Statuses, t.Status) || slices.Contains(on.CustomStatuses, t.CustomStatusID)
	}
	return false
}

func (c FormChange) applyConditions(f *models.TicketForm, setUp *Config) error {
	for _, side := range []struct {
		name   string
		list   []Condition
		to     *models.JSON
		agents bool
	}{
		{"agent_conditions", c.AgentConditions, &f.AgentConditions, true},
		{"end_user_conditions", c.EndUserConditions, &f.EndUserConditions, false},
	} {
		checked := make([]Condition, 0, len(side.list))
		if side.list == nil {
			// A field that has left the form takes its conditions along.
			var kept []Condition
			if err := json.Unmarshal(*side.to, &kept); err != nil {
				return err
			}
			checked = append(checked, conditionsOn(f, kept)...)
		}
		for _, cond := range side.list {
			cond, err := setUp.checkCondition(f, cond, side.name, side.agents)
			if err != nil {
				return err
			}
			checked = append(checked, cond)
		}
		*side.to = models.ToJSON(checked)
	}
	return nil
}

// conditionsOn are the conditions between fields that are on the form.
func conditionsOn(f *models.TicketForm, list []Condition) []Condition {
	var out []Condition
	for _, cond := range list {
		cond.ChildFields = slices.DeleteFunc(cond.ChildFields, func(ch Child) bool { return !slices.Contains(f.TicketFieldIDs, ch.ID) })
		if slices.Contains(f.TicketFieldIDs, cond.ParentFieldID) && len(cond.ChildFields) > 0 {
			out = append(out, cond)
		}
	}
	return out
}

func (c *Config) checkCondition(f *models.TicketForm, cond Condition, name string, agents bool) (Condition, error) {
	parent, ok := c.Field(cond.ParentFieldID)
	if !ok || !slices.Contains(f.TicketFieldIDs, parent.ID) {
		return cond, fault.InvalidField(name, "the parent field %d is not on the form", cond.ParentFieldID)
	}
	value, ok := c.conditionValue(parent, cond.Value)
	if !ok {
		return cond, fault.InvalidField(name, "%s has no such value, or cannot be a parent field", parent.Title)
	}
	cond.ParentFieldType, cond.Value = parent.Type, value
	if len(cond.ChildFields) == 0 {
		return cond, fault.InvalidField(name, "a condition needs child fields")
	}
	cond.ChildFields = slices.Clone(cond.ChildFields)
	for i := range cond.ChildFields {
		ch := &cond.ChildFields[i]
		if ch.ID == parent.ID || !slices.Contains(f.TicketFieldIDs, ch.ID) {
			return cond, fault.InvalidField(name, "the child field %d is not on the form, or is its own parent", ch.ID)
		}
		if !agents {
			ch.RequiredOnStatuses = nil
		}
		if err := checkStatuses(name, ch.RequiredOnStatuses); err != nil {
			return cond, err
		}
	}
	return cond, nil
}

// conditionValue is the value of a parent field that a condition waits for.
func (c *Config) conditionValue(f *Field, raw json.RawMessage) (json.RawMessage, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	text = strings.TrimSpace(text)
	switch {
	case f.Type == models.FieldCheckbox:
		return json.RawMessage(text), text == "true" || text == "false"
	case f.hasOptions():
		return json.RawMessage(models.ToJSON(text)), f.offers(text)
	}
	return json.RawMessage(models.ToJSON(text)), slices.ContainsFunc(c.SystemOptions(f), func(o SystemOption) bool { return o.Value == text })
}

func checkStatuses(name string, on *RequiredOnStatuses) error {
	if on == nil {
		return nil
	}
	if !slices.Contains([]string{onAllStatuses, onNoStatuses, onSomeStatuses}, on.Type) {
		return fault.InvalidField(name, "required_on_statuses has no type %s", on.Type)
	}
	for _, status := range on.Statuses {
		if !slices.Contains(categories, status) {
			return fault.InvalidField(name, "%s is not one of %s", status, strings.Join(categories, ", "))
		}
	}
	return nil
}
