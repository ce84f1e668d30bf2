package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/rulebook"
)

// ruleKind is how rules of one kind are made.
type ruleKind struct {
	one, path string
	minimal   string // members beside the title, of which %s is a tag
}

var ruleKinds = []ruleKind{
	{"trigger", triggersPath, `"all":[{"field":"current_tags","operator":"includes","value":%q}],"actions":[{"field":"priority","value":"high"}]`},
	{"automation", "/api/v2/automations", `"all":[{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"is","value":"96"},
		{"field":"current_tags","operator":"includes","value":%q}],"actions":[{"field":"status","value":"closed"}]`},
	{"view", "/api/v2/views", `"all":[{"field":"status","operator":"is","value":"open"},{"field":"current_tags","operator":"includes","value":%q}]`},
	{"macro", "/api/v2/macros", `"actions":[{"field":"current_tags","value":%q}]`},
}

// rule makes a rule with further members and returns its id.
func (k ruleKind) rule(a *anAPI, title, more string) int64 {
	a.t.Helper()
	return a.post(k.path, k.body(title, more)).want(201).id(k.one)
}

func (k ruleKind) body(title, more string) string {
	return fmt.Sprintf(`{%q:{"title":%q,%s%s}}`, k.one, title, fmt.Sprintf(k.minimal, title), more)
}

// titles are those of a list, in order.
func (k ruleKind) titles(a *anAPI, query string) string {
	a.t.Helper()
	var list map[string]json.RawMessage
	a.get(k.path + query).want(200).json(&list)
	var rules []struct{ Title string }
	if err := json.Unmarshal(list[k.one+"s"], &rules); err != nil {
		a.t.Fatal(err)
	}
	var out []string
	for _, r := range rules {
		out = append(out, r.Title)
	}
	return strings.Join(out, " ")
}

// each runs a test of each kind of rules, in accounts of their own.
func eachKind(t *testing.T, test func(t *testing.T, a *anAPI, k ruleKind)) {
	for _, k := range ruleKinds {
		t.Run(k.one, func(t *testing.T) {
			t.Parallel()
			test(t, newAPI(t), k)
		})
	}
}

func TestRulesAreKept(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, a *anAPI, k ruleKind) {
		r := a.post(k.path, k.body(" One ", `,"id":5,"default":true,"description":"Why","position":3`)).want(201)
		id := r.id(k.one)
		path := fmt.Sprintf("%s/%d", k.path, id)
		if got, want := r.header.Get("Location"), "http://helpd.test"+path+".json"; got != want || r.member(k.one, "url") != want {
			t.Errorf("Location %q, want %q", got, want)
		}
		shown := a.get(path + ".json").want(200)
		shown.wantJSON("%s", r.body)
		for member, want := range map[string]string{"title": "One", "raw_title": "One", "active": "true", "default": "false", "position": "3", "created_at": clockText} {
			if got := fmt.Sprint(r.member(k.one, member)); got != want {
				t.Errorf("%s is %s, want %s", member, got, want)
			}
		}
		// A client sends all of it back with one change.
		var whole map[string]map[string]any
		shown.json(&whole)
		whole[k.one]["title"] = "Two"
		if k.one == "view" || k.one == "macro" || k.one == "trigger" {
			whole[k.one]["description"] = nil
		}
		body, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		changed := a.put(path, string(body)).want(200)
		whole[k.one]["raw_title"] = "Two"
		want, _ := json.Marshal(whole)
		changed.wantJSON("%s", want)
		a.put(path, fmt.Sprintf(`{%q:{"active":"false"}}`, k.one)).want(200)
		if got := k.titles(a, ""); got != "Two" {
			t.Errorf("listed are %s", got)
		}
		if got := k.titles(a, "/active"); got != "" {
			t.Errorf("active are %s", got)
		}
		a.delete(path).want(204)
		a.get(path).wantMissing()
		a.put(path, string(body)).wantMissing()
		a.delete(path).wantMissing()
		for _, other := range ruleKinds { // they share one table
			if other.one != k.one {
				a.get(fmt.Sprintf("%s/%d", k.path, other.rule(a, "Other", ""))).wantMissing()
			}
		}
	})
}

func TestRulesAreListed(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, a *anAPI, k ruleKind) {
		for n, title := range []string{"Banana bread", "apple pie", "Cherry_pie"} {
			k.rule(a, title, fmt.Sprintf(`,"position":%d`, 5-n))
		}
		k.rule(a, "off", `,"active":false,"position":9`)
		for query, want := range map[string]string{
			"?sort_by=position":                      "Cherry_pie apple pie Banana bread off",
			"?sort_by=position&sort_order=desc":      "off Banana bread apple pie Cherry_pie",
			"?page[size]=9&sort=position":            "Cherry_pie apple pie Banana bread off",
			"?sort_by=alphabetical":                  "apple pie Banana bread Cherry_pie off",
			"?page[size]=9&sort=-title":              "off Cherry_pie Banana bread apple pie",
			"?sort_by=created_at":                    "off Cherry_pie apple pie Banana bread",
			"?sort=created_at":                       "Banana bread apple pie Cherry_pie off",
			"?sort=-created_at":                      "off Cherry_pie apple pie Banana bread",
			"?sort=title":                            "apple pie Banana bread Cherry_pie off",
			"?page[size]=2&sort=updated_at":          "Banana bread apple pie",
			"?active=false":                          "off",
			"/active?sort_by=alphabetical":           "apple pie Banana bread Cherry_pie",
			"/search?query=PIE&sort_by=alphabetical": "apple pie Cherry_pie",
			"/search?query=pie%20apple":              "apple pie",
			"/search?query=a_e":                      "",
			"/search?query=y_p":                      "Cherry_pie",
			"/search?query=off&active=true":          "",
		} {
			if got := k.titles(a, query); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		r := a.get(k.path + "?per_page=2&page=2&sort_by=alphabetical").want(200)
		if r.member("count") != json.Number("4") || !strings.Contains(fmt.Sprint(r.member("previous_page")), "page=1") {
			t.Errorf("%.300s", r.body)
		}
	})
}

func TestRulesWithWhatBelongsToThem(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, a *anAPI, k ruleKind) {
		id := k.rule(a, "r", "")
		if err := rulebook.UseTx(a.db.WithContext(a.ctx()), a.account.ID, []int64{id}, theClock.Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		a.user("Ag", a.email("ag"), "agent")
		path := fmt.Sprintf("%s/%d", k.path, id)
		const include = "?include=app_installation,permissions,usage_1h,usage_24h,usage_7d,usage_30d,nothing"
		for by, edit := range map[*anAPI]string{a: "true", a.as(a.email("ag")): "false"} {
			plain := string(by.get(path).want(200).body)
			want := strings.TrimSuffix(strings.TrimSpace(plain), "}}") + `,"app_installation":null,"permissions":{"can_edit":` + edit + `},"usage_1h":0,"usage_24h":1,"usage_7d":1,"usage_30d":1}}`
			by.get(path+include).want(200).wantJSON("%s", want)
			one := strings.TrimSuffix(strings.TrimPrefix(want, `{"`+k.one+`":`), "}")
			by.get(k.path+include).want(200).wantJSON(`{"%ss":[%s],"count":1,"next_page":null,"previous_page":null}`, k.one, one)
		}
		k.rule(a, "more", "")
		if got := k.titles(a, "?sort_by=usage_24h"); got != "r more" {
			t.Errorf("by usage: %s", got)
		}
	})
}

func TestManyRulesArePlacedAndDeleted(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, a *anAPI, k ruleKind) {
		one, two, three := k.rule(a, "one", ""), k.rule(a, "two", ""), k.rule(a, "three", "")
		many := k.path + "/update_many"
		r := a.put(many, fmt.Sprintf(`{"%ss":[{"id":%d,"position":"1","title":"x"},{"id":%d,"position":2,"active":false}]}`, k.one, three, one)).want(200)
		if got := r.ids(k.one + "s"); !slices.Equal(got, []int64{three, one}) || r.member(k.one+"s", 0, "position") != json.Number("1") || r.member(k.one+"s", 1, "active") != false {
			t.Errorf("%.500s", r.body)
		}
		a.put(many, fmt.Sprintf(`{"%ss":[{"id":%d,"position":7},{"id":%d,"position":-1}]}`, k.one, three, one)).
			wantDetail("position", "Position: must be between 0 and 1000000000")
		if got := a.get(fmt.Sprintf("%s/%d", k.path, three)).want(200).member(k.one, "position"); got != json.Number("1") {
			t.Errorf("a refused change put it at %v", got)
		}
		if k.one != "macro" {
			order := fmt.Sprintf(`{"%s_ids":[%d,%d]}`, k.one, two, three)
			if got := a.put(k.path+"/reorder", order).want(200).ids(k.one + "s"); !slices.Equal(got, []int64{two, three}) {
				t.Errorf("reordered: %v", got)
			}
			if got := k.titles(a, "?sort_by=position"); got != "two three one" {
				t.Errorf("in the order %s", got)
			}
			a.put(k.path+"/reorder", fmt.Sprintf(`{"%s_ids":[%d,404404]}`, k.one, two)).want(map[bool]int{true: 404, false: 422}[k.one == "trigger"])
		}
		a.delete(fmt.Sprintf("%s/destroy_many?ids=%d,404404", k.path, one)).wantMissing()
		a.delete(fmt.Sprintf("%s/destroy_many?ids=%d,%d", k.path, one, two)).want(204)
		if got := k.titles(a, ""); got != "three" {
			t.Errorf("left are %s", got)
		}
	})
}

// Only triggers and automations are a part of what saves of tickets have in memory.
func TestReorderingViewsLeavesTheSetUpAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	version := func() int { return a.number("SELECT config_version FROM accounts WHERE id = ?", a.account.ID) }
	for _, k := range ruleKinds {
		if k.one == "macro" {
			continue // there is no such call
		}
		ids := fmt.Sprintf(`{"%s_ids":[%d,%d]}`, k.one, k.rule(a, "one", ""), k.rule(a, "two", ""))
		before := version()
		a.put(k.path+"/reorder", ids).want(200)
		if moved := version() != before; moved != (k.one != "view") {
			t.Errorf("%s: the version moved: %v", k.one, moved)
		}
	}
}

// Who reorders views locks them one after another by their ids, so that no two
// wait for each other.
func TestReordersOfViewsTakeTurns(t *testing.T) {
	t.Parallel()
	a, _, _ := idleAPI(t)
	k := ruleKinds[2]
	var ids []int64
	for range 5 {
		ids = append(ids, k.rule(a, "v", ""))
	}
	lowest, order := slices.Min(ids), slices.SortedFunc(slices.Values(ids), func(a, b int64) int { return cmp.Compare(b, a) })
	hold := a.db.WithContext(a.ctx()).Begin()
	lock := func(id int64) error {
		return hold.Exec("SELECT FROM rules WHERE account_id = ? AND id = ? FOR UPDATE NOWAIT", a.account.ID, id).Error
	}
	if err := lock(lowest); err != nil {
		t.Fatal(err)
	}
	done := make(chan *result)
	go func() { done <- a.put(k.path+"/reorder", string(models.ToJSON(map[string]any{"view_ids": order}))) }()
	a.until("the order waits for a view", func() bool {
		return a.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	})
	for _, id := range order[:4] {
		if err := lock(id); err != nil {
			t.Errorf("while it waits for the first view it holds another: %v", err)
		}
	}
	if err := hold.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	if r := (<-done).want(200); !slices.Equal(r.ids("views"), order) {
		t.Errorf("reordered %s", r.body)
	}
}

// Agents have macros and views of their own; what is shared is the admins'.
func TestMacrosAndViewsAreSharedOrOnesOwn(t *testing.T) {
	t.Parallel()
	for _, k := range ruleKinds[2:] {
		t.Run(k.one, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			ann, ben := a.as(a.email("ann")), a.as(a.email("ben"))
			annID := a.user("Ann", a.email("ann"), "agent")
			a.user("Ben", a.email("ben"), "agent")
			eve := a.user("Eve", a.email("eve"), "end-user")
			group, other := a.group("G"), a.group("H")
			a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, annID, group)).want(201)
			restricted := func(members string) string { return `,"restriction":` + members }
			k.rule(a, "all", restricted("null"))
			k.rule(a, "team", restricted(fmt.Sprintf(`{"type":"Group","id":%d}`, group)))
			k.rule(a, "teams", restricted(fmt.Sprintf(`{"type":"Group","ids":[%d,%d,%[2]d]}`, other, group)))
			k.rule(a, "others", restricted(fmt.Sprintf(`{"type":"Group","id":%d,"ids":[%[1]d]}`, other)))
			k.rule(a, "admin", restricted(`{"type":"User"}`))
			own := k.rule(ann, "ann", "")
			k.rule(ben, "ben", restricted(`{"type":"User"}`))
			for _, tc := range []struct {
				by    *anAPI
				query string
				want  string
			}{
				{a, "?", "admin all others team teams"}, {ann, "?", "all ann team teams"}, {ben, "?", "all ben"},
				{a, "/active?", "admin all others team teams"}, {ben, "/search?query=a", "all"},
				{a, "?access=personal", "admin"}, {ann, "?access=personal", "ann"}, {ann, "?access=shared", "all team teams"},
				{ann, "?access=account", "all"}, {a, "?access=account", "all"}, {a, "?access=agents", "admin ann ben"}, {a, "?access=shared", "all others team teams"},
				{a, fmt.Sprintf("?group_id=%d", group), "team teams"}, {ben, fmt.Sprintf("?group_id=%d", group), ""},
			} {
				if got := k.titles(tc.by, tc.query+"&sort_by=alphabetical"); got != tc.want {
					t.Errorf("%s: %s, want %s", tc.query, got, tc.want)
				}
			}
			path := fmt.Sprintf("%s/%d", k.path, own)
			ann.get(path).want(200).wantJSON("%s", a.get(path).want(200).body)
			if got := fmt.Sprint(ann.get(path).member(k.one, "restriction")); got != fmt.Sprintf("map[id:%d type:User]", annID) {
				t.Errorf("restriction %s", got)
			}
			for _, mine := range []string{path, fmt.Sprintf("%s/%d", k.path, ids(a, k, "others"))} {
				ben.get(mine).wantMissing()
				ben.put(mine, fmt.Sprintf(`{%q:{"title":"x"}}`, k.one)).wantMissing()
				ben.delete(mine).wantMissing()
			}
			shared := fmt.Sprintf("%s/%d", k.path, ids(a, k, "all"))
			ben.put(shared, fmt.Sprintf(`{%q:{"title":"x"}}`, k.one)).wantForbidden()
			ben.delete(shared).wantForbidden()
			ben.delete(k.path + "/destroy_many?ids=" + fmt.Sprint(ids(a, k, "all"))).wantForbidden()
			ben.put(k.path+"/update_many", fmt.Sprintf(`{"%ss":[{"id":%d,"position":1}]}`, k.one, ids(a, k, "all"))).wantForbidden()
			ann.get(k.path + "?access=agents").wantForbidden()
			ann.get(k.path+"?access=everybody").wantError(400, "BadRequest")
			ann.post(k.path, k.body("x", restricted("null"))).wantForbidden()
			ann.post(k.path, k.body("x", restricted(fmt.Sprintf(`{"type":"User","id":%d}`, a.admin.ID)))).wantForbidden()
			ann.put(path, fmt.Sprintf(`{%q:{"restriction":{"type":"Group","id":%d}}}`, k.one, group)).wantForbidden()
			for members, text := range map[string]string{
				`{"type":"Team","id":1}`: "Restriction: Team is neither User nor Group", `{"type":"Group"}`: "Restriction: names no group",
				`{"type":"Group","ids":[404]}`: "Restriction: 404 is not a group", fmt.Sprintf(`{"type":"User","id":%d}`, eve): fmt.Sprintf("Restriction: %d is not an agent", eve),
			} {
				a.post(k.path, k.body("x", restricted(members))).wantDetail("restriction", text)
			}
			a.put(path, fmt.Sprintf(`{%q:{"restriction":null}}`, k.one)).want(200)
			if got := k.titles(ben, "?sort_by=alphabetical"); got != "all ann ben" {
				t.Errorf("when it is shared: %s", got)
			}
			ann.put(path, fmt.Sprintf(`{%q:{"title":"x"}}`, k.one)).wantForbidden()
		})
	}
	t.Run("viewable", func(t *testing.T) {
		t.Parallel()
		a, k := newAPI(t), ruleKinds[3]
		k.rule(a, "others", fmt.Sprintf(`,"restriction":{"type":"Group","id":%d}`, a.group("H")))
		k.rule(a, "all", "")
		if got := k.titles(a, "?only_viewable=true"); got != "all" {
			t.Errorf("an admin can use %s", got)
		}
	})
}

// ids is the id of the rule with a title.
func ids(a *anAPI, k ruleKind, title string) int64 {
	a.t.Helper()
	for _, access := range []string{"shared", "agents"} {
		var list map[string]json.RawMessage
		a.get(k.path + "?access=" + access).want(200).json(&list)
		var rules []struct {
			ID    int64
			Title string
		}
		if err := json.Unmarshal(list[k.one+"s"], &rules); err != nil {
			a.t.Fatal(err)
		}
		for _, r := range rules {
			if r.Title == title {
				return r.ID
			}
		}
	}
	a.t.Fatalf("there is no %s %s", k.one, title)
	return 0
}

func TestAutomationsDiffer(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[1]
	k.rule(a, "tag", "")
	twin := k.body("tag", "")
	const text = "tag: another active automation has the same conditions and actions"
	a.post(k.path, twin).wantDetail("base", text)
	off := k.rule(a, "tag", `,"active":false`)
	a.put(fmt.Sprintf("%s/%d", k.path, off), `{"automation":{"active":true}}`).wantDetail("base", text)
	a.put(k.path+"/update_many", fmt.Sprintf(`{"automations":[{"id":%d,"active":true}]}`, off)).wantDetail("base", text)
	a.put(fmt.Sprintf("%s/%d", k.path, off), `{"automation":{"active":true,"actions":[{"field":"status","value":"open"}]}}`).want(200)
}

// What looks for tickets among all must begin with something that tells most of
// them apart.
func TestAutomationsAndViewsNeedABase(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const tagged = `{"field":"current_tags","operator":"includes","value":"x"}`
	const text = "Conditions: all must have one of status, custom_status_id, type, group_id, assignee_id, requester_id"
	for _, path := range []string{"view", "automation"} {
		body := fmt.Sprintf(`{%q:{"title":"x","all":[%s],"any":[{"field":"status","operator":"is","value":"open"}],"actions":[{"field":"priority","value":"low"}]}}`, path, tagged)
		a.post("/api/v2/"+path+"s", body).wantDetail("base", text)
	}
	a.post("/api/v2/automations", `{"automation":{"title":"x","all":[{"field":"status","operator":"is","value":"open"}],"actions":[{"field":"priority","value":"low"}]}}`).
		wantDetail("base", "Conditions: all must have one about time, such as SOLVED")
	const pending = `"title":"x","all":[{"field":"PENDING","operator":"is","value":"100"}]`
	a.post("/api/v2/automations", `{"automation":{`+pending+`,"actions":[{"field":"status","value":"open"}]}}`).want(201)
	a.post("/api/v2/views", `{"view":{`+pending+`}}`).wantDetail("base", text)
}

// A rule on a record that is gone stays readable, and can be changed but for
// what is wrong with it.
func TestRulesOutliveWhatTheyName(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.group("G")
	body := fmt.Sprintf(`{"trigger":{"title":"x","all":[{"field":"group_id","operator":"is","value":"%d"}],"actions":[{"field":"group_id","value":"%[1]d"}]}}`, group)
	path := fmt.Sprintf("%s/%d", triggersPath, a.post(triggersPath, body).want(201).id("trigger"))
	a.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	shown := a.get(path).want(200)
	a.put(path, strings.Replace(string(shown.body), `"title":"x"`, `"title":"y"`, 1)).want(200)
	a.put(path, fmt.Sprintf(`{"trigger":{"actions":[{"field":"group_id","value":"%d"},{"field":"priority","value":"low"}]}}`, group)).
		wantDetail("base", fmt.Sprintf("actions[0]: group_id %d does not exist", group))
}

// Whoever gets or follows a ticket is an agent: an action that names somebody else
// is refused, and that of one who is none any more is left out.
func TestRulesGiveTicketsToAgents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	customer, ann := a.user("Customer", a.email("customer"), "end-user"), a.user("Ann", a.email("ann"), "agent")
	body := func(actions string, id int64) string {
		return fmt.Sprintf(`{"trigger":{"title":"x","all":[{"field":"update_type","operator":"is","value":"Create"}],"actions":[{"field":"current_tags","value":"seen"},`+actions+`]}}`, id)
	}
	for _, field := range []string{"assignee_id", "follower"} {
		a.post(triggersPath, body(`{"field":"`+field+`","value":"%d"}`, customer)).
			wantDetail("base", fmt.Sprintf("actions[1]: agent %d does not exist", customer))
	}
	a.post(triggersPath, body(`{"field":"cc","value":"%d"}`, customer)).want(201)
	path := fmt.Sprintf("%s/%d", triggersPath, a.post(triggersPath, body(`{"field":"assignee_id","value":"%d"},{"field":"follower","value":"%[1]d"}`, ann)).want(201).id("trigger"))
	const ticket = `{"ticket":{"subject":"x","comment":{"body":"x"}}}`
	if got := a.post("/api/v2/tickets", ticket).want(201).member("ticket", "assignee_id"); fmt.Sprint(got) != fmt.Sprint(ann) {
		t.Errorf("assigned to %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/users/%d", ann), `{"user":{"role":"end-user"}}`).want(200)
	made := a.post("/api/v2/tickets", ticket).want(201)
	if got := fmt.Sprint(made.member("ticket", "assignee_id"), made.member("ticket", "tags")); got != "<nil> [seen]" {
		t.Errorf("assignee and tags: %s", got)
	}
	a.put(path, string(a.get(path).want(200).body)).want(200)
}

func TestMacroCategories(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[3]
	for _, title := range []string{"FAQ::Refunds", "FAQ::Shipping::Abroad", "Billing::x", "plain", "::none"} {
		k.rule(a, title, "")
	}
	k.rule(a, "Old::x", `,"active":false`)
	a.user("Ann", a.email("ann"), "agent")
	ann := a.as(a.email("ann"))
	k.rule(ann, "Ann's::x", "")
	a.get(k.path + "/categories").want(200).wantJSON(`{"categories":["Billing","FAQ"]}`)
	ann.get(k.path + "/categories").want(200).wantJSON(`{"categories":["Ann's","Billing","FAQ"]}`)
	if got := k.titles(a, "?category=faq"); got != "FAQ::Refunds FAQ::Shipping::Abroad" {
		t.Errorf("of a category: %s", got)
	}
}
