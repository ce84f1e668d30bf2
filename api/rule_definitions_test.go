package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// definition is one of what rules can ask about or do.
type definition struct {
	Title, Subject, Type, Group string
	Nullable, Repeatable        bool
	Operators                   []struct{ Value, Title string }
	Values                      []struct{ Value, Title string }
	raw                         json.RawMessage
}

// definitions are those in a list, by the names of their fields.
func (r *result) definitions(list string) map[string]definition {
	r.t.Helper()
	var envelope struct{ Definitions map[string][]json.RawMessage }
	r.json(&envelope)
	out := map[string]definition{}
	for _, raw := range envelope.Definitions[list] {
		d := definition{raw: raw}
		if err := json.Unmarshal(raw, &d); err != nil {
			r.t.Fatal(err)
		}
		out[d.Subject] = d
	}
	return out
}

// richInChoices is an account with something of all that rules choose among.
func richInChoices(t *testing.T) (a *anAPI, group, field int64) {
	a = newAPI(t)
	group = a.group("Alpha")
	a.user("Ann Agent", a.email("ann"), "agent")
	a.user("Eve", a.email("eve"), "end-user")
	field = a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"tagger","title":"Plan","custom_field_options":[{"name":"Gold plan","value":"gold"}]}}`).want(201).id("ticket_field")
	for _, kind := range []string{"date", "checkbox", "multiselect", "integer", "text"} {
		options := ""
		if kind == "multiselect" {
			options = `,"custom_field_options":[{"name":"M","value":"mmm"}]`
		}
		a.post("/api/v2/ticket_fields", fmt.Sprintf(`{"ticket_field":{"type":%q,"title":"A %[1]s"%s}}`, kind, options)).want(201)
	}
	a.post("/api/v2/business_hours/schedules", `{"schedule":{"name":"Office","time_zone":"UTC"}}`).want(201)
	a.post("/api/v2/user_fields", `{"user_field":{"type":"text","key":"floor","title":"Floor"}}`).want(201)
	return a, group, field
}

func TestWhatTriggersCanAskAboutAndDo(t *testing.T) {
	t.Parallel()
	a, group, field := richInChoices(t)
	r := a.get("/api/v2/triggers/definitions.json").want(200)
	all, some, actions := r.definitions("conditions_all"), r.definitions("conditions_any"), r.definitions("actions")
	for _, tc := range []struct {
		got  definition
		want string
	}{
		{all["group_id"], fmt.Sprintf(`{"title":"Group","subject":"group_id","type":"list","group":"ticket","nullable":true,"repeatable":true,"operators":[
			{"value":"is","title":"Is","terminal":false},{"value":"is_not","title":"Is not","terminal":false},{"value":"changed","title":"Changed","terminal":true},
			{"value":"value","title":"Changed to","terminal":false},{"value":"value_previous","title":"Changed from","terminal":false},{"value":"not_changed","title":"Not changed","terminal":true},
			{"value":"not_value","title":"Not changed to","terminal":false},{"value":"not_value_previous","title":"Not changed from","terminal":false}],
			"values":[{"value":"","title":"(empty)","enabled":true},{"value":"%d","title":"Alpha","enabled":true},{"value":"%d","title":"Support","enabled":true}]}`, group, *a.admin.DefaultGroupID)},
		{all["reopens"], `{"title":"Reopens","subject":"reopens","type":"text","group":"ticket","nullable":false,"repeatable":true,"operators":[
			{"value":"less_than","title":"Less than","terminal":false},{"value":"greater_than","title":"Greater than","terminal":false},{"value":"is","title":"Is","terminal":false}],"values":[]}`},
		{actions["priority"], `{"title":"Priority","subject":"priority","type":"list","group":"ticket","nullable":false,"repeatable":false,"values":[
			{"value":"low","title":"Low","enabled":true},{"value":"normal","title":"Normal","enabled":true},{"value":"high","title":"High","enabled":true},{"value":"urgent","title":"Urgent","enabled":true}]}`},
		{actions[fmt.Sprint("custom_fields_", field)], fmt.Sprintf(`{"title":"Plan","subject":"custom_fields_%d","type":"list","group":"ticket","nullable":true,"repeatable":false,
			"values":[{"value":"gold","title":"Gold plan","enabled":true}]}`, field)},
	} {
		(&result{t: t, path: "definitions", body: tc.got.raw}).wantJSON("%s", tc.want)
	}
	if len(all) == 0 || len(some) != len(all) { // triggers ask for no hours, which alone stand in all only
		t.Errorf("%d conditions of all, %d of any", len(all), len(some))
	}
	for name, want := range map[string]string{"notification_user": "list", "reply_public": "text", "current_tags": "tags", "cc": "autocomplete"} {
		if kind := actions[name].Type; kind != want {
			t.Errorf("%s is of type %s", name, kind)
		}
	}
	if _, ok := actions["comment_value"]; ok || all["requester.custom_fields.floor"].Group != "requester" {
		t.Errorf("a trigger can %v", actions)
	}
	for _, c := range all["assignee_id"].Values {
		if c.Title == "Eve" {
			t.Error("an end user can be an assignee")
		}
	}

	// Whatever is offered can be used.
	var list []map[string]any
	for name, d := range all {
		for i, op := range d.Operators {
			for _, v := range d.Values {
				if i == 0 {
					list = append(list, map[string]any{"field": name, "operator": op.Value, "value": v.Value})
				}
			}
			if i > 0 && len(d.Values) > 0 {
				list = append(list, map[string]any{"field": name, "operator": op.Value, "value": d.Values[len(d.Values)-1].Value})
			}
		}
	}
	for part := range slices.Chunk(list, 200) {
		a.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"T","conditions":{"all":%s},"actions":[{"field":"status","value":"open"}]}}`, models.ToJSON(part))).want(201)
	}
	var do []map[string]any
	for name, d := range actions {
		for _, v := range d.Values {
			value := any(v.Value)
			if strings.HasPrefix(name, "notification_") || name == "deflection" {
				value = []string{v.Value, "Subject", "Body"}
			}
			do = append(do, map[string]any{"field": name, "value": value})
		}
	}
	a.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"T","conditions":{"all":[{"field":"status","operator":"is","value":"open"}]},"actions":%s}}`, models.ToJSON(do))).want(201)
}

func TestWhatMacrosCanDo(t *testing.T) {
	t.Parallel()
	a, group, _ := richInChoices(t)
	agent := a.as(a.email("ann"))
	r := agent.get("/api/v2/macros/definitions").want(200)
	actions := r.definitions("actions")
	(&result{t: t, path: "definitions", body: actions["status"].raw}).wantJSON(`{"title":"Status","subject":"status","type":"list","group":"ticket","nullable":false,"repeatable":false,
		"values":[{"value":"open","title":"Open","enabled":true},{"value":"pending","title":"Pending","enabled":true},{"value":"hold","title":"On-hold","enabled":true},{"value":"solved","title":"Solved","enabled":true}]}`)
	var do []map[string]any
	for name, d := range actions {
		for _, v := range d.Values {
			do = append(do, map[string]any{"field": name, "value": v.Value})
		}
		if strings.HasPrefix(name, "notification_") || strings.HasPrefix(name, "reply_") {
			t.Errorf("a macro can %s", name)
		}
	}
	agent.post("/api/v2/macros", fmt.Sprintf(`{"macro":{"title":"M","actions":%s}}`, models.ToJSON(do))).want(201)

	var list struct {
		Actions []struct {
			Value string
		}
	}
	r = agent.get("/api/v2/macros/actions.json").want(200).json(&list)
	if len(list.Actions) != len(actions) {
		t.Errorf("%d actions, %d definitions", len(list.Actions), len(actions))
	}
	for i, one := range list.Actions {
		switch one.Value {
		case "group_id":
			(&result{t: t, path: "actions", body: models.ToJSON(r.member("actions", i))}).wantJSON(`{"value":"group_id","title":"Group","title_for_field":"Group","target":null,"group":"ticket",
				"operators":[{"value":"is","title":"Is"}],"output_key":null,"values":{"type":"list","list":[{"value":"","title":"(empty)","enabled":true},
				{"value":"current_groups","title":"(current user's group)","enabled":true},{"value":"%d","title":"Alpha","enabled":true},{"value":"%d","title":"Support","enabled":true}]}}`, group, *a.admin.DefaultGroupID)
		case "subject":
			(&result{t: t, path: "actions", body: models.ToJSON(r.member("actions", i))}).wantJSON(`{"value":"subject","title":"Subject","title_for_field":"Subject","target":null,"group":"ticket",
				"operators":[{"value":"is","title":"Is"}],"output_key":null,"values":{"type":"text","list":[]}}`)
		}
	}

	for _, path := range []string{"/api/v2/macros/definitions", "/api/v2/macros/actions", "/api/v2/triggers/definitions"} {
		agent.get(path).want(200)
		a.as(a.email("eve")).get(path).wantForbidden()
		a.anonymous().get(path).want(401)
		if other := a.another().get(path).want(200); strings.Contains(string(other.body), "Alpha") || strings.Contains(string(other.body), "Gold plan") {
			t.Errorf("%s: another account is shown %s", path, other.body)
		}
	}
}
