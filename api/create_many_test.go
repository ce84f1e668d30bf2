package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCreateManyTellsOfEachTicketInOrder(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	problem := a.ticket(`{"type":"problem","comment":{"body":"P"}}`)
	items := []string{
		`{"requester":{"email":"Eve@new.example","name":"Eve"},"comment":{"body":"one"},"tags":["all"]}`,
		`{"requester_id":404404,"comment":{"body":"two"}}`,
		fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"three"},"tags":["all"]}`, a.spammer("Sam")),
		`{"requester":{"email":"eve@new.example","name":"Eve again"},"comment":{"body":"four"},"tags":["all"]}`,
		`{"subject":"five"}`,
		`{"requester":{"email":"mallory@new.example","name":"Mallory"},"status":"gone","comment":{"body":"six"}}`,
		fmt.Sprintf(`{"type":"incident","problem_id":%d,"comment":{"body":"seven"},"tags":["all"],"email_ccs":[{"user_email":"mallory@new.example"}]}`, problem),
	}
	done := a.post("/api/v2/tickets/create_many", `{"tickets":[`+strings.Join(items, ",")+`]}`).want(200).jobDone(a)
	first := problem + 1
	held := a.get("/api/v2/suspended_tickets").want(200).ids("suspended_tickets")
	if len(held) != 1 {
		t.Fatalf("suspended: %v", held)
	}
	created := func(index int, id int64) string {
		return fmt.Sprintf(`{"index":%d,"id":%d,"account_id":%d}`, index, id, a.account.ID)
	}
	refused := func(index int, details string) string {
		return fmt.Sprintf(`{"index":%d,"action":"create","status":"Failed","success":false,"error":"RecordInvalid","details":%q}`, index, details)
	}
	want := "[" + strings.Join([]string{
		created(0, first), refused(1, "Requester: 404404 is invalid"),
		fmt.Sprintf(`{"index":2,"status":"Suspended","suspended_ticket_id":%d,"account_id":%d}`, held[0], a.account.ID),
		created(3, first+3), refused(4, "Description: cannot be blank"),
		refused(5, "Status: gone is not one of new, open, pending, hold, solved, closed"), created(6, first+6),
	}, ",") + "]"
	got, _ := json.Marshal(done.member("job_status", "results"))
	if got := canonical(t, got); got != canonical(t, []byte(want)) || fmt.Sprint(done.member("job_status", "progress")) != "7" {
		t.Errorf("results:\n got %s\nwant %s", got, want)
	}

	eve := a.get(a.path(first)).want(200).member("ticket", "requester_id")
	again := a.get(a.path(first + 3)).want(200)
	if again.member("ticket", "requester_id") != eve || again.member("ticket", "description") != "four" {
		t.Errorf("the second ticket of a new requester: %s", again.body)
	}
	// Mallory was not made for the ticket that failed, but for the one that copies them.
	if names := a.names("SELECT name FROM users WHERE account_id = ? AND email LIKE '%@new.example' ORDER BY id", a.account.ID); !slices.Equal(names, []string{"Eve", "Mallory"}) {
		t.Errorf("new users: %v", names)
	}
	if n := a.get(a.path(problem)).want(200).member("ticket", "has_incidents"); n != true {
		t.Errorf("has_incidents %v", n)
	}
	for _, id := range []int64{first, first + 3, first + 6} {
		audit := a.get(a.path(id) + "/audits").want(200)
		if n := len(audit.member("audits").([]any)); n != 1 {
			t.Errorf("ticket %d has %d audits", id, n)
		}
	}
}

func (a *anAPI) names(query string, args ...any) (list []string) {
	a.t.Helper()
	if err := a.db.WithContext(a.ctx()).Raw(query, args...).Scan(&list).Error; err != nil {
		a.t.Fatal(err)
	}
	return list
}

func TestCreateManyGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	a, services, dsn := idleAPI(t)
	problem := a.ticket(`{"type":"problem","comment":{"body":"P"}}`)
	const n = 12
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"requester":{"email":"eve@new.example","name":"Eve"},"comment":{"body":"%d"},"tags":["all"]}`, i)
	}
	items[n-1] = fmt.Sprintf(`{"problem_id":%d,"comment":{"body":"%d"},"tags":["all"]}`, problem, n-1)
	job := a.post("/api/v2/tickets/create_many", `{"tickets":[`+strings.Join(items, ",")+`]}`).want(200)
	// All tickets are written but for the count of incidents, which waits.
	a.killedAt(dsn, services, problem)
	done := job.jobDone(a)
	for i, r := range done.member("job_status", "results").([]any) {
		of := r.(map[string]any)
		if fmt.Sprint(of["index"]) != fmt.Sprint(i) || a.get(fmt.Sprintf("/api/v2/tickets/%v", of["id"])).want(200).member("ticket", "description") != fmt.Sprint(i) {
			t.Errorf("result %d: %v", i, r)
		}
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM tickets WHERE account_id = ?":                                                                                               n + 1,
		"SELECT count(*) FROM comments WHERE account_id = ?":                                                                                              n + 1,
		"SELECT count(*) FROM audits WHERE account_id = ?":                                                                                                n + 1,
		"SELECT count(*) FROM events WHERE type LIKE '%ticket.created' AND account_id = ?":                                                                n + 1,
		"SELECT count(*) FROM users WHERE email = 'eve@new.example' AND account_id = ?":                                                                   1,
		"SELECT sum(incident_count) FROM tickets WHERE account_id = ?":                                                                                    1,
		"SELECT sum(n) FROM (SELECT delta AS n FROM tag_changes WHERE account_id = $1 UNION ALL SELECT count FROM tag_counts WHERE account_id = $1) AS t": n,
	} {
		if got := a.number(query, a.account.ID); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
