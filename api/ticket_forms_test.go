package api_test

import (
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
)

// ticketForm makes a form in the database.
func (a *anAPI) ticketForm(f models.TicketForm) models.TicketForm {
	a.t.Helper()
	f.Stamps = models.Stamps{CreatedAt: theClock, UpdatedAt: theClock}
	f.AgentConditions, f.EndUserConditions = models.JSON(`[{"parent_field_id":10000000001,"value":"x","child_fields":[]}]`), models.JSON("[]")
	db := a.db.WithContext(a.ctx())
	if err := db.Create(&f).Error; err != nil {
		a.t.Fatal(err)
	}
	if err := fields.BumpTx(db, a.account.ID); err != nil {
		a.t.Fatal(err)
	}
	return f
}

func TestTicketForms(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	f := a.ticketForm(models.TicketForm{Name: "Inside", DisplayName: "Ask us", Position: 2, Active: true, InAllBrands: true, TicketFieldIDs: models.IDs{5, 4}})
	url := fmt.Sprintf("http://helpd.test/api/v2/ticket_forms/%d.json", f.ID)
	one := fmt.Sprintf(`{"url":%q,"id":%d,"name":"Inside","raw_name":"Inside","display_name":"Ask us","raw_display_name":"Ask us","position":2,
		"active":true,"end_user_visible":false,"default":false,"ticket_field_ids":[5,4],"in_all_brands":true,"restricted_brand_ids":[],
		"agent_conditions":[{"parent_field_id":10000000001,"value":"x","child_fields":[]}],"end_user_conditions":[],
		"created_at":%q,"updated_at":%q}`, url, f.ID, clockText, clockText)
	path := fmt.Sprintf("/api/v2/ticket_forms/%d", f.ID)
	a.get(path).want(200).wantJSON(`{"ticket_form":%s}`, one)
	a.get(fmt.Sprintf("/api/v2/ticket_forms/show_many.json?ids=%d,404", f.ID)).want(200).
		wantJSON(`{"ticket_forms":[%s],"count":1,"next_page":null,"previous_page":null}`, one)
	list := a.get("/api/v2/ticket_forms").want(200)
	ids := list.ids("ticket_forms")
	if len(ids) != 2 || ids[1] != f.ID || fmt.Sprint(list.member("count")) != "2" {
		t.Fatalf("forms %s", list.body)
	}
	if n := len(a.get("/api/v2/ticket_forms?include=ticket_fields").want(200).ids("ticket_fields")); n != 8 {
		t.Errorf("%d fields beside the forms", n)
	}
	user := a.signedInAs("end-user")
	for name, r := range map[string]*result{
		"an end user":       user.get("/api/v2/ticket_forms").want(200),
		"nobody":            a.anonymous().get("/api/v2/ticket_forms").want(200),
		"visible ones":      a.get("/api/v2/ticket_forms?end_user_visible=true").want(200),
		"no active ones":    a.get("/api/v2/ticket_forms?active=false&fallback_to_default=true").want(200),
		"show_many by user": user.get(fmt.Sprintf("/api/v2/ticket_forms/show_many?ids[]=%d&ids[]=%d", ids[0], ids[1])).want(200),
	} {
		if got := r.ids("ticket_forms"); len(got) != 1 || got[0] != ids[0] {
			t.Errorf("%s: forms %v", name, got)
		}
	}
	if got := a.get("/api/v2/ticket_forms?active=false").want(200).ids("ticket_forms"); len(got) != 0 {
		t.Errorf("inactive forms %v", got)
	}
	user.get(path).wantMissing()
	user.get(fmt.Sprintf("/api/v2/ticket_forms/%d", ids[0])).want(200)
	a.anonymous().get(path).want(401)
	a.get("/api/v2/ticket_forms/404").wantMissing()
	a.another().get(path).wantMissing()
	a.get("/api/v2/ticket_forms?active=perhaps").want(400)
}

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
