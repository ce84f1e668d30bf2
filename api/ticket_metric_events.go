package api

import (
	"context"

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
	p, err := h.exports.Since(ctx, by, exports.Which{Kind: exports.MetricEvents, Present: true}, since, size)
	if err != nil {
		return nil, err
	}
	saves, err := h.tickets.tickets.StoredMetricEvents(ctx, by, p.IDs())
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
