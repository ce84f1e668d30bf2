package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTicketEventsAreExported(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"T"}}`).want(201).id("ticket_field")
	id := a.ticket(`{"subject":"S","tags":["a"],"comment":{"body":"Hello"}}`)
	a.secondOn()
	a.put(a.path(id), fmt.Sprintf(`{"ticket":{"status":"open","tags":["b"],"comment":{"body":"Secret","public":false},"custom_fields":[{"id":%d,"value":"v"}]}}`, field)).want(200)
	audits := a.get(a.path(id) + "/audits").want(200).ids("audits")
	start := fmt.Sprint(theClock.Unix())
	r := a.get(incremental + "ticket_events.json?start_time=" + start).want(200)
	if got := r.ids("ticket_events"); !slices.Equal(got, audits) || fmt.Sprint(r.member("count")) != "2" || r.member("end_of_stream") != true {
		t.Fatalf("events %v of audits %v: %s", got, audits, r.body)
	}
	second := r.member("ticket_events", 1).(map[string]any)
	for member, want := range map[string]string{
		"ticket_id": fmt.Sprint(id), "timestamp": fmt.Sprint(theClock.Unix() + 1), "created_at": "2026-03-04T05:06:08Z", "updater_id": fmt.Sprint(a.admin.ID),
		"via": "API", "event_type": "Audit",
	} {
		if got := fmt.Sprint(second[member]); got != want {
			t.Errorf("%s: %s, want %s", member, got, want)
		}
	}
	var got []string
	for _, e := range second["child_events"].([]any) {
		child := e.(map[string]any)
		for _, same := range []string{"id", "created_at", "via", "via_reference_id", "metadata"} {
			delete(child, same)
		}
		b, _ := json.Marshal(child)
		got = append(got, string(b))
	}
	want := []string{
		`{"comment_present":true,"comment_public":false,"event_type":"Comment"}`,
		`"event_type":"Change","previous_value":"new","status":"open"`,
		`{"added_tags":["b"],"event_type":"Change","previous_value":["a"],"removed_tags":["a"],"tags":["b"]}`,
		fmt.Sprintf(`{"custom_ticket_fields":{"%d":"v"},"event_type":"Change","previous_value":null}`, field),
	}
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("no %s in\n%s", w, strings.Join(got, "\n"))
		}
	}
	with := a.get(incremental + "ticket_events?include=comment_events&start_time=" + fmt.Sprint(theClock.Unix()+1)).want(200)
	if c := with.member("ticket_events", 0, "child_events", 0).(map[string]any); c["body"] != "Secret" || c["type"] != "Comment" || c["public"] != false || c["attachments"] == nil {
		t.Errorf("the comment: %v", c)
	}
	if got := a.get(incremental + "ticket_events/sample?start_time=0").want(200).ids("ticket_events"); !slices.Equal(got, audits) {
		t.Errorf("sample: %v", got)
	}
	a.user("Al", a.email("al"), "agent")
	a.as(a.email("al")).get(incremental + "ticket_events?start_time=0").wantForbidden()
	a.get(incremental + "ticket_events").want(400)
}

// What a trigger did names the trigger.
func TestTicketEventsNameTheRule(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	rule := a.post("/api/v2/triggers", `{"trigger":{"title":"T","conditions":{"all":[{"field":"update_type","operator":"is","value":"Create"}]},
		"actions":[{"field":"priority","value":"high"}]}}`).want(201).id("trigger")
	a.ticket(`{"comment":{"body":"B"}}`)
	r := a.get(incremental + "ticket_events?start_time=0").want(200)
	want := fmt.Sprintf(`"via":"Rule","via_reference_id":%d,"created_at":"2026-03-04T05:06:07Z","event_type":"Change","priority":"high","previous_value":null}`, rule)
	if !strings.Contains(string(r.body), want) {
		t.Errorf("no %s in %s", want, r.body)
	}
}

func TestCommentsAreExported(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	id := a.ticket(`{"comment":{"body":"One"}}`)
	gone := a.ticket(`{"comment":{"body":"Gone"}}`)
	file := a.upload("filename=f.txt", "text/plain", "text")
	a.put(a.path(id), fmt.Sprintf(`{"ticket":{"comment":{"body":"Two","public":false,"uploads":[%q]}}}`, file.Upload.Token)).want(200)
	comments := a.get(a.path(id) + "/comments").want(200)
	ids := comments.ids("comments")
	lost := a.get(a.path(gone) + "/comments").want(200).ids("comments")[0]
	r := a.get(incremental + "comments/cursor?start_time=0&include=users").want(200)
	if got := r.ids("comments"); !slices.Equal(got, []int64{ids[0], lost, ids[1]}) || len(r.ids("users")) != 1 {
		t.Fatalf("comments %v: %s", got, r.body)
	}
	// As the ticket's own list has them, and which ticket's.
	for at, of := range map[int]int{0: 0, 2: 1} {
		told := r.member("comments", at).(map[string]any)
		if fmt.Sprint(told["ticket_id"]) != fmt.Sprint(id) {
			t.Errorf("ticket_id: %v", told)
		}
		delete(told, "ticket_id")
		if got, want := text(t, told), text(t, comments.member("comments", of)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	_, after := a.followed(incremental+"comments/cursor?start_time=0&per_page=2", "comments")

	// A redaction of its text, and of its file, brings a comment again.
	redacted := func(path, body string) {
		t.Helper()
		a.put(path, body).want(200)
		r := a.get(after).want(200)
		if got := r.ids("comments"); !slices.Equal(got, ids[1:]) {
			t.Errorf("after %s: %v", path, got)
		}
		after = a.here(r.member("after_url"))
	}
	comment := fmt.Sprintf("%s/comments/%d", a.path(id), ids[1])
	redacted(comment+"/redact", `{"text":"Two"}`)
	redacted(fmt.Sprintf("%s/attachments/%d/redact", comment, file.Upload.Attachment.ID), "")

	// One that is gone is told by its id.
	a.delete(a.path(gone)).want(204)
	a.delete(fmt.Sprintf("/api/v2/deleted_tickets/%d", gone)).want(200)
	if err := a.db.WithContext(a.ctx()).Exec("DELETE FROM comments WHERE account_id = ? AND id = ?", a.account.ID, lost).Error; err != nil {
		t.Fatal(err)
	}
	a.get(after).want(200).wantHas(`"comments":[{"id":%d,"deleted":true}]`, lost)
	a.get(after + "&exclude_deleted=true").want(200).wantHas(`"comments":[]`)
	a.user("Al", a.email("al"), "agent")
	a.as(a.email("al")).get(incremental + "comments/cursor?start_time=0").wantForbidden()
	a.get(incremental + "comments/cursor?cursor=x").want(400)
}

// wantHas looks for a part of the answer as it is written.
func (r *result) wantHas(format string, args ...any) {
	r.t.Helper()
	if want := fmt.Sprintf(format, args...); !strings.Contains(string(r.body), want) {
		r.t.Errorf("%s %s: no %s in %.1000s", r.method, r.path, want, r.body)
	}
}
