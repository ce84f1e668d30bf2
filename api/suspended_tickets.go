package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/suspended"
	"github.com/helpd/helpd/server/tickets"
)

type suspendedHandlers struct {
	suspended *suspended.Service
	tickets   *tickets.Service
	jobs      *jobs.Service
}

func (h suspendedHandlers) ListSuspendedTickets(ctx context.Context, _ gen.ListSuspendedTicketsRequestObject) (gen.ListSuspendedTicketsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.suspended.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListSuspendedTickets200JSONResponse{Listing: listing(ctx, "suspended_tickets", mapped(ctx, found, suspendedJSON))}, nil
}

func (h suspendedHandlers) ShowSuspendedTickets(ctx context.Context, r gen.ShowSuspendedTicketsRequestObject) (gen.ShowSuspendedTicketsResponseObject, error) {
	t, err := h.suspended.Show(ctx, auth.From(ctx), int64(r.ID))
	if err != nil {
		return nil, err
	}
	return gen.ShowSuspendedTickets200JSONResponse{SuspendedTicket: suspendedJSON(ctx, t)}, nil
}

func (h suspendedHandlers) DeleteSuspendedTicket(ctx context.Context, r gen.DeleteSuspendedTicketRequestObject) (gen.DeleteSuspendedTicketResponseObject, error) {
	if err := h.suspended.Delete(ctx, auth.From(ctx), int64(r.ID)); err != nil {
		return nil, err
	}
	return gen.DeleteSuspendedTicket204Response{}, nil
}

func (h suspendedHandlers) DeleteSuspendedTickets(ctx context.Context, r gen.DeleteSuspendedTicketsRequestObject) (gen.DeleteSuspendedTicketsResponseObject, error) {
	if err := h.suspended.DeleteMany(ctx, auth.From(ctx), int64s(r.Params.Ids)); err != nil {
		return nil, err
	}
	return gen.DeleteSuspendedTickets204Response{}, nil
}

func (h suspendedHandlers) RecoverSuspendedTicket(ctx context.Context, r gen.RecoverSuspendedTicketRequestObject) (gen.RecoverSuspendedTicketResponseObject, error) {
	list, ok, err := h.recover(ctx, []int64{int64(r.ID)}, r.Params.Requester)
	if err != nil {
		return nil, err
	}
	if !ok {
		return notRecovered{"ticket", list}, nil
	}
	return gen.RecoverSuspendedTicket200JSONResponse{Ticket: list}, nil
}

func (h suspendedHandlers) RecoverSuspendedTickets(ctx context.Context, r gen.RecoverSuspendedTicketsRequestObject) (gen.RecoverSuspendedTicketsResponseObject, error) {
	list, ok, err := h.recover(ctx, int64s(r.Params.Ids), r.Params.Requester)
	if err != nil {
		return nil, err
	}
	if !ok {
		return notRecovered{"suspended_tickets", list}, nil
	}
	return gen.RecoverSuspendedTickets200JSONResponse{Tickets: list}, nil
}

// recover answers with what was recovered, pointing at the tickets, or with what
// could not be.
func (h suspendedHandlers) recover(ctx context.Context, ids []int64, requester *gen.RecoveredRequester) ([]gen.SuspendedTicket, bool, error) {
	found, ok, err := h.tickets.Recover(ctx, auth.From(ctx), ids, string(or(requester, tickets.CallerRequests)))
	list := each(found, func(t suspended.Record) gen.SuspendedTicket {
		out := suspendedJSON(ctx, t)
		if ok && t.TicketID != nil {
			out.URL = link(ctx, "tickets", *t.TicketID)
		}
		return out
	})
	return list, ok, err
}

// notRecovered is the answer of a recovery that failed: what was to be
// recovered, with the reasons in it, under the key that clients know.
type notRecovered struct {
	key  string
	list []gen.SuspendedTicket
}

func (n notRecovered) write(w http.ResponseWriter) error {
	return writeJSON(w, http.StatusUnprocessableEntity, map[string]any{
		"error": "RecordInvalid", "description": "Not all suspended tickets could be recovered", n.key: n.list,
	})
}

func (n notRecovered) VisitRecoverSuspendedTicketResponse(w http.ResponseWriter) error {
	return n.write(w)
}
func (n notRecovered) VisitRecoverSuspendedTicketsResponse(w http.ResponseWriter) error {
	return n.write(w)
}

func (h suspendedHandlers) SuspendedTicketAttachments(ctx context.Context, r gen.SuspendedTicketAttachmentsRequestObject) (gen.SuspendedTicketAttachmentsResponseObject, error) {
	out, err := h.copyFiles(ctx, int64(r.ID))
	return gen.SuspendedTicketAttachments200JSONResponse(out), err
}

func (h suspendedHandlers) SuspendedTicketsAttachments(ctx context.Context, r gen.SuspendedTicketsAttachmentsRequestObject) (gen.SuspendedTicketsAttachmentsResponseObject, error) {
	id := r.Params.ID
	if body := edge.BodyBytes(ctx); id == nil && len(body) > 0 {
		var named struct {
			ID *wire.ID `json:"id"`
		}
		if err := wire.Decode(body, &named); err != nil {
			return nil, err
		}
		id = named.ID
	}
	if id == nil {
		return nil, fault.New(fault.BadRequest, "Parameter id is missing")
	}
	out, err := h.copyFiles(ctx, int64(*id))
	return gen.SuspendedTicketsAttachments200JSONResponse(out), err
}

func (h suspendedHandlers) copyFiles(ctx context.Context, id int64) (gen.SuspendedUploadEnvelope, error) {
	up, err := h.suspended.CopyFiles(ctx, auth.From(ctx), id)
	return gen.SuspendedUploadEnvelope{Upload: gen.SuspendedUpload{
		Token: up.Token, ExpiresAt: wire.Time(up.ExpiresAt), Attachments: attachmentsJSON(ctx, up.Files),
	}}, err
}

// exportSuspended is the operation's name in the queue; it outlives a version.
const exportSuspended = "suspended_tickets.export"

// exportItem is what the job needs to know of the call: where its caller
// reaches the server.
type exportItem struct {
	Base string `json:"base"`
}

func (h suspendedHandlers) register() {
	h.jobs.Register(exportSuspended, jobs.Operation{JobType: "Export Suspended Tickets", Doing: "Exporting suspended tickets", Action: "export", Run: h.export, Single: true})
}

func (h suspendedHandlers) ExportSuspendedTickets(ctx context.Context, _ gen.ExportSuspendedTicketsRequestObject) (gen.ExportSuspendedTicketsResponseObject, error) {
	by := auth.From(ctx)
	if err := h.suspended.MayExport(by); err != nil {
		return nil, err
	}
	job, err := h.jobs.StartBulk(ctx, by, exportSuspended, rawItems([]exportItem{{callOf(ctx).base}}))
	return gen.ExportSuspendedTickets200JSONResponse{
		Export: gen.SuspendedExport{ViewID: "suspended", Status: "enqueued"}, JobStatus: jobStatusJSON(ctx, job),
	}, err
}

func (h suspendedHandlers) export(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var call exportItem
	if err := json.Unmarshal(item, &call); err != nil {
		return nil, err
	}
	up, err := h.suspended.Export(ctx, by)
	return exported(call, up), err
}

// exported is the result of a job that made a file.
func exported(call exportItem, up attachments.Upload) map[string]any {
	return map[string]any{
		"action": "export", "status": "Exported", "success": true, "attachment_id": up.File.ID,
		// Not where its bytes are: agents whom a restriction holds see jobs too.
		"attachment_url": fmt.Sprintf("%s/api/v2/attachments/%d.json", call.Base, up.File.ID),
		"file_name":      up.File.FileName, "expires_at": wire.Time(up.ExpiresAt),
	}
}

func suspendedJSON(ctx context.Context, t suspended.Record) gen.SuspendedTicket {
	out := gen.SuspendedTicket{
		URL: link(ctx, "suspended_tickets", t.ID), ID: t.ID, Author: gen.SuspendedAuthor{ID: t.AuthorID, Name: t.AuthorName, Email: t.AuthorEmail},
		Subject: t.Subject, Content: t.Content, Cause: t.Cause, CauseID: int64(t.CauseID), MessageID: t.MessageID, TicketID: t.TicketID,
		Recipient: t.Recipient, Via: wire.Raw(t.Via), BrandID: t.BrandID, Attachments: attachmentsJSON(ctx, t.Files),
		CreatedAt: wire.Time(t.CreatedAt), UpdatedAt: wire.Time(t.UpdatedAt),
	}
	if len(t.ErrorMessages) > 0 {
		out.ErrorMessages = t.ErrorMessages
	}
	return out
}

// suspendedNotice is what whoever sent it is told in place of a ticket.
func suspendedNotice(ctx context.Context, t models.SuspendedTicket) gen.SuspendedNoticeEnvelope {
	return gen.SuspendedNoticeEnvelope{SuspendedTicket: gen.SuspendedNotice{
		URL: link(ctx, "suspended_tickets", t.ID), ID: t.ID, Subject: t.Subject, CreatedAt: wire.Time(t.CreatedAt), UpdatedAt: wire.Time(t.UpdatedAt),
	}}
}
