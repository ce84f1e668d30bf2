package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/tickets"
)

// Names of the bulk operations in the queue; they outlive a version.
const (
	bulkCreateTicket = "tickets.create"
	bulkUpdateTicket = "tickets.update"
	bulkDeleteTicket = "tickets.delete"
	bulkMarkAsSpam   = "tickets.spam"
	createTicket     = "tickets.create_numbered"
	mergeTickets     = "tickets.merge"
	scrubTickets     = "tickets.scrub"
)

// register tells the queue how bulk operations on tickets are done.
func (h ticketHandlers) register() {
	h.jobs.Register(bulkCreateTicket, jobs.Operation{JobType: "Bulk Create Ticket", Doing: "Creating ticket", Action: "create", Run: h.createOne, RunMany: h.createMany})
	h.jobs.Register(bulkUpdateTicket, jobs.Operation{JobType: "Bulk Update Ticket", Doing: "Updating ticket", Action: "update", Run: h.updateOne})
	h.jobs.Register(bulkDeleteTicket, jobs.Operation{JobType: "Bulk Delete Ticket", Doing: "Deleting ticket", Action: "delete", Run: h.deleteOne})
	h.jobs.Register(bulkMarkAsSpam, jobs.Operation{JobType: "Bulk Mark Ticket As Spam", Doing: "Marking ticket as spam", Action: "update", Run: h.spamOne})
	h.jobs.Register(createTicket, jobs.Operation{JobType: "Create Ticket", Doing: "Creating ticket", Action: "create", Run: h.createNumbered})
	h.jobs.Register(mergeTickets, jobs.Operation{JobType: "Merge Tickets", Doing: "Merging tickets", Action: "update", Run: h.mergeAll})
	h.jobs.Register(scrubTickets, jobs.Operation{JobType: "Permanently Delete Tickets", Doing: "Deleting tickets", Action: "delete", Run: h.scrubAll, Single: true})
}

func (h ticketHandlers) TicketsCreateMany(ctx context.Context, r gen.TicketsCreateManyRequestObject) (gen.TicketsCreateManyResponseObject, error) {
	job, err := h.jobs.StartBulk(ctx, auth.From(ctx), bulkCreateTicket, rawItems(r.Body.Tickets))
	return gen.TicketsCreateMany200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) TicketsUpdateMany(ctx context.Context, r gen.TicketsUpdateManyRequestObject) (gen.TicketsUpdateManyResponseObject, error) {
	items := r.Body.Tickets
	if r.Body.Ticket != nil {
		ids, err := named(r.Params.Ids)
		if err != nil {
			return nil, err
		}
		items = nil
		for _, id := range ids {
			item := *r.Body.Ticket
			item.ID = new(wire.ID(id))
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return nil, fault.New(fault.BadRequest, "Name the tickets by ids with a ticket, or as tickets with an id each")
	}
	for _, item := range items {
		if item.ID == nil {
			return nil, fault.Attribute("tickets", "a list of objects with an id each")
		}
	}
	job, err := h.jobs.StartBulk(ctx, auth.From(ctx), bulkUpdateTicket, rawItems(items))
	return gen.TicketsUpdateMany200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) BulkDeleteTickets(ctx context.Context, r gen.BulkDeleteTicketsRequestObject) (gen.BulkDeleteTicketsResponseObject, error) {
	job, err := h.startForIDs(ctx, bulkDeleteTicket, r.Params.Ids)
	return gen.BulkDeleteTickets200JSONResponse(jobEnvelope(ctx, job)), err
}

// rawItems are the items of a bulk operation as the queue keeps them.
func rawItems[T any](items []T) []json.RawMessage {
	out := make([]json.RawMessage, len(items))
	for i, item := range items {
		out[i] = json.RawMessage(models.ToJSON(item))
	}
	return out
}

func (h ticketHandlers) createOne(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (any, error) {
	c, err := bulkChange(ctx, item, ticketChange)
	if err != nil {
		return nil, err
	}
	saved, err := h.tickets.Create(ctx, by, c)
	return createdResult(by, saved, index), err
}

// createMany is createOne of several items at once.
func (h ticketHandlers) createMany(ctx context.Context, by auth.Actor, items []jobs.Item) ([]jobs.Result, error) {
	return makeMany(by, items, func(item json.RawMessage) (tickets.Change, error) { return bulkChange(ctx, item, ticketChange) },
		func(changes []tickets.Change) ([]tickets.Created, error) {
			return h.tickets.CreateMany(ctx, by, changes)
		})
}

// makeMany reads items and makes those tickets that could be read.
func makeMany[T any](by auth.Actor, items []jobs.Item, read func(json.RawMessage) (T, error), create func([]T) ([]tickets.Created, error)) ([]jobs.Result, error) {
	results, asked := make([]jobs.Result, len(items)), make([]T, 0, len(items))
	for i, item := range items {
		v, err := read(item.JSON)
		if results[i].Err = err; err == nil {
			asked = append(asked, v)
		}
	}
	made, err := create(asked)
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		if results[i].Err == nil {
			results[i] = jobs.Result{Value: createdResult(by, made[0].Saved, item.Index), Err: made[0].Err}
			made = made[1:]
		}
	}
	return results, nil
}

// createdResult is what a job tells of a ticket that it created, or that was
// suspended.
func createdResult(by auth.Actor, saved tickets.Saved, index int) any {
	if t := saved.Suspended; t != nil {
		return map[string]any{"index": index, "status": "Suspended", "suspended_ticket_id": t.ID, "account_id": by.AccountID}
	}
	return map[string]any{"index": index, "id": saved.Ticket.ID, "account_id": by.AccountID}
}

func (h ticketHandlers) updateOne(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	id, err := itemID(item)
	if err != nil {
		return nil, err
	}
	c, err := bulkChange(ctx, item, ticketUpdate)
	if err != nil {
		return nil, err
	}
	_, err = h.tickets.Update(ctx, by, id, c)
	return updated(id), err
}

func (h ticketHandlers) deleteOne(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var id int64
	if err := json.Unmarshal(item, &id); err != nil {
		return nil, err
	}
	return deleted(id), h.tickets.Delete(ctx, by, id)
}

// bulkChange is what an item asks of a ticket, as read, ticketChange or
// ticketUpdate, takes it.
func bulkChange(ctx context.Context, item json.RawMessage, read func(context.Context, gen.TicketInput) (tickets.Change, error)) (tickets.Change, error) {
	var in gen.TicketInput
	if err := json.Unmarshal(item, &in); err != nil {
		return tickets.Change{}, err
	}
	return read(ctx, in)
}

// createLater answers with a ticket's number before there is the ticket.
func (h ticketHandlers) createLater(ctx context.Context, in gen.TicketInput) (gen.CreateTicketResponseObject, error) {
	by := auth.From(ctx)
	number, err := h.tickets.Reserve(ctx, by)
	if err != nil {
		return nil, err
	}
	id := wire.ID(number)
	in.ID = &id
	job, err := h.jobs.StartBulk(ctx, by, createTicket, rawItems([]gen.TicketInput{in}))
	if err != nil {
		return nil, err
	}
	var out gen.TicketQueuedEnvelope
	out.Ticket.ID, out.JobStatus = number, jobStatusJSON(ctx, job)
	return ticketAnswer{status: http.StatusAccepted, body: models.ToJSON(out)}, nil
}

// createNumbered creates a ticket whose number its caller has been told.
func (h ticketHandlers) createNumbered(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (any, error) {
	id, err := itemID(item)
	if err != nil {
		return nil, err
	}
	c, err := bulkChange(ctx, item, ticketChange)
	if err != nil {
		return nil, err
	}
	c.Number = id
	saved, err := h.tickets.Create(ctx, by, c)
	return createdResult(by, saved, index), err
}

func itemID(item json.RawMessage) (int64, error) {
	var in struct {
		ID wire.ID `json:"id"`
	}
	err := json.Unmarshal(item, &in)
	return int64(in.ID), err
}

func (h ticketHandlers) MarkTicketAsSpamAndSuspendRequester(ctx context.Context, r gen.MarkTicketAsSpamAndSuspendRequesterRequestObject) (gen.MarkTicketAsSpamAndSuspendRequesterResponseObject, error) {
	err := h.tickets.MarkAsSpam(ctx, auth.From(ctx), int64(r.TicketID))
	return gen.MarkTicketAsSpamAndSuspendRequester200JSONResponse{}, err
}

func (h ticketHandlers) MarkManyTicketsAsSpam(ctx context.Context, r gen.MarkManyTicketsAsSpamRequestObject) (gen.MarkManyTicketsAsSpamResponseObject, error) {
	job, err := h.startForIDs(ctx, bulkMarkAsSpam, r.Params.Ids)
	return gen.MarkManyTicketsAsSpam200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) startForIDs(ctx context.Context, operation string, ids wire.IDs) (models.JobStatus, error) {
	list, err := named(ids)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.BadRequest, "Parameter ids is missing")
	}
	if err != nil {
		return models.JobStatus{}, err
	}
	return h.jobs.StartBulk(ctx, auth.From(ctx), operation, rawItems(list))
}

func (h ticketHandlers) spamOne(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var id int64
	if err := json.Unmarshal(item, &id); err != nil {
		return nil, err
	}
	return updated(id), h.tickets.MarkAsSpam(ctx, by, id)
}

// mergeItem is a merge in the queue.
type mergeItem struct {
	ID int64 `json:"id"` // of the target, as of every item
	tickets.Merge
}

func (h ticketHandlers) MergeTicketsIntoTargetTicket(ctx context.Context, r gen.MergeTicketsIntoTargetTicketRequestObject) (gen.MergeTicketsIntoTargetTicketResponseObject, error) {
	by := auth.From(ctx)
	t, err := h.tickets.Get(ctx, by, int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	in := r.Body
	if len(in.Ids) > jobs.MaxItems {
		return nil, fault.Exceeds(jobs.MaxItems)
	}
	if len(int64s(in.Ids)) == 0 {
		return nil, fault.Attribute("ids", "the tickets to merge")
	}
	m := tickets.Merge{
		Target: t.ID, Sources: int64s(in.Ids), TargetComment: string(orZero(in.TargetComment)), SourceComment: string(orZero(in.SourceComment)),
		TargetPublic: bool(orZero(in.TargetCommentIsPublic)), SourcePublic: bool(orZero(in.SourceCommentIsPublic)),
	}
	m.Origin = requestOf(ctx)
	job, err := h.jobs.StartBulk(ctx, by, mergeTickets, rawItems([]mergeItem{{t.ID, m}}))
	return gen.MergeTicketsIntoTargetTicket200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) mergeAll(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var m mergeItem
	if err := json.Unmarshal(item, &m); err != nil {
		return nil, err
	}
	return updated(m.Target), h.tickets.Merge(ctx, by, m.Merge)
}

func (h ticketHandlers) DeleteTicketPermanently(ctx context.Context, r gen.DeleteTicketPermanentlyRequestObject) (gen.DeleteTicketPermanentlyResponseObject, error) {
	if err := h.tickets.MayScrub(ctx, auth.From(ctx), int64(r.TicketID)); err != nil {
		return nil, err
	}
	job, err := h.scrub(ctx, []int64{int64(r.TicketID)})
	return gen.DeleteTicketPermanently200JSONResponse(jobEnvelope(ctx, job)), err
}

func (h ticketHandlers) BulkPermanentlyDeleteTickets(ctx context.Context, r gen.BulkPermanentlyDeleteTicketsRequestObject) (gen.BulkPermanentlyDeleteTicketsResponseObject, error) {
	ids, err := named(r.Params.Ids)
	if err == nil && len(ids) == 0 {
		err = fault.New(fault.BadRequest, "Parameter ids is missing")
	}
	if err != nil {
		return nil, err
	}
	job, err := h.scrub(ctx, ids)
	return gen.BulkPermanentlyDeleteTickets200JSONResponse(jobEnvelope(ctx, job)), err
}

// scrub has tickets deleted for good, all of them or none, since the job has one
// result for all.
func (h ticketHandlers) scrub(ctx context.Context, ids []int64) (models.JobStatus, error) {
	return h.jobs.StartBulk(ctx, auth.From(ctx), scrubTickets, rawItems([][]int64{ids}))
}

func (h ticketHandlers) scrubAll(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var ids []int64
	if err := json.Unmarshal(item, &ids); err != nil {
		return nil, err
	}
	for i, id := range ids {
		if err := h.tickets.Scrub(ctx, by, id); err != nil {
			return nil, &jobs.Culprit{ID: id, Index: i, Err: err}
		}
	}
	return map[string]bool{"success": true}, nil
}
