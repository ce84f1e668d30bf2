package api_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// macro makes one that is shared with all agents, and returns its id.
func (a *anAPI) macro(title, actions string) int64 {
	a.t.Helper()
	return a.post("/api/v2/macros", fmt.Sprintf(`{"macro":{"title":%q,"actions":[%s]}}`, title, actions)).want(201).id("macro")
}

// jsonOf is the JSON of a member.
func (r *result) jsonOf(path ...any) string {
	r.t.Helper()
	return string(models.ToJSON(r.member(path...)))
}

func TestAMacroIsTriedOut(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	support := a.group("Second level")
	ann := a.user("Ann Agent", a.email("ann"), "agent")
	a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d,"default":true}}`, ann, support)).want(201)
	kim := a.user("Kim Customer", a.email("kim"), "end-user")
	plan := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"tagger","title":"Plan","custom_field_options":[{"name":"Gold","value":"gold"}]}}`).want(201).id("ticket_field")
	due := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"date","title":"Until"}}`).want(201).id("ticket_field")
	id := a.ticket(fmt.Sprintf(`{"subject":"Broken","requester_id":%d,"tags":["one","two"],"comment":{"body":"It broke."}}`, kim))
	a.put(a.path(id), `{"ticket":{"comment":{"body":"A secret note.","public":false}}}`).want(200)
	macro := a.macro("All", fmt.Sprintf(`{"field":"status","value":"pending"},{"field":"priority","value":"high"},{"field":"type","value":"incident"},
		{"field":"assignee_id","value":"current_user"},{"field":"group_id","value":"current_groups"},{"field":"current_tags","value":"three Four"},{"field":"remove_tags","value":"one"},
		{"field":"custom_fields_%d","value":"gold"},{"field":"custom_fields_%d","value":["specific_date","2026-12-24"]},{"field":"follower","value":"current_user"},
		{"field":"subject","value":"Re: {{ticket.title}}"},
		{"field":"comment_value","value":["channel:all","Hi {{ticket.requester.first_name}}, {{current_user.name}} looks at {{ticket.title}} <{{ticket.priority}}>. {{ticket.comments}}"]},
		{"field":"comment_value","value":["channel:chat","Hi!"]},{"field":"comment_mode_is_public","value":"true"}`, plan, due))
	before := a.rows()

	agent := a.as(a.email("ann"))
	r := agent.get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply.json", id, macro)).want(200)
	member := func(name string) string { return fmt.Sprint(r.member("result", "ticket", name)) }
	for name, want := range map[string]string{
		"id": fmt.Sprint(id), "status": "pending", "priority": "high", "type": "incident", "assignee_id": fmt.Sprint(ann), "group_id": fmt.Sprint(support),
		"tags": "[two three four gold]", "follower_ids": fmt.Sprintf("[%d]", ann), "raw_subject": "Re: Broken", "requester_id": fmt.Sprint(kim),
		"custom_fields": fmt.Sprintf("[map[id:%d value:gold] map[id:%d value:2026-12-24]]", plan, due), "description": "It broke.",
	} {
		if got := member(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	body := fmt.Sprint(r.member("result", "ticket", "comment", "body"))
	if want := "Hi Kim, Ann Agent looks at Broken <High>. "; len(body) < len(want) || body[:len(want)] != want {
		t.Errorf("comment %q", body)
	}
	if strings.Contains(body, "A secret note") || !strings.Contains(body, "It broke.") {
		t.Errorf("a public comment quotes %q", body)
	}
	if got := fmt.Sprint(r.member("result", "ticket", "comment", "html_body")); !strings.Contains(got, "&lt;High&gt;") {
		t.Errorf("HTML %q", got)
	}
	if got, want := fmt.Sprint(r.member("result", "ticket", "comment", "scoped_body")), fmt.Sprint([]any{[]any{"channel:all", body}, []any{"channel:chat", "Hi!"}}); got != want {
		t.Errorf("by channel %s\nwant %s", got, want)
	}
	if got := r.member("result", "ticket", "comment", "public"); got != true {
		t.Errorf("public: %v", got)
	}

	agent.get(fmt.Sprintf("/api/v2/macros/%d/apply", macro)).want(200).wantJSON(`{"result":{"ticket":{
		"subject":"Re: {{ticket.title}}","status":"pending","priority":"high","type":"incident","assignee_id":%d,"group_id":%d,
		"additional_tags":["three","Four"],"remove_tags":["one"],"followers":[{"user_id":%[1]d,"action":"put"}],
		"fields":{"%[3]d":"gold","%[4]d":"2026-12-24"},"comment":{"public":true,
			"body":"Hi {{ticket.requester.first_name}}, {{current_user.name}} looks at {{ticket.title}} <{{ticket.priority}}>. {{ticket.comments}}",
			"html_body":"<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">Hi {{ticket.requester.first_name}}, {{current_user.name}} looks at {{ticket.title}} &lt;{{ticket.priority}}&gt;. {{ticket.comments}}</p></div>",
			"scoped_body":[["channel:all","Hi {{ticket.requester.first_name}}, {{current_user.name}} looks at {{ticket.title}} <{{ticket.priority}}>. {{ticket.comments}}"],["channel:chat","Hi!"]]}}}}`,
		ann, support, plan, due)
	if after := a.rows(); !maps.Equal(before, after) {
		for table := range after {
			if before[table] != after[table] {
				t.Errorf("%s is another than before", table)
			}
		}
	}
	// What comes out is good for an update.
	a.put(a.path(id), fmt.Sprintf(`{"ticket":%s}`, agent.get(fmt.Sprintf("/api/v2/macros/%d/apply", macro)).jsonOf("result", "ticket"))).want(200)
	if got := fmt.Sprint(a.get(a.path(id)).member("ticket", "tags")); got != "[two three four gold]" {
		t.Errorf("updated so, it has the tags %s", got)
	}
}

func TestMacrosWriteComments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	kim := a.user("Kim <b>", a.email("kim"), "end-user")
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"B"}}`, kim))
	a.put(a.path(id), `{"ticket":{"comment":{"body":"A secret note.","public":false}}}`).want(200)
	const html = `{"field":"comment_value_html","value":"<p>Dear <b>{{ticket.requester.name}}</b><script>alert(1)</script> <a href=\"{{ticket.link}}\">here</a></p>"}`
	for _, tc := range []struct{ actions, want, any string }{
		{
			html + `,{"field":"comment_mode_is_public","value":"false"}`,
			fmt.Sprintf(`{"body":"Dear Kim <b> here","html_body":"<div class=\"zd-comment\" dir=\"auto\"><p>Dear <b>Kim &lt;b&gt;</b> <a href=\"%s/agent/tickets/%d\" rel=\"nofollow\">here</a></p></div>","public":false,"scoped_body":[["channel:all","Dear Kim <b> here"]]}`, "http://helpd.test", id),
			`{"body":"Dear {{ticket.requester.name}} here","html_body":"<p>Dear <b>{{ticket.requester.name}}</b><script>alert(1)</script> <a href=\"{{ticket.link}}\">here</a></p>","public":false,"scoped_body":[["channel:all","Dear {{ticket.requester.name}} here"]]}`,
		},
		{
			`{"field":"comment_value","value":"{{ticket.latest_comment}}"},{"field":"comment_mode_is_public","value":"false"}`,
			`{"body":"A secret note.","html_body":"<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">A secret note.</p></div>","public":false,"scoped_body":[["channel:all","A secret note."]]}`, "",
		},
		{
			`{"field":"comment_mode_is_public","value":"false"}`, `{"body":"","html_body":"","public":false,"scoped_body":[]}`, `{"body":"","html_body":"","public":false,"scoped_body":[]}`,
		},
	} {
		macro := a.macro(tc.actions, tc.actions)
		if got := a.get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply", id, macro)).want(200).jsonOf("result", "ticket", "comment"); canonical(t, []byte(got)) != canonical(t, []byte(tc.want)) {
			t.Errorf("%s:\n%s\nwant\n%s", tc.actions, got, tc.want)
		}
		if tc.any != "" {
			a.get(fmt.Sprintf("/api/v2/macros/%d/apply", macro)).want(200).wantJSON(`{"result":{"ticket":{"comment":%s}}}`, tc.any)
		}
	}
	none := a.get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply", id, a.macro("none", `{"field":"group_id","value":""},{"field":"assignee_id","value":""}`))).want(200)
	if strings.Contains(string(none.body), `"comment":`) {
		t.Errorf("a macro without a text writes %s", none.body)
	}
	a.get(fmt.Sprintf("/api/v2/macros/%d/apply", a.macro("nobody", `{"field":"group_id","value":""},{"field":"assignee_id","value":""},{"field":"set_tags","value":"a b"},{"field":"current_tags","value":"c"},{"field":"remove_tags","value":"a"}`))).
		want(200).wantJSON(`{"result":{"ticket":{"group_id":null,"assignee_id":null,"tags":["b","c"]}}}`)
}

func TestMacrosAreAppliedByThoseWhoSeeThem(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, ben, eve := a.as(a.email("ann")), a.as(a.email("ben")), a.as(a.email("eve"))
	a.user("Ann", a.email("ann"), "agent")
	benID := a.user("Ben", a.email("ben"), "agent")
	a.user("Eve", a.email("eve"), "end-user")
	a.put(fmt.Sprintf("/api/v2/users/%d", benID), `{"user":{"ticket_restriction":"assigned"}}`).want(200)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	shared, inactive := a.macro("shared", `{"field":"priority","value":"low"}`), a.macro("inactive", `{"field":"priority","value":"low"}`)
	own := ann.macro("own", `{"field":"priority","value":"low"}`)
	others := a.post("/api/v2/macros", fmt.Sprintf(`{"macro":{"title":"others","actions":[{"field":"priority","value":"low"}],"restriction":{"type":"Group","id":%d}}}`, a.group("G"))).want(201).id("macro")
	a.put(fmt.Sprintf("/api/v2/macros/%d", inactive), `{"macro":{"active":false}}`).want(200)
	apply := func(by *anAPI, macro int64) *result { return by.get(fmt.Sprintf("/api/v2/macros/%d/apply", macro)) }
	applyTo := func(by *anAPI, ticket, macro int64) *result {
		return by.get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply", ticket, macro))
	}
	apply(ann, shared).want(200)
	apply(ann, own).want(200)
	apply(a, others).want(200)
	applyTo(ann, id, own).want(200)
	for _, macro := range []int64{others, inactive, 404} {
		apply(ann, macro).wantMissing()
		applyTo(ann, id, macro).wantMissing()
	}
	apply(ben, own).wantMissing()
	applyTo(ben, id, shared).wantMissing() // the ticket is not his
	applyTo(ann, 404, shared).wantMissing()
	for _, by := range []*anAPI{eve, a.anonymous()} {
		if by == eve {
			apply(by, shared).wantForbidden()
			applyTo(by, id, shared).wantForbidden()
			continue
		}
		apply(by, shared).want(401)
		applyTo(by, id, shared).want(401)
	}
	apply(a.another(), shared).wantMissing()
	ann.get("/api/v2/macros/x/apply").want(400)

	// What the ticket cannot have stays as it is.
	gone := a.user("Gone", a.email("gone"), "agent")
	broken := a.macro("broken", fmt.Sprintf(`{"field":"assignee_id","value":"%d"},{"field":"assignee_id","value":"requester_id"},{"field":"priority","value":"low"}`, gone))
	a.delete(fmt.Sprintf("/api/v2/users/%d", gone)).want(200)
	r := applyTo(a, a.ticket(fmt.Sprintf(`{"requester":{"email":%q},"comment":{"body":"B"}}`, a.email("eve"))), broken).want(200)
	if got := fmt.Sprint(r.member("result", "ticket", "assignee_id"), r.member("result", "ticket", "priority")); got != "<nil>low" {
		t.Errorf("assignee and priority: %s", got)
	}
}
