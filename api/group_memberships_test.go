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

func TestMembershipsOfAgentsAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.group("Tier 2")
	endUser, email := a.person(models.RoleEndUser)
	agent, _ := a.person(models.RoleAgent)
	join := func(user, group int64) *result {
		return a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, user, group))
	}
	join(endUser, group).wantDetail("user_id", fmt.Sprintf("User: %d is not an agent", endUser))
	join(agent, 404).wantDetail("group_id", "Group: 404 is not a group")
	a.as(email).get("/api/v2/group_memberships").wantForbidden()
	gone := a.group("Gone")
	first, second := join(agent, gone).want(201).id("group_membership"), join(agent, group).want(201).id("group_membership")
	for path, want := range map[string][]int64{"/api/v2/group_memberships/assignable": {first, second}, fmt.Sprintf("/api/v2/groups/%d/memberships/assignable", group): {second}} {
		if got := a.get(path).want(200).ids("group_memberships"); fmt.Sprint(got[len(got)-len(want):]) != fmt.Sprint(want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	// A group that is deleted ends its memberships; another is the default then.
	a.delete(fmt.Sprintf("/api/v2/groups/%d", gone)).want(204)
	join(agent, gone).wantDetail("group_id", fmt.Sprintf("Group: %d is not a group", gone))
	r := a.get(fmt.Sprintf("/api/v2/users/%d/group_memberships", agent)).want(200)
	if got := r.ids("group_memberships"); len(got) != 1 || got[0] != second || r.member("group_memberships", 0, "default") != true {
		t.Errorf("%s", r.body)
	}
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
