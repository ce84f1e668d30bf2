package rules

import (
	"errors"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
)

// hourField is a time that conditions ask about in hours until now, or from now
// on (ahead). A ticket without the time, or with one on the other side of now,
// meets no condition on it.
//
// With e the time that has passed, and n the value: is means n <= e < n+1 hours,
// less_than e < n, greater_than e > n. The operators in business hours count
// the working time of the ticket's schedule instead, and hold for no ticket
// where there is none.
type hourField struct {
	status string // that the ticket must be in; empty: any
	read   func(*Subject) *time.Time
	expr   string
	ahead  bool
}

const maxHours = 24 * 366 * 100

func (f hourField) compile(env Env, op string, c Condition) (test, error) {
	value, err := one(c.Value)
	if err != nil {
		return test{}, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 0 || n > maxHours {
		return test{}, errors.New("needs a number of whole hours")
	}
	op, business := strings.CutSuffix(op, "_business_hours")
	meets := meeting(op, time.Duration(n)*time.Hour)
	t := test{
		holds: func(s *Subject) bool {
			at := f.read(s)
			if at == nil || f.status != "" && s.After.Ticket.Status != f.status {
				return false
			}
			from, to := *at, s.Now
			if f.ahead {
				from, to = to, from
			}
			if to.Before(from) {
				return false
			}
			if !business {
				return meets(to.Sub(from))
			}
			hours := env.hours(scheduleOf(s.After.Ticket))
			return hours != nil && meets(hours.Between(from, to))
		},
		where:    func(q *query) string { return f.where(q, op, time.Duration(n)*time.Hour, business) },
		value:    func(s *Subject) any { return f.read(s) },
		measured: strings.HasPrefix(f.expr, "m."),
		cost:     3,
	}
	// A rule that asks for tickets updated lately updates them: it would act for
	// ever, were that a moment.
	if f.expr != updatedAt || op != "less_than" {
		t.moment, t.momentSQL = f.read, f.expr
	}
	return t, nil
}

const updatedAt = "t.updated_at"

// meeting reports whether a time that has passed meets a condition.
func meeting(op string, n time.Duration) func(time.Duration) bool {
	switch op {
	case "less_than":
		return func(e time.Duration) bool { return e < n }
	case "greater_than":
		return func(e time.Duration) bool { return e > n }
	}
	return func(e time.Duration) bool { return e >= n && e < n+time.Hour }
}

// where turns the condition on a span into one on the time itself, which an
// index can answer: e grows the farther the time is from now, so that each
// condition is a range of times.
func (f hourField) where(q *query, op string, n time.Duration, business bool) string {
	var where string
	if !business {
		where = f.between(q, func(d time.Duration) time.Time { return f.off(q.Now, d) }, op, n)
	} else {
		where = f.inSchedules(q, op, n)
	}
	if f.ahead {
		where += " AND " + f.expr + " >= " + q.arg(q.Now)
	} else {
		where += " AND " + f.expr + " <= " + q.arg(q.Now)
	}
	if f.status != "" {
		where += " AND t.status = '" + f.status + "'"
	}
	return where
}

// off is the instant that lies d from now, on the field's side.
func (f hourField) off(now time.Time, d time.Duration) time.Time {
	if f.ahead {
		return now.Add(d)
	}
	return now.Add(-d)
}

// between is the range of times of a condition; at gives the instant at which e
// is d.
func (f hourField) between(q *query, at func(d time.Duration) time.Time, op string, n time.Duration) string {
	farther, nearer := " <", " >"
	if f.ahead {
		farther, nearer = nearer, farther
	}
	switch op {
	case "less_than":
		return f.expr + nearer + " " + q.arg(at(n))
	case "greater_than":
		return f.expr + farther + " " + q.arg(at(n))
	}
	return f.expr + farther + "= " + q.arg(at(n)) + " AND " + f.expr + nearer + " " + q.arg(at(n+time.Hour))
}

// inSchedules asks each ticket by the schedule that it has.
func (f hourField) inSchedules(q *query, op string, n time.Duration) string {
	list := q.Config.Schedules
	if len(list) == 0 {
		return "false"
	}
	var cases strings.Builder
	for i := range list {
		// The default one, which comes first, is everybody else's.
		s := list[(i+1)%len(list)]
		if i == len(list)-1 {
			cases.WriteString(" ELSE ")
		} else {
			cases.WriteString(" WHEN t.schedule_id = " + q.arg(s.ID) + " THEN ")
		}
		// Outside working hours e stands still: greater_than ends where the
		// last of such a time is, the others where the first of it is.
		cases.WriteString(f.between(q, func(d time.Duration) time.Time { return f.edge(q.Now, s.Hours, d, op != "greater_than") }, op, n))
	}
	if len(list) == 1 {
		return strings.TrimPrefix(cases.String(), " ELSE ")
	}
	return "(CASE" + cases.String() + " END)"
}

// edge is the instant next to now at which at least d of working time lies
// between the two (reached), or the farthest one at which no more than d does.
// Times are kept in microseconds.
func (f hourField) edge(now time.Time, h *businesshours.Hours, d time.Duration, reached bool) time.Time {
	const reach = 200 * 366 * 24 * time.Hour
	at := func(i int) time.Time { return f.off(now, time.Duration(i)*time.Microsecond) }
	i := sort.Search(int(reach/time.Microsecond), func(i int) bool {
		from, to := at(i), now
		if f.ahead {
			from, to = to, from
		}
		worked := h.Between(from, to)
		if reached {
			return worked >= d
		}
		return worked > d
	})
	if !reached {
		i--
	}
	return at(i)
}

// scheduleOf is the schedule of a ticket; 0: the default one.
func scheduleOf(t *models.Ticket) int64 {
	if t.ScheduleID == nil {
		return 0
	}
	return *t.ScheduleID
}

func stamp(read func(*models.TicketMetric) *time.Time) func(*Subject) *time.Time {
	return func(s *Subject) *time.Time {
		if s.Metric == nil {
			return nil
		}
		return read(s.Metric)
	}
}

func inStatus(status string) hourField {
	return hourField{status: status, read: stamp(func(m *models.TicketMetric) *time.Time { return m.StatusUpdatedAt }), expr: "m.status_updated_at"}
}
