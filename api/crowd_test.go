package api_test

import (
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/helpd/helpd/gen"
)

// crowd is a world that has n and more records in each of its lists.
type crowd struct {
	*world
	n int
}

// copies are rows to add to a table: those of the world's that where finds, n-1
// times over, with the members of set in place of theirs. In both, {user_id} is
// that id of the world, {g} the number of the copy, from 1, {k} what to add
// to an id to have that of the copy, and {m} that of a second copy.
type copies struct{ table, where, set string }

// Copies of the records of a world. What is listed under one record, such as an
// organization's users, belongs to that of the world; whatever else a copy
// names is a copy, too, so that each row of a list brings others along.
var peopleAndSettings = []copies{
	{"organizations", "id = {organization_id}", "'id', r.id + {k}, 'name', r.name || {g}, 'external_id', r.external_id || {g}"},
	{"groups", "id = {group_id}", "'id', r.id + {k}, 'name', r.name || {g}"},
	{"users", "id IN ({user_id}, {agent_id})", `'id', r.id + {k}, 'email', {g} || r.email, 'external_id', r.external_id || {g},
		'organization_id', r.organization_id + {k}, 'default_group_id', r.default_group_id + {k}`},
	{"users", "id = {deleted_user_id}", "'id', r.id + {k}"},
	{"user_identities", `user_id IN ({user_id}, {agent_id}) AND "primary"`, "'id', r.id + {k}, 'user_id', r.user_id + {k}, 'value', {g} || r.value"},
	{"user_identities", "id = {user_identity_id}", "'id', r.id + {k}, 'value', {g} || r.value"},
	{"organization_memberships", "id = {organization_membership_id}", "'id', r.id + {k}, 'organization_id', r.organization_id + {k}, 'default', false"},
	{"organization_memberships", "id = {organization_membership_id}", "'id', r.id + {m}, 'user_id', r.user_id + {k}, 'default', false"},
	{"organization_subscriptions", "id = {organization_subscription_id}", "'id', r.id + {k}, 'organization_id', r.organization_id + {k}"},
	{"organization_subscriptions", "id = {organization_subscription_id}", "'id', r.id + {m}, 'user_id', r.user_id + {k}"},
	{"group_memberships", "id = {group_membership_id}", "'id', r.id + {k}, 'group_id', r.group_id + {k}, 'default', false"},
	{"group_memberships", "id = {group_membership_id}", "'id', r.id + {m}, 'user_id', r.user_id + {k}, 'default', false"},
	{"sessions", "id = {session_id}", "'id', r.id + {k}"},
	{"brands", "id = {brand_id}", "'id', r.id + {k}, 'subdomain', r.subdomain || 'x' || {g}, 'default', false"},
	{"fields", "id = {ticket_field_id}", "'id', r.id + {k}, 'creator_user_id', {agent_id} + {k}"},
	{"fields", "id IN ({user_field_id}, {organization_field_id})", "'id', r.id + {k}, 'key', r.key || {g}"},
	{"field_options", "field_id IN ({ticket_field_id}, {user_field_id}, {organization_field_id})", "'id', r.id + {k}, 'value', r.value || {g}"},
	{"field_options", "id IN ({ticket_field_option_id}, {user_field_option_id}, {organization_field_option_id})",
		"'id', r.id + {m}, 'field_id', r.field_id + {k}, 'value', r.value || '_' || {g}"},
	{"ticket_forms", "id = {ticket_form_id}", "'id', r.id + {k}, 'default', false, 'ticket_field_ids', ARRAY[{ticket_field_id} + {k}]"},
	{"custom_statuses", "id = {custom_status_id}", "'id', r.id + {k}, 'default', false"},
	{"dynamic_content_items", "id = {dynamic_content_item_id}", "'id', r.id + {k}, 'key', r.key || {g}"},
	{"dynamic_content_variants", `item_id = {dynamic_content_item_id} AND "default"`, "'id', r.id + {k}, 'item_id', r.item_id + {k}"},
	{"schedules", "id = {schedule_id}", "'id', r.id + {k}, 'name', r.name || {g}"},
	{"holidays", "id = {holiday_id}", "'id', r.id + {k}, 'start_date', r.start_date - ({g} % 2)::int"},
	{"trigger_categories", "id = {trigger_category_id}", "'id', r.id + {k}, 'name', r.name || {g}"},
	{"trigger_revisions", "id = {trigger_revision_id}", "'id', r.id + {k}, 'author_id', {agent_id} + {k}, 'created_at', r.created_at - ({g} % 3) * interval '1 hour'"},
	{"sla_policies", "id = {sla_policy_id}", "'id', r.id + {k}"},
	{"rules", "id IN ({trigger_id}, {automation_id}, {view_id}, {macro_id})", `'id', r.id + {k}, 'title', {g} || r.title, 'position', r.position + {g} % 3,
		'created_at', r.created_at - ({g} % 3) * interval '1 hour'`},
	{"attachments", "id = {macro_attachment_id}", "'id', r.id + {k}, 'token', r.token || {g}"},
	{"satisfaction_reasons", "id = {satisfaction_reason_id}", "'id', r.id + {k}, 'reason_code', r.reason_code + {g}"},
	{"suspended_tickets", "id = {suspended_ticket_id}", "'id', r.id + {k}, 'author_id', {user_id} + {k}"},
	{"attachments", "suspended_ticket_id = {suspended_ticket_id}", "'id', r.id + {k}, 'suspended_ticket_id', r.suspended_ticket_id + {k}, 'token', r.token || {g}"},
	{"job_statuses", "id = '{job_status_id}'", "'id', 'V3-' || md5(r.id || {g}), 'status', 'completed', 'user_id', {agent_id} + {k}"},
	{"webhooks", "id = '{webhook_id}'", "'id', left(r.id, 20) || to_hex({g}), 'name', {g} || r.name"},
	{"webhook_invocations", "id = '{invocation_id}'", "'id', left(r.id, 20) || to_hex({g})"},
	{"webhook_attempts", "invocation_id = '{invocation_id}'", "'id', left(r.id, 20) || to_hex({g})"},
	{"exports", "id = {export_id}", "'id', r.id + {k}, 'token', r.token || {g}"},
	{"categories", "id = {category_id}", "'id', r.id + {k}, 'position', r.position + {g} % 3"},
	{"sections", "id = {section_id}", "'id', r.id + {k}, 'position', r.position + {g} % 3"},
	{"articles", "id = {article_id}", "'id', r.id + {k}, 'position', r.position + {g} % 3, 'external_id', r.external_id || '-' || {g}"},
	{"translations", "locale = 'en-us'", "'id', r.id + {k}, 'source_id', r.source_id + {k}"},
	{"translations", "locale = 'en-us' AND source_id IN ({category_id}, {section_id}, {article_id})", "'id', r.id + {m}, 'locale', 'x-' || {g}"},
	{"attachments", "article_id = {article_id}", "'id', r.id + {k}, 'token', r.token || {g}"},
	{"labels", "id = {label_id}", "'id', r.id + {k}, 'name', r.name || {g}"},
	{"user_segments", "id = {user_segment_id}", "'id', r.id + {k}"},
	{"permission_groups", "id = {permission_group_id}", "'id', r.id + {k}, 'name', r.name || {g}"},
	{"content_tags", "id = '{content_tag_id}'", "'id', left(r.id, 20) || to_hex({g}), 'name', r.name || {g}"},
	{"article_comments", "id = {comment_id}", "'id', r.id + {k}"},
	{"votes", "id = {vote_id}", "'id', r.id + {k}, 'user_id', {agent_id} + {k}"},
	{"votes", "id = {vote_id}", "'id', r.id + {m}, 'item_id', r.item_id + {k}"},
	{"votes", "id = {vote_id}", "'id', 2 * r.id + {m}, 'item_type', 'Comment', 'item_id', {comment_id}, 'user_id', {agent_id} + {k}"},
	{"content_subscriptions", "id IN ({subscription_id}, {section_subscription_id})", "'id', r.id + {k}, 'user_id', {agent_id} + {k}"},
	{"content_subscriptions", "id IN ({subscription_id}, {section_subscription_id})", "'id', r.id + {m}, 'content_id', r.content_id + {k}"},
	{"user_subscriptions", "id = {user_subscription_id}", "'id', r.id + {k}, 'follower_id', r.follower_id + {k}"},
	{"article_reviews", "id = {review_id}", "'id', r.id + {k}, 'status', 'withdrawn'"},
	{"article_verifications", "article_id = {article_id}", "'article_id', r.article_id + {k}"},
	{"translation_revisions", "id = {revision_id}", "'id', r.id + {k}"},
	{"deflections", "article_id = {article_id}", "'id', r.id + {k}, 'article_id', r.article_id + {k}"},
	{"redirects", "id = {redirect_id}", "'id', r.id + {k}, 'path', r.path || {g}"},
	{"organization_merges", "id = '{organization_merge_id}'", "'id', left(r.id, 20) || to_hex({g})"},
}

// Kinds of tickets, of each of which there are n copies, {g} from 0.
var ticketKinds = []string{
	`'type', 'problem', 'requester_id', {user_id} + {k}, 'assignee_id', {agent_id} + {k}, 'group_id', {group_id} + {k}, 'organization_id', {organization_id} + {k},
		'brand_id', {brand_id} + {k}, 'ticket_form_id', {ticket_form_id} + {k}, 'email_cc_ids', ARRAY[{user_id}], 'follower_ids', ARRAY[{agent_id}]`,
	`'type', 'incident', 'problem_id', {ticket_id}, 'submitter_id', {agent_id} + {k}, 'email_cc_ids', ARRAY[{user_id} + {k}]`,
	`'status', 'solved', 'organization_id', {organization_id} + {k}`,
	`'status', 'hold'`,
	`'deleted_at', r.created_at, 'deleted_by', {agent_id} + {k}, 'requester_id', {user_id} + {k}`,
}

// What belongs to each copied ticket. {t} is what to add to the ticket's
// number and {i} to the ids of what it has.
var partsOfTickets = []copies{
	{"ticket_metrics", "ticket_id = {ticket_id}", "'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}"},
	{"ticket_metric_events", "ticket_id = {ticket_id}", "'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}"},
	{"audits", "ticket_id = {ticket_id}", "'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}, 'author_id', {user_id} + {k}"},
	{"comments", "ticket_id = {ticket_id}", "'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}, 'audit_id', r.audit_id + {i}, 'author_id', {user_id} + {k}"},
	{"attachments", "ticket_id = {ticket_id}", "'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}, 'comment_id', r.comment_id + {i}, 'token', r.token || ({i})"},
	{"satisfaction_ratings", "ticket_id = {ticket_id}", `'id', r.id + {i}, 'ticket_id', r.ticket_id + {t}, 'requester_id', r.requester_id + {k},
		'assignee_id', r.assignee_id + {k}, 'group_id', r.group_id + {k}, 'reason_id', r.reason_id + {k}`},
}

// What the world's own ticket gets more of.
var ticketHistory = []copies{
	{"audits", "id = {ticket_audit_id}", "'id', r.id + {k}, 'author_id', {user_id} + {k}, 'events', replace(r.events::text, '{ticket_comment_id}', ({ticket_comment_id} + {k})::text)::json"},
	{"comments", "id = {ticket_comment_id}", "'id', r.id + {k}, 'audit_id', r.audit_id + {k}, 'author_id', {user_id} + {k}"},
	{"attachments", "id = {attachment_id}", "'id', r.id + {k}, 'comment_id', r.comment_id + {k}, 'token', r.token || {g}"},
	{"skips", "ticket_id = {ticket_id}", "'id', r.id + {k}, 'user_id', {agent_id} + {k}"},
	{"skips", "ticket_id = {ticket_id} AND user_id = {admin_id}", "'id', r.id + {m}, 'ticket_id', r.ticket_id + 1000 * (1 + {g})"},
}

func newCrowd(a *anAPI, n int) crowd {
	a.t.Helper()
	c := crowd{newWorld(a), n}
	c.ids["secret"] = c.secret
	c.complete()
	for _, rows := range peopleAndSettings {
		c.add(rows)
	}
	for kind, set := range ticketKinds {
		c.addTickets(kind, set)
	}
	for _, rows := range ticketHistory {
		c.add(rows)
	}
	c.more()
	return c
}

// complete gives the world's records what brings others along where a list has
// them first.
func (c crowd) complete() {
	c.t.Helper()
	file := c.upload("filename=log.txt", "text/plain", "x").Upload.Token
	c.put("/api/v2/tickets/"+c.ids["ticket_id"], `{"ticket":{"comment":{"body":"We look at it.","uploads":["`+file+`"]}}}`).want(200)
	c.exec(`UPDATE tickets SET type = 'problem', ticket_form_id = {ticket_form_id} WHERE account_id = {account_id} AND id = {ticket_id}`)
	c.exec(`UPDATE users SET organization_id = {organization_id} WHERE account_id = {account_id} AND organization_id IS NULL`)
	c.exec(`UPDATE organization_merges SET winner_id = {organization_id} WHERE account_id = {account_id}`)
	c.exec(`UPDATE fields SET creator_user_id = {agent_id} WHERE account_id = {account_id} AND creator_user_id IS NULL`)
	c.exec(`UPDATE articles SET author_id = {user_id} WHERE account_id = {account_id}`)
	c.exec(`UPDATE sections SET user_segment_id = {user_segment_id} WHERE account_id = {account_id}`)
	c.exec(`UPDATE article_verifications SET due_at = '2026-01-01' WHERE account_id = {account_id}`)
	c.exec(`INSERT INTO votes (account_id, user_id, item_type, item_id, value, created_at, updated_at)
		SELECT account_id, user_id, 'Comment', {comment_id}, 1, created_at, updated_at FROM votes WHERE account_id = {account_id} AND id = {vote_id}`)
	c.exec(`UPDATE rules SET owner_id = NULL WHERE account_id = {account_id}`)
	c.exec(`UPDATE ticket_metric_events SET time = time - interval '1 hour' WHERE account_id = {account_id}`) // the newest are held back
}

// add makes copies.
func (c crowd) add(rows copies) {
	c.t.Helper()
	c.copy(rows, "generate_series(1, {n} - 1)", strings.NewReplacer())
}

func (c crowd) addTickets(kind int, set string) {
	c.t.Helper()
	added := strings.NewReplacer("{t}", fmt.Sprintf("1000 * (%d + {g})", 100*kind+1), "{i}", fmt.Sprintf("1000000000000 * (%d + {g})", 1000*(kind+1)))
	for _, rows := range append([]copies{{"tickets", "id = {ticket_id}", "'id', r.id + {t}, " + set}}, partsOfTickets...) {
		c.copy(rows, "generate_series(0, {n} - 1)", added)
	}
}

func (c crowd) copy(rows copies, numbers string, added *strings.Replacer) {
	c.t.Helper()
	// Without those that PostgreSQL makes of others.
	var columns []string
	err := c.db.WithContext(c.ctx()).Raw(`SELECT quote_ident(column_name) FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = ? AND is_generated = 'NEVER' ORDER BY ordinal_position`, rows.table).Scan(&columns).Error
	if err != nil {
		c.t.Fatal(err)
	}
	c.exec(`INSERT INTO ` + rows.table + ` (` + strings.Join(columns, ", ") + `) SELECT copy.` + strings.Join(columns, ", copy.") + ` FROM ` + rows.table + ` r CROSS JOIN ` + numbers + ` g
		CROSS JOIN LATERAL jsonb_populate_record(r, jsonb_build_object(` + added.Replace(rows.set) + `)) AS copy
		WHERE r.account_id = {account_id} AND ` + strings.ReplaceAll("r."+rows.where, "AND ", "AND r."))
}

// more is what is not copied.
func (c crowd) more() {
	c.t.Helper()
	c.exec(`INSERT INTO dynamic_content_variants (account_id, item_id, locale, content, active, "default", created_at, updated_at)
		SELECT {account_id}, {dynamic_content_item_id}, 'x-' || {g}, 'x', true, false, now(), now() FROM generate_series(1, {n} - 1) g`)
	people := func(id string) string {
		return "(SELECT array_agg(" + id + " + {k}) FROM generate_series(0, {n} - 1) g)"
	}
	c.exec(`UPDATE tickets SET email_cc_ids = ` + people("{user_id}") + `, follower_ids = ` + people("{agent_id}") + `,
		tags = (SELECT array_agg('{secret}' || {g}) FROM generate_series(0, {n} - 1) g) WHERE account_id = {account_id} AND id = {ticket_id}`)
	c.exec(`UPDATE users SET tags = (SELECT array_agg('{secret}' || {g}) FROM generate_series(0, {n} - 1) g) WHERE account_id = {account_id} AND id = {user_id}`)
	c.exec(`UPDATE organizations SET tags = (SELECT array_agg('{secret}' || {g}) FROM generate_series(0, {n} - 1) g) WHERE account_id = {account_id} AND id = {organization_id}`)
	c.exec(`UPDATE articles SET label_names = (SELECT array_agg(name) FROM labels WHERE account_id = {account_id}) WHERE account_id = {account_id} AND id = {article_id}`)
	c.exec(`INSERT INTO ticket_visits SELECT {account_id}, {admin_id}, id, now() FROM tickets WHERE account_id = {account_id} AND type = 'problem'
		ON CONFLICT DO NOTHING`)
	c.exec(`INSERT INTO help_center_queries (account_id, brand_id, day, locale, query, searches, empty, clicks, last_at)
		SELECT {account_id}, {brand_id}, '2026-03-04'::date, 'en-us', '{secret}' || {g}, 1, 1, 1, now() FROM generate_series(1, {n}) g`)
	c.exec(`INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'ticket', id FROM tickets WHERE account_id = {account_id}`)
	c.exec(`INSERT INTO tag_counts SELECT {account_id}, '{secret}_' || {g}, {g} FROM generate_series(1, {n}) g`)
	c.exec(`UPDATE accounts SET config_version = config_version + 1 WHERE id = {account_id}`) // is remembered
}

func (c crowd) exec(statement string) {
	c.t.Helper()
	values := []string{"{k}", "1000000000000 * {g}", "{m}", "1000000000000 * (500 + {g})", "{n}", strconv.Itoa(c.n), "{account_id}", fmt.Sprint(c.account.ID), "{admin_id}", fmt.Sprint(c.admin.ID)}
	for name, id := range c.ids {
		values = append(values, "{"+name+"}", id)
	}
	statement = strings.NewReplacer(values...).Replace(statement)
	statement = strings.ReplaceAll(statement, "{g}", "g.g")
	if err := c.db.WithContext(c.ctx()).Exec(statement).Error; err != nil {
		c.t.Fatalf("%v: %s", err, statement)
	}
}

// listed is an operation that answers with a list.
type listed struct {
	gen.Operation
	key   string // of the list in the answer
	paged bool
}

// lists are all operations of the contract that read a list.
func (c crowd) lists() (all []listed) {
	c.t.Helper()
	for _, op := range gen.Operations {
		o, _ := specified(c.t, op)
		paged := o.Extensions["x-paged"] == true
		if op.Method != "GET" && !paged {
			continue
		}
		if key := listKey(o); key != "" {
			all = append(all, listed{op, key, paged})
		}
	}
	return all
}

// listKey is the member of an operation's answer that is its list, or nothing
// if it answers with a record and lists what belongs to that.
func listKey(o *openapi3.Operation) string {
	ok := o.Responses.Status(200)
	if ok == nil || ok.Value.Content.Get("application/json") == nil {
		return ""
	}
	schema, key := ok.Value.Content.Get("application/json").Schema.Value, ""
	for _, name := range schema.Required {
		switch member := schema.Properties[name].Value; {
		case member.Type.Is("object"):
			return ""
		case member.Type.Is("array") && key == "":
			key = name
		}
	}
	return key
}

// caller is who asks for a list, and the path at which there are rows.
func (c crowd) caller(op listed) (*anAPI, string) {
	w := *c.world
	by := c.anAPI
	switch {
	case op.Area == "requests" && !strings.Contains(op.Path, "{"):
		by = c.as(c.endUser) // whose requests are those that he made
	case strings.HasSuffix(op.Path, "/tickets/assigned"), strings.HasSuffix(op.Path, "/tickets/followed"):
		w.ids = map[string]string{"user_id": c.ids["agent_id"]}
	case strings.HasSuffix(op.Path, "/users/{user_id}/skips"):
		w.ids = map[string]string{"user_id": fmt.Sprint(c.admin.ID)}
	}
	return by, w.path(op.Operation) + "?" + c.finding(op).Encode()
}

// finding are the parameters with which a list has rows.
func (c crowd) finding(op listed) url.Values {
	c.t.Helper()
	q := url.Values{}
	_, params := specified(c.t, op.Operation)
	for _, p := range params {
		switch name := p.Value.Name; name {
		case "query", "name":
			q.Set(name, c.secret)
		case "filter[locales]":
			q.Set(name, "en-us")
		case "start_time":
			if p.Value.Required {
				q.Set(name, "0")
			}
		case "ids":
			q.Set(name, strings.Join(c.shown(op), ","))
		case "identifiers":
			q.Set(name, strings.Join(c.shown(op), ","))
		}
	}
	return q
}

// shown are the names of n records that an operation shows by their names.
func (c crowd) shown(op listed) (names []string) {
	c.t.Helper()
	name, key, most := "id", op.key, c.n
	switch {
	case op.Area == "dynamic_content":
		name = "placeholder"
	case op.ID == "GetViewCounts":
		key, most = "views", min(c.n, mostRows[op.ID])
	}
	list := c.get(fmt.Sprintf("%s?per_page=%d", path.Dir(op.Path), c.n)).want(200)
	for i, item := range list.member(key).([]any) {
		if i == most { // also of a list that is not paged by number
			break
		}
		names = append(names, fmt.Sprint(item.(map[string]any)[name]))
	}
	return names
}

// sideLoads are what an operation can be asked to add to its answer: lists of
// records beside its own, and members of those.
func sideLoads(o *openapi3.Operation) string {
	all := []string{"comment_count", "dates", "incident_counts", "metric_events", "metric_sets", "open_ticket_count", "usage_1h", "usage_30d", "permissions", "translations"}
	if ok := o.Responses.Status(200); ok != nil && ok.Value.Content.Get("application/json") != nil {
		for name, member := range ok.Value.Content.Get("application/json").Schema.Value.Properties {
			if member.Value.Type.Is("array") {
				all = append(all, name)
			}
		}
	}
	return strings.Join(all, ",")
}
