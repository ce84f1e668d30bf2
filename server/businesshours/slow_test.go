package businesshours_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/helpd/helpd/server/businesshours"
)

// slow is the same clock written the other way around: it looks at the wall in
// each minute of a time and asks whether that is one of work.
type slow struct {
	start time.Time
	open  []bool // by minute since start
}

func lookAt(z *time.Location, intervals []businesshours.Interval, holidays []businesshours.Holiday, start time.Time, minutes int) slow {
	s := slow{start, make([]bool, minutes)}
	for i := range s.open {
		wall := start.Add(time.Duration(i) * time.Minute).In(z)
		hour, minute, _ := wall.Clock()
		of := int(wall.Weekday())*1440 + hour*60 + minute
		s.open[i] = slices.ContainsFunc(intervals, func(v businesshours.Interval) bool { return v.Start <= of && of < v.End }) &&
			!onHoliday(wall, holidays)
	}
	return s
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

// between counts seconds; from and to are seconds since start.
func (s slow) between(from, to int) (sum int) {
	for m := from / 60; m*60 < to; m++ {
		if s.open[m] {
			sum += min(to, m*60+60) - max(from, m*60)
		}
	}
	return sum
}

// after is the second at which need seconds have been worked.
func (s slow) after(from, need int) int {
	for m := from / 60; ; m++ {
		if !s.open[m] {
			continue
		}
		begin := max(from, m*60)
		if have := m*60 + 60 - begin; have < need {
			need -= have
			continue
		}
		return begin + need
	}
}

// zones with clocks that are moved in all the ways that there are, and those
// that are not.
var zones = []string{
	"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "America/Santiago",
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Tokyo", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "Australia/Sydney",
	"Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Europe/Dublin",
}

func intervalsOf(r *rand.Rand) []businesshours.Interval {
	switch r.IntN(5) {
	case 0:
		return weekdays(9, 17)
	case 1:
		return daily(0, 24)
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

// aroundAChange is a time some weeks before a zone moves its clocks, in one of
// the years in which many did so oddly; or any, in a zone that never does.
func aroundAChange(r *rand.Rand, z *time.Location, days int) time.Time {
	from := time.Date(2008+r.IntN(20), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
	if _, change := from.In(z).ZoneBounds(); !change.IsZero() {
		from = change.UTC().Truncate(time.Minute)
	}
	return from.Add(-time.Duration(r.IntN(days*1440)) * time.Minute)
}

// A history is a ticket that goes through some statuses.
func TestHistoriesAgainstAnotherClock(t *testing.T) {
	t.Parallel()
	const histories, perSchedule, days = 100_000, 400, 45
	r := rand.New(rand.NewPCG(4, 2026))
	moved, working := 0, 0
	for n := range histories / perSchedule {
		name := zones[n%len(zones)]
		z := zone(t, name)
		start := aroundAChange(r, z, days)
		intervals, holidays := intervalsOf(r), holidaysOf(r, start, days)
		fast, other := businesshours.New(z, intervals, holidays), lookAt(z, intervals, holidays, start, days*1440)
		instant := func(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }
		if _, change := start.In(z).ZoneBounds(); !change.IsZero() && change.Before(instant(days*86400)) {
			moved++
		}
		for range perSchedule {
			second := r.IntN(days * 86400)
			first, sum := second, 0
			for range 1 + r.IntN(4) {
				next := min(second+r.IntN(1<<(4+r.IntN(17))), days*86400)
				want := other.between(second, next)
				if got := fast.Between(instant(second), instant(next)); got != time.Duration(want)*time.Second {
					t.Fatalf("%s, %v without %v: from %s to %s %s, want %d s", name, intervals, holidays, instant(second), instant(next), got, want)
				}
				second, sum = next, sum+want
			}
			if sum == 0 {
				continue
			}
			working++
			need := 1 + r.IntN(sum)
			want := instant(other.after(first, need))
			if got, ok := fast.After(instant(first), time.Duration(need)*time.Second); !ok || !got.Equal(want) {
				t.Fatalf("%s, %v without %v: %d s after %s is %s, want %s", name, intervals, holidays, need, instant(first), got, want)
			}
		}
	}
	if moved < histories/perSchedule/2 || working < histories/3 {
		t.Errorf("of %d schedules %d saw their clocks moved, and %d histories had working time", histories/perSchedule, moved, working)
	}
}

func TestYearsAgainstAnotherClock(t *testing.T) {
	t.Parallel()
	const days = 6 * 365
	r := rand.New(rand.NewPCG(7, 2026))
	start := time.Date(2015, 2, 3, 4, 5, 0, 0, time.UTC)
	for _, name := range []string{"America/Sao_Paulo", "Australia/Lord_Howe"} {
		z := zone(t, name)
		intervals, holidays := weekdays(0, 17), holidaysOf(r, start, days)
		fast, other := businesshours.New(z, intervals, holidays), lookAt(z, intervals, holidays, start, days*1440)
		for range 20 {
			from, to := r.IntN(days*8640), days*86400-r.IntN(days*8640)
			a, b := start.Add(time.Duration(from)*time.Second), start.Add(time.Duration(to)*time.Second)
			worked := other.between(from, to)
			if got := fast.Between(a, b); got != time.Duration(worked)*time.Second {
				t.Errorf("%s: from %s to %s %s, want %d s", name, a, b, got, worked)
			}
			want := start.Add(time.Duration(other.after(from, worked)) * time.Second)
			if got, ok := fast.After(a, time.Duration(worked)*time.Second); !ok || !got.Equal(want) {
				t.Errorf("%s: %d s after %s is %s, want %s", name, worked, a, got, want)
			}
		}
	}
}
