package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tags"
	"github.com/helpd/helpd/server/tickets"
)

type tagHandlers struct {
	tags          *tags.Service
	taggedTickets *tickets.Service
}

func (h tagHandlers) ListTags(ctx context.Context, _ gen.ListTagsRequestObject) (gen.ListTagsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.tags.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListTags200JSONResponse{Listing: listing(ctx, "tags", page.Map(list, func(t models.TagCount) gen.Tag {
		return gen.Tag{Name: t.Name, Count: t.Count}
	}))}, nil
}

func (h tagHandlers) CountTags(ctx context.Context, _ gen.CountTagsRequestObject) (gen.CountTagsResponseObject, error) {
	n, at, err := h.tags.Count(ctx, auth.From(ctx))
	return gen.CountTags200JSONResponse(countJSON(n, at)), err
}

func (h tagHandlers) AutocompleteTags(ctx context.Context, r gen.AutocompleteTagsRequestObject) (gen.AutocompleteTagsResponseObject, error) {
	var name string
	if r.Params.Name != nil {
		name = *r.Params.Name
	}
	names, err := h.tags.Complete(ctx, auth.From(ctx), name)
	return gen.AutocompleteTags200JSONResponse{Listing: whole("tags", names)}, err
}

func (h tagHandlers) ListResourceTags(ctx context.Context, r gen.ListResourceTagsRequestObject) (gen.ListResourceTagsResponseObject, error) {
	t, err := h.taggedTickets.Get(ctx, auth.From(ctx), int64(r.TicketID))
	return gen.ListResourceTags200JSONResponse{Tags: t.Tags}, err
}

// retag changes the tags of a ticket. Those of a closed ticket are changed by
// an update of the ticket alone.
func (h tagHandlers) retag(ctx context.Context, id int64, body *gen.TicketTagsBody, with func(*tickets.Change, []string)) ([]string, error) {
	c := tickets.Change{OpenOnly: true}
	if body != nil {
		with(&c, body.Tags)
		if body.SafeUpdate != nil && bool(*body.SafeUpdate) {
			if body.UpdatedStamp == nil {
				return nil, fault.Attribute("updated_stamp", "the updated_at that you saw")
			}
			stamp := time.Time(*body.UpdatedStamp)
			c.UpdatedStamp = &stamp
		}
	}
	fromRequest(ctx, &c)
	saved, err := h.taggedTickets.Update(ctx, auth.From(ctx), id, c)
	return saved.Ticket.Tags, err
}

func (h tagHandlers) SetTagsTicket(ctx context.Context, r gen.SetTagsTicketRequestObject) (gen.SetTagsTicketResponseObject, error) {
	now, err := h.retag(ctx, int64(r.TicketID), r.Body, func(c *tickets.Change, t []string) { c.Tags = append([]string{}, t...) })
	return gen.SetTagsTicket201JSONResponse{Tags: now}, err
}

func (h tagHandlers) PutTagsTicket(ctx context.Context, r gen.PutTagsTicketRequestObject) (gen.PutTagsTicketResponseObject, error) {
	now, err := h.retag(ctx, int64(r.TicketID), r.Body, func(c *tickets.Change, t []string) { c.AddTags = t })
	return gen.PutTagsTicket200JSONResponse{Tags: now}, err
}

func (h tagHandlers) DeleteTagsTicket(ctx context.Context, r gen.DeleteTagsTicketRequestObject) (gen.DeleteTagsTicketResponseObject, error) {
	now, err := h.retag(ctx, int64(r.TicketID), r.Body, func(c *tickets.Change, t []string) { c.RemoveTags = t })
	return gen.DeleteTagsTicket200JSONResponse{Tags: now}, err
}
