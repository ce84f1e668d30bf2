package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// calls makes a trigger that calls a webhook when a ticket is created.
func (a *anAPI) calls(value string) int64 {
	a.t.Helper()
	return a.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"Call","conditions":{"all":[{"field":"update_type","operator":"is","value":"Create"}]},
		"actions":[{"field":"notification_webhook","value":%s}]}}`, value)).want(201).id("trigger")
}

func TestTriggersCallWebhooks(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	id := a.webhook(fmt.Sprintf(`"endpoint":"%s/{{ticket.status}}?t={{ticket.title}}","subscriptions":["conditional_ticket_events"],"http_method":"PUT"`, m.url))
	trigger := a.calls(fmt.Sprintf(`[%q,"{\"id\":{{ticket.id}},\"title\":\"{{ticket.title}}\",\"said\":\"{{ticket.latest_comment}}\",\"tags\":\"{{ticket.tags}}\"}"]`, id))
	made := a.post("/api/v2/tickets", `{"ticket":{"subject":"A \"b\" & c/d","tags":["x","y"],"comment":{"body":"Two\nlines","public":false}}}`).want(201)
	ticket := made.id("ticket")
	got := m.letters(a, 1)[0]
	if want := fmt.Sprintf(`{"id":%d,"title":"A \"b\" & c/d","said":"`, ticket); !strings.HasPrefix(got.body, want) || !strings.Contains(got.body, `Two\nlines`) || !strings.Contains(got.body, `"tags":"x y"`) {
		t.Errorf("sent %s", got.body)
	}
	if got.url != "/Open?t=A%20%22b%22%20%26%20c%2Fd" && got.url != "/New?t=A%20%22b%22%20%26%20c%2Fd" {
		t.Errorf("sent to %s", got.url)
	}
	var event map[string]any
	for _, e := range made.member("audit", "events").([]any) {
		if e := e.(map[string]any); e["type"] == "External" {
			event = e
		}
	}
	if event["resource"] != id || !strings.Contains(fmt.Sprint(event["body"]), "{{ticket.title}}") || !strings.Contains(fmt.Sprint(event["via"]), fmt.Sprint(trigger)) {
		t.Errorf("the audit tells %v", event)
	}
	list := a.get("/api/v2/webhooks/" + id + "/invocations").want(200)
	if fmt.Sprint(list.member("invocations", 0, "rule_id")) != fmt.Sprint(trigger) || fmt.Sprint(list.member("invocations", 0, "ticket_id")) != fmt.Sprint(ticket) {
		t.Errorf("%s", list.body)
	}
	// The rule goes on working as its webhook is changed, and holds it.
	a.delete("/api/v2/webhooks/"+id).wantListed("InvalidWebhook", "Webhook: is used by trigger Call")
	a.patch("/api/v2/webhooks/"+id, `{"webhook":{"subscriptions":[]}}`).wantListed("InvalidWebhook", "Subscriptions: is used by trigger Call")
	a.patch("/api/v2/webhooks/"+id, `{"webhook":{"status":"inactive"}}`).want(204)
	a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"Quiet"}}}`).want(201)
	if list := a.get("/api/v2/webhooks/" + id + "/invocations?filter[status]=inactive").want(200); len(list.member("invocations").([]any)) != 1 {
		t.Errorf("%s", list.body)
	}
	a.delete(fmt.Sprintf("/api/v2/triggers/%d", trigger)).want(204)
	a.delete("/api/v2/webhooks/" + id).want(204)
}

func TestWebhooksAreCalledWithParameters(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	get := a.webhook(fmt.Sprintf(`"endpoint":"%s/get?a=b","subscriptions":["conditional_ticket_events"],"http_method":"GET"`, m.url))
	form := a.webhook(fmt.Sprintf(`"endpoint":"%s/form","subscriptions":["conditional_ticket_events"],"request_format":"form_encoded"`, m.url))
	xml := a.webhook(fmt.Sprintf(`"endpoint":"%s/xml","subscriptions":["conditional_ticket_events"],"request_format":"xml"`, m.url))
	a.calls(fmt.Sprintf(`[%q,[["title","{{ticket.title}}"],["id","{{ticket.id}}"]]]`, get))
	a.calls(fmt.Sprintf(`[%q,[["title","{{ticket.title}}"]]]`, form))
	a.calls(fmt.Sprintf(`[%q,"<t>{{ticket.title}}</t>"]`, xml))
	id := a.ticket(`{"subject":"A & <b>","comment":{"body":"B"}}`)
	sent := map[string]string{}
	for _, l := range m.letters(a, 3) {
		sent[l.url] = l.body
	}
	for url, body := range map[string]string{
		fmt.Sprintf("/get?a=b&title=A+%%26+%%3Cb%%3E&id=%d", id): "", "/form": "title=A+%26+%3Cb%3E", "/xml": "<t>A &amp; &lt;b&gt;</t>",
	} {
		if got, ok := sent[url]; !ok || got != body {
			t.Errorf("%s: %q of %v", url, got, sent)
		}
	}
}

// What a template makes that is nothing to send is kept with the reason, and sent
// by hand only.
func TestFailingTemplatesAreNotSent(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	id := a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["conditional_ticket_events"]`, m.url))
	path := "/api/v2/webhooks/" + id + "/invocations"
	trigger := fmt.Sprintf("/api/v2/triggers/%d", a.calls(fmt.Sprintf(`[%q,"{\"assignee\": {{ticket.assignee.id}}}"]`, id)))
	ticket := a.ticket(`{"comment":{"body":"B"}}`)
	list := a.get(path).want(200)
	one := list.member("invocations", 0, "id").(string)
	if list.member("invocations", 0, "status") != "rejected" || list.member("invocations", 0, "next_attempt_at") != nil {
		t.Errorf("%s", list.body)
	}
	attempt := a.get(path + "/" + one + "/attempts").want(200)
	if why := fmt.Sprint(attempt.member("attempts", 0, "error")); why != `the payload is no JSON: byte 14, after "{\"assignee\": }"` {
		t.Errorf("it says %s", why)
	}
	// By hand it is made anew: as wrong as before, until the template is mended.
	again := a.post(path+"/"+one+"/replay", "").want(201)
	if again.member("invocation", "status") != "rejected" || again.member("invocation", "message_id") != one || again.member("invocation", "id") == one {
		t.Errorf("%s", again.body)
	}
	if n := a.post("/api/v2/webhooks/"+id+"/replay", `{"replay":{"status":["rejected"]}}`).want(200).member("replay", "count"); fmt.Sprint(n) != "0" {
		t.Errorf("%v that have nothing to send are sent", n)
	}
	a.put(trigger, fmt.Sprintf(`{"trigger":{"actions":[{"field":"current_tags","value":"x"},{"field":"notification_webhook","value":[%q,"{\"assignee\": \"{{ticket.assignee.id}}\", \"title\": \"{{ticket.title}}\"}"]}]}}`, id)).want(200)
	a.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), fmt.Sprintf(`{"ticket":{"subject":"Now","assignee_id":%d}}`, a.admin.ID)).want(200)
	again = a.post(path+"/"+one+"/replay", "").want(201)
	if again.member("invocation", "status") != "pending" || fmt.Sprint(again.member("invocation", "ticket_id")) != fmt.Sprint(ticket) {
		t.Errorf("%s", again.body)
	}
	if got, want := m.letters(a, 1)[0].body, fmt.Sprintf(`{"assignee": "%d", "title": "Now"}`, a.admin.ID); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	a.delete(trigger).want(204)
	if why := a.post(path+"/"+one+"/replay", "").want(400).body; !strings.Contains(string(why), "The rule that asked for it does not call the webhook any more") {
		t.Errorf("without the rule: %s", why)
	}
}

func TestWrongCallsOfWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	post, get := a.webhook(`"subscriptions":["conditional_ticket_events"]`), a.webhook(`"subscriptions":["conditional_ticket_events"],"http_method":"GET"`)
	events := a.webhook(`"subscriptions":["zen:event-type:ticket.created"]`)
	theirs := a.another().webhook(`"subscriptions":["conditional_ticket_events"]`)
	for value, why := range map[string]string{
		`"x"`:                                   "needs the id of a webhook and what to send it",
		`["x","y","z"]`:                         "needs the id of a webhook and what to send it",
		`["x","y"]`:                             `names a webhook "x" that triggers and automations cannot use`,
		fmt.Sprintf(`[%q,"y"]`, events):         fmt.Sprintf("names a webhook %q that triggers and automations cannot use", events),
		fmt.Sprintf(`[%q,"y"]`, theirs):         fmt.Sprintf("names a webhook %q that triggers and automations cannot use", theirs),
		fmt.Sprintf(`[%q,"y"]`, get):            `sends a webhook with GET json a list of names and values, as [["name","value"]]`,
		fmt.Sprintf(`[%q,[["a","b"]]]`, post):   "sends a webhook with POST json a text",
		fmt.Sprintf(`[%q,[["a"]]]`, get):        "needs a name and a value for each parameter",
		fmt.Sprintf(`[%q,{"a":"b"}]`, get):      `needs a text, or a list of names and values, as [["name","value"]]`,
		fmt.Sprintf(`[%q,"{{ticket.id"]`, post): "",
	} {
		r := a.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"Call","conditions":{"all":[{"field":"update_type","operator":"is","value":"Create"}]},
			"actions":[{"field":"notification_webhook","value":%s}]}}`, value)).want(422)
		if why != "" && !strings.Contains(fmt.Sprint(r.member("details", "base", 0, "description")), why) {
			t.Errorf("%s: %s", value, r.body)
		}
	}
	for _, action := range a.get("/api/v2/triggers/definitions").want(200).member("definitions", "actions").([]any) {
		if action := action.(map[string]any); action["subject"] == "notification_webhook" {
			if got := fmt.Sprint(action["values"]); strings.Count(got, "title:Hook") != 2 || strings.Contains(got, events) {
				t.Errorf("it offers %s", got)
			}
			return
		}
	}
	t.Error("the definitions have no webhooks")
}

// An automation calls, and trying a rule out tells what it would send and sends
// nothing.
func TestAutomationsCallWebhooks(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	id := a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["conditional_ticket_events"]`, m.url))
	ticket := a.ticket(`{"status":"solved","assignee_id":` + fmt.Sprint(a.admin.ID) + `,"comment":{"body":"B"}}`)
	a.now.Store(new(theClock.Add(100 * time.Hour)))
	rule := fmt.Sprintf(`{"title":"Call","all":[{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"greater_than","value":"24"},
		{"field":"current_tags","operator":"not_includes","value":"called"}],
		"actions":[{"field":"notification_webhook","value":[%q,"{\"id\":\"{{ticket.id}}\"}"]},{"field":"current_tags","value":"called"}]}`, id)
	tried := a.post("/api/v2/rules/dry_run", `{"automation":`+rule+`,"days":30}`).want(200)
	if !strings.Contains(string(tried.body), `"field":"notification_webhook"`) || !strings.Contains(string(tried.body), id) {
		t.Errorf("%s", tried.body)
	}
	a.post("/api/v2/automations", `{"automation":`+rule+`}`).want(201)
	if _, err := a.automations.Run(a.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := m.letters(a, 1); len(got) != 1 || got[0].body != fmt.Sprintf(`{"id":"%d"}`, ticket) {
		t.Errorf("sent %v", got)
	}
}

// What is taken out of a ticket is taken out of what was, or is to be, delivered
// of it.
func TestRedactedTextsAreNotDelivered(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	a.calls(fmt.Sprintf(`[%q,"{\"said\":\"{{ticket.latest_comment}}\"}"]`, a.webhook(`"endpoint":"https://hooks.invalid/","subscriptions":["conditional_ticket_events"]`)))
	holding := func() (n int) {
		t.Helper()
		if err := a.db.WithContext(a.ctx()).Raw("SELECT count(*) FROM webhook_invocations WHERE account_id = ? AND payload LIKE '%4111%'", a.account.ID).Row().Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, take := range map[string]func(path string){
		"redacted": func(path string) {
			comment := a.get(path + "/comments").want(200).ids("comments")[0]
			a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), `{"text":"4111"}`).want(200)
		},
		"deleted for good": func(path string) {
			a.delete(path).want(204)
			a.delete(strings.Replace(path, "/tickets/", "/deleted_tickets/", 1)).want(200).jobDone(a)
		},
	} {
		path := fmt.Sprintf("/api/v2/tickets/%d", a.ticket(`{"comment":{"body":"My card is 4111"}}`))
		if n := holding(); n != 1 {
			t.Fatalf("%d deliveries hold the text", n)
		}
		take(path)
		if n := holding(); n != 0 {
			t.Errorf("%s: %d deliveries hold the text", name, n)
		}
	}
}
