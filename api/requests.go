package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// requestHandlers answer with tickets as end users see them.
type requestHandlers struct {
	tickets       *tickets.Service
	users         *users.Service
	organizations *organizations.Service
}

// legacyPath serves the one path outside /api that clients create requests at.
func legacyPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if u := c.Request().URL; u.Path == "/portal/requests" || u.Path == "/portal/requests.json" {
			u.Path, u.RawPath = "/api/v2/portal/requests", ""
		}
		return next(c)
	}
}

func (h requestHandlers) CreateRequest(ctx context.Context, r gen.CreateRequestRequestObject) (gen.CreateRequestResponseObject, error) {
	saved, err := h.create(ctx, r.Body.Request)
	if err != nil {
		return nil, err
	}
	if saved.Suspended != nil {
		return gen.CreateRequest202JSONResponse(suspendedNotice(ctx, *saved.Suspended)), nil
	}
	made := requestJSON(ctx, saved.Ticket, saved.Config)
	return gen.CreateRequest201JSONResponse{
		Headers: gen.CreateRequest201ResponseHeaders{Location: made.URL}, Body: gen.RequestEnvelope{Request: made},
	}, nil
}

func (h requestHandlers) AnonymousRequest(ctx context.Context, r gen.AnonymousRequestRequestObject) (gen.AnonymousRequestResponseObject, error) {
	saved, err := h.create(ctx, r.Body.Request)
	if err != nil {
		return nil, err
	}
	if saved.Suspended != nil {
		return gen.AnonymousRequest202JSONResponse(suspendedNotice(ctx, *saved.Suspended)), nil
	}
	made := requestJSON(ctx, saved.Ticket, saved.Config)
	return gen.AnonymousRequest201JSONResponse{
		Headers: gen.AnonymousRequest201ResponseHeaders{Location: made.URL}, Body: gen.RequestEnvelope{Request: made},
	}, nil
}

func (h requestHandlers) create(ctx context.Context, in gen.RequestInput) (tickets.Saved, error) {
	c, err := newRequest(ctx, in)
	if err != nil {
		return tickets.Saved{}, err
	}
	return h.tickets.CreateRequest(ctx, auth.From(ctx), c)
}

func (h requestHandlers) ShowRequest(ctx context.Context, r gen.ShowRequestRequestObject) (gen.ShowRequestResponseObject, error) {
	t, config, err := h.tickets.Request(ctx, auth.From(ctx), int64(r.RequestID))
	if err != nil {
		return nil, err
	}
	e := gen.RequestEnvelope{Request: requestJSON(ctx, t, config)}
	e.Users, e.Organizations, err = h.beside(ctx, []models.Ticket{t})
	return gen.ShowRequest200JSONResponse(e), err
}

func (h requestHandlers) UpdateRequest(ctx context.Context, r gen.UpdateRequestRequestObject) (gen.UpdateRequestResponseObject, error) {
	in := r.Body.Request
	c, err := changeIn(ctx, "request", gen.TicketInput{Comment: requestComment(in.Comment), AdditionalCollaborators: in.AdditionalCollaborators})
	if err != nil {
		return nil, err
	}
	c.Solve = in.Solved != nil && bool(*in.Solved)
	t, config, err := h.tickets.UpdateRequest(ctx, auth.From(ctx), int64(r.RequestID), c)
	if err != nil {
		return nil, err
	}
	return gen.UpdateRequest200JSONResponse{Request: requestJSON(ctx, t, config)}, nil
}

// newRequest reads a new request as the ticket that it becomes.
func newRequest(ctx context.Context, in gen.RequestInput) (tickets.Change, error) {
	t := gen.TicketInput{
		Subject: in.Subject, Comment: requestComment(in.Comment), Priority: in.Priority, Type: in.Type, DueAt: in.DueAt,
		CustomFields: in.CustomFields, Fields: in.Fields, OrganizationID: in.OrganizationID, TicketFormID: in.TicketFormID,
		Recipient: in.Recipient, Collaborators: in.Collaborators, EmailCcs: in.EmailCcs, Via: in.Via, ViaFollowupSourceID: in.ViaFollowupSourceID,
	}
	if p := in.Requester; p != nil {
		t.Requester = &gen.TicketRequesterInput{Name: p.Name, Email: p.Email, LocaleID: p.LocaleID, Locale: p.Locale}
	}
	c, err := changeIn(ctx, "request", t)
	if c.Via != nil {
		c.Via = requestVia(c.Via.Channel)
	}
	return c, err
}

func requestComment(in *gen.RequestCommentInput) *gen.TicketCommentInput {
	if in == nil {
		return nil
	}
	return &gen.TicketCommentInput{Body: in.Body, HTMLBody: in.HTMLBody, Uploads: in.Uploads}
}

// requestVia is the channel of a request, nil unless it is one that end users
// write at. Where it came from is not theirs to say.
func requestVia(channel string) *tickets.Via {
	v := tickets.Via{Channel: channel, Source: tickets.ViaSource{From: map[string]any{}, To: map[string]any{}}}
	switch channel {
	case "web_widget":
		v.Source.Rel = new("zendesk_widget")
	case "web", "mobile", "mobile_sdk", "help_center":
	default:
		return nil
	}
	return &v
}

func (h requestHandlers) list(ctx context.Context, f tickets.Filter) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	f.Requests = true
	list, err := h.tickets.List(ctx, auth.From(ctx), f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	return h.listed(ctx, list)
}

func (h requestHandlers) listed(ctx context.Context, list tickets.Listed) (wire.Listing, error) {
	l := listing(ctx, "requests", page.Map(list.Result, func(t models.Ticket) gen.Request { return requestJSON(ctx, t, list.Config) }))
	people, places, err := h.beside(ctx, list.Items)
	if people != nil {
		l.Add("users", people)
	}
	if places != nil {
		l.Add("organizations", places)
	}
	return l, err
}

// own lists the caller's own requests, in the statuses if there are any.
func (h requestHandlers) own(ctx context.Context, statuses []string) (wire.Listing, error) {
	return h.list(ctx, tickets.Filter{Requester: auth.From(ctx).ID(), Statuses: statuses})
}

func (h requestHandlers) ListRequests(ctx context.Context, _ gen.ListRequestsRequestObject) (gen.ListRequestsResponseObject, error) {
	l, err := h.own(ctx, nil)
	return gen.ListRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListOpenRequests(ctx context.Context, _ gen.ListOpenRequestsRequestObject) (gen.ListOpenRequestsResponseObject, error) {
	l, err := h.own(ctx, tickets.OpenStatuses)
	return gen.ListOpenRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListHoldRequests(ctx context.Context, _ gen.ListHoldRequestsRequestObject) (gen.ListHoldRequestsResponseObject, error) {
	l, err := h.own(ctx, tickets.HoldStatuses)
	return gen.ListHoldRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListSolvedRequests(ctx context.Context, _ gen.ListSolvedRequestsRequestObject) (gen.ListSolvedRequestsResponseObject, error) {
	l, err := h.own(ctx, tickets.SolvedStatuses)
	return gen.ListSolvedRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListCcdRequests(ctx context.Context, _ gen.ListCcdRequestsRequestObject) (gen.ListCcdRequestsResponseObject, error) {
	l, err := h.list(ctx, tickets.Filter{CCd: auth.From(ctx).ID()})
	return gen.ListCcdRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListRequestsByUser(ctx context.Context, r gen.ListRequestsByUserRequestObject) (gen.ListRequestsByUserResponseObject, error) {
	u, err := h.users.Get(ctx, auth.From(ctx), int64(r.UserID))
	if err != nil {
		return nil, err
	}
	l, err := h.list(ctx, tickets.Filter{Requester: u.ID})
	return gen.ListRequestsByUser200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListRequestsByOrganization(ctx context.Context, r gen.ListRequestsByOrganizationRequestObject) (gen.ListRequestsByOrganizationResponseObject, error) {
	by, id := auth.From(ctx), int64(r.OrganizationID)
	if err := h.tickets.SharesRequests(ctx, by, id); err != nil {
		return nil, err
	}
	if by.Staff() {
		if _, err := h.organizations.Show(ctx, by, id); err != nil {
			return nil, err
		}
	}
	l, err := h.list(ctx, tickets.Filter{Organization: id})
	return gen.ListRequestsByOrganization200JSONResponse{Listing: l}, err
}

// SearchRequests has pages by number alone.
func (h requestHandlers) SearchRequests(ctx context.Context, r gen.SearchRequestsRequestObject) (gen.SearchRequestsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	if p.Cursor {
		p = page.Request{Number: 1, Size: p.Size}
	}
	q := tickets.RequestSearch{Text: or(r.Params.Query, ""), Organization: int64(or(r.Params.OrganizationID, 0)), CCd: bool(or(r.Params.CcID, false))}
	if status := or(r.Params.Status, ""); status != "" {
		q.Statuses = strings.Split(status, ",")
	}
	list, err := h.tickets.SearchRequests(ctx, auth.From(ctx), q, p)
	if err != nil {
		return nil, err
	}
	l, err := h.listed(ctx, list)
	return gen.SearchRequests200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ListComments(ctx context.Context, r gen.ListCommentsRequestObject) (gen.ListCommentsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	f := tickets.CommentFilter{Role: or(r.Params.Role, "")}
	if r.Params.Since != nil {
		f.Since = new(time.Time(*r.Params.Since))
	}
	list, err := h.tickets.RequestComments(ctx, auth.From(ctx), int64(r.RequestID), f, p)
	if err != nil {
		return nil, err
	}
	l := listing(ctx, "comments", mapped(ctx, list, requestCommentJSON))
	found, err := h.people(ctx, idsOf(list.Items, func(c tickets.CommentRecord) []int64 { return []int64{c.AuthorID} }))
	if err != nil {
		return nil, err
	}
	l.Add("users", each(found, func(u models.User) gen.RequestUser { return requestUserJSON(ctx, u) }))
	places, err := h.places(ctx, idsOf(found, func(u models.User) []int64 { return present(u.OrganizationID) }))
	l.Add("organizations", places)
	return gen.ListComments200JSONResponse{Listing: l}, err
}

func (h requestHandlers) ShowComment(ctx context.Context, r gen.ShowCommentRequestObject) (gen.ShowCommentResponseObject, error) {
	c, err := h.tickets.RequestComment(ctx, auth.From(ctx), int64(r.RequestID), int64(r.TicketCommentID))
	return gen.ShowComment200JSONResponse{Comment: requestCommentJSON(ctx, c)}, err
}

// beside are the side-loads of requests; nil ones were not asked for.
func (h requestHandlers) beside(ctx context.Context, list []models.Ticket) (people []gen.RequestUser, places []gen.RequestOrganization, err error) {
	if includes(ctx, "users") {
		found, err := h.people(ctx, idsOf(list, func(t models.Ticket) []int64 {
			return append(append([]int64{t.RequesterID}, present(t.AssigneeID)...), t.EmailCCIDs...)
		}))
		if err != nil {
			return nil, nil, err
		}
		people = each(found, func(u models.User) gen.RequestUser { return requestUserJSON(ctx, u) })
	}
	if includes(ctx, "organizations") {
		places, err = h.places(ctx, idsOf(list, func(t models.Ticket) []int64 { return present(t.OrganizationID) }))
	}
	return people, places, err
}

func (h requestHandlers) people(ctx context.Context, ids []int64) ([]models.User, error) {
	return h.users.ByIDs(ctx, auth.From(ctx).AccountID, ids)
}

func (h requestHandlers) places(ctx context.Context, ids []int64) ([]gen.RequestOrganization, error) {
	found, err := h.organizations.ByIDs(ctx, auth.From(ctx), ids)
	return each(found, func(o models.Organization) gen.RequestOrganization {
		return gen.RequestOrganization{ID: o.ID, Name: o.Name}
	}), err
}

// requestUserJSON is what one end user is told of another, or of an agent, who
// goes by his alias.
func requestUserJSON(ctx context.Context, u models.User) gen.RequestUser {
	name := u.Name
	if u.Staff() && u.Alias != nil && strings.TrimSpace(*u.Alias) != "" {
		name = *u.Alias
	}
	return gen.RequestUser{ID: u.ID, Name: name, Photo: userJSON(ctx, u).Photo, Agent: u.Staff(), OrganizationID: u.OrganizationID}
}

func requestCommentJSON(ctx context.Context, c tickets.CommentRecord) gen.RequestComment {
	all := commentJSON(ctx, c, false)
	return gen.RequestComment{
		ID: all.ID, Type: all.Type, RequestID: c.TicketID, Body: all.Body, HTMLBody: all.HTMLBody, PlainBody: all.PlainBody, Public: all.Public,
		AuthorID: all.AuthorID, Attachments: all.Attachments, CreatedAt: all.CreatedAt,
		URL: linkBelow(ctx, "requests", c.TicketID, "comments", c.ID),
	}
}

// requestJSON is a ticket as the caller sees it as an end user: without tags,
// followers and fields that are for agents. Who has not signed in learns nothing
// of whom an address belongs to.
func requestJSON(ctx context.Context, t models.Ticket, config *fields.Config) gen.Request {
	by := auth.From(ctx)
	values := config.AppendPortalJSON(nil, t.CustomFields)
	out := gen.Request{
		URL: link(ctx, "requests", t.ID), ID: t.ID, CreatedAt: wire.Time(t.CreatedAt), UpdatedAt: wire.Time(t.UpdatedAt),
		Subject: renderedSubject(ctx, &t), Description: t.Description, Status: gen.TicketStatus(t.Status), CustomStatusID: t.CustomStatusID,
		CustomFields: values, Fields: values, CollaboratorIds: []int64{}, EmailCcIds: []int64{},
		Recipient: t.Recipient, TicketFormID: t.TicketFormID, Via: shownVia(t.Via), IsPublic: t.IsPublic,
		CanBeSolvedByMe: tickets.CanSolve(by, &t), Solved: t.Status == models.StatusSolved || t.Status == models.StatusClosed,
		FollowupSourceID: t.FollowupSourceID,
	}
	if inPortal(config, models.FieldPriority) {
		out.Priority = t.Priority
	}
	if inPortal(config, models.FieldTicketType) {
		out.Type, out.DueAt = t.Type, (*wire.Time)(t.DueAt)
	}
	if !by.Anonymous() {
		out.RequesterID, out.OrganizationID, out.AssigneeID, out.GroupID = &t.RequesterID, t.OrganizationID, t.AssigneeID, t.GroupID
		out.CollaboratorIds, out.EmailCcIds = list(t.EmailCCIDs), list(t.EmailCCIDs)
	}
	return out
}

func inPortal(config *fields.Config, kind string) bool {
	f, ok := config.SystemField(kind)
	return ok && f.Active && f.VisibleInPortal
}

// shownVia is how a request came in, with the addresses of a mail. Other sources
// name what the reader may not see: a ticket's subject, a rule's title.
func shownVia(stored models.JSON) wire.Raw {
	var via tickets.Via
	_ = json.Unmarshal(stored, &via) // written by ourselves
	shown := func(part map[string]any) map[string]any {
		out := map[string]any{}
		for _, name := range []string{"address", "name"} {
			if v, ok := part[name]; ok && via.Channel == "email" {
				out[name] = v
			}
		}
		return out
	}
	via.Source.From, via.Source.To = shown(via.Source.From), shown(via.Source.To)
	return wire.Raw(models.ToJSON(via))
}
