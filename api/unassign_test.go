package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
)

// Departures take tickets along by jobs, a moment after the answer.
func TestTicketsAreTakenFromThoseWhoAreGone(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	group, organization := a.group("Tier 2"), a.organization("Globex")
	agent, _ := a.person(models.RoleAgent)
	requester, _ := a.person(models.RoleEndUser)
	membership := a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, agent, group)).
		want(201).id("group_membership")
	a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, agent, a.group("Tier 1"))).want(201)
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, requester, organization)).want(201)
	ticket := a.post("/api/v2/tickets", fmt.Sprintf(
		`{"ticket":{"comment":{"body":"It does not start"},"requester_id":%d,"assignee_id":%d,"group_id":%d}}`, requester, agent, group)).
		want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
	has := func(member string, id int64) bool {
		return a.get(path).want(200).member("ticket", member) == json.Number(fmt.Sprint(id))
	}
	hasNot := func(member string) func() bool {
		return func() bool { return a.get(path).want(200).member("ticket", member) == nil }
	}
	if !has("assignee_id", agent) || !has("group_id", group) || !has("organization_id", organization) {
		t.Fatalf("%s", a.get(path).body)
	}

	a.delete(fmt.Sprintf("/api/v2/group_memberships/%d", membership)).want(204)
	a.until("the ticket has no assignee", hasNot("assignee_id"))
	if !has("group_id", group) {
		t.Error("the group lost the ticket")
	}
	a.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	a.until("the ticket has no group", hasNot("group_id"))
	a.delete(fmt.Sprintf("/api/v2/organizations/%d", organization)).want(204)
	a.until("the ticket has no organization", hasNot("organization_id"))
	audits := a.get(path + "/audits").want(200)
	for i := range audits.ids("audits")[1:] {
		if got := fmt.Sprintf("%v %v", audits.member("audits", i+1, "author_id"), audits.member("audits", i+1, "via", "channel")); got != "-1 system" {
			t.Errorf("who did it: %s", got)
		}
	}
}
