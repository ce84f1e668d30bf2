package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// references are the macros that an audit tells of.
func references(r *result, path ...any) string {
	var list []string
	for _, e := range r.member(path...).([]any) {
		if e := e.(map[string]any); e["type"] == "AgentMacroReference" {
			list = append(list, fmt.Sprint(e["macro_id"], " ", e["macro_title"]))
			if _, text := e["macro_id"].(string); !text {
				r.t.Errorf("macro_id is %T", e["macro_id"])
			}
		}
	}
	return strings.Join(list, ", ")
}

// used is how often a rule was used in the last hour.
func (a *anAPI) used(kind string, id int64) string {
	a.t.Helper()
	return fmt.Sprint(a.get(fmt.Sprintf("/api/v2/%ss/%d?include=usage_1h", kind, id)).want(200).member(kind, "usage_1h"))
}

func TestTheMacrosOfAChangeAreTold(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	a.user("Ann", a.email("ann"), "agent")
	a.user("Eve", a.email("eve"), "end-user")
	ann := a.as(a.email("ann"))
	a.dynamic("hello", "Hello", "Hallo")
	first, second, own := a.macro("Greet::{{dc.hello}}", `{"field":"priority","value":"high"}`), a.macro("Second", `{"field":"priority","value":"low"}`), a.as(a.email("ann")).macro("Own", `{"field":"priority","value":"low"}`)
	hidden := a.post("/api/v2/macros", `{"macro":{"title":"Hidden","actions":[{"field":"priority","value":"low"}],"restriction":{"type":"User"}}}`).want(201).id("macro")

	created := ann.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"B"},"macro_id":"%d"}}`, first)).want(201)
	id := created.id("ticket")
	if got := references(created, "audit", "events"); got != fmt.Sprintf("%d Greet::Hello", first) {
		t.Errorf("created with %s", got)
	}
	if created.member("ticket", "priority") != nil {
		t.Error("the macro was carried out")
	}
	r := ann.put(a.path(id), fmt.Sprintf(`{"ticket":{"comment":{"body":"C"},"macro_ids":[%d,"%d",%d,%[1]d,%d,404]}}`, second, own, first, hidden)).want(200)
	want := fmt.Sprintf("%d Second, %d Own, %d Greet::Hello", second, own, first)
	if got := references(r, "audit", "events"); got != want {
		t.Errorf("told are %s, want %s", got, want)
	}
	audits := a.get(a.path(id) + "/audits").want(200)
	if got := references(audits, "audits", 1, "events"); got != want {
		t.Errorf("kept are %s, want %s", got, want)
	}
	if got := a.used("macro", first) + a.used("macro", second) + a.used("macro", own) + a.used("macro", hidden); got != "2110" {
		t.Errorf("used so often: %s", got)
	}
	// End users apply none.
	eve := a.as(a.email("eve"))
	eve.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"B"},"macro_ids":[%d]}}`, second)).wantForbidden()
	asked := eve.post("/api/v2/requests", fmt.Sprintf(`{"request":{"subject":"S","comment":{"body":"B"},"macro_id":%d,"macro_ids":[%[1]d]}}`, second)).want(201).id("request")
	if got := references(a.get(a.path(asked)+"/audits").want(200), "audits", 0, "events"); got != "" || a.used("macro", second) != "1" {
		t.Errorf("an end user applied %s", got)
	}
	many := ann.post("/api/v2/tickets/create_many", fmt.Sprintf(`{"tickets":[{"comment":{"body":"1"},"macro_ids":[%d]},{"comment":{"body":"2"},"macro_ids":[%d,%d]}]}`, second, second, hidden)).want(200)
	many.jobDone(a)
	if got := a.used("macro", second) + a.used("macro", hidden); got != "30" {
		t.Errorf("used so often after create_many: %s", got)
	}
	ids := strings.TrimSuffix(strings.Repeat("1,", 101), ",")
	ann.put(a.path(id), `{"ticket":{"comment":{"body":"C"},"macro_ids":[`+ids+`]}}`).wantDetail("macros", "Macros: are too many (maximum is 100)")
	ann.put(a.path(id), `{"ticket":{"comment":{"body":"C"},"macro_ids":["x"]}}`).want(400)
	a.delete(fmt.Sprintf("/api/v2/macros/%d", second)).want(204)
	if r := ann.put(a.path(id), fmt.Sprintf(`{"ticket":{"comment":{"body":"D"},"macro_ids":[%d]}}`, second)).want(200); references(r, "audit", "events") != "" {
		t.Errorf("a macro that is gone is told of: %s", r.body)
	}
}

func TestUsesOfRulesAreCounted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	does := a.triggered("Does", `{"field":"update_type","operator":"is","value":"Create"}`, `{"field":"current_tags","value":"new"}`)
	idle := a.triggered("Changes nothing", `{"field":"update_type","operator":"is","value":"Create"}`, `{"field":"current_tags","value":"new"}`)
	never := a.triggered("Never", `{"field":"update_type","operator":"is","value":"Change"}`, `{"field":"current_tags","value":"changed"}`)
	timed := a.automation("An hour after", `{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"greater_than","value":"1"}`, `{"field":"priority","value":"low"}`)
	a.ticket(fmt.Sprintf(`{"assignee_id":%d,"status":"solved","comment":{"body":"B"}}`, a.admin.ID))
	if got := a.used("trigger", does) + a.used("trigger", idle) + a.used("trigger", never) + a.used("automation", timed); got != "1000" {
		t.Errorf("used so often: %s", got)
	}
	a.later(time.Hour + time.Minute)
	if n := a.automate(); n != 1 {
		t.Fatalf("the automation acted on %d", n)
	}
	if got := a.used("trigger", does) + a.used("trigger", never) + a.used("automation", timed); got != "011" {
		t.Errorf("used so often after an hour: %s", got)
	}
}
