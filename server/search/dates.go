package search

import (
	"regexp"
	"strconv"
	"time"
)

// Period is a stretch of time in a query: a day, or an instant, of which both ends
// are the same.
type Period struct{ From, Until time.Time }

var (
	relative = regexp.MustCompile(`^(\d{1,5})(hour|day|week|month|year|minute)s?$`)
	dayForms = []string{"2006-01-02", "01/02/2006", "1/2/2006"}
	// Without a zone it is the account's.
	zonedForms = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700"}
	localForms = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"}
)

// Date reads a date of a query (contract search.md §3): a day of the zone, an
// instant, or so many units before now. It fails with fault.BadQuery.
func Date(text string, now time.Time, zone *time.Location) (Period, error) {
	if m := relative.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // five digits
		if at := before(now.In(zone), n, m[2]); stored(at) {
			return Period{at, at}, nil
		}
	}
	for _, form := range dayForms {
		if day, err := time.ParseInLocation(form, text, zone); err == nil && stored(day) {
			return Period{day, day.AddDate(0, 0, 1)}, nil
		}
	}
	for _, form := range zonedForms {
		if at, err := time.Parse(form, text); err == nil && stored(at) {
			return Period{at, at}, nil
		}
	}
	for _, form := range localForms {
		if at, err := time.ParseInLocation(form, text, zone); err == nil && stored(at) {
			return Period{at, at}, nil
		}
	}
	return Period{}, Bad("%q is not a date", text)
}

// stored reports whether PostgreSQL has such a time, in a year of four digits.
func stored(at time.Time) bool { return at.Year() >= 1 && at.Year() <= 9999 }

func before(now time.Time, n int, unit string) time.Time {
	switch unit {
	case "minute":
		return now.Add(-time.Duration(n) * time.Minute)
	case "hour":
		return now.Add(-time.Duration(n) * time.Hour)
	case "day":
		return now.AddDate(0, 0, -n)
	case "week":
		return now.AddDate(0, 0, -7*n)
	case "month":
		return now.AddDate(0, -n, 0)
	}
	return now.AddDate(-n, 0, 0)
}

// Bounds are the instants between which a time lies that compares so with the
// period: from the first, before the second; a zero one is none.
func (p Period) Bounds(op Op) (from, until time.Time) {
	instant := p.From.Equal(p.Until)
	if instant {
		// Times are shown to the second, and compared so.
		p.From = p.From.Truncate(time.Second)
		p.Until = p.From.Add(time.Second)
	}
	switch op {
	case More:
		return p.Until, time.Time{}
	case Least:
		return p.From, time.Time{}
	case Less:
		return time.Time{}, p.From
	case AtMost:
		return time.Time{}, p.Until
	}
	return p.From, p.Until
}
