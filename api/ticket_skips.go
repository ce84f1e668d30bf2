package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
)

func (h ticketHandlers) RecordNewSkip(ctx context.Context, r gen.RecordNewSkipRequestObject) (gen.RecordNewSkipResponseObject, error) {
	by := auth.From(ctx)
	in := r.Body.Skip
	k, err := h.tickets.Skip(ctx, by, int64(or(in.TicketID, 0)), string(orZero(in.Reason)))
	if err != nil {
		return nil, err
	}
	config, err := h.tickets.Config(ctx, by)
	return gen.RecordNewSkip201JSONResponse{Skip: skipJSON(ctx, k, config)}, err
}

func (h ticketHandlers) ListSkips(ctx context.Context, _ gen.ListSkipsRequestObject) (gen.ListSkipsResponseObject, error) {
	l, err := h.skips(ctx, tickets.SkipFilter{})
	return gen.ListSkips200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) ListSkipsByTicket(ctx context.Context, r gen.ListSkipsByTicketRequestObject) (gen.ListSkipsByTicketResponseObject, error) {
	t, err := h.tickets.Get(ctx, auth.From(ctx), int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	l, err := h.skips(ctx, tickets.SkipFilter{Ticket: t.ID})
	return gen.ListSkipsByTicket200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) ListTicketSkips(ctx context.Context, r gen.ListTicketSkipsRequestObject) (gen.ListTicketSkipsResponseObject, error) {
	if _, err := h.ofUser(ctx, r.UserID, assignedTo); err != nil {
		return nil, err
	}
	l, err := h.skips(ctx, tickets.SkipFilter{User: int64(r.UserID)})
	return gen.ListTicketSkips200JSONResponse{Listing: l}, err
}

func (h ticketHandlers) skips(ctx context.Context, f tickets.SkipFilter) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	by := auth.From(ctx)
	list, err := h.tickets.Skips(ctx, by, f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	config, err := h.tickets.Config(ctx, by)
	if err != nil {
		return wire.Listing{}, err
	}
	return listing(ctx, "skips", page.Map(list, func(k tickets.Skipped) gen.Skip { return skipJSON(ctx, k, config) })), nil
}

func skipJSON(ctx context.Context, k tickets.Skipped, config *fields.Config) gen.Skip {
	return gen.Skip{
		ID: k.ID, TicketID: k.TicketID, UserID: k.UserID, Reason: k.Reason, CreatedAt: wire.Time(k.CreatedAt), UpdatedAt: wire.Time(k.UpdatedAt),
		Ticket: appendTicket(ctx, nil, callOf(ctx).base, &k.Ticket, config, ticketExtras{}),
	}
}
