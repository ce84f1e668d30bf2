package api_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestFollowUpOfAClosedTicket(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(fmt.Sprintf(`{"subject":"First","comment":{"body":"B"},"status":"solved","assignee_id":%d,"tags":["old"]}`, a.admin.ID))
	ignored := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"via_followup_source_id":%d}`, id))
	if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/tickets/%d", ignored)).member("ticket", "tags")); got != "[]" {
		t.Errorf("a follow-up of a ticket that is not closed took its tags: %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"closed"}}`).want(200)
	next := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"Again"},"via_followup_source_id":"%d"}}`, id)).want(201)
	if got := fmt.Sprint(next.member("ticket", "tags")); got != "[old]" {
		t.Errorf("tags %v", got)
	}
	if got := next.member("ticket", "via", "source", "rel"); got != "follow_up" {
		t.Errorf("rel %v", got)
	}
	if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/tickets/%d", id)).member("ticket", "followup_ids")); got != fmt.Sprintf("[%d]", next.id("ticket")) {
		t.Errorf("followup_ids %v", got)
	}
	a.get(fmt.Sprintf("/api/v2/tickets/%d/related", next.id("ticket"))).want(200).wantJSON(
		`{"url":"http://helpd.test/api/v2/tickets/%d/related.json","topic_id":null,"followup_source_ids":[%d],"from_archive":false,"incidents":0,"twitter":{},"jira_issue_ids":[]}`,
		next.id("ticket"), id)
}

func TestRecentTickets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)
	a.get(fmt.Sprintf("/api/v2/tickets/%d", second)).want(200)
	if got := a.get("/api/v2/tickets/recent.json").want(200).ids("tickets"); len(got) != 1 || got[0] != second || got[0] == first {
		t.Errorf("recent %v, want only %d", got, second)
	}
}

func TestProblemAndItsIncidents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	problem := a.ticket(`{"type":"problem","comment":{"body":"B"}}`)
	incident := a.ticket(fmt.Sprintf(`{"problem_id":%d,"comment":{"body":"B"}}`, problem))
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d/incidents", problem)).want(200).ids("tickets"); len(got) != 1 || got[0] != incident {
		t.Errorf("incidents %v", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", problem)).member("ticket", "has_incidents"); got != true {
		t.Errorf("has_incidents %v", got)
	}
	if got := a.get("/api/v2/problems").want(200).ids("tickets"); len(got) != 1 || got[0] != problem {
		t.Errorf("problems %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/tickets/%d", incident), `{"ticket":{"problem_id":null}}`).want(200)
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", problem)).member("ticket", "has_incidents"); got != false {
		t.Errorf("has_incidents %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/tickets/%d", problem), fmt.Sprintf(`{"ticket":{"problem_id":%d}}`, incident)).wantDetail("problem", "Problem: only an incident can be linked to one")
}

func TestCollaborators(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	agent := a.user("Al", a.email("al"), "agent")
	id := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"collaborators":["%s",{"name":"Di","email":"%s"}],"followers":[{"user_id":%d}]}`, a.email("cc"), a.email("di"), agent))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	if got := a.get(path + "/email_ccs").want(200).ids("users"); len(got) != 2 {
		t.Errorf("email_ccs %v", got)
	}
	if got := a.get(path + "/followers").want(200).ids("users"); len(got) != 1 || got[0] != agent {
		t.Errorf("followers %v", got)
	}
	if got := a.get(path + "/collaborators").want(200).ids("users"); len(got) != 3 {
		t.Errorf("collaborators %v", got)
	}
	r := a.put(path, fmt.Sprintf(`{"ticket":{"email_ccs":[{"user_email":"%s","action":"delete"}]}}`, a.email("cc"))).want(200)
	if got := r.member("audit", "events", 0, "type"); got != "EmailCcChange" {
		t.Errorf("event %v", got)
	}
	a.put(path, fmt.Sprintf(`{"ticket":{"followers":[{"user_email":"%s"}]}}`, a.email("di"))).wantDetail("followers", "Followers: Di is not an agent")
	ccd := a.get(path + "/email_ccs").ids("users")[0]
	if got := a.get(fmt.Sprintf("/api/v2/users/%d/tickets/ccd", ccd)).want(200).ids("tickets"); len(got) != 1 {
		t.Errorf("ccd %v", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/users/%d/tickets/followed", agent)).want(200).ids("tickets"); len(got) != 1 {
		t.Errorf("followed %v", got)
	}
	// The list that a ticket shows of both, written again: nobody who follows is
	// copied as well, and whoever is left out is neither.
	eve := a.user("Eve", a.email("eve"), "end-user")
	for _, ids := range [][]int64{{agent, ccd}, {agent, ccd, eve}, {eve}, {}} {
		list := string(models.ToJSON(ids))
		r := a.put(path, `{"ticket":{"collaborator_ids":`+list+`}}`).want(200)
		if got := string(models.ToJSON(r.member("ticket", "collaborator_ids"))); got != list {
			t.Errorf("collaborators %s, want %s", got, list)
		}
		if got := a.get(path + "/followers").want(200).ids("users"); slices.Contains(got, agent) != slices.Contains(ids, agent) {
			t.Errorf("with %s %v follow", list, got)
		}
		if got := a.get(path + "/email_ccs").want(200).ids("users"); slices.Contains(got, agent) {
			t.Errorf("with %s %v are copied", list, got)
		}
	}
}
