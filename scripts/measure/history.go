package main

import (
	"encoding/json"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
)

var (
	priorities = []string{"low", "normal", "normal", "normal", "high", "urgent"}
	kinds      = []string{models.TypeQuestion, models.TypeQuestion, models.TypeIncident, models.TypeProblem, models.TypeTask}
	products   = []string{"camera", "printer", "router", "scanner", "phone", "tablet"}
	words      = strings.Fields(`the a we you it of to in for with on is was not order account password printer invoice delivery screen
		update error message please help since yesterday again customer reset login page report device battery cable refund address
		shipment missing broken late charged twice cannot open file format server slow timeout connection license key expired renew
		upgrade plan cancel subscription contact team manager question about new version feature works before after install`)
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func sentence(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(pick(r, words))
	}
	return b.String()
}

// paragraph is of 20 to 100 words, about 330 letters on average.
func paragraph(r *rand.Rand) string { return sentence(r, 20+r.IntN(80)) + "." }

// someTags are up to n tags, of which a few are on many tickets.
func someTags(r *rand.Rand, n int) []string {
	tags := []string{}
	for range r.IntN(n + 1) {
		tag := fmt.Sprintf("topic_%d", int(math.Pow(r.Float64(), 3)*tagCount))
		if !contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// rows are those of some tickets.
type rows struct{ tickets, metrics, audits, comments [][]any }

type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (b *rows) tables() []table {
	return []table{
		{"tickets", []string{"account_id", "id", "subject", "description", "status", "custom_status_id", "type", "priority", "requester_id",
			"submitter_id", "assignee_id", "group_id", "organization_id", "brand_id", "ticket_form_id", "via", "tags", "custom_fields",
			"follower_ids", "email_cc_ids", "due_at", "is_public", "comment_count", "incident_count", "followup_ids", "created_at",
			"updated_at", "generated_at", "solved_at"}, b.tickets},
		{"ticket_metrics", []string{"account_id", "ticket_id", "group_stations", "assignee_stations", "reopens", "replies",
			"assignee_updated_at", "requester_updated_at", "status_updated_at", "initially_assigned_at", "assigned_at", "solved_at",
			"first_solved_at", "first_replied_at", "latest_comment_added_at", "custom_status_updated_at", "agent_wait_seconds",
			"requester_wait_seconds", "on_hold_seconds", "created_at", "updated_at"}, b.metrics},
		{"audits", []string{"account_id", "id", "ticket_id", "author_id", "via", "metadata", "events", "created_at"}, b.audits},
		{"comments", []string{"account_id", "id", "ticket_id", "audit_id", "author_id", "type", "public", "body", "html_body", "plain_body",
			"via", "metadata", "has_attachments", "created_at"}, b.comments},
	}
}

var (
	via      = json.RawMessage(`{"channel":"api","source":{"from":{},"to":{},"rel":null}}`)
	metadata = json.RawMessage(`{"custom":{},"system":{"client":"bench/1","ip_address":"127.0.0.1","latitude":null,"location":null,"longitude":null}}`)
)

// told is an event of an audit, as helpd keeps it.
type told struct {
	ID       int64  `json:"id"`
	Type     string `json:"type"`
	Value    *any   `json:"value,omitempty"`
	Field    string `json:"field_name,omitempty"`
	Previous *any   `json:"previous_value,omitempty"`
}

// audit is one save of a ticket in the making.
type audit struct {
	id     int64
	events []told
}

func (f *filler) audit() *audit {
	a := &audit{id: f.nextAudit}
	f.nextAudit += 64
	return a
}

func (a *audit) created(field string, value any) {
	a.events = append(a.events, told{ID: a.id + int64(len(a.events)) + 1, Type: "Create", Value: &value, Field: field})
}

func (a *audit) changed(field string, from, to any) {
	a.events = append(a.events, told{ID: a.id + int64(len(a.events)) + 1, Type: "Change", Value: &to, Field: field, Previous: &from})
}

// commented adds the row of a comment too.
func (f *filler) commented(b *rows, a *audit, ticket, author int64, public bool, body string, at time.Time) {
	id := a.id + int64(len(a.events)) + 1
	a.events = append(a.events, told{ID: id, Type: "Comment"})
	page := `<div class="zd-comment" dir="auto"><p dir="auto">` + html.EscapeString(body) + `</p></div>`
	b.comments = append(b.comments, []any{f.w.account, id, ticket, a.id, author, "Comment", public, body, page, body, via, metadata, false, at})
}

func (f *filler) saved(b *rows, a *audit, ticket, author int64, at time.Time) {
	b.audits = append(b.audits, []any{f.w.account, a.id, ticket, author, via, metadata, json.RawMessage(models.ToJSON(a.events)), at})
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// statusOf has the oldest 70% of the tickets solved or closed and the others not.
func (f *filler) statusOf(id int64) string {
	switch age, p := float64(id)/float64(f.count), f.r.Float64(); {
	case age <= 0.6:
		return models.StatusClosed
	case age <= 0.7:
		return models.StatusSolved
	case p < 0.15:
		return models.StatusNew
	case p < 0.6:
		return models.StatusOpen
	case p < 0.9:
		return models.StatusPending
	}
	return models.StatusHold
}

// ticket makes one ticket's rows: the requester asks, an agent takes it and
// answers, a third comment brings it to its status, time closes it.
func (f *filler) ticket(b *rows, id int64) {
	r := f.r
	created := f.now.Add(-time.Duration(float64(2*365*24*time.Hour) * (1 - float64(id)/float64(f.count+1))))
	answered := created.Add(time.Duration(1+r.IntN(300)) * time.Minute)
	last := answered.Add(time.Duration(1+r.IntN(3000)) * time.Minute)
	if last.After(f.now) {
		answered, last = created, f.now
	}
	requester := f.firstUser + r.Int64N(int64(usersFor(f.count)))
	organization := f.organizationOf(requester)
	agent := f.agents[int(math.Pow(r.Float64(), 2)*agentCount)]
	group, status := *f.groupOf(agent), f.statusOf(id)
	subject, description := sentence(r, 4+r.IntN(8)), paragraph(r)
	tags, fields := someTags(r, 4), object{}
	var kind, priority *string
	if r.IntN(4) > 0 {
		kind = new(pick(r, kinds))
	}
	if r.IntN(5) > 0 {
		priority = new(pick(r, priorities))
	}
	if r.IntN(2) == 0 {
		fields[text(f.fields.order)] = fmt.Sprintf("A-%d", r.IntN(1e6))
	}
	if r.IntN(2) == 0 {
		product := pick(r, products)
		fields[text(f.fields.product)], tags = product, append(tags, product)
	}
	if r.IntN(4) == 0 {
		fields[text(f.fields.urgent)] = true
	}
	if r.IntN(4) == 0 {
		fields[text(f.fields.seats)] = r.IntN(500)
	}
	for _, tag := range tags {
		f.tags[tag]++
	}

	a := f.audit()
	f.commented(b, a, id, requester, true, description, created)
	a.created("subject", subject)
	a.created("requester_id", text(requester))
	a.created("organization_id", text(*organization))
	a.created("brand_id", text(f.brand))
	a.created("ticket_form_id", text(f.form))
	a.created("custom_status_id", text(f.statuses[models.StatusNew]))
	a.created("status", models.StatusNew)
	a.created("priority", priority)
	a.created("type", kind)
	if len(tags) > 0 {
		a.created("tags", tags)
	}
	for _, field := range []int64{f.fields.order, f.fields.product, f.fields.urgent, f.fields.seats} {
		if value, ok := fields[text(field)]; ok {
			a.created(text(field), value)
		}
	}
	f.saved(b, a, id, requester, created)

	assigned := status != models.StatusNew
	a = f.audit()
	f.commented(b, a, id, agent, true, paragraph(r), answered)
	if assigned {
		a.changed("custom_status_id", text(f.statuses[models.StatusNew]), text(f.statuses[models.StatusOpen]))
		a.changed("status", models.StatusNew, models.StatusOpen)
		a.changed("assignee_id", nil, text(agent))
		a.changed("group_id", nil, text(group))
	}
	f.saved(b, a, id, agent, answered)

	before := models.StatusOpen
	third := status
	if status == models.StatusClosed {
		third = models.StatusSolved
	}
	a = f.audit()
	f.commented(b, a, id, agent, r.IntN(4) > 0, paragraph(r), last)
	if assigned && third != before {
		a.changed("custom_status_id", text(f.statuses[before]), text(f.statuses[third]))
		a.changed("status", before, third)
	}
	f.saved(b, a, id, agent, last)
	updated := last
	if status == models.StatusClosed {
		updated = last.AddDate(0, 0, 4)
		if updated.After(f.now) {
			updated = f.now
		}
		a = f.audit()
		a.changed("status", models.StatusSolved, models.StatusClosed)
		f.saved(b, a, id, models.SystemUser, updated)
	}

	var assignee, assignedGroup *int64
	var taken, solved, due *time.Time
	stations := 0
	if assigned {
		assignee, assignedGroup, taken, stations = &agent, &group, &answered, 1
	}
	if third == models.StatusSolved {
		solved = &last
	}
	if kind != nil && *kind == models.TypeTask {
		due = new(created.AddDate(0, 0, 7).Truncate(time.Second))
	}
	custom := f.statuses[third]
	b.tickets = append(b.tickets, []any{f.w.account, id, subject, description, status, custom, kind, priority, requester, requester, assignee,
		assignedGroup, organization, f.brand, f.form, via, tags, fields, []int64{}, []int64{}, due, true, 3, 0, []int64{}, created, updated, updated, solved})
	wait := int64(0)
	if assigned {
		wait = int64(answered.Sub(created) / time.Second)
	}
	b.metrics = append(b.metrics, []any{f.w.account, id, stations, stations, 0, 2, taken, created, updated, taken, taken, solved, solved, answered, last,
		updated, 0, wait, 0, created, updated})
}
