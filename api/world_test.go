package api_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/helpd/helpd/gen"
)

// world is an account with one record of each kind that operations name in
// their paths. Its texts hold a word by which they are known wherever they turn
// up.
type world struct {
	*anAPI
	secret  string // in every text
	private string // in the private comment, the note about the user and so on

	endUser, agent string // e-mail addresses
	ids            map[string]string
}

func newWorld(a *anAPI) *world {
	a.t.Helper()
	w := &world{anAPI: a, secret: "zqsecret" + strconv.FormatInt(a.account.ID, 10) + "zq", ids: map[string]string{}}
	w.private = w.secret + "private"
	w.endUser, w.agent = a.email("customer"+w.secret), a.email("agent"+w.secret)
	a.do("PUT", "/api/v2/account/settings", `{"settings":{"tickets":{"private_attachments":true}}}`).want(200)
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE brands SET name = ? WHERE account_id = ?", w.secret, a.account.ID).Error; err != nil {
		a.t.Fatal(err)
	}
	w.ids["brand_id"] = fmt.Sprint(a.get("/api/v2/brands").want(200).ids("brands")[0])
	w.people()
	w.audience()
	w.setUp()
	w.rules()
	w.tickets()
	w.satisfaction()
	w.suspended()
	w.helpCenter()
	w.ids["export_id"] = strconv.FormatInt(w.post("/api/v2/exports", `{"export":{"resources":["tickets"]}}`).want(202).id("export"), 10)
	return w
}

// made posts body with SECRET for the secret word, and notes the new record's id.
func (w *world) made(path, key, param, body string) string {
	w.t.Helper()
	body = strings.NewReplacer("SECRET", w.secret, "PRIVATE", w.private, "ENDUSER", w.endUser, "AGENT", w.agent).Replace(body)
	id := strconv.FormatInt(w.post(path, body).want(201).id(key), 10)
	if param != "" {
		w.ids[param] = id
	}
	return id
}

func (w *world) people() {
	w.t.Helper()
	org := w.made("/api/v2/organizations", "organization", "organization_id",
		`{"organization":{"name":"SECRET","external_id":"SECRET","notes":"PRIVATE","details":"SECRET","tags":["SECRET"]}}`)
	w.ids["user_id"] = w.made("/api/v2/users", "user", "", `{"user":{"name":"SECRET","email":"ENDUSER","external_id":"SECRET","verified":true,
		"notes":"PRIVATE","details":"SECRET","alias":"SECRET","phone":"+4915112345678","tags":["SECRET"],"organization_id":`+org+`}}`)
	w.ids["agent_id"] = w.made("/api/v2/users", "user", "", `{"user":{"name":"Agent SECRET","email":"AGENT","role":"agent","verified":true}}`)
	w.ids["user_identity_id"] = w.made("/api/v2/users/"+w.ids["user_id"]+"/identities", "identity", "",
		`{"identity":{"type":"email","value":"other-ENDUSER"}}`)
	w.ids["organization_membership_id"] = fmt.Sprint(w.get("/api/v2/organization_memberships").want(200).ids("organization_memberships")[0])
	w.ids["organization_subscription_id"] = strconv.FormatInt(w.post("/api/v2/organization_subscriptions",
		`{"organization_subscription":{"user_id":`+w.ids["user_id"]+`,"organization_id":`+org+`}}`).want(200).id("organization_subscription"), 10)
	into, from := w.made("/api/v2/organizations", "organization", "", `{"organization":{"name":"Winner SECRET"}}`),
		w.made("/api/v2/organizations", "organization", "", `{"organization":{"name":"Loser SECRET"}}`)
	w.ids["organization_merge_id"] = w.post("/api/v2/organizations/"+from+"/merge", `{"organization_merge":{"winner_id":`+into+`}}`).
		want(200).member("organization_merge", "id").(string)
	w.post("/api/v2/users/"+w.ids["user_id"]+"/password", `{"password":"`+w.secret+`password"}`).want(200)
	w.withPassword(w.endUser, w.secret+"password").get("/api/v2/users/me").want(200)
	w.ids["session_id"] = fmt.Sprint(w.get("/api/v2/users/" + w.ids["user_id"] + "/sessions").want(200).ids("sessions")[0])
	w.ids["deleted_user_id"] = w.made("/api/v2/users", "user", "", `{"user":{"name":"Gone SECRET","email":"gone-ENDUSER"}}`)
	w.delete("/api/v2/users/" + w.ids["deleted_user_id"]).want(200)
	w.made("/api/v2/groups", "group", "group_id", `{"group":{"name":"SECRET","description":"SECRET"}}`)
	w.made("/api/v2/group_memberships", "group_membership", "group_membership_id",
		`{"group_membership":{"user_id":`+w.ids["agent_id"]+`,"group_id":`+w.ids["group_id"]+`}}`)
}

func (w *world) audience() {
	w.t.Helper()
	segment := w.made("/api/v2/help_center/user_segments", "user_segment", "user_segment_id", `{"user_segment":{"name":"PRIVATE","user_type":"signed_in_users",
		"tags":["SECRET"],"or_tags":["SECRET"],"organization_ids":[`+w.ids["organization_id"]+`],"group_ids":[`+w.ids["group_id"]+`],"added_user_ids":[`+w.ids["user_id"]+`]}}`)
	w.made("/api/v2/guide/permission_groups", "permission_group", "permission_group_id", `{"permission_group":{"name":"PRIVATE","edit":[`+segment+`]}}`)
	w.ids["content_tag_id"] = w.post("/api/v2/guide/content_tags", `{"content_tag":{"name":"`+w.secret+`"}}`).want(201).member("content_tag", "id").(string)
}

func (w *world) setUp() {
	w.t.Helper()
	field := w.made("/api/v2/ticket_fields", "ticket_field", "ticket_field_id",
		`{"ticket_field":{"type":"tagger","title":"SECRET","custom_field_options":[{"name":"SECRET","value":"SECRET_o"}]}}`)
	w.ids["ticket_field_option_id"] = fmt.Sprint(w.get("/api/v2/ticket_fields/" + field + "/options").want(200).ids("custom_field_options")[0])
	for _, kind := range []string{"user", "organization"} {
		path := "/api/v2/" + kind + "_fields"
		field := w.made(path, kind+"_field", kind+"_field_id", `{"`+kind+`_field":{"type":"dropdown","key":"k_SECRET","title":"SECRET",
			"custom_field_options":[{"name":"SECRET","value":"SECRET_o"},{"name":"SECRET","value":"SECRET_p"}]}}`)
		w.ids[kind+"_field_option_id"] = fmt.Sprint(w.get(path + "/" + field + "/options").want(200).ids("custom_field_options")[0])
		w.put("/api/v2/"+kind+"s/"+w.ids[kind+"_id"], `{"`+kind+`":{"`+kind+`_fields":{"k_`+w.secret+`":"`+w.secret+`_o"}}}`).want(200)
	}
	const items = "/api/v2/dynamic_content/items"
	item := w.made(items, "item", "dynamic_content_item_id", `{"item":{"name":"SECRET","default_locale_id":1,"content":"SECRET"}}`)
	w.made(items+"/"+item+"/variants", "variant", "dynamic_content_variant_id", `{"variant":{"locale_id":8,"content":"SECRET"}}`)
	const schedules = "/api/v2/business_hours/schedules"
	schedule := w.made(schedules, "schedule", "schedule_id", `{"schedule":{"name":"SECRET","time_zone":"UTC"}}`)
	w.made(schedules+"/"+schedule+"/holidays", "holiday", "holiday_id", `{"holiday":{"name":"SECRET","start_date":"2026-03-01","end_date":"2026-03-02"}}`)
	w.made("/api/v2/slas/policies", "sla_policy", "sla_policy_id", `{"sla_policy":{"title":"SECRET","description":"SECRET","filter":{"all":[]}}}`)
	w.made("/api/v2/ticket_forms", "ticket_form", "ticket_form_id",
		`{"ticket_form":{"name":"SECRET","display_name":"SECRET","end_user_visible":true,"ticket_field_ids":[`+field+`]}}`)
	w.made("/api/v2/custom_statuses", "custom_status", "custom_status_id",
		`{"custom_status":{"status_category":"open","agent_label":"SECRET","end_user_label":"SECRET"}}`)
}

func (w *world) rules() {
	w.t.Helper()
	w.ids["trigger_category_id"] = w.post("/api/v2/trigger_categories", `{"trigger_category":{"name":"`+w.secret+`"}}`).want(201).member("trigger_category", "id").(string)
	trigger := w.made("/api/v2/triggers", "trigger", "trigger_id", `{"trigger":{"title":"SECRET","description":"SECRET",
		"conditions":{"all":[{"field":"current_tags","operator":"includes","value":"SECRET"}]},"actions":[{"field":"current_tags","value":"SECRET"}]}}`)
	w.ids["trigger_revision_id"] = fmt.Sprint(w.get("/api/v2/triggers/" + trigger + "/revisions").want(200).ids("trigger_revisions")[0])
	w.made("/api/v2/automations", "automation", "automation_id", `{"automation":{"title":"SECRET","actions":[{"field":"current_tags","value":"SECRET"}],
		"all":[{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"is","value":"96"},{"field":"current_tags","operator":"includes","value":"SECRET"}]}}`)
	w.ids["webhook_id"] = w.post("/api/v2/webhooks", `{"webhook":{"name":"`+w.secret+`","description":"`+w.secret+`","status":"active","endpoint":"https://hooks.invalid/`+w.secret+`",
		"http_method":"POST","request_format":"json","subscriptions":["zen:event-type:ticket.created"],"excluded_sources":["`+w.secret+`"],
		"authentication":{"type":"basic_auth","data":{"username":"`+w.secret+`","password":"`+w.secret+`"}}}}`).want(201).member("webhook", "id").(string)
	// What is delivered is not, in tests that run no dispatcher.
	w.ids["invocation_id"] = "01KJVKTCH0NHE7NMJY8285NEZZ"
	err := w.db.WithContext(w.ctx()).Exec(`INSERT INTO webhook_invocations (account_id, webhook_id, id, message_id, payload, status, tries)
		VALUES (?, ?, ?, ?, ?, 'inactive', 0)`, w.account.ID, w.ids["webhook_id"], w.ids["invocation_id"], w.ids["invocation_id"], w.secret).Error
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.db.WithContext(w.ctx()).Exec(`INSERT INTO webhook_attempts (account_id, webhook_id, invocation_id, id, status, request_headers, response_headers, response_payload, completed_at)
		VALUES (?, ?, ?, ?, 'failed', '[]', '[]', ?, ?)`, w.account.ID, w.ids["webhook_id"], w.ids["invocation_id"], w.ids["invocation_id"], w.secret, theClock).Error
	if err != nil {
		w.t.Fatal(err)
	}
	// Agents may change what is their own.
	own := *w
	own.anAPI = w.as(w.agent)
	own.made("/api/v2/views", "view", "view_id", `{"view":{"title":"SECRET","description":"SECRET",
		"all":[{"field":"status","operator":"is","value":"open"},{"field":"current_tags","operator":"includes","value":"SECRET"}]}}`)
	macro := own.made("/api/v2/macros", "macro", "macro_id", `{"macro":{"title":"SECRET::SECRET","description":"SECRET","actions":[{"field":"current_tags","value":"SECRET"}]}}`)
	body, form := form(nil, w.secret+".txt", "text/plain", w.secret)
	w.ids["macro_attachment_id"] = strconv.FormatInt(own.with("Content-Type", form).post("/api/v2/macros/"+macro+"/attachments", body).want(201).id("macro_attachment"), 10)
}

func (w *world) tickets() {
	w.t.Helper()
	attached := w.upload("filename="+w.secret+".txt", "text/plain", w.secret)
	w.ids["token"] = w.upload("filename="+w.secret+".txt", "text/plain", w.secret).Upload.Token
	ticket := w.made("/api/v2/tickets", "ticket", "ticket_id", `{"ticket":{"subject":"SECRET","external_id":"SECRET","tags":["SECRET"],
		"requester_id":`+w.ids["user_id"]+`,"assignee_id":`+w.ids["agent_id"]+`,"group_id":`+w.ids["group_id"]+`,
		"comment":{"body":"SECRET","uploads":["`+attached.Upload.Token+`"]},"custom_fields":[{"id":`+w.ids["ticket_field_id"]+`,"value":"SECRET_o"}]}}`)
	path := "/api/v2/tickets/" + ticket
	w.put(path, `{"ticket":{"comment":{"body":"`+w.private+`","public":false}}}`).want(200)
	w.ids["attachment_id"] = strconv.FormatInt(attached.Upload.Attachment.ID, 10)
	w.ids["ticket_comment_id"] = fmt.Sprint(w.get(path + "/comments").want(200).ids("comments")[0])
	w.ids["ticket_audit_id"] = fmt.Sprint(w.get(path + "/audits").want(200).ids("audits")[0])
	w.ids["ticket_metric_id"] = strconv.FormatInt(w.get(path+"/metrics").want(200).id("ticket_metric"), 10)
	w.post("/api/v2/skips", `{"skip":{"ticket_id":`+ticket+`,"reason":"`+w.secret+`"}}`).want(201)
	job := w.put("/api/v2/tickets/update_many?ids="+ticket, `{"ticket":{"subject":"`+w.secret+`"}}`).want(200)
	w.ids["job_status_id"] = job.member("job_status", "id").(string)
}

// helpCenter has a draft in a section that everybody may see.
func (w *world) helpCenter() {
	w.t.Helper()
	w.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,67]}}}`).want(200)
	category := w.made("/api/v2/help_center/en-us/categories", "category", "category_id", `{"category":{"name":"SECRET","description":"SECRET"}}`)
	section := w.made("/api/v2/help_center/en-us/categories/"+category+"/sections", "section", "section_id", `{"section":{"name":"SECRET","description":"SECRET"}}`)
	// Of articles here all agents are writers.
	w.put("/api/v2/help_center/sections/"+section+"/access_policy", `{"access_policy":{"manageable_by":"staff"}}`).want(200)
	article := w.made("/api/v2/help_center/en-us/sections/"+section+"/articles", "article", "article_id",
		`{"article":{"title":"SECRET","body":"SECRET","label_names":["SECRET"],"translations":[{"locale":"ja","title":"PRIVATE","body":"PRIVATE","draft":true}]}}`)
	for _, inline := range []string{"true", "false"} {
		body, kind := form([][2]string{{"inline", inline}}, "of-"+w.secret+".txt", "text/plain", w.secret)
		w.ids["article_attachment_id"] = strconv.FormatInt(w.with("Content-Type", kind).post("/api/v2/help_center/articles/"+article+"/attachments", body).
			want(201).id("article_attachment"), 10)
	}
	w.ids["label_id"] = fmt.Sprint(w.get("/api/v2/help_center/articles/" + article + "/labels").want(200).ids("labels")[0])
	w.made("/api/v2/help_center/redirects", "redirect", "redirect_id", `{"redirect":{"path":"/SECRET","article_id":`+article+`}}`)
	w.ids["translation_id"] = fmt.Sprint(w.get("/api/v2/help_center/articles/" + article + "/translations?locales=ja").want(200).ids("translations")[0])
	w.made("/api/v2/help_center/articles/"+article+"/reviews", "review", "review_id", `{"review":{"locale":"ja","note":"PRIVATE"}}`)
	w.put("/api/v2/help_center/articles/"+article+"/verification", `{"verification":{"every_days":3650}}`).want(200)
	w.ids["revision_id"] = fmt.Sprint(w.get("/api/v2/help_center/articles/" + article + "/translations/en-us/revisions").want(200).ids("revisions")[0])
	// What the end user says there.
	own := *w
	own.anAPI = w.as(w.endUser)
	at := "/api/v2/help_center/en-us/articles/" + article
	own.made(at+"/comments", "comment", "comment_id", `{"comment":{"body":"SECRET"}}`)
	w.ids["vote_id"] = strconv.FormatInt(own.post(at+"/up", "").want(200).id("vote"), 10)
	own.made(at+"/subscriptions", "subscription", "subscription_id", `{"subscription":{"source_locale":"en-us"}}`)
	own.made("/api/v2/help_center/en-us/sections/"+section+"/subscriptions", "subscription", "section_subscription_id", `{"subscription":{"source_locale":"en-us"}}`)
	own.userImage(string(pictureOf(8, 8)))
	w.ids["user_subscription_id"] = strconv.FormatInt(w.as(w.agent).post("/api/v2/help_center/users/"+w.ids["user_id"]+"/user_subscriptions", "").want(201).id("user_subscription"), 10)
	w.ids["suggestion_token"], _ = own.post("/api/v2/help_center/en-us/suggestions", `{"suggestion":{"question":"`+w.secret+`"}}`).want(200).member("suggestions", 0, "token").(string)
}

// suspended has a suspended user ask, which becomes no ticket.
func (w *world) suspended() {
	w.t.Helper()
	user := w.made("/api/v2/users", "user", "", `{"user":{"name":"SECRET","email":"suspended-ENDUSER"}}`)
	w.put("/api/v2/users/"+user, `{"user":{"suspended":true}}`).want(200)
	w.ids["suspended_ticket_id"] = strconv.FormatInt(w.post("/api/v2/tickets", fmt.Sprintf(
		`{"ticket":{"subject":%q,"requester_id":%s,"comment":{"body":%q}}}`, w.private, user, w.private)).want(202).id("suspended_ticket"), 10)
}

// satisfaction has the customer vote on the ticket, which is open: he was asked.
func (w *world) satisfaction() {
	w.t.Helper()
	reason := w.made("/api/v2/satisfaction_reasons", "reason", "satisfaction_reason_id", `{"reason":{"value":"SECRET"}}`)
	code := w.get("/api/v2/satisfaction_reasons/"+reason).want(200).member("reason", "reason_code")
	path := "/api/v2/tickets/" + w.ids["ticket_id"]
	w.post(path+"/satisfaction_survey", "").want(200)
	vote := w.as(w.endUser).post(path+"/satisfaction_rating", fmt.Sprintf(
		`{"satisfaction_rating":{"score":"bad","comment":%q,"reason_code":%s}}`, w.secret, code)).want(200)
	w.ids["satisfaction_rating_id"] = strconv.FormatInt(vote.id("satisfaction_rating"), 10)
}

// path is the operation's with the world's ids in it. Parameters that it does
// not know fail the test: whoever brings a resource adds one to the world.
func (w *world) path(op gen.Operation) string {
	w.t.Helper()
	// With a language, which end users have to name.
	return fill(inLocale(op.Path), func(name string) string {
		id, ok := w.id(op, name)
		if !ok {
			w.t.Fatalf("%s: no record for {%s}: make one in newWorld", op.ID, name)
		}
		return url.PathEscape(id)
	})
}

func (w *world) id(op gen.Operation, name string) (string, bool) {
	switch {
	case name == "id" && strings.Contains(op.Path, "/group_memberships/"):
		name = "group_membership_id"
	case name == "id" && strings.Contains(op.Path, "/organization_memberships/"):
		name = "organization_membership_id"
	case name == "request_id":
		name = "ticket_id"
	case name == "token" && strings.Contains(op.Path, "/suggestions/"):
		name = "suggestion_token"
	case name == "id" && strings.Contains(op.Path, "/suspended_tickets"):
		name = "suspended_ticket_id"
	case name == "subscription_id" && strings.Contains(op.Path, "/sections/"):
		name = "section_subscription_id"
	case name == "rule_type":
		return "triggers", true
	case name == "incremental_resource":
		return "tickets", true
	case name == "translation_locale":
		return "en-us", true
	case name == "locale_id": // the same for every account
		return "1", true
	case name == "user_id" && strings.Contains(op.Path, "/group"):
		name = "agent_id"
	}
	id, ok := w.ids[name]
	return id, ok
}

// inLocale is a path of the help center with a language in it.
func inLocale(path string) string {
	return strings.Replace(path, "/help_center/", "/help_center/en-us/", 1)
}

// fill replaces each {parameter} of a path.
func fill(path string, value func(name string) string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parts[i] = value(strings.TrimSuffix(name, "}"))
		}
	}
	return strings.Join(parts, "/")
}

// rows is a fingerprint of each table's rows of the account.
func (a *anAPI) rows() map[string]string {
	a.t.Helper()
	a.numbered() // or what was written before would be numbered in between
	return a.fingerprint()
}

func (a *anAPI) fingerprint() map[string]string {
	a.t.Helper()
	tables, err := tenantTables(a)
	if err != nil {
		a.t.Fatal(err)
	}
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = fmt.Sprintf("SELECT '%s', count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM %s r WHERE account_id = %d", table, table, a.account.ID)
	}
	out := make(map[string]string, len(tables))
	rows, err := a.db.WithContext(a.ctx()).Raw(strings.Join(parts, " UNION ALL ")).Rows()
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, sum string
		if err := rows.Scan(&table, &sum); err != nil {
			a.t.Fatal(err)
		}
		out[table] = sum
	}
	return out
}

var (
	tablesOnce sync.Once
	tablesOf   []string
	tablesErr  error
)

func tenantTables(a *anAPI) ([]string, error) {
	tablesOnce.Do(func() {
		tablesErr = a.db.WithContext(a.ctx()).Raw(`SELECT DISTINCT c.table_name FROM information_schema.columns c
			WHERE c.table_schema = 'public' AND c.column_name = 'account_id' ORDER BY 1`).Scan(&tablesOf).Error
	})
	return tablesOf, tablesErr
}

// changed names the tables whose rows are not as they were.
func changed(before, after map[string]string) (tables []string) {
	for table := range before {
		if before[table] != after[table] {
			tables = append(tables, table)
		}
	}
	return tables
}

var theSpec = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile("../openapi.yaml")
})

// specified is an operation as openapi.yaml has it.
func specified(t *testing.T, op gen.Operation) (*openapi3.Operation, openapi3.Parameters) {
	t.Helper()
	doc, err := theSpec()
	if err != nil {
		t.Fatal(err)
	}
	item := doc.Paths.Value(op.Path)
	o := item.GetOperation(op.Method)
	return o, append(append(openapi3.Parameters{}, item.Parameters...), o.Parameters...)
}

// bodySchema is that of an operation's JSON body; nil for none.
func bodySchema(o *openapi3.Operation) *openapi3.Schema {
	if o.RequestBody == nil {
		return nil
	}
	if media := o.RequestBody.Value.Content.Get("application/json"); media != nil && media.Schema != nil {
		return media.Schema.Value
	}
	return nil
}
