package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/tickets"
)

// ticketAnswer is an answer with tickets, encoded already. It is the response
// of every operation that answers with tickets: the generated types would have
// each ticket encoded a second time.
type ticketAnswer struct {
	status   int
	location string
	body     []byte
}

func (a ticketAnswer) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	return err
}

func (a ticketAnswer) VisitListTicketsResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a ticketAnswer) VisitListRecentTicketsResponse(w http.ResponseWriter) error { return a.write(w) }
func (a ticketAnswer) VisitTicketsShowManyResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a ticketAnswer) VisitListTicketIncidentsResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitListTicketProblemsResponse(w http.ResponseWriter) error { return a.write(w) }
func (a ticketAnswer) VisitAutocompleteProblemsResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitListTicketsRequestedResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitListTicketsCcdResponse(w http.ResponseWriter) error { return a.write(w) }
func (a ticketAnswer) VisitListTicketsAssignedResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitListTicketsFollowedResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitListTicketsByOrganizationResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a ticketAnswer) VisitShowTicketResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a ticketAnswer) VisitCreateTicketResponse(w http.ResponseWriter) error { return a.write(w) }
func (a ticketAnswer) VisitUpdateTicketResponse(w http.ResponseWriter) error { return a.write(w) }
func (a ticketAnswer) VisitTicketImportResponse(w http.ResponseWriter) error { return a.write(w) }

// ticketSize is about how long a ticket is on the wire.
const ticketSize = 1600

// listed answers with a page of tickets and what the caller side-loads.
func (h ticketHandlers) listed(ctx context.Context, list tickets.Listed) (ticketAnswer, error) {
	l := wire.Listing{Key: "tickets"}
	addPaging(ctx, &l, list.Result)
	return h.enveloped(ctx, list.Items, list.Config, l)
}

// all answers with tickets that are not paged.
func (h ticketHandlers) all(ctx context.Context, list []models.Ticket) (ticketAnswer, error) {
	return h.enveloped(ctx, list, nil, whole[models.Ticket]("tickets", list))
}

func (h ticketHandlers) enveloped(ctx context.Context, list []models.Ticket, config *fields.Config, l wire.Listing) (ticketAnswer, error) {
	config, extras, err := h.context(ctx, list, config)
	if err != nil {
		return ticketAnswer{}, err
	}
	base := callOf(ctx).base
	b := make([]byte, 0, 512+ticketSize*len(list))
	b = append(b, `{"tickets":[`...)
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTicket(ctx, b, base, &list[i], config, extras)
	}
	b = append(b, ']')
	if b, err = h.appendSideLoads(ctx, b, list, config); err != nil {
		return ticketAnswer{}, err
	}
	buffer := bytes.NewBuffer(b)
	if err := l.AppendPaging(buffer); err != nil {
		return ticketAnswer{}, err
	}
	buffer.WriteByte('}')
	return ticketAnswer{status: http.StatusOK, body: buffer.Bytes()}, nil
}

// one answers with a ticket, and with the audit of its change if there is one.
// A nil config is looked up.
func (h ticketHandlers) one(ctx context.Context, status int, t models.Ticket, config *fields.Config, audit *tickets.AuditRecord) (ticketAnswer, error) {
	list := []models.Ticket{t}
	config, extras, err := h.context(ctx, list, config)
	if err != nil {
		return ticketAnswer{}, err
	}
	base := callOf(ctx).base
	b := append(make([]byte, 0, 2*ticketSize), `{"ticket":`...)
	b = appendTicket(ctx, b, base, &list[0], config, extras)
	if audit != nil {
		b = append(append(b, `,"audit":`...), models.ToJSON(auditJSON(ctx, *audit))...)
	}
	if b, err = h.appendSideLoads(ctx, b, list, config); err != nil {
		return ticketAnswer{}, err
	}
	a := ticketAnswer{status: status, body: append(b, '}')}
	if status == http.StatusCreated {
		a.location = base + "/api/v2/tickets/" + strconv.FormatInt(t.ID, 10) + ".json"
	}
	return a, nil
}

// context is what tickets are encoded with: the account's fields, unless they
// came with the tickets, and the metric sets where the caller asked for what
// they hold.
func (h ticketHandlers) context(ctx context.Context, list []models.Ticket, config *fields.Config) (*fields.Config, ticketExtras, error) {
	return h.contextOf(ctx, idsOf(list, func(t models.Ticket) []int64 { return []int64{t.ID} }), config)
}

// contextOf is context for tickets that are not read yet.
func (h ticketHandlers) contextOf(ctx context.Context, ids []int64, config *fields.Config) (*fields.Config, ticketExtras, error) {
	by := auth.From(ctx)
	var err error
	if config == nil && len(ids) > 0 {
		if config, err = h.tickets.Config(ctx, by); err != nil {
			return nil, ticketExtras{}, err
		}
	}
	x := ticketExtras{
		sets: includes(ctx, "metric_sets"), dates: includes(ctx, "dates"),
		commentCount: includes(ctx, "comment_count"), incidents: includes(ctx, "incident_counts"),
	}
	if x.sets || x.dates {
		if x.metrics, err = h.tickets.Metrics(ctx, by, ids); err != nil {
			return nil, x, err
		}
	}
	if includes(ctx, "slas") {
		if x.targets, err = h.tickets.Targets(ctx, by, ids); err != nil {
			return nil, x, err
		}
	}
	if includes(ctx, "metric_events") {
		x.events, err = h.tickets.MetricEventsOf(ctx, by, ids)
	}
	return config, x, err
}

// appendSideLoads appends the records that the tickets refer to, each kind read
// in one statement; not those that are left out.
func (h ticketHandlers) appendSideLoads(ctx context.Context, b []byte, list []models.Ticket, config *fields.Config, without ...string) ([]byte, error) {
	if callOf(ctx).query.Get("include") == "" {
		return b, nil
	}
	by := auth.From(ctx)
	for _, member := range []struct {
		name string
		load func() (any, error)
	}{
		{"users", func() (any, error) {
			found, err := h.users.ByIDs(ctx, by.AccountID, idsOf(list, peopleOf))
			return each(found, func(u models.User) gen.User { return userJSON(ctx, u) }), err
		}},
		{"groups", func() (any, error) {
			found, err := h.groups.ByIDs(ctx, by, idsOf(list, func(t models.Ticket) []int64 { return present(t.GroupID) }))
			return each(found, func(g models.Group) gen.Group { return groupJSON(ctx, g) }), err
		}},
		{"organizations", func() (any, error) {
			found, err := h.organizations.ByIDs(ctx, by, idsOf(list, func(t models.Ticket) []int64 { return present(t.OrganizationID) }))
			return each(found, func(o models.Organization) gen.Organization { return organizationJSON(ctx, o) }), err
		}},
		{"brands", func() (any, error) {
			found := config.BrandsByID(idsOf(list, func(t models.Ticket) []int64 { return []int64{t.BrandID} }))
			return each(found, func(b fields.Brand) gen.Brand { return brandJSON(ctx, b) }), nil
		}},
		{"ticket_forms", func() (any, error) {
			forms := []gen.TicketForm{}
			for _, id := range idsOf(list, func(t models.Ticket) []int64 { return present(t.TicketFormID) }) {
				if f, ok := config.Form(id); ok {
					forms = append(forms, formJSON(ctx, f))
				}
			}
			return forms, nil
		}},
		{"sharing_agreements", func() (any, error) { return []any{}, nil }}, // helpd shares no tickets
		{"last_audits", func() (any, error) {
			found, err := h.tickets.LastAudits(ctx, by, idsOf(list, func(t models.Ticket) []int64 { return []int64{t.ID} }))
			return each(found, func(a tickets.AuditRecord) gen.TicketAudit { return auditJSON(ctx, a) }), err
		}},
	} {
		if !includes(ctx, member.name) || slices.Contains(without, member.name) {
			continue
		}
		v, err := member.load()
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, `,"`...), member.name...), `":`...)
		b = append(b, models.ToJSON(v)...)
	}
	return b, nil
}

// peopleOf are the users that a ticket names.
func peopleOf(t models.Ticket) []int64 {
	ids := append([]int64{t.RequesterID, t.SubmitterID}, present(t.AssigneeID)...)
	return append(append(ids, t.FollowerIDs...), t.EmailCCIDs...)
}

func present(id *int64) []int64 {
	if id == nil {
		return nil
	}
	return []int64{*id}
}

// idsOf are the ids that of finds in the records, each once.
func idsOf[T any](list []T, of func(T) []int64) []int64 {
	ids := []int64{}
	seen := map[int64]bool{}
	for _, item := range list {
		for _, id := range of(item) {
			if id > 0 && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}
