package api

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
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

// startTime reads where an export starts: seconds since 1970, which clients also
// send with a fraction, or a time in ISO 8601.
func startTime(text string) (time.Time, error) {
	t, err := wire.ParseTime(text)
	if err != nil || time.Time(t).IsZero() {
		return time.Time{}, fault.New(fault.BadRequest, "Parameter start_time must be a Unix time or a time in ISO 8601")
	}
	return time.Time(t).Truncate(time.Second), nil
}

// startingAt is the URL of an export's next page; the caller's other parameters
// stay.
func (c call) startingAt(end int64) string {
	q := cloned(c.query)
	q.Set("start_time", strconv.FormatInt(end, 10))
	for name := range q {
		if strings.HasPrefix(name, "page[") { // says nothing here
			delete(q, name)
		}
	}
	return c.base + c.path + ".json?" + url.Values(q).Encode()
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
