package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func userPath(id int64, rest ...string) string {
	return fmt.Sprintf("/api/v2/users/%d%s", id, strings.Join(rest, ""))
}

func TestUserIsCreatedAndShown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	// id "" and unknown members come from clients that echo their own objects.
	r := a.post("/api/v2/users.json", `{"user":{"id":"","url":"x","name":"Roger Wilco","email":"Roge@Example.org","external_id":5,
		"phone":null,"verified":"true","tags":["VIP","vip big"],"photo":null,"user_fields":{"x":1},"skip_verify_email":true,
		"time_zone":"Copenhagen","locale":"DE","details":"","notes":"Likes space"}}`).want(201)
	id := r.id("user")
	url := fmt.Sprintf("http://helpd.test/api/v2/users/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	want := fmt.Sprintf(`{"user":{"id":%d,"url":%q,"name":"Roger Wilco","email":"roge@example.org","created_at":%q,"updated_at":%q,
		"time_zone":"Copenhagen","iana_time_zone":"Europe/Copenhagen","phone":null,"shared_phone_number":null,"photo":null,
		"locale_id":8,"locale":"de","organization_id":null,"role":"end-user","verified":true,"external_id":"5","tags":["vip","big"],
		"alias":null,"active":true,"shared":false,"shared_agent":false,"last_login_at":null,"two_factor_auth_enabled":false,
		"signature":null,"details":null,"notes":"Likes space","role_type":null,"custom_role_id":null,"moderator":false,
		"ticket_restriction":"requested","only_private_comments":false,"restricted_agent":true,"suspended":false,
		"default_group_id":null,"report_csv":false,"user_fields":{}}}`, id, url, clockText, clockText)
	r.wantJSON("%s", want)
	a.get(userPath(id)).want(200).wantJSON("%s", want)
}

func TestUserEchoedBackIsUnchanged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Gus", a.email("gus"), "agent")
	before := a.get(userPath(id)).want(200)
	a.put(userPath(id), string(before.body)).want(200).wantJSON("%s", before.body)
}

func TestUserRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"B","email":%q}}`, a.email("ann"))).want(422).wantJSON(`{"error":"RecordInvalid",
		"description":"Record validation errors","details":{"email":[{"description":"Email: %s is already being used by another user","error":"DuplicateValue"}]}}`,
		a.email("ann"))
	a.post("/api/v2/users", `{"user":{"name":""}}`).wantDetail("name", "Name: is too short (minimum is 1 characters)")
	a.post("/api/v2/users", `{"user":{"name":"B","email":"nonsense"}}`).wantDetail("email", "Email: nonsense is not properly formatted")
	a.post("/api/v2/users", `{"user":{"name":"B","role":"boss"}}`).wantDetail("role", "Role: boss is not a role: end-user, agent or admin")
	a.post("/api/v2/users", `{"user":{"name":["B"]}}`).want(400)
	a.post("/api/v2/users", `{"user":{"name":"B","organization_id":"abc"}}`).want(400)
	a.post("/api/v2/users", `{"user":[]}`).want(400)
	a.post("/api/v2/users", `{"name":"B"}`).want(400)
	a.post("/api/v2/users", `{"user":`).wantError(400, "Unprocessable JSON")
}

func TestUserBadInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	for _, path := range []string{
		"?external_id=%00", "/search?query=%00", "/autocomplete?name=a%00", "?role=%27--", "?permission_set=abc",
		"/show_many?ids=abc", "?page=-1", "?page[size]=0", "/search?query=" + strings.Repeat("a+", 30), "?page[after]=eyJvIjoiaWQiLCJ2IjpbIngiXX0=",
	} {
		if r := a.get("/api/v2/users" + path); r.status < 400 || r.status >= 500 {
			t.Errorf("%s: %d: %.300s", path, r.status, r.body)
		}
	}
	for _, body := range []string{
		`{"user":{"name":"\u0000"}}`, "{\"user\":{\"name\":\"\xff\"}}", `{"user":null}`, `{"user":{"tags":[[1]]}}`, `{"user":{"suspended":"maybe"}}`,
		`{"user":{"organization_id":9223372036854775808}}`, `{"user":{"organization_id":-1}}`, `{"user":{"organization":"x"}}`,
		`{"user":{"identities":[1]}}`, `{"user":{"locale_id":"x"}}`, `{"user":{"external_id":{}}}`, `{"user":{"name":"` + strings.Repeat("x", 256) + `"}}`,
		`{"user":{"email":"` + strings.Repeat("x", 300) + `@x.example"}}`, `{"user":{"email":"a@b"}}`, `{"user":{"role":""}}`, `{"user":{"default_group_id":1,"role":"agent"}}`,
	} {
		if r := a.put(userPath(id), body); r.status < 400 || r.status >= 500 {
			t.Errorf("%.80s: %d: %.300s", body, r.status, r.body)
		}
	}
	if r := a.as("a\x00b@example.com").get("/api/v2/users"); r.status < 400 || r.status >= 500 {
		t.Errorf("a NUL in the credentials: %d", r.status)
	}
	if r := a.with("X-On-Behalf-Of", "\xff@example.com").get("/api/v2/users"); r.status < 400 || r.status >= 500 {
		t.Errorf("no UTF-8 in a header: %d", r.status)
	}
	if got := a.get(userPath(id)).want(200); got.member("user", "name") != "Ann" || got.member("user", "role") != "end-user" {
		t.Errorf("half written: %s", got.body)
	}
}

func TestMissingUsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	b := a.another()
	theirs := b.user("Theirs", b.email("theirs"), "end-user")
	for _, id := range []string{"404", "0", "-1", "9223372036854775807", "9223372036854775808", fmt.Sprint(theirs)} {
		a.get("/api/v2/users/" + id).wantMissing()
		a.put("/api/v2/users/"+id, `{"user":{"name":"X"}}`).wantMissing()
		a.delete("/api/v2/users/" + id).wantMissing()
		a.get("/api/v2/users/" + id + "/tags").wantMissing()
		a.get("/api/v2/users/" + id + "/related").wantMissing()
		a.get("/api/v2/users/" + id + "/identities").wantMissing()
		a.get("/api/v2/groups/" + id + "/users").wantMissing()
		a.get("/api/v2/organizations/" + id + "/users/count").wantMissing()
	}
	a.get("/api/v2/users/abc").want(400)
	a.get(fmt.Sprintf("/api/v2/users/show_many?ids=%d", theirs)).want(200).wantJSON(`{"users":[],"count":0,"next_page":null,"previous_page":null}`)
}

func TestEndUsersSeeThemselvesOnly(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, bob := a.user("Ann", a.email("ann"), "end-user"), a.user("Bob", a.email("bob"), "end-user")
	a.put(userPath(ann), `{"user":{"notes":"difficult","tags":["angry"]}}`).want(200)
	e := a.as(a.email("ann"))
	for _, path := range []string{"/api/v2/users", userPath(ann), "/api/v2/users/count", "/api/v2/users/search?query=x", userPath(ann, "/tags")} {
		e.get(path).wantForbidden()
	}
	e.post("/api/v2/users", `{"user":{"name":"X"}}`).wantForbidden()
	me := e.get("/api/v2/users/me").want(200)
	if me.member("user", "notes") != nil || len(me.member("user", "tags").([]any)) != 0 {
		t.Errorf("what agents note is shown to the end user: %s", me.body)
	}
	e.get(fmt.Sprintf("/api/v2/end_users/%d", ann)).want(200).wantJSON(`{"user":{"id":%d,"url":"http://helpd.test/api/v2/end_users/%d.json",
		"name":"Ann","email":%q,"created_at":%q,"updated_at":%q,"time_zone":"UTC","iana_time_zone":"Etc/UTC","phone":null,
		"shared_phone_number":null,"photo":null,"locale_id":1,"locale":"en-US","organization_id":null,"role":"end-user","verified":true}}`,
		ann, ann, a.email("ann"), clockText, clockText)
	e.get(fmt.Sprintf("/api/v2/end_users/%d", bob)).wantMissing()
	e.put(fmt.Sprintf("/api/v2/end_users/%d", bob), `{"user":{"name":"Mine"}}`).wantMissing()
	e.put(fmt.Sprintf("/api/v2/end_users/%d", ann), `{"user":{"name":"Ann B.","role":"admin","notes":"nice","tags":[]}}`).want(200)
	after := a.get(userPath(ann)).want(200)
	if after.member("user", "name") != "Ann B." || after.member("user", "role") != "end-user" || after.member("user", "notes") != "difficult" {
		t.Errorf("after the own update: %s", after.body)
	}
	a.anonymous().get(fmt.Sprintf("/api/v2/end_users/%d", ann)).want(401)
	a.anonymous().get("/api/v2/users").want(401)
}

func TestCurrentUser(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	me := a.get("/api/v2/users/me.json?include=abilities").want(200)
	if me.id("user") != a.admin.ID || me.member("user", "role_type") != json.Number("4") || me.member("user", "authenticity_token") == "" {
		t.Errorf("me: %s", me.body)
	}
	if me.member("abilities", 0, "can_edit") != true {
		t.Errorf("abilities: %s", me.body)
	}
	nobody := a.anonymous().get("/api/v2/users/me").want(200)
	if nobody.member("user", "id") != nil || nobody.member("user", "name") != "Anonymous user" || nobody.member("user", "email") != "invalid@example.com" {
		t.Errorf("anonymous: %s", nobody.body)
	}
}

func TestAgentsAndRoles(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	gus, eve := a.user("Gus", a.email("gus"), "agent"), a.user("Eve", a.email("eve"), "agent")
	g := a.as(a.email("gus"))
	g.post("/api/v2/users", `{"user":{"name":"New"}}`).want(201)
	g.post("/api/v2/users", `{"user":{"name":"New","role":"agent"}}`).wantForbidden()
	g.put(userPath(eve), `{"user":{"name":"X"}}`).wantForbidden()
	g.delete(userPath(eve)).wantForbidden()
	g.put(userPath(gus), `{"user":{"role":"admin"}}`).wantForbidden()
	g.put(userPath(gus), `{"user":{"alias":"G","role":"agent"}}`).want(200)
	g.delete("/api/v2/users/destroy_many?ids=1").wantForbidden()
	a.put(userPath(a.admin.ID), `{"user":{"role":"agent"}}`).wantDetail("role", "Role: of your own cannot be changed")
	a.delete(userPath(a.admin.ID)).wantDetail("base", "User: you cannot delete yourself")
	// Rights are gone with the very next request.
	a.put(userPath(gus), `{"user":{"suspended":true}}`).want(200)
	g.get("/api/v2/users").want(401)
	a.put(userPath(gus), `{"user":{"suspended":false,"role":"end-user"}}`).want(200)
	g.get("/api/v2/users").wantForbidden()
}

func TestUserIsDeleted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	r := a.delete(userPath(id, ".json")).want(200)
	if r.member("user", "active") != false || r.member("user", "email") != a.email("ann") {
		t.Errorf("deleted: %s", r.body)
	}
	if a.get(userPath(id)).want(200).member("user", "active") != false {
		t.Error("a deleted user is shown as active")
	}
	a.delete(userPath(id)).wantMissing()
	a.put(userPath(id), `{"user":{"name":"X"}}`).wantMissing()
	a.as(a.email("ann")).get("/api/v2/users/me").want(401)
	a.user("Ann again", a.email("ann"), "end-user") // the address is free
}

func TestUsersWalkedPageByPage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range 4 {
		a.user(fmt.Sprint("U", i), a.email(fmt.Sprint("u", i)), "end-user")
	}
	seen := map[int64]bool{}
	path := "/api/v2/users.json?page%5Bsize%5D=2&role=end-user&include=identities"
	for range 5 {
		r := a.get(path).want(200)
		for _, id := range r.ids("users") {
			seen[id] = true
		}
		r.member("identities", 1, "value")
		next, _ := r.member("links", "next").(string)
		if next == "" {
			break
		}
		path = strings.TrimPrefix(next, "http://helpd.test")
	}
	if len(seen) != 4 {
		t.Errorf("%d users were seen", len(seen))
	}
	r := a.get("/api/v2/users?per_page=3&page=2").want(200)
	if r.member("count") != json.Number("5") || len(r.ids("users")) != 2 {
		t.Errorf("page 2: %s", r.body)
	}
	a.get("/api/v2/users?page[after]=broken&page[size]=2").want(400)
	a.get("/api/v2/users?per_page=0").want(400)
	a.get("/api/v2/users?page=101").want(400)
}

func TestUserFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.user("Ann", a.email("ann"), "end-user")
	gus := a.user("Gus", a.email("gus"), "agent")
	a.put(userPath(ann), `{"user":{"external_id":"Crm-7"}}`).want(200)
	group := a.get(userPath(gus)).member("user", "default_group_id").(json.Number).String()
	for path, want := range map[string][]int64{
		"users?role=end-user":                      {ann},
		"users?role[]=agent&role[]=admin":          {a.admin.ID, gus},
		"users?role=agent,admin":                   {a.admin.ID, gus},
		"users?external_id=crm-7":                  {ann},
		"users?permission_set=5":                   {},
		"users/search?external_id=CRM-7":           {ann},
		"users/search?query=an":                    {ann},
		"users/search?query=role:agent":            {gus},
		"users/autocomplete?name=gu":               {gus},
		"users/show_many?external_ids=crm-7,x":     {ann},
		fmt.Sprintf("users/show_many?ids=%d", gus): {gus},
		"groups/" + group + "/users":               {a.admin.ID, gus},
	} {
		got := a.get("/api/v2/" + path).want(200).ids("users")
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if r := a.post("/api/v2/users/autocomplete.json", `{"name":"gus"}`).want(200); len(r.ids("users")) != 1 {
		t.Errorf("autocomplete by body: %s", r.body)
	}
	for path, want := range map[string]string{"users/count": "3", "users/count?role=agent": "1", "groups/" + group + "/users/count": "2"} {
		if got := a.get("/api/v2/"+path).want(200).member("count", "value"); got != json.Number(want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	a.get("/api/v2/users?role=boss").wantDetail("role", "Role: boss is not a role: end-user, agent or admin")
	a.get("/api/v2/users/autocomplete?name=g").wantDetail("name", "Name: is too short (minimum is 2 characters)")
	a.get("/api/v2/users/search").wantError(422, "invalid")
	many := strings.TrimSuffix(strings.Repeat("1,", 101), ",")
	a.get("/api/v2/users/show_many?ids="+many).wantError(400, "TooManyValues")
}

func TestUserSideLoads(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	gus := a.user("Gus", a.email("gus"), "agent")
	r := a.get(userPath(gus, "?include=abilities,roles,identities,groups,open_ticket_count,nonsense")).want(200)
	if r.member("groups", 0, "name") != "Support" || r.member("identities", 0, "value") != a.email("gus") ||
		r.member("open_ticket_count", fmt.Sprint(gus)) != json.Number("0") || r.member("abilities", 0, "can_edit_password") != true {
		t.Errorf("side-loads: %s", r.body)
	}
	list := a.get("/api/v2/users?include=groups").want(200)
	if len(list.ids("groups")) != 1 {
		t.Errorf("the group of two agents is listed %d times", len(list.ids("groups")))
	}
	a.get("/api/v2/users?include=None").want(200)
}

func TestCreateOrUpdateUserByWire(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.post("/api/v2/users/create_or_update", `{"user":{"name":"Bob","external_id":"b-1"}}`).want(201)
	again := a.post("/api/v2/users/create_or_update", `{"user":{"name":"Bobby","external_id":"B-1"}}`).want(200)
	if made.id("user") != again.id("user") || again.header.Get("Location") != made.header.Get("Location") || again.member("user", "external_id") != "B-1" {
		t.Errorf("again: %s", again.body)
	}
}

func TestUserTags(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	path := userPath(id, "/tags")
	a.get(path).want(200).wantJSON(`{"tags":[]}`)
	a.post(path, `{"tags":["One","two three"]}`).want(201).wantJSON(`{"tags":["one","two","three"]}`)
	a.put(path, `{"tags":["two","four"]}`).want(200).wantJSON(`{"tags":["one","two","three","four"]}`)
	a.do("DELETE", path, `{"tags":["one","nix"]}`).want(200).wantJSON(`{"tags":["two","three","four"]}`)
	a.get(path).want(200).wantJSON(`{"tags":["two","three","four"]}`)
	a.put(path, `{"tags":{"a":1}}`).want(400)
}

func TestUserIdentities(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	path := userPath(id, "/identities")
	first := a.get(path).want(200).ids("identities")[0]
	r := a.post(path, fmt.Sprintf(`{"identity":{"type":"email","value":%q}}`, a.email("second"))).want(201)
	second := r.id("identity")
	r.wantJSON(`{"identity":{"url":"http://helpd.test%s/%d.json","id":%d,"user_id":%d,"type":"email","value":%q,"verified":false,
		"primary":false,"created_at":%q,"updated_at":%q,"undeliverable_count":0,"deliverable_state":"deliverable"}}`,
		path, second, second, id, a.email("second"), clockText, clockText)
	a.post(path, fmt.Sprintf(`{"identity":{"type":"email","value":%q}}`, a.email("ann"))).
		wantDetail("value", fmt.Sprintf("Value: %s is already being used by another user", a.email("ann")))
	a.post(path, `{"identity":{"type":"fax","value":"1"}}`).want(422)
	a.post(path, `{"identity":{"type":"email"}}`).wantDetail("value", "Value: cannot be blank")
	one := fmt.Sprintf("%s/%d", path, second)
	a.put(one+"/request_verification", "").want(200).wantJSON(`{}`)
	a.put(one+"/verify", "").want(200)
	a.put(one+"/request_verification", "").wantDetail("base", "Identity: is verified already")
	if got := a.put(one+"/make_primary", "").want(200); len(got.ids("identities")) != 2 {
		t.Errorf("make_primary: %s", got.body)
	}
	if got := a.get(userPath(id)).member("user", "email"); got != a.email("second") {
		t.Errorf("the address is %v", got)
	}
	a.get(one).want(200)
	a.put(one, fmt.Sprintf(`{"identity":{"value":%q}}`, a.email("third"))).want(200)
	a.delete(fmt.Sprintf("%s/%d", path, first)).want(204)
	a.delete(one).wantDetail("base", "Identity: the only e-mail address of a user cannot be deleted")
	a.get(fmt.Sprintf("%s/%d", path, first)).wantMissing()
	if got := a.get(path + "?type[]=twitter").want(200); len(got.ids("identities")) != 0 {
		t.Errorf("filtered: %s", got.body)
	}
	bob := a.user("Bob", a.email("bob"), "end-user")
	e := a.as(a.email("bob"))
	own := fmt.Sprintf("/api/v2/end_users/%d/identities", bob)
	claim := fmt.Sprintf(`{"identity":{"type":"email","value":%q}}`, a.email("claim"))
	e.post(own, claim).wantForbidden()
	mine := fmt.Sprintf("%s/%d", own, a.post(own, claim).want(201).id("identity"))
	e.put(mine+"/verify", "").wantForbidden()
	e.put(mine+"/make_primary", "").want(422)
	e.put(mine, `{"identity":{"value":"x@x.example"}}`).wantForbidden()
	e.put(mine+"/request_verification", "").want(200)
	if got := e.get(own).want(200).ids("identities"); len(got) != 2 {
		t.Errorf("own identities: %v", got)
	}
	e.get(fmt.Sprintf("/api/v2/end_users/%d/identities", id)).wantMissing()
	e.delete(mine).want(204)
}

func TestUserJobs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/users/create_many.json", `{"users":[{"name":"A"},{"name":"B"}]}`).want(200)
	if r.member("job_status", "status") != "queued" || r.member("job_status", "job_type") != "Bulk Create User" || r.member("job_status", "total") != json.Number("2") {
		t.Errorf("job: %s", r.body)
	}
	a.get("/api/v2/job_statuses/" + r.member("job_status", "id").(string)).want(200)
	a.post("/api/v2/users/create_or_update_many", `{"users":[{"name":"A"}]}`).want(200)
	a.put("/api/v2/users/update_many?ids=1,2", `{"user":{"notes":"x"}}`).want(200)
	a.put("/api/v2/users/update_many?external_ids=a,b", `{"user":{"notes":"x"}}`).want(200)
	a.put("/api/v2/users/update_many", `{"users":[{"id":1,"notes":"x"},{"external_id":"a"}]}`).want(200)
	a.put("/api/v2/users/update_many", `{"user":{"notes":"x"}}`).want(400)
	a.put("/api/v2/users/update_many", `{"users":[{"notes":"x"}]}`).want(400)
	a.put("/api/v2/users/update_many?ids=1", `{}`).want(400)
	a.delete("/api/v2/users/destroy_many?ids=1,2").want(200)
	a.delete("/api/v2/users/destroy_many").want(400)
	many := strings.TrimSuffix(strings.Repeat(`{"name":"A"},`, 101), ",")
	a.post("/api/v2/users/create_many", `{"users":[`+many+`]}`).want(400).
		wantJSON(`{"error":"TooManyValues","description":"Maximum 100 users may be created per call"}`)
	a.post("/api/v2/users/create_many", `{"users":{}}`).want(400)
}
