package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/server/testdb"
)

func TestSpamIsDeletedAndItsSenderSuspended(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	bo := a.user("Bo", a.email("bo"), "end-user")
	spam := func() int64 { return a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Buy!"}}`, bo)) }
	first, second, third, mine := spam(), spam(), spam(), a.ticket(`{"comment":{"body":"B"}}`)
	a.put(a.path(first)+"/mark_as_spam.json", "").want(200).wantJSON(`{}`)
	a.get(a.path(first)).wantMissing()
	if got := a.get(fmt.Sprintf("/api/v2/users/%d", bo)).want(200).member("user", "suspended"); got != true {
		t.Errorf("suspended %v", got)
	}
	a.put(a.path(first)+"/mark_as_spam", "").wantMissing()
	a.put(a.path(mine)+"/mark_as_spam", "").wantDetail("requester", "Requester: Ada Admin is an agent and cannot be suspended")
	done := a.put(fmt.Sprintf("/api/v2/tickets/mark_many_as_spam.json?ids=%d,%d,404", second, mine), "").want(200).jobDone(a)
	if got, want := fmt.Sprint(done.member("job_status", "results", 0)), fmt.Sprintf("map[action:update id:%d status:Updated success:true]", second); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, want := range []string{"RecordInvalid", "RecordNotFound"} {
		if got := done.member("job_status", "results", i+1, "error"); got != want {
			t.Errorf("result %d: %v, want %s", i+1, got, want)
		}
	}
	a.put("/api/v2/tickets/mark_many_as_spam", "").want(400)
	if n := a.number("SELECT count(*) FROM events WHERE account_id = ? AND type LIKE '%marked_as_spam'", a.account.ID); n != 2 {
		t.Errorf("%d events of spam", n)
	}
	a.user("Al", a.email("al"), "agent")
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"agent_ticket_deletion":false}}}`).want(200)
	a.as(a.email("al")).put(a.path(mine)+"/mark_as_spam", "").want(422)
	a.as(a.email("al")).put(a.path(third)+"/mark_as_spam", "").wantForbidden()
}

// rowsWith are the tables with a word in a row of the account.
func (a *anAPI) rowsWith(word string) (tables []string) {
	a.t.Helper()
	all, err := tenantTables(a)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, table := range all {
		if n := a.number("SELECT count(*) FROM "+table+" r WHERE account_id = ? AND (r::text ILIKE ? OR r::text ILIKE ?)", a.account.ID,
			"%"+word+"%", fmt.Sprintf("%%%x%%", word)); n > 0 { // bytes are shown in hex
			tables = append(tables, table)
		}
	}
	return tables
}

func TestNothingIsLeftOfATicketDeletedForGood(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	const secret = "zqwordzq"
	bo := a.user("Bo", a.email("bo"), "end-user")
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"F"}}`).want(201).id("ticket_field")
	file := a.upload("filename="+secret+".txt", "text/plain", secret)
	r := a.with("Idempotency-Key", "k").post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"%[1]s","external_id":"%[1]s","recipient":"%[1]s@x.example",
		"tags":["%[1]s"],"requester_id":%[2]d,"custom_fields":[{"id":%[3]d,"value":"%[1]s"}],"metadata":{"a":"%[1]s"},"comment":{"body":"%[1]s","uploads":["%[4]s"]},
		"via":{"channel":"email","source":{"from":{"address":"%[1]s@x.example"}}}}}`, secret, bo, field, file.Upload.Token)).want(201)
	id := r.id("ticket")
	a.put(a.path(id), `{"ticket":{"comment":{"body":"`+secret+`","public":false}}}`).want(200)
	a.post("/api/v2/skips", fmt.Sprintf(`{"skip":{"ticket_id":%d,"reason":"%s"}}`, id, secret)).want(201)
	a.mail(id, secret, []int64{bo}, a.email("bo"))
	a.delete(fmt.Sprintf("/api/v2/deleted_tickets/%d", id)).wantMissing() // it is not deleted
	a.delete(a.path(id)).want(204)

	started := a.delete(fmt.Sprintf("/api/v2/deleted_tickets/%d.json", id)).want(200)
	if started.member("job_status", "total") != nil || started.member("job_status", "status") != "queued" {
		t.Errorf("the first answer: %s", started.body)
	}
	if got := fmt.Sprint(started.jobDone(a).member("job_status", "results")); got != "map[success:true]" {
		t.Fatalf("results %s", got)
	}
	a.swept()
	if n := len(a.stored()); n != 0 {
		t.Errorf("%d blobs are left", n)
	}
	for _, table := range a.rowsWith(secret) {
		if table != "tag_changes" && table != "tag_counts" { // which tags there were
			t.Errorf("%s still tells", table)
		}
	}
	var subject, description string
	if err := a.db.WithContext(a.ctx()).Raw("SELECT subject, description FROM tickets WHERE account_id = ? AND id = ?", a.account.ID, id).Row().
		Scan(&subject, &description); err != nil || subject != "SCRUBBED" || description != "SCRUBBED" {
		t.Errorf("subject %q, description %q, %v", subject, description, err)
	}
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", id), "").wantMissing()
	a.delete(fmt.Sprintf("/api/v2/deleted_tickets/%d", id)).wantMissing()
	if got := a.get("/api/v2/deleted_tickets").want(200).ids("deleted_tickets"); len(got) != 0 {
		t.Errorf("listed as deleted: %v", got)
	}
	again := a.with("Idempotency-Key", "k").post("/api/v2/tickets", `{"ticket":{"comment":{"body":"other"}}}`)
	if again.status != 400 || a.number("SELECT count(*) FROM tickets WHERE account_id = ?", a.account.ID) != 1 {
		t.Errorf("the key is free again: %d %s", again.status, again.body)
	}
}

func TestManyAreDeletedForGood(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	first, second, kept := a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)
	a.delete(a.path(first)).want(204)
	a.delete(a.path(second)).want(204)
	scrubbed := func() int {
		return a.number("SELECT count(*) FROM tickets WHERE account_id = ? AND scrubbed", a.account.ID)
	}
	failed := a.delete(fmt.Sprintf("/api/v2/deleted_tickets/destroy_many?ids=%d,%d", first, kept)).want(200).jobDone(a)
	if got, want := fmt.Sprint(failed.member("job_status", "results")), fmt.Sprintf(
		"map[action:delete details:deleted ticket %[1]d not found error:RecordNotFound id:%[1]d index:1 status:Failed success:false]", kept); got != want || scrubbed() != 0 {
		t.Errorf("one is not deleted: %s, want %s", got, want)
	}
	done := a.delete(fmt.Sprintf("/api/v2/deleted_tickets/destroy_many.json?ids=%d,%d", first, second)).want(200).jobDone(a)
	if got := fmt.Sprint(done.member("job_status", "results")); got != "map[success:true]" || scrubbed() != 2 {
		t.Errorf("results %s, %d are gone", got, scrubbed())
	}
	a.delete("/api/v2/deleted_tickets/destroy_many").want(400)
	a.delete("/api/v2/deleted_tickets/destroy_many?ids="+strings.Repeat("1,", 100)+"1").wantError(400, "TooManyValues")
	a.user("Al", a.email("al"), "agent")
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"agent_ticket_deletion":false}}}`).want(200)
	a.as(a.email("al")).delete(fmt.Sprintf("/api/v2/deleted_tickets/%d", kept)).wantForbidden()
}

func TestDeletedTicketsAreScrubbedInTime(t *testing.T) {
	t.Parallel()
	a, services := buildAPI(t, testdb.DB(t), "postgres://nowhere.invalid/")
	old, young := a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)
	a.delete(a.path(old)).want(204)
	a.tick(time.Hour)
	a.delete(a.path(young)).want(204)
	a.tick(30*24*time.Hour - time.Minute)
	if err := services.Tickets.ScrubExpired(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.get("/api/v2/deleted_tickets").want(200).ids("deleted_tickets"); len(got) != 1 || got[0] != young {
		t.Errorf("deleted: %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", old), "").wantMissing()
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", young), "").want(200)
}
