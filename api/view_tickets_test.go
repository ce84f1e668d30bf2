package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// viewed is an account with tickets that differ in each column, and the path of
// a view that has all of them but the solved one.
type viewed struct {
	*anAPI
	ids                         []int64 // by number; the last is solved
	product, seats, since       int64   // custom fields
	ann, bo, agent, other, firm int64
	team                        int64
	path                        string
}

func (a *anAPI) view(body string) string {
	a.t.Helper()
	return fmt.Sprintf("%s/%d", viewsPath, a.post(viewsPath, `{"view":`+body+`}`).want(201).id("view"))
}

func newViewed(t *testing.T) *viewed {
	t.Helper()
	return viewedOn(newAPI(t))
}

func viewedOn(a *anAPI) *viewed {
	a.t.Helper()
	v := &viewed{anAPI: a}
	v.product = a.ticketField(`{"type":"tagger","title":"Product","custom_field_options":[{"name":"Camera","value":"camera"},{"name":"Zoom","value":"zoom"}]}`)
	v.seats = a.ticketField(`{"type":"decimal","title":"Seats"}`)
	v.since = a.ticketField(`{"type":"date","title":"Since"}`)
	v.firm = a.organization("Firm")
	v.ann = a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Ann","email":%q,"verified":true,"locale":"de","organization_id":%d}}`, a.email("ann"), v.firm)).want(201).id("user")
	v.bo = a.user("bo", a.email("bo"), "end-user")
	v.agent, v.other = a.user("Agnes", a.email("agnes"), "agent"), a.user("Zoe", a.email("zoe"), "agent")
	v.team = a.group("A team")
	a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, v.agent, v.team)).want(201)
	for n, body := range []string{
		`"subject":"one","requester_id":ANN,"priority":"high","type":"incident","assignee_id":AGENT,"group_id":TEAM,"custom_fields":[{"id":PRODUCT,"value":"zoom"},{"id":SEATS,"value":"9.5"}]`,
		`"subject":"two","requester_id":BO,"tags":["vip"],"custom_fields":[{"id":PRODUCT,"value":"camera"},{"id":SEATS,"value":"10"}]`,
		`"subject":"three","requester_id":BO,"priority":"low","type":"task","due_at":"2026-03-09T00:00:00Z","assignee_id":OTHER,"custom_fields":[{"id":SINCE,"value":"2026-01-02"}]`,
		`"subject":"four","requester_id":ANN,"status":"pending","priority":"urgent","assignee_id":AGENT,"group_id":TEAM,"custom_fields":[{"id":SEATS,"value":"-3"},{"id":SINCE,"value":"2025-12-31"}]`,
		`"subject":"five","requester_id":BO,"status":"solved","assignee_id":OTHER`,
	} {
		at := theClock.Add(time.Duration(n) * time.Hour)
		a.now.Store(&at)
		v.ids = append(v.ids, a.ticket(v.named(`{`+body+`,"comment":{"body":"Words"}}`)))
	}
	v.path = a.view(`{"title":"Unsolved","all":[{"field":"status","operator":"less_than","value":"solved"}]}`)
	return v
}

// named is a text with ids in place of their names.
func (v *viewed) named(text string) string {
	for name, id := range map[string]int64{
		"ANN": v.ann, "BO": v.bo, "AGENT": v.agent, "OTHER": v.other, "TEAM": v.team, "PRODUCT": v.product, "SEATS": v.seats, "SINCE": v.since, "FIRM": v.firm,
	} {
		text = strings.ReplaceAll(text, name, fmt.Sprint(id))
	}
	return text
}

// pick are tickets by their place, from 1.
func (v *viewed) pick(places ...int) []int64 {
	out := []int64{}
	for _, n := range places {
		out = append(out, v.ids[n-1])
	}
	return out
}

func (v *viewed) wantTickets(query string, places ...int) {
	v.t.Helper()
	if got, want := v.get(v.path+"/tickets"+query).want(200).ids("tickets"), v.pick(places...); !slices.Equal(got, want) {
		v.t.Errorf("%s: %v, want %v", query, got, want)
	}
}

func TestViewHasTickets(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	r := v.get(v.path + "/tickets.json").want(200)
	if got := r.ids("tickets"); !slices.Equal(got, v.pick(4, 3, 2, 1)) || r.member("count") != json.Number("4") || r.member("next_page") != nil {
		t.Errorf("%v, %.300s", got, r.body)
	}
	if got, want := canonical(t, []byte(fmt.Sprint(toJSON(t, r.member("tickets", 0))))), canonical(t, []byte(toJSON(t, v.get(v.anAPI.path(v.ids[3])).member("ticket")))); got != want {
		t.Errorf("a ticket of a view is\n%s, and by itself\n%s", got, want)
	}
	r = v.get(v.path + "/tickets?per_page=3&page=2&include=users,groups,last_audits").want(200)
	if got := r.ids("tickets"); !slices.Equal(got, v.pick(1)) || r.member("count") != json.Number("4") || len(r.member("groups").([]any)) != 1 || len(r.member("last_audits").([]any)) != 1 ||
		r.member("previous_page") != "http://helpd.test"+v.path+"/tickets.json?include=users%2Cgroups%2Clast_audits&page=1&per_page=3" {
		t.Errorf("%v, %.3000s", got, r.body)
	}
	v.put(v.path, `{"view":{"output":{"group_by":"assignee","group_order":"asc","sort_by":"updated","sort_order":"asc"}}}`).want(200)
	v.wantTickets("", 2, 1, 4, 3)
	v.wantTickets("?sort_by=created", 4, 3, 2, 1)
	v.wantTickets("?sort_by=created_at&sort_order=asc", 1, 2, 3, 4)
	v.wantTickets("?page[size]=10&sort=-priority", 4, 1, 3, 2)
	v.wantTickets("?sort=-priority", 4, 1, 3, 2)
	v.wantTickets("?sort=priority", 2, 3, 1, 4)
	if got := v.walkPages(v.path+"/tickets?page[size]=1", "tickets"); !slices.Equal(got, v.pick(2, 1, 4, 3)) {
		t.Errorf("by cursor: %v", got)
	}
	v.get(v.path + "/tickets?sort_by=subject").want(400)
	v.get(v.path+"/tickets?sort_by=nothing").wantError(400, "BadRequest")
	v.get(v.path+"/tickets?sort=nothing").wantError(400, "BadRequest")
	v.get(v.path + "/tickets?page[size]=1&page[after]=x").want(400)
	v.get(v.path + "/tickets?page=101").want(400)
	v.get(viewsPath + "/404/tickets").wantMissing()
	v.as(v.email("ann")).get(v.path + "/tickets").wantForbidden()
	v.another().get(v.path + "/tickets").wantMissing()
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each column is sorted by, both ways and by cursors in both styles: what a
// ticket has nothing of is the least.
func TestViewsSortByColumns(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	now := theClock.Add(10 * time.Hour)
	v.now.Store(&now)
	v.as(v.email("bo")).put(fmt.Sprintf("/api/v2/requests/%d", v.ids[1]), `{"request":{"comment":{"body":"And?"}}}`).want(200)
	for column, want := range map[string][]int{ // ascending; equal ones by number
		"nice_id": {1, 2, 3, 4}, "created": {1, 2, 3, 4}, "updated": {1, 3, 4, 2}, "assigned": {2, 1, 3, 4}, "due_date": {1, 2, 4, 3}, "solved": {1, 2, 3, 4},
		"updated_requester": {1, 3, 4, 2}, "updated_assignee": {1, 2, 3, 4}, "status": {2, 1, 3, 4}, "priority": {2, 3, 1, 4}, "type": {2, 4, 1, 3},
		"requester": {1, 4, 2, 3}, "assignee": {2, 1, 4, 3}, "group": {2, 1, 4, 3}, "organization": {2, 3, 1, 4}, "brand": {1, 2, 3, 4}, "ticket_form": {1, 2, 3, 4},
		"locale_id": {1, 4, 2, 3}, "satisfaction_score": {1, 2, 3, 4}, "updated_by_type": {1, 3, 4, 2},
		fmt.Sprint(v.product): {3, 4, 2, 1}, fmt.Sprint(v.seats): {3, 4, 1, 2}, fmt.Sprint(v.since): {1, 2, 4, 3},
	} {
		up, down := v.pick(want...), v.pick(want...)
		slices.Reverse(down)
		for query, want := range map[string][]int64{"sort=" + column: up, "sort=-" + column: down} {
			path := v.path + "/tickets?page[size]=3&" + query
			if got := v.walkPages(path, "tickets"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
		for order, want := range map[string][]int64{"asc": up, "desc": down} {
			r := v.get(v.path + "/tickets?per_page=3&sort_by=" + column + "&sort_order=" + order).want(200)
			if got := r.ids("tickets"); !slices.Equal(got, want[:3]) {
				t.Errorf("%s %s: %v, want %v", column, order, got, want[:3])
			}
			v.put(v.path, fmt.Sprintf(`{"view":{"output":{"group_by":%q,"group_order":%q,"sort_by":"nice_id","sort_order":%[2]q}}}`, column, order)).want(200)
			if got := v.walkPages(v.path+"/tickets?page[size]=1", "tickets"); !slices.Equal(got, want) {
				t.Errorf("in groups by %s %s: %v, want %v", column, order, got, want)
			}
		}
	}
}

func TestViewNeverShowsWhatTheCallerMayNotSee(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	id, held := v.restricted("held", "assigned")
	v.put(v.anAPI.path(v.ids[1]), fmt.Sprintf(`{"ticket":{"assignee_id":%d}}`, id)).want(200)
	preview := `{"view":{"all":[{"field":"status","operator":"less_than","value":"closed"}]}}`
	for _, see := range []struct {
		who  *anAPI
		want []int64
	}{{held, v.pick(2)}, {v.as(v.email("agnes")), v.pick(4, 3, 2, 1)}} {
		if got := see.who.get(v.path + "/tickets?include=users").want(200).ids("tickets"); !slices.Equal(got, see.want) {
			t.Errorf("tickets: %v, want %v", got, see.want)
		}
		r := see.who.get(v.path + "/execute").want(200)
		if got := len(r.member("rows").([]any)); got != len(see.want) || fmt.Sprint(r.member("count")) != fmt.Sprint(len(see.want)) {
			t.Errorf("%d rows, want %d: %s", got, len(see.want), r.body)
		}
		if got := fmt.Sprint(see.who.get(v.path+"/count").want(200).member("view_count", "value")); got != fmt.Sprint(len(see.want)) {
			t.Errorf("count %s, want %d", got, len(see.want))
		}
		more := 0
		if see.who != held {
			more = 1
		}
		if got := fmt.Sprint(see.who.post(viewsPath+"/preview/count", preview).want(200).member("view_count", "value")); got != fmt.Sprint(len(see.want)+more) {
			t.Errorf("count of a preview %s, want %d", got, len(see.want)+more)
		}
	}
	if body := string(held.get(v.path + "/execute").body); strings.Contains(body, "Zoe") || strings.Contains(body, "Ann") {
		t.Errorf("names of people of other tickets: %s", body)
	}
}

func TestViewsOfOthersAndThoseThatAreNotActiveAreNotRun(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	agnes, zoe := v.as(v.email("agnes")), v.as(v.email("zoe"))
	all := `"all":[{"field":"assignee_id","operator":"is","value":"current_user"}]`
	mine := agnes.view(`{"title":"Mine",` + all + `}`)
	shared := v.view(fmt.Sprintf(`{"title":"Ours",%s,"restriction":{"type":"Group","ids":[%d]}}`, all, v.team))
	for _, path := range []string{mine, shared} {
		if got := agnes.get(path + "/tickets").want(200).ids("tickets"); !slices.Equal(got, v.pick(4, 1)) {
			t.Errorf("tickets of the current user: %v", got)
		}
		for _, what := range []string{"/tickets", "/execute", "/count"} {
			zoe.get(path + what).wantMissing()
		}
	}
	count := func(who *anAPI, paths ...string) string {
		for n := range paths {
			paths[n] = strings.TrimPrefix(paths[n], viewsPath+"/")
		}
		var list struct {
			Counts []struct {
				View  int64 `json:"view_id"`
				Value int64
			} `json:"view_counts"`
		}
		who.get(viewsPath + "/count_many?ids=" + strings.Join(paths, ",")).want(200).json(&list)
		var out []int64
		for _, c := range list.Counts {
			out = append(out, c.Value)
		}
		return fmt.Sprint(out)
	}
	if got := count(agnes, v.path, mine, shared, "404"); got != "[4 2 2]" {
		t.Errorf("counts: %s", got)
	}
	if got := count(zoe, v.path, mine, shared); got != "[4]" {
		t.Errorf("counts of another: %s", got)
	}
	v.put(shared, `{"view":{"active":false}}`).want(200)
	for _, what := range []string{"/tickets", "/execute", "/count"} {
		agnes.get(shared + what).wantMissing()
	}
	if got := count(agnes, mine, shared); got != "[2]" {
		t.Errorf("counts without those that are not active: %s", got)
	}
	v.get(viewsPath + "/count_many").want(400)
	v.get(viewsPath + "/count_many?ids=x").want(400)
	v.get(viewsPath + "/count_many?ids=" + strings.Repeat("1,", 20) + "1").want(400)
	v.as(v.email("ann")).get(viewsPath + "/count_many?ids=1").wantForbidden()
}

func TestViewIsCounted(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	id := strings.TrimPrefix(v.path, viewsPath+"/")
	v.get(v.path+"/count").want(200).wantJSON(`{"view_count":{"view_id":%s,"url":"http://helpd.test%s/count.json","value":4,"pretty":"4","fresh":true,"active":true}}`, id, v.path)
	v.ticket(`{"subject":"six","comment":{"body":"x"}}`)
	v.get(viewsPath+"/count_many?ids="+id).want(200).wantJSON(`{"view_counts":[{"view_id":%s,"url":"http://helpd.test%s/count.json","value":5,"pretty":"5","fresh":true,"active":true}]}`, id, v.path)
	v.post(viewsPath+"/preview/count", `{"view":{"all":[{"field":"status","operator":"is","value":"pending"}]}}`).want(200).
		wantJSON(`{"view_count":{"view_id":null,"url":null,"value":1,"pretty":"1","fresh":true,"active":true}}`)
	// A record that is gone is met by no ticket, whatever else is asked.
	gone := v.view(v.named(`{"title":"Gone","all":[{"field":"status","operator":"less_than","value":"closed"},{"field":"organization_id","operator":"is_not","value":"FIRM"}]}`))
	if got := v.get(gone+"/count").want(200).member("view_count", "value"); got != json.Number("4") {
		t.Errorf("before it is gone: %v", got)
	}
	v.delete(fmt.Sprintf("/api/v2/organizations/%d", v.firm)).want(204)
	if got := v.get(gone+"/count").want(200).member("view_count", "value"); got != json.Number("0") {
		t.Errorf("when it is gone: %v", got)
	}
	v.get(gone).want(200)
	v.get(viewsPath + "/404/count").wantMissing()
	v.another().get(v.path + "/count").wantMissing()
	v.as(v.email("ann")).get(v.path + "/count").wantForbidden()
	v.as(v.email("ann")).post(viewsPath+"/preview/count", `{"view":{}}`).wantForbidden()
}
