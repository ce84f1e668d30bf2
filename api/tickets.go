package api

import (
	"context"
	"net/http"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

type ticketHandlers struct {
	tickets       *tickets.Service
	users         *users.Service
	groups        *groups.Service
	organizations *organizations.Service
	jobs          *jobs.Service
}

func (h ticketHandlers) list(ctx context.Context, f tickets.Filter) (ticketAnswer, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return ticketAnswer{}, err
	}
	list, err := h.tickets.List(ctx, auth.From(ctx), f, p)
	if err != nil {
		return ticketAnswer{}, err
	}
	return h.listed(ctx, list)
}

func (h ticketHandlers) count(ctx context.Context, f tickets.Filter) (gen.CountEnvelope, error) {
	n, at, err := h.tickets.Count(ctx, auth.From(ctx), f)
	return countJSON(n, at), err
}

func (h ticketHandlers) ListTickets(ctx context.Context, r gen.ListTicketsRequestObject) (gen.ListTicketsResponseObject, error) {
	var f tickets.Filter
	if r.Params.ExternalID != nil {
		f.ExternalID = *r.Params.ExternalID
	}
	return h.list(ctx, f)
}

func (h ticketHandlers) CountTickets(ctx context.Context, _ gen.CountTicketsRequestObject) (gen.CountTicketsResponseObject, error) {
	n, err := h.count(ctx, tickets.Filter{})
	return gen.CountTickets200JSONResponse(n), err
}

func (h ticketHandlers) ListRecentTickets(ctx context.Context, _ gen.ListRecentTicketsRequestObject) (gen.ListRecentTicketsResponseObject, error) {
	list, err := h.tickets.Recent(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return h.all(ctx, list)
}

func (h ticketHandlers) TicketsShowMany(ctx context.Context, r gen.TicketsShowManyRequestObject) (gen.TicketsShowManyResponseObject, error) {
	list, err := h.tickets.ShowMany(ctx, auth.From(ctx), int64s(r.Params.Ids))
	if err != nil {
		return nil, err
	}
	return h.all(ctx, list)
}

func (h ticketHandlers) ShowTicket(ctx context.Context, r gen.ShowTicketRequestObject) (gen.ShowTicketResponseObject, error) {
	by := auth.From(ctx)
	t, config, err := h.tickets.Show(ctx, by, int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	h.tickets.Visited(by, t.ID)
	return h.one(ctx, http.StatusOK, t, config, nil)
}

func (h ticketHandlers) CreateTicket(ctx context.Context, r gen.CreateTicketRequestObject) (gen.CreateTicketResponseObject, error) {
	c, err := ticketChange(ctx, r.Body.Ticket)
	if err != nil {
		return nil, err
	}
	if r.Params.Async != nil && bool(*r.Params.Async) {
		return h.createLater(ctx, r.Body.Ticket)
	}
	saved, err := h.tickets.Create(ctx, auth.From(ctx), c)
	if err != nil {
		return nil, err
	}
	if saved.Suspended != nil {
		return ticketAnswer{status: http.StatusAccepted, body: models.ToJSON(suspendedNotice(ctx, *saved.Suspended))}, nil
	}
	return h.one(ctx, http.StatusCreated, saved.Ticket, saved.Config, &saved.Audit)
}

func (h ticketHandlers) UpdateTicket(ctx context.Context, r gen.UpdateTicketRequestObject) (gen.UpdateTicketResponseObject, error) {
	c, err := ticketUpdate(ctx, r.Body.Ticket)
	if err != nil {
		return nil, err
	}
	saved, err := h.tickets.Update(ctx, auth.From(ctx), int64(r.TicketID), c)
	if err != nil {
		return nil, err
	}
	return h.one(ctx, http.StatusOK, saved.Ticket, saved.Config, &saved.Audit)
}

func (h ticketHandlers) DeleteTicket(ctx context.Context, r gen.DeleteTicketRequestObject) (gen.DeleteTicketResponseObject, error) {
	if err := h.tickets.Delete(ctx, auth.From(ctx), int64(r.TicketID)); err != nil {
		return nil, err
	}
	return gen.DeleteTicket204Response{}, nil
}

func (h ticketHandlers) TicketRelatedInformation(ctx context.Context, r gen.TicketRelatedInformationRequestObject) (gen.TicketRelatedInformationResponseObject, error) {
	t, err := h.tickets.Get(ctx, auth.From(ctx), int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	return gen.TicketRelatedInformation200JSONResponse{
		URL: callOf(ctx).base + callOf(ctx).path + ".json", FollowupSourceIds: list(present(t.FollowupSourceID)),
		FromArchive: t.Archived, Incidents: int64(t.IncidentCount), Twitter: map[string]any{}, JiraIssueIds: []string{},
	}, nil
}

func (h ticketHandlers) ListTicketIncidents(ctx context.Context, r gen.ListTicketIncidentsRequestObject) (gen.ListTicketIncidentsResponseObject, error) {
	t, err := h.tickets.Get(ctx, auth.From(ctx), int64(r.TicketID))
	if err != nil {
		return nil, err
	}
	return h.list(ctx, tickets.Filter{Problem: t.ID})
}

func (h ticketHandlers) ListTicketProblems(ctx context.Context, _ gen.ListTicketProblemsRequestObject) (gen.ListTicketProblemsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	p.Sort, p.Desc = "updated_at", true // the order of the original
	list, err := h.tickets.List(ctx, auth.From(ctx), tickets.Filter{Problems: true}, p)
	if err != nil {
		return nil, err
	}
	return h.listed(ctx, list)
}

func (h ticketHandlers) AutocompleteProblems(ctx context.Context, r gen.AutocompleteProblemsRequestObject) (gen.AutocompleteProblemsResponseObject, error) {
	text := or(r.Params.Text, "")
	if r.Body != nil && r.Body.Text.IsSpecified() {
		text = string(orZero(r.Body.Text))
	}
	list, err := h.tickets.Problems(ctx, auth.From(ctx), text)
	if err != nil {
		return nil, err
	}
	return h.all(ctx, list)
}

// usersOf answers with the users that of finds in a ticket.
func (h ticketHandlers) usersOf(ctx context.Context, id wire.ID, of func(models.Ticket) []int64) (wire.List, error) {
	by := auth.From(ctx)
	t, err := h.tickets.Get(ctx, by, int64(id))
	if err != nil {
		return wire.List{}, err
	}
	found, err := h.users.ByIDs(ctx, by.AccountID, of(t))
	return wire.List{Listing: whole("users", each(found, func(u models.User) gen.User { return userJSON(ctx, u) }))}, err
}

func (h ticketHandlers) ListTicketCollaborators(ctx context.Context, r gen.ListTicketCollaboratorsRequestObject) (gen.ListTicketCollaboratorsResponseObject, error) {
	l, err := h.usersOf(ctx, r.TicketID, func(t models.Ticket) []int64 { return collaboratorIDs(&t) })
	return gen.ListTicketCollaborators200JSONResponse(l), err
}

func (h ticketHandlers) ListTicketEmailCCs(ctx context.Context, r gen.ListTicketEmailCCsRequestObject) (gen.ListTicketEmailCCsResponseObject, error) {
	l, err := h.usersOf(ctx, r.TicketID, func(t models.Ticket) []int64 { return t.EmailCCIDs })
	return gen.ListTicketEmailCCs200JSONResponse(l), err
}

func (h ticketHandlers) ListTicketFollowers(ctx context.Context, r gen.ListTicketFollowersRequestObject) (gen.ListTicketFollowersResponseObject, error) {
	l, err := h.usersOf(ctx, r.TicketID, func(t models.Ticket) []int64 { return t.FollowerIDs })
	return gen.ListTicketFollowers200JSONResponse(l), err
}

func (h ticketHandlers) ListTicketsByOrganization(ctx context.Context, r gen.ListTicketsByOrganizationRequestObject) (gen.ListTicketsByOrganizationResponseObject, error) {
	o, err := h.organizations.Show(ctx, auth.From(ctx), int64(r.OrganizationID))
	if err != nil {
		return nil, err
	}
	return h.list(ctx, tickets.Filter{Organization: o.ID})
}

func (h ticketHandlers) CountTicketsByOrganization(ctx context.Context, r gen.CountTicketsByOrganizationRequestObject) (gen.CountTicketsByOrganizationResponseObject, error) {
	o, err := h.organizations.Show(ctx, auth.From(ctx), int64(r.OrganizationID))
	if err != nil {
		return nil, err
	}
	n, err := h.count(ctx, tickets.Filter{Organization: o.ID})
	return gen.CountTicketsByOrganization200JSONResponse(n), err
}

// ofUser makes the filter of a user's tickets once it is known that there is
// such a user.
func (h ticketHandlers) ofUser(ctx context.Context, id wire.ID, filter func(int64) tickets.Filter) (tickets.Filter, error) {
	found, err := h.users.ByIDs(ctx, auth.From(ctx).AccountID, []int64{int64(id)})
	if err == nil && len(found) == 0 {
		err = fault.Missing("user", id)
	}
	return filter(int64(id)), err
}

func requestedBy(id int64) tickets.Filter { return tickets.Filter{Requester: id} }
func copiedTo(id int64) tickets.Filter    { return tickets.Filter{CCd: id} }
func assignedTo(id int64) tickets.Filter  { return tickets.Filter{Assignee: id} }
func followedBy(id int64) tickets.Filter  { return tickets.Filter{Follower: id} }

func (h ticketHandlers) listOf(ctx context.Context, user wire.ID, filter func(int64) tickets.Filter) (ticketAnswer, error) {
	f, err := h.ofUser(ctx, user, filter)
	if err != nil {
		return ticketAnswer{}, err
	}
	return h.list(ctx, f)
}

func (h ticketHandlers) countOf(ctx context.Context, user wire.ID, filter func(int64) tickets.Filter) (gen.CountEnvelope, error) {
	f, err := h.ofUser(ctx, user, filter)
	if err != nil {
		return gen.CountEnvelope{}, err
	}
	return h.count(ctx, f)
}

func (h ticketHandlers) ListTicketsRequested(ctx context.Context, r gen.ListTicketsRequestedRequestObject) (gen.ListTicketsRequestedResponseObject, error) {
	return h.listOf(ctx, r.UserID, requestedBy)
}

func (h ticketHandlers) ListTicketsCcd(ctx context.Context, r gen.ListTicketsCcdRequestObject) (gen.ListTicketsCcdResponseObject, error) {
	return h.listOf(ctx, r.UserID, copiedTo)
}

func (h ticketHandlers) ListTicketsAssigned(ctx context.Context, r gen.ListTicketsAssignedRequestObject) (gen.ListTicketsAssignedResponseObject, error) {
	return h.listOf(ctx, r.UserID, assignedTo)
}

func (h ticketHandlers) ListTicketsFollowed(ctx context.Context, r gen.ListTicketsFollowedRequestObject) (gen.ListTicketsFollowedResponseObject, error) {
	return h.listOf(ctx, r.UserID, followedBy)
}

func (h ticketHandlers) CountTicketsRequested(ctx context.Context, r gen.CountTicketsRequestedRequestObject) (gen.CountTicketsRequestedResponseObject, error) {
	n, err := h.countOf(ctx, r.UserID, requestedBy)
	return gen.CountTicketsRequested200JSONResponse(n), err
}

func (h ticketHandlers) CountTicketsCcd(ctx context.Context, r gen.CountTicketsCcdRequestObject) (gen.CountTicketsCcdResponseObject, error) {
	n, err := h.countOf(ctx, r.UserID, copiedTo)
	return gen.CountTicketsCcd200JSONResponse(n), err
}

func (h ticketHandlers) CountTicketsAssigned(ctx context.Context, r gen.CountTicketsAssignedRequestObject) (gen.CountTicketsAssignedResponseObject, error) {
	n, err := h.countOf(ctx, r.UserID, assignedTo)
	return gen.CountTicketsAssigned200JSONResponse(n), err
}

func (h ticketHandlers) ListDeletedTickets(ctx context.Context, _ gen.ListDeletedTicketsRequestObject) (gen.ListDeletedTicketsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.tickets.ListDeleted(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListDeletedTickets200JSONResponse{Listing: listing(ctx, "deleted_tickets", page.Map(list, deletedJSON))}, nil
}

func deletedJSON(d tickets.Deleted) gen.DeletedTicket {
	out := gen.DeletedTicket{ID: d.Ticket.ID, Subject: d.Ticket.Subject, DeletedAt: wire.Time(*d.Ticket.DeletedAt), PreviousState: d.Ticket.Status}
	if d.Ticket.DeletedBy != nil {
		out.Actor = gen.DeletedTicketActor{ID: *d.Ticket.DeletedBy, Name: d.Actor}
	}
	return out
}

func (h ticketHandlers) RestoreDeletedTicket(ctx context.Context, r gen.RestoreDeletedTicketRequestObject) (gen.RestoreDeletedTicketResponseObject, error) {
	if err := h.tickets.Restore(ctx, auth.From(ctx), int64(r.TicketID)); err != nil {
		return nil, err
	}
	return gen.RestoreDeletedTicket200JSONResponse{}, nil
}

func (h ticketHandlers) BulkRestoreDeletedTickets(ctx context.Context, r gen.BulkRestoreDeletedTicketsRequestObject) (gen.BulkRestoreDeletedTicketsResponseObject, error) {
	ids, err := named(r.Params.Ids)
	if err == nil {
		err = h.tickets.RestoreMany(ctx, auth.From(ctx), ids)
	}
	if err != nil {
		return nil, err
	}
	return gen.BulkRestoreDeletedTickets200JSONResponse{}, nil
}
