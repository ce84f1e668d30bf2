package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// triggered makes a trigger that runs from now on and returns its id.
func (a *anAPI) triggered(title, conditions, actions string) int64 {
	a.t.Helper()
	return a.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":%q,"conditions":{"all":[%s]},"actions":[%s]}}`, title, conditions, actions)).want(201).id("trigger")
}

// told are the events of an audit, one a line: "Change priority <nil> high via 12".
func told(r *result, path ...any) string {
	var events []struct {
		Type, FieldName      string `json:"-"`
		T                    string `json:"type"`
		Field                string `json:"field_name"`
		Value, PreviousValue any
		Previous             any `json:"previous_value"`
		Via                  *struct {
			Channel string
			Source  struct {
				From struct {
					ID    int64
					Title string
				}
				Rel string
			}
		}
	}
	raw, _ := json.Marshal(r.member(path...))
	_ = json.Unmarshal(raw, &events)
	var lines []string
	for _, e := range events {
		line := fmt.Sprint(e.T, " ", e.Field, " ", e.Previous, " ", e.Value)
		if e.Via != nil {
			line += fmt.Sprintf(" via %s %s %q", e.Via.Channel, e.Via.Source.Rel, e.Via.Source.From.Title)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestTriggersChangeTheTicketThatIsSaved(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"Checkin Triage"}}`).want(201).id("group")
	a.triggered("Escalate", `{"field":"priority","operator":"value","value":"high"}`, `{"field":"current_tags","value":"escalated now"}`)
	a.triggered("Route errors", `{"field":"update_type","operator":"is","value":"Create"},{"field":"comment_includes_word","operator":"includes","value":"error_547"}`,
		fmt.Sprintf(`{"field":"group_id","value":"%d"},{"field":"priority","value":"high"}`, group))
	a.triggered("Nothing new", `{"field":"priority","operator":"is","value":"high"}`, `{"field":"priority","value":"high"}`)
	a.triggered("Never", `{"field":"priority","operator":"is","value":"low"}`, `{"field":"status","value":"pending"}`)

	r := a.post("/api/v2/tickets", `{"ticket":{"subject":"Checkin","comment":{"body":"It says Error_547."}}}`).want(201)
	if got := fmt.Sprint(r.member("ticket", "group_id"), r.member("ticket", "priority"), r.member("ticket", "tags")); got != fmt.Sprint(group, "high", "[escalated now]") {
		t.Errorf("the ticket: %s", got)
	}
	events := told(r, "audit", "events")
	want := fmt.Sprintf(`Change priority <nil> high via rule trigger "Route errors"
Change group_id <nil> %d via rule trigger "Route errors"
Change tags [] [escalated now] via rule trigger "Escalate"`, group)
	if !strings.HasSuffix(events, want) || strings.Contains(events, "Nothing new") || strings.Contains(events, "Never") {
		t.Errorf("events:\n%s\nwant at the end:\n%s", events, want)
	}

	other := a.post("/api/v2/tickets", `{"ticket":{"subject":"Checkin","comment":{"body":"It says error_5471."}}}`).want(201)
	if got := other.member("ticket", "priority"); got != nil {
		t.Errorf("another word: priority %v", got)
	}
	path := a.path(other.id("ticket"))
	r = a.put(path, `{"ticket":{"priority":"high"}}`).want(200)
	if got, want := told(r, "audit", "events"), "Change priority <nil> high\nChange tags [] [escalated now] via rule trigger \"Escalate\""; got != want {
		t.Errorf("events of the update:\n%s\nwant:\n%s", got, want)
	}
	// An update that changes nothing is none.
	if got := told(a.put(path, `{"ticket":{"priority":"high"}}`).want(200), "audit", "events"); got != "" {
		t.Errorf("events of no update:\n%s", got)
	}
}

func TestATriggerThatCannotActStopsNoSave(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"Gone"}}`).want(201).id("group")
	a.triggered("To a group that goes", `{"field":"update_type","operator":"is","value":"Create"}`, fmt.Sprintf(`{"field":"group_id","value":"%d"},{"field":"type","value":"task"}`, group))
	asks := a.triggered("About a group that goes", fmt.Sprintf(`{"field":"group_id","operator":"is_not","value":"%d"}`, group), `{"field":"priority","value":"low"}`)
	a.triggered("Back to new", `{"field":"status","operator":"is","value":"pending"}`, `{"field":"status","value":"new"},{"field":"current_tags","value":"tried"}`)
	a.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	r := a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"B"}}}`).want(201)
	if got := fmt.Sprint(r.member("ticket", "group_id"), r.member("ticket", "type"), r.member("ticket", "priority")); got != "<nil>task<nil>" {
		t.Errorf("the ticket: %s", got)
	}
	a.put(a.path(r.id("ticket")), `{"ticket":{"status":"open"}}`).want(200)
	r = a.put(a.path(r.id("ticket")), `{"ticket":{"status":"pending"}}`).want(200)
	if got := fmt.Sprint(r.member("ticket", "status"), r.member("ticket", "tags")); got != "pending[tried]" {
		t.Errorf("after the update: %s", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/triggers/%d", asks)).want(200).member("trigger", "conditions", "all", 0, "value"); got != fmt.Sprint(group) {
		t.Errorf("a rule on a group that is gone reads %v", got)
	}
}

func TestTriggersLeaveImportsAndClosedTicketsAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.triggered("Always", `{"field":"status","operator":"less_than","value":"closed"}`, `{"field":"current_tags","value":"seen"}`)
	a.triggered("At the close", `{"field":"status","operator":"value","value":"closed"}`, `{"field":"current_tags","value":"shut"}`)
	r := a.post("/api/v2/imports/tickets", `{"ticket":{"subject":"Old","comments":[{"value":"B"}]}}`).want(201)
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[]" {
		t.Errorf("an import: %s", got)
	}
	a.triggered("On closed ones", `{"field":"status","operator":"is","value":"closed"},{"field":"status","operator":"not_changed","value":null}`, `{"field":"current_tags","value":"touched"}`)
	id := a.ticket(`{"assignee_id":` + fmt.Sprint(a.admin.ID) + `,"comment":{"body":"B"}}`)
	a.put(a.path(id), `{"ticket":{"status":"solved","tags":[]}}`).want(200)
	r = a.put(a.path(id), `{"ticket":{"status":"closed"}}`).want(200)
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[seen shut]" {
		t.Errorf("the update that closes: %s", got)
	}
	r = a.put(a.path(id), `{"ticket":{"tags":["mine"]}}`).want(200)
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[mine]" {
		t.Errorf("a closed ticket: %s", got)
	}
}

func TestTriggersOnPeopleWhoAreGoneNeverHold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	al := a.user("Al", a.email("al"), "agent")
	company := a.post("/api/v2/organizations", `{"organization":{"name":"Gone"}}`).want(201).id("organization")
	a.triggered("Not Al's", fmt.Sprintf(`{"field":"assignee_id","operator":"is_not","value":"%d"}`, al), `{"field":"current_tags","value":"user"}`)
	a.triggered("Not theirs", fmt.Sprintf(`{"field":"organization_id","operator":"is_not","value":"%d"}`, company), `{"field":"current_tags","value":"company"}`)
	tags := func() string {
		return fmt.Sprint(a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"B"}}}`).want(201).member("ticket", "tags"))
	}
	if got := tags(); got != "[company user]" && got != "[user company]" {
		t.Errorf("while they are there: %s", got)
	}
	a.delete(fmt.Sprintf("/api/v2/users/%d", al)).want(200)
	if got := tags(); got != "[company]" {
		t.Errorf("without the user: %s", got)
	}
	a.delete(fmt.Sprintf("/api/v2/organizations/%d", company)).want(204)
	if got := tags(); got != "[]" {
		t.Errorf("without both: %s", got)
	}
}

func TestATriggerThatMakesAnIncidentAQuestionUnlinksIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	problem := a.ticket(`{"type":"problem","comment":{"body":"B"}}`)
	id := a.ticket(fmt.Sprintf(`{"type":"incident","problem_id":%d,"comment":{"body":"B"}}`, problem))
	a.triggered("Ask", `{"field":"status","operator":"value","value":"pending"}`, `{"field":"type","value":"question"}`)
	r := a.put(a.path(id), `{"ticket":{"status":"pending"}}`).want(200)
	if got := fmt.Sprint(r.member("ticket", "type"), r.member("ticket", "problem_id")); got != "question<nil>" {
		t.Errorf("the ticket: %s", got)
	}
	if got := a.get(a.path(problem)).want(200).member("ticket", "has_incidents"); got != false {
		t.Errorf("the problem has incidents: %v", got)
	}
}

// A rule may ask for the reason that a requester gave, by its code.
func TestTriggerAsksForTheReasonOfARating(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.triggered("slow", `{"field":"satisfaction_reason_code","operator":"is","value":"5"}`, `{"field":"current_tags","value":"slow"}`)
	ann := a.user("Ann", a.email("ann"), "end-user")
	for code, want := range map[string]string{"5": "[slow]", "6": "[]"} {
		id := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","comment":{"body":"x"},"requester_id":%d,"assignee_id":%d,"status":"solved"}}`, ann, a.admin.ID)).want(201).id("ticket")
		a.as(a.email("ann")).post(fmt.Sprintf("/api/v2/tickets/%d/satisfaction_rating", id), `{"satisfaction_rating":{"score":"bad","reason_code":`+code+`}}`).want(200)
		if got := fmt.Sprint(a.get(fmt.Sprint("/api/v2/tickets/", id)).member("ticket", "tags")); got != want {
			t.Errorf("reason %s: tags %s, want %s", code, got, want)
		}
	}
	a.post("/api/v2/triggers", `{"trigger":{"title":"x","conditions":{"all":[{"field":"satisfaction_reason_code","operator":"is","value":"99"}]},"actions":[{"field":"current_tags","value":"x"}]}}`).
		want(422)
}
