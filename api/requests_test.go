package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// portal is an account with two customers and an agent.
type portal struct {
	*anAPI
	ann, bo, agent       *anAPI
	annID, boID, agentID int64
}

func newPortal(t *testing.T) portal {
	t.Helper()
	a := newAPI(t)
	p := portal{anAPI: a}
	p.annID, p.boID = a.user("Ann", a.email("ann"), "end-user"), a.user("Bo", a.email("bo"), "end-user")
	p.agentID = a.user("Gus", a.email("gus"), "agent")
	p.ann, p.bo, p.agent = a.as(a.email("ann")), a.as(a.email("bo")), a.as(a.email("gus"))
	return p
}

// request makes a request of the caller.
func (a *anAPI) request(subject string, more ...string) int64 {
	a.t.Helper()
	body := fmt.Sprintf(`"subject":%q,"comment":{"body":"It smokes."}`, subject)
	return a.post("/api/v2/requests", `{"request":{`+strings.Join(append([]string{body}, more...), ",")+`}}`).want(201).id("request")
}

// shares puts Ann and Bo into an organization that shares what it says.
func (p portal) shares(tickets, comments bool) int64 {
	p.t.Helper()
	org := p.post("/api/v2/organizations", fmt.Sprintf(`{"organization":{"name":"Org","shared_tickets":%t,"shared_comments":%t}}`, tickets, comments)).want(201).id("organization")
	for _, user := range []int64{p.annID, p.boID} {
		p.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, user, org)).want(201)
	}
	return org
}

func TestRequestIsATicketAsItsRequesterSeesIt(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	r := p.ann.post("/api/v2/requests", `{"request":{"subject":"Printer","comment":{"body":"It smokes."},"tags":["x"],"status":"solved","assignee_id":1,
		"requester":{"name":"Somebody","email":"`+p.email("else")+`"},"recipient":"help@acme.example","collaborators":["`+p.email("cc")+`"]}}`).want(201)
	id := r.id("request")
	cc := p.get(fmt.Sprintf("/api/v2/tickets/%d/email_ccs", id)).want(200).ids("users")[0]
	ticket := p.get(fmt.Sprintf("/api/v2/tickets/%d", id)).want(200)
	r.wantJSON(`{"request":{"url":"http://helpd.test/api/v2/requests/%d.json","id":%d,"created_at":"%s","updated_at":"%s","subject":"Printer",
		"description":"It smokes.","status":"new","custom_status_id":%v,"priority":null,"type":null,"custom_fields":[],"fields":[],
		"organization_id":null,"requester_id":%d,"assignee_id":null,"group_id":null,"collaborator_ids":[%d],"email_cc_ids":[%d],
		"recipient":"help@acme.example","ticket_form_id":%v,"due_at":null,"via":{"channel":"api","source":{"from":{},"to":{},"rel":null}},
		"is_public":true,"can_be_solved_by_me":false,"solved":false,"followup_source_id":null}}`,
		id, id, clockText, clockText, ticket.member("ticket", "custom_status_id"), p.annID, cc, cc, ticket.member("ticket", "ticket_form_id"))
	if got := r.header.Get("Location"); got != fmt.Sprintf("http://helpd.test/api/v2/requests/%d.json", id) {
		t.Errorf("Location %s", got)
	}
	if tags := ticket.member("ticket", "tags").([]any); len(tags) > 0 {
		t.Errorf("tags %v", tags)
	}
	path := fmt.Sprintf("/api/v2/requests/%d", id)
	p.ann.get(path).want(200).wantJSON("%s", r.body)
	p.agent.get(path).want(200)
	p.bo.get(path).wantMissing()
	p.bo.put(path, `{"request":{"comment":{"body":"x"}}}`).wantMissing()
	p.anonymous().get(path).want(401)
	p.another().get(path).wantMissing()
	p.as(p.email("cc")).get(path+"?include=users").want(200).wantSubset(t, `"users":[`)
}

// wantSubset checks that an answer has a text.
func (r *result) wantSubset(t *testing.T, text string) *result {
	t.Helper()
	if !strings.Contains(string(r.body), text) {
		t.Errorf("%s %s: no %s in %s", r.method, r.path, text, r.body)
	}
	return r
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	hidden := p.post("/api/v2/ticket_forms", `{"ticket_form":{"name":"For agents","end_user_visible":false}}`).want(201).id("ticket_form")
	org := p.post("/api/v2/organizations", `{"organization":{"name":"Foreign"}}`).want(201).id("organization")
	for body, want := range map[string][2]string{
		`{"comment":{"body":"x"}}`: {"subject", "Subject: cannot be blank"},
		`{"subject":"x"}`:          {"base", "Description: cannot be blank"},
		fmt.Sprintf(`{"subject":"x","comment":{"body":"x"},"ticket_form_id":%d}`, hidden):   {"ticket_form_id", fmt.Sprintf("Ticket form: %d is invalid", hidden)},
		`{"subject":"x","comment":{"body":"x"},"ticket_form_id":77}`:                        {"ticket_form_id", "Ticket form: 77 is invalid"},
		fmt.Sprintf(`{"subject":"x","comment":{"body":"x"},"organization_id":%d}`, org):     {"organization", fmt.Sprintf("Organization: %d is not one of the requester's", org)},
		fmt.Sprintf(`{"subject":"x","comment":{"body":"x"},"collaborators":[%d]}`, p.boID):  {"email_ccs", fmt.Sprintf("Email ccs: %d is invalid", p.boID)},
		`{"subject":"x","comment":{"body":"x"},"collaborators":[77]}`:                       {"email_ccs", "Email ccs: 77 is invalid"},
		`{"subject":"x","comment":{"body":"x"},"email_ccs":[{"user_email":"nonsense"}]}`:    {"collaborators", "Collaborators: Email: nonsense is not properly formatted"},
		fmt.Sprintf(`{"subject":"x","comment":{"body":"%s"}}`, strings.Repeat("x", 65_537)): {"comment", "Comment: is too long (maximum is 65536 characters)"},
	} {
		p.ann.post("/api/v2/requests", `{"request":`+body+`}`).wantDetail(want[0], want[1])
	}
	for member, body := range map[string]string{
		"request.custom_fields": `{"subject":"x","comment":{"body":"x"},"custom_fields":5}`, "request.collaborators": `{"subject":"x","comment":{"body":"x"},"collaborators":{}}`,
		"request.via": `{"subject":"x","comment":{"body":"x"},"via":[]}`, "request.subject": `{"subject":{}}`,
	} {
		r := p.ann.post("/api/v2/requests", `{"request":`+body+`}`).want(400)
		r.wantSubset(t, member)
	}
	if n := len(p.get("/api/v2/tickets").want(200).ids("tickets")); n != 0 {
		t.Errorf("%d tickets", n)
	}
}

func TestAnonymousRequests(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	org := p.shares(true, true)
	token := p.anonymous().upload("filename=smoke.txt", "text/plain", "smoke").Upload.Token
	body := `{"request":{"subject":"Printer","requester":{"name":"Nobody"%s},"organization_id":` + fmt.Sprint(org) + `,"via":"web_widget","comment":{"body":"It smokes.","uploads":["` + token + `"]}}}`
	r := p.anonymous().post("/portal/requests", fmt.Sprintf(body, "")).want(201)
	id := r.id("request")
	for _, hidden := range []string{"requester_id", "organization_id", "assignee_id", "group_id"} {
		if v := r.member("request", hidden); v != nil {
			t.Errorf("%s is %v", hidden, v)
		}
	}
	ticket := p.get(fmt.Sprintf("/api/v2/tickets/%d?include=users", id)).want(200)
	if got := fmt.Sprint(ticket.member("ticket", "via")); !strings.Contains(got, "web_widget") || !strings.Contains(got, "zendesk_widget") {
		t.Errorf("via %s", got)
	}
	if ticket.member("users", 0, "name") != "Nobody" || ticket.member("users", 0, "email") != nil || ticket.member("ticket", "organization_id") != nil {
		t.Errorf("%s", ticket.body)
	}
	if files := p.get(fmt.Sprintf("/api/v2/tickets/%d/comments", id)).want(200).member("comments", 0, "attachments").([]any); len(files) != 1 {
		t.Errorf("files %v", files)
	}
	p.anonymous().post("/api/v2/requests.json", `{"request":{"subject":"x","comment":{"body":"x"}}}`).wantDetail("requester", "Requester: cannot be blank")
	p.anonymous().post("/api/v2/requests", `{"request":{"subject":"x","requester":{"email":"x"},"comment":{"body":"x"}}}`).
		wantDetail("requester", "Requester: Email: x is not properly formatted")
	p.put("/api/v2/account/settings", `{"settings":{"tickets":{"anonymous_requests":false}}}`).want(200)
	p.anonymous().post("/api/v2/requests", fmt.Sprintf(body, "")).want(401).wantJSON(`{"error":"Couldn't authenticate you"}`)
	p.anonymous().post("/api/v2/uploads?filename=x", "x").want(401)
	p.ann.request("still")
}

// What an anonymous caller says of himself opens nothing that belongs to whom the
// address belongs to, nor his request to somebody else.
func TestAnonymousCallersGainNothingByAnAddress(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	org := p.shares(true, true)
	closed := p.ann.request("Ann's own")
	p.put(fmt.Sprintf("/api/v2/tickets/%d", closed), fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d,"tags":["anns"]}}`, p.agentID)).want(200)
	p.put(fmt.Sprintf("/api/v2/tickets/%d", closed), `{"ticket":{"status":"closed"}}`).want(200)
	write := func(email, more string) *result {
		return p.anonymous().post("/api/v2/requests", fmt.Sprintf(`{"request":{"subject":"Hi","requester":{"name":"Mallory","email":%q},"comment":{"body":"x"}%s}}`, email, more))
	}
	// A proven address: the request is its holder's, and its answer says nothing of him.
	known := write(p.email("ann"), fmt.Sprintf(`,"via_followup_source_id":%d,"organization_id":%d`, closed, org)).want(201)
	new := write(p.email("new"), "").want(201)
	if a, b := shapeOf(known), shapeOf(new); a != b {
		t.Errorf("the answers tell who is known:\n%s\n%s", a, b)
	}
	ticket := p.get(fmt.Sprintf("/api/v2/tickets/%d", known.id("request"))).want(200)
	if got := fmt.Sprint(ticket.member("ticket", "requester_id")); got != fmt.Sprint(p.annID) {
		t.Errorf("requester %s", got)
	}
	if ticket.member("ticket", "via", "source", "rel") != nil || len(ticket.member("ticket", "tags").([]any)) > 0 {
		t.Errorf("it follows up another's ticket: %s", ticket.body)
	}
	if name := p.get(fmt.Sprintf("/api/v2/users/%d", p.annID)).want(200).member("user", "name"); name != "Ann" {
		t.Errorf("renamed to %v", name)
	}
	// An address that Bo claims beside his own, without proof.
	p.post(fmt.Sprintf("/api/v2/users/%d/identities", p.boID), fmt.Sprintf(`{"identity":{"type":"email","value":%q}}`, p.email("victim"))).want(201)
	id := write(p.email("victim"), "").want(201).id("request")
	p.bo.get(fmt.Sprintf("/api/v2/requests/%d", id)).wantMissing()
	requester := p.get(fmt.Sprintf("/api/v2/tickets/%d?include=users", id)).want(200)
	if requester.member("users", 0, "name") != "Mallory <"+p.email("victim")+">" || requester.member("users", 0, "email") != nil {
		t.Errorf("%s", requester.body)
	}
	// Nor does it lead to Bo as a CC that an end user names.
	id = p.ann.request("With a copy", fmt.Sprintf(`"collaborators":[{"email":%q,"name":"V"}]`, p.email("victim")))
	p.put(fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"shared_tickets":false}}`).want(200)
	p.bo.get(fmt.Sprintf("/api/v2/requests/%d", id)).wantMissing()
	// An unproven first address leads to its holder, as nobody else can be meant.
	lone := p.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Lone","email":%q}}`, p.email("lone"))).want(201).id("user")
	id = write(p.email("lone"), "").want(201).id("request")
	if got := fmt.Sprint(p.get(fmt.Sprintf("/api/v2/tickets/%d", id)).want(200).member("ticket", "requester_id")); got != fmt.Sprint(lone) {
		t.Errorf("requester %s, want %d", got, lone)
	}
	// What a suspended user asks becomes no request.
	p.put(fmt.Sprintf("/api/v2/users/%d", p.boID), `{"user":{"suspended":true}}`).want(200)
	write(p.email("bo"), "").want(202).id("suspended_ticket")
}

// shapeOf is an answer without what differs from request to request.
func shapeOf(r *result) string {
	id := r.id("request")
	return strings.NewReplacer(fmt.Sprintf("/%d.json", id), "/ID.json", fmt.Sprintf(`"id":%d,`, id), `"id":ID,`).Replace(string(r.body))
}

func TestFieldsOfRequests(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	editable := p.ticketField(`{"type":"text","title":"E","title_in_portal":"Model","visible_in_portal":true,"editable_in_portal":true}`)
	shown := p.ticketField(`{"type":"text","title":"S","visible_in_portal":true}`)
	hidden := p.ticketField(`{"type":"text","title":"H"}`)
	values := fmt.Sprintf(`"custom_fields":[{"id":%d,"value":"e"},{"id":%d,"value":"s"},{"id":%d,"value":"h"}],"priority":"urgent","type":"task","due_at":"2026-05-05"`, editable, shown, hidden)
	id := p.ann.request("Fields", values)
	p.put(fmt.Sprintf("/api/v2/tickets/%d", id), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"secret"}],"priority":"low"}}`, hidden)).want(200)
	r := p.ann.get(fmt.Sprintf("/api/v2/requests/%d", id)).want(200)
	if got, want := fmt.Sprint(r.member("request", "custom_fields")), fmt.Sprintf("[map[id:%d value:e] map[id:%d value:<nil>]]", editable, shown); got != want {
		t.Errorf("fields %s, want %s", got, want)
	}
	for _, name := range []string{"priority", "type", "due_at"} {
		if v := r.member("request", name); v != nil {
			t.Errorf("%s is %v", name, v)
		}
	}
	var system []models.Field
	if err := p.db.WithContext(p.ctx()).Find(&system, "type IN ?", []string{models.FieldPriority, models.FieldTicketType}).Error; err != nil {
		t.Fatal(err)
	}
	for _, f := range system {
		p.put(fmt.Sprintf("/api/v2/ticket_fields/%d", f.ID), `{"ticket_field":{"visible_in_portal":true,"editable_in_portal":true}}`).want(200)
	}
	r = p.ann.get(fmt.Sprintf("/api/v2/requests/%d", p.ann.request("Fields", values))).want(200)
	if r.member("request", "priority") != "urgent" || r.member("request", "type") != "task" || r.member("request", "due_at") != "2026-05-05T00:00:00Z" {
		t.Errorf("%s", r.body)
	}
	p.put(fmt.Sprintf("/api/v2/ticket_fields/%d", editable), `{"ticket_field":{"required_in_portal":true}}`).want(200)
	p.ann.post("/api/v2/requests", `{"request":{"subject":"x","comment":{"body":"x"}}}`).wantDetail("base", "Model: cannot be blank")
	p.ann.request("with it", fmt.Sprintf(`"custom_fields":{"%d":"e"}`, editable))
}

func TestChangingARequest(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	needed := p.ticketField(`{"type":"text","title":"Agents only","required":true}`)
	id := p.ann.request("Printer")
	path, ticket := fmt.Sprintf("/api/v2/requests/%d", id), fmt.Sprintf("/api/v2/tickets/%d", id)
	p.ann.put(path, `{"request":{"solved":true,"comment":{"body":"never kept"}}}`).wantDetail("solved", "Solved: this request cannot be solved by you")
	p.put(ticket, fmt.Sprintf(`{"ticket":{"assignee_id":%d,"status":"pending"}}`, p.agentID)).want(200)
	r := p.ann.put(path, `{"request":{"comment":{"body":"Still smoking"},"subject":"No","status":"closed","requester_id":5,"priority":"urgent","custom_fields":[{"id":1,"value":2}]}}`).want(200)
	if r.member("request", "status") != "open" || r.member("request", "subject") != "Printer" || r.member("request", "can_be_solved_by_me") != true {
		t.Errorf("%s", r.body)
	}
	r = p.ann.put(path, `{"request":{"solved":"true","comment":{"body":"Thanks"}}}`).want(200)
	if r.member("request", "status") != "solved" || r.member("request", "can_be_solved_by_me") != false || r.member("request", "solved") != true {
		t.Errorf("%s", r.body)
	}
	r = p.ann.put(path, `{"request":{"comment":{"body":"It smokes again"}}}`).want(200)
	if r.member("request", "status") != "open" {
		t.Errorf("%s", r.body)
	}
	r = p.ann.put(path, fmt.Sprintf(`{"request":{"additional_collaborators":[%q,{"name":"N","email":%q}]}}`, p.email("bo"), p.email("n"))).want(200)
	if ccs := r.member("request", "email_cc_ids").([]any); len(ccs) != 2 || fmt.Sprint(ccs[0]) != fmt.Sprint(p.boID) {
		t.Errorf("%s", r.body)
	}
	r = p.bo.get(path).want(200)
	if r.member("request", "can_be_solved_by_me") != false {
		t.Errorf("%s", r.body)
	}
	p.bo.put(path, `{"request":{"solved":true}}`).wantDetail("solved", "Solved: this request cannot be solved by you")
	p.bo.put(path, `{"request":{"comment":{"body":"Me too"}}}`).want(200)
	p.ann.put(path, `{"request":"x"}`).want(400)
	p.ann.put(path, `{}`).want(400)
	p.put(ticket, fmt.Sprintf(`{"ticket":{"status":"solved","custom_fields":[{"id":%d,"value":"x"}]}}`, needed)).want(200)
	p.put(ticket, `{"ticket":{"status":"closed"}}`).want(200)
	for _, body := range []string{`{"request":{"comment":{"body":"x"}}}`, `{"request":{"solved":true}}`} {
		p.ann.put(path, body).wantDetail("status", "Status: closed prevents ticket update")
		p.put(path, body).wantDetail("status", "Status: closed prevents ticket update")
	}
	followUp := p.ann.get(fmt.Sprintf("/api/v2/requests/%d", p.ann.request("Again", fmt.Sprintf(`"via_followup_source_id":%d`, id)))).want(200)
	if followUp.member("request", "followup_source_id") == nil || followUp.member("request", "via", "source", "rel") != "follow_up" {
		t.Errorf("%s", followUp.body)
	}
}

// An agent who asks for help is an end user here: a reply reopens.
func TestAgentsRequest(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.ann.request("Ann's")
	id := p.agent.request("Mine")
	path := fmt.Sprintf("/api/v2/requests/%d", id)
	p.put(fmt.Sprintf("/api/v2/tickets/%d", id), fmt.Sprintf(`{"ticket":{"assignee_id":%d,"status":"solved"}}`, p.agentID)).want(200)
	if got := p.agent.put(path, `{"request":{"comment":{"body":"x"}}}`).want(200).member("request", "status"); got != "open" {
		t.Errorf("status %v", got)
	}
	for _, list := range []string{"/api/v2/requests", "/api/v2/requests/search", fmt.Sprintf("/api/v2/users/%d/requests", p.agentID)} {
		if ids := p.agent.get(list).want(200).ids("requests"); !slices.Equal(ids, []int64{id}) {
			t.Errorf("%s: %v", list, ids)
		}
	}
}

func TestListsOfRequests(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	var all []int64
	for i := range 6 {
		all = append(all, p.ann.request(fmt.Sprint("Ann's ", i)))
	}
	for i, status := range []string{"open", "pending", "hold", "solved", "solved"} {
		p.put(fmt.Sprintf("/api/v2/tickets/%d", all[i+1]), fmt.Sprintf(`{"ticket":{"assignee_id":%d,"status":%q}}`, p.agentID, status)).want(200)
	}
	p.put(fmt.Sprintf("/api/v2/tickets/%d", all[5]), `{"ticket":{"status":"closed"}}`).want(200)
	bos := p.bo.request("Bo's", fmt.Sprintf(`"collaborators":[%q]`, p.email("ann")))
	private := p.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","requester_id":%d,"comment":{"body":"x","public":false}}}`, p.annID)).want(201).id("ticket")
	p.ann.get(fmt.Sprintf("/api/v2/requests/%d", private)).wantMissing()
	for path, want := range map[string][]int64{
		"/api/v2/requests": all, "/api/v2/requests/open": all[:4], "/api/v2/requests/hold": all[3:4], "/api/v2/requests/solved": all[4:],
		"/api/v2/requests/ccd": {bos}, fmt.Sprintf("/api/v2/users/%d/requests", p.annID): all, "/api/v2/requests/search?sort_by=created_at": append(slices.Clone(all), bos),
	} {
		r := p.ann.get(path).want(200)
		if got := r.ids("requests"); !slices.Equal(got, want) || fmt.Sprint(r.member("count")) != fmt.Sprint(len(want)) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		if strings.Contains(path, "search") {
			continue
		}
		p.ann.wantWalks(path, "requests", want)
		for _, sort := range []string{"created_at", "updated_at"} {
			slices.Sort(want)
			got := p.ann.get(path + "?page[size]=100&sort=-" + sort).want(200).ids("requests")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s by %s: %v, want %v", path, sort, got, want)
			}
		}
		p.anonymous().get(path).want(401)
	}
	p.bo.get(fmt.Sprintf("/api/v2/users/%d/requests", p.annID)).wantMissing()
	p.agent.get("/api/v2/users/77/requests").wantMissing()
	if ids := p.agent.get(fmt.Sprintf("/api/v2/users/%d/requests", p.annID)).want(200).ids("requests"); !slices.Equal(ids, all) {
		t.Errorf("an agent sees %v", ids)
	}
	p.ann.get("/api/v2/requests?page=101").want(400)
	p.ann.get("/api/v2/requests?page[size]=1&page[after]=x").want(400)
	r := p.ann.get("/api/v2/requests/ccd?include=users,organizations").want(200)
	if len(r.member("users").([]any)) != 2 || len(r.member("organizations").([]any)) != 0 {
		t.Errorf("%s", r.body)
	}
}

// wantWalks follows a list one record at a time in both styles.
func (a *anAPI) wantWalks(path, key string, want []int64) {
	a.t.Helper()
	for _, first := range []string{path + "?page[size]=1", path + "?per_page=1"} {
		var got []int64
		for next := first; next != ""; {
			r := a.get(strings.TrimPrefix(next, "http://helpd.test")).want(200)
			got = append(got, r.ids(key)...)
			var envelope struct {
				Links    struct{ Next string }
				NextPage string `json:"next_page"`
			}
			r.json(&envelope)
			next = envelope.Links.Next + envelope.NextPage
		}
		if !slices.Equal(got, want) {
			a.t.Errorf("%s: %v, want %v", first, got, want)
		}
	}
}

func TestRequestsOfAnOrganization(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	org := p.shares(true, false)
	path := fmt.Sprintf("/api/v2/organizations/%d/requests", org)
	id := p.ann.request("Shared", fmt.Sprintf(`"organization_id":%d`, org))
	one := fmt.Sprintf("/api/v2/requests/%d", id)
	for _, who := range []*anAPI{p.ann, p.bo, p.agent} {
		if ids := who.get(path).want(200).ids("requests"); !slices.Equal(ids, []int64{id}) {
			t.Errorf("%v", ids)
		}
	}
	p.bo.get(one).want(200)
	p.bo.put(one, `{"request":{"comment":{"body":"x"}}}`).wantForbidden()
	p.bo.put(one, fmt.Sprintf(`{"request":{"additional_collaborators":[%q]}}`, p.email("bo"))).wantForbidden()
	p.put(fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"shared_comments":true}}`).want(200)
	p.bo.put(one, `{"request":{"comment":{"body":"x"}}}`).want(200)
	p.put(fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"shared_tickets":false}}`).want(200)
	p.bo.get(one).wantMissing()
	p.bo.get(path).wantForbidden()
	p.put(fmt.Sprintf("/api/v2/users/%d", p.boID), `{"user":{"ticket_restriction":"organization"}}`).want(200)
	p.bo.get(one).want(200)
	p.bo.get(path).want(200)
	stranger := p.email("stranger")
	p.user("Stranger", stranger, "end-user")
	p.as(stranger).get(path).wantMissing()
	p.as(stranger).get(one).wantMissing()
	p.agent.get("/api/v2/organizations/77/requests").wantMissing()
	p.ann.get("/api/v2/organizations/77/requests").wantMissing()
}

func TestSearchingRequests(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	printer := p.ann.request("Großer Printer 100%")
	copied := p.bo.request("Copied", fmt.Sprintf(`"collaborators":[%q]`, p.email("ann")))
	org := p.shares(true, true)
	camera := p.bo.request("Camera", fmt.Sprintf(`"organization_id":%d`, org))
	foreign := p.agent.request("Foreign printer")
	p.put(fmt.Sprintf("/api/v2/tickets/%d", printer), `{"ticket":{"comment":{"body":"hushhush","public":false},"status":"hold"}}`).want(200)
	hidden := p.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"requester_id":%d,"organization_id":null,"comment":{"body":"hushhush","public":false}}}`, p.annID)).want(201).id("ticket")
	p.put(fmt.Sprintf("/api/v2/tickets/%d", hidden), `{"ticket":{"comment":{"body":"Answer"}}}`).want(200)
	for query, want := range map[string][]int64{
		"": {hidden, camera, copied, printer}, "query=printer": {printer}, "query=GROSSER": {printer}, "query=print": {printer}, "query=gro%C3%9Fer": {printer}, "query=%25": nil, "query=%22%22": {hidden, camera, copied, printer}, "query=_": nil,
		"query=smokes": {camera, copied, printer}, "query=smokes+printer": {printer}, "query=%22it+smokes%22": {camera, copied, printer}, "query=%22smokes+it%22": nil,
		"query=hushhush": nil, "query=answer": {hidden}, "query=foreign": nil, fmt.Sprintf("organization_id=%d", org): {camera}, "cc_id=true": {copied},
		"status=hold": {printer}, "status=hold,new": {hidden, camera, copied, printer}, "sort_by=created_at&sort_order=asc&query=printer": {printer},
		"query=smokes&per_page=1&page=2": {copied}, "page[size]=1": {hidden}, "organization_id=77": nil,
		"query=%C2%A0%E3%80%80%0D": {hidden, camera, copied, printer}, "query=%22%E3%80%80%22": {hidden, camera, copied, printer}, "query=printer" + strings.Repeat("+%22+%22", 65): {printer},
		"query=printer%C2%A0smokes%E3%80%80it": {printer}, "query=" + strings.Repeat("printer+", 64): {printer}, "query=%22" + strings.Repeat("x+", 64) + "%22": nil,
	} {
		if got := p.ann.get("/api/v2/requests/search?" + query).want(200).ids("requests"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	if got := p.agent.get("/api/v2/requests/search?query=printer").want(200).ids("requests"); !slices.Equal(got, []int64{foreign}) {
		t.Errorf("an agent's own: %v", got)
	}
	p.ann.get("/api/v2/requests/search?per_page=100&page=10").want(200)
	for _, query := range []string{"per_page=100&page=11", "page=1001&per_page=1", "status=lost", "query=" + strings.Repeat("x", 1025), "query=" + strings.Repeat("x+", 65), "query=%22" + strings.Repeat("x+", 65) + "%22", "query=x+%22" + strings.Repeat("x%E3%80%80", 64) + "%22"} {
		p.ann.get("/api/v2/requests/search?"+query).wantError(422, "invalid")
	}
	p.ann.get("/api/v2/requests/search?page=0").want(400)
	p.anonymous().get("/api/v2/requests/search").want(401)
}

func TestCommentsOfARequest(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	org := p.shares(false, false)
	p.put(fmt.Sprintf("/api/v2/users/%d", p.agentID), `{"user":{"alias":"Support team"}}`).want(200)
	id := p.ann.request("Printer")
	path, ticket := fmt.Sprintf("/api/v2/requests/%d/comments", id), fmt.Sprintf("/api/v2/tickets/%d", id)
	later := theClock.Add(3_600e9)
	p.now.Store(&later)
	p.agent.put(ticket, `{"ticket":{"comment":{"body":"secret","public":false}}}`).want(200)
	p.agent.put(ticket, `{"ticket":{"comment":{"body":"Which one?"}}}`).want(200)
	token := p.ann.upload("filename=smoke.txt", "text/plain", "smoke").Upload.Token
	p.ann.put(fmt.Sprintf("/api/v2/requests/%d", id), `{"request":{"comment":{"html_body":"<b>The big one</b><script>x</script>","uploads":"`+token+`"}}}`).want(200)
	all := p.agent.get(ticket + "/comments").want(200).ids("comments")
	public := []int64{all[0], all[2], all[3]}
	r := p.ann.get(path).want(200)
	if ids := r.ids("comments"); !slices.Equal(ids, public) {
		t.Fatalf("%v, want %v", ids, public)
	}
	p.ann.wantWalks(path, "comments", public)
	if got := fmt.Sprint(r.member("users"), r.member("organizations")); got != fmt.Sprintf("[map[agent:false id:%d name:Ann organization_id:%d photo:<nil>] map[agent:true id:%d name:Support team organization_id:<nil> photo:<nil>]] [map[id:%d name:Org]]", p.annID, org, p.agentID, org) {
		t.Errorf("beside: %s", got)
	}
	for query, want := range map[string][]int64{
		"role=agent": public[1:2], "role=end_user": {public[0], public[2]}, "since=2026-03-04T06:00:00Z": public[1:], "since=2026-03-04T05:06:07Z": public,
		"sort_by=created_at&sort_order=desc": {public[2], public[1], public[0]}, "page[size]=10&sort=-created_at": {public[2], public[1], public[0]},
		"sort_by=updated_at&since=2027-01-01": nil,
	} {
		if got := p.ann.get(path + "?" + query).want(200).ids("comments"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	one := fmt.Sprintf("%s/%d", path, public[2])
	r = p.ann.get(one).want(200)
	file := fmt.Sprint(r.member("comment", "attachments", 0, "file_name"))
	if file != "smoke.txt" || r.member("comment", "plain_body") != "The big one" || r.member("comment", "url") != "http://helpd.test"+one+".json" ||
		fmt.Sprint(r.member("comment", "request_id")) != fmt.Sprint(id) || strings.Contains(string(r.body), "script") {
		t.Errorf("%s", r.body)
	}
	p.ann.get(fmt.Sprintf("%s/%d", path, all[1])).wantMissing()
	p.agent.get(fmt.Sprintf("%s/%d", path, all[1])).wantMissing()
	p.ann.get(path + "/77").wantMissing()
	p.bo.get(path).wantMissing()
	p.bo.get(one).wantMissing()
	p.ann.get(path+"?role=admin").want(400).wantSubset(t, "role must be agent or end_user")
	p.ann.get(path+"?since=yesterday").want(400).wantSubset(t, "since")
	p.anonymous().get(path).want(http.StatusUnauthorized)
}
