package tickets

import (
	"context"
	"encoding/json"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// MetricEvent is one event in the life of a ticket's metric.
type MetricEvent struct {
	ID         int64
	TicketID   int64
	Metric     string
	InstanceID int64 // 0 for measure, then from 1
	Type       string
	Time       time.Time
	Status     *Minutes // of update_status: how long the instance ran so far
	SLA        *AppliedSLA
	Deleted    bool // of breach: what was told to be one is none
}

// AppliedSLA is of apply_sla: the target that the instance has from then on, and
// its policy as it was.
type AppliedSLA struct {
	Seconds       int64
	BusinessHours bool
	PolicyID      int64
	Title         string
	Description   *string
}

// SavedMetricEvents are the metric events of one save of a ticket.
type SavedMetricEvents struct {
	models.TicketMetricEvent
	List []MetricEvent
}

// StoredMetricEvents are the metric events with these ids, of all tickets, as
// Stored.
func (s *Service) StoredMetricEvents(ctx context.Context, by auth.Actor, ids []int64) ([]SavedMetricEvents, error) {
	from := lookUp{"e.id, e.ticket_id, e.time, e.events", "ticket_metric_events e WHERE e.account_id = ? AND e.id", []any{by.AccountID}}
	list, err := stored(ctx, s, by, from, ids, func(e *SavedMetricEvents) []any {
		return []any{&e.ID, &e.TicketID, &e.Time, &e.Events}
	})
	for i := range list {
		if err == nil {
			list[i].List, err = appendEvents(nil, list[i].TicketMetricEvent)
		}
	}
	return list, err
}

// MetricEventsOf are the metric events of tickets, by ticket id, the oldest first.
func (s *Service) MetricEventsOf(ctx context.Context, by auth.Actor, tickets []int64) (map[int64][]MetricEvent, error) {
	out := make(map[int64][]MetricEvent, len(tickets))
	err := postgres.Rows(s.db.WithContext(ctx), `SELECT id, ticket_id, time, events FROM ticket_metric_events
		WHERE account_id = ? AND ticket_id = ANY(?) ORDER BY ticket_id, id`, []any{by.AccountID, models.IDs(tickets)},
		func(r postgres.Scanned) error {
			var row models.TicketMetricEvent
			err := r.Scan(&row.ID, &row.TicketID, &row.Time, &row.Events)
			if err != nil {
				return err
			}
			out[row.TicketID], err = appendEvents(out[row.TicketID], row)
			return err
		})
	return out, err
}

// appendEvents appends the events of a row, in which one measure is all of them.
func appendEvents(list []MetricEvent, row models.TicketMetricEvent) ([]MetricEvent, error) {
	var kept []metricEvent
	if err := json.Unmarshal(row.Events, &kept); err != nil {
		return nil, err
	}
	id := row.ID
	for _, k := range kept {
		names := []string{k.Metric}
		if k.Type == "measure" {
			names = metricNames[:]
		}
		for _, name := range names {
			e := MetricEvent{ID: id, TicketID: row.TicketID, Metric: name, InstanceID: k.Instance, Type: k.Type, Time: row.Time}
			if k.Seconds != nil {
				status := MinutesOf(time.Duration(*k.Seconds)*time.Second, k.Business)
				e.Status = &status
			}
			if k.Applied != nil {
				e.SLA = new(AppliedSLA(*k.Applied))
			}
			if e.Deleted = k.Deleted; k.At != 0 { // a breach is told later than it comes
				e.Time = time.Unix(k.At, 0).UTC()
			}
			list = append(list, e)
			id++
		}
	}
	return list, nil
}
