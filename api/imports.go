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
	op := jobs.Operation{JobType: "Bulk Import Ticket", Doing: "Importing ticket", Action: "import"}
	op.Run, op.RunMany = h.importers(false)
	h.jobs.Register(bulkImportTicket, op)
	op.Run, op.RunMany = h.importers(true)
	h.jobs.Register(bulkArchiveTicket, op)
}

func (h ticketHandlers) TicketImport(ctx context.Context, r gen.TicketImportRequestObject) (gen.TicketImportResponseObject, error) {
	in, err := importOf(ctx, models.ToJSON(r.Body.Ticket), archives(r.Params.ArchiveImmediately))
	if err != nil {
		return nil, err
	}
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

// importers do one item, or all items, of a bulk import.
func (h ticketHandlers) importers(archive bool) (
	one func(context.Context, auth.Actor, json.RawMessage, int) (any, error), many func(context.Context, auth.Actor, []jobs.Item) ([]jobs.Result, error),
) {
	one = func(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (any, error) {
		in, err := importOf(ctx, item, archive)
		if err != nil {
			return nil, err
		}
		t, err := h.tickets.Import(ctx, by, in)
		return createdResult(by, tickets.Saved{Ticket: t}, index), err
	}
	many = func(ctx context.Context, by auth.Actor, items []jobs.Item) ([]jobs.Result, error) {
		return makeMany(by, items, func(item json.RawMessage) (tickets.Import, error) { return importOf(ctx, item, archive) },
			func(list []tickets.Import) ([]tickets.Created, error) { return h.tickets.ImportMany(ctx, by, list) })
	}
	return one, many
}

// importOf reads a ticket to import: what every new ticket has, and its past.
func importOf(ctx context.Context, item []byte, archive bool) (tickets.Import, error) {
	var past gen.TicketPastInput
	if err := json.Unmarshal(item, &past); err != nil {
		return tickets.Import{}, err
	}
	c, err := bulkChange(ctx, item, ticketChange)
	if err != nil {
		return tickets.Import{}, err
	}
	in := tickets.Import{Change: c, Archive: archive, CreatedAt: moment(past.CreatedAt), UpdatedAt: moment(past.UpdatedAt), SolvedAt: moment(past.SolvedAt)}
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
