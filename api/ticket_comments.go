package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
)

func (h ticketHandlers) ListTicketComments(ctx context.Context, r gen.ListTicketCommentsRequestObject) (gen.ListTicketCommentsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	by := auth.From(ctx)
	list, err := h.tickets.Comments(ctx, by, int64(r.TicketID), p)
	if err != nil {
		return nil, err
	}
	inline := r.Params.IncludeInlineImages != nil && bool(*r.Params.IncludeInlineImages)
	l := listing(ctx, "comments", page.Map(list, func(c tickets.CommentRecord) gen.TicketComment { return commentJSON(ctx, c, inline) }))
	if includes(ctx, "users") {
		err = h.addUsers(ctx, &l, idsOf(list.Items, func(c tickets.CommentRecord) []int64 { return []int64{c.AuthorID} }))
	}
	return gen.ListTicketComments200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) addUsers(ctx context.Context, l *wire.Listing, ids []int64) error {
	found, err := h.users.ByIDs(ctx, auth.From(ctx).AccountID, ids)
	l.Add("users", each(found, func(u models.User) gen.User { return userJSON(ctx, u) }))
	return err
}

func (h ticketHandlers) CountTicketComments(ctx context.Context, r gen.CountTicketCommentsRequestObject) (gen.CountTicketCommentsResponseObject, error) {
	n, at, err := h.tickets.CountComments(ctx, auth.From(ctx), int64(r.TicketID))
	return gen.CountTicketComments200JSONResponse(countJSON(n, at)), err
}

func (h ticketHandlers) MakeTicketCommentPrivate(ctx context.Context, r gen.MakeTicketCommentPrivateRequestObject) (gen.MakeTicketCommentPrivateResponseObject, error) {
	err := h.tickets.MakePrivate(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketCommentID))
	return gen.MakeTicketCommentPrivate200JSONResponse{}, err
}

func (h ticketHandlers) RedactStringInComment(ctx context.Context, r gen.RedactStringInCommentRequestObject) (gen.RedactStringInCommentResponseObject, error) {
	c, err := h.tickets.Redact(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketCommentID), string(r.Body.Text))
	return gen.RedactStringInComment200JSONResponse{Comment: commentJSON(ctx, c, false)}, err
}

func (h ticketHandlers) RedactTicketCommentInAgentWorkspace(ctx context.Context, r gen.RedactTicketCommentInAgentWorkspaceRequestObject) (gen.RedactTicketCommentInAgentWorkspaceResponseObject, error) {
	c, err := h.tickets.RedactMarked(ctx, auth.From(ctx), int64(or(r.Body.TicketID, 0)), int64(r.TicketCommentID), tickets.Marked{
		HTML: string(orZero(r.Body.HTMLBody)), Addresses: r.Body.ExternalAttachmentUrls,
	})
	return gen.RedactTicketCommentInAgentWorkspace200JSONResponse{Comment: commentJSON(ctx, c, false)}, err
}

func (h ticketHandlers) RedactCommentAttachment(ctx context.Context, r gen.RedactCommentAttachmentRequestObject) (gen.RedactCommentAttachmentResponseObject, error) {
	f, err := h.tickets.RedactAttachment(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketCommentID), int64(r.AttachmentID))
	return gen.RedactCommentAttachment200JSONResponse{Attachment: attachmentJSON(ctx, f)}, err
}

func (h ticketHandlers) ListAuditsForTicket(ctx context.Context, r gen.ListAuditsForTicketRequestObject) (gen.ListAuditsForTicketResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.tickets.Audits(ctx, auth.From(ctx), int64(r.TicketID), p)
	if err != nil {
		return nil, err
	}
	l := listing(ctx, "audits", mapped(ctx, list, auditJSON))
	err = h.addAuditSideLoads(ctx, &l, list.Items)
	return gen.ListAuditsForTicket200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) addAuditSideLoads(ctx context.Context, l *wire.Listing, list []tickets.AuditRecord) error {
	if includes(ctx, "users") {
		if err := h.addUsers(ctx, l, idsOf(list, func(a tickets.AuditRecord) []int64 { return []int64{a.AuthorID} })); err != nil {
			return err
		}
	}
	if !includes(ctx, "tickets") {
		return nil
	}
	by := auth.From(ctx)
	found, err := h.tickets.ShowMany(ctx, by, idsOf(list, func(a tickets.AuditRecord) []int64 { return []int64{a.TicketID} }))
	if err != nil {
		return err
	}
	config, err := h.tickets.Config(ctx, by)
	l.Add("tickets", each(found, func(t models.Ticket) wire.Raw {
		return appendTicket(ctx, nil, callOf(ctx).base, &t, config, ticketExtras{})
	}))
	return err
}

func (h ticketHandlers) CountAuditsForTicket(ctx context.Context, r gen.CountAuditsForTicketRequestObject) (gen.CountAuditsForTicketResponseObject, error) {
	n, at, err := h.tickets.CountAudits(ctx, auth.From(ctx), int64(r.TicketID))
	return gen.CountAuditsForTicket200JSONResponse(countJSON(n, at)), err
}

func (h ticketHandlers) ShowTicketAudit(ctx context.Context, r gen.ShowTicketAuditRequestObject) (gen.ShowTicketAuditResponseObject, error) {
	a, err := h.tickets.Audit(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketAuditID))
	return gen.ShowTicketAudit200JSONResponse{Audit: auditJSON(ctx, a)}, err
}

func (h ticketHandlers) MakeTicketCommentPrivateFromAudits(ctx context.Context, r gen.MakeTicketCommentPrivateFromAuditsRequestObject) (gen.MakeTicketCommentPrivateFromAuditsResponseObject, error) {
	err := h.tickets.MakeAuditPrivate(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketAuditID))
	return gen.MakeTicketCommentPrivateFromAudits200JSONResponse{}, err
}

func (h ticketHandlers) TrustAudit(ctx context.Context, r gen.TrustAuditRequestObject) (gen.TrustAuditResponseObject, error) {
	err := h.tickets.TrustAudit(ctx, auth.From(ctx), int64(r.TicketID), int64(r.TicketAuditID))
	return gen.TrustAudit200JSONResponse{}, err
}

// ListTicketAudits pages by cursor in two ways: the one of all lists, and the
// older one with ?cursor=&limit=, which is the default here.
func (h ticketHandlers) ListTicketAudits(ctx context.Context, r gen.ListTicketAuditsRequestObject) (gen.ListTicketAuditsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	legacy := !p.Cursor
	if legacy {
		if p, err = legacyPage(r.Params.Limit, page.DefaultSize, r.Params.Cursor); err != nil {
			return nil, err
		}
	}
	list, err := h.tickets.AllAudits(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	audits := mapped(ctx, list, auditJSON)
	l := wire.Listing{Key: "audits", Items: audits.Items}
	if legacy {
		addLegacyPaging(ctx, &l, list)
	} else {
		addPaging(ctx, &l, list)
	}
	err = h.addAuditSideLoads(ctx, &l, list.Items)
	return gen.ListTicketAudits200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) ListTicketMetrics(ctx context.Context, _ gen.ListTicketMetricsRequestObject) (gen.ListTicketMetricsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.tickets.ListMetrics(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	sets := page.Map(list, func(m tickets.MetricRecord) gen.TicketMetric { return metricJSON(ctx, m.TicketMetric, &m.Ticket) })
	return gen.ListTicketMetrics200JSONResponse{Listing: listing(ctx, "ticket_metrics", sets)}, nil
}

func (h ticketHandlers) ShowTicketMetrics(ctx context.Context, r gen.ShowTicketMetricsRequestObject) (gen.ShowTicketMetricsResponseObject, error) {
	m, err := h.tickets.MetricSet(ctx, auth.From(ctx), int64(r.TicketMetricID))
	return gen.ShowTicketMetrics200JSONResponse{TicketMetric: []gen.TicketMetric{metricJSON(ctx, m.TicketMetric, &m.Ticket)}}, err
}

func (h ticketHandlers) ShowTicketMetricsByTicket(ctx context.Context, r gen.ShowTicketMetricsByTicketRequestObject) (gen.ShowTicketMetricsByTicketResponseObject, error) {
	by := auth.From(ctx)
	t, err := h.tickets.Get(ctx, by, int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	sets, err := h.tickets.Metrics(ctx, by, []int64{t.ID})
	return gen.ShowTicketMetricsByTicket200JSONResponse{TicketMetric: metricJSON(ctx, sets[t.ID], &t)}, err
}
