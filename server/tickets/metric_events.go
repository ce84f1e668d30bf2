package tickets

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// MaxMetricEvents is how many metric events a page has, and more only if they
// are of one second.
const MaxMetricEvents = 1_000

// settling is how old metric events are when they are exported. By then what was
// saved at the same time is committed, too.
const settling = time.Minute

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

// MetricEventsPage is a page of metric events in the order of time.
type MetricEventsPage struct {
	Events []MetricEvent
	End    time.Time // where the next page starts; the zero time if there are no events
	Last   bool      // there is nothing behind it yet
}

// MetricEvents are the metric events of all tickets from the second since on, at
// least size if there are so many: a second is not divided. It fails with
// fault.Forbidden unless by is an admin.
func (s *Service) MetricEvents(ctx context.Context, by auth.Actor, since time.Time, size int) (MetricEventsPage, error) {
	if !by.Admin() {
		return MetricEventsPage{}, fault.Denied()
	}
	out := MetricEventsPage{Events: []MetricEvent{}, Last: true}
	until, err := s.settled(ctx)
	if err != nil || since.After(until) {
		return out, err
	}
	size = min(max(size, 1), MaxMetricEvents)
	var rows []models.TicketMetricEvent
	err = postgres.Rows(s.db.WithContext(ctx), `SELECT id, ticket_id, time, events FROM ticket_metric_events
		WHERE account_id = ? AND time >= ? AND time <= ? ORDER BY time FETCH FIRST ? ROWS WITH TIES`, []any{by.AccountID, since, until, size + 1},
		func(r postgres.Scanned) error {
			var row models.TicketMetricEvent
			err := r.Scan(&row.ID, &row.TicketID, &row.Time, &row.Events)
			rows = append(rows, row)
			return err
		})
	if err != nil {
		return out, err
	}
	slices.SortFunc(rows, func(a, b models.TicketMetricEvent) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	for _, row := range rows {
		if len(out.Events) >= size && !row.Time.Equal(out.End) {
			out.Last = false
			break
		}
		out.End = row.Time
		if out.Events, err = appendEvents(out.Events, row); err != nil {
			return out, err
		}
	}
	if out.Last && len(rows) > size { // all that were read are of one second at the end
		err = s.db.WithContext(ctx).Raw("SELECT NOT EXISTS (SELECT FROM ticket_metric_events WHERE account_id = ? AND time > ? AND time <= ?)",
			by.AccountID, out.End, until).Row().Scan(&out.Last)
	}
	if len(out.Events) > 0 {
		out.End = out.End.Add(time.Second)
	}
	return out, err
}

// settled is the time before which no more metric events will come: settling ago, or
// as much before the oldest transaction that has written and is not committed yet,
// which dated its events after it began.
func (s *Service) settled(ctx context.Context) (time.Time, error) {
	now := s.now()
	var age float64 // in seconds
	_, err := postgres.Row(s.db.WithContext(ctx), `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8
		FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()`, nil, &age)
	if age = max(age, 0); age < settling.Seconds()/2 { // as most: the stream goes on evenly
		age = 0
	}
	return now.Add(-settling - time.Duration(age*float64(time.Second))), err
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
