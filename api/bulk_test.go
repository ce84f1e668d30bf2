package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// bulkCall is how an operation on many records is called, and what comes of it.
type bulkCall struct {
	method, path string
	// key is that of the list in the body; empty: the items are ids in the URL.
	key   string
	items []string // one that succeeds and one that fails
	// results are those of the job at its end, NEW being the id of the created
	// record; empty: no job does it, and the answer is status and body.
	results string
	status  int
	body    string
	made    string // path of the created record, with NEW
	alone   bool   // the job has one result for all
	tooMany string // the error for 101 items, unless it is that of most
}

// noRecord is an id that no record has.
const noRecord = 404404

// bulkCalls are the calls of all operations on many records, by operation.
func (w *world) bulkCalls() map[string]bulkCall {
	w.t.Helper()
	both := func(id any) []string { return []string{fmt.Sprint(id), fmt.Sprint(noRecord)} }
	gone := func(what string) string { return fmt.Sprintf("%s %d not found", what, noRecord) }
	calls := map[string]bulkCall{
		"LogoutManyUsers":           {items: both(w.ids["user_id"]), status: 202, body: `{}`},
		"BulkRestoreDeletedTickets": {items: both(w.ids["deleted_ticket"]), status: 404, body: nothingThere},
		"RecoverSuspendedTickets":   {items: both(w.ids["suspended_ticket_id"]), status: 404, body: nothingThere},
		"DeleteSuspendedTickets":    {items: both(w.ids["suspended_ticket_id"]), status: 204},
		"CreateManyDynamicContentVariants": {key: "variants", items: []string{`{"locale_id":16,"content":"a"}`, `{"locale_id":0,"content":"b"}`}, status: 422,
			body: `{"error":"RecordInvalid","description":"Record validation errors","details":{"locale_id":[{"description":"Locale: 0 is not a locale","error":"InvalidValue"}]}}`},
		"UpdateManyDynamicContentVariants": {key: "variants", items: []string{`{"id":` + w.ids["dynamic_content_variant_id"] + `,"content":"c"}`, `{"id":404404,"content":"d"}`},
			status: 404, body: nothingThere},
		"BulkPermanentlyDeleteTickets": {items: both(w.ids["deleted_ticket"]), alone: true,
			results: `{"index":1,"id":404404,"action":"delete","status":"Failed","success":false,"error":"RecordNotFound","details":"deleted ticket 404404 not found"}`},
		"MarkManyTicketsAsSpam": {items: both(w.ids["spam"]), results: done("update", "Updated", w.ids["spam"]) + failed(noRecord, "update", "RecordNotFound", gone("ticket"))},
	}
	for op, record := range map[string][2]string{
		"BulkDeleteTickets": {"ticket_id", "ticket"}, "DestroyManyUsers": {"leaver", "user"}, "DeleteManyOrganizations": {"organization_id", "organization"},
		"DeleteManyOrganizationMemberships": {"organization_membership_id", "organization membership"},
		"GroupMembershipBulkDelete":         {"group_membership_id", "group membership"},
	} {
		id := w.ids[record[0]]
		calls[op] = bulkCall{items: both(id), results: done("delete", "Deleted", id) + failed(noRecord, "delete", "RecordNotFound", gone(record[1]))}
	}
	for op, change := range map[string][4]string{
		"TicketsUpdateMany": {"tickets", "ticket_id", `"priority":"high"`, "ticket"}, "UpdateManyUsers": {"users", "user_id", `"alias":"C"`, "user"},
		"UpdateManyOrganizations": {"organizations", "organization_id", `"notes":"x"`, "organization"},
	} {
		id := w.ids[change[1]]
		calls[op] = bulkCall{key: change[0], items: []string{`{"id":` + id + `,` + change[2] + `}`, `{"id":404404,` + change[2] + `}`},
			results: done("update", "Updated", id) + failed(noRecord, "update", "RecordNotFound", gone(change[3]))}
	}
	maps.Copy(calls, w.bulkCreates())
	for kind, ops := range map[string][2]string{
		"trigger": {"UpdateManyTriggers", "DeleteManyTriggers"}, "automation": {"UpdateManyAutomations", "BulkDeleteAutomations"},
		"view": {"UpdateManyViews", "BulkDeleteViews"}, "macro": {"UpdateManyMacros", "DeleteManyMacros"},
	} {
		id := w.ids[kind+"_id"]
		calls[ops[0]] = bulkCall{key: kind + "s", items: []string{`{"id":` + id + `,"position":7}`, `{"id":404404,"position":7}`}, status: 404, body: nothingThere,
			tooMany: fmt.Sprintf(`{"error":"BadRequest","description":"%s %s is named twice"}`, kind, id)} // it takes thousands
		calls[ops[1]] = bulkCall{items: both(id), status: 404, body: nothingThere}
	}
	return calls
}

const (
	nothingThere = `{"error":"RecordNotFound","description":"Not found"}`
	tooManyUsers = `{"error":"TooManyValues","description":"Maximum 100 users may be created per call"}`
)

func (w *world) bulkCreates() map[string]bulkCall {
	const short = "Name: is too short (minimum is 1 characters)" // of users
	ticket := fmt.Sprintf(`{"index":0,"id":NEW,"account_id":%d},`, w.account.ID)
	const created = `{"status":"Created","id":NEW},`
	return map[string]bulkCall{
		"TicketsCreateMany": {key: "tickets", items: []string{`{"subject":"A","comment":{"body":"a"}}`, `{"comment":{"body":"b"},"requester_id":404404}`},
			results: ticket + failed(0, "create", "RecordInvalid", "Requester: 404404 is invalid"), made: "/api/v2/tickets/NEW"},
		"TicketBulkImport": {key: "tickets", items: []string{`{"subject":"A","comments":[{"value":"a"}]}`, `{"comments":[{"value":"b"}],"requester_id":404404}`},
			results: ticket + failed(0, "import", "RecordInvalid", "Requester: 404404 is invalid"), made: "/api/v2/tickets/NEW"},
		"CreateManyUsers": {key: "users", items: []string{`{"name":"A","email":"many-a@x.example"}`, `{"name":""}`}, tooMany: tooManyUsers,
			results: `{"status":"Created","id":NEW,"email":"many-a@x.example"},` + failed(0, "create", "RecordInvalid", short), made: "/api/v2/users/NEW"},
		"CreateOrUpdateManyUsers": {key: "users", items: []string{`{"name":"B","external_id":"many-b"}`, `{"name":""}`}, tooMany: tooManyUsers,
			results: `{"status":"Created","id":NEW,"external_id":"many-b"},` + failed(0, "create_or_update", "RecordInvalid", short), made: "/api/v2/users/NEW"},
		"CreateManyOrganizations": {key: "organizations", items: []string{`{"name":"Many A"}`, `{"name":""}`}, results: created + failed(0, "create", "RecordInvalid", "Name: cannot be blank"), made: "/api/v2/organizations/NEW"},
		"CreateManyOrganizationMemberships": {key: "organization_memberships", items: []string{
			`{"user_id":` + w.ids["user_id"] + `,"organization_id":` + w.ids["new_organization"] + `}`, `{"user_id":404404,"organization_id":` + w.ids["new_organization"] + `}`},
			results: created + failed(0, "create", "RecordInvalid", "User: 404404 is not a user"), made: "/api/v2/organization_memberships/NEW"},
		"GroupMembershipBulkCreate": {key: "group_memberships", items: []string{
			`{"user_id":` + w.ids["agent_id"] + `,"group_id":` + w.ids["new_group"] + `}`, `{"user_id":404404,"group_id":` + w.ids["new_group"] + `}`},
			results: created + failed(0, "create", "RecordInvalid", "User: 404404 is not an agent"), made: "/api/v2/group_memberships/NEW"},
	}
}

// done is the result of the first item, a comma behind it.
func done(action, status string, id any) string {
	return fmt.Sprintf(`{"action":%q,"id":%v,"status":%q,"success":true},`, action, id, status)
}

// failed is the result of the second item; id 0 is none.
func failed(id int, action, kind, details string) string {
	named := ""
	if id != 0 {
		named = fmt.Sprintf(`"id":%d,`, id)
	}
	return fmt.Sprintf(`{%s"index":1,"action":%q,"status":"Failed","success":false,"error":%q,"details":%q}`, named, action, kind, details)
}

// spare makes records that operations on many may take away.
func (w *world) spare() {
	w.t.Helper()
	w.ids["leaver"] = fmt.Sprint(w.user("Leaver", w.email("leaver"), "end-user"))
	w.ids["new_organization"], w.ids["new_group"] = fmt.Sprint(w.organization("New")), fmt.Sprint(w.group("New"))
	w.ids["spam"] = fmt.Sprint(w.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x"}}`, w.user("Spammer", w.email("spam"), "end-user"))))
	w.ids["deleted_ticket"] = fmt.Sprint(w.ticket(`{"comment":{"body":"x"}}`))
	w.delete("/api/v2/tickets/" + w.ids["deleted_ticket"]).want(204)
}

// Every operation on many records takes a hundred at most and one at least,
// answers that its job is queued, and tells of each item what came of it.
func TestOperationsOnManyRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(newWorkingAPI(t, nil))
	w.spare()
	calls := w.bulkCalls()
	for _, op := range byHarm() {
		if !strings.Contains(op.Path, "_many") || op.Method == "GET" {
			continue
		}
		c, ok := calls[op.ID]
		if !ok {
			t.Errorf("%s: no call of it in bulkCalls", op.ID)
			continue
		}
		c.method, c.path = op.Method, w.path(op)
		t.Run(op.ID, func(t *testing.T) { c.try(t, w) })
		delete(calls, op.ID)
	}
	for id := range calls {
		t.Errorf("%s is no operation", id)
	}
}

func (c bulkCall) send(w *world, items ...string) *result {
	list := strings.Join(items, ",")
	if c.key == "" {
		return w.do(c.method, c.path+"?ids="+list, "")
	}
	return w.do(c.method, c.path, `{"`+c.key+`":[`+list+`]}`)
}

func (c bulkCall) try(t *testing.T, w *world) {
	t.Helper()
	a := *w.anAPI
	a.t = t
	world := *w
	w = &world
	w.anAPI = &a
	w.settle()
	before := w.rows()
	many := make([]string, 101)
	for i := range many {
		many[i] = c.items[0]
		if c.key == "" {
			many[i] = fmt.Sprint(i + 1)
		}
	}
	tooMany := c.tooMany
	if tooMany == "" {
		tooMany = `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`
	}
	c.send(w, many...).want(400).wantJSON("%s", tooMany)
	c.send(w).want(400)
	if tables := changed(before, w.rows()); len(tables) > 0 {
		t.Errorf("refused, and yet it wrote to %v", tables)
	}
	if c.results != "" {
		c.tryJob(w)
		return
	}
	r := c.send(w, c.items...).want(c.status)
	if c.body != "" {
		r.wantJSON("%s", c.body)
	}
	if tables := changed(before, w.rows()); c.status >= 400 && len(tables) > 0 {
		t.Errorf("refused for one of its items, and yet it wrote to %v", tables)
	}
}

func (c bulkCall) tryJob(w *world) {
	w.t.Helper()
	r := c.send(w, c.items...).want(200)
	total, results := "2", "["+c.results+"]"
	if c.alone {
		total, results = "null", c.results
	}
	id := r.member("job_status", "id")
	r.wantJSON(`{"job_status":{"id":%q,"url":"http://helpd.test/api/v2/job_statuses/%s.json","job_type":%q,"status":"queued",
		"total":%s,"progress":null,"message":null,"results":null}}`, id, id, r.member("job_status", "job_type"), total)
	end := r.jobDone(w.anAPI)
	if c.made != "" {
		id := fmt.Sprint(end.member("job_status", "results", 0, "id"))
		results = strings.ReplaceAll(results, "NEW", id)
		w.get(strings.ReplaceAll(c.made, "NEW", id)).want(200)
	}
	got, err := json.Marshal(end.member("job_status", "results"))
	if err != nil {
		w.t.Fatal(err)
	}
	if got, want := canonical(w.t, got), canonical(w.t, []byte(results)); got != want {
		w.t.Errorf("results:\n got %s\nwant %s", got, want)
	}
	if s := end.member("job_status", "status"); s != "completed" {
		w.t.Errorf("status %v", s)
	}
}

// settle waits for what is under way: some operations go on with what follows
// from them when their jobs have ended.
func (w *world) settle() {
	w.t.Helper()
	w.until("end of all jobs", func() bool {
		return w.number("SELECT count(*) FROM river_job WHERE state IN ('available', 'running', 'retryable', 'pending')") == 0
	})
}

// What is named twice in the URL is done once, and told once. Bodies are taken as
// they are: each of their records is a change of its own.
func TestARecordNamedTwiceIsChangedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(newWorkingAPI(t, nil))
	w.spare()
	external := func(kind string) string {
		name := "twice-" + kind
		w.post("/api/v2/"+kind+"s", fmt.Sprintf(`{%q:{"name":"Twice","external_id":%q}}`, kind, name)).want(201)
		return "external_ids=" + name + "," + name
	}
	twice := func(id string) string { return "ids=" + w.ids[id] + "," + w.ids[id] }
	for _, c := range []struct{ method, path, body, result string }{
		{"PUT", "tickets/update_many?" + twice("ticket_id"), `{"ticket":{"comment":{"body":"Once"}}}`, "Updated"},
		{"PUT", "tickets/mark_many_as_spam?" + twice("spam"), "", "Updated"},
		{"DELETE", "tickets/destroy_many?" + twice("ticket_id"), "", "Deleted"},
		{"DELETE", "deleted_tickets/destroy_many?" + twice("ticket_id"), "", ""},
		{"PUT", "users/update_many?" + twice("user_id"), `{"user":{"notes":"n"}}`, "Updated"},
		{"PUT", "users/update_many?" + external("user"), `{"user":{"notes":"n"}}`, "Updated"},
		{"DELETE", "users/destroy_many?" + twice("leaver"), "", "Deleted"},
		{"PUT", "organizations/update_many?" + twice("new_organization"), `{"organization":{"notes":"n"}}`, "Updated"},
		{"DELETE", "organizations/destroy_many?" + twice("new_organization"), "", "Deleted"},
		{"DELETE", "organizations/destroy_many?" + external("organization"), "", "Deleted"},
		{"DELETE", "organization_memberships/destroy_many?" + twice("organization_membership_id"), "", "Deleted"},
		{"DELETE", "group_memberships/destroy_many?" + twice("group_membership_id"), "", "Deleted"},
	} {
		done := w.do(c.method, "/api/v2/"+c.path, c.body).want(200).jobDone(w.anAPI)
		if n := w.number("SELECT count(*) FROM comments WHERE body = 'Once'"); strings.Contains(c.body, "Once") && n != 1 {
			t.Errorf("%d comments", n)
		}
		if results, ok := done.member("job_status", "results").([]any); ok && len(results) != 1 || ok && done.member("job_status", "results", 0, "status") != c.result {
			t.Errorf("%s: %s", c.path, done.body)
		} else if !ok && done.member("job_status", "results", "success") != true {
			t.Errorf("%s: %s", c.path, done.body)
		}
	}
	id := w.ids["deleted_ticket"]
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"PUT", "deleted_tickets/restore_many?ids=" + id + "," + id, 200},
		{"PUT", "suspended_tickets/recover_many?" + twice("suspended_ticket_id"), 200},
		{"DELETE", "suspended_tickets/destroy_many?" + twice("suspended_ticket_id"), 204},
		{"POST", "users/logout_many?" + twice("user_id"), 202},
		{"DELETE", "triggers/destroy_many?" + twice("trigger_id"), 204},
		{"DELETE", "automations/destroy_many?" + twice("automation_id"), 204},
		{"DELETE", "macros/destroy_many?" + twice("macro_id"), 204},
		{"DELETE", "views/destroy_many?" + twice("view_id"), 204},
	} {
		w.do(c.method, "/api/v2/"+c.path, "").want(c.status)
	}
	// One after the other, as they stand.
	done := w.put("/api/v2/tickets/update_many", fmt.Sprintf(`{"tickets":[{"id":%s,"comment":{"body":"1"}},{"id":%[1]s,"comment":{"body":"2"}}]}`, id)).want(200).jobDone(w.anAPI)
	if comments := w.get("/api/v2/tickets/" + id + "/comments").want(200).count("comments"); comments != 3 || done.member("job_status", "results", 1, "status") != "Updated" {
		t.Errorf("%d comments, %s", comments, done.body)
	}
	done = w.post("/api/v2/users/create_or_update_many", `{"users":[{"name":"A","email":"twice@x.example"},{"name":"B","email":"twice@x.example"}]}`).want(200).jobDone(w.anAPI)
	if done.member("job_status", "results", 0, "status") != "Created" || done.member("job_status", "results", 1, "status") != "Updated" ||
		done.member("job_status", "results", 0, "id") != done.member("job_status", "results", 1, "id") {
		t.Errorf("%s", done.body)
	}
}
