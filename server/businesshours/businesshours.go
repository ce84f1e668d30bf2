// Package businesshours is the clock of schedules: how much working time lies
// between two instants, and when so much of it has passed. It is pure: it knows
// neither rows nor the time of day.
//
// # Rules
//
//   - An instant is within working hours if the clock on the wall in the
//     schedule's zone shows a time within one of the intervals, on a date that is
//     no holiday. Everything else follows from that.
//   - An interval begins with its first minute and ends before its last:
//     09:00-17:00 are eight hours, and 17:00 is no longer one of them. Weeks begin
//     on Sunday at 00:00, minute 0. An interval may end at midnight (the next
//     day's minute 0, at the end of the week 10080) and may go on over midnight;
//     intervals that touch or overlap count once.
//   - A holiday is whole days, from 00:00 of its first date to 24:00 of its last,
//     on the wall of the schedule's zone. Of an interval over midnight it takes
//     the part on its own dates alone. Holidays may overlap.
//   - When clocks are set forward, the times that the wall never shows do not
//     count: a shift from 00:00 to 06:00 is an hour shorter in that night. When
//     they are set back, times that it shows twice count twice: that shift is an
//     hour longer. This also holds where clocks are moved by half an hour, at
//     midnight, or by a whole day (a date that never was has no working time).
//   - Time is kept in microseconds, as the database does; what is finer is cut off
//     an instant.
package businesshours

import (
	"slices"
	"sort"
	"time"
)

// Week is the number of minutes in a week: the last End of an interval.
const Week = 7 * 24 * 60

// Interval is a time of each week, in minutes since Sunday 00:00 on the wall:
// {1980, 2460} is Monday from 9:00 to 17:00. 0 <= Start < End <= Week.
type Interval struct{ Start, End int }

// Holiday are days without working time, the last one included. Of both times
// only the date counts, as it is written in their own zone.
type Holiday struct{ First, Last time.Time }

// Hours are the working hours of one schedule. They are immutable.
type Hours struct {
	zone     *time.Location
	week     []span  // in microseconds since Sunday 00:00; sorted, apart from each other
	before   []int64 // working time of a week before each of them
	perWeek  int64
	holidays []span // in wall time; sorted, apart from each other
}

// span is from start on and before end.
type span struct{ start, end int64 }

// Wall time is what the clock on the wall shows, in microseconds since it showed
// 1970-01-01 00:00, as if the zone had never moved its clocks.
const (
	minute = int64(time.Minute / time.Microsecond)
	day    = 24 * 60 * minute
	week   = Week * minute
	sunday = 3 * day // 1970-01-04, on which a week begins
)

// end is where calculations stop: times on the wire have four digits for years.
var end = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// New makes the working hours of intervals in a zone, but not on holidays.
func New(zone *time.Location, intervals []Interval, holidays []Holiday) *Hours {
	h := &Hours{zone: zone}
	for _, i := range intervals {
		h.week = append(h.week, span{int64(i.Start) * minute, int64(i.End) * minute})
	}
	h.week = merged(h.week)
	for _, s := range h.week {
		h.before = append(h.before, h.perWeek)
		h.perWeek += s.end - s.start
	}
	for _, d := range holidays {
		h.holidays = append(h.holidays, span{midnight(d.First), midnight(d.Last) + day})
	}
	h.holidays = merged(h.holidays)
	return h
}

// midnight is the wall time at which the date of t begins.
func midnight(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMicro()
}

// merged sorts spans and makes one of those that touch or overlap. Empty ones
// are left out.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return int(min(max(a.start-b.start, -1), 1)) })
	out := spans[:0]
	for _, s := range spans {
		switch n := len(out); {
		case s.end <= s.start:
		case n > 0 && s.start <= out[n-1].end:
			out[n-1].end = max(out[n-1].end, s.end)
		default:
			out = append(out, s)
		}
	}
	return out
}

// Between is the working time from one instant to another; 0 if to is not after
// from. A Duration holds 292 years, and more than that is that. What it costs
// grows with how often the zone moved its clocks in between, twice a year at
// most, and not with the weeks.
func (h *Hours) Between(from, to time.Time) time.Duration {
	var sum int64
	for from.Before(to) {
		offset, until := h.steady(from)
		if until.After(to) {
			until = to
		}
		sum += h.within(from.UnixMicro()+offset, until.UnixMicro()+offset)
		from = until
	}
	const most = int64(1<<63-1) / int64(time.Microsecond)
	return time.Duration(min(sum, most)) * time.Microsecond
}

// After is the first instant at which d of working time has passed since from:
// with 8 hours from Monday 9:00, Monday 17:00 and not Tuesday 9:00. It is from
// itself if d is 0 or less. False: there is none before the year 10000, because
// there are no working hours, or too few of them.
func (h *Hours) After(from time.Time, d time.Duration) (time.Time, bool) {
	if d <= 0 {
		return from, true
	}
	if h.perWeek == 0 {
		return time.Time{}, false
	}
	need := int64((d + time.Microsecond - 1) / time.Microsecond)
	for from.Before(end) {
		offset, until := h.steady(from)
		at, left := h.spend(from.UnixMicro()+offset, until.UnixMicro()+offset, need)
		if left == 0 {
			return time.UnixMicro(at - offset).UTC(), true
		}
		from, need = until, left
	}
	return time.Time{}, false
}

// steady is how far the wall is ahead of UTC at t, in microseconds, and until
// when it stays so.
func (h *Hours) steady(t time.Time) (offset int64, until time.Time) {
	t = t.In(h.zone)
	_, seconds := t.Zone()
	if _, until = t.ZoneBounds(); until.IsZero() || until.After(end) {
		until = end
	}
	if !t.Before(until) { // beyond the end nothing is moved any more
		until = t.AddDate(1_000, 0, 0)
	}
	return int64(seconds) * int64(time.Second/time.Microsecond), until
}

// within is the working time from wall time a to b.
func (h *Hours) within(a, b int64) int64 {
	sum := h.worked(b) - h.worked(a)
	for _, off := range h.holidays[h.holidayAfter(a):] {
		if off.start >= b {
			break
		}
		sum -= h.worked(min(off.end, b)) - h.worked(max(off.start, a))
	}
	return sum
}

// spend is the wall time from a to b at which need has been worked since a; or,
// if there is not so much, what is left of need.
func (h *Hours) spend(a, b, need int64) (at, left int64) {
	for i := h.holidayAfter(a); a < b; i++ {
		stop, next := b, b
		if i < len(h.holidays) && h.holidays[i].start < b {
			stop, next = max(h.holidays[i].start, a), h.holidays[i].end
		}
		done := h.worked(a)
		if have := h.worked(stop) - done; have < need {
			need -= have
			a = next
			continue
		}
		return h.reached(done + need), 0
	}
	return 0, need
}

// holidayAfter is the place of the first holiday that ends after wall time a.
func (h *Hours) holidayAfter(a int64) int {
	return sort.Search(len(h.holidays), func(i int) bool { return h.holidays[i].end > a })
}

// worked is the working time before wall time t, as if there were no holidays,
// counted from a Sunday: whole weeks by multiplication.
func (h *Hours) worked(t int64) int64 {
	weeks, rest := divide(t-sunday, week)
	sum := weeks * h.perWeek
	if i := sort.Search(len(h.week), func(i int) bool { return h.week[i].start >= rest }) - 1; i >= 0 {
		sum += h.before[i] + min(rest, h.week[i].end) - h.week[i].start
	}
	return sum
}

// reached is the first wall time at which worked is sum.
func (h *Hours) reached(sum int64) int64 {
	weeks, rest := divide(sum-1, h.perWeek)
	rest++ // from 1 to all of a week: what ends a week is not the next one's start
	i := sort.Search(len(h.week), func(i int) bool { return h.before[i] >= rest }) - 1
	return sunday + weeks*week + h.week[i].start + rest - h.before[i]
}

// divide rounds down, also below 0.
func divide(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}
