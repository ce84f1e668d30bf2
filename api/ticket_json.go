package api

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/tickets"
)

// ticketExtras are what side-loading puts inside tickets.
type ticketExtras struct {
	metrics                 map[int64]models.TicketMetric // nil: not asked for
	sets, dates             bool
	commentCount, incidents bool
}

// appendTicket appends a ticket in the contract's form and order. Tickets are
// answered by the hundred; this takes a fifth of what encoding/json does. The
// tests hold it against openapi.yaml.
func appendTicket(ctx context.Context, b []byte, base string, t *models.Ticket, config *fields.Config, x ticketExtras) []byte {
	b = append(b, `{"url":"`...)
	b = append(b, base...)
	b = append(b, "/api/v2/tickets/"...)
	b = strconv.AppendInt(b, t.ID, 10)
	b = append(b, `.json","id":`...)
	b = strconv.AppendInt(b, t.ID, 10)
	b = append(b, `,"external_id":`...)
	b = wire.AppendOptional(b, t.ExternalID)
	b = append(b, `,"via":`...)
	b = append(b, t.Via...)
	b = append(b, `,"created_at":`...)
	b = wire.AppendTime(b, t.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = wire.AppendTime(b, t.UpdatedAt)
	b = append(b, `,"type":`...)
	b = wire.AppendOptional(b, t.Type)
	b = append(b, `,"subject":`...)
	b = wire.AppendOptional(b, t.Subject)
	b = append(b, `,"raw_subject":`...)
	b = wire.AppendOptional(b, t.Subject)
	b = append(b, `,"description":`...)
	b = wire.AppendString(b, t.Description)
	b = append(b, `,"priority":`...)
	b = wire.AppendOptional(b, t.Priority)
	b = append(b, `,"status":`...)
	b = wire.AppendString(b, statusOf(t))
	b = append(b, `,"recipient":`...)
	b = wire.AppendOptional(b, t.Recipient)
	b = append(b, `,"requester_id":`...)
	b = strconv.AppendInt(b, t.RequesterID, 10)
	b = append(b, `,"submitter_id":`...)
	b = strconv.AppendInt(b, t.SubmitterID, 10)
	b = append(b, `,"assignee_id":`...)
	b = wire.AppendID(b, t.AssigneeID)
	b = append(b, `,"organization_id":`...)
	b = wire.AppendID(b, t.OrganizationID)
	b = append(b, `,"group_id":`...)
	b = wire.AppendID(b, t.GroupID)
	b = append(b, `,"collaborator_ids":`...)
	b = wire.AppendIDs(b, collaboratorIDs(t))
	b = append(b, `,"follower_ids":`...)
	b = wire.AppendIDs(b, t.FollowerIDs)
	b = append(b, `,"email_cc_ids":`...)
	b = wire.AppendIDs(b, t.EmailCCIDs)
	b = append(b, `,"forum_topic_id":null,"problem_id":`...)
	b = wire.AppendID(b, t.ProblemID)
	b = append(b, `,"has_incidents":`...)
	b = strconv.AppendBool(b, t.IncidentCount > 0)
	b = append(b, `,"is_public":`...)
	b = strconv.AppendBool(b, t.IsPublic)
	b = append(b, `,"due_at":`...)
	b = wire.AppendOptionalTime(b, t.DueAt)
	b = append(b, `,"tags":`...)
	b = wire.AppendStrings(b, t.Tags)
	b = append(b, `,"custom_fields":`...)
	start := len(b)
	b = config.AppendJSON(b, t.CustomFields)
	values := b[start:len(b):len(b)]
	b = append(b, `,"satisfaction_rating":`...)
	b = wire.AppendRaw(b, t.Satisfaction)
	b = append(b, `,"sharing_agreement_ids":[],"custom_status_id":`...)
	b = strconv.AppendInt(b, t.CustomStatusID, 10)
	b = append(b, `,"fields":`...)
	b = append(b, values...)
	b = append(b, `,"followup_ids":`...)
	b = wire.AppendIDs(b, t.FollowupIDs)
	b = append(b, `,"ticket_form_id":`...)
	b = wire.AppendID(b, t.TicketFormID)
	b = append(b, `,"brand_id":`...)
	b = strconv.AppendInt(b, t.BrandID, 10)
	b = append(b, `,"allow_channelback":false,"allow_attachments":true,"from_messaging_channel":false`...)
	b = x.append(ctx, b, t)
	return append(b, '}')
}

func (x ticketExtras) append(ctx context.Context, b []byte, t *models.Ticket) []byte {
	if m, ok := x.metrics[t.ID]; ok {
		if x.sets {
			b = append(append(b, `,"metric_set":`...), models.ToJSON(metricJSON(ctx, m, t))...)
		}
		if x.dates {
			b = append(append(b, `,"dates":`...), models.ToJSON(datesJSON(m))...)
		}
	}
	if x.commentCount {
		b = strconv.AppendInt(append(b, `,"comment_count":`...), int64(t.CommentCount), 10)
	}
	if x.incidents {
		b = strconv.AppendInt(append(b, `,"incident_count":`...), int64(t.IncidentCount), 10)
	}
	return b
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
}

func auditEvents(ctx context.Context, a tickets.AuditRecord) []wire.Raw {
	var events []wire.Raw
	_ = json.Unmarshal(a.Events, &events) // written by ourselves
	for i, raw := range events {
		var e struct{ ID int64 }
		_ = json.Unmarshal(raw, &e)
		if c, ok := a.Comments[e.ID]; ok {
			events[i] = wire.Raw(models.ToJSON(auditComment{
				c.ID, c.Type, c.AuthorID, c.Body, c.HTMLBody, c.PlainBody, c.Public, commentFiles(ctx, c, true), c.AuditID,
			}))
		}
	}
	return events
}
