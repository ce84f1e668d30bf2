package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// signedInAs is the same server seen by a new user of this role.
func (a *anAPI) signedInAs(role string) *anAPI {
	a.t.Helper()
	stamps := models.Stamps{CreatedAt: theClock, UpdatedAt: theClock}
	email := a.email(fmt.Sprintf("%s%d", role, accountNumber.Add(1)))
	u := models.User{Name: role, Email: &email, Role: role, Active: true, Verified: true, TimeZone: "UTC", Locale: "de",
		UserFields: models.JSON("{}"), Stamps: stamps}
	if err := a.db.WithContext(a.ctx()).Create(&u).Error; err != nil {
		a.t.Fatal(err)
	}
	identity := models.UserIdentity{UserID: u.ID, Type: models.IdentityEmail, Value: email, Verified: true, Primary: true, Stamps: stamps}
	if err := a.db.WithContext(a.ctx()).Create(&identity).Error; err != nil {
		a.t.Fatal(err)
	}
	return a.as(email)
}

// ticketField makes a field through the API and returns its id.
func (a *anAPI) ticketField(format string, args ...any) int64 {
	a.t.Helper()
	return a.post("/api/v2/ticket_fields", `{"ticket_field":`+fmt.Sprintf(format, args...)+`}`).want(201).id("ticket_field")
}

func TestTicketFieldIsCreatedAndShown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/ticket_fields.json", `{"ticket_field":{"id":1,"type":"tagger","title":" Product ","required":"true","position":null,
		"custom_field_options":[{"name":"Cameras::Compact","value":"Camera Compact","default":true},{"name":"Phone","value":"phone"}]}}`).want(201)
	id := r.id("ticket_field")
	url := fmt.Sprintf("http://helpd.test/api/v2/ticket_fields/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	first, second := r.member("ticket_field", "custom_field_options", 0, "id"), r.member("ticket_field", "custom_field_options", 1, "id")
	want := fmt.Sprintf(`{"ticket_field":{"url":%q,"id":%d,"type":"tagger","title":"Product","raw_title":"Product","description":"Product",
		"raw_description":"Product","position":9999,"active":true,"required":true,"collapsed_for_agents":false,"regexp_for_validation":null,
		"title_in_portal":"Product","raw_title_in_portal":"Product","visible_in_portal":false,"editable_in_portal":false,
		"required_in_portal":false,"tag":null,"created_at":%q,"updated_at":%q,"removable":true,"key":null,"agent_description":null,
		"custom_field_options":[{"id":%v,"name":"Cameras::Compact","raw_name":"Cameras::Compact","value":"camera_compact","default":true},
			{"id":%v,"name":"Phone","raw_name":"Phone","value":"phone","default":false}]}}`, url, id, clockText, clockText, first, second)
	r.wantJSON("%s", want)
	a.get(fmt.Sprintf("/api/v2/ticket_fields/%d", id)).want(200).wantJSON("%s", want)
	shown := a.get(fmt.Sprintf("/api/v2/ticket_fields/%d?creator=true", id)).want(200)
	if got := shown.member("ticket_field", "creator_user_id"); fmt.Sprint(got) != fmt.Sprint(a.admin.ID) || shown.member("ticket_field", "creator_app_name") != nil {
		t.Errorf("creator %v", got)
	}
	for _, path := range []string{fmt.Sprintf("/api/v2/ticket_fields/%d", id), "/api/v2/ticket_fields", "/api/v2/ticket_fields?page[size]=20"} {
		q := "?include=users"
		if strings.Contains(path, "?") {
			q = "&include=users"
		}
		if ids := a.get(path + q).want(200).ids("users"); !slices.Equal(ids, []int64{a.admin.ID}) {
			t.Errorf("users beside %s: %v", path, ids)
		}
	}
	var members map[string]any
	if a.anonymous().get("/api/v2/ticket_fields?include=users").want(200).json(&members); members["users"] != nil {
		t.Error("nobody sees who made the fields")
	}
}

func TestFieldsOfEachType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct{ body, member, want string }{
		{`{"title":"T"}`, "type", `"text"`},
		{`{"type":"checkbox","title":"T","tag":"V I P"}`, "tag", `"v_i_p"`},
		{`{"type":"regexp","title":"T","regexp_for_validation":"\\A\\d+\\z"}`, "regexp_for_validation", `"\\A\\d+\\z"`},
		{`{"type":"lookup","title":"T","relationship_target_type":"zen:user","relationship_filter":{"all":[{"field":"role","operator":"is","value":"4"}]}}`,
			"relationship_filter", `{"all":[{"field":"role","operator":"is","value":"4"}],"any":[]}`},
		{`{"type":"lookup","title":"T","relationship_target_type":"zen:ticket"}`, "relationship_filter", `{"all":[],"any":[]}`},
		{`{"type":"multiselect","title":"T","custom_field_options":[{"name":"One","value":"one_x"}]}`, "type", `"multiselect"`},
		{`{"type":"date","title":"T","raw_title":"ignored"}`, "title", `"T"`},
		{`{"type":"integer","raw_title":"R"}`, "title", `"R"`},
		{`{"type":"decimal","title":"T","description":"D","agent_description":"A"}`, "agent_description", `"A"`},
		{`{"type":"partialcreditcard","title":"T","title_in_portal":"P"}`, "title_in_portal", `"P"`},
		{`{"type":"textarea","title":"T","position":"3"}`, "position", `3`},
	} {
		r := a.post("/api/v2/ticket_fields", `{"ticket_field":`+tc.body+`}`).want(201)
		got, err := json.Marshal(r.member("ticket_field", tc.member))
		if err != nil || canonical(t, got) != canonical(t, []byte(tc.want)) {
			t.Errorf("%s: %s is %s, want %s", tc.body, tc.member, got, tc.want)
		}
	}
}

func TestFieldsOfAFreshAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.get("/api/v2/ticket_fields?creator=true").want(200)
	var list struct {
		Fields []struct {
			Type      string
			Position  int
			Removable bool
			Creator   int64                    `json:"creator_user_id"`
			SubType   *int                     `json:"sub_type_id"`
			Options   []struct{ Value string } `json:"system_field_options"`
			Statuses  []struct{ Label string } `json:"custom_statuses"`
		} `json:"ticket_fields"`
		Count    int
		Next     *string `json:"next_page"`
		Previous *string `json:"previous_page"`
	}
	r.json(&list)
	var types []string
	options := map[string]string{}
	for i, f := range list.Fields {
		types = append(types, f.Type)
		for _, o := range f.Options {
			options[f.Type] += o.Value + " "
		}
		if f.Removable || f.Position != i+1 || f.Creator != -1 {
			t.Errorf("field %+v", f)
		}
	}
	if want := "subject description status tickettype priority group assignee custom_status"; strings.Join(types, " ") != want || list.Count != 8 {
		t.Errorf("%d fields %v, want %s", list.Count, types, want)
	}
	for kind, want := range map[string]string{"status": "open pending hold solved ", "tickettype": "question incident problem task ",
		"priority": "low normal high urgent ", "subject": ""} {
		if options[kind] != want {
			t.Errorf("options of %s: %s, want %s", kind, options[kind], want)
		}
	}
	if len(list.Fields[7].Statuses) != 5 {
		t.Errorf("statuses of the ticket status: %+v", list.Fields[7].Statuses)
	}
	r = a.get("/api/v2/ticket_fields/count").want(200)
	r.wantJSON(`{"count":{"value":8,"refreshed_at":"2026-03-04T05:06:07+00:00"}}`)
}

func TestFieldsAreListedWholeOrByCursor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	last := a.ticketField(`{"title":"Last"}`)
	early := a.ticketField(`{"title":"First","position":0}`)
	whole := a.get("/api/v2/ticket_fields?per_page=3&page=2").want(200).ids("ticket_fields")
	if len(whole) != 10 || whole[0] != early || whole[9] != last {
		t.Errorf("by position: %v", whole)
	}
	var walked []int64
	path := "/api/v2/ticket_fields.json?page[size]=4"
	for range 5 {
		r := a.get(path).want(200)
		walked = append(walked, r.ids("ticket_fields")...)
		next, _ := r.member("links", "next").(string)
		if next == "" {
			break
		}
		path = strings.TrimPrefix(next, "http://helpd.test")
	}
	if len(walked) != 10 || !slices.IsSorted(walked) {
		t.Errorf("by id: %v", walked)
	}
	a.get("/api/v2/ticket_fields?page[after]=x").want(400)
}

func TestWhoMaySeeFields(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	seen := a.ticketField(`{"title":"Seen","visible_in_portal":true}`)
	hidden := a.ticketField(`{"title":"Hidden"}`)
	agent, user := a.signedInAs("agent"), a.signedInAs("end-user")
	for name, caller := range map[string]*anAPI{"end user": user, "nobody": a.anonymous()} {
		ids := caller.get("/api/v2/ticket_fields").want(200).ids("ticket_fields")
		if len(ids) != 3 || !slices.Contains(ids, seen) || slices.Contains(ids, hidden) {
			t.Errorf("%s sees %v", name, ids)
		}
	}
	if ids := agent.get("/api/v2/ticket_fields").want(200).ids("ticket_fields"); len(ids) != 10 {
		t.Errorf("an agent sees %v", ids)
	}
	one := fmt.Sprintf("/api/v2/ticket_fields/%d", seen)
	agent.get(one).want(200)
	user.get(one).wantForbidden()
	user.get("/api/v2/ticket_fields/count").wantForbidden()
	agent.post("/api/v2/ticket_fields", `{"ticket_field":{"title":"x"}}`).wantForbidden()
	agent.put(one, `{"ticket_field":{"title":"x"}}`).wantForbidden()
	agent.delete(one).wantForbidden()
	agent.put("/api/v2/ticket_fields/reorder", `{"ticket_field_ids":[1]}`).wantForbidden()
	agent.post(one+"/options", `{"custom_field_option":{"name":"x","value":"x"}}`).wantForbidden()
	agent.delete(one + "/options/1").wantForbidden()
	a.another().get(one).wantMissing()
	a.another().delete(one).wantMissing()
}

func TestFieldIsChanged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticketField(`{"type":"tagger","title":"Product","agent_description":"Ask","custom_field_options":[{"name":"A","value":"a1"},{"name":"B","value":"b1"}]}`)
	path := fmt.Sprintf("/api/v2/ticket_fields/%d", id)
	options := a.get(path).member("ticket_field", "custom_field_options").([]any)
	kept := options[1].(map[string]any)["id"]
	r := a.put(path, fmt.Sprintf(`{"ticket_field":{"id":%d,"type":"text","title":"Goods","agent_description":null,
		"custom_field_options":[{"id":%v,"name":"Bee","value":"b1"},{"id":null,"name":"C","value":"c1"}]}}`, id, kept)).want(200)
	if r.member("ticket_field", "type") != "tagger" || r.member("ticket_field", "title") != "Goods" || r.member("ticket_field", "description") != "Product" ||
		r.member("ticket_field", "agent_description") != nil || r.member("ticket_field", "custom_field_options", 0, "id") != kept ||
		r.member("ticket_field", "custom_field_options", 1, "value") != "c1" || len(r.member("ticket_field", "custom_field_options").([]any)) != 2 {
		t.Errorf("changed to %s", r.body)
	}
	a.put(path, `{"ticket_field":{"active":false}}`).want(200)
	if got := a.get(path).member("ticket_field", "custom_field_options", 0, "name"); got != "Bee" {
		t.Errorf("options are gone with another change: %v", got)
	}
	a.put(path, `{"ticket_field":{"title":""}}`).wantDetail("title", "Title: cannot be blank")
	a.put("/api/v2/ticket_fields/404", `{"ticket_field":{"title":"x"}}`).wantMissing()
	a.put(path, `{"title":"x"}`).want(400)
}

func TestFieldRefusesWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ticketField(`{"type":"checkbox","title":"VIP","tag":"vip"}`)
	for _, tc := range []struct{ body, field, says string }{
		{`{"title":" "}`, "title", "Title: cannot be blank"},
		{`{"title":"x","type":"subject"}`, "type", "Type: subject is not a type of custom ticket fields"},
		{`{"title":"x","type":"tagger"}`, "custom_field_options", "Custom field options: cannot be blank"},
		{`{"title":"x","type":"tagger","custom_field_options":[{"name":"VIP","value":"VIP"}]}`, "base",
			"The tag <strong>vip</strong> is already used in a custom field drop-down, multi-select or checkbox."},
		{`{"title":"x","type":"regexp","regexp_for_validation":"["}`, "regexp_for_validation", "Regexp for validation: is not a valid regular expression"},
		{`{"title":"x","type":"lookup","relationship_target_type":"zen:user","relationship_filter":{"all":[{"field":"x"}]}}`, "relationship_filter",
			"Relationship filter: each condition needs a field and an operator"},
		{`{"title":"x","type":"lookup","relationship_target_type":"zen:user","relationship_filter":{"all":5}}`, "relationship_filter",
			"Relationship filter: must be an object with the lists all and any"},
	} {
		a.post("/api/v2/ticket_fields", `{"ticket_field":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	for _, body := range []string{`{"ticket_field":[]}`, `{"ticket_field":{"title":{}}}`, `{"ticket_field":{"title":"x","active":"perhaps"}}`,
		`{"ticket_field":{"title":"x","custom_field_options":{}}}`, `{"ticket_field":{"title":"a\u0000b"}}`} {
		a.post("/api/v2/ticket_fields", body).want(400)
	}
	if n := fmt.Sprint(a.get("/api/v2/ticket_fields/count").member("count", "value")); n != "9" {
		t.Errorf("%s fields are left", n)
	}
}

func TestFieldIsDeleted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("/api/v2/ticket_fields/%d", a.ticketField(`{"title":"Gone"}`))
	r := a.do("DELETE", path, `{"ticket_field":{"id":1}}`).want(204)
	if len(r.body) != 0 {
		t.Errorf("a body: %s", r.body)
	}
	a.get(path).wantMissing()
	a.delete(path).wantMissing()
	subject := a.get("/api/v2/ticket_fields").ids("ticket_fields")[0]
	a.delete(fmt.Sprintf("/api/v2/ticket_fields/%d", subject)).wantDetail("base", "Subject: is a system field and cannot be deleted")
}

func TestFieldsAreReordered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	before := a.get("/api/v2/ticket_fields").ids("ticket_fields")
	a.put("/api/v2/ticket_fields/reorder", fmt.Sprintf(`{"ticket_field_ids":[%d,"%d"]}`, before[7], before[3])).want(200).wantJSON(`{}`)
	got := a.get("/api/v2/ticket_fields").ids("ticket_fields")
	if want := []int64{before[7], before[3], before[0], before[1], before[2], before[4], before[5], before[6]}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	a.put("/api/v2/ticket_fields/reorder", `{"ticket_field_ids":[404]}`).wantDetail("ticket_field_ids", "Ticket field: 404 is not a ticket field")
	a.put("/api/v2/ticket_fields/reorder", `{}`).want(400)
}

func TestFieldOptions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	field := a.ticketField(`{"type":"multiselect","title":"Colours","custom_field_options":[{"name":"Red","value":"red"}]}`)
	path := fmt.Sprintf("/api/v2/ticket_fields/%d/options", field)
	r := a.post(path, `{"custom_field_option":{"name":"Blue","value":"blue","position":0}}`).want(201)
	id := r.id("custom_field_option")
	url := fmt.Sprintf("http://helpd.test%s/%d.json", path, id)
	want := fmt.Sprintf(`{"custom_field_option":{"url":%q,"id":%d,"name":"Blue","raw_name":"Blue","value":"blue","position":0,"default":false}}`, url, id)
	r.wantJSON("%s", want)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	one := fmt.Sprintf("%s/%d", path, id)
	a.get(one).want(200).wantJSON("%s", want)
	r = a.post(path, fmt.Sprintf(`{"custom_field_option":{"id":"%d","name":"Navy"}}`, id)).want(200)
	if r.member("custom_field_option", "name") != "Navy" || r.member("custom_field_option", "value") != "blue" || r.header.Get("Location") != url {
		t.Errorf("changed to %s", r.body)
	}
	list := a.get(path).want(200)
	if ids := list.ids("custom_field_options"); len(ids) != 2 || ids[0] != id || fmt.Sprint(list.member("count")) != "2" || list.member("next_page") != nil {
		t.Errorf("options %s", list.body)
	}
	if r := a.get(path + "?page[size]=1").want(200); r.member("meta", "has_more") != true || len(r.ids("custom_field_options")) != 1 {
		t.Errorf("page %s", r.body)
	}
	a.post(path, `{"custom_field_option":{"name":"Red too","value":"RED"}}`).wantDetail("base",
		"The tag <strong>red</strong> is already used in a custom field drop-down, multi-select or checkbox.")
	a.post(path, `{"custom_field_option":{"name":"No value"}}`).wantDetail("value", "Value: cannot be blank")
	a.post(path, `{"custom_field_option":{"id":404,"name":"x"}}`).wantMissing()
	a.post("/api/v2/ticket_fields/404/options", `{"custom_field_option":{"name":"x","value":"x"}}`).wantMissing()
	a.signedInAs("end-user").get(path).wantForbidden()
	a.another().get(one).wantMissing()
	a.delete(one).want(204)
	a.delete(one).wantMissing()
	a.get(one).wantMissing()
	a.get(fmt.Sprintf("/api/v2/ticket_fields/%d/options", a.ticketField(`{"title":"Text"}`))).wantMissing()
}
