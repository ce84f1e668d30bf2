package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/tickets"
)

// Names of the operations in the queue; they outlive a version.
const (
	bulkImportTicket  = "tickets.import"
	bulkArchiveTicket = "tickets.import_archived"
)

func (h ticketHandlers) registerImport() {
	op := jobs.Operation{JobType: "Bulk Import Ticket", Doing: "Importing ticket", Action: "import", Run: h.importer(false)}
	h.jobs.Register(bulkImportTicket, op)
	op.Run = h.importer(true)
	h.jobs.Register(bulkArchiveTicket, op)
}

func (h ticketHandlers) TicketImport(ctx context.Context, r gen.TicketImportRequestObject) (gen.TicketImportResponseObject, error) {
	in, err := importOf(ctx, models.ToJSON(r.Body.Ticket))
	if err != nil {
		return nil, err
	}
	in.Archive = archives(r.Params.ArchiveImmediately)
	t, err := h.tickets.Import(ctx, auth.From(ctx), in)
	if err != nil {
		return nil, err
	}
	return h.one(ctx, http.StatusCreated, t, nil, nil)
}

func (h ticketHandlers) TicketBulkImport(ctx context.Context, r gen.TicketBulkImportRequestObject) (gen.TicketBulkImportResponseObject, error) {
	operation := bulkImportTicket
	if archives(r.Params.ArchiveImmediately) {
		operation = bulkArchiveTicket
	}
	job, err := h.jobs.StartBulk(ctx, auth.From(ctx), operation, rawItems(r.Body.Tickets))
	return gen.TicketBulkImport200JSONResponse(jobEnvelope(ctx, job)), err
}

func archives(immediately *wire.Flag) bool { return immediately != nil && bool(*immediately) }

// importer does one item of a bulk import.
func (h ticketHandlers) importer(archive bool) func(context.Context, auth.Actor, json.RawMessage, int) (any, error) {
	return func(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (any, error) {
		return h.importOne(ctx, by, item, index, archive)
	}
}

func (h ticketHandlers) importOne(ctx context.Context, by auth.Actor, item json.RawMessage, index int, archive bool) (any, error) {
	in, err := importOf(ctx, item)
	if err != nil {
		return nil, err
	}
	in.Archive = archive
	t, err := h.tickets.Import(ctx, by, in)
	return map[string]any{"index": index, "id": t.ID, "account_id": by.AccountID}, err
}

// importOf reads a ticket to import: what every new ticket has, and its past.
func importOf(ctx context.Context, item []byte) (tickets.Import, error) {
	var past gen.TicketPastInput
	if err := json.Unmarshal(item, &past); err != nil {
		return tickets.Import{}, err
	}
	c, err := bulkChange(ctx, item, ticketChange)
	if err != nil {
		return tickets.Import{}, err
	}
	in := tickets.Import{Change: c, CreatedAt: moment(past.CreatedAt), UpdatedAt: moment(past.UpdatedAt), SolvedAt: moment(past.SolvedAt)}
	for _, c := range past.Comments {
		comment := commentOf(gen.TicketCommentInput{
			Body: c.Body, Value: c.Value, HTMLBody: c.HTMLBody, Public: c.Public, AuthorID: c.AuthorID, Uploads: c.Uploads,
		})
		comment.At = moment(c.CreatedAt)
		in.Comments = append(in.Comments, comment)
	}
	return in, nil
}

// moment is a time as kept, in whole seconds; nil when there is none.
func moment(n nullable.Nullable[wire.Time]) *time.Time {
	v, err := n.Get()
	t := time.Time(v).UTC().Truncate(time.Second)
	if err != nil || t.IsZero() {
		return nil
	}
	return &t
}
