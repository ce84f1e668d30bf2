package api

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/tickets"
)

// ticketExtras are what side-loading puts inside tickets.
type ticketExtras struct {
	metrics                 map[int64]models.TicketMetric // nil: not asked for
	events                  map[int64][]tickets.MetricEvent
	targets                 map[int64][]sla.Shown
	sets, dates             bool
	commentCount, incidents bool
	comment                 wire.Raw // that a macro drafts
}

// appendTicket appends a ticket in the contract's form and order, without
// reflection, because tickets are answered by the hundred. The tests hold it
// against openapi.yaml.
func appendTicket(ctx context.Context, b []byte, base string, t *models.Ticket, config *fields.Config, x ticketExtras) []byte {
	o := wire.BeginObject(b)
	o.Value("url", func(b []byte) []byte {
		b = wire.AppendString(b, base)
		b = append(b[:len(b)-1], "/api/v2/tickets/"...)
		return append(strconv.AppendInt(b, t.ID, 10), `.json"`...)
	})
	o.Int("id", t.ID)
	o.Optional("external_id", t.ExternalID)
	o.Raw("via", t.Via)
	o.Time("created_at", t.CreatedAt)
	o.Time("updated_at", t.UpdatedAt)
	o.Optional("type", t.Type)
	o.Optional("subject", renderedSubject(ctx, t))
	o.Optional("raw_subject", t.Subject)
	o.String("description", t.Description)
	o.Optional("priority", t.Priority)
	o.String("status", statusOf(t))
	o.Optional("recipient", t.Recipient)
	o.Int("requester_id", t.RequesterID)
	o.Int("submitter_id", t.SubmitterID)
	o.ID("assignee_id", t.AssigneeID)
	o.ID("organization_id", t.OrganizationID)
	o.ID("group_id", t.GroupID)
	o.IDs("collaborator_ids", collaboratorIDs(t))
	o.IDs("follower_ids", t.FollowerIDs)
	o.IDs("email_cc_ids", t.EmailCCIDs)
	o.Raw("forum_topic_id", nil)
	o.ID("problem_id", t.ProblemID)
	o.Bool("has_incidents", t.IncidentCount > 0)
	o.Bool("is_public", t.IsPublic)
	o.OptionalTime("due_at", t.DueAt)
	o.Strings("tags", t.Tags)
	values := o.Value("custom_fields", func(b []byte) []byte { return config.AppendJSON(b, t.CustomFields) })
	o.Raw("satisfaction_rating", t.Satisfaction)
	o.IDs("sharing_agreement_ids", nil)
	o.Int("custom_status_id", t.CustomStatusID)
	o.Again("fields", values) // the same, as the original has it
	o.IDs("followup_ids", t.FollowupIDs)
	o.ID("ticket_form_id", t.TicketFormID)
	o.Int("brand_id", t.BrandID)
	o.Bool("allow_channelback", false)
	o.Bool("allow_attachments", true)
	o.Bool("from_messaging_channel", false)
	x.add(ctx, &o, t)
	return o.End()
}

// add adds what the caller side-loads into each ticket.
func (x ticketExtras) add(ctx context.Context, o *wire.Object, t *models.Ticket) {
	if m, ok := x.metrics[t.ID]; ok {
		if x.sets {
			o.Raw("metric_set", models.ToJSON(metricJSON(ctx, m, t)))
		}
		if x.dates {
			o.Raw("dates", models.ToJSON(datesJSON(m)))
		}
	}
	if x.events != nil {
		o.Raw("metric_events", models.ToJSON(metricEventsByName(x.events[t.ID])))
	}
	if x.targets != nil {
		o.Raw("slas", models.ToJSON(gen.TicketSLAs{PolicyMetrics: each(x.targets[t.ID], targetJSON)}))
	}
	if x.comment != nil {
		o.Raw("comment", x.comment)
	}
	if x.commentCount {
		o.Int("comment_count", int64(t.CommentCount))
	}
	if x.incidents {
		o.Int("incident_count", int64(t.IncidentCount))
	}
}

// statusOf is the status on the wire, where a deleted ticket has one of its own.
func statusOf(t *models.Ticket) string {
	if t.DeletedAt != nil {
		return "deleted"
	}
	return t.Status
}

// collaboratorIDs are followers and CCs, each once.
func collaboratorIDs(t *models.Ticket) []int64 {
	if len(t.FollowerIDs) == 0 {
		return t.EmailCCIDs
	}
	ids := slices.Clone(t.FollowerIDs)
	for _, id := range t.EmailCCIDs {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func commentJSON(ctx context.Context, c tickets.CommentRecord, inline bool) gen.TicketComment {
	return gen.TicketComment{
		ID: c.ID, Type: c.Type, AuthorID: c.AuthorID, Body: c.Body, HTMLBody: c.HTMLBody, PlainBody: c.PlainBody, Public: c.Public,
		Attachments: commentFiles(ctx, c, inline), AuditID: c.AuditID, Via: wire.Raw(c.Via), CreatedAt: wire.Time(c.CreatedAt),
		Metadata: wire.Raw(c.Metadata),
	}
}

func commentFiles(ctx context.Context, c tickets.CommentRecord, inline bool) []gen.Attachment {
	list := make([]gen.Attachment, 0, len(c.Files))
	for _, f := range c.Files {
		if !f.Inline || inline {
			list = append(list, attachmentJSON(ctx, f))
		}
	}
	return list
}

func auditJSON(ctx context.Context, a tickets.AuditRecord) gen.TicketAudit {
	return gen.TicketAudit{
		ID: a.ID, TicketID: a.TicketID, CreatedAt: wire.Time(a.CreatedAt), AuthorID: a.AuthorID, Metadata: wire.Raw(a.Metadata),
		Events: auditEvents(ctx, a), Via: wire.Raw(a.Via),
	}
}

// auditComment is a comment as an event of an audit shows it.
type auditComment struct {
	ID          int64            `json:"id"`
	Type        string           `json:"type"`
	AuthorID    int64            `json:"author_id"`
	Body        string           `json:"body"`
	HTMLBody    string           `json:"html_body"`
	PlainBody   string           `json:"plain_body"`
	Public      bool             `json:"public"`
	Attachments []gen.Attachment `json:"attachments"`
	AuditID     int64            `json:"audit_id"`
	Via         json.RawMessage  `json:"via,omitempty"` // of a rule's; absent: the audit's
}

func commentOfAudit(ctx context.Context, c tickets.CommentRecord, via string) auditComment {
	return auditComment{
		c.ID, c.Type, c.AuthorID, c.Body, c.HTMLBody, c.PlainBody, c.Public, commentFiles(ctx, c, true), c.AuditID, json.RawMessage(via),
	}
}

func auditEvents(ctx context.Context, a tickets.AuditRecord) []wire.Raw {
	events := []wire.Raw{}
	gjson.ParseBytes(a.Events).ForEach(func(_, event gjson.Result) bool {
		raw := wire.Raw(event.Raw)
		if c, ok := a.Comments[event.Get("id").Int()]; ok {
			raw = wire.Raw(models.ToJSON(commentOfAudit(ctx, c, event.Get("via").Raw)))
		}
		events = append(events, raw)
		return true
	})
	return events
}
