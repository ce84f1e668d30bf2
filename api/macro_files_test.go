package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const macrosPath = "/api/v2/macros"

// send posts a file in a form.
func (a *anAPI) send(path, name, content string) *result {
	a.t.Helper()
	body, kind := form([][2]string{{"filename", name}}, "form.txt", "text/plain", content)
	return a.with("Content-Type", kind).post(path, body)
}

func TestMacroAttachments(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[3]
	macro := fmt.Sprintf("%s/%d", macrosPath, k.rule(a, "m", ""))
	files := macro + "/attachments"
	a.get(files).want(200).wantJSON(`{"macro_attachments":[]}`)
	r := a.send(files, "terms.txt", "Our terms").want(201)
	id := r.id("macro_attachment")
	url := r.member("macro_attachment", "content_url").(string)
	r.wantJSON(`{"macro_attachment":{"id":%d,"filename":"terms.txt","content_type":"text/plain","content_url":%q,"size":9,"created_at":%q}}`, id, url, clockText)
	one := fmt.Sprintf("%s/attachments/%d", macrosPath, id)
	a.get(one).want(200).wantJSON("%s", r.body)
	a.get(files).want(200).wantJSON(`{"macro_attachments":[%s]}`, strings.TrimSuffix(strings.TrimPrefix(string(r.body), `{"macro_attachment":`), "}\n"))
	if got := a.download("GET", url); got.Code != 200 || got.Body.String() != "Our terms" {
		t.Errorf("the file is %d %s", got.Code, got.Body)
	}
	// Files wait for their macro, which takes those that its caller sent.
	a.user("Ann", a.email("ann"), "agent")
	ann := a.as(a.email("ann"))
	waits := a.send(macrosPath+"/attachments", "more.txt", "more").want(201).id("macro_attachment")
	a.get(fmt.Sprintf("%s/attachments/%d", macrosPath, waits)).want(200)
	ann.get(fmt.Sprintf("%s/attachments/%d", macrosPath, waits)).wantMissing()
	ann.post(macrosPath, k.body("x", fmt.Sprintf(`,"attachments":[%d]`, waits))).wantDetail("attachments", fmt.Sprintf("Attachments: %d is not a file that you have uploaded", waits))
	other := fmt.Sprintf("%s/%d/attachments", macrosPath, k.rule(a, "n", fmt.Sprintf(`,"attachments":[%d,"%[1]d"]`, waits)))
	if got := a.get(other).want(200).ids("macro_attachments"); !slices.Equal(got, []int64{waits}) {
		t.Errorf("files %v", got)
	}
	a.post(macrosPath, k.body("x", fmt.Sprintf(`,"attachments":[%d]`, waits))).want(422) // it is taken
	// They go when they are left out, and with the macro.
	for n := range 4 {
		a.send(files, fmt.Sprintf("%d.txt", n), "x").want(201)
	}
	received := func() int { return a.number("SELECT count(*) FROM attachments WHERE account_id = ?", a.account.ID) }
	before := received()
	a.send(files, "6.txt", "x").wantDetail("attachments", "Attachments: may be no more than 5")
	if n := received(); n != before {
		t.Errorf("a file without room is kept: %d, were %d", n, before)
	}
	a.put(macro, fmt.Sprintf(`{"macro":{"attachments":[%d]}}`, id)).want(200)
	if got := a.get(files).want(200).ids("macro_attachments"); !slices.Equal(got, []int64{id}) {
		t.Errorf("files %v", got)
	}
	a.put(macro, `{"macro":{"title":"m2"}}`).want(200)
	a.get(one).want(200)
	a.delete(macro).want(204)
	a.get(one).wantMissing()
	a.get(files).wantMissing()
	if got := a.download("GET", url); got.Code != http.StatusNotFound {
		t.Errorf("the file of a macro that is gone: %d", got.Code)
	}
	if n := a.number("SELECT count(*) FROM blob_removals WHERE account_id = ? AND doomed", a.account.ID); n < 5 {
		t.Errorf("%d files are to be removed", n)
	}
}

func TestMacroAttachmentsAreSeenAsTheirMacro(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[3]
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"private_attachments":true}}}`).want(200)
	a.user("Ann", a.email("ann"), "agent")
	a.user("Ben", a.email("ben"), "agent")
	a.user("Eve", a.email("eve"), "end-user")
	ann, ben, eve := a.as(a.email("ann")), a.as(a.email("ben")), a.as(a.email("eve"))
	path := fmt.Sprintf("%s/%d/attachments", macrosPath, k.rule(ann, "own", ""))
	r := ann.send(path, "a.txt", "x").want(201)
	file := fmt.Sprintf("/attachments/%d", r.id("macro_attachment"))
	url := r.member("macro_attachment", "content_url").(string)
	for by, status := range map[*anAPI]int{ann: 200, a: 200, ben: 404, eve: 403} {
		by.get(macrosPath + file).want(status)
		by.get(path).want(status)
		if got := by.download("GET", url, "Authorization", by.header.Get("Authorization")).Code; status != 403 && got != status || status == 403 && got != 404 {
			t.Errorf("downloaded with %d, want %d", got, status)
		}
	}
	ben.send(path, "b.txt", "x").wantMissing()
	shared := fmt.Sprintf("%s/%d/attachments", macrosPath, k.rule(a, "all", ""))
	ben.send(shared, "b.txt", "x").wantForbidden()
	eve.send(shared, "b.txt", "x").wantForbidden()
	a.another().send(shared, "b.txt", "x").wantMissing()
	a.post(shared, `{"attachment":"x"}`).wantError(400, "BadRequest")
	body, kind := form(nil, "", "", "")
	a.with("Content-Type", kind).post(shared, body).wantError(400, "BadRequest")
	ticket := a.ticket(`{"comment":{"body":"B","uploads":["` + a.upload("filename=t.txt", "text/plain", "t").Upload.Token + `"]}}`)
	of := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", ticket)).want(200).member("comments", 0, "attachments", 0, "id")
	a.get(fmt.Sprintf("%s/attachments/%v", macrosPath, of)).wantMissing()
}

func TestMacrosToBeginWith(t *testing.T) {
	t.Parallel()
	a, k := newAPI(t), ruleKinds[3]
	id := k.rule(a, "Reset::Password", `,"description":"D","restriction":{"type":"User"}`)
	a.get(fmt.Sprintf("%s/new?macro_id=%d", macrosPath, id)).want(200).wantJSON(`{"macro":{"title":"Reset::Password","raw_title":"Reset::Password","active":true,"description":"D",
		"actions":[{"field":"current_tags","value":"Reset::Password"}],"restriction":{"type":"User","id":%d}}}`, a.admin.ID)
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"integer","title":"N"}}`).want(201).id("ticket_field")
	eve := a.user("Eve", a.email("eve"), "end-user")
	form := a.get("/api/v2/ticket_forms").want(200).ids("ticket_forms")[0]
	ticket := a.ticket(fmt.Sprintf(`{"subject":"S","requester_id":%d,"status":"pending","type":"task","priority":"high","tags":["a","b"],"custom_fields":[{"id":%d,"value":7}],
		"assignee_id":%d,"comment":{"body":"Help me"}}`, eve, field, a.admin.ID))
	path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
	a.put(path, `{"ticket":{"comment":{"body":"Try again."}}}`).want(200)
	a.put(path, `{"ticket":{"comment":{"body":"Strange.","public":false}}}`).want(200)
	a.put(path, fmt.Sprintf(`{"ticket":{"comment":{"body":"It fails.","author_id":%d}}}`, eve)).want(200)
	shown := a.get(fmt.Sprintf("%s/new?ticket_id=%d", macrosPath, ticket)).want(200)
	status := a.get(path).want(200).member("ticket", "status")
	shown.wantJSON(`{"macro":{"title":"S","raw_title":"S","active":true,"description":null,"restriction":null,"actions":[{"field":"status","value":%q},{"field":"type","value":"task"},
		{"field":"priority","value":"high"},{"field":"group_id","value":"%d"},{"field":"assignee_id","value":"%d"},{"field":"ticket_form_id","value":"%d"},
		{"field":"current_tags","value":"a b"},{"field":"custom_fields_%d","value":"7"},{"field":"comment_value","value":"Try again."}]}}`,
		status, *a.admin.DefaultGroupID, a.admin.ID, form, field)
	a.post(macrosPath, string(shown.body)).want(201)
	if n := len(a.get(macrosPath).want(200).ids("macros")); n != 2 {
		t.Errorf("%d macros", n)
	}
	a.get(macrosPath+"/new").wantError(400, "BadRequest")
	a.get(macrosPath + "/new?macro_id=404404").wantMissing()
	a.get(macrosPath + "/new?ticket_id=404404").wantMissing()
	a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"R","email":%q,"role":"agent","verified":true,"ticket_restriction":"assigned"}}`, a.email("r"))).want(201)
	a.as(a.email("r")).get(fmt.Sprintf("%s/new?ticket_id=%d", macrosPath, ticket)).wantMissing()
}

func TestRulesOfAnyKindAreSearched(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, k := range ruleKinds {
		id := k.rule(a, "Find me", "")
		k.rule(a, "Other", "")
		r := a.get("/api/v2/rules/" + k.one + "s/search?query=find").want(200)
		if got := r.ids(k.one + "s"); !slices.Equal(got, []int64{id}) || r.member("count") != json.Number("1") {
			t.Errorf("%s: %.300s", k.one, r.body)
		}
	}
	a.get("/api/v2/rules/trigger/search?query=find").wantMissing()
	a.get("/api/v2/rules/wishes/search?query=find").wantMissing()
}
