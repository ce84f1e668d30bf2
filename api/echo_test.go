package api_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

// Clients read a record, change a member and send all of it back. What they do
// not change does nothing: above all, a ticket's description, which may stand
// for the first comment of a new one, is no comment.
func TestTicketIsSentBackWhole(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	end := a.user("Eve", a.email("eve"), "end-user")
	id := a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"Help"},"requester_id":%d,"assignee_id":%d,"tags":["x"],
		"email_ccs":[{"user_email":%q}],"followers":[{"user_id":%[2]d}]}`, end, a.admin.ID, a.email("copied")))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	shown := a.get(path).want(200)
	if events := a.put(path, string(shown.body)).want(200).member("audit", "events").([]any); len(events) != 0 {
		t.Errorf("sent back, it made %v", events)
	}
	var envelope map[string]json.RawMessage
	shown.json(&envelope)
	done := a.put("/api/v2/tickets/update_many", fmt.Sprintf(`{"tickets":[%s]}`, envelope["ticket"])).want(200).jobDone(a)
	if done.member("job_status", "results", 0, "success") != true {
		t.Errorf("in a job: %s", done.body)
	}
	if comments := a.get(path + "/comments").want(200).ids("comments"); len(comments) != 1 {
		t.Errorf("comments %v", comments)
	}
	if audits := a.get(path + "/audits").want(200).ids("audits"); len(audits) != 1 {
		t.Errorf("audits %v", audits)
	}
}

// Requesters are told of everything; copied as well, a ticket would count twice.
func TestRequestersAreNotCopied(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	eve, bob := a.user("Eve", a.email("eve"), "end-user"), a.user("Bob", a.email("bob"), "end-user")
	id := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"requester_id":%d,"email_ccs":[{"user_id":%[1]d},{"user_id":%d}]}`, eve, bob))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	if ids := a.get(path + "/email_ccs").want(200).ids("users"); len(ids) != 1 || ids[0] != bob {
		t.Errorf("copied are %v, want %d", ids, bob)
	}
	a.put(path, fmt.Sprintf(`{"ticket":{"requester_id":%d}}`, bob)).want(200)
	if ids := a.get(path + "/email_ccs").want(200).ids("users"); len(ids) != 0 {
		t.Errorf("the new requester is still copied: %v", ids)
	}
}
