package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// columns are those of a view in answers.
func (v *viewed) table(path string) (columns []string, rows []map[string]any) {
	v.t.Helper()
	var list struct {
		Columns []struct{ ID any }
		Rows    []map[string]any
	}
	v.get(path).want(200).json(&list)
	for _, c := range list.Columns {
		columns = append(columns, fmt.Sprint(c.ID))
	}
	return columns, list.Rows
}

func TestViewIsATable(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	v.put(v.path, v.named(`{"view":{"output":{"columns":["subject","requester","created","priority","group","status","type","due_date",PRODUCT,"SEATS"],
		"group_by":"assignee","group_order":"desc","sort_by":"created","sort_order":"asc"}}}`)).want(200)
	v.put(v.anAPI.path(v.ids[0]), `{"ticket":{"comment":{"body":"Within","public":false}}}`).want(200)
	var whole map[string]json.RawMessage
	r := v.get(v.path + "/execute").want(200).json(&whole)
	var rows []json.RawMessage
	if err := json.Unmarshal(whole["rows"], &rows); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"score":null,"subject":"three","requester_id":BO,"created":"2026-03-04T07:06:07Z","priority":"Low","group_id":SUPPORT,"status":"Open","type":"Task","due_date":"2026-03-09T00:00:00Z",
			"group":OTHER,"custom_fields":[{"id":PRODUCT,"value":null},{"id":SEATS,"value":null}],"fields":[{"id":PRODUCT,"value":null},{"id":SEATS,"value":null}],
			"ticket":{"id":3,"url":"http://helpd.test/api/v2/tickets/3.json","subject":"three","description":"Words","status":"open","type":"task","priority":"low",
				"last_comment":{"body":"Words","created_at":"2026-03-04T07:06:07Z","author_id":ADMIN,"public":true}}}`,
		`{"score":null,"subject":"one","requester_id":ANN,"created":"2026-03-04T05:06:07Z","priority":"High","group_id":TEAM,"status":"Open","type":"Incident","due_date":null,
			"group":AGENT,"custom_fields":[{"id":PRODUCT,"value":"zoom"},{"id":SEATS,"value":"9.5"}],"fields":[{"id":PRODUCT,"value":"zoom"},{"id":SEATS,"value":"9.5"}],
			"ticket":{"id":1,"url":"http://helpd.test/api/v2/tickets/1.json","subject":"one","description":"Words","status":"open","type":"incident","priority":"high",
				"last_comment":{"body":"Within","created_at":"2026-03-04T09:06:07Z","author_id":ADMIN,"public":false}}}`,
		`{"score":null,"subject":"four","requester_id":ANN,"created":"2026-03-04T08:06:07Z","priority":"Urgent","group_id":TEAM,"status":"Pending","type":"-","due_date":null,
			"group":AGENT,"custom_fields":[{"id":PRODUCT,"value":null},{"id":SEATS,"value":"-3"}],"fields":[{"id":PRODUCT,"value":null},{"id":SEATS,"value":"-3"}],
			"ticket":{"id":4,"url":"http://helpd.test/api/v2/tickets/4.json","subject":"four","description":"Words","status":"pending","type":null,"priority":"urgent",
				"last_comment":{"body":"Words","created_at":"2026-03-04T08:06:07Z","author_id":ADMIN,"public":true}}}`,
		`{"score":null,"subject":"two","requester_id":BO,"created":"2026-03-04T06:06:07Z","priority":"-","group_id":null,"status":"New","type":"-","due_date":null,
			"group":null,"custom_fields":[{"id":PRODUCT,"value":"camera"},{"id":SEATS,"value":"10"}],"fields":[{"id":PRODUCT,"value":"camera"},{"id":SEATS,"value":"10"}],
			"ticket":{"id":2,"url":"http://helpd.test/api/v2/tickets/2.json","subject":"two","description":"Words","status":"new","type":null,"priority":null,
				"last_comment":{"body":"Words","created_at":"2026-03-04T06:06:07Z","author_id":ADMIN,"public":true}}}`,
	}
	support := fmt.Sprint(v.get(v.anAPI.path(v.ids[2])).member("ticket", "group_id"))
	for n := range want {
		text := strings.NewReplacer("SUPPORT", support, "ADMIN", fmt.Sprint(v.admin.ID)).Replace(v.named(want[n]))
		if got, want := canonical(t, rows[n]), canonical(t, []byte(text)); got != want {
			t.Errorf("row %d\n got %s\nwant %s", n, got, want)
		}
	}
	view := strings.TrimPrefix(v.path, viewsPath+"/")
	if got, want := canonical(t, whole["view"]), canonical(t, fmt.Appendf(nil, `{"id":%s,"url":"http://helpd.test%s.json"}`, view, v.path)); got != want {
		t.Errorf("view %s, want %s", got, want)
	}
	shown := v.get(v.path).want(200)
	if got, want := toJSON(t, r.member("columns")), toJSON(t, shown.member("view", "execution", "columns")); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	for key, want := range map[string][]int64{"users": {v.ann, v.bo, v.agent, v.other}, "groups": {v.team}, "organizations": {}} {
		got := r.ids(key)
		slices.Sort(got)
		slices.Sort(want)
		if key == "groups" {
			got = slices.DeleteFunc(got, func(id int64) bool { return fmt.Sprint(id) == support })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %v, want %v", key, got, want)
		}
	}
	if r.member("count") != json.Number("4") || r.member("next_page") != nil || r.member("previous_page") != nil {
		t.Errorf("paging: %.300s", r.body)
	}
	r = v.get(v.path + "/execute?exclude=users,groups,organizations&page[size]=3").want(200)
	for _, key := range []string{"users", "groups", "organizations"} {
		if strings.Contains(string(r.body), `"`+key+`":`) {
			t.Errorf("%s are not left out", key)
		}
	}
	if r.member("meta", "has_more") != true || len(r.member("rows").([]any)) != 3 {
		t.Errorf("by cursor: %.3000s", r.body)
	}
	v.get(viewsPath + "/404/execute").wantMissing()
	v.another().get(v.path + "/execute").wantMissing()
	v.as(v.email("ann")).get(v.path + "/execute").wantForbidden()
	v.get(v.path+"/execute?sort_by=nothing").wantError(400, "BadRequest")
	v.get(v.path+"/execute?group_by=submitter").wantError(400, "BadRequest")
}

func TestViewTableInAnotherOrder(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	v.put(v.path, `{"view":{"output":{"columns":["nice_id"],"group_by":"status","group_order":"asc","sort_by":"nice_id","sort_order":"asc"}}}`).want(200)
	for query, want := range map[string]string{
		"":                                        "[[2 New] [1 Open] [3 Open] [4 Pending]]",
		"?sort_by=priority":                       "[[2 New] [1 Open] [3 Open] [4 Pending]]",
		"?sort_by=priority&sort_order=asc":        "[[2 New] [3 Open] [1 Open] [4 Pending]]",
		"?sort_order=desc":                        "[[2 New] [3 Open] [1 Open] [4 Pending]]",
		"?group_by=priority":                      "[[2 -] [3 Low] [1 High] [4 Urgent]]",
		"?group_by=priority&sort_by=priority":     "[[2 -] [3 Low] [1 High] [4 Urgent]]",
		v.named("?group_by=PRODUCT&sort_by=id"):   "[[4 <nil>] [3 <nil>] [2 camera] [1 zoom]]",
		"?page[size]=9&sort=-updated":             "[[2 New] [3 Open] [1 Open] [4 Pending]]",
		"?page[size]=9&sort_by=updated":           "[[2 New] [3 Open] [1 Open] [4 Pending]]",
		v.named("?group_by=SEATS&sort_by=status"): "[[3 <nil>] [4 -3] [1 9.5] [2 10]]",
	} {
		_, rows := v.table(v.path + "/execute" + query)
		var got []string
		for _, row := range rows {
			got = append(got, fmt.Sprintf("[%v %v]", row["ticket_id"], row["group"]))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}

// Each column has a member in the rows, which the contract knows.
func TestViewTableHasEachColumn(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	v.as(v.email("agnes")).put(v.anAPI.path(v.ids[0]), `{"ticket":{"tags":["mine"]}}`).want(200)
	now := theClock.AddDate(0, 0, 1)
	v.now.Store(&now)
	v.as(v.email("ann")).put(fmt.Sprintf("/api/v2/requests/%d", v.ids[0]), `{"request":{"comment":{"body":"And?"},"solved":true}}`).want(200)
	one := v.view(`{"title":"One","all":[{"field":"status","operator":"is","value":"solved"},{"field":"type","operator":"is","value":"incident"}]}`)
	form := fmt.Sprint(v.get(v.anAPI.path(v.ids[0])).member("ticket", "ticket_form_id"))
	brand := fmt.Sprint(v.get(v.anAPI.path(v.ids[0])).member("ticket", "brand_id"))
	status := fmt.Sprint(v.get(v.anAPI.path(v.ids[0])).member("ticket", "custom_status_id"))
	const then, later = clockText, "2026-03-05T05:06:07Z"
	all := [][3]string{ // as asked for, in rows, value
		{"assigned", "assigned", then}, {"assignee", "assignee_id", "AGENT"}, {"brand", "brand_id", brand}, {"created", "created", then}, {"custom_status_id", "custom_status_id", status},
		{"description", "subject", "one"}, {"due_date", "due_date", "<nil>"}, {"group", "group_id", "TEAM"}, {"locale_id", "locale", "de"}, {"nice_id", "ticket_id", "1"},
		{"organization", "organization_id", "FIRM"}, {"priority", "priority", "High"}, {"requester", "requester_id", "ANN"}, {"satisfaction_score", "satisfaction_score", "-"}, {"solved", "solved", later},
		{"status", "status", "Solved"}, {"submitter", "submitter_id", fmt.Sprint(v.admin.ID)}, {"ticket_form", "ticket_form_id", form}, {"type", "type", "Incident"}, {"updated", "updated", later},
		{"updated_assignee", "updated_assignee", "2026-03-04T09:06:07Z"}, {"updated_by_type", "updated_by_type", "End user"}, {"updated_requester", "updated_requester", later},
	}
	for part := range slices.Chunk(all, 8) {
		var names []string
		for _, c := range part {
			names = append(names, `"`+c[0]+`"`)
		}
		v.put(one, `{"view":{"output":{"columns":[`+strings.Join(names, ",")+`]}}}`).want(200)
		row := v.get(one+"/execute").want(200).member("rows", 0).(map[string]any)
		for _, c := range part {
			if got, want := fmt.Sprint(row[c[1]]), v.named(c[2]); got != want {
				t.Errorf("%s of %s is %s, want %s", c[1], c[0], got, want)
			}
		}
		if len(row) != len(part)+4 { // score, custom_fields, fields, ticket
			t.Errorf("%d members: %v", len(row), row)
		}
	}
	v.put(v.anAPI.path(v.ids[0]), `{"ticket":{"tags":["seen"]}}`).want(200)
	if got := v.get(one+"/execute").member("rows", 0, "updated_by_type"); got != "Agent" {
		t.Errorf("updated by %v when an agent did", got)
	}
}

func TestViewIsPreviewed(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	const open = `"all":[{"field":"status","operator":"less_than","value":"solved"}]`
	r := v.post(viewsPath+"/preview?per_page=2", `{"view":{`+open+`,"any":[{"field":"priority","operator":"is","value":"low"},{"field":"current_tags","operator":"includes","value":"vip"}],
		"output":{"columns":["subject"],"sort_by":"nice_id","sort_order":"asc"}}}`).want(200)
	if got := fmt.Sprintln(r.member("rows", 0, "subject"), r.member("rows", 1, "subject"), len(r.member("columns").([]any))); got != "two three 1\n" || r.member("count") != json.Number("2") {
		t.Errorf("%s: %s", got, r.body)
	}
	if strings.Contains(string(r.body), `"view":`) {
		t.Errorf("a preview has a view: %s", r.body)
	}
	if len(v.get(viewsPath).want(200).ids("views")) != 1 {
		t.Error("a preview is kept")
	}
	for body, detail := range map[string][2]string{
		`{}`: {"conditions", "Conditions: cannot be blank"},
		`{"all":[{"field":"current_tags","operator":"includes","value":"x"}]}`:                                                                                      {"base", "Conditions: all must have one of status, custom_status_id, type, group_id, assignee_id, requester_id"},
		`{"any":[{"field":"status","operator":"is","value":"open"}]}`:                                                                                               {"base", "Conditions: all must have one of status, custom_status_id, type, group_id, assignee_id, requester_id"},
		`{"all":[{"field":"status","operator":"is","value":"open"},{"field":"nothing","operator":"is","value":"open"}]}`:                                            {"base", "conditions.all[1]: nothing is not a field that conditions know"},
		`{"all":[{"field":"requester_id","operator":"is","value":"4711"}]}`:                                                                                         {"base", "conditions.all[0]: user 4711 does not exist"},
		`{` + open + `,"output":{"columns":["nothing"]}}`:                                                                                                           {"columns", "Columns: nothing is not a column"},
		`{` + open + `,"output":{"group_by":"submitter"}}`:                                                                                                          {"group_by", "Group by: submitter cannot be sorted by"},
		`{` + open + `,"output":{"columns":["assigned","assignee","brand","created","due_date","group","nice_id","organization","priority","requester","solved"]}}`: {"columns", "Columns: must be from 1 to 10"},
	} {
		for _, path := range []string{"/preview", "/preview/count"} {
			v.post(viewsPath+path, `{"view":`+body+`}`).wantDetail(detail[0], detail[1])
		}
	}
	v.post(viewsPath+"/preview?sort_by=nothing", `{"view":{`+open+`}}`).wantError(400, "BadRequest")
	v.post(viewsPath+"/preview", `{}`).want(400)
	v.as(v.email("ann")).post(viewsPath+"/preview", `{"view":{}}`).wantForbidden()
	if r := v.another().post(viewsPath+"/preview", `{"view":{`+open+`}}`).want(200); len(r.member("rows").([]any)) != 0 {
		t.Errorf("another account sees %s", r.body)
	}
	// With a key the answer is kept, and what gives it runs in one transaction.
	for range 2 {
		if got := v.keyed("k").post(viewsPath+"/preview/count", `{"view":{`+open+`}}`).want(200).member("view_count", "value"); got != json.Number("4") {
			t.Errorf("count with a key: %v", got)
		}
	}
}

func TestViewIsAFeed(t *testing.T) {
	t.Parallel()
	v := newViewed(t)
	v.put(v.anAPI.path(v.ids[0]), `{"ticket":{"subject":"<b>one</b> & \u0001","comment":{"body":"x"}}}`).want(200)
	v.put(v.path, `{"view":{"title":"Un & solved","output":{"sort_by":"nice_id","sort_order":"asc"}}}`).want(200)
	// To clients of the API it is the list of tickets.
	v.get(v.path+"/feed?per_page=2").want(200).wantJSON("%s", strings.ReplaceAll(string(v.get(v.path+"/tickets?per_page=2").body), "/tickets.json?", "/feed.json?"))
	reader := v.with("Accept", "application/atom+xml, application/xml;q=0.9")
	r := reader.get(v.path + "/feed?per_page=2").want(200)
	if got := r.header.Get("Content-Type"); got != "application/atom+xml" {
		t.Errorf("Content-Type %s", got)
	}
	id := strings.TrimPrefix(v.path, viewsPath+"/")
	want := `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>http://helpd.test/api/v2/views/` + id + `.json</id><title>Un &amp; solved</title><updated>2026-03-04T09:06:07Z</updated><author><name>Acme</name></author>` +
		`<link rel="self" href="http://helpd.test` + v.path + `/feed"></link><link rel="alternate" href="http://helpd.test` + v.path + `.json"></link>` +
		`<entry><id>http://helpd.test/api/v2/tickets/1.json</id><title>&lt;b&gt;one&lt;/b&gt; &amp; ` + "\uFFFD" + `</title><published>2026-03-04T05:06:07Z</published><updated>2026-03-04T09:06:07Z</updated>` +
		`<author><name>Ann</name></author><category term="open"></category><link rel="alternate" href="http://helpd.test/api/v2/tickets/1.json"></link><content type="text">Words</content></entry>` +
		`<entry><id>http://helpd.test/api/v2/tickets/2.json</id><title>two</title><published>2026-03-04T06:06:07Z</published><updated>2026-03-04T06:06:07Z</updated>` +
		`<author><name>bo</name></author><category term="new"></category><link rel="alternate" href="http://helpd.test/api/v2/tickets/2.json"></link><content type="text">Words</content></entry></feed>`
	if got := string(r.body); got != want {
		t.Errorf("feed\n got %s\nwant %s", got, want)
	}
	for _, who := range []*anAPI{v.anAPI, reader} {
		who.get(viewsPath + "/404/feed").wantMissing()
		who.get(v.path + "/feed?page=101").want(400)
	}
	v.as(v.email("ann")).get(v.path + "/feed").wantForbidden()
	_, held := v.restricted("held", "assigned")
	if got := string(held.with("Accept", "application/atom+xml").get(v.path + "/feed").want(200).body); strings.Contains(got, "<entry>") {
		t.Errorf("who sees none is shown %s", got)
	}
}

func TestViewIsExported(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	v := viewedOn(a)
	v.put(v.anAPI.path(v.ids[1]), `{"ticket":{"subject":"=HYPERLINK(1)"}}`).want(200)
	v.put(v.path, v.named(`{"view":{"output":{"columns":["subject","requester","priority","due_date",PRODUCT,SEATS],"group_by":"assignee","group_order":"asc","sort_by":"nice_id","sort_order":"asc"}}}`)).want(200)
	lines := func(who *anAPI, path string) string {
		r := who.get(path + "/export").want(200)
		if got, want := toJSON(t, r.member("export")), `{"status":"starting","view_id":`+strings.TrimPrefix(path, viewsPath+"/")+`}`; got != want {
			t.Errorf("export %s, want %s", got, want)
		}
		file := strings.TrimPrefix(r.jobDone(who).member("job_status", "results", "attachment_url").(string), "http://helpd.test")
		address := who.get(file).want(200).member("attachment", "content_url").(string)
		return string(who.get(strings.TrimPrefix(address, "http://helpd.test")).want(200).body)
	}
	want := `ID,Assignee,Subject,Requester,Priority,Due date,Product,Seats
2,,'=HYPERLINK(1),bo,-,,camera,10
1,Agnes,one,Ann,High,,zoom,9.5
4,Agnes,four,Ann,Urgent,,,-3
3,Zoe,three,bo,Low,2026-03-09T00:00:00Z,,
`
	if got := lines(v.anAPI, v.path); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	id, held := v.restricted("held", "assigned")
	v.put(v.anAPI.path(v.ids[3]), fmt.Sprintf(`{"ticket":{"assignee_id":%d}}`, id)).want(200)
	if got, want := lines(held, v.path), "ID,Assignee,Subject,Requester,Priority,Due date,Product,Seats\n4,R,four,Ann,Urgent,,,-3\n"; got != want {
		t.Errorf("the file of who sees one ticket is\n%s\nwant\n%s", got, want)
	}
	v.put(v.path, `{"view":{"output":{"columns":["subject","assignee","nice_id"]}}}`).want(200)
	if got, want := lines(held, v.path), "ID,Assignee,Subject\n4,R,four\n"; got != want { // what it is grouped by stands there once
		t.Errorf("the file with the group among the columns is\n%s\nwant\n%s", got, want)
	}
	// More tickets than are read at once, and the other columns.
	for n := range 101 {
		v.ticket(fmt.Sprintf(`{"subject":"s%d","tags":["many"],"comment":{"body":"x"}}`, n))
	}
	many := v.view(`{"title":"Many","all":[{"field":"status","operator":"is","value":"new"},{"field":"current_tags","operator":"includes","value":"many"}],
		"output":{"columns":["assigned","brand","created","custom_status_id","group","locale_id","organization","satisfaction_score","solved","status"],"group_by":"ticket_form","sort_by":"created","sort_order":"asc"}}`)
	got := strings.Split(strings.TrimSpace(lines(v.anAPI, many)), "\n")
	if len(got) != 102 || got[0] != "ID,Form,Assigned,Brand,Requested,Ticket status,Group,Requester language,Organization,Satisfaction,Solved,Status" ||
		got[101] != fmt.Sprintf("%d,Default Ticket Form,,Acme,2026-03-04T09:06:07Z,New,,en-US,,-,,New", 106) {
		t.Errorf("%d lines: %s ... %s", len(got), got[0], got[len(got)-1])
	}
	v.put(many, `{"view":{"output":{"columns":["type","submitter","updated","updated_assignee","updated_by_type","updated_requester"],"group_by":null}}}`).want(200)
	if got := strings.Split(lines(v.anAPI, many), "\n"); got[0] != "ID,Type,Submitter,Updated,Assignee updated,Latest updater type (agent/end user),Requester updated" || got[1] != "6,-,Ada Admin,2026-03-04T09:06:07Z,,Agent,2026-03-04T09:06:07Z" {
		t.Errorf("%s\n%s", got[0], got[1])
	}
	v.get(viewsPath + "/404/export").wantMissing()
	v.another().get(v.path + "/export").wantMissing()
	v.as(v.email("ann")).get(v.path + "/export").wantForbidden()
}
