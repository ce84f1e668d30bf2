package api_test

import (
	"fmt"
	"testing"
)

func TestCustomStatusesOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/custom_statuses.json", `{"custom_status":{"status_category":"pending","agent_label":"Waiting","end_user_description":"Soon"}}`).want(201)
	id := r.id("custom_status")
	url := fmt.Sprintf("http://helpd.test/api/v2/custom_statuses/%d.json", id)
	want := fmt.Sprintf(`{"custom_status":{"url":%q,"id":%d,"status_category":"pending","agent_label":"Waiting","raw_agent_label":"Waiting",
		"end_user_label":"Waiting","raw_end_user_label":"Waiting","description":null,"raw_description":null,"end_user_description":"Soon",
		"raw_end_user_description":"Soon","active":true,"default":false,"created_at":%q,"updated_at":%q}}`, url, id, clockText, clockText)
	r.wantJSON("%s", want)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	path := fmt.Sprintf("/api/v2/custom_statuses/%d", id)
	user, agent := a.signedInAs("end-user"), a.signedInAs("agent")
	user.get(path).want(200).wantJSON("%s", want)
	r = a.put(path, `{"custom_status":{"status_category":"open","agent_label":"Parked","end_user_description":null}}`).want(200)
	if r.member("custom_status", "status_category") != "pending" || r.member("custom_status", "agent_label") != "Parked" || r.member("custom_status", "end_user_description") != nil {
		t.Errorf("changed to %s", r.body)
	}
	a.put("/api/v2/custom_status/default", fmt.Sprintf(`{"ids":[%d]}`, id)).want(200).wantJSON(`{}`)
	if ids := user.get("/api/v2/custom_statuses?status_categories=pending,open&default=true").want(200).ids("custom_statuses"); len(ids) != 2 || ids[1] != id {
		t.Errorf("defaults %v", ids)
	}
	if r := a.get("/api/v2/custom_statuses?active=true").want(200); fmt.Sprint(r.member("count")) != "6" || r.member("next_page") != nil {
		t.Errorf("list %s", r.body)
	}
	a.put(path, `{"custom_status":{"active":false}}`).wantDetail("active", "Active: the default status of a category cannot be deactivated")
	a.post("/api/v2/custom_statuses", `{"custom_status":{"status_category":"closed","agent_label":"x"}}`).
		wantDetail("status_category", "Status category: closed is not one of new, open, pending, hold, solved")
	a.post("/api/v2/custom_statuses", `{"custom_status":{"status_category":"open"}}`).wantDetail("agent_label", "Agent label: cannot be blank")
	a.put("/api/v2/custom_status/default", `{"ids":[404]}`).wantDetail("ids", "Ids: 404 is not an active custom status")
	a.get("/api/v2/custom_statuses/404").wantMissing()
	a.put("/api/v2/custom_statuses/404", `{"custom_status":{}}`).wantMissing()
	agent.put(path, `{"custom_status":{}}`).wantForbidden()
	agent.post("/api/v2/custom_statuses", `{"custom_status":{}}`).wantForbidden()
	agent.put("/api/v2/custom_status/default", `{"ids":[]}`).wantForbidden()
	a.anonymous().get("/api/v2/custom_statuses").want(401)
	a.another().get(path).wantMissing()
}

// The system's field of statuses turns hold off, as the account's setting does.
func TestHoldIsOfferedAndTaken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("/api/v2/tickets/%d", a.ticket(`{"comment":{"body":"B"}}`))
	var field string
	for _, id := range a.get("/api/v2/ticket_fields").want(200).ids("ticket_fields") {
		one := fmt.Sprintf("/api/v2/ticket_fields/%d", id)
		if a.get(one).want(200).member("ticket_field", "type") == "status" {
			field = one
		}
	}
	a.put(field, `{"ticket_field":{"sub_type_id":0}}`).want(200)
	a.put(path, `{"ticket":{"status":"hold"}}`).wantDetail("status", "Status: hold is not enabled")
	a.put(field, `{"ticket_field":{"sub_type_id":1}}`).want(200)
	a.put(path, `{"ticket":{"status":"hold"}}`).want(200)
}
