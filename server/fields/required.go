package fields

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
)

// Missing are the active fields that t lacks and may not lack in the status it
// has, in position order, the system's included: the assignee is one of them,
// so that it is to be called once the assignee is settled. A required checkbox
// is to be ticked. Only fields of the ticket's form count, if it has one. A
// field's own demand is about solved tickets; of a field that conditions show,
// theirs is heeded instead, for the statuses that they name.
func (c *Config) Missing(t *models.Ticket) []models.Field {
	form := c.formOf(t)
	r := c.reading(t)
	if form != nil {
		_ = json.Unmarshal(form.AgentConditions, &r.conditions) // written by ourselves
	}
	var missing []models.Field
	for i := range c.Fields {
		f := &c.Fields[i]
		if !f.Active || form != nil && !slices.Contains(form.TicketFieldIDs, f.ID) {
			continue
		}
		required := f.Required && t.Status == models.StatusSolved
		if shown, conditional := r.about(f.ID); conditional {
			required = slices.ContainsFunc(shown, func(ch Child) bool { return ch.requiredIn(t) })
		}
		if required && r.lacks(f) {
			missing = append(missing, f.Field)
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
	return c.formOrDefault(*t.TicketFormID)
}

// formOrDefault is nil in an account without a default form.
func (c *Config) formOrDefault(id int64) *models.TicketForm {
	if f, ok := c.Form(id); ok {
		return &f
	}
	if f, ok := c.DefaultForm(); ok {
		return &f
	}
	return nil
}

// reading holds the conditions of a form against a ticket.
type reading struct {
	*Config
	t          *models.Ticket
	values     map[string]json.RawMessage
	conditions []Condition
}

func (c *Config) reading(t *models.Ticket) reading {
	r := reading{Config: c, t: t}
	_ = json.Unmarshal(t.CustomFields, &r.values) // written by ourselves
	return r
}

// about are the demands of the conditions that show a field now, none while it
// is hidden; conditional is false for a field that no condition is about, which
// is always shown. A parent that is hidden itself shows nothing, whatever its
// value; seen are the fields that ask, so that a circle comes to an end.
func (r reading) about(id int64, seen ...int64) (shown []Child, conditional bool) {
	for _, cond := range r.conditions {
		for _, ch := range cond.ChildFields {
			if ch.ID != id {
				continue
			}
			conditional = true
			if !slices.Contains(seen, cond.ParentFieldID) && r.holds(cond) && r.shows(cond.ParentFieldID, append(seen, id)...) {
				shown = append(shown, ch)
			}
		}
	}
	return shown, conditional
}

func (r reading) shows(id int64, seen ...int64) bool {
	shown, conditional := r.about(id, seen...)
	return !conditional || len(shown) > 0
}

func (r reading) holds(cond Condition) bool {
	parent, ok := r.fields[cond.ParentFieldID]
	if !ok {
		return false
	}
	var want string
	if json.Unmarshal(cond.Value, &want) != nil {
		want = string(cond.Value) // a bool
	}
	have := r.valueOf(parent, r.t, r.values)
	if parent.Type == models.FieldCheckbox && have == "" {
		have = "false" // one that was never touched
	}
	if parent.Type == models.FieldMultiselect {
		return slices.Contains(strings.Fields(have), want)
	}
	return have == want
}

// lacks reports whether the ticket has no value of a field. A checkbox that is
// not ticked is none.
func (r reading) lacks(f *Field) bool {
	v := r.valueOf(f, r.t, r.values)
	return v == "" || f.Type == models.FieldCheckbox && v == "false"
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
	if f.hasOptions() {
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
