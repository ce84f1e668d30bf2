package api_test

import (
	"fmt"
	"testing"
)

func TestTheOnlyGroupAndItsOnlyAgentGetTickets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.get("/api/v2/groups").want(200).ids("groups")[0]
	got := func(id int64) string {
		r := a.get(a.path(id)).want(200)
		return fmt.Sprint(r.member("ticket", "group_id"), " ", r.member("ticket", "assignee_id"), " ", r.member("ticket", "status"))
	}
	if id := a.ticket(`{"comment":{"body":"B"}}`); got(id) != "<nil> <nil> new" {
		t.Errorf("not asked for: %s", got(id))
	}
	r := a.put("/api/v2/account/settings", `{"settings":{"tickets":{"assign_only_choice":true}}}`).want(200)
	if r.member("settings", "tickets", "assign_only_choice") != true {
		t.Errorf("the setting: %s", r.body)
	}
	if id, want := a.ticket(`{"comment":{"body":"B"}}`), fmt.Sprintf("%d %d open", group, a.admin.ID); got(id) != want {
		t.Errorf("one agent in one group: %s, want %s", got(id), want)
	}
	a.user("Al", a.email("al"), "agent")
	waiting := a.ticket(`{"comment":{"body":"B"}}`)
	if want := fmt.Sprintf("%d <nil> new", group); got(waiting) != want {
		t.Errorf("two agents in one group: %s, want %s", got(waiting), want)
	}
	second := a.post("/api/v2/groups", `{"group":{"name":"Second"}}`).want(201).id("group")
	a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, a.admin.ID, second)).want(201)
	if id := a.ticket(`{"comment":{"body":"B"}}`); got(id) != "<nil> <nil> new" {
		t.Errorf("two groups: %s", got(id))
	}
	a.put(a.path(waiting), fmt.Sprintf(`{"ticket":{"group_id":%d}}`, second)).want(200)
	if want := fmt.Sprintf("%d %d open", second, a.admin.ID); got(waiting) != want {
		t.Errorf("moved to a group of one agent: %s, want %s", got(waiting), want)
	}
}

func TestATicketIsCreatedLater(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	r := a.post("/api/v2/tickets.json?async=true", `{"ticket":{"id":77,"subject":"Later","comment":{"body":"B"}}}`).want(202)
	id := r.id("ticket")
	if r.member("job_status", "status") != "queued" {
		t.Errorf("the first answer: %s", r.body)
	}
	done := r.jobDone(a)
	if got, want := fmt.Sprint(done.member("job_status", "results")), fmt.Sprintf("[map[account_id:%d id:%d index:0]]", a.account.ID, id); got != want {
		t.Errorf("results %s, want %s", got, want)
	}
	if got := a.get(a.path(id)).want(200).member("ticket", "subject"); got != "Later" {
		t.Errorf("subject %v", got)
	}
	if got := a.get(a.path(id)+"/metrics").want(200).member("ticket_metric", "ticket_id"); fmt.Sprint(got) != fmt.Sprint(id) {
		t.Errorf("metrics of %v", got)
	}
	failed := a.post("/api/v2/tickets?async=true", `{"ticket":{"subject":"No text"}}`).want(202).jobDone(a)
	if got := failed.member("job_status", "results", 0, "error"); got != "RecordInvalid" {
		t.Errorf("without a comment: %v", got)
	}
	a.post("/api/v2/tickets?async=true", `{"ticket":{"comment":5}}`).want(400)
	if next := a.ticket(`{"comment":{"body":"B"}}`); next <= id {
		t.Errorf("the next ticket is %d", next)
	}
}
