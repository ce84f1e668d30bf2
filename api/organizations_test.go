package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// person makes a user without the API, so that a test of another area does not
// hang on it, and returns the user's id and e-mail address.
func (a *anAPI) person(role string) (int64, string) {
	a.t.Helper()
	email := a.email(fmt.Sprintf("%s-%d", role, accountNumber.Add(1)))
	stamps := models.Stamps{CreatedAt: theClock, UpdatedAt: theClock}
	u := models.User{
		Name: role, Email: &email, Role: role, Active: true, Verified: true, TimeZone: "UTC", Locale: "en-US",
		UserFields: models.JSON("{}"), Stamps: stamps,
	}
	tx := a.db.WithContext(a.ctx())
	if err := tx.Create(&u).Error; err != nil {
		a.t.Fatal(err)
	}
	i := models.UserIdentity{UserID: u.ID, Type: models.IdentityEmail, Value: email, Verified: true, Primary: true, Stamps: stamps}
	if err := tx.Create(&i).Error; err != nil {
		a.t.Fatal(err)
	}
	return u.ID, email
}

func (a *anAPI) organization(name string) int64 {
	a.t.Helper()
	return a.post("/api/v2/organizations", fmt.Sprintf(`{"organization":{"name":%q}}`, name)).want(201).id("organization")
}

func TestOrganizationIsCreatedAndShown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"Tier 2"}}`).want(201).id("group")
	r := a.post("/api/v2/organizations.json", fmt.Sprintf(`{"organization":{"id":"","url":"x","name":" Globex ","shared_tickets":"true","external_id":7,
		"domain_names":"Globex.com globex.org,globex.com","details":"d","notes":"n","group_id":"%d","tags":["VIP","two words"],
		"organization_fields":{"unknown":1}}}`, group)).want(201)
	id := r.id("organization")
	url := fmt.Sprintf("http://helpd.test/api/v2/organizations/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	want := fmt.Sprintf(`{"organization":{"url":%q,"id":%d,"name":"Globex","shared_tickets":true,"shared_comments":false,"external_id":"7",
		"created_at":%q,"updated_at":%q,"domain_names":["globex.com","globex.org"],"details":"d","notes":"n","group_id":%d,
		"tags":["vip","two","words"],"organization_fields":{}}}`, url, id, clockText, clockText, group)
	r.wantJSON("%s", want)
	a.get(fmt.Sprintf("/api/v2/organizations/%d.json", id)).want(200).wantJSON("%s", want)
}

func TestBareOrganization(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	a.get(fmt.Sprintf("/api/v2/organizations/%d?include=abilities,unknown", id)).want(200).wantJSON(`{"organization":{
		"url":"http://helpd.test/api/v2/organizations/%[1]d.json","id":%[1]d,"name":"Globex","shared_tickets":false,"shared_comments":false,
		"external_id":null,"created_at":%[2]q,"updated_at":%[2]q,"domain_names":[],"details":null,"notes":null,"group_id":null,"tags":[],
		"organization_fields":{}},
		"abilities":[{"url":"http://helpd.test/api/v2/organizations/%[1]d.json","organization_id":%[1]d,"can_edit":true,"can_edit_notes":true,"can_delete":true}]}`,
		id, clockText)
}

func TestOrganizationRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.post("/api/v2/organizations", `{"organization":{"name":"Globex","external_id":"g1"}}`).want(201)
	post := func(body string) *result { return a.post("/api/v2/organizations", `{"organization":`+body+`}`) }
	post(`{}`).wantDetail("name", "Name: cannot be blank")
	post(`{"name":"gLOBEX "}`).want(422).wantJSON(`{"error":"RecordInvalid","description":"Record validation errors",
		"details":{"name":[{"description":"Name: gLOBEX has already been taken","error":"DuplicateValue"}]}}`)
	post(`{"name":"X","external_id":"G1"}`).wantDetail("external_id", "External: G1 has already been taken")
	post(`{"name":"X","group_id":404}`).wantDetail("group_id", "Group: 404 is not a group")
	post(`{"name":"X","domain_names":["no domain!"]}`).wantDetail("domain_names", "Domain names: domain! is not a domain")
	post(`{"name":["X"]}`).want(400)
	post(`{"name":"X","shared_tickets":"maybe"}`).want(400)
	post(`{"name":"X","organization_fields":"x"}`).want(400)
	post(`[]`).want(400)
	a.post("/api/v2/organizations", `{"name":"X"}`).want(400)
	a.post("/api/v2/organizations", `{"organization":`).wantError(400, "Unprocessable JSON")
}

func TestOrganizationIsUpdated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	path := fmt.Sprintf("/api/v2/organizations/%d", id)
	a.put(path, `{"organization":{"notes":"n","external_id":"e","tags":"a b"}}`).want(200)
	r := a.put(path, `{"organization":{"external_id":null,"domain_names":["x.example"]}}`).want(200)
	if r.member("organization", "external_id") != nil || r.member("organization", "notes") != "n" || r.member("organization", "tags", 1) != "b" {
		t.Errorf("%s", r.body)
	}
	a.put(path, `{"organization":{"name":""}}`).wantDetail("name", "Name: cannot be blank")
	a.put("/api/v2/organizations/404", `{"organization":{"notes":"n"}}`).wantMissing()

	_, email := a.person(models.RoleAgent)
	agent := a.as(email)
	agent.put(path, `{"organization":{"name":"Globex","notes":"seen"}}`).want(200)
	agent.put(path, `{"organization":{"name":"Mine"}}`).wantForbidden()
}

func TestCreateOrUpdateOrganization(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := "/api/v2/organizations/create_or_update"
	r := a.post(path, `{"organization":{"name":"Globex","external_id":"g1"}}`).want(201)
	id := r.id("organization")
	location := fmt.Sprintf("http://helpd.test/api/v2/organizations/%d.json", id)
	if got := r.header.Get("Location"); got != location {
		t.Errorf("Location %q", got)
	}
	r = a.post(path, `{"organization":{"name":"Globex Inc","external_id":"G1"}}`).want(200)
	if r.id("organization") != id || r.member("organization", "name") != "Globex Inc" {
		t.Errorf("%s", r.body)
	}
	a.post(path, fmt.Sprintf(`{"organization":{"id":%d,"notes":"n"}}`, id)).want(200)
	a.post(path, `{"organization":{"name":"globex inc"}}`).wantDetail("name", "Name: globex inc has already been taken")
	a.post(path, `{"organization":{"id":404,"name":"X"}}`).wantMissing()
}

func TestOrganizationIsDeleted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	user, _ := a.person(models.RoleEndUser)
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, user, id)).want(201)
	path := fmt.Sprintf("/api/v2/organizations/%d", id)
	if r := a.delete(path + ".json").want(204); len(r.body) != 0 {
		t.Errorf("body %s", r.body)
	}
	a.get(path).wantMissing()
	a.delete(path).wantMissing()
	a.get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", user)).want(200).
		wantJSON(`{"organization_memberships":[],"next_page":null,"previous_page":null,"count":0}`)
	a.organization("Globex") // the name is free again
}

func TestOrganizationsListed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second, third := a.organization("C 1"), a.organization("c 2"), a.organization("B")
	wantIDs := func(r *result, want ...int64) {
		t.Helper()
		if got := r.want(200).ids("organizations"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", r.path, got, want)
		}
	}
	r := a.get("/api/v2/organizations?page[size]=2&include=abilities")
	wantIDs(r, first, second)
	next := r.member("links", "next").(string)
	if !strings.HasPrefix(next, "http://helpd.test/api/v2/organizations.json?") || !strings.Contains(next, "include=abilities") {
		t.Errorf("next %s", next)
	}
	r = a.get(strings.TrimPrefix(next, "http://helpd.test"))
	wantIDs(r, third)
	if r.member("meta", "has_more") != false || r.member("links", "next") != nil {
		t.Errorf("%s", r.body)
	}
	wantIDs(a.get("/api/v2/organizations?per_page=2&page=2"), third)
	a.get("/api/v2/organizations/count").want(200)
	if got := a.get("/api/v2/organizations/count").member("count", "value"); got != json.Number("3") {
		t.Errorf("count %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/organizations/%d", second), `{"organization":{"external_id":"e,2"}}`).want(200)
	a.put(fmt.Sprintf("/api/v2/organizations/%d", third), `{"organization":{"external_id":"e3"}}`).want(200)
	wantIDs(a.get("/api/v2/organizations/search.json?external_id=E3"), third)
	wantIDs(a.get("/api/v2/organizations/search?name=c%201"), first)
	a.get("/api/v2/organizations/search").want(400)
	wantIDs(a.get("/api/v2/organizations/autocomplete?name=C"), first, second)
	wantIDs(a.post("/api/v2/organizations/autocomplete", `{"name":"c 2"}`), second)
	wantIDs(a.post("/api/v2/organizations/autocomplete?name=b", ""), third)
	a.get("/api/v2/organizations/autocomplete").want(400)
	wantIDs(a.get(fmt.Sprintf("/api/v2/organizations/show_many?ids=%d,404,%d", third, first)), first, third)
	wantIDs(a.get("/api/v2/organizations/show_many?external_ids=E3"), third)
	a.get("/api/v2/organizations/show_many?ids=" + strings.Repeat("1,", 100) + "1").want(400).wantJSON(
		`{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`)
}

func TestOrganizationRelatedAndTags(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	path := fmt.Sprintf("/api/v2/organizations/%d", id)
	a.get(path + "/related").want(200).wantJSON(`{"organization_related":{"tickets_count":0,"users_count":0}}`)
	a.get(path + "/tags").want(200).wantJSON(`{"tags":[]}`)
	a.post(path+"/tags", `{"tags":["A","b"]}`).want(201).wantJSON(`{"tags":["a","b"]}`)
	a.put(path+"/tags", `{"tags":"c"}`).want(200).wantJSON(`{"tags":["a","b","c"]}`)
	a.do("DELETE", path+"/tags", `{"tags":["a"]}`).want(200).wantJSON(`{"tags":["b","c"]}`)
	a.delete(path + "/tags").want(200).wantJSON(`{"tags":["b","c"]}`)
	a.post(path+"/tags", `{}`).want(400) // and not all tags gone
	a.post(path+"/tags", `{"tags":null}`).want(400)
	a.post(path+"/tags", `{"tags":[]}`).want(201).wantJSON(`{"tags":[]}`)
	a.get("/api/v2/organizations/404/tags").wantMissing()
	a.get("/api/v2/organizations/404/related").wantMissing()
	_, email := a.person(models.RoleAgent)
	a.as(email).put(path+"/tags", `{"tags":"c"}`).wantForbidden()
}

func TestOrganizationsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	_, agentEmail := a.person(models.RoleAgent)
	_, userEmail := a.person(models.RoleEndUser)
	one := fmt.Sprintf("/api/v2/organizations/%d", id)
	for _, tc := range []struct{ method, path, body string }{
		{"GET", "/api/v2/organizations", ""}, {"GET", one, ""}, {"GET", "/api/v2/organizations/count", ""},
		{"GET", "/api/v2/organizations/autocomplete?name=g", ""}, {"GET", "/api/v2/organizations/search?name=g", ""},
		{"GET", "/api/v2/organizations/show_many?ids=1", ""}, {"GET", one + "/related", ""}, {"GET", one + "/organization_memberships", ""},
		{"PUT", one, `{"organization":{"notes":"x"}}`},
	} {
		a.as(userEmail).do(tc.method, tc.path, tc.body).wantForbidden()
		a.as(agentEmail).do(tc.method, tc.path, tc.body).want(200)
	}
	for _, tc := range []struct{ method, path, body string }{
		{"POST", "/api/v2/organizations", `{"organization":{"name":"x"}}`}, {"DELETE", one, ""},
		{"POST", "/api/v2/organizations/create_or_update", `{"organization":{"name":"x"}}`},
		{"POST", "/api/v2/organizations/create_many", `{"organizations":[{"name":"x"}]}`},
		{"DELETE", "/api/v2/organizations/destroy_many?ids=1", ""},
	} {
		a.as(userEmail).do(tc.method, tc.path, tc.body).wantForbidden()
		a.as(agentEmail).do(tc.method, tc.path, tc.body).wantForbidden()
	}
	a.anonymous().get(one).want(401)
	a.another().get(one).wantMissing()
	a.another().delete(one).wantMissing()
}

func TestBulkOrganizations(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	r := a.post("/api/v2/organizations/create_many", `{"organizations":[{"name":"A","external_id":"a1"},{"name":"a "},{"name":"B"}]}`).want(200)
	if got := r.member("job_status", "job_type"); got != "Bulk Create Organization" {
		t.Errorf("job_type %v", got)
	}
	done := r.jobDone(a)
	var made struct {
		JobStatus struct {
			Status  string
			Results []struct {
				ID             int64
				Status, Error  string
				Action, Detail string
			}
		} `json:"job_status"`
	}
	done.json(&made)
	results := made.JobStatus.Results
	if made.JobStatus.Status != "completed" || len(results) != 3 || results[0].Status != "Created" || results[1].Error != "RecordInvalid" || results[2].Status != "Created" {
		t.Fatalf("%s", done.body)
	}
	first, last := results[0].ID, results[2].ID

	done = a.put(fmt.Sprintf("/api/v2/organizations/update_many?ids=%d,%d", first, last), `{"organization":{"notes":"both"}}`).want(200).jobDone(a)
	if got := canonical(t, mustJSON(t, done.member("job_status", "results"))); got != fmt.Sprintf(
		`[{"action":"update","id":%d,"status":"Updated","success":true},{"action":"update","id":%d,"status":"Updated","success":true}]`, first, last) {
		t.Errorf("%s", got)
	}
	a.put("/api/v2/organizations/update_many", fmt.Sprintf(`{"organizations":[{"external_id":"A1","notes":"one"},{"id":%d,"notes":"two"},{"id":404}]}`, last)).
		want(200).jobDone(a)
	for id, want := range map[int64]string{first: "one", last: "two"} {
		if got := a.get(fmt.Sprintf("/api/v2/organizations/%d", id)).member("organization", "notes"); got != want {
			t.Errorf("notes %v, want %s", got, want)
		}
	}
	a.put("/api/v2/organizations/update_many", `{"organization":{"notes":"x"}}`).want(400)
	a.delete("/api/v2/organizations/destroy_many").want(400)
	a.delete("/api/v2/organizations/destroy_many?ids=" + strings.Repeat("1,", 101)).want(400)
	a.delete(fmt.Sprintf("/api/v2/organizations/destroy_many?ids=%d", first)).want(200).jobDone(a)
	a.delete("/api/v2/organizations/destroy_many?external_ids=none").want(200).jobDone(a)
	a.get(fmt.Sprintf("/api/v2/organizations/%d", first)).wantMissing()
	a.get(fmt.Sprintf("/api/v2/organizations/%d", last)).want(200)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOddInputToOrganizationsAndGroups(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.organization("Globex")
	membership := a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, a.admin.ID, id)).
		want(201).id("organization_membership")
	for _, tc := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v2/organizations/0", "", 404},
		{"GET", "/api/v2/organizations/-1", "", 404},
		{"GET", "/api/v2/organizations/9223372036854775807.json", "", 404},
		{"GET", "/api/v2/organizations/9223372036854775808", "", 404},
		{"GET", "/api/v2/organizations/abc", "", 400},
		{"GET", "/api/v2/organizations/show_many", "", 200},
		{"GET", "/api/v2/organizations/show_many?ids=abc", "", 400},
		{"GET", "/api/v2/organizations/show_many?ids=,,", "", 200},
		{"GET", "/api/v2/organizations/autocomplete?name=%00", "", 400},
		{"GET", "/api/v2/organizations/autocomplete?name=%ff", "", 400},
		{"GET", "/api/v2/organizations/autocomplete?name=%25", "", 200},
		{"GET", "/api/v2/organizations/search?external_id=%5C", "", 200},
		{"GET", "/api/v2/organizations?per_page=0", "", 400},
		{"GET", "/api/v2/organizations?per_page=1000000000", "", 200},
		{"GET", "/api/v2/organizations?page[size]=-1", "", 400},
		{"GET", "/api/v2/organizations?page[after]=x&page[size]=1", "", 400},
		{"POST", "/api/v2/organizations", "", 400},
		{"POST", "/api/v2/organizations", `{"organization":null}`, 400},
		{"POST", "/api/v2/organizations", `{"organization":{"name":null}}`, 422},
		{"POST", "/api/v2/organizations", `{"organization":{"name":"x","group_id":-1}}`, 422},
		{"POST", "/api/v2/organizations", `{"organization":{"name":"x","group_id":9223372036854775808}}`, 400},
		{"POST", "/api/v2/organizations", `{"organization":{"name":"x\u0000"}}`, 400},
		{"POST", "/api/v2/organizations/create_many", `{"organizations":{}}`, 400},
		{"POST", "/api/v2/organizations/create_many", `{}`, 400},
		{"PUT", "/api/v2/organizations/update_many?ids=abc", `{"organization":{}}`, 400},
		{"POST", "/api/v2/organization_memberships", `{"organization_membership":{"user_id":0,"organization_id":-1}}`, 422},
		{"GET", "/api/v2/users/0/organization_memberships", "", 404},
		{"GET", "/api/v2/users/-1/organizations", "", 404},
		{"GET", "/api/v2/users/-1/groups", "", 404},
		{"GET", "/api/v2/groups?exclude_deleted=perhaps", "", 400},
		{"GET", "/api/v2/groups/0/memberships", "", 404},
		{"GET", "/api/v2/users/0/groups", "", 404},
		{"GET", "/api/v2/users/0/group_memberships", "", 404},
		{"DELETE", fmt.Sprintf("/api/v2/users/0/organization_memberships/%d", membership), "", 404},
		{"POST", "/api/v2/group_memberships", `{"group_membership":{"user_id":-1,"group_id":0}}`, 422},
		{"POST", "/api/v2/group_memberships/create_many", `{"group_memberships":"x"}`, 400},
		{"PUT", fmt.Sprintf("/api/v2/organizations/%d", id), `{"organization":{"notes":{}}}`, 400},
	} {
		a.do(tc.method, tc.path, tc.body).want(tc.status)
	}
}
