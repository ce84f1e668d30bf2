package fields

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestMissingToSolve(t *testing.T) {
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
	}{
		{"nothing required", nil, false, `{}`, "", ""},
		{"a required field without a value", []int64{text}, false, `{}`, "", "Text"},
		{"a required field with a value", []int64{text}, false, `{"1":"x"}`, "", ""},
		{"a required checkbox is to be ticked", []int64{box, plainBox}, false, `{"3":true,"12":false}`, "", "Checkbox"},
		{"an option that is gone is no value", []int64{choice, many}, false, `{"10":"gone","9":["red","gone"]}`, "", "Tagger"},
		{"a system field", []int64{system}, false, `{}`, "", "Priority"},
		{"an inactive field is not asked for", []int64{retired}, false, `{}`, "", ""},
		{"a field that is not on the form is not asked for", []int64{lookup}, true, `{}`, "", ""},
		{"a conditional field without its parent's value", []int64{text, area}, true, `{"10":"r&d"}`, "", ""},
		{"a condition demands one and frees another", []int64{area}, true, `{"10":"camera"}`, "", "Text"},
		{"a checkbox as parent", nil, true, `{"12":true}`, "", "Decimal"},
		{"a multiselect as parent", nil, true, `{"9":["blue","red"]}`, "", "Date"},
		{"a system field as parent", nil, true, `{}`, "high", "Regexp"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			for _, id := range tc.required {
				c.fields[id].Required = true
			}
			ticket := &models.Ticket{CustomFields: models.JSON(tc.values)}
			if tc.priority != "" {
				ticket.Priority = &tc.priority
			}
			if tc.form {
				c.Forms = []models.TicketForm{{Tenant: models.Tenant{ID: form}, AgentConditions: models.JSON(conditions),
					TicketFieldIDs: models.IDs{text, area, box, day, whole, number, code, card, many, choice, plainBox, system}}}
				ticket.TicketFormID = new(int64(form))
			}
			var titles []string
			for _, f := range c.MissingToSolve(ticket) {
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
	got := c.MissingToSolve(&models.Ticket{CustomFields: models.JSON("{}"), TicketFormID: new(int64(404))})
	if len(got) != 1 || got[0].ID != text {
		t.Errorf("missing %+v, want the text on the default form", got)
	}
}
