package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestOrganizationMembershipOnTheWire(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	organization := a.organization("Globex")
	user, _ := a.person(models.RoleEndUser)
	r := a.post("/api/v2/organization_memberships.json", fmt.Sprintf(
		`{"organization_membership":{"user_id":"%d","organization_id":%d,"default":null,"view_tickets":true}}`, user, organization)).want(201)
	id := r.id("organization_membership")
	url := fmt.Sprintf("http://helpd.test/api/v2/organization_memberships/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	one := fmt.Sprintf(`{"url":%q,"id":%d,"user_id":%d,"organization_id":%d,"default":true,"created_at":%q,
		"organization_name":"Globex","updated_at":%q,"view_tickets":true}`, url, id, user, organization, clockText, clockText)
	r.wantJSON(`{"organization_membership":%s}`, one)
	a.get(fmt.Sprintf("/api/v2/organization_memberships/%d", id)).want(200).wantJSON(`{"organization_membership":%s}`, one)
	a.get(fmt.Sprintf("/api/v2/users/%d/organization_memberships/%d.json", user, id)).want(200).wantJSON(`{"organization_membership":%s}`, one)
	list := fmt.Sprintf(`{"organization_memberships":[%s],"next_page":null,"previous_page":null,"count":1}`, one)
	a.get("/api/v2/organization_memberships").want(200).wantJSON("%s", list)
	a.get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", user)).want(200).wantJSON("%s", list)
	a.get(fmt.Sprintf("/api/v2/organizations/%d/organization_memberships", organization)).want(200).wantJSON("%s", list)
	for _, path := range []string{"", fmt.Sprintf("/%d", id)} {
		beside := a.get("/api/v2/organization_memberships" + path + "?include=users,organizations").want(200)
		if got := beside.ids("organizations"); len(got) != 1 || got[0] != organization {
			t.Errorf("organizations beside it %v", got)
		}
		if got := beside.ids("users"); len(got) != 1 || got[0] != user {
			t.Errorf("users beside it %v", got)
		}
	}
	if got := a.get(fmt.Sprintf("/api/v2/users/%d/organizations", user)).want(200).ids("organizations"); len(got) != 1 || got[0] != organization {
		t.Errorf("organizations of the user: %v", got)
	}
	a.get(fmt.Sprintf("/api/v2/users/%d/organizations/count", user)).want(200)
}

func TestOrganizationMembershipRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	organization := a.organization("Globex")
	user, email := a.person(models.RoleEndUser)
	body := func(user, organization int64) string {
		return fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, user, organization)
	}
	path := "/api/v2/organization_memberships"
	a.post(path, body(user, organization)).want(201)
	a.post(path, body(user, organization)).wantDetail("user_id", "User: is already a member of this organization")
	a.post(path, body(user, 404)).wantDetail("organization_id", "Organization: 404 is not an organization")
	a.post(path, body(404, organization)).wantDetail("user_id", "User: 404 is not a user")
	a.post(path, `{"organization_membership":{}}`).want(422)
	a.post(path, `{"organization_membership":[]}`).want(400)
	a.post("/api/v2/users/404/organization_memberships", body(0, organization)).wantMissing()
	a.as(email).post(path, body(user, organization)).wantForbidden()
	a.get(path + "/404").wantMissing()
	a.delete(path + "/404").wantMissing()
	a.get("/api/v2/users/404/organization_memberships").wantMissing()
	a.get("/api/v2/organizations/404/organization_memberships").wantMissing()
	a.delete(fmt.Sprintf("/api/v2/users/%d/organizations/404", user)).wantMissing()
}

func TestDefaultOrganization(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	user, email := a.person(models.RoleEndUser)
	join := func(organization int64) int64 {
		return a.post(fmt.Sprintf("/api/v2/users/%d/organization_memberships", user),
			fmt.Sprintf(`{"organization_membership":{"organization_id":%d}}`, organization)).want(201).id("organization_membership")
	}
	globex, initech := a.organization("Globex"), a.organization("Initech")
	first, second := join(globex), join(initech)

	r := a.put(fmt.Sprintf("/api/v2/users/%d/organization_memberships/%d/make_default.json", user, second), `{}`).want(200)
	if got := r.ids("organization_memberships"); fmt.Sprint(got) != fmt.Sprint([]int64{second, first}) {
		t.Errorf("%v", got)
	}
	if r.member("organization_memberships", 0, "default") != true || r.member("organization_memberships", 1, "default") != false {
		t.Errorf("%s", r.body)
	}
	r = a.as(email).put(fmt.Sprintf("/api/v2/users/%d/organizations/%d/make_default", user, globex), "").want(200)
	if r.id("organization_membership") != first || r.member("organization_membership", "default") != true {
		t.Errorf("%s", r.body)
	}
	other, _ := a.person(models.RoleEndUser)
	a.as(email).put(fmt.Sprintf("/api/v2/users/%d/organizations/%d/make_default", other, globex), "").want(404)
	a.as(email).get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", other)).wantForbidden()
	own := a.as(email).get("/api/v2/organization_memberships?include=users,organizations").want(200)
	if got := own.ids("organization_memberships"); len(got) != 2 || strings.Contains(string(own.body), `"users"`) || strings.Contains(string(own.body), `"organizations"`) {
		t.Errorf("own memberships %s", own.body)
	}
	a.as(email).get(fmt.Sprintf("/api/v2/users/%d/organizations", user)).wantForbidden()

	a.delete(fmt.Sprintf("/api/v2/users/%d/organizations/%d", user, globex)).want(204)
	a.delete(fmt.Sprintf("/api/v2/users/%d/organization_memberships/%d", other, second)).wantMissing()
	a.delete(fmt.Sprintf("/api/v2/users/%d/organization_memberships/%d", user, second)).want(204)
	a.delete(fmt.Sprintf("/api/v2/organization_memberships/%d", second)).wantMissing()
}

func TestOrganizationMembershipsOfAnotherAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	user, _ := a.person(models.RoleEndUser)
	organization := a.organization("Globex")
	id := a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, user, organization)).
		want(201).id("organization_membership")
	b := a.another()
	b.get(fmt.Sprintf("/api/v2/organization_memberships/%d", id)).wantMissing()
	b.delete(fmt.Sprintf("/api/v2/organization_memberships/%d", id)).wantMissing()
	b.get(fmt.Sprintf("/api/v2/users/%d/organizations", user)).wantMissing()
	b.get("/api/v2/organization_memberships").want(200).wantJSON(`{"organization_memberships":[],"next_page":null,"previous_page":null,"count":0}`)
}

func TestBulkOrganizationMemberships(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	organization := a.organization("Globex")
	user, _ := a.person(models.RoleEndUser)
	done := a.post("/api/v2/organization_memberships/create_many", fmt.Sprintf(
		`{"organization_memberships":[{"user_id":%[1]d,"organization_id":%[2]d},{"user_id":%[1]d,"organization_id":%[2]d}]}`, user, organization)).
		want(200).jobDone(a)
	if done.member("job_status", "results", 0, "status") != "Created" || done.member("job_status", "results", 1, "status") != "Failed" {
		t.Errorf("%s", done.body)
	}
	path := fmt.Sprintf("/api/v2/users/%d/organization_memberships", user)
	id := a.get(path).want(200).ids("organization_memberships")[0]
	done = a.delete(fmt.Sprintf("/api/v2/organization_memberships/destroy_many?ids=%d", id)).want(200).jobDone(a)
	if got := canonical(t, mustJSON(t, done.member("job_status", "results"))); got != fmt.Sprintf(`[{"action":"delete","id":%d,"status":"Deleted","success":true}]`, id) {
		t.Errorf("%s", got)
	}
	if got := a.get(path).want(200).ids("organization_memberships"); len(got) != 0 {
		t.Errorf("left %v", got)
	}
	a.delete("/api/v2/organization_memberships/destroy_many").want(400)
}
