package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

const viewsPath = "/api/v2/views"

func TestViewsShowColumns(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const column = `{"id":%q,"title":%q,"filterable":%t,"sortable":%t}`
	usual := fmt.Sprintf("["+column+","+column+","+column+","+column+","+column+","+column+"]", "subject", "Subject", false, false, "requester", "Requester", true, true,
		"created", "Requested", false, true, "updated", "Updated", false, true, "group", "Group", true, true, "assignee", "Assignee", true, true)
	made := ruleKinds[2].rule(a, "v", "")
	execution := func(r *result) string {
		b, err := json.Marshal(r.want(200).member("view", "execution"))
		if err != nil {
			t.Fatal(err)
		}
		return canonical(t, b)
	}
	path := fmt.Sprintf("%s/%d", viewsPath, made)
	want := fmt.Sprintf(`{"group_by":null,"group_order":"desc","sort_by":"nice_id","sort_order":"desc","group":null,
		"sort":{"id":"ticket_id","title":"ID","filterable":false,"sortable":true,"order":"desc"},"columns":%s,"fields":%[1]s,"custom_fields":[]}`, usual)
	if got := execution(a.get(path)); got != canonical(t, []byte(want)) {
		t.Errorf("execution\n got %s\nwant %s", got, want)
	}
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"Product"}}`).want(201).id("ticket_field")
	r := a.put(path, fmt.Sprintf(`{"view":{"output":{"columns":["status","subject","description",%d,"%[1]d"],"group_by":"status","group_order":"asc","sort_by":%[1]d}}}`, field))
	product := fmt.Sprintf(`{"id":%d,"title":"Product","type":"text","url":"http://helpd.test/api/v2/ticket_fields/%[1]d.json"`, field)
	fields := fmt.Sprintf(column+","+column, "status", "Status", true, true, "subject", "Subject", false, false)
	want = fmt.Sprintf(`{"group_by":"status","group_order":"asc","sort_by":"%d","sort_order":"desc","group":{"id":"status","title":"Status","filterable":true,"sortable":true,"order":"asc"},
		"sort":%s,"order":"desc"},"columns":[%s,%s}],"fields":[%[3]s],"custom_fields":[%[4]s}]}`, field, product, fields, product)
	if got := execution(r); got != canonical(t, []byte(want)) {
		t.Errorf("execution\n got %s\nwant %s", got, want)
	}
	// What execution says can be sent back, and cleared in part.
	if got := execution(a.put(path, fmt.Sprintf(`{"view":{"execution":%s}}`, execution(a.get(path))))); got != canonical(t, []byte(want)) {
		t.Errorf("sent back, it is\n%s", got)
	}
	r = a.put(path, `{"view":{"output":{"group_by":"","sort_by":null}}}`).want(200)
	if r.member("view", "execution", "group") != nil || r.member("view", "execution", "sort") != nil || len(r.member("view", "execution", "columns").([]any)) != 3 {
		t.Errorf("execution %.800s", execution(r))
	}
	a.delete(fmt.Sprintf("/api/v2/ticket_fields/%d", field)).want(204)
	if got := a.get(path).want(200).member("view", "execution", "columns").([]any); len(got) != 2 {
		t.Errorf("columns when the field is gone: %v", got)
	}
	for output, detail := range map[string][2]string{
		`{"columns":["status","nothing"]}`: {"columns", "Columns: nothing is not a column"},
		`{"columns":[404]}`:                {"columns", "Columns: 404 is not a column"},
		`{"columns":[]}`:                   {"columns", "Columns: must be from 1 to 10"},
		`{"columns":["assigned","assignee","brand","created","due_date","group","nice_id","organization","priority","requester","solved"]}`: {"columns", "Columns: must be from 1 to 10"},
		`{"group_by":"subject"}`: {"group_by", "Group by: subject cannot be sorted by"},
		`{"sort_by":"tags"}`:     {"sort_by", "Sort by: tags is not a column"},
		`{"sort_order":"up"}`:    {"sort_order", "Sort order: up is neither asc nor desc"},
	} {
		a.put(path, `{"view":{"output":`+output+`}}`).wantDetail(detail[0], detail[1])
	}
	a.put(path, `{"view":{"output":{"columns":"status"}}}`).want(400)
	a.put(path, `{"view":{"output":{"columns":[[]]}}}`).want(400)
}

func TestViewsInFewWords(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[2]
	var all []int64
	for n := range 34 {
		all = append(all, k.rule(a, fmt.Sprintf("v%d", n), fmt.Sprintf(`,"position":%d`, n)))
	}
	a.put(fmt.Sprintf("%s/%d", viewsPath, all[0]), `{"view":{"active":false}}`).want(200)
	r := a.get(viewsPath + "/compact").want(200)
	if got := r.ids("views"); !slices.Equal(got, all[1:33]) || r.member("count") != json.Number("32") || r.member("next_page") != nil {
		t.Errorf("compact: %v, count %v", got, r.member("count"))
	}
	if got := a.get(viewsPath+"/count").want(200).member("count", "value"); got != json.Number("34") {
		t.Errorf("count %v", got)
	}
	a.user("Ann", a.email("ann"), "agent")
	ann := a.as(a.email("ann"))
	own := k.rule(ann, "own", "")
	if got := ann.get(viewsPath+"/count").want(200).member("count", "value"); got != json.Number("35") {
		t.Errorf("count of an agent %v", got)
	}
	if got := ann.get(viewsPath + "/shared?per_page=100").want(200).ids("views"); !slices.Equal(got, all) {
		t.Errorf("shared: %v", got)
	}
	some := fmt.Sprintf("%s/show_many?ids=%d,%d,404404,%d", viewsPath, all[3], own, all[0])
	if got := ann.get(some).want(200).ids("views"); !slices.Equal(got, []int64{all[0], all[3], own}) {
		t.Errorf("by ids: %v", got)
	}
	a.user("Ben", a.email("ben"), "agent")
	if got := a.as(a.email("ben")).get(some).want(200).ids("views"); !slices.Equal(got, []int64{all[0], all[3]}) {
		t.Errorf("by ids for another agent: %v", got)
	}
}
