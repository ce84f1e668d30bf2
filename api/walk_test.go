package api_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/helpd/helpd/gen"
)

// Whatever an admin of one account asks for, of another account's records
// nothing comes back and nothing changes.
func TestTenantsNeverMeet(t *testing.T) {
	t.Parallel()
	theirs := newWorld(newAPI(t))
	before := theirs.rows()
	ours := *theirs
	ours.anAPI = theirs.another()
	// What the caller himself looks for is told back to him later: that is asked first.
	ops := slices.Clone(gen.Operations)
	slices.SortStableFunc(ops, func(a, b gen.Operation) int {
		switch insights := "ListSearchInsights"; insights {
		case a.ID:
			return -1
		case b.ID:
			return 1
		}
		return 0
	})
	for _, op := range ops {
		for _, r := range ours.reachFor(op) {
			// The links of pages repeat what the caller looks for.
			if strings.Contains(strings.ReplaceAll(string(r.body), "query="+theirs.secret, ""), theirs.secret) {
				t.Errorf("%s: %s %s shows another account's data: %.500s", op.ID, r.method, r.path, r.body)
			}
			r.wantContract(op.ID)
			if named(op) && r.status != 404 {
				t.Errorf("%s: %s %s: %d for another account's record, want 404: %.300s", op.ID, r.method, r.path, r.status, r.body)
			}
		}
	}
	theirs.wantHidden(ours.anAPI)
	if tables := changed(before, theirs.rows()); len(tables) > 0 {
		t.Errorf("another account's rows changed in %v", tables)
	}
}

// wantHidden checks that there is no record of w for other users of an account
// than its admin.
func (w *world) wantHidden(other *anAPI) {
	w.t.Helper()
	for _, role := range []string{"end-user", "agent"} {
		email := other.email(role + "-of-another")
		other.user("O", email, role)
		caller := other.as(email)
		for _, op := range byHarm() {
			if !named(op) {
				continue
			}
			r := caller.do(op.Method, w.path(op), w.plausible(op))
			if ranks[role] >= ranks[op.Allow] && r.status != 403 {
				r.wantMissing()
				continue
			}
			// Who may not ask of others learns no more of this one than of nobody.
			r.wantForbidden()
			caller.do(op.Method, fill(op.Path, func(string) string { return "404404404" }), w.plausible(op)).wantForbidden()
		}
	}
}

// named reports whether an operation is about one record that its path names.
func named(op gen.Operation) bool {
	return strings.Contains(op.Path, "{") && !strings.Contains(op.Path, "{locale_id}") && !strings.Contains(op.Path, "{rule_type}") &&
		!strings.Contains(op.Path, "{incremental_resource}")
}

// reachFor calls an operation, with the ids of w wherever it takes any, in the
// path, in the query and in the body.
func (w *world) reachFor(op gen.Operation) []*result {
	w.t.Helper()
	o, params := specified(w.t, op)
	query, required := url.Values{}, url.Values{}
	for _, p := range params {
		if p.Value.In == "query" {
			query.Set(p.Value.Name, w.queryValue(op, p.Value))
		}
		if p.Value.In == "query" && p.Value.Required {
			required[p.Value.Name] = query[p.Value.Name]
		}
	}
	body := ""
	if schema := bodySchema(o); schema != nil {
		body = text(w.t, w.referring(op, schema, w.minimal(op, schema), 0))
	}
	path := w.path(op)
	all := []*result{w.do(op.Method, path, body)}
	include := sideLoads(o)
	// One parameter at a time, or the first would hide what the others show.
	for name := range query {
		one := maps.Clone(required)
		one[name], one["include"] = query[name], []string{include}
		all = append(all, w.do(op.Method, path+"?"+one.Encode(), body))
	}
	return all
}

// queryValue is what leads to a record of w by a parameter, if anything does.
func (w *world) queryValue(op gen.Operation, p *openapi3.Parameter) string {
	name := p.Name
	switch name {
	case "ids", "field_ids":
		var ids []string
		for _, of := range []string{"ticket_id", "user_id", "agent_id", "organization_id", "group_membership_id", "organization_membership_id", "ticket_form_id", "group_id", "job_status_id", "suspended_ticket_id"} {
			if numeric(w.ids[of]) == (name != "ids" || op.Area != "job_statuses") {
				ids = append(ids, w.ids[of])
			}
		}
		return strings.Join(ids, ",")
	case "page", "per_page", "page[size]":
		return "1"
	case "page[after]", "page[before]", "sort", "sort_by", "sort_order", "include":
		return ""
	case "token":
		return w.ids["token"]
	case "start_time":
		return "0"
	case "since":
		return "2020-01-01"
	case "role", "filename", "subdomain": // told back to the caller
		return "end-user"
	case "filter[locales]":
		return "en-us"
	case "filter[content_types]":
		return "ARTICLE"
	case "filter[external_source_ids]":
		return w.ids["invocation_id"]
	}
	if of, ok := strings.CutPrefix(name, "filter["); ok {
		name = strings.TrimSuffix(of, "s]") // filter[section_ids]
	}
	if id, ok := w.id(op, name); ok {
		return id
	}
	switch {
	case p.Schema.Value.Type.Is("boolean"):
		return "true"
	case p.Schema.Value.Type.Is("integer"):
		return "1"
	}
	return w.secret // names, queries, external ids
}

func numeric(id string) bool {
	_, err := strconv.ParseInt(id, 10, 64)
	return err == nil
}

// referring is a body in which each member that takes an id has one of w's.
func (w *world) referring(op gen.Operation, s *openapi3.Schema, body any, depth int) any {
	for _, part := range s.AllOf {
		if len(part.Value.Properties) > 0 {
			s = part.Value
		}
	}
	if depth > 4 {
		return body
	}
	switch b := body.(type) {
	case []any:
		return []any{w.referring(op, s.Items.Value, b[0], depth+1)}
	case map[string]any:
		out := maps.Clone(b)
		for name, member := range s.Properties {
			switch id := w.reference(name); {
			case id == "" && out[name] != nil:
				out[name] = w.referring(op, member.Value, out[name], depth+1)
			case id == "":
			case strings.HasSuffix(name, "s"):
				out[name] = []any{raw(id)}
			default:
				out[name] = raw(id)
			}
		}
		return out
	}
	return body
}

// reference is the record of w that a member of a body names; empty for none.
func (w *world) reference(name string) string {
	switch name {
	case "assignee_id", "agent_id", "submitter_id", "author_id":
		return w.ids["agent_id"]
	case "requester_id", "user_id", "user_ids", "collaborator_ids", "follower_ids", "email_cc_ids":
		return w.ids["user_id"]
	case "problem_id", "via_followup_source_id":
		return w.ids["ticket_id"]
	case "default_group_id", "group_ids":
		return w.ids["group_id"]
	case "organization_ids":
		return w.ids["organization_id"]
	case "restricted_brand_ids":
		return w.ids["brand_id"]
	case "category_id":
		return w.ids["trigger_category_id"]
	case "ticket_field_ids":
		return w.ids["ticket_field_id"]
	case "custom_status_ids":
		return w.ids["custom_status_id"]
	}
	if !strings.HasSuffix(name, "_id") || name == "external_id" {
		return ""
	}
	return w.ids[name]
}

// Who may call what is said once, in the contract (x-allow, x-refuse).
func TestRolesMayCallWhatTheContractSays(t *testing.T) {
	t.Parallel()
	for _, who := range append([]string{"anonymous", "end-user", "agent", "admin"}, restrictions...) {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			w := newWorld(newAPI(t))
			caller := w.caller(who)
			for _, op := range byHarm() {
				r := caller.do(op.Method, w.path(op), w.plausible(op))
				r.wantContract(op.ID)
				w.wantAllowed(op, who, r)
			}
		})
	}
}

// restrictions to tickets that agents are held to.
var restrictions = []string{"groups", "organization", "assigned"}

// caller is somebody with a role, or an agent with a restriction.
func (w *world) caller(who string) *anAPI {
	w.t.Helper()
	switch who {
	case "anonymous":
		return w.anonymous()
	case "end-user":
		return w.as(w.endUser)
	case "agent":
		return w.as(w.agent)
	case "admin":
		return w.anAPI
	}
	_, agent := w.restricted("restricted", who)
	return agent
}

// forTheRequester are operations that no rank allows: they are the requester's
// alone, who in the world is its end user.
var forTheRequester = []string{"CreateTicketSatisfactionRating"}

// anothers is what belongs to the world's end user, and agents may not change.
var anothers = map[string]string{"agent": "another's", "groups": "another's", "organization": "another's", "assigned": "another's"}

// othersAgents is what belongs to the world's agent.
var othersAgents = map[string]string{"groups": "another's", "organization": "another's", "assigned": "another's"}

// byRecord are operations that the roles named may call and yet not for the
// record that the world has for them, and why.
var byRecord = map[string]map[string]string{
	"CreateArticleSubscription":  anothers,
	"CreateSectionSubscription":  anothers,
	"WithdrawReview":             anothers, // the admin's
	"DeleteVote":                 anothers,
	"DeleteArticleSubscription":  anothers,
	"DeleteSectionSubscription":  anothers,
	"GroupMembershipSetDefault":  othersAgents,
	"DeleteUserSubscription":     othersAgents,
	"ListRequestsByOrganization": {"end-user": "an organization that does not share its tickets"},
}

var ranks = map[string]int{"anonymous": 0, "end-user": 1, "agent": 2, "groups": 2, "organization": 2, "assigned": 2, "admin": 3}

func (w *world) wantAllowed(op gen.Operation, who string, r *result) {
	w.t.Helper()
	refused := slices.Contains(op.Refuse, who) || byRecord[op.ID][who] != ""
	allowed := ranks[who] >= ranks[op.Allow] && !refused
	switch {
	case !allowed && who == "anonymous":
		r.want(401).wantJSON(`{"error":"Couldn't authenticate you"}`)
	case byRecord[op.ID][who] == anothers[who] && anothers[who] != "" && r.status == 404: // with the article, which agents may archive
	case !allowed:
		r.wantForbidden()
	case slices.Contains(forTheRequester, op.ID) && who != "end-user":
		if r.status != 404 || !slices.Contains(restrictions, who) { // who may not see the ticket
			r.wantForbidden()
		}
	case r.status == 401 || r.status == 403:
		w.t.Errorf("%s: %s %s as %s: %d %.200s", op.ID, op.Method, r.path, who, r.status, r.body)
	}
	if ranks[who] < ranks["agent"] && strings.Contains(string(r.body), w.private) {
		w.t.Errorf("%s: %s %s shows what only agents may see to %s: %.500s", op.ID, op.Method, r.path, who, r.body)
	}
}

// byHarm are all operations, those that delete last.
func byHarm() []gen.Operation {
	ops := slices.Clone(gen.Operations)
	slices.SortStableFunc(ops, func(a, b gen.Operation) int { return order(a.Method) - order(b.Method) })
	return ops
}

// An end user finds nothing of what only agents may see by any parameter.
func TestEndUsersSeeNothingPrivate(t *testing.T) {
	t.Parallel()
	w := newWorld(newAPI(t))
	customer := *w
	customer.anAPI = w.as(w.endUser)
	for _, op := range byHarm() {
		for _, r := range customer.reachFor(op) {
			if strings.Contains(string(r.body), w.private) {
				t.Errorf("%s: %s %s: %.500s", op.ID, op.Method, r.path, r.body)
			}
			if r.status == 401 {
				t.Errorf("%s: %s %s: %d", op.ID, op.Method, r.path, r.status)
			}
		}
	}
}

// A restricted agent finds no ticket of others by any operation, and changes
// none.
func TestRestrictedAgentsSeeNoOtherTickets(t *testing.T) {
	t.Parallel()
	for _, restriction := range restrictions {
		t.Run(restriction, func(t *testing.T) {
			t.Parallel()
			w := newWorld(newAPI(t))
			restricted := *w
			restricted.anAPI = w.caller(restriction)
			before := w.ticketRows()
			for _, op := range byHarm() {
				if forAdmins := ranks[op.Allow] > ranks["agent"]; forAdmins || slices.Contains(ofPeople, op.Area) && op.Method != "GET" {
					continue
				}
				for _, r := range restricted.reachFor(op) {
					w.wantNoTicket(op, r)
				}
			}
			if after := w.ticketRows(); after != before {
				t.Errorf("the ticket was %s and is %s", before, after)
			}
		})
	}
}

// ofPeople are areas whose changes reach tickets, because those who are deleted
// or merged leave theirs: what agents may do to people is not about tickets.
var ofPeople = []string{"users", "deleted_users", "organizations", "organization_merges", "organization_memberships"}

// wantNoTicket checks that an answer tells nothing of w's ticket.
func (w *world) wantNoTicket(op gen.Operation, r *result) {
	w.t.Helper()
	for _, text := range []string{`"subject":"` + w.secret, `"plain_body":"` + w.secret, `"file_name":"` + w.secret} {
		if strings.Contains(string(r.body), text) && op.ID != "UploadFiles" {
			w.t.Errorf("%s: %s %s: %.500s", op.ID, r.method, r.path, r.body)
		}
	}
	ofTicket := strings.Contains(op.Path, "{ticket_id}") || strings.Contains(op.Path, "{request_id}")
	if ofTicket && r.status != 404 && r.status != 403 {
		w.t.Errorf("%s: %s %s: %d for a ticket that the agent may not see: %.300s", op.ID, r.method, r.path, r.status, r.body)
	}
	counts := strings.HasSuffix(op.Path, "/count") && (strings.Contains(op.Path, "/tickets") || op.Area == "satisfaction_ratings")
	if counts && r.status == 200 && fmt.Sprint(r.member("count", "value")) != "0" {
		w.t.Errorf("%s: %s %s: %s", op.ID, r.method, r.path, r.body)
	}
}

// ticketRows is the ticket of w with its comments and audits.
func (w *world) ticketRows() (out string) {
	w.t.Helper()
	err := w.db.WithContext(w.ctx()).Raw(`SELECT (SELECT t::text FROM tickets t WHERE t.account_id = ? AND t.id = ?)
		|| (SELECT coalesce(string_agg(c::text, '' ORDER BY c.id), '') FROM comments c WHERE c.account_id = ? AND c.ticket_id = ?)
		|| (SELECT coalesce(string_agg(a::text, '' ORDER BY a.id), '') FROM audits a WHERE a.account_id = ? AND a.ticket_id = ?)`,
		w.account.ID, w.ids["ticket_id"], w.account.ID, w.ids["ticket_id"], w.account.ID, w.ids["ticket_id"]).Row().Scan(&out)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// A token does what its scopes say, whoever it belongs to.
func TestScopesLimitTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(newAPI(t))
	for _, scope := range []string{"read", "write"} {
		_, token, err := w.auth.NewOAuthToken(w.ctx(), w.account.ID, w.admin.ID, []string{scope}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		caller := w.bearer(token)
		for _, op := range byHarm() {
			needs := "write"
			if op.Method == "GET" {
				needs = "read"
			}
			r := caller.do(op.Method, w.path(op), w.plausible(op))
			if needs == scope {
				if slices.Contains(forTheRequester, op.ID) {
					r.wantForbidden()
					continue
				}
				if r.status == 403 || r.status == 401 {
					t.Errorf("%s with the scope %s: %d %s", op.ID, scope, r.status, r.body)
				}
				continue
			}
			r.want(403).wantJSON(`{"error":"Forbidden","description":"Missing the following required scopes: %s"}`, needs)
		}
	}
}
