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

// bulkImportTicket is the operation's name in the queue; it outlives a version.
const bulkImportTicket = "tickets.import"

func (h ticketHandlers) registerImport() {
	h.jobs.Register(bulkImportTicket, jobs.Operation{JobType: "Bulk Import Ticket", Doing: "Importing ticket", Action: "import", Run: h.importOne})
}

func (h ticketHandlers) TicketImport(ctx context.Context, r gen.TicketImportRequestObject) (gen.TicketImportResponseObject, error) {
	in, err := importOf(ctx, models.ToJSON(r.Body.Ticket))
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
	job, err := h.jobs.StartBulk(ctx, auth.From(ctx), bulkImportTicket, rawItems(r.Body.Tickets))
	return gen.TicketBulkImport200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) importOne(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (any, error) {
	in, err := importOf(ctx, item)
	if err != nil {
		return nil, err
	}
	t, err := h.tickets.Import(ctx, by, in)
	return map[string]any{"index": index, "id": t.ID, "account_id": by.AccountID}, err
}

// importOf reads a ticket to import: what every new ticket has, and its past.
func importOf(ctx context.Context, item []byte) (tickets.Import, error) {
	var past gen.TicketPastInput
	if err := json.Unmarshal(item, &past); err != nil {
		return tickets.Import{}, err
	}
	c, err := bulkChange(ctx, item)
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
