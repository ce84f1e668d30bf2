package fields

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestMissingInAStatus(t *testing.T) {
	t.Parallel()
	const form = 77
	conditions := `[
		{"parent_field_id":10,"value":"camera","child_fields":[
			{"id":1,"is_required":true,"required_on_statuses":{"type":"SOME_STATUSES","statuses":["solved"]}},
			{"id":2,"is_required":true,"required_on_statuses":{"type":"NO_STATUSES"}},
			{"id":5,"is_required":false,"required_on_statuses":{"type":"SOME_STATUSES","statuses":["pending"]}}]},
		{"parent_field_id":12,"value":true,"child_fields":[{"id":6,"is_required":true}]},
		{"parent_field_id":9,"value":"red","child_fields":[{"id":4,"is_required":false,"required_on_statuses":{"type":"ALL_STATUSES"}}]},
		{"parent_field_id":14,"value":"high","child_fields":[{"id":7,"is_required":true}]}]`
	for _, tc := range []struct {
		name     string
		required []int64
		form     bool
		values   string
		priority string
		missing  string
		status   string // solved unless another is named
	}{
		{"nothing required", nil, false, `{}`, "", "", ""},
		{"a required field without a value", []int64{text}, false, `{}`, "", "Text", ""},
		{"a required field with a value", []int64{text}, false, `{"1":"x"}`, "", "", ""},
		{"a required checkbox is to be ticked", []int64{box, plainBox}, false, `{"3":true,"12":false}`, "", "Checkbox", ""},
		{"an option that is gone is no value", []int64{choice, many}, false, `{"10":"gone","9":["red","gone"]}`, "", "Tagger", ""},
		{"a system field", []int64{system}, false, `{}`, "", "Priority", ""},
		{"an inactive field is not asked for", []int64{retired}, false, `{}`, "", "", ""},
		{"a field that is not on the form is not asked for", []int64{lookup}, true, `{}`, "", "", ""},
		{"a conditional field without its parent's value", []int64{text, area}, true, `{"10":"r&d"}`, "", "", ""},
		{"a condition demands one and frees another", []int64{area}, true, `{"10":"camera"}`, "", "Text", ""},
		{"a checkbox as parent", nil, true, `{"12":true}`, "", "Decimal", ""},
		{"a multiselect as parent", nil, true, `{"9":["blue","red"]}`, "", "Date", ""},
		{"a system field as parent", nil, true, `{}`, "high", "Regexp", ""},
		{"a field of its own demands nothing but for solving", []int64{text}, false, `{}`, "", "", models.StatusPending},
		{"a condition demands for a status", nil, true, `{"10":"camera"}`, "", "Integer", models.StatusPending},
		{"a condition demands for all statuses", nil, true, `{"9":["red"]}`, "", "Date", models.StatusOpen},
		{"a condition that names no statuses is about solving", nil, true, `{"12":true}`, "", "", models.StatusOpen},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			for _, id := range tc.required {
				c.fields[id].Required = true
			}
			ticket := &models.Ticket{Status: models.StatusSolved, CustomFields: models.JSON(tc.values)}
			if tc.status != "" {
				ticket.Status = tc.status
			}
			if tc.priority != "" {
				ticket.Priority = &tc.priority
			}
			if tc.form {
				c.Forms = []models.TicketForm{{Tenant: models.Tenant{ID: form}, AgentConditions: models.JSON(conditions),
					TicketFieldIDs: models.IDs{text, area, box, day, whole, number, code, card, many, choice, plainBox, system}}}
				ticket.TicketFormID = new(int64(form))
			}
			var titles []string
			for _, f := range c.Missing(ticket) {
				titles = append(titles, f.Title)
			}
			if got := strings.Join(titles, ", "); got != tc.missing {
				t.Errorf("missing %q, want %q", got, tc.missing)
			}
		})
	}
}

func TestDeletedFormIsTheDefaultOne(t *testing.T) {
	t.Parallel()
	c := sample()
	c.fields[text].Required, c.fields[area].Required = true, true
	c.Forms = []models.TicketForm{{Tenant: models.Tenant{ID: 1}, Default: true, TicketFieldIDs: models.IDs{text}, AgentConditions: models.JSON("[]")}}
	got := c.Missing(&models.Ticket{Status: models.StatusSolved, CustomFields: models.JSON("{}"), TicketFormID: new(int64(404))})
	if len(got) != 1 || got[0].ID != text {
		t.Errorf("missing %+v, want the text on the default form", got)
	}
}

// A child of a child is demanded only while its parent is shown itself, and a
// circle of conditions shows nothing.
func TestConditionsFollowEachOther(t *testing.T) {
	t.Parallel()
	c := sample()
	c.Forms = []models.TicketForm{{
		Tenant: models.Tenant{ID: 1}, TicketFieldIDs: models.IDs{box, choice, text, plainBox, many, day},
		AgentConditions: models.JSON(`[
			{"parent_field_id":3,"value":true,"child_fields":[{"id":10,"is_required":false}]},
			{"parent_field_id":10,"value":"camera","child_fields":[{"id":1,"is_required":true,"required_on_statuses":{"type":"SOME_STATUSES","custom_statuses":[55]}}]},
			{"parent_field_id":12,"value":false,"child_fields":[{"id":9,"is_required":true}]},
			{"parent_field_id":9,"value":"red","child_fields":[{"id":12,"is_required":true},{"id":4,"is_required":true}]}]`),
	}}
	missing := func(values string, status int64) string {
		var titles []string
		for _, f := range c.Missing(&models.Ticket{
			Status: models.StatusSolved, CustomStatusID: status, TicketFormID: new(int64(1)), CustomFields: models.JSON(values),
		}) {
			titles = append(titles, f.Title)
		}
		return strings.Join(titles, ", ")
	}
	for _, tc := range []struct {
		name, values string
		status       int64
		missing      string
	}{
		{"the parent's parent shows it", `{"3":true,"10":"camera"}`, 55, "Text"},
		{"another custom status does not ask", `{"3":true,"10":"camera"}`, 56, ""},
		{"its parent is hidden", `{"10":"camera"}`, 55, ""},
		{"a circle", `{"9":["red"]}`, 55, ""},
	} {
		if got := missing(tc.values, tc.status); got != tc.missing {
			t.Errorf("%s: missing %q, want %q", tc.name, got, tc.missing)
		}
	}
}
