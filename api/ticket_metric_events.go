package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/tickets"
)

func (h ticketHandlers) ListTicketMetricEvents(ctx context.Context, r gen.ListTicketMetricEventsRequestObject) (gen.ListTicketMetricEventsResponseObject, error) {
	since, err := startTime(r.Params.StartTime)
	if err != nil {
		return nil, err
	}
	size, err := positive(callOf(ctx).query, "per_page", tickets.MaxMetricEvents)
	if err != nil {
		return nil, err
	}
	list, err := h.tickets.MetricEvents(ctx, auth.From(ctx), since, size)
	if err != nil {
		return nil, err
	}
	out := gen.TicketMetricEventsEnvelope{
		TicketMetricEvents: each(list.Events, metricEventJSON), Count: int64(len(list.Events)), EndOfStream: list.Last,
	}
	if !list.End.IsZero() {
		end := list.End.Unix()
		next := callOf(ctx).startingAt(end)
		out.EndTime, out.NextPage = &end, &next
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
