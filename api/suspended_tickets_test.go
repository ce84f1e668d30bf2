package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/suspended"
)

// spammer makes a suspended user.
func (a *anAPI) spammer(name string) int64 {
	a.t.Helper()
	id := a.user(name, a.email(strings.ToLower(name)), "end-user")
	a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"suspended":true}}`).want(200)
	return id
}

// heldBack asks for a ticket and returns the suspended one that it became.
func (a *anAPI) heldBack(ticket string) int64 {
	a.t.Helper()
	return a.post("/api/v2/tickets", `{"ticket":`+ticket+`}`).want(202).id("suspended_ticket")
}

func suspendedPath(id int64) string { return fmt.Sprintf("/api/v2/suspended_tickets/%d", id) }

func TestTicketsOfSuspendedUsersAreSuspended(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	spam := a.spammer("Sam")
	up := a.upload("filename=offer.txt", "text/plain", "Buy!")
	before := a.rows()
	r := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Offer","requester_id":%d,"recipient":"help@acme.example","priority":"high",
		"comment":{"body":"Buy now!","uploads":[%q]}}}`, spam, up.Upload.Token)).want(202)
	id := r.id("suspended_ticket")
	r.wantJSON(`{"suspended_ticket":{"url":"http://helpd.test/api/v2/suspended_tickets/%d.json","id":%d,"subject":"Offer","created_at":%q,"updated_at":%q}}`, id, id, clockText, clockText)
	tables := changed(before, a.rows())
	slices.Sort(tables)
	if got := strings.Join(tables, " "); got != "attachments suspended_tickets uploads" {
		t.Errorf("written to: %s", got)
	}
	shown := a.get(suspendedPath(id)).want(200)
	files, _ := json.Marshal(shown.member("suspended_ticket", "attachments"))
	if !strings.Contains(string(files), `"file_name":"offer.txt"`) {
		t.Errorf("files: %s", files)
	}
	brand := a.get("/api/v2/brands").want(200).ids("brands")[0]
	shown.wantJSON(`{"suspended_ticket":{"url":"http://helpd.test/api/v2/suspended_tickets/%d.json","id":%d,"author":{"id":%d,"name":"Sam","email":%q},
		"subject":"Offer","content":"Buy now!","cause":"Email is from a blocklisted sender or domain","cause_id":13,"error_messages":null,"message_id":null,
		"ticket_id":null,"recipient":"help@acme.example","via":{"channel":"api","source":{"from":{},"to":{},"rel":null}},"brand_id":%d,
		"attachments":%s,"created_at":%q,"updated_at":%q}}`, id, id, spam, a.email("sam"), brand, files, clockText, clockText)
	if n := a.get("/api/v2/tickets/count").want(200).member("count", "value"); fmt.Sprint(n) != "0" {
		t.Errorf("%v tickets", n)
	}
	// By address too, and by the first text where there is no subject.
	id = a.heldBack(fmt.Sprintf(`{"requester":{"email":%q},"comment":{"body":"Once  more"}}`, strings.ToUpper(a.email("sam"))))
	if got := a.get(suspendedPath(id)).want(200).member("suspended_ticket", "subject"); got != "Once more" {
		t.Errorf("subject: %v", got)
	}
	for field, body := range map[string]string{
		"priority": `"priority":"huge","comment":{"body":"x"}`, "base": `"subject":"Nothing"`, "comment": `"comment":{"body":"` + strings.Repeat("a", 65_537) + `"}`,
	} {
		r := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"requester_id":%d,%s}}`, spam, body)).wantError(422, "RecordInvalid")
		r.member("details", field)
	}
	a.put(fmt.Sprintf("/api/v2/users/%d", spam), `{"user":{"suspended":false}}`).want(200)
	a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Sorry"}}`, spam))
}

func TestBulkCreateTellsWhatIsSuspended(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	spam := a.spammer("Sam")
	done := a.post("/api/v2/tickets/create_many", fmt.Sprintf(`{"tickets":[{"comment":{"body":"a"}},{"requester_id":%d,"comment":{"body":"b"}}]}`, spam)).want(200).jobDone(a)
	held := a.get("/api/v2/suspended_tickets").want(200).ids("suspended_tickets")
	if len(held) != 1 {
		t.Fatalf("suspended: %v", held)
	}
	got, _ := json.Marshal(done.member("job_status", "results", 1))
	if want := fmt.Sprintf(`{"account_id":%d,"index":1,"status":"Suspended","suspended_ticket_id":%d}`, a.account.ID, held[0]); string(got) != want {
		t.Errorf("result %s, want %s", got, want)
	}
}

func TestSuspendedTicketsAreRecovered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	gus := a.user("Gus", a.email("gus"), "agent")
	spam := a.spammer("Sam")
	up := a.upload("filename=offer.txt", "text/plain", "Buy!")
	id := a.as(a.email("gus")).heldBack(fmt.Sprintf(`{"subject":"Offer","requester_id":%d,"submitter_id":%d,"priority":"high","tags":["deal"],"external_id":"x-1",
		"comment":{"html_body":"<b>Buy</b> now!","author_id":%d,"uploads":[%q]}}`, spam, spam, spam, up.Upload.Token))
	a.later(time.Hour)
	now := a.now.Load().Format(time.RFC3339)
	r := a.as(a.email("gus")).put(suspendedPath(id)+"/recover", "").want(200)
	ticket, _ := r.member("ticket", 0, "ticket_id").(json.Number).Int64()
	path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
	if got := r.member("ticket", 0, "url"); got != "http://helpd.test"+path+".json" {
		t.Errorf("url: %v", got)
	}
	got := a.get(path).want(200)
	for member, want := range map[string]any{
		"subject": "Offer", "priority": "high", "created_at": clockText, "updated_at": now, "external_id": "x-1", "description": "Buy now!",
		"requester_id": json.Number(fmt.Sprint(gus)), "submitter_id": json.Number(fmt.Sprint(spam)),
	} {
		if g := got.member("ticket", member); g != want {
			t.Errorf("%s: %v, want %v", member, g, want)
		}
	}
	comments := a.get(path + "/comments").want(200)
	for member, want := range map[string]any{"author_id": json.Number(fmt.Sprint(spam)), "created_at": clockText, "plain_body": "Buy now!"} {
		if g := comments.member("comments", 0, member); g != want {
			t.Errorf("comment's %s: %v, want %v", member, g, want)
		}
	}
	if g := comments.member("comments", 0, "attachments", 0, "id"); fmt.Sprint(g) != fmt.Sprint(up.Upload.Attachment.ID) {
		t.Errorf("file: %s", comments.body)
	}
	audits := a.get(path + "/audits").want(200)
	if !strings.Contains(string(audits.body), `"type":"SuspendedTicketRecoveryEvent","cause_id":13,"cause_name":"blocklisted"`) {
		t.Errorf("audits: %s", audits.body)
	}
	a.get(suspendedPath(id)).wantMissing()
	a.put(suspendedPath(id)+"/recover", "").wantMissing()
	id = a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Really"}}`, spam))
	a.put(suspendedPath(id)+"/recover?requester=me", "").wantDetail("requester", "Requester: is not one of author, caller")
	r = a.put(suspendedPath(id)+"/recover?requester=author", "").want(200)
	got = a.get(fmt.Sprintf("/api/v2/tickets/%v", r.member("ticket", 0, "ticket_id"))).want(200)
	if g := got.member("ticket", "requester_id"); fmt.Sprint(g) != fmt.Sprint(spam) {
		t.Errorf("requester %v, want the author %d", g, spam)
	}
}

func TestRecoveryOfManyIsAllOrNone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	spam := a.spammer("Sam")
	group := a.post("/api/v2/groups", `{"group":{"name":"Gone"}}`).want(201).id("group")
	good := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"a"}}`, spam))
	bad := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"group_id":%d,"comment":{"body":"b"}}`, spam, group))
	a.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	many := fmt.Sprintf("/api/v2/suspended_tickets/recover_many?ids=%d,%d", good, bad)
	r := a.put(many, "").want(422)
	if got := r.ids("suspended_tickets"); !slices.Equal(got, []int64{bad}) {
		t.Errorf("failed: %v", got)
	}
	why := fmt.Sprintf("Group: %d is invalid", group)
	if got := r.member("suspended_tickets", 0, "error_messages", 0); got != why {
		t.Errorf("because: %v, want %s", got, why)
	}
	if got := a.get(suspendedPath(bad)).want(200).member("suspended_ticket", "error_messages", 0); got != why {
		t.Errorf("noted: %v", got)
	}
	if n := a.get("/api/v2/tickets/count").member("count", "value"); fmt.Sprint(n) != "0" {
		t.Errorf("%v tickets came to be", n)
	}
	if got := a.put(suspendedPath(bad)+"/recover", "").want(422).member("ticket", 0, "error_messages", 0); got != why {
		t.Errorf("alone: %v", got)
	}
	other := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"c"}}`, spam))
	a.put(fmt.Sprintf("/api/v2/suspended_tickets/recover_many?ids=%d,1", good), "").wantMissing()
	r = a.put(fmt.Sprintf("/api/v2/suspended_tickets/recover_many?ids=%d,%d", good, other), "").want(200)
	if got := r.ids("tickets"); !slices.Equal(got, []int64{good, other}) {
		t.Errorf("recovered: %v", got)
	}
	if n := a.get("/api/v2/tickets/count").member("count", "value"); fmt.Sprint(n) != "2" {
		t.Errorf("%v tickets, want 2", n)
	}
	a.put("/api/v2/suspended_tickets/recover_many", "").want(400)
	a.put("/api/v2/suspended_tickets/recover_many?ids=1"+strings.Repeat(",1", 100), "").want(400)
}

func TestSuspendedCommentsOfTicketsAreRecovered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	spam := a.user("Sam", a.email("sam"), "end-user")
	ticket := a.ticket(`{"comment":{"body":"First"}}`)
	row := models.SuspendedTicket{
		AuthorID: &spam, AuthorName: "Sam", Subject: "Re", Content: "Me too", CauseID: 6, Cause: "x", TicketID: &ticket, Via: models.JSON(`{"channel":"email","source":{"from":{},"to":{},"rel":null}}`),
		Change: models.JSON(`{"Comment":{"Body":"Me too"},"Subject":"Mine"}`), Stamps: models.Stamps{CreatedAt: theClock, UpdatedAt: theClock},
	}
	if err := a.db.WithContext(a.ctx()).Create(&row).Error; err != nil {
		t.Fatal(err)
	}
	r := a.put(suspendedPath(row.ID)+"/recover", "").want(200)
	if got := r.member("ticket", 0, "ticket_id"); fmt.Sprint(got) != fmt.Sprint(ticket) {
		t.Errorf("became ticket %v", got)
	}
	comments := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", ticket)).want(200)
	if got := comments.member("comments", 1, "author_id"); fmt.Sprint(got) != fmt.Sprint(spam) {
		t.Errorf("comments: %s", comments.body)
	}
}

func TestSuspendedTicketsAreListedSortedAndDeleted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	sam, ada := a.spammer("Sam"), a.spammer("Abe")
	var ids []int64
	for _, s := range []struct {
		by      int64
		subject string
	}{{sam, "b"}, {ada, "c"}, {sam, "a"}} {
		a.later(time.Second)
		ids = append(ids, a.heldBack(fmt.Sprintf(`{"subject":%q,"requester_id":%d,"comment":{"body":"x"}}`, s.subject, s.by)))
	}
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE suspended_tickets SET cause = 'Automated' WHERE account_id = ? AND id = ?", a.account.ID, ids[2]).Error; err != nil {
		t.Fatal(err)
	}
	for sort, want := range map[string][]int{
		"": {0, 1, 2}, "created_at": {0, 1, 2}, "author_email": {1, 0, 2}, "subject": {2, 0, 1}, "cause": {2, 0, 1}, "nonsense": {0, 1, 2},
	} {
		var wanted, turned []int64
		for _, i := range want {
			wanted = append(wanted, ids[i])
		}
		turned = slices.Clone(wanted)
		slices.Reverse(turned)
		for path, want := range map[string][]int64{"sort_by=" + sort: wanted, "sort_by=" + sort + "&sort_order=desc": turned} {
			if got := a.get("/api/v2/suspended_tickets.json?" + path).want(200).ids("suspended_tickets"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", path, got, want)
			}
		}
		for path, want := range map[string][]int64{"sort=" + sort: wanted, "sort=-" + sort: turned} {
			if sort == "" && path == "sort=-" {
				continue
			}
			if got := a.walkPages("/api/v2/suspended_tickets?page[size]=1&"+path, "suspended_tickets"); !slices.Equal(got, want) {
				t.Errorf("%s by cursor: %v, want %v", path, got, want)
			}
		}
	}
	a.delete(suspendedPath(ids[0])).want(204)
	a.delete(suspendedPath(ids[0])).wantMissing()
	a.delete("/api/v2/suspended_tickets/destroy_many").want(400)
	a.delete("/api/v2/suspended_tickets/destroy_many?ids=1" + strings.Repeat(",1", 100)).want(400)
	a.delete(fmt.Sprintf("/api/v2/suspended_tickets/destroy_many?ids=%d,%d,1", ids[1], ids[2])).want(204)
	if left := a.get("/api/v2/suspended_tickets").want(200).ids("suspended_tickets"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestSuspendedTicketsAreForUnrestrictedAgents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	spam := a.spammer("Sam")
	a.user("Ann", a.email("ann"), "end-user")
	a.user("Gus", a.email("gus"), "agent")
	a.restricted("r", "groups")
	up := a.upload("filename=offer.txt", "text/plain", "Buy!")
	id := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x","uploads":[%q]}}`, spam, up.Upload.Token))
	file := fmt.Sprintf("/api/v2/attachments/%d", up.Upload.Attachment.ID)
	before := a.rows()
	for _, who := range []*anAPI{a.as(a.email("ann")), a.as(a.email("r"))} {
		for _, path := range []string{"", fmt.Sprintf("/%d", id)} {
			who.get("/api/v2/suspended_tickets" + path).wantForbidden()
		}
		who.delete(suspendedPath(id)).wantForbidden()
		who.delete(fmt.Sprintf("/api/v2/suspended_tickets/destroy_many?ids=%d", id)).wantForbidden()
		who.put(suspendedPath(id)+"/recover", "").wantForbidden()
		who.put(fmt.Sprintf("/api/v2/suspended_tickets/recover_many?ids=%d", id), "").wantForbidden()
		who.post(suspendedPath(id)+"/attachments", "").wantForbidden()
		who.post(fmt.Sprintf("/api/v2/suspended_tickets/attachments?id=%d", id), "").wantForbidden()
		who.post("/api/v2/suspended_tickets/export", "").wantForbidden()
		who.get(file).wantMissing()
	}
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Errorf("written to %v", tables)
	}
	a.as(a.email("gus")).get(file).want(200)
	a.as(a.email("gus")).get(suspendedPath(id)).want(200)
	// Somebody who has not signed in is asked to first.
	a.anonymous().get(suspendedPath(id)).want(401)
}

// sweeping are the services whose sweeps a test calls by itself.
func (a *anAPI) sweeping() (*suspended.Service, *attachments.Service) {
	a.t.Helper()
	bucket, err := attachments.OpenBucket(a.ctx(), a.files)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = bucket.Close() })
	now := func() time.Time { return *a.now.Load() }
	files := attachments.New(a.db, bucket, now, attachments.Options{})
	return suspended.New(a.db, files, now), files
}

func TestSuspendedTicketsGoAfterTwoWeeks(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil) // a database of its own: sweeps know no account
	spam := a.spammer("Sam")
	held := func() int64 {
		up := a.upload("filename=offer.png", "image/png", picture(160, 80))
		return a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x","uploads":[%q]}}`, spam, up.Upload.Token))
	}
	old := held()
	a.later(suspended.Keep - time.Second)
	young := held()
	kept, files := a.sweeping()
	if err := kept.Sweep(a.ctx()); err != nil {
		t.Fatal(err)
	}
	a.get(suspendedPath(old)).want(200)
	a.later(time.Second)
	a.get(suspendedPath(old)).wantMissing() // also before the sweep
	a.put(suspendedPath(old)+"/recover", "").wantMissing()
	before := strings.Count(a.blobs(), a.files)
	if err := kept.Sweep(a.ctx()); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Sweep(a.ctx()); err != nil {
		t.Fatal(err)
	}
	a.get(suspendedPath(young)).want(200)
	if after := strings.Count(a.blobs(), a.files); before-after != 2 { // the picture and its thumbnail
		t.Errorf("%d blobs before and %d after", before, after)
	}
	var left int64
	a.db.WithContext(a.ctx()).Model(&models.SuspendedTicket{}).Count(&left)
	if left != 1 {
		t.Errorf("%d rows left, want 1", left)
	}
}

func TestFilesOfSuspendedTicketsAreCopied(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	spam := a.spammer("Sam")
	up := a.upload("filename=offer.txt", "text/plain", "Buy!")
	id := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x","uploads":[%q]}}`, spam, up.Upload.Token))
	none := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x"}}`, spam))
	for _, call := range []struct{ path, body string }{
		{suspendedPath(id) + "/attachments", ""}, {fmt.Sprintf("/api/v2/suspended_tickets/attachments?id=%d", id), ""},
		{"/api/v2/suspended_tickets/attachments", fmt.Sprintf(`{"id":%d}`, id)},
	} {
		r := a.post(call.path, call.body).want(200)
		if r.member("upload", "attachments", 0, "file_name") != "offer.txt" || fmt.Sprint(r.member("upload", "attachments", 0, "id")) == fmt.Sprint(up.Upload.Attachment.ID) {
			t.Errorf("%s: %s", call.path, r.body)
		}
		ticket := a.ticket(fmt.Sprintf(`{"comment":{"body":"Look","uploads":[%q]}}`, r.member("upload", "token")))
		file := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", ticket)).want(200).member("comments", 0, "attachments", 0, "content_url").(string)
		if body := a.get(strings.TrimPrefix(file, "http://helpd.test")).want(200).body; string(body) != "Buy!" {
			t.Errorf("the copy says %q", body)
		}
	}
	a.get(suspendedPath(id)).want(200).member("suspended_ticket", "attachments", 0)
	if got := a.post(suspendedPath(none)+"/attachments", "").want(200).member("upload", "attachments"); len(got.([]any)) != 0 {
		t.Errorf("files of one without: %v", got)
	}
	a.post("/api/v2/suspended_tickets/attachments", "").want(400)
	a.post("/api/v2/suspended_tickets/attachments?id=1", "").wantMissing()
	a.post("/api/v2/suspended_tickets/1/attachments", "").wantMissing()
}

func TestSuspendedTicketsAreExported(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	spam := a.spammer("Sam")
	var ids []int64
	for i := range 101 { // more than a page
		ids = append(ids, a.heldBack(fmt.Sprintf(`{"subject":"=HYPERLINK(%d)","requester_id":%d,"comment":{"body":"x"}}`, i, spam)))
	}
	r := a.post("/api/v2/suspended_tickets/export", "").want(200)
	if got, _ := json.Marshal(r.member("export")); string(got) != `{"status":"enqueued","view_id":"suspended"}` {
		t.Errorf("export: %s", got)
	}
	done := r.jobDone(a)
	file := strings.TrimPrefix(done.member("job_status", "results", "attachment_url").(string), "http://helpd.test")
	a.restricted("r", "groups")
	a.as(a.email("r")).get(file).wantMissing()
	address := a.get(file).want(200).member("attachment", "content_url").(string)
	rows, err := csv.NewReader(strings.NewReader(string(a.get(strings.TrimPrefix(address, "http://helpd.test")).want(200).body))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 102 || rows[0][0] != "id" || rows[101][0] != fmt.Sprint(ids[100]) {
		t.Fatalf("%d rows: %v", len(rows), rows[len(rows)-1])
	}
	if got := rows[1][5]; got != "'=HYPERLINK(0)" {
		t.Errorf("a formula: %s", got)
	}
}

func TestTicketsOfPeopleWhoShouldSignIn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user") // verified
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"signup_required":true,"suspend_logged_out_users":true}}}`).want(200)
	for email, cause := range map[string]int{a.email("ann"): suspended.LoggedOut, a.email("new"): suspended.SignupRequired, "": suspended.SignupRequired} {
		before := a.rows()
		id := a.ask(email).want(202).id("suspended_ticket")
		if tables := changed(before, a.rows()); !slices.Equal(tables, []string{"suspended_tickets"}) {
			t.Errorf("%q wrote to %v", email, tables)
		}
		if got := a.get(suspendedPath(id)).want(200).member("suspended_ticket", "cause_id"); fmt.Sprint(got) != fmt.Sprint(cause) {
			t.Errorf("%q: cause %v, want %d", email, got, cause)
		}
		r := a.put(suspendedPath(id)+"/recover?requester=author", "").want(200)
		ticket := a.get(fmt.Sprintf("/api/v2/tickets/%v?include=users", r.member("ticket", 0, "ticket_id"))).want(200)
		if email != "" && !strings.Contains(string(ticket.body), fmt.Sprintf(`"email":%q`, email)) {
			t.Errorf("%q: recovered without its author: %s", email, ticket.body)
		}
	}
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"suspend_logged_out_users":false}}}`).want(200)
	a.ask(a.email("ann")).want(201)
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"signup_required":false}}}`).want(200)
	a.ask(a.email("newer")).want(201)
	// A suspended user is one wherever the request comes from.
	spam := a.spammer("Sam")
	id := a.ask(a.email("sam")).want(202).id("suspended_ticket")
	if got := a.get(suspendedPath(id)).want(200).member("suspended_ticket", "author", "id"); fmt.Sprint(got) != fmt.Sprint(spam) {
		t.Errorf("author %v, want %d", got, spam)
	}
}

// ask creates a request without signing in, in the name of somebody at email.
func (a *anAPI) ask(email string) *result {
	a.t.Helper()
	requester := `{"name":"Ann"}`
	if email != "" {
		requester = fmt.Sprintf(`{"name":"Ann","email":%q}`, email)
	}
	return a.anonymous().post("/api/v2/requests", `{"request":{"subject":"Help","comment":{"body":"It smokes"},"requester":`+requester+`}}`)
}

func TestMergedUsersKeepWhatTheySaid(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	loser, winner := a.user("Ann", a.email("ann"), "end-user"), a.user("Ann Lee", a.email("lee"), "end-user")
	rating := a.as(a.email("ann")).vote(a.solved(a.email("ann")), `{"score":"good"}`).want(200).id("satisfaction_rating")
	a.put(fmt.Sprintf("/api/v2/users/%d", loser), `{"user":{"suspended":true}}`).want(200)
	held := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x"}}`, loser))
	a.put(fmt.Sprintf("/api/v2/users/%d", loser), `{"user":{"suspended":false}}`).want(200)
	a.put(fmt.Sprintf("/api/v2/users/%d/merge", loser), fmt.Sprintf(`{"user":{"id":%d}}`, winner)).want(200)
	if got := a.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", rating)).want(200).member("satisfaction_rating", "requester_id"); fmt.Sprint(got) != fmt.Sprint(winner) {
		t.Errorf("requester of the rating: %v", got)
	}
	if got := a.get(suspendedPath(held)).want(200).member("suspended_ticket", "author", "id"); fmt.Sprint(got) != fmt.Sprint(winner) {
		t.Errorf("author of the suspended ticket: %v", got)
	}
	a.put(suspendedPath(held)+"/recover", "").want(200)
}
