package api_test

import (
	"fmt"
	"testing"
	"time"
)

// incidents makes n incidents of a problem without the API, as a bulk would.
func (a *anAPI) incidents(problem int64, n int) {
	a.t.Helper()
	first := a.ticket(fmt.Sprintf(`{"type":"incident","problem_id":%d,"comment":{"body":"Me too"}}`, problem))
	for _, statement := range []string{
		`INSERT INTO tickets (account_id, id, subject, description, status, custom_status_id, type, requester_id, submitter_id, brand_id, problem_id, via,
			tags, custom_fields, follower_ids, email_cc_ids, is_public, comment_count, incident_count, followup_ids, created_at, updated_at, generated_at)
			SELECT account_id, next_ticket_id(account_id), subject, description, status, custom_status_id, type, requester_id, submitter_id, brand_id, problem_id, via,
			tags, custom_fields, follower_ids, email_cc_ids, is_public, comment_count, incident_count, followup_ids, created_at, updated_at, generated_at
			FROM tickets, generate_series(2, @n) WHERE account_id = @account AND id = @first`,
		`INSERT INTO ticket_metrics (account_id, ticket_id, group_stations, assignee_stations, reopens, replies, status_updated_at,
			agent_wait_seconds, requester_wait_seconds, on_hold_seconds, created_at, updated_at)
			SELECT account_id, id, 0, 0, 0, 0, created_at, 0, 0, 0, created_at, created_at FROM tickets WHERE account_id = @account AND id > @first`,
		`UPDATE tickets SET incident_count = @n WHERE account_id = @account AND id = @problem`,
	} {
		err := a.db.WithContext(a.ctx()).Exec(statement, map[string]any{"n": n, "account": a.account.ID, "first": first, "problem": problem}).Error
		if err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *anAPI) solvedIncidents(problem int64) int {
	return a.number("SELECT count(*) FROM tickets WHERE account_id = ? AND problem_id = ? AND status = 'solved'", a.account.ID, problem)
}

func TestSolvingAProblemSolvesItsIncidents(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	bo := a.user("Bo", a.email("bo"), "end-user")
	problem := a.ticket(fmt.Sprintf(`{"subject":"Outage","type":"problem","requester_id":%d,"comment":{"body":"All is down","author_id":%[1]d}}`, bo))
	const n = 300
	a.incidents(problem, n)
	list := a.get(a.path(problem) + "/incidents?per_page=3").want(200).ids("tickets")
	pending, closed := list[0], list[1]
	a.put(a.path(pending), `{"ticket":{"status":"pending"}}`).want(200)
	a.put(a.path(closed), fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d}}`, a.admin.ID)).want(200)
	a.put(a.path(closed), `{"ticket":{"status":"closed"}}`).want(200)
	other := a.ticket(`{"type":"incident","comment":{"body":"Another"}}`)

	a.put(a.path(problem), `{"ticket":{"comment":{"body":"among us","public":false}}}`).want(200)
	a.tick(time.Minute)
	a.put(a.path(problem), `{"ticket":{"status":"solved","comment":{"html_body":"<p>It is <b>up</b> again.</p>"}}}`).want(200)
	a.until("incidents solved", func() bool { return a.solvedIncidents(problem) == n-1 })

	r := a.get(a.path(pending)).want(200)
	if fmt.Sprint(r.member("ticket", "assignee_id")) != fmt.Sprint(a.admin.ID) {
		t.Errorf("the incident is %v's", r.member("ticket", "assignee_id"))
	}
	comments := a.get(a.path(pending) + "/comments").want(200)
	if n := len(comments.member("comments").([]any)); n != 2 || comments.member("comments", 1, "plain_body") != "It is up again." ||
		comments.member("comments", 1, "public") != true {
		t.Errorf("comments of the incident: %s", comments.body)
	}
	audits := a.get(a.path(pending) + "/audits?sort_order=desc").want(200)
	if got, want := fmt.Sprint(audits.member("audits", 0, "via")), fmt.Sprintf("map[channel:system source:map[from:map[subject:Outage ticket_id:%d] rel:problem to:map[]]]", problem); got != want {
		t.Errorf("via %s, want %s", got, want)
	}
	if got := a.get(a.path(closed)).want(200).member("ticket", "status"); got != "closed" {
		t.Errorf("a closed incident is %v", got)
	}
	if got := a.get(a.path(other)).want(200).member("ticket", "status"); got != "new" {
		t.Errorf("an incident of nothing is %v", got)
	}
	if got := a.number("SELECT max(n) FROM (SELECT count(*) AS n FROM comments WHERE account_id = ? AND ticket_id <> ? GROUP BY ticket_id) AS c", a.account.ID, problem); got != 2 {
		t.Errorf("%d comments of one incident", got)
	}
}

func TestNoProblemHasNoIncidents(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	problem := a.ticket(`{"type":"problem","comment":{"body":"B"}}`)
	a.incidents(problem, 3)
	a.put(a.path(problem), `{"ticket":{"type":"question"}}`).want(200)
	a.until("incidents unlinked", func() bool {
		return a.number("SELECT count(*) FROM tickets WHERE account_id = ? AND problem_id = ?", a.account.ID, problem) == 0
	})
	if got := a.get(a.path(problem)).want(200).member("ticket", "has_incidents"); got != false {
		t.Errorf("has_incidents %v", got)
	}
}

// What the requester of a problem wrote is not told to those of its incidents.
func TestIncidentsGetNoCommentOfARequester(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	bo := a.user("Bo", a.email("bo"), "end-user")
	problem := a.ticket(fmt.Sprintf(`{"type":"problem","requester_id":%d,"assignee_id":%d,"comment":{"body":"My number is 5","author_id":%[1]d}}`, bo, a.admin.ID))
	a.incidents(problem, 2)
	a.put(a.path(problem), `{"ticket":{"status":"solved"}}`).want(200)
	a.until("incidents solved", func() bool { return a.solvedIncidents(problem) == 2 })
	if n := a.number("SELECT count(*) FROM comments WHERE account_id = ? AND ticket_id <> ? AND body LIKE '%5%'", a.account.ID, problem); n != 0 {
		t.Errorf("%d incidents tell what the requester wrote", n)
	}
}
