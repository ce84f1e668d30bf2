// Package slowhours is the clock of schedules written the other way around: it
// looks at the wall in each minute and asks whether that is one of work. Tests
// hold what reckons with working hours against it, on random schedules.
package slowhours

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/helpd/helpd/server/businesshours"
)

// Clock is a schedule at each minute of a time.
type Clock struct {
	Start time.Time
	Open  []bool // by minute since Start
}

// Look looks at the wall of a zone for so many minutes.
func Look(z *time.Location, intervals []businesshours.Interval, holidays []businesshours.Holiday, start time.Time, minutes int) Clock {
	c := Clock{start, make([]bool, minutes)}
	for i := range c.Open {
		wall := start.Add(time.Duration(i) * time.Minute).In(z)
		hour, minute, _ := wall.Clock()
		of := int(wall.Weekday())*1440 + hour*60 + minute
		c.Open[i] = slices.ContainsFunc(intervals, func(v businesshours.Interval) bool { return v.Start <= of && of < v.End }) &&
			!onHoliday(wall, holidays)
	}
	return c
}

func onHoliday(wall time.Time, holidays []businesshours.Holiday) bool {
	y, m, d := wall.Date()
	number := func(y int, m time.Month, d int) int { return y*10_000 + int(m)*100 + d }
	today := number(y, m, d)
	for _, h := range holidays {
		if number(h.First.Date()) <= today && today <= number(h.Last.Date()) {
			return true
		}
	}
	return false
}

// zones with clocks that are moved in all the ways that there are, and those
// that are not.
var zones = []string{
	"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "America/Santiago",
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Tokyo", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "Australia/Sydney",
	"Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Europe/Dublin",
}

// Schedule is a random schedule.
type Schedule struct {
	Clock     // for the days asked for
	Zone      *time.Location
	Intervals []businesshours.Interval
	Holidays  []businesshours.Holiday
	Hours     *businesshours.Hours // the same by the clock that is to be tested
	Moves     bool                 // the zone moves its clocks within these days
}

func (s Schedule) String() string {
	return fmt.Sprintf("%s, %v without %v, from %s", s.Zone, s.Intervals, s.Holidays, s.Start)
}

// Random is the n-th random schedule, for so many days, within which its zone
// moves its clocks if it ever does.
func Random(r *rand.Rand, n, days int) Schedule {
	z, err := time.LoadLocation(zones[n%len(zones)])
	if err != nil {
		panic(err) // a name of the time zone database
	}
	start := aroundAChange(r, z, days)
	s := Schedule{Zone: z, Intervals: intervalsOf(r), Holidays: holidaysOf(r, start, days)}
	s.Clock, s.Hours = Look(z, s.Intervals, s.Holidays, start, days*1440), businesshours.New(z, s.Intervals, s.Holidays)
	_, change := start.In(z).ZoneBounds()
	s.Moves = !change.IsZero() && change.Before(start.AddDate(0, 0, days))
	return s
}

// daily is the same time of each of some days, the week's first being 0.
func daily(first, last, from, to int) []businesshours.Interval {
	var out []businesshours.Interval
	for d := first; d <= last; d++ {
		out = append(out, businesshours.Interval{Start: d*1440 + from*60, End: d*1440 + to*60})
	}
	return out
}

func intervalsOf(r *rand.Rand) []businesshours.Interval {
	switch r.IntN(5) {
	case 0:
		return daily(1, 5, 9, 17)
	case 1:
		return daily(0, 6, 0, 24)
	}
	grain := []int{1, 15, 30, 60}[r.IntN(4)]
	var out []businesshours.Interval
	for start := r.IntN(1440); start < businesshours.Week; {
		end := min(start+grain*(1+r.IntN(720/grain)), businesshours.Week)
		if r.IntN(4) == 0 && start/1440 != (end-1)/1440 { // ends or begins at midnight
			end = end / 1440 * 1440
		}
		out = append(out, businesshours.Interval{Start: start, End: end})
		start = end + grain*r.IntN(1440/grain)
		if r.IntN(4) == 0 {
			start = (start + 1439) / 1440 * 1440
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func holidaysOf(r *rand.Rand, from time.Time, days int) []businesshours.Holiday {
	var out []businesshours.Holiday
	for range r.IntN(10) {
		first := from.AddDate(0, 0, r.IntN(days)-2)
		out = append(out, businesshours.Holiday{First: first, Last: first.AddDate(0, 0, r.IntN(2)*r.IntN(6))})
	}
	return out
}

// aroundAChange is a time some days before a zone moves its clocks, in one of
// the years in which many did so oddly; or any, in a zone that never does.
func aroundAChange(r *rand.Rand, z *time.Location, days int) time.Time {
	from := time.Date(2008+r.IntN(20), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
	if _, change := from.In(z).ZoneBounds(); !change.IsZero() {
		from = change.UTC().Truncate(time.Minute)
	}
	return from.Add(-time.Duration(r.IntN(days*1440)) * time.Minute)
}
