package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/tickets"
)

func (h exportHandlers) ListTicketMetricEvents(ctx context.Context, r gen.ListTicketMetricEventsRequestObject) (gen.ListTicketMetricEventsResponseObject, error) {
	since, err := startTime(r.Params.StartTime)
	if err != nil {
		return nil, err
	}
	size, err := exportSize(ctx)
	if err != nil {
		return nil, err
	}
	by := auth.From(ctx)
	p, saves, err := h.savedMetricEvents(ctx, by, since, size)
	if err != nil {
		return nil, err
	}
	// A save has several events, and is not divided.
	last := map[int64]int{} // how many there are up to a save, by its id
	events := []gen.TicketMetricEvent{}
	for _, s := range saves {
		events = append(events, each(s.List, metricEventJSON)...)
		last[s.ID] = len(events)
	}
	n, count := 0, 0
	for ; n < len(p.Entries) && count < size; n++ {
		count = max(count, last[p.Entries[n].ID])
	}
	if n > 0 {
		p = p.Upto(n)
	}
	count = 0
	for _, e := range p.Entries {
		count = max(count, last[e.ID])
	}
	out := gen.TicketMetricEventsEnvelope{TicketMetricEvents: events[:count], Count: int64(count), EndOfStream: !p.More, EndTime: p.End}
	if p.End != nil {
		out.NextPage = new(callOf(ctx).startingAt(*p.End))
	}
	return gen.ListTicketMetricEvents200JSONResponse(out), nil
}

// eventsOfANewTicket are so many; other saves have fewer.
const eventsOfANewTicket = 11

// savedMetricEvents are saves with at least size events, if there are as many. How
// many a save has is known when it is read: few are read first, and then as many as
// it takes if they go on like these.
func (h exportHandlers) savedMetricEvents(ctx context.Context, by auth.Actor, since time.Time, size int) (p exports.Page, saves []tickets.SavedMetricEvents, err error) {
	for most := 1 + size/eventsOfANewTicket; ; {
		p, err = h.exports.Since(ctx, by, exports.Which{Kind: exports.MetricEvents, Present: true}, since, most)
		if err != nil {
			return p, nil, err
		}
		if saves, err = h.tickets.tickets.StoredMetricEvents(ctx, by, p.IDs()); err != nil {
			return p, nil, err
		}
		events := 0
		for _, s := range saves {
			events += len(s.List)
		}
		if events >= size || !p.More || most >= size {
			return p, saves, nil
		}
		most = min(size, max(2*most, most*size/max(events, 1)))
	}
}

func metricEventJSON(e tickets.MetricEvent) gen.TicketMetricEvent {
	out := gen.TicketMetricEvent{
		ID: e.ID, TicketID: e.TicketID, Metric: e.Metric, InstanceID: e.InstanceID, Type: e.Type, Time: wire.Time(e.Time),
	}
	if e.Status != nil {
		out.Status = &gen.MetricStatus{Calendar: e.Status.Calendar, Business: or(e.Status.Business, 0)} // a number, also where nothing is known
	}
	if e.Type == "breach" {
		out.Deleted = &e.Deleted
	}
	if s := e.SLA; s != nil {
		out.SLA = &gen.MetricEventSLA{
			Target: s.Seconds / 60, TargetInSeconds: s.Seconds, BusinessHours: s.BusinessHours,
			Policy: gen.MetricEventPolicy{ID: s.PolicyID, Title: s.Title, Description: s.Description},
		}
	}
	return out
}

// metricEventsByName are a ticket's metric events under the names of the metrics,
// as side-loading shows them.
func metricEventsByName(list []tickets.MetricEvent) map[string][]gen.TicketMetricEvent {
	out := map[string][]gen.TicketMetricEvent{}
	for _, e := range list {
		out[e.Metric] = append(out[e.Metric], metricEventJSON(e))
	}
	return out
}
