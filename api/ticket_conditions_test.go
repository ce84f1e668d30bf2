package api_test

import (
	"fmt"
	"testing"
)

// What a form's conditions demand of agents is demanded when they set a status,
// and not of every change.
func TestConditionsAreHeldWhenAStatusIsSet(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	product := a.ticketField(`{"type":"tagger","title":"Product","custom_field_options":[{"name":"Camera","value":"camera"}]}`)
	serial := a.ticketField(`{"title":"Serial"}`)
	form := a.post("/api/v2/ticket_forms", fmt.Sprintf(`{"ticket_form":{"name":"Cameras","ticket_field_ids":[%d,%d],
		"agent_conditions":[{"parent_field_id":%d,"value":"camera","child_fields":[{"id":%d,"is_required":true,
			"required_on_statuses":{"type":"SOME_STATUSES","statuses":["pending","solved"]}}]}]}}`, product, serial, product, serial)).want(201).id("ticket_form")
	ticket := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","comment":{"body":"x"},"ticket_form_id":%d,
		"custom_fields":[{"id":%d,"value":"camera"}]}}`, form, product)).want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
	a.put(path, `{"ticket":{"status":"pending"}}`).wantDetail("base", "Serial: is required when setting a ticket to pending")
	a.put(path, `{"ticket":{"status":"solved"}}`).wantDetail("base", "Serial: is required when solving a ticket")
	a.put(path, `{"ticket":{"status":"hold"}}`).want(200)
	a.put(path, fmt.Sprintf(`{"ticket":{"status":"pending","custom_fields":[{"id":%d,"value":"A1"}]}}`, serial)).want(200)
	// A ticket that lacks the field later on still takes changes.
	a.put(path, fmt.Sprintf(`{"ticket":{"comment":{"body":"y"},"custom_fields":[{"id":%d,"value":null}]}}`, serial)).want(200)
	a.put(path, `{"ticket":{"status":"pending"}}`).want(200)
	a.put(path, `{"ticket":{"status":"solved"}}`).wantDetail("base", "Serial: is required when solving a ticket")
	if got := a.get(path).want(200).member("ticket", "status"); got != "pending" {
		t.Errorf("status %v", got)
	}
}
