package fields

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
)

// MissingToSolve are the active fields without which t may not be solved and
// which it lacks, in position order, the system's included: the assignee is
// one of them, so that it is to be called once the assignee is settled. A
// required checkbox is to be ticked. Only
// fields of the ticket's form count, if it has one, and of those that a
// condition shows only while it does; what the condition demands then
// outweighs the field itself.
func (c *Config) MissingToSolve(t *models.Ticket) []models.TicketField {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(t.CustomFields, &values) // written by ourselves
	form := c.formOf(t)
	var conditions []Condition
	if form != nil {
		_ = json.Unmarshal(form.AgentConditions, &conditions) // written by ourselves
	}
	var missing []models.TicketField
	for i := range c.Fields {
		f := &c.Fields[i]
		if !f.Active || form != nil && !slices.Contains(form.TicketFieldIDs, f.ID) {
			continue
		}
		required := f.Required
		if demand, conditional := c.demand(f.ID, conditions, t, values); conditional {
			required = demand
		}
		if v := c.valueOf(f, t, values); required && (v == "" || f.Type == models.FieldCheckbox && v == "false") {
			missing = append(missing, f.TicketField)
		}
	}
	return missing
}

// formOf is the form of a ticket: the default one if its own has been deleted,
// nil if it has none.
func (c *Config) formOf(t *models.Ticket) *models.TicketForm {
	if t.TicketFormID == nil {
		return nil
	}
	if f, ok := c.Form(*t.TicketFormID); ok {
		return &f
	}
	if f, ok := c.DefaultForm(); ok {
		return &f
	}
	return nil
}

// demand tells whether the conditions that show a field require it; false for
// conditional when none of them is about the field.
func (c *Config) demand(id int64, conditions []Condition, t *models.Ticket, values map[string]json.RawMessage) (required, conditional bool) {
	for _, cond := range conditions {
		for _, ch := range cond.ChildFields {
			if ch.ID != id {
				continue
			}
			conditional = true
			if c.holds(cond, t, values) && ch.requiredToSolve(c) {
				required = true
			}
		}
	}
	return required, conditional
}

func (c *Config) holds(cond Condition, t *models.Ticket, values map[string]json.RawMessage) bool {
	parent, ok := c.fields[cond.ParentFieldID]
	if !ok {
		return false
	}
	want := strings.Trim(string(cond.Value), `"`)
	have := c.valueOf(parent, t, values)
	if parent.Type == models.FieldCheckbox && have == "" {
		have = "false" // one that was never touched
	}
	if parent.Type == models.FieldMultiselect {
		return slices.Contains(strings.Fields(have), want)
	}
	return have == want
}

// valueOf is the value of a field on a ticket as text; empty for none.
func (c *Config) valueOf(f *Field, t *models.Ticket, values map[string]json.RawMessage) string {
	switch f.Type {
	case models.FieldSubject:
		return deref(t.Subject)
	case models.FieldDescription:
		return t.Description
	case models.FieldStatus, models.FieldCustomStatus:
		return t.Status
	case models.FieldTicketType:
		return deref(t.Type)
	case models.FieldPriority:
		return deref(t.Priority)
	case models.FieldGroup:
		return id(t.GroupID)
	case models.FieldAssignee:
		return id(t.AssigneeID)
	}
	v := values[f.key]
	if f.Type == models.FieldCheckbox {
		return string(v)
	}
	if f.Type == models.FieldTagger || f.Type == models.FieldMultiselect {
		return strings.Join(f.chosen(v), " ")
	}
	return strings.Trim(string(v), `"`)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func id(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
