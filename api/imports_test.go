package api_test

import (
	"fmt"
	"testing"
)

func TestTicketIsImportedAsItWas(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	r := a.post("/api/v2/imports/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"Old","requester_id":%d,"status":"closed","external_id":"x-1",
		"created_at":"2019-03-01T10:00:00Z","updated_at":"2019-03-03T00:00:00Z","solved_at":"2019-03-02T10:30:00Z","via":{"channel":"email"},
		"comments":[
			{"author_id":%[2]d,"value":"Try again.","created_at":"2019-03-01T12:00:00Z"},
			{"author_id":%[2]d,"body":"He is new to it.","public":false,"created_at":"2019-03-01T12:05:00+00:00"},
			{"author_id":%[1]d,"html_body":"<p>It does not start</p>","created_at":"2019-03-01T10:00:00Z"}]}}`, bo, a.admin.ID)).want(201)
	path := fmt.Sprintf("/api/v2/tickets/%d", r.id("ticket"))
	if got := r.header.Get("Location"); got != "http://helpd.test"+path+".json" {
		t.Errorf("Location %q", got)
	}
	for member, want := range map[string]any{
		"status": "closed", "description": "It does not start", "created_at": "2019-03-01T10:00:00Z", "updated_at": "2019-03-03T00:00:00Z",
		"assignee_id": nil, "external_id": "x-1",
	} {
		if got := r.member("ticket", member); got != want {
			t.Errorf("%s: %v, want %v", member, got, want)
		}
	}
	if got := r.member("ticket", "via", "channel"); got != "email" {
		t.Errorf("via %v", got)
	}

	comments := a.get(path + "/comments").want(200)
	for i, want := range []string{
		fmt.Sprintf("It does not start %d true 2019-03-01T10:00:00Z", bo),
		fmt.Sprintf("Try again. %d true 2019-03-01T12:00:00Z", a.admin.ID),
		fmt.Sprintf("He is new to it. %d false 2019-03-01T12:05:00Z", a.admin.ID),
	} {
		of := func(member string) any { return comments.member("comments", i, member) }
		if got := fmt.Sprintf("%v %v %v %v", of("plain_body"), of("author_id"), of("public"), of("created_at")); got != want {
			t.Errorf("comment %d: %s, want %s", i, got, want)
		}
	}

	audits := a.get(path + "/audits").want(200)
	if n := len(audits.member("audits").([]any)); n != 3 {
		t.Errorf("%d audits of 3 comments", n)
	}
	for i, want := range []int64{bo, a.admin.ID, a.admin.ID} {
		if got := audits.member("audits", i, "author_id"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("audit %d by %v, want %d", i, got, want)
		}
	}

	metrics := a.get(path + "/metrics").want(200)
	for member, want := range map[string]any{"solved_at": "2019-03-02T10:30:00Z", "replies": 1, "latest_comment_added_at": "2019-03-01T12:05:00Z", "reopens": 0} {
		if got := metrics.member("ticket_metric", member); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", member, got, want)
		}
	}
	for member, minutes := range map[string]int{
		"reply_time_in_minutes": 120, "full_resolution_time_in_minutes": 24*60 + 30, "first_resolution_time_in_minutes": 24*60 + 30,
		"requester_wait_time_in_minutes": 24*60 + 30, "agent_wait_time_in_minutes": 0,
	} {
		if got := metrics.member("ticket_metric", member, "calendar"); fmt.Sprint(got) != fmt.Sprint(minutes) {
			t.Errorf("%s: %v, want %d", member, got, minutes)
		}
	}
	if n := a.eventsOf("ticket"); n != 0 {
		t.Errorf("an import told %d events", n)
	}
}

// eventsOf counts what the account's log says of one kind of record.
func (a *anAPI) eventsOf(kind string) (n int64) {
	a.t.Helper()
	if err := a.db.WithContext(a.ctx()).Raw("SELECT count(*) FROM events WHERE account_id = ? AND type LIKE ?", a.account.ID, "zen:event-type:"+kind+".%").Scan(&n).Error; err != nil {
		a.t.Fatal(err)
	}
	return n
}

func TestImportFillsInTimes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct{ name, ticket, created, updated string }{
		{"none told", `"description":"x"`, clockText, clockText},
		{"of the comments", `"comments":[{"body":"a","created_at":"2020-01-02"},{"body":"b","created_at":"2020-01-01T05:00"}]`, "2020-01-01T05:00:00Z", "2020-01-02T00:00:00Z"},
		{"a comment without", `"created_at":"2020-01-01","comment":{"body":"a"}`, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := a.post("/api/v2/imports/tickets", `{"ticket":{`+tc.ticket+`}}`).want(201)
			if got := r.member("ticket", "created_at"); got != tc.created {
				t.Errorf("created_at %v, want %s", got, tc.created)
			}
			if got := r.member("ticket", "updated_at"); got != tc.updated {
				t.Errorf("updated_at %v, want %s", got, tc.updated)
			}
		})
	}
}

func TestImportKeepsAReplyFromReopening(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	r := a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"requester_id":%d,"status":"solved","description":"Help","created_at":"2020-01-01",
		"comments":[{"author_id":%[1]d,"body":"Thanks","created_at":"2020-01-02"},{"author_id":%[1]d,"body":"Help","created_at":"2020-01-01"}]}}`, bo)).want(201)
	if got := r.member("ticket", "status"); got != "solved" {
		t.Errorf("status %v", got)
	}
	comments := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", r.id("ticket"))).want(200)
	if n := len(comments.member("comments").([]any)); n != 2 {
		t.Errorf("%d comments: the description is one of 2", n)
	}
}

func TestWhatAnImportRefuses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const path = "/api/v2/imports/tickets"
	a.post(path, `{"ticket":{"subject":"no text"}}`).wantDetail("base", "Description: cannot be blank")
	a.post(path, `{"ticket":{"comments":[{"body":" "}]}}`).wantDetail("comments", "Comments: cannot be blank")
	a.post(path, `{"ticket":{"description":"x","created_at":"2999-01-01"}}`).wantDetail("created_at", "Created at: 2999-01-01T00:00:00Z is in the future")
	a.post(path, `{"ticket":{"description":"x","created_at":"2020-01-02","solved_at":"2020-01-01"}}`).
		wantDetail("solved_at", "Solved at: 2020-01-01T00:00:00Z is before the ticket was created")
	a.post(path, `{"ticket":{"description":"x","created_at":"2020-01-02","comments":[{"body":"y","created_at":"2020-01-01"}]}}`).
		wantDetail("comments", "Comments: 2020-01-01T00:00:00Z is before the ticket was created")
	a.post(path, `{"ticket":{"comments":[{"body":"x"},{"body":"y","author_id":404}]}}`).wantDetail("author", "Author: 404 is invalid")
	a.post(path, `{"ticket":{"description":"x","status":"strange"}}`).want(422)
	a.post(path, `{"ticket":{"description":"x","created_at":"yesterday"}}`).want(400)
	a.post(path, `{"ticket":{"comments":{"body":"x"}}}`).want(400)
	a.post(path, `{"tickets":[]}`).want(400)
	if got := a.get("/api/v2/tickets/count").want(200).member("count", "value"); fmt.Sprint(got) != "0" {
		t.Errorf("%v tickets were written", got)
	}
	a.user("Ann", a.email("ann"), "agent")
	a.as(a.email("ann")).post(path, `{"ticket":{"description":"x"}}`).wantForbidden()
	a.as(a.email("ann")).post(path+"/create_many", `{"tickets":[{"description":"x"}]}`).wantForbidden()
}

func TestTicketsAreImportedInAJob(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	done := a.post("/api/v2/imports/tickets/create_many.json", `{"tickets":[
		{"description":"one","status":"closed","created_at":"2020-01-01"},{"subject":"no text"},{"comments":[{"body":"three"}],"status":"hold"}]}`).want(200).jobDone(a)
	if got := done.member("job_status", "job_type"); got != "Bulk Import Ticket" {
		t.Errorf("job_type %v", got)
	}
	if got := done.member("job_status", "results", 1, "error"); got != "RecordInvalid" {
		t.Errorf("without text: %v", got)
	}
	first := a.get(fmt.Sprintf("/api/v2/tickets/%v", done.member("job_status", "results", 0, "id"))).want(200)
	if got := first.member("ticket", "created_at"); got != "2020-01-01T00:00:00Z" {
		t.Errorf("created_at %v", got)
	}
}

func TestImportedTicketsAreArchived(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	open := a.post("/api/v2/imports/tickets?archive_immediately=true", `{"ticket":{"description":"open","created_at":"2020-01-01"}}`).want(201).id("ticket")
	closed := a.post("/api/v2/imports/tickets?archive_immediately=true", `{"ticket":{"description":"closed","status":"closed","created_at":"2020-01-01"}}`).want(201).id("ticket")
	job := a.post("/api/v2/imports/tickets/create_many?archive_immediately=true", `{"tickets":[{"description":"many","status":"closed"}]}`).want(200).jobDone(a)
	kept := a.post("/api/v2/imports/tickets", `{"ticket":{"description":"kept","status":"closed"}}`).want(201).id("ticket")
	if got := a.get("/api/v2/tickets").want(200).ids("tickets"); fmt.Sprint(got) != fmt.Sprint([]int64{open, kept}) {
		t.Errorf("listed: %v", got)
	}
	if got := a.get("/api/v2/tickets/count").want(200).member("count", "value"); fmt.Sprint(got) != "2" {
		t.Errorf("counted: %v", got)
	}
	told := []int64{}
	if a.each("/api/v2/ticket_audits", "audits", "ticket_id", &told); fmt.Sprint(told) != fmt.Sprint([]int64{open, kept}) {
		t.Errorf("audits of %v", told)
	}
	for _, id := range []any{closed, job.member("job_status", "results", 0, "id")} {
		a.get(fmt.Sprintf("/api/v2/tickets/%v", id)).want(200)
		if got := a.get(fmt.Sprintf("/api/v2/tickets/%v/related", id)).want(200).member("from_archive"); got != true {
			t.Errorf("from_archive of %v: %v", id, got)
		}
	}
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d/related", kept)).want(200).member("from_archive"); got != false {
		t.Errorf("from_archive of a ticket that is not: %v", got)
	}
}
