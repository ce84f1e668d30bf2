package main

import (
	"encoding/json"
	"html"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/tickets"
)

// rows are those of some tickets.
type rows struct{ tickets, metrics, metricEvents, audits, comments [][]any }

type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (b *rows) tables() []table {
	return []table{
		{"tickets", []string{"account_id", "id", "subject", "description", "status", "custom_status_id", "type", "priority", "requester_id",
			"submitter_id", "assignee_id", "group_id", "organization_id", "brand_id", "ticket_form_id", "external_id", "via", "tags",
			"custom_fields", "follower_ids", "email_cc_ids", "due_at", "is_public", "comment_count", "incident_count", "followup_ids",
			"created_at", "updated_at", "generated_at", "solved_at"}, b.tickets},
		{"ticket_metrics", []string{"account_id", "ticket_id", "group_stations", "assignee_stations", "reopens", "replies",
			"assignee_updated_at", "requester_updated_at", "status_updated_at", "initially_assigned_at", "assigned_at", "solved_at",
			"first_solved_at", "first_replied_at", "latest_comment_added_at", "custom_status_updated_at", "agent_wait_seconds",
			"requester_wait_seconds", "on_hold_seconds", "clocks", "business_clocks", "sla", "created_at", "updated_at"}, b.metrics},
		{"ticket_metric_events", []string{"account_id", "ticket_id", "time", "events"}, b.metricEvents},
		{"audits", []string{"account_id", "id", "ticket_id", "author_id", "via", "metadata", "events", "created_at", "ruled"}, b.audits},
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
	ID          int64     `json:"id"`
	Type        string    `json:"type"`
	Value       *any      `json:"value,omitempty"`
	Field       string    `json:"field_name,omitempty"`
	Previous    *any      `json:"previous_value,omitempty"`
	PreviousCCs *[]string `json:"previous_email_ccs,omitempty"`
	CurrentCCs  *[]string `json:"current_email_ccs,omitempty"`
}

// telling is a ticket on its way through its story. Each save of it leaves the
// rows that helpd leaves, as a test holds.
type telling struct {
	story
	f      *filler
	b      *rows
	t      models.Ticket
	m      models.TicketMetric
	audit  int64  // of the save under way
	events []told // of the audit

	targets sla.State // of which there are none: the clocks alone
}

// ticket makes one ticket's rows.
func (f *filler) ticket(b *rows, id int64) {
	l := &telling{story: f.story(id), f: f, b: b}
	l.ask()
	l.reply()
	l.bringToStatus()
	if !l.closed.IsZero() {
		l.close()
	}
	l.rows()
	for _, tag := range l.t.Tags {
		f.tags[tag]++
	}
}

// ask is the first save: an admin's program makes the ticket for the requester.
func (l *telling) ask() {
	f := l.f
	tags := l.tags
	if product, ok := l.fields[text(f.fields.product)]; ok {
		tags = append(tags, product.(string))
	}
	l.t = models.Ticket{
		Subject: &l.subject, Description: l.question, Status: models.StatusNew, CustomStatusID: f.statuses[models.StatusNew], Type: l.kind,
		Priority: l.priority, RequesterID: l.requester, SubmitterID: l.requester, OrganizationID: &l.organization, BrandID: f.brand,
		TicketFormID: &f.form, ExternalID: l.external, Tags: tags, EmailCCIDs: l.copied, DueAt: l.due, IsPublic: true,
	}
	l.m = models.TicketMetric{StatusUpdatedAt: &l.asked, CustomStatusUpdatedAt: &l.asked}
	l.begin()
	l.comment(l.requester, true, l.question, l.asked)
	l.tellCreated()
	l.save(f.admin, l.asked, models.Ticket{}, tickets.Step{Created: true, Asked: true}, &sla.Said{Public: true, Requester: true})
}

// tellCreated tells the fields in helpd's order.
func (l *telling) tellCreated() {
	f, t := l.f, &l.t
	l.created("subject", l.subject)
	l.created("requester_id", text(l.requester))
	l.created("organization_id", text(l.organization))
	l.created("brand_id", text(f.brand))
	l.created("ticket_form_id", text(f.form))
	l.created("custom_status_id", text(t.CustomStatusID))
	l.created("status", t.Status)
	l.created("priority", t.Priority)
	l.created("type", t.Type)
	if len(t.Tags) > 0 {
		l.created("tags", t.Tags)
	}
	if t.ExternalID != nil {
		l.created("external_id", *t.ExternalID)
	}
	if t.DueAt != nil {
		l.created("due_at", t.DueAt.Format("2006-01-02T15:04:05Z"))
	}
	for _, field := range []int64{f.fields.order, f.fields.product, f.fields.urgent, f.fields.seats} {
		if value, ok := l.fields[text(field)]; ok {
			l.created(text(field), value)
		}
	}
	if len(l.copied) > 0 {
		current := []string{}
		for _, id := range l.copied {
			current = append(current, f.w.email(id))
		}
		l.tell(told{Type: "EmailCcChange", PreviousCCs: &[]string{}, CurrentCCs: &current})
	}
}

// reply is the agent's, who takes the ticket unless it stays new.
func (l *telling) reply() {
	before, m, at := l.t, &l.m, &l.answered
	l.begin()
	l.comment(l.agent, true, l.answer, l.answered)
	if l.assigned {
		l.turn(models.StatusOpen, l.answered)
		l.t.AssigneeID, l.t.GroupID = &l.agent, &l.group
		l.changed("assignee_id", nil, text(l.agent))
		l.changed("group_id", nil, text(l.group))
		m.GroupStations, m.AssigneeStations, m.InitiallyAssignedAt, m.AssignedAt, m.AssigneeUpdatedAt = 1, 1, at, at, at
	}
	m.Replies, m.FirstRepliedAt = 1, at
	l.save(l.agent, l.answered, before, tickets.Step{Replied: true}, &sla.Said{Public: true, By: sla.Agent})
}

// bringToStatus is the agent's third comment.
func (l *telling) bringToStatus() {
	before, m := l.t, &l.m
	l.begin()
	l.comment(l.agent, l.publicly, l.thirdOne, l.last)
	if l.status != l.t.Status {
		l.turn(l.status, l.last)
	}
	if l.status == models.StatusSolved {
		m.SolvedAt, m.FirstSolvedAt, l.t.SolvedAt = &l.last, &l.last, &l.last
	}
	if l.assigned {
		m.AssigneeUpdatedAt = &l.last
	}
	if l.publicly {
		m.Replies++
	}
	l.save(l.agent, l.last, before, tickets.Step{Replied: l.publicly}, &sla.Said{Public: l.publicly, By: sla.Agent})
}

func (l *telling) close() {
	before := l.t
	l.begin()
	l.t.Status = models.StatusClosed
	l.changed("status", before.Status, l.t.Status)
	l.m.StatusUpdatedAt, l.m.AssigneeUpdatedAt = &l.closed, &l.closed
	l.save(l.agent, l.closed, before, tickets.Step{}, nil)
}

// turn brings the ticket to a status. What it was in till then, new or open, its
// requester waited for.
func (l *telling) turn(status string, at time.Time) {
	t, m := &l.t, &l.m
	m.RequesterWaitSeconds += int64(at.Sub(*m.StatusUpdatedAt) / time.Second)
	m.StatusUpdatedAt, m.CustomStatusUpdatedAt = &at, &at
	custom := l.f.statuses[status]
	l.changed("custom_status_id", text(t.CustomStatusID), text(custom))
	l.changed("status", t.Status, status)
	t.Status, t.CustomStatusID = status, custom
}

// begin takes the ids of the next save.
func (l *telling) begin() {
	l.audit, l.events = l.f.nextAudit, nil
	l.f.nextAudit += 64
}

func (l *telling) tell(e told) (id int64) {
	e.ID = l.audit + int64(len(l.events)) + 1
	l.events = append(l.events, e)
	return e.ID
}

func (l *telling) created(field string, value any) {
	l.tell(told{Type: "Create", Value: &value, Field: field})
}

func (l *telling) changed(field string, from, to any) {
	l.tell(told{Type: "Change", Value: &to, Field: field, Previous: &from})
}

// comment tells of one and adds its row.
func (l *telling) comment(author int64, public bool, body string, at time.Time) {
	id := l.tell(told{Type: "Comment"})
	page := `<div class="zd-comment" dir="auto"><p dir="auto">` + html.EscapeString(body) + `</p></div>`
	l.b.comments = append(l.b.comments, []any{l.f.w.account, id, l.ticket, l.audit, author, "Comment", public, body, page, body, via, metadata, false, at})
	l.t.CommentCount++
	l.m.LatestCommentAddedAt = &at
}

// save adds the rows of a save that is told.
func (l *telling) save(author int64, at time.Time, before models.Ticket, step tickets.Step, said *sla.Said) {
	if before.Status != models.StatusClosed {
		l.targets.Step(sla.Moment{At: at.Unix(), Status: l.t.Status, Created: step.Created, Said: said}, sla.Promised{})
	}
	step.At, step.Before, step.After = at, &before, &l.t
	if events := step.Run(&l.m); events != nil {
		l.b.metricEvents = append(l.b.metricEvents, []any{l.f.w.account, l.ticket, at.Truncate(time.Second), json.RawMessage(events)})
	}
	l.b.audits = append(l.b.audits, []any{l.f.w.account, l.audit, l.ticket, author, via, metadata, json.RawMessage(models.ToJSON(l.events)), at, true})
	l.t.UpdatedAt = at
}

// rows adds those that the ticket has at the end.
func (l *telling) rows() {
	t, m, a := &l.t, &l.m, l.f.w.account
	none := []int64{}
	copied := none
	if l.copied != nil {
		copied = l.copied
	}
	l.b.tickets = append(l.b.tickets, []any{a, l.ticket, t.Subject, t.Description, t.Status, t.CustomStatusID, t.Type, t.Priority, t.RequesterID,
		t.SubmitterID, t.AssigneeID, t.GroupID, t.OrganizationID, t.BrandID, t.TicketFormID, t.ExternalID, via, []string(t.Tags), l.fields, none,
		copied, t.DueAt, t.IsPublic, t.CommentCount, 0, none, l.asked, t.UpdatedAt, t.UpdatedAt, t.SolvedAt})
	l.b.metrics = append(l.b.metrics, []any{a, l.ticket, m.GroupStations, m.AssigneeStations, m.Reopens, m.Replies, m.AssigneeUpdatedAt,
		m.RequesterUpdatedAt, m.StatusUpdatedAt, m.InitiallyAssignedAt, m.AssignedAt, m.SolvedAt, m.FirstSolvedAt, m.FirstRepliedAt,
		m.LatestCommentAddedAt, m.CustomStatusUpdatedAt, m.AgentWaitSeconds, m.RequesterWaitSeconds, m.OnHoldSeconds, []int64(m.Clocks), []int64(m.BusinessClocks), json.RawMessage(models.ToJSON(l.targets)),
		l.asked, t.UpdatedAt})
}
