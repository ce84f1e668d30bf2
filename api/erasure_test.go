package api_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

// traces are what the person of a test is known by, spread over an account.
var traces = []string{
	"quillfeather", "zacharias", "zacha", "zaquill_77", "featherquill", "zq-mail", "zq-second", "zq-twin", "zq-file-contents", "zq-waiting", "zq-alias",
	"87654321", "876 543 21", "zq-external-id",
}

// found are the traces that stand in a text, whatever its case.
func found(text string) (list []string) {
	text = strings.ToLower(text)
	for _, trace := range traces {
		if strings.Contains(text, trace) || strings.Contains(text, hex.EncodeToString([]byte(trace))) {
			list = append(list, trace)
		}
	}
	return list
}

// dump is every row of every table of the database, also of the queue's, as
// text, by table. What an UPDATE leaves behind of a row until VACUUM is not in
// it, nor in any answer; see package erasure.
func (a *anAPI) dump() map[string]string {
	a.t.Helper()
	var tables []string
	if err := a.db.WithContext(a.ctx()).Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'").Scan(&tables).Error; err != nil {
		a.t.Fatal(err)
	}
	out := map[string]string{}
	for _, table := range tables {
		var rows []string
		if err := a.db.WithContext(a.ctx()).Raw("SELECT t::text FROM " + table + " AS t").Scan(&rows).Error; err != nil {
			a.t.Fatal(err)
		}
		out[table] = strings.Join(rows, "\n")
	}
	return out
}

// blobs are the names and contents of all files in the blob store.
func (a *anAPI) blobs() string {
	a.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(a.files, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		contents, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s: %s\n", path, contents)
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return all.String()
}

// plant makes a person who has left traces wherever there is a place for any.
func plant(a *anAPI) (id int64, tickets []int64) {
	a.t.Helper()
	mail, second, twin := a.email("zq-mail"), a.email("zq-second"), a.email("zq-twin")
	org := a.post("/api/v2/organizations", `{"organization":{"name":"Acme","notes":"Ask Zacharias Quillfeather first"}}`).want(201).id("organization")
	id = a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Z. Quillfeather","email":%q,"phone":"+493087654321","external_id":"zq-external-id","alias":"Zq-Alias Person",
		"notes":"zacharias pays late","organization_id":%d,"verified":true,"identities":[{"type":"email","value":%q},{"type":"twitter","value":"zaquill_77"}]}}`,
		mail, org, second)).want(201).id("user")
	a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"name":"Zacharias Quillfeather","details":"Quillfeather & sons"}}`).want(200)
	a.post(fmt.Sprintf("/api/v2/users/%d/password", id), `{"password":"`+passphrase+`"}`).want(200)
	a.withPassword(mail, passphrase).get("/api/v2/users/me").want(200)
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"Contact"}}`).want(201).id("ticket_field")

	a.putPhoto(fmt.Sprintf("/api/v2/users/%d", id), "quillfeather.png", pictureOf(8, 8)).want(200)
	a.as(mail).userImage(string(pictureOf(8, 8)))
	up := a.upload("filename=quillfeather.txt", "text/plain", "zq-file-contents")
	a.as(mail).do("POST", "/api/v2/uploads?filename=zq-waiting.txt", "zq-waiting").want(201)
	own := a.with("Idempotency-Key", "first").post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Quillfeather's order","external_id":%q,"requester_id":%d,
		"tags":["vip"],"custom_fields":[{"id":%d,"value":%q}],"metadata":{"sender":%q},
		"comment":{"author_id":%d,"body":"Call **Zacha**rias at +49 (30) 876-543-21","uploads":[%q]}}}`, mail, id, field, "reach "+mail, second, id, up.Upload.Token)).want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", own)
	a.put(path, `{"ticket":{"comment":{"html_body":"<p>Dear <b>Zacha</b>rias,<br>write to <a href=\"mailto:`+mail+`\">us</a></p>"}}}`).want(200)
	a.put(path, `{"ticket":{"subject":"The order of ZACHARIAS  QUILLFEATHER","status":"solved"}}`).want(200)

	a.as(mail).vote(own, `{"score":"bad","comment":"Yours, Zacharias Quillfeather"}`).want(200)
	a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"suspended":true}}`).want(200)
	kept := a.upload("filename=zq-waiting.txt", "text/plain", "zq-waiting")
	a.heldBack(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Zacharias again","uploads":[%q]}}`, id, kept.Upload.Token))
	a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"suspended":false}}`).want(200)

	other := a.ticket(fmt.Sprintf(`{"subject":"Other","comment":{"body":"My neighbour Zacharias Quillfeather (%s, 0 30 87654321) told me. I told Ann."},"email_cc_ids":[%d]}`, mail, id))
	a.put(fmt.Sprintf("/api/v2/tickets/%d", other), `{"ticket":{"email_ccs":[{"user_id":"`+fmt.Sprint(id)+`","action":"delete"}],"comment":{"body":"bye","public":false}}}`).want(200)
	a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Friend","details":"knows %s and @zaquill_77"}}`, mail)).want(201)
	a.post("/api/v2/users/create_many", fmt.Sprintf(`{"users":[{"name":"Again","email":%q}]}`, mail)).want(200).jobDone(a)

	// A merge gives the file to a ticket of which the person is no part any more.
	taken := a.upload("filename=quillfeather.txt", "text/plain", "zq-file-contents")
	from := a.ticket(fmt.Sprintf(`{"subject":"Once more","requester_id":%d,"comment":{"author_id":%d,"body":"As above","uploads":[%q]}}`, id, id, taken.Upload.Token))
	into := a.ticket(`{"subject":"Ours","comment":{"body":"Whose?"}}`)
	a.post(a.path(into)+"/merge", fmt.Sprintf(`{"ids":[%d]}`, from)).want(200).jobDone(a)
	a.put(a.path(into), fmt.Sprintf(`{"ticket":{"email_ccs":[{"user_id":%d,"action":"delete"}]}}`, id)).want(200)

	same := a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Zack Featherquill","email":%q}}`, twin)).want(201).id("user")
	a.put(fmt.Sprintf("/api/v2/users/%d/merge", same), fmt.Sprintf(`{"user":{"id":%d}}`, id)).want(200)
	a.mail(own, "For Zacharias Quillfeather", []int64{id}, mail)
	a.mail(own, "Dear Zacharias Quillfeather", []int64{77, id}, "agent@helpd.test", strings.ToUpper(mail))
	// The ticket is closed, or its requester could not be deleted.
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE tickets SET status = 'closed' WHERE account_id = ? AND id = ?", a.account.ID, own).Error; err != nil {
		a.t.Fatal(err)
	}
	return id, []int64{own, other}
}

// mail puts a mail about a ticket into the outbox: to the first address, with
// copies to the others.
func (a *anAPI) mail(ticket int64, text string, users []int64, addresses ...string) {
	a.t.Helper()
	err := a.db.WithContext(a.ctx()).Create(&models.OutboxMail{
		TicketID: &ticket, Channel: models.ChannelEmail, RecipientIDs: users, Recipients: addresses[:1], CCs: addresses[1:], Headers: models.JSON("{}"),
		Subject: text, HTMLBody: "<p>" + text + "</p>", TextBody: text, CreatedAt: time.Now(),
	}).Error
	if err != nil {
		a.t.Fatal(err)
	}
}

func TestPermanentDeletionLeavesNoByte(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	id, tickets := plant(a)
	before := a.dump()
	for _, table := range []string{"users", "user_identities", "tickets", "comments", "audits", "event_batches", "attachments", "idempotency_keys", "job_statuses", "organizations",
		"satisfaction_ratings", "suspended_tickets", "outbox"} {
		if len(found(before[table])) == 0 {
			t.Errorf("the test has left no trace in %s", table)
		}
	}
	if len(found(a.blobs())) == 0 {
		t.Error("the test has left no trace in the blob store")
	}
	subject := fmt.Sprintf("/api/v2/deleted_users/%d", id)
	a.delete(fmt.Sprintf("/api/v2/users/%d", id)).want(200)
	r := a.delete(subject).want(200)
	for member, want := range map[string]string{"name": "Permanently Deleted User", "email": "<nil>", "phone": "<nil>", "active": "false"} {
		if got := fmt.Sprint(r.member("deleted_user", member)); got != want {
			t.Errorf("%s is %s", member, got)
		}
	}
	statuses := fmt.Sprintf("/api/v2/users/%d/compliance_deletion_statuses", id)
	var last *result
	a.until("end of the deletion", func() bool {
		last = a.get(statuses).want(200)
		return strings.Contains(string(last.body), `"complete"`)
	})
	for table, rows := range a.dump() {
		if left := found(rows); len(left) > 0 {
			for _, row := range strings.Split(rows, "\n") {
				if len(found(row)) > 0 {
					t.Errorf("%s still has %v: %.1500s", table, found(row), row)
				}
			}
		}
	}
	if left := a.blobs(); left != "" {
		t.Errorf("files are left: %.300q", left)
	}
	if left := found(a.blobs()); len(left) > 0 {
		t.Errorf("the blob store still has %v", left)
	}

	// What is left is a receipt, and tickets that read as before otherwise.
	for i, action := range []string{"request_deletion", "started", "complete"} {
		if got := last.member("compliance_deletion_statuses", i, "action"); got != action {
			t.Errorf("stage %d is %v", i, got)
		}
	}
	for _, table := range []string{"tickets", "comments", "audits", "event_batches", "organizations", "users", "files", "suspended_tickets", "outbox"} {
		if n := fmt.Sprint(last.member("compliance_deletion_statuses", 2, "receipt", table)); n == "0" {
			t.Errorf("the receipt tells of %s %s", n, table)
		}
	}
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", tickets[1])).want(200).member("ticket", "description"); !strings.HasSuffix(got.(string), "told me. I told Ann.") ||
		!strings.HasPrefix(got.(string), "My neighbour ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇ (▇") {
		t.Errorf("the other's ticket reads %s", got)
	}
	comments := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", tickets[0])).want(200)
	if got := fmt.Sprint(comments.member("comments", 0, "author_id")); got != fmt.Sprint(id) {
		t.Errorf("author %s", got)
	}
	if got := fmt.Sprint(comments.member("comments", 0, "attachments", 0, "file_name")); got != "redacted.txt" {
		t.Errorf("file %s", got)
	}
	a.get(fmt.Sprintf("/api/v2/users/%d", id)).wantMissing()
	a.get(subject).want(200)
	a.delete(subject).wantMissing()
	a.get("/api/v2/users/search?query=quillfeather").want(200).wantJSON(`{"users":[],"next_page":null,"previous_page":null,"count":0}`)
}

func TestWhoIsNotDeletedPermanently(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	staff := a.user("Max", a.email("max"), "agent")
	a.user("Agent", a.email("agent"), "agent")
	twin := a.user("Ann", a.email("twin"), "end-user")
	path := func(id int64) string { return fmt.Sprintf("/api/v2/deleted_users/%d", id) }
	a.delete(path(id)).wantDetail("base", "User: must be deleted before it can be deleted permanently")
	a.delete(path(4040404)).wantMissing()
	a.put(fmt.Sprintf("/api/v2/users/%d/merge", twin), fmt.Sprintf(`{"user":{"id":%d}}`, id)).want(200)
	a.delete(path(twin)).wantDetail("base", fmt.Sprintf("User: was merged into %d, with whom it is deleted permanently", id))
	a.delete(fmt.Sprintf("/api/v2/users/%d", staff)).want(200)
	a.as(a.email("agent")).delete(path(staff)).wantForbidden()
	a.delete(fmt.Sprintf("/api/v2/users/%d", id)).want(200)
	a.another().delete(path(id)).wantMissing()
	statuses := fmt.Sprintf("/api/v2/users/%d/compliance_deletion_statuses", id)
	a.get(statuses).want(200).wantJSON(`{"compliance_deletion_statuses":[],"next_page":null,"previous_page":null,"count":0}`)
	a.as(a.email("agent")).delete(path(id)).want(200)
	asked := fmt.Sprintf(`{"action":"request_deletion","application":"all","account_subdomain":%q,"created_at":%q,"executer_id":%d,"user_id":%d}`,
		a.account.Subdomain, clockText, a.as(a.email("agent")).get("/api/v2/users/me").want(200).id("user"), id)
	a.get(statuses).want(200).wantJSON(`{"compliance_deletion_statuses":[%s],"next_page":null,"previous_page":null,"count":1}`, asked)
	a.get(statuses + "?application=support").want(200).wantJSON(`{"compliance_deletion_statuses":[],"next_page":null,"previous_page":null,"count":0}`)
	a.get("/api/v2/users/4040404/compliance_deletion_statuses").wantMissing()
	a.another().get(statuses).wantMissing()
	// The address is anybody's again.
	a.user("Ann", a.email("ann"), "end-user")
	if a.do(http.MethodGet, path(twin), "").want(200).member("deleted_user", "name") != "Permanently Deleted User" {
		t.Error("who was merged into Ann is still known")
	}
}
