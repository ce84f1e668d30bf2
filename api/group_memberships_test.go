package api_test

import (
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
)

func (a *anAPI) group(name string) int64 {
	a.t.Helper()
	return a.post("/api/v2/groups", fmt.Sprintf(`{"group":{"name":%q}}`, name)).want(201).id("group")
}

func TestGroupMembershipOnTheWire(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.group("Tier 2")
	user, _ := a.person(models.RoleAgent)
	r := a.post("/api/v2/group_memberships.json", fmt.Sprintf(`{"group_membership":{"user_id":"%d","group_id":%d,"default":"false"}}`, user, group)).want(201)
	id := r.id("group_membership")
	url := fmt.Sprintf("http://helpd.test/api/v2/group_memberships/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	one := fmt.Sprintf(`{"url":%q,"id":%d,"user_id":%d,"group_id":%d,"default":true,"created_at":%q,"updated_at":%q}`,
		url, id, user, group, clockText, clockText)
	r.wantJSON(`{"group_membership":%s}`, one)
	a.get(fmt.Sprintf("/api/v2/group_memberships/%d", id)).want(200).wantJSON(`{"group_membership":%s}`, one)
	a.get(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d", user, id)).want(200).wantJSON(`{"group_membership":%s}`, one)
	list := fmt.Sprintf(`{"group_memberships":[%s],"next_page":null,"previous_page":null,"count":1}`, one)
	a.get(fmt.Sprintf("/api/v2/users/%d/group_memberships", user)).want(200).wantJSON("%s", list)
	a.get(fmt.Sprintf("/api/v2/groups/%d/memberships", group)).want(200).wantJSON("%s", list)
	a.get(fmt.Sprintf("/api/v2/groups/%d/memberships/assignable", group)).want(200).wantJSON("%s", list)
	for _, path := range []string{"/api/v2/group_memberships", "/api/v2/group_memberships/assignable"} {
		got := a.get(path + "?page[size]=10&include=groups,users").want(200)
		if len(got.ids("group_memberships")) != 2 || len(got.ids("groups")) != 2 || len(got.ids("users")) != 2 {
			t.Errorf("%s", got.body)
		}
	}
	if got := a.get(fmt.Sprintf("/api/v2/users/%d/groups", user)).want(200).ids("groups"); len(got) != 1 || got[0] != group {
		t.Errorf("groups of the user: %v", got)
	}
	a.get(fmt.Sprintf("/api/v2/users/%d/groups/count", user)).want(200)
}

func TestGroupMembershipRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.group("Tier 2")
	user, email := a.person(models.RoleAgent)
	endUser, endUserEmail := a.person(models.RoleEndUser)
	body := func(user, group int64) string {
		return fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, user, group)
	}
	path := "/api/v2/group_memberships"
	id := a.post(path, body(user, group)).want(201).id("group_membership")
	a.post(path, body(user, group)).wantDetail("user_id", "User: is already a member of this group")
	a.post(path, body(user, 404)).wantDetail("group_id", "Group: 404 is not a group")
	a.post(path, body(endUser, group)).wantDetail("user_id", fmt.Sprintf("User: %d is not an agent", endUser))
	a.post(path, `{"group_membership":{}}`).want(422)
	a.post(path, `{}`).want(400)
	a.post("/api/v2/users/404/group_memberships", body(0, group)).wantMissing()
	a.as(email).post(path, body(user, a.group("Other"))).wantForbidden()
	a.as(email).delete(fmt.Sprintf("%s/%d", path, id)).wantForbidden()
	a.as(endUserEmail).get(path).wantForbidden()
	a.get(path + "/404").wantMissing()
	a.delete(path + "/404").wantMissing()
	a.get("/api/v2/users/404/groups").wantMissing()
	a.get("/api/v2/groups/404/memberships").wantMissing()
	b := a.another()
	b.get(fmt.Sprintf("%s/%d", path, id)).wantMissing()
	b.delete(fmt.Sprintf("%s/%d", path, id)).wantMissing()
}

func TestDefaultGroupOfAnAgent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	user, email := a.person(models.RoleAgent)
	join := func(group int64) int64 {
		return a.post(fmt.Sprintf("/api/v2/users/%d/group_memberships", user),
			fmt.Sprintf(`{"group_membership":{"group_id":%d}}`, group)).want(201).id("group_membership")
	}
	gone := a.group("A")
	first, second := join(gone), join(a.group("B"))
	r := a.as(email).put(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d/make_default", user, second), `{}`).want(200)
	if r.member("group_memberships", 0, "default") != false || r.member("group_memberships", 1, "default") != true {
		t.Errorf("%s", r.body)
	}
	a.as(email).put(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d/make_default", a.admin.ID, second), `{}`).wantForbidden()
	a.put(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d/make_default", user, first), "").want(200)
	a.delete(fmt.Sprintf("/api/v2/groups/%d", gone)).want(204)
	r = a.get(fmt.Sprintf("/api/v2/users/%d/group_memberships", user)).want(200)
	if got := r.ids("group_memberships"); len(got) != 1 || got[0] != second || r.member("group_memberships", 0, "default") != true {
		t.Errorf("%s", r.body)
	}
	for _, path := range []string{"/api/v2/group_memberships", fmt.Sprintf("/api/v2/users/%d/group_memberships", user)} {
		a.delete(fmt.Sprintf("%s/%d", path, second)).wantDetail("base", "Agents must belong to at least one group")
	}
	join(a.group("C"))
	a.delete(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d", user, second)).want(204)
}

func TestGroupsOfTheAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	private := a.post("/api/v2/groups", `{"group":{"name":"Board","is_public":false}}`).want(201).id("group")
	gone := a.group("Abuse")
	a.delete(fmt.Sprintf("/api/v2/groups/%d", gone)).want(204)
	_, email := a.person(models.RoleAgent)
	agent := a.as(email)
	count := func(r *result) string { return fmt.Sprint(r.want(200).member("count", "value")) }
	if got := agent.get("/api/v2/groups?include=users").want(200); len(got.ids("groups")) != 2 || got.ids("users")[0] != a.admin.ID {
		t.Errorf("%s", got.body)
	}
	if got := agent.get(fmt.Sprintf("/api/v2/groups/%d?include=users", private)).want(200).ids("users"); len(got) != 0 {
		t.Errorf("members %v", got)
	}
	if got := len(agent.get("/api/v2/groups?exclude_deleted=false").want(200).ids("groups")); got != 3 {
		t.Errorf("%d groups with the deleted", got)
	}
	if got := len(agent.get("/api/v2/groups/assignable").want(200).ids("groups")); got != 1 {
		t.Errorf("%d groups to assign to", got)
	}
	if got := count(agent.get("/api/v2/groups/assignable/count")) + count(agent.get("/api/v2/groups/count")); got != "12" {
		t.Errorf("counts %s", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/groups/%d", gone)).want(200).member("group", "deleted"); got != true {
		t.Errorf("deleted %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/groups/%d", private), `{"group":{"is_public":true}}`).
		wantDetail("is_public", "Is public: cannot be changed from private to public")
	standard := agent.get("/api/v2/groups/assignable").ids("groups")[0]
	a.delete(fmt.Sprintf("/api/v2/groups/%d", standard)).wantDetail("base", "The default group cannot be deleted")
	agent.post("/api/v2/groups", `{"group":{"name":"Mine"}}`).wantForbidden()
}

func TestBulkGroupMemberships(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	group := a.group("Tier 2")
	user, _ := a.person(models.RoleAgent)
	done := a.post("/api/v2/group_memberships/create_many", fmt.Sprintf(
		`{"group_memberships":[{"user_id":%[1]d,"group_id":%[2]d},{"user_id":404,"group_id":%[2]d}]}`, user, group)).want(200).jobDone(a)
	if done.member("job_status", "results", 0, "status") != "Created" || done.member("job_status", "results", 1, "status") != "Failed" {
		t.Errorf("%s", done.body)
	}
	path := fmt.Sprintf("/api/v2/users/%d/group_memberships", user)
	kept := a.post(path, fmt.Sprintf(`{"group_membership":{"group_id":%d}}`, a.group("Tier 3"))).want(201).id("group_membership")
	id := a.get(path).want(200).ids("group_memberships")[0]
	done = a.delete(fmt.Sprintf("/api/v2/group_memberships/destroy_many?ids=%d,%d", id, kept)).want(200).jobDone(a)
	if done.member("job_status", "results", 0, "status") != "Deleted" || done.member("job_status", "results", 1, "status") != "Failed" {
		t.Errorf("%s", done.body)
	}
	if got := a.get(path).want(200).ids("group_memberships"); len(got) != 1 || got[0] != kept {
		t.Errorf("left %v", got)
	}
	a.delete("/api/v2/group_memberships/destroy_many?ids=").want(400)
}
