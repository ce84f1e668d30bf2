package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const triggersPath = "/api/v2/triggers"

// aTrigger is the body of a trigger that sets a tag, with further members.
func aTrigger(title, members string) string {
	return fmt.Sprintf(`{"trigger":{"title":%q,"all":[{"field":"status","operator":"is","value":"open"}],"actions":[{"field":"current_tags","value":"x"}]%s}}`, title, members)
}

// trigger makes a trigger and returns its path.
func (a *anAPI) trigger(title, members string) string {
	a.t.Helper()
	return fmt.Sprintf("%s/%d", triggersPath, a.post(triggersPath, aTrigger(title, members)).want(201).id("trigger"))
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post(triggersPath+".json", `{"trigger":{"id":5,"title":" Escalate ","description":"Why","conditions":{
		"all":[{"field":"assignee_id","operator":"changed","value":null},{"field":"comment_is_public","operator":"is","value":true},{"field":"current_tags","operator":"includes","value":"6130907993114"}],
		"any":[{"field":"via_id","operator":"includes","value":["4","5"]}]},
		"actions":[{"field":"notification_user","value":["requester_id","<b>&","{{ticket.title}}"]},{"field":"priority","value":"high"}]}}`).want(201)
	id := r.id("trigger")
	url := fmt.Sprintf("http://helpd.test%s/%d.json", triggersPath, id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	category := r.member("trigger", "category_id").(string)
	one := fmt.Sprintf(`{"url":%q,"id":%d,"title":"Escalate","raw_title":"Escalate","active":true,"default":false,"description":"Why","position":1,"category_id":%q,
		"conditions":{"all":[{"field":"assignee_id","operator":"changed","value":null},{"field":"comment_is_public","operator":"is","value":true},{"field":"current_tags","operator":"includes","value":"6130907993114"}],
		"any":[{"field":"via_id","operator":"includes","value":["4","5"]}]},
		"actions":[{"field":"notification_user","value":["requester_id","<b>&","{{ticket.title}}"]},{"field":"priority","value":"high"}],
		"created_at":%q,"updated_at":%q}`, url, id, category, clockText, clockText)
	r.wantJSON(`{"trigger":%s}`, one)
	path := fmt.Sprintf("%s/%d", triggersPath, id)
	a.get(path).want(200).wantJSON(`{"trigger":%s}`, one)
	a.get(triggersPath).want(200).wantJSON(`{"triggers":[%s],"count":1,"next_page":null,"previous_page":null}`, one)

	// What is left out stays; conditions are replaced as a whole.
	r = a.put(path, `{"trigger":{"active":"false","all":[{"field":"status","operator":"is","value":"open"}],"position":"7","description":null}}`).want(200)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	for member, want := range map[string]string{
		"title": "Escalate", "active": "false", "position": "7", "description": "<nil>", "category_id": category,
		"conditions": "map[all:[map[field:status operator:is value:open]] any:[]]",
	} {
		if got := fmt.Sprint(r.member("trigger", member)); got != want {
			t.Errorf("%s is %s, want %s", member, got, want)
		}
	}
	if got := len(r.member("trigger", "actions").([]any)); got != 2 {
		t.Errorf("%d actions", got)
	}
	a.delete(path).want(204)
	a.get(path).wantMissing()
	a.put(path, `{"trigger":{"active":true}}`).wantMissing()
	a.delete(path).wantMissing()
}

func TestTriggersRunInTheirOrder(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.trigger("b", `,"position":2`)
	a.trigger("a", `,"position":2`)
	a.trigger("c", `,"position":1`)
	a.trigger("d", `,"active":false`)
	titles := func(query string) string {
		var page struct{ Triggers []struct{ Title string } }
		a.get(triggersPath + query).want(200).json(&page)
		var out []string
		for _, r := range page.Triggers {
			out = append(out, r.Title)
		}
		return strings.Join(out, "")
	}
	for query, want := range map[string]string{
		"": "cabd", "/active": "cab", "?active=false": "d", "?active=true&sort_by=alphabetical": "abc", "?sort_by=alphabetical&sort_order=desc": "dcba",
		"?sort_by=created_at": "dcab", "?sort_by=created_at&sort_order=asc": "bacd", "?page[size]=3": "cab", "?page[size]=9&sort=-title": "dcba", "?category_id=404": "",
	} {
		if got := titles(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestTriggersRefuse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for body, detail := range map[string]string{
		`{}`: "title: Title: cannot be blank",
		`{"title":" ","all":[{"field":"status","operator":"is","value":"open"}],"actions":[{"field":"status","value":"open"}]}`:                                               "title: Title: cannot be blank",
		`{"title":"` + strings.Repeat("x", 256) + `","all":[{"field":"status","operator":"is","value":"open"}],"actions":[{"field":"status","value":"open"}]}`:                "title: Title: is too long (maximum is 255 characters)",
		`{"title":"x","actions":[{"field":"status","value":"open"}]}`:                                                                                                         "conditions: Conditions: cannot be blank",
		`{"title":"x","conditions":{"all":[]},"actions":[{"field":"status","value":"open"}]}`:                                                                                 "conditions: Conditions: cannot be blank",
		`{"title":"x","all":[{"field":"status","operator":"is","value":"open"}],"actions":[]}`:                                                                                "actions: Actions: cannot be blank",
		strings.TrimSuffix(strings.TrimPrefix(aTrigger("x", `,"position":-1`), `{"trigger":`), "}"):                                                                           "position: Position: must be between 0 and 1000000000",
		strings.TrimSuffix(strings.TrimPrefix(aTrigger("x", `,"category_id":"404"`), `{"trigger":`), "}"):                                                                     "category_id: Category: 404 is not a trigger category",
		`{"title":"x","all":[{"field":"subject_includes_word","operator":"is","value":"` + strings.Repeat("x", 67_000) + `"}],"actions":[{"field":"status","value":"open"}]}`: "base: Conditions and actions: are too large (maximum is 65 KB)",
	} {
		field, text, _ := strings.Cut(detail, ": ")
		a.post(triggersPath, `{"trigger":`+body+`}`).wantDetail(field, text)
	}
	a.post(triggersPath, `{"trigger":{"title":"x","all":[{"field":"status","operator":"is","value":"open"},{"field":"weather","operator":"is","value":"fine"}],
		"any":[{"field":"status","operator":"like","value":"open"}],"actions":[{"field":"status","value":"open"},{"field":"subject","value":"x"}]}}`).want(422).
		wantJSON(`{"error":"RecordInvalid","description":"Record validation errors","details":{"base":[
			{"error":"InvalidValue","description":"conditions.all[1]: weather is not a field that conditions know"},
			{"error":"InvalidValue","description":"conditions.any[0]: status like is no operator of this field (is, is_not, less_than, greater_than, changed, value, value_previous, not_changed, not_value, not_value_previous)"},
			{"error":"InvalidValue","description":"actions[1]: subject cannot be done by this kind of rule"}]}}`)
	for text, why := range map[string]string{
		"{% for i in (1..1000000000) %}{% endfor %}": "the text takes too long: it loops too often",
		"{% if ticket.id %}":                         "line 1: if is not closed",
		"{% include 'x' %}":                          "line 1: there is no tag include",
	} {
		for _, action := range []string{`{"field":"notification_user","value":["requester_id","Hello",%q]}`, `{"field":"notification_group","value":["group_id",%q,"x"]}`} {
			name, _, _ := strings.Cut(strings.TrimPrefix(action, `{"field":"`), `"`)
			a.post(triggersPath, aTrigger("x", `,"actions":[{"field":"status","value":"open"},`+fmt.Sprintf(action, text)+`]`)).
				wantDetail("base", "actions[1]: "+name+" "+why)
		}
	}
	a.post(triggersPath, `{"title":"x"}`).want(400)
	a.post(triggersPath, aTrigger("x", `,"actions":7`)).want(400)
	path := a.trigger("x", "")
	a.put(path, `{"trigger":{"title":""}}`).wantDetail("title", "Title: cannot be blank")
	a.put(path, `{"trigger":{"conditions":{"any":[]}}}`).wantDetail("conditions", "Conditions: cannot be blank")
	if got := a.get(path).want(200).member("trigger", "title"); got != "x" {
		t.Errorf("title %v", got)
	}
}

func TestTriggersAreForAdmins(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ag", a.email("ag"), "agent")
	a.user("Eu", a.email("eu"), "end-user")
	agent, user, other := a.as(a.email("ag")), a.as(a.email("eu")), a.another()
	path := a.trigger("x", "")
	for _, read := range []string{triggersPath, triggersPath + "/active", path} {
		agent.get(read).want(200)
		user.get(read).wantForbidden()
	}
	for _, w := range []struct{ method, path, body string }{
		{"POST", triggersPath, aTrigger("y", "")}, {"PUT", path, aTrigger("y", "")}, {"DELETE", path, ""},
	} {
		agent.do(w.method, w.path, w.body).wantForbidden()
		user.do(w.method, w.path, w.body).wantForbidden()
		if w.path != triggersPath {
			other.do(w.method, w.path, w.body).wantMissing()
		}
	}
	if got := other.get(triggersPath).want(200).ids("triggers"); len(got) > 0 {
		t.Errorf("another account sees %v", got)
	}
	if got := a.get(triggersPath).want(200).ids("triggers"); !slices.Contains(got, a.get(path).want(200).id("trigger")) || len(got) != 1 {
		t.Errorf("triggers %v", got)
	}
}
