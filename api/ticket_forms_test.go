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

func TestTicketFormIsCreatedAndChanged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	system := a.get("/api/v2/ticket_fields").ids("ticket_fields") // subject, description, status, type, priority, group, assignee, ticket status
	product := a.ticketField(`{"type":"tagger","title":"Product","custom_field_options":[{"name":"Camera","value":"camera"}]}`)
	serial := a.ticketField(`{"title":"Serial"}`)
	brand := a.get("/api/v2/brands").ids("brands")[0]
	r := a.post("/api/v2/ticket_forms.json", fmt.Sprintf(`{"ticket_form":{"name":"Cameras","end_user_visible":"true","ticket_field_ids":[%d,%d,%d,%d],
		"restricted_brand_ids":[%d],"in_all_brands":false,
		"agent_conditions":[{"parent_field_id":%d,"value":"camera","child_fields":[{"id":%d,"is_required":true,
			"required_on_statuses":{"type":"SOME_STATUSES","statuses":["solved"]}}]}],
		"end_user_conditions":[{"parent_field_id":%d,"value":"camera","child_fields":[{"id":%d,"is_required":false,"required_on_statuses":{"type":"ALL_STATUSES"}}]}]}}`,
		product, serial, system[0], serial, brand, product, serial, product, serial)).want(201)
	id := r.id("ticket_form")
	url := fmt.Sprintf("http://helpd.test/api/v2/ticket_forms/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	want := fmt.Sprintf(`{"ticket_form":{"url":%q,"id":%d,"name":"Cameras","raw_name":"Cameras","display_name":"Cameras","raw_display_name":"Cameras",
		"position":9999,"active":true,"end_user_visible":true,"default":false,"ticket_field_ids":[%d,%d,%d,%d,%d,%d,%d,%d],"in_all_brands":false,
		"restricted_brand_ids":[%d],
		"agent_conditions":[{"parent_field_id":%d,"parent_field_type":"tagger","value":"camera","child_fields":[{"id":%d,"is_required":true,
			"required_on_statuses":{"type":"SOME_STATUSES","statuses":["solved"]}}]}],
		"end_user_conditions":[{"parent_field_id":%d,"parent_field_type":"tagger","value":"camera","child_fields":[{"id":%d,"is_required":false}]}],
		"created_at":%q,"updated_at":%q}}`, url, id, system[1], system[2], system[5], system[6], system[7], product, serial, system[0], brand,
		product, serial, product, serial, clockText, clockText)
	r.wantJSON("%s", want)
	path := fmt.Sprintf("/api/v2/ticket_forms/%d", id)
	a.get(path).want(200).wantJSON("%s", want)
	// A field that leaves the form takes its conditions along.
	r = a.put(path, fmt.Sprintf(`{"ticket_form":{"display_name":"Ask","ticket_field_ids":[%d]}}`, product)).want(200)
	if r.member("ticket_form", "display_name") != "Ask" || r.member("ticket_form", "name") != "Cameras" ||
		len(r.member("ticket_form", "agent_conditions").([]any)) != 0 || len(r.member("ticket_form", "ticket_field_ids").([]any)) != 7 {
		t.Errorf("changed to %s", r.body)
	}
	clone := a.post(path+"/clone", `{"prepend_clone_title":true}`).want(200)
	if clone.id("ticket_form") == id || clone.member("ticket_form", "name") != "Clone of Cameras" || clone.member("ticket_form", "display_name") != "Ask" {
		t.Errorf("clone %s", clone.body)
	}
	if r := a.post(path+"/clone", "").want(200); r.member("ticket_form", "name") != "Cameras" {
		t.Errorf("clone %s", r.body)
	}
	order := a.put("/api/v2/ticket_forms/reorder", fmt.Sprintf(`{"ticket_form_ids":[%d]}`, id)).want(200).ids("ticket_forms")
	if len(order) != 4 || order[0] != id {
		t.Errorf("order %v", order)
	}
	a.delete(path).want(204)
	a.delete(path).wantMissing()
}

func TestDefaultTicketForm(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	old := fmt.Sprintf("/api/v2/ticket_forms/%d", a.get("/api/v2/ticket_forms").ids("ticket_forms")[0])
	a.delete(old).wantDetail("base", "The default ticket form cannot be deleted")
	a.put(old, `{"ticket_form":{"active":false}}`).wantDetail("active", "Active: the default ticket form cannot be inactive")
	a.put(old, `{"ticket_form":{"default":false}}`).wantDetail("default", "Default: make another ticket form the default instead")
	fresh := a.post("/api/v2/ticket_forms", `{"ticket_form":{"name":"New","default":true}}`).want(201)
	if fresh.member("ticket_form", "default") != true || len(fresh.member("ticket_form", "ticket_field_ids").([]any)) != 6 {
		t.Errorf("form %s", fresh.body)
	}
	if r := a.get(old).want(200); r.member("ticket_form", "default") != false {
		t.Errorf("the former default %s", r.body)
	}
	a.delete(old).want(204)
}

func TestTicketFormRefusesWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	system := a.get("/api/v2/ticket_fields").ids("ticket_fields")
	condition := func(parent int64, value string, child int64) string {
		return fmt.Sprintf(`{"name":"x","ticket_field_ids":[%d,%d],"agent_conditions":[{"parent_field_id":%d,"value":%q,"child_fields":[{"id":%d}]}]}`,
			system[3], system[4], parent, value, child)
	}
	for _, tc := range []struct{ body, field, says string }{
		{`{}`, "name", "Name: cannot be blank"},
		{`{"name":"x","position":-1}`, "position", "Position: must be between 0 and 1000000000"},
		{`{"name":"x","ticket_field_ids":[404]}`, "ticket_field_ids", "Ticket field: 404 is not a ticket field"},
		{`{"name":"x","restricted_brand_ids":[404]}`, "restricted_brand_ids", "Restricted brand: 404 is not a brand"},
		{`{"name":"x","default":true,"active":false}`, "active", "Active: the default ticket form cannot be inactive"},
		{condition(404, "incident", system[4]), "agent_conditions", "Agent conditions: the parent field 404 is not on the form"},
		{condition(system[0], "incident", system[4]), "agent_conditions", "Agent conditions: Subject has no such value, or cannot be a parent field"},
		{condition(system[3], "accident", system[4]), "agent_conditions", "Agent conditions: Type has no such value, or cannot be a parent field"},
		{condition(system[3], "incident", 404), "agent_conditions", "Agent conditions: the child field 404 is not on the form, or is its own parent"},
		{fmt.Sprintf(`{"name":"x","ticket_field_ids":[%d],"agent_conditions":[{"parent_field_id":%d,"value":"task"}]}`, system[3], system[3]),
			"agent_conditions", "Agent conditions: a condition needs child fields"},
		{fmt.Sprintf(`{"name":"x","ticket_field_ids":[%d,%d],"agent_conditions":[{"parent_field_id":%d,"value":"task",
			"child_fields":[{"id":%d,"required_on_statuses":{"type":"SOMETIMES"}}]}]}`, system[3], system[4], system[3], system[4]),
			"agent_conditions", "Agent conditions: required_on_statuses has no type SOMETIMES"},
	} {
		a.post("/api/v2/ticket_forms", `{"ticket_form":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	a.post("/api/v2/ticket_forms", `{"ticket_form":{"name":"x","agent_conditions":"none"}}`).want(400)
	a.post("/api/v2/ticket_forms", `{}`).want(400)
	a.put("/api/v2/ticket_forms/reorder", `{"ticket_form_ids":[404]}`).wantDetail("ticket_form_ids", "Ticket form: 404 is not a ticket form")
	a.put("/api/v2/ticket_forms/404", `{"ticket_form":{"name":"x"}}`).wantMissing()
	a.post("/api/v2/ticket_forms/404/clone", `{}`).wantMissing()
	if n := len(a.get("/api/v2/ticket_forms").ids("ticket_forms")); n != 1 {
		t.Errorf("%d forms are there after refusals", n)
	}
	agent := a.signedInAs("agent")
	path := fmt.Sprintf("/api/v2/ticket_forms/%d", a.get("/api/v2/ticket_forms").ids("ticket_forms")[0])
	agent.post("/api/v2/ticket_forms", `{"ticket_form":{"name":"x"}}`).wantForbidden()
	agent.put(path, `{"ticket_form":{"name":"x"}}`).wantForbidden()
	agent.delete(path).wantForbidden()
	agent.post(path+"/clone", "").wantForbidden()
	agent.put("/api/v2/ticket_forms/reorder", `{"ticket_form_ids":[]}`).wantForbidden()
	a.another().delete(path).wantMissing()
}
