package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const categoriesPath = "/api/v2/trigger_categories"

// category makes a trigger category and returns its id.
func (a *anAPI) category(name string) string {
	a.t.Helper()
	return a.post(categoriesPath, fmt.Sprintf(`{"trigger_category":{"name":%q}}`, name)).want(201).member("trigger_category", "id").(string)
}

// categories are the names of the categories of a list.
func (a *anAPI) categories(query string) string {
	a.t.Helper()
	var list struct {
		Categories []struct{ Name string } `json:"trigger_categories"`
	}
	a.get(categoriesPath + query).want(200).json(&list)
	var names []string
	for _, c := range list.Categories {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

func TestTriggerCategories(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post(categoriesPath+".json", `{"trigger_category":{"id":"5","name":" Routing "}}`).want(201)
	id := r.member("trigger_category", "id").(string)
	r.wantJSON(`{"trigger_category":{"id":%q,"name":"Routing","position":1,"created_at":%q,"updated_at":%[2]q}}`, id, clockText)
	path := categoriesPath + "/" + id
	a.get(path).want(200).wantJSON("%s", r.body)
	a.category("alerts")
	a.post(categoriesPath, `{"trigger_category":{"name":"First","position":"0"}}`).want(201)
	for query, want := range map[string]string{
		"": "First Routing alerts", "?page[size]=2": "First Routing", "?page[size]=9&sort=-position": "alerts Routing First",
		"?page[size]=9&sort=name": "alerts First Routing", "?sort_by=name&sort_order=desc": "Routing First alerts", "?page[size]=1&sort=created_at": "Routing",
		"?sort=-name": "Routing First alerts", "?sort=name": "alerts First Routing", "?sort=name&sort_order=desc": "Routing First alerts", "?sort=name&sort_by=position": "First Routing alerts",
		"?sort=nothing": "First Routing alerts",
	} {
		if got := a.categories(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	a.trigger("x", `,"category_id":"`+id+`"`)
	a.trigger("y", `,"active":false,"category_id":`+id)
	a.trigger("z", `,"category_id":`+id)
	counted := a.get(categoriesPath + "?page[size]=9&include=rule_counts").want(200)
	if got := fmt.Sprint(counted.member("trigger_categories", 1, "active_count"), counted.member("trigger_categories", 1, "inactive_count"),
		counted.member("trigger_categories", 0, "active_count")); got != "210" {
		t.Errorf("counts %s", got)
	}
	a.do("PATCH", path, `{"trigger_category":{"position":7}}`).want(200).
		wantJSON(`{"trigger_category":{"id":%q,"name":"Routing","position":7,"created_at":%q,"updated_at":%[2]q}}`, id, clockText)
	if got := a.categories(""); got != "First alerts Routing" {
		t.Errorf("the order is %s", got)
	}
	a.delete(path).want(400).wantJSON(`{"errors":[{"code":"InvalidValue","title":"Routing: has triggers, which have to be deleted or moved first"}]}`)
	a.delete(triggersPath + "/destroy_many?ids=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(a.get(triggersPath).ids("triggers")), " ", ","), "[]")).want(204)
	a.delete(path).want(204)
	a.get(path).wantMissing()
	a.delete(path).wantMissing()
	a.do("PATCH", path, `{"trigger_category":{"position":7}}`).wantMissing()
}

func TestTriggerCategoriesTellErrorsAsAList(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	one, two := a.category("One"), a.category("Two")
	for _, tc := range []struct{ method, path, body, code, title string }{
		{"POST", "", `{"trigger_category":{}}`, "BlankValue", "Name: cannot be blank"},
		{"POST", "", `{"trigger_category":{"name":"` + strings.Repeat("x", 256) + `"}}`, "TooLong", "Name: is too long (maximum is 255 characters)"},
		{"POST", "", `{"trigger_category":{"name":"one"}}`, "DuplicateValue", "Name: one has already been taken"},
		{"PATCH", "/" + two, `{"trigger_category":{"name":"ONE"}}`, "DuplicateValue", "Name: ONE has already been taken"},
		{"PATCH", "/" + two, `{"trigger_category":{"position":-1}}`, "InvalidValue", "Position: must be between 0 and 1000000000"},
		{"POST", "/jobs", `{"job":{"action":"delete"}}`, "BadRequest", "action must be patch"},
		{"POST", "/jobs", `{"job":{"action":"patch","items":{"trigger_categories":[{"id":"` + one + `","position":-1}]}}}`, "InvalidValue", "Position: must be between 0 and 1000000000"},
	} {
		a.do(tc.method, categoriesPath+tc.path, tc.body).want(400).wantJSON(`{"errors":[{"code":%q,"title":%q}]}`, tc.code, tc.title)
	}
	a.post(categoriesPath+"/jobs", `{"job":{"action":"patch","items":{"trigger_categories":[{"id":"`+one+`","position":9},{"id":404,"position":1}]}}}`).wantMissing().
		wantJSON(`{"error":"RecordNotFound","description":"Not found","errors":[{"code":"RecordNotFound","title":"trigger category 404 not found"}]}`)
	if got := a.categories(""); got != "One Two" {
		t.Errorf("the order is %s", got)
	}
	a.user("Ag", a.email("ag"), "agent")
	agent := a.as(a.email("ag"))
	agent.get(categoriesPath + "/" + one).want(200)
	agent.post(categoriesPath, `{"trigger_category":{"name":"x"}}`).wantForbidden()
}

func TestTriggersRunByCategory(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.trigger("a", "")
	a.get(first)
	if got := a.categories(""); got != "Initial category" {
		t.Errorf("categories %s", got)
	}
	late := a.category("Late")
	a.post(triggersPath, aTrigger("b", "")).wantDetail("category_id", "Category: cannot be blank")
	a.trigger("b", `,"position":1,"category_id":"`+late+`"`)
	a.trigger("c", `,"position":5,"category":{"name":"Early","position":0}`)
	titles := func() string {
		var list struct{ Triggers []struct{ Title string } }
		a.get(triggersPath).want(200).json(&list)
		return fmt.Sprint(list.Triggers)
	}
	if got := titles(); got != "[{c} {a} {b}]" {
		t.Errorf("they run as %s", got)
	}
	if got := a.categories(""); got != "Early Initial category Late" {
		t.Errorf("categories %s", got)
	}
	a.put(triggersPath+"/reorder", `{"trigger_ids":[1]}`).wantError(400, "LimitOneCategory")
	// A trigger moves to the end of another category, or stays where it is.
	r := a.put(first, `{"trigger":{"category_id":"`+late+`"}}`).want(200)
	if r.member("trigger", "category_id") != late || r.member("trigger", "position") != json.Number("2") {
		t.Errorf("%.300s", r.body)
	}
	if got := a.put(first, `{"trigger":{"category_id":"`+late+`"}}`).want(200).member("trigger", "position"); got != json.Number("2") {
		t.Errorf("sent back, it is at %v", got)
	}
	if got := titles(); got != "[{c} {b} {a}]" {
		t.Errorf("they run as %s", got)
	}
	ids := a.get(triggersPath).want(200).ids("triggers")
	early := a.get(fmt.Sprintf("%s/%d", triggersPath, ids[0])).want(200).member("trigger", "category_id").(string)
	job := a.post(categoriesPath+"/jobs", fmt.Sprintf(`{"job":{"action":"patch","items":{"trigger_categories":[{"id":%q,"position":9},{"id":%q,"position":1}],
		"triggers":[{"id":%d,"category_id":%[1]q,"position":3},{"id":"%[4]d","active":false}]}}}`, late, early, ids[1], ids[2])).want(200)
	if got := fmt.Sprint(job.member("status"), job.member("errors"), job.member("results", "trigger_categories", 0, "position"), job.member("results", "triggers", 1, "active")); got != "complete[]9false" {
		t.Errorf("%s: %.500s", got, job.body)
	}
	if got := titles(); got != "[{c} {a} {b}]" {
		t.Errorf("they run as %s", got)
	}
	a.delete(categoriesPath + "/" + early).want(400)
}

func TestTriggersAreReorderedWhole(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[0]
	one, two, off := k.rule(a, "one", ""), k.rule(a, "two", ""), k.rule(a, "off", `,"active":false`)
	order := func(ids ...int64) *result {
		b, _ := json.Marshal(map[string][]int64{"trigger_ids": ids})
		return a.put(k.path+"/reorder", string(b))
	}
	order(one).wantMissing()
	order(two, one, 404404).wantMissing()
	order().want(400)
	if got := order(two, one).want(200).ids("triggers"); !slices.Equal(got, []int64{two, one}) {
		t.Errorf("reordered %v", got)
	}
	if got := k.titles(a, ""); got != "two one off" {
		t.Errorf("they run as %s", got)
	}
	order(off, one, two).want(200)
	if got := k.titles(a, ""); got != "off one two" {
		t.Errorf("they run as %s", got)
	}
}

func TestTriggersAreSearchedByAttributes(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[0]
	k.rule(a, "Close", `,"description":"Close a Ticket","position":4`)
	k.rule(a, "Open", `,"active":false`)
	for filter, want := range map[string]string{
		`{"json":{"description":"close a"}}`: "Close",
		`{"json":{"description":"a%c"}}`:     "",
		`{"json":{"title":"open"}}`:          "Open",
		`{"json":{"active":true}}`:           "Close",
		`{"json":{"position":4}}`:            "Close",
		`{"json":{"conditions":{"all":[{"field":"current_tags","value":"Open"}]}}}`:      "Open",
		`{"json":{"actions":[{"field":"priority","value":"high"}],"category_id":"404"}}`: "",
		`{"json":{"actions":[{"value":"high"}]}}`:                                        "Close Open",
		`{"json":{}}`: "Close Open",
	} {
		query := "/search?sort_by=alphabetical&filter=" + strings.NewReplacer("%", "%25", " ", "%20", `"`, "%22", "{", "%7B", "}", "%7D").Replace(filter)
		if got := k.titles(a, query); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	a.get(k.path+"/search?filter=close").wantError(400, "BadRequest")
	a.get(k.path+"/search?filter=%7B%22json%22:%7B%22active%22:%22maybe%22%7D%7D").wantError(400, "BadRequest")
}

func TestTriggerRevisions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := a.trigger("One", "")
	revisions := path + "/revisions"
	first := a.get(revisions).want(200)
	id := first.ids("trigger_revisions")[0]
	one := fmt.Sprintf(`{"id":%[1]d,"url":"http://helpd.test%[2]s/%[1]d.json","author_id":%[3]d,"created_at":%[4]q,
		"snapshot":{"title":"One","description":null,"active":true,"conditions":{"all":[{"field":"status","operator":"is","value":"open"}],"any":[]},"actions":[{"field":"current_tags","value":"x"}]},
		"diff":{"source_id":null,"target_id":%[1]d,"title":[{"change":"+","content":"One"}],"description":[{"change":"+","content":null}],"active":[{"change":"+","content":true}],
			"conditions":{"all":[{"field":[{"change":"+","content":"status"}],"operator":[{"change":"+","content":"is"}],"value":[{"change":"+","content":"open"}]}],"any":[]},
			"actions":[{"field":[{"change":"+","content":"current_tags"}],"value":[{"change":"+","content":"x"}]}]}}`, id, revisions, a.admin.ID, clockText)
	first.wantJSON(`{"trigger_revisions":[%s],"count":1,"after_url":null,"after_cursor":null,"before_url":null,"before_cursor":null}`, one)
	a.get(fmt.Sprintf("%s/%d", revisions, id)).want(200).wantJSON(`{"trigger_revision":%s}`, one)

	a.put(path, `{"trigger":{"position":9}}`).want(200) // which is no other trigger
	a.put(path, `{"trigger":{"title":"Two","active":false,"actions":[{"field":"current_tags","value":"y"}]}}`).want(200)
	second := a.get(revisions + "?include=users").want(200)
	ids := second.ids("trigger_revisions")
	if len(ids) != 2 || ids[1] != id || fmt.Sprint(second.ids("users")) != fmt.Sprint([]int64{a.admin.ID}) {
		t.Fatalf("%.800s", second.body)
	}
	diff, err := json.Marshal(second.member("trigger_revisions", 0, "diff"))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"source_id":%d,"target_id":%d,"title":[{"change":"-","content":"One"},{"change":"+","content":"Two"}],"description":[{"change":"=","content":null}],
		"active":[{"change":"-","content":true},{"change":"+","content":false}],
		"conditions":{"all":[{"field":[{"change":"=","content":"status"}],"operator":[{"change":"=","content":"is"}],"value":[{"change":"=","content":"open"}]}],"any":[]},
		"actions":[{"field":[{"change":"=","content":"current_tags"}],"value":[{"change":"-","content":"x"},{"change":"+","content":"y"}]}]}`, id, ids[0])
	if canonical(t, diff) != canonical(t, []byte(want)) {
		t.Errorf("diff\n got %s\nwant %s", canonical(t, diff), canonical(t, []byte(want)))
	}
	a.put(triggersPath+"/update_many", fmt.Sprintf(`{"triggers":[{"id":%s,"active":true},{"id":%s,"active":true}]}`, path[len(triggersPath)+1:], a.trigger("Other", "")[len(triggersPath)+1:])).want(200)
	// Page by page: back to what is older, and on again.
	newest := a.get(revisions + "?limit=2").want(200)
	if got := newest.ids("trigger_revisions"); len(got) != 2 || got[1] != ids[0] || newest.member("after_url") != nil || newest.member("count") != json.Number("3") {
		t.Errorf("%.800s", newest.body)
	}
	older := a.get(strings.TrimPrefix(newest.member("before_url").(string), "http://helpd.test")).want(200)
	if got := older.ids("trigger_revisions"); !slices.Equal(got, ids[1:]) || older.member("before_url") != nil {
		t.Errorf("%.800s", older.body)
	}
	newer := a.get(revisions + "?limit=2&cursor=" + older.member("after_cursor").(string)).want(200)
	if got := newer.ids("trigger_revisions"); !slices.Equal(got, newest.ids("trigger_revisions")) {
		t.Errorf("%.800s", newer.body)
	}
	a.get(revisions + "?cursor=x").want(400)
	a.get(revisions + "/404404").wantMissing()
	a.get(triggersPath + "/404404/revisions").wantMissing()
	a.get(fmt.Sprintf("%s/%d", a.trigger("z", "")+"/revisions", id)).wantMissing()
}
