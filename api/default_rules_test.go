package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestFreshAccountHasRules(t *testing.T) {
	t.Parallel()
	a := newAPI(t).withRules()
	for n, want := range []string{
		"[Notify requester and CCs of received request Notify requester of new proactive ticket Notify requester and CCs of comment update " +
			"Notify assignee of comment update Notify assignee of assignment Notify assignee of reopened ticket Notify group of assignment " +
			"Notify all agents of received request Auto-assign to first email responding agent Set tickets with no priority to normal]",
		"[Close ticket 4 days after status is set to solved]",
		"[Your unsolved tickets Unassigned tickets All unsolved tickets Recently updated tickets Pending tickets Recently solved tickets Overdue tasks Current tasks]",
		"[Close and redirect to topics Customer not responding Downgrade and inform Take it!]",
	} {
		if got := "[" + ruleKinds[n].titles(a, "") + "]"; got != want {
			t.Errorf("%ss: %s", ruleKinds[n].one, got)
		}
	}
	if got := a.categories(""); got != "Initial category" {
		t.Errorf("categories %s", got)
	}
	first := a.get(triggersPath + "?per_page=1").want(200)
	got, err := json.Marshal(first.member("triggers", 0, "conditions"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"all":[{"field":"update_type","operator":"is","value":"Create"},{"field":"status","operator":"is_not","value":"solved"},{"field":"ticket_is_public","operator":"is","value":"public"},
		{"field":"comment_is_public","operator":"is","value":true},{"field":"role","operator":"is","value":"end_user"}],"any":[]}`
	if canonical(t, got) != canonical(t, []byte(want)) {
		t.Errorf("conditions %s", got)
	}
	automation := a.get("/api/v2/automations").want(200)
	if automation.member("automations", 0, "default") != true || automation.member("automations", 0, "position") != json.Number("0") || first.member("triggers", 0, "default") != false {
		t.Errorf("%.500s", automation.body)
	}
	// Titles are read in the reader's language, and written as they are.
	a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Ann","email":%q,"role":"agent","verified":true,"locale":"de"}}`, a.email("ann"))).want(201)
	ann := a.as(a.email("ann"))
	view := ann.get(viewsPath + "?per_page=1").want(200)
	if view.member("views", 0, "title") != "Ihre ungelösten Tickets" || view.member("views", 0, "raw_title") != "{{zd.your_unsolved_tickets}}" {
		t.Errorf("%.500s", view.body)
	}
	if got := ruleKinds[2].titles(ann, "/search?query=tickets%20ungel%C3%B6st&sort_by=position"); got != "Ihre ungelösten Tickets Alle ungelösten Tickets" {
		t.Errorf("found are %s", got)
	}
}

// Each rule that an account begins with could have been made by its admin.
func TestDefaultRulesAreRight(t *testing.T) {
	t.Parallel()
	a := newAPI(t).withRules()
	for _, k := range ruleKinds {
		var list map[string]json.RawMessage
		a.get(k.path).want(200).json(&list)
		var rules []map[string]any
		if err := json.Unmarshal(list[k.one+"s"], &rules); err != nil {
			t.Fatal(err)
		}
		if k.one == models.RuleAutomation { // of which no two do the same
			a.delete(fmt.Sprintf("%s/%.0f", k.path, rules[0]["id"])).want(204)
		}
		for _, r := range rules {
			body, err := json.Marshal(map[string]any{k.one: r})
			if err != nil {
				t.Fatal(err)
			}
			a.post(k.path, string(body)).want(201)
		}
	}
}

// What triggers were before their first change is kept too.
func TestDefaultTriggersHaveRevisions(t *testing.T) {
	t.Parallel()
	a := newAPI(t).withRules()
	path := fmt.Sprintf("%s/%d", triggersPath, a.get(triggersPath).want(200).ids("triggers")[0])
	if got := a.get(path + "/revisions").want(200).ids("trigger_revisions"); len(got) != 0 {
		t.Errorf("revisions %v", got)
	}
	a.put(path, `{"trigger":{"active":false}}`).want(200)
	r := a.get(path + "/revisions").want(200)
	if got := fmt.Sprint(r.member("trigger_revisions", 1, "author_id"), r.member("trigger_revisions", 1, "snapshot", "active"), r.member("trigger_revisions", 0, "diff", "active")); got !=
		"-1true [map[change:- content:true] map[change:+ content:false]]" || len(r.ids("trigger_revisions")) != 2 {
		t.Errorf("%s: %.800s", got, r.body)
	}
}
