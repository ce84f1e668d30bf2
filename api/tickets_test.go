package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// ticket creates a ticket and returns its number.
func (a *anAPI) ticket(body string) int64 {
	a.t.Helper()
	return a.post("/api/v2/tickets.json", `{"ticket":`+body+`}`).want(201).id("ticket")
}

func TestTicketIsCreatedWithWhatClientsExpect(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.with("User-Agent", "test").post("/api/v2/tickets.json", `{"ticket":{"subject":"My printer is on fire!","comment":{"body":"The smoke is very colorful."},
		"priority":"urgent","tags":["Hot stuff","hot"],"requester":{"name":"Bo Burns","email":"`+a.email("bo")+`"}}}`).want(201)
	if got := r.header.Get("Location"); got != "http://helpd.test/api/v2/tickets/1.json" {
		t.Errorf("Location %q", got)
	}
	for path, want := range map[string]any{
		"url": "http://helpd.test/api/v2/tickets/1.json", "subject": "My printer is on fire!", "description": "The smoke is very colorful.",
		"priority": "urgent", "status": "new", "created_at": clockText, "updated_at": clockText, "type": nil, "is_public": true, "assignee_id": nil,
		"has_incidents": false, "satisfaction_rating": nil,
	} {
		if got := r.member("ticket", path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[hot stuff]" {
		t.Errorf("tags %v", got)
	}
	if got := r.member("audit", "events", 0, "type"); got != "Comment" {
		t.Errorf("the first event is %v", got)
	}
	if got := r.member("audit", "events", 0, "html_body"); got != `<div class="zd-comment" dir="auto"><p dir="auto">The smoke is very colorful.</p></div>` {
		t.Errorf("html_body %v", got)
	}
	var names []string
	for i := 1; i < 9; i++ {
		names = append(names, r.member("audit", "events", i, "field_name").(string))
	}
	if got := strings.Join(names, " "); got != "subject requester_id brand_id ticket_form_id custom_status_id status priority type" {
		t.Errorf("events about %s", got)
	}
	if got := r.member("audit", "metadata", "system", "client"); got != "test" {
		t.Errorf("client %v", got)
	}
	shown := a.get("/api/v2/tickets/1").want(200)
	if fmt.Sprint(shown.member("ticket")) != fmt.Sprint(r.member("ticket")) {
		t.Errorf("shown %v\ncreated %v", shown.member("ticket"), r.member("ticket"))
	}
}

func TestTicketIsUpdated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"subject":"A","comment":{"body":"B"},"priority":"low"}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	r := a.put(path, fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":"%d","priority":null,"additional_tags":["x"],"comment":{"html_body":"<p>Done<script>no()</script></p>","public":"false"}}}`, a.admin.ID)).want(200)
	if got := r.member("ticket", "status"); got != "solved" {
		t.Errorf("status %v", got)
	}
	if got := r.member("ticket", "priority"); got != "low" {
		t.Errorf("a priority was emptied: %v", got)
	}
	if got := r.member("audit", "events", 0, "html_body"); got != `<div class="zd-comment" dir="auto"><p>Done</p></div>` {
		t.Errorf("html_body %v", got)
	}
	same := a.put(path, `{"ticket":{"status":"solved"}}`).want(200)
	if got := fmt.Sprint(same.member("audit", "events")); got != "[]" {
		t.Errorf("nothing changed, events %v", got)
	}
	comments := a.get(path + "/comments?sort_order=desc").want(200)
	if got := comments.member("comments", 0, "public"); got != false {
		t.Errorf("public %v", got)
	}
	audits := a.get(path + "/audits?page[size]=1").want(200)
	if audits.member("meta", "has_more") != true {
		t.Error("two audits, and no more after one")
	}
}

func TestWhatATicketRefuses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	end := a.user("Eve", a.email("eve"), "end-user")
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.post("/api/v2/tickets", `{"ticket":{"subject":"no text"}}`).wantDetail("base", "Description: cannot be blank")
	a.put(path, `{"ticket":{"status":"strange"}}`).wantDetail("status", "Status: strange is not one of new, open, pending, hold, solved, closed")
	a.put(path, `{"ticket":{"priority":"asap"}}`).wantDetail("priority", "Priority: asap is not one of low, normal, high, urgent")
	a.put(path, fmt.Sprintf(`{"ticket":{"assignee_id":%d}}`, end)).wantDetail("assignee", fmt.Sprintf("Assignee: %d is not an agent", end))
	a.put(path, `{"ticket":{"group_id":404}}`).wantDetail("group", "Group: 404 is invalid")
	a.put(path, `{"ticket":{"requester_id":404}}`).wantDetail("requester", "Requester: 404 is invalid")
	a.put(path, `{"ticket":{"assignee_id":{"a":1}}}`).want(400)
	a.put(path, fmt.Sprintf(`{"ticket":{"email_ccs":[{"user_id":%d,"action":"drop"}]}}`, end)).wantDetail("email_ccs", "Email ccs: the action drop is not one of put, delete")
	a.put(path, fmt.Sprintf(`{"ticket":{"followers":[{"user_id":%d,"action":"drop"}]}}`, end)).wantDetail("followers", "Followers: the action drop is not one of put, delete")
	a.put("/api/v2/tickets/update_many", fmt.Sprintf(`{"tickets":[{"id":%d,"status":"open"},{"status":"open"}]}`, id)).want(400).wantJSON(
		`{"error":{"title":"Invalid attribute","message":"You passed an invalid value for the tickets attribute. Invalid parameter: tickets must be a list of objects with an id each"}}`)
	a.put("/api/v2/tickets/update_many?ids=", `{"ticket":{"status":"open"}}`).want(400)
	a.put(path, `{"ticket":{"status":"closed"}}`).wantDetail("base", "Status: closed is not valid for ticket update")
	a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"},"requester":{"name":"X","email":"no address"}}}`).wantError(422, "RecordInvalid")
	a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"},"requester":{"email":"`+a.email("nameless")+`"}}}`).
		wantDetail("requester", "Requester: Name: is too short (minimum is 1 characters)")
	group := a.post("/api/v2/groups", `{"group":{"name":"Empty"}}`).want(201).id("group")
	a.put(path, fmt.Sprintf(`{"ticket":{"assignee_id":%d,"group_id":%d}}`, a.admin.ID, group)).wantDetail("assignee", "Assignee: Ada Admin is not a member of the group")
	if got := a.get(path).member("ticket", "status"); got != "new" {
		t.Errorf("something was written: %v", got)
	}
	a.get("/api/v2/tickets/404").wantMissing()
	a.put("/api/v2/tickets/404", `{"ticket":{"status":"open"}}`).wantMissing()
	a.as(a.email("eve")).get(path).wantForbidden()
	a.as(a.email("eve")).post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`).wantForbidden()
	a.anonymous().get(path).want(401)
	a.another().get(path).wantMissing()
}

func TestClosedTicket(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"status":"solved","assignee_id":%d}`, a.admin.ID))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.put(path, `{"ticket":{"status":"closed"}}`).want(200)
	a.put(path, `{"ticket":{"comment":{"body":"again"}}}`).wantDetail("status", "Status: closed prevents ticket update")
	a.put(path, `{"ticket":{"tags":["late"]}}`).want(200)
	// So does a client that sends back what it has read, with another tag.
	shown := string(a.get(path).want(200).body)
	a.put(path, strings.Replace(shown, `["late"]`, `["later"]`, 1)).want(200)
	a.get(path + "/tags").want(200).wantJSON(`{"tags":["later"]}`)
	a.put(path, strings.Replace(shown, `"type":null`, `"type":"question"`, 1)).wantDetail("status", "Status: closed prevents ticket update")
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		a.do(method, path+"/tags", `{"tags":["later"]}`).wantDetail("status", "Status: closed prevents ticket update")
	}
	agent := a.user("Al", a.email("al"), "agent")
	_ = agent
	a.as(a.email("al")).put(path, `{"ticket":{"tags":["later"]}}`).wantDetail("status", "Status: closed prevents ticket update")
}

func TestSafeUpdate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.put(path, `{"ticket":{"safe_update":"true","updated_stamp":"2020-01-01T00:00:00Z","status":"open"}}`).wantError(409, "UpdateConflict")
	a.put(path, fmt.Sprintf(`{"ticket":{"safe_update":true,"updated_stamp":%q,"status":"open"}}`, clockText)).want(200)
	a.post(path+"/tags", `{"safe_update":true,"updated_stamp":"2020-01-01T00:00:00Z","tags":["x"]}`).wantError(409, "UpdateConflict")
}

func TestTicketTags(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"B"},"tags":["a"]}`)
	path := fmt.Sprintf("/api/v2/tickets/%d/tags", id)
	a.put(path, `{"tags":["b","C"]}`).want(200).wantJSON(`{"tags":["a","b","c"]}`)
	a.do("DELETE", path, `{"tags":["a"]}`).want(200).wantJSON(`{"tags":["b","c"]}`)
	a.post(path, `{"tags":["beta"]}`).want(201).wantJSON(`{"tags":["beta"]}`)
	a.get(path).want(200).wantJSON(`{"tags":["beta"]}`)
	a.get("/api/v2/tags").want(200).wantJSON(`{"tags":[{"name":"beta","count":1}],"count":1,"next_page":null,"previous_page":null}`)
	a.get("/api/v2/autocomplete/tags?name=BE").want(200).wantJSON(`{"tags":["beta"],"count":1,"next_page":null,"previous_page":null}`)
	a.get("/api/v2/autocomplete/tags?name=b").want(400)
	a.another().get("/api/v2/tags").want(200).wantJSON(`{"tags":[],"count":0,"next_page":null,"previous_page":null}`)
}

func TestTicketsAreWalkedInBothStyles(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var want []int64
	for range 5 {
		want = append(want, a.ticket(`{"comment":{"body":"B"}}`))
	}
	for _, first := range []string{"/api/v2/tickets.json?page[size]=1", "/api/v2/tickets.json?per_page=1", "/api/v2/tickets?page[size]=2&sort=updated_at"} {
		if got := a.walk(first, "tickets"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", first, got, want)
		}
	}
	slices.Reverse(want)
	for _, first := range []string{"/api/v2/tickets.json?page[size]=1&sort=-id", "/api/v2/tickets.json?per_page=2&sort_by=created_at&sort_order=desc"} {
		if got := a.walk(first, "tickets"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", first, got, want)
		}
	}
}

// walk follows a list to its end and returns the ids in the order of their coming.
func (a *anAPI) walk(path, key string) []int64 {
	a.t.Helper()
	var ids []int64
	for range 100 {
		r := a.get(path).want(200)
		ids = append(ids, r.ids(key)...)
		var e struct {
			NextPage *string `json:"next_page"`
			Links    struct{ Next *string }
		}
		r.json(&e)
		next := e.NextPage
		if next == nil {
			next = e.Links.Next
		}
		if next == nil {
			return ids
		}
		path = strings.TrimPrefix(*next, "http://helpd.test")
	}
	a.t.Fatalf("%s does not end", path)
	return nil
}

func TestDeletedTicketIsRestored(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"subject":"S","comment":{"body":"B"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.delete(path).want(204)
	a.get(path).wantMissing()
	a.delete(path).wantMissing()
	a.get("/api/v2/deleted_tickets").want(200).wantJSON(`{"deleted_tickets":[{"id":%d,"subject":"S","actor":{"id":%d,"name":"Ada Admin"},
		"deleted_at":%q,"previous_state":"new"}],"count":1,"next_page":null,"previous_page":null}`, id, a.admin.ID, clockText)
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", id), "").want(200).wantJSON(`{}`)
	a.get(path).want(200)
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore.json", id), "").wantMissing()
}

func TestCommentIsMadePrivateAndRedacted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"subject":"S","comment":{"body":"My number is 987-65 <ok>."}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	comment := a.get(path + "/comments").want(200).ids("comments")[0]
	r := a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), `{"text":"987-65 <"}`).want(200)
	if got := r.member("comment", "plain_body"); got != "My number is ▇▇▇▇▇▇▇▇ok>." && got != "My number is ▇▇▇▇▇▇▇▇" {
		if !strings.Contains(fmt.Sprint(got), "▇") || strings.Contains(fmt.Sprint(got), "987") {
			t.Errorf("plain_body %v", got)
		}
	}
	if strings.Contains(string(r.body), "987-65") {
		t.Errorf("something of it is left: %s", r.body)
	}
	if audits := a.get(path + "/audits"); strings.Contains(string(audits.body), "987-65") {
		t.Errorf("something of it is left: %s", audits.body)
	}
	a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), `{"text":"not there"}`).wantDetail("text", "Text: is not in the comment")
	a.put(fmt.Sprintf("%s/comments/%d/make_private.json", path, comment), "").want(200).wantJSON(`{}`)
	if got := a.get(path).member("ticket", "is_public"); got != false {
		t.Errorf("is_public %v", got)
	}
	a.put(fmt.Sprintf("%s/comments/404/make_private", path), "").wantMissing()
}

func TestSideLoads(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"assignee_id":%d}`, a.admin.ID))
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d?include=users,groups,organizations,brands,ticket_forms,metric_sets,dates,comment_count,incident_counts,last_audits,None", id)).want(200)
	if got := r.ids("users"); !slices.Equal(got, []int64{a.admin.ID}) {
		t.Errorf("users %v", got)
	}
	if got := fmt.Sprint(r.member("ticket", "comment_count")); got != "1" {
		t.Errorf("comment_count %v", got)
	}
	if got := fmt.Sprint(r.member("ticket", "metric_set", "assignee_stations")); got != "1" {
		t.Errorf("assignee_stations %v", got)
	}
	r.member("ticket", "dates", "solved_at")
	r.member("last_audits", 0, "events")
	for key, of := range map[string]string{"brands": "brand_id", "ticket_forms": "ticket_form_id"} {
		if got := r.ids(key); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(r.member("ticket", of)) {
			t.Errorf("%s %v, and the ticket has %v", key, got, r.member("ticket", of))
		}
	}
}
