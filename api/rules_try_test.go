package api_test

import (
	"fmt"
	"maps"
	"testing"
	"time"
)

func TestRulesAreExplained(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.noTriggers()
	urgent := a.triggered("Urgent is tagged", `{"field":"priority","operator":"value","value":"urgent"}`, `{"field":"current_tags","value":"now"}`)
	words := a.triggered("Error", `{"field":"update_type","operator":"is","value":"Change"},{"field":"comment_includes_word","operator":"includes","value":"error_547"}`, `{"field":"priority","value":"urgent"}`)
	a.automation("Later", `{"field":"status","operator":"is","value":"pending"},{"field":"PENDING","operator":"greater_than","value":"1"}`, `{"field":"status","value":"open"}`)
	id := a.ticket(`{"priority":"low","comment":{"body":"Hello"}}`)
	a.later(time.Minute)
	a.put(a.path(id), `{"ticket":{"comment":{"body":"It is error_547","public":false}}}`).want(200)
	// The rule is another one since, and what was is still told by what it was.
	a.later(time.Minute)
	a.put(fmt.Sprintf("/api/v2/triggers/%d", words), `{"trigger":{"conditions":{"all":[{"field":"priority","operator":"is","value":"high"}]}}}`).want(200)
	a.later(time.Minute)
	a.put(a.path(id), `{"ticket":{"status":"open"}}`).want(200)

	r := a.post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d}`, id)).want(200)
	at := func(path ...any) string { return fmt.Sprint(r.member(append([]any{"explanation"}, path...)...)) }
	if n := len(r.member("explanation", "audits").([]any)); n != 3 {
		t.Fatalf("%d audits: %s", n, r.body)
	}
	for _, tc := range []struct {
		path []any
		want string
	}{
		{[]any{"audits", 0, "triggers", 1, "failed", 0}, `map[actual:urgent at:all[0] condition:map[field:priority operator:is value:high]]`},
		{[]any{"audits", 1, "triggers", 0, "id"}, fmt.Sprint(urgent)},
		{[]any{"audits", 1, "triggers", 0, "matched"}, "false"}, // not yet
		{[]any{"audits", 1, "triggers", 1, "matched"}, "true"},
		{[]any{"audits", 1, "triggers", 1, "run"}, "1"},
		{[]any{"audits", 1, "triggers", 1, "events", 0, "value"}, "urgent"},
		{[]any{"audits", 1, "triggers", 2, "id"}, fmt.Sprint(urgent)},
		{[]any{"audits", 1, "triggers", 2, "matched"}, "true"},
		{[]any{"audits", 1, "triggers", 2, "run"}, "2"},
		{[]any{"audits", 1, "triggers", 2, "events", 0, "value"}, "[now]"},
		{[]any{"audits", 2, "triggers", 0, "failed", 0, "actual"}, "low"},
		{[]any{"audits", 2, "triggers", 1, "failed", 0, "at"}, "all[0]"},
		{[]any{"audits", 2, "triggers", 1, "failed", 0, "actual"}, "Create"},
		{[]any{"automations", 0, "matched"}, "false"},
		{[]any{"automations", 0, "run"}, "<nil>"},
		{[]any{"automations", 0, "failed", 0, "actual"}, "open"},
	} {
		if got := at(tc.path...); got != tc.want {
			t.Errorf("%v is %s, want %s", tc.path, got, tc.want)
		}
	}
	one := a.post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d,"audits":1}`, id)).want(200)
	if n := len(one.member("explanation", "audits").([]any)); n != 1 {
		t.Errorf("%d audits where one is asked for", n)
	}
	a.post("/api/v2/rules/explain", `{}`).wantDetail("ticket_id", "Ticket: cannot be blank")
	a.post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d,"audits":21}`, id)).wantDetail("audits", "Audits: must be from 1 to 20")
	a.post("/api/v2/rules/explain", `{"ticket_id":999999}`).wantMissing()
	a.user("Ann", a.email("ann"), "end-user")
	a.as(a.email("ann")).post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d}`, id)).wantForbidden()
}

func TestRulesAreTriedOut(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.noTriggers()
	old := a.ticket(`{"subject":"Old","comment":{"body":"error_547"}}`)
	a.later(10 * 24 * time.Hour)
	hit := a.ticket(`{"subject":"로그인 오류","tags":["a"],"comment":{"body":"로그인이 안 됩니다"}}`)
	a.ticket(`{"subject":"Other","comment":{"body":"else"}}`)
	a.put(a.path(hit), `{"ticket":{"status":"pending","comment":{"body":"Wait"}}}`).want(200)
	a.later(2 * time.Hour)
	id := a.automation("Kept", `{"field":"status","operator":"is","value":"pending"},{"field":"PENDING","operator":"is","value":"2"}`, `{"field":"status","value":"open"}`)
	before := a.rows()
	// With the status the custom one is another, as it is told everywhere.
	status := func(from, to string) string {
		of := func(category string) int {
			return a.number("SELECT id FROM custom_statuses WHERE account_id = ? AND status_category = ? AND \"default\"", a.account.ID, category)
		}
		return fmt.Sprintf("map[field:custom_status_id from:%d to:%d]", of(from), of(to))
	}

	trigger := `{"all":[{"field":"comment_includes_word","operator":"includes","value":"로그인 error_547"}],
		"actions":[{"field":"current_tags","value":"a login"},{"field":"priority","value":"high"},{"field":"notification_user","value":["requester_id","S {{ticket.id}}","B"]}]}`
	r := a.post("/api/v2/rules/dry_run", `{"trigger":`+trigger+`}`).want(200)
	want := fmt.Sprintf(`{"dry_run":{"type":"trigger","since":"2026-03-07T07:06:07Z","considered":3,"complete":true,"matched":1,"matches":[{"ticket_id":%d,"subject":"로그인 오류","audit_id":%s,
		"at":"2026-03-14T05:06:07Z","changes":[{"field":"priority","from":"","to":"high"},{"field":"tags","from":["a"],"to":["a","login"]}],
		"messages":[{"field":"notification_user","recipient":"requester_id","subject":"S {{ticket.id}}","body":"B"}]}]}}`, hit, auditOf(r))
	r.wantJSON("%s", want)
	if got := a.post("/api/v2/rules/dry_run", `{"days":30,"trigger":`+trigger+`}`).want(200).member("dry_run", "matches", 1, "ticket_id"); fmt.Sprint(got) != fmt.Sprint(old) {
		t.Errorf("of 30 days the second match is %v", got)
	}
	automation := `{"all":[{"field":"status","operator":"is","value":"pending"},{"field":"PENDING","operator":"is","value":"2"}],"actions":[{"field":"status","value":"open"}]}`
	r = a.post("/api/v2/rules/dry_run", `{"automation":`+automation+`}`).want(200)
	if got := fmt.Sprint(r.member("dry_run", "considered"), r.member("dry_run", "matches", 0, "changes"), r.member("dry_run", "matches", 0, "audit_id")); got != fmt.Sprintf("2[map[field:status from:pending to:open] %s] <nil>", status("pending", "open")) {
		t.Errorf("an automation: %s", got)
	}
	r = a.post("/api/v2/rules/dry_run", fmt.Sprintf(`{"automation":{"id":%d,"all":[{"field":"status","operator":"is","value":"new"},{"field":"NEW","operator":"less_than","value":"3"}]}}`, id)).want(200)
	if got := fmt.Sprint(r.member("dry_run", "matched"), r.member("dry_run", "matches", 0, "changes")); got != fmt.Sprintf("1[map[field:status from:new to:open] %s]", status("new", "open")) {
		t.Errorf("a kept automation with other conditions: %s", got)
	}
	r = a.post("/api/v2/rules/dry_run", `{"view":{"all":[{"field":"status","operator":"less_than","value":"solved"}]}}`).want(200)
	if got := fmt.Sprint(r.member("dry_run", "matched")); got != "2" {
		t.Errorf("a view: %s", got)
	}
	if after := a.rows(); !maps.Equal(after, before) {
		t.Errorf("rows before %s, after %s", before, after)
	}

	a.post("/api/v2/rules/dry_run", `{}`).want(400)
	a.post("/api/v2/rules/dry_run", `{"trigger":`+trigger+`,"view":{}}`).want(400)
	a.post("/api/v2/rules/dry_run", `{"days":91,"trigger":`+trigger+`}`).wantDetail("days", "Days: must be from 1 to 90")
	a.post("/api/v2/rules/dry_run", `{"trigger":{"id":5}}`).wantMissing()
	a.post("/api/v2/rules/dry_run", `{"view":{"all":[{"field":"status","operator":"is","value":"open"},{"field":"colour","operator":"is","value":"red"}]}}`).
		wantDetail("base", "conditions.all[1]: colour is not a field that conditions know")
	a.user("Al", a.email("al"), "agent")
	a.as(a.email("al")).post("/api/v2/rules/dry_run", `{"trigger":`+trigger+`}`).wantForbidden()
}

// auditOf is the audit of the first match, as text.
func auditOf(r *result) string {
	return fmt.Sprint(r.member("dry_run", "matches", 0, "audit_id"))
}

// noTriggers deletes those that came with the account.
func (a *anAPI) noTriggers() {
	a.t.Helper()
	for _, id := range a.get("/api/v2/triggers").want(200).ids("triggers") {
		a.delete(fmt.Sprintf("/api/v2/triggers/%d", id)).want(204)
	}
}
