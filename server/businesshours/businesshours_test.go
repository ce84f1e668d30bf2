package businesshours_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/helpd/helpd/server/businesshours"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads a time on the wall of z, "2026-03-02 09:00" or with seconds; with a
// Z behind it UTC.
func at(t testing.TB, z *time.Location, text string) time.Time {
	t.Helper()
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04Z07:00"} {
		if got, err := time.ParseInLocation(layout, text, z); err == nil {
			return got
		}
	}
	t.Fatalf("what time is %q?", text)
	return time.Time{}
}

func date(t testing.TB, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// on is an interval of a day of the week, 0 for Sunday, in hours.
func on(day, from, to int) businesshours.Interval {
	return businesshours.Interval{Start: day*1440 + from*60, End: day*1440 + to*60}
}

func weekdays(from, to int) []businesshours.Interval {
	return []businesshours.Interval{on(1, from, to), on(2, from, to), on(3, from, to), on(4, from, to), on(5, from, to)}
}

func daily(from, to int) []businesshours.Interval {
	return append(weekdays(from, to), on(0, from, to), on(6, from, to))
}

func TestRules(t *testing.T) {
	t.Parallel()
	split := []businesshours.Interval{on(1, 13, 17), on(1, 9, 12)}
	always := []businesshours.Interval{{Start: 0, End: businesshours.Week}}
	for _, tc := range []struct {
		says      string
		zone      string
		intervals []businesshours.Interval
		holidays  [][2]string
		from, to  string
		want      time.Duration
	}{
		{"a working day", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 09:00", "2026-03-02 17:00", 8 * time.Hour},
		{"before and after hours nothing counts", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 00:00", "2026-03-03 00:00", 8 * time.Hour},
		{"the first minute counts", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 08:59", "2026-03-02 09:01", time.Minute},
		{"the last does not", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 17:00", "2026-03-02 17:01", 0},
		{"seconds count", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 08:59:50", "2026-03-02 09:00:07", 7 * time.Second},
		{"a weekend", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-06 16:00", "2026-03-09 10:00", 2 * time.Hour},
		{"backwards", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-02 17:00", "2026-03-02 09:00", 0},
		{"a lunch break, in any order", "Europe/Berlin", split, nil, "2026-03-02 11:00", "2026-03-02 14:00", 2 * time.Hour},
		{"Saturday night goes on on Sunday", "UTC", []businesshours.Interval{on(6, 22, 24), on(0, 0, 6)}, nil, "2026-03-07 00:00", "2026-03-08 23:00", 8 * time.Hour},
		{"an interval over midnight", "UTC", []businesshours.Interval{on(1, 22, 30)}, nil, "2026-03-02 23:00", "2026-03-03 05:00", 6 * time.Hour},
		{"overlapping intervals count once", "UTC", []businesshours.Interval{on(1, 9, 12), on(1, 10, 17), on(1, 17, 18)}, nil, "2026-03-02 00:00", "2026-03-03 00:00", 9 * time.Hour},
		{"no hours", "UTC", nil, nil, "2026-03-02 00:00", "2027-03-03 00:00", 0},
		{"all hours", "Europe/Berlin", always, nil, "2026-01-01 00:00", "2027-01-01 00:00", 365 * 24 * time.Hour},
		{"before 1970", "UTC", weekdays(9, 17), nil, "1969-12-28 00:00", "1970-01-04 00:00", 40 * time.Hour},

		{"a holiday", "Europe/Berlin", weekdays(9, 17), [][2]string{{"2026-03-03", "2026-03-03"}}, "2026-03-02 09:00", "2026-03-04 17:00", 16 * time.Hour},
		{"several days of it", "Europe/Berlin", weekdays(9, 17), [][2]string{{"2026-03-03", "2026-03-05"}}, "2026-03-02 00:00", "2026-03-07 00:00", 16 * time.Hour},
		{"from within a holiday", "Europe/Berlin", weekdays(9, 17), [][2]string{{"2026-03-03", "2026-03-03"}}, "2026-03-03 12:00", "2026-03-04 10:00", time.Hour},
		{"overlapping holidays", "Europe/Berlin", weekdays(9, 17), [][2]string{{"2026-03-04", "2026-03-05"}, {"2026-03-03", "2026-03-04"}}, "2026-03-02 00:00", "2026-03-07 00:00", 16 * time.Hour},
		{"a holiday takes its own part of a night", "UTC", []businesshours.Interval{on(1, 22, 30)}, [][2]string{{"2026-03-03", "2026-03-03"}}, "2026-03-02 12:00", "2026-03-03 12:00", 2 * time.Hour},
		{"a holiday is one on the wall", "Pacific/Auckland", always, [][2]string{{"2026-03-03", "2026-03-03"}}, "2026-03-02 10:00Z", "2026-03-03 12:00Z", 2 * time.Hour},

		{"a night that lacks an hour", "Europe/Berlin", daily(0, 6), nil, "2026-03-29 00:00", "2026-03-29 12:00", 5 * time.Hour},
		{"a night that has one twice", "Europe/Berlin", daily(0, 6), nil, "2026-10-25 00:00", "2026-10-25 12:00", 7 * time.Hour},
		{"hours that never came", "Europe/Berlin", daily(2, 3), nil, "2026-03-29 00:00", "2026-03-29 12:00", 0},
		{"hours that came twice", "Europe/Berlin", daily(2, 3), nil, "2026-10-25 00:00", "2026-10-25 12:00", 2 * time.Hour},
		{"a week with the change has its hours", "Europe/Berlin", weekdays(9, 17), nil, "2026-03-23 00:00", "2026-04-06 00:00", 80 * time.Hour},
		{"half an hour", "Australia/Lord_Howe", daily(0, 6), nil, "2026-04-05 00:00", "2026-04-05 12:00", 6*time.Hour + 30*time.Minute},
		{"a zone on the half hour", "Asia/Kolkata", weekdays(9, 17), nil, "2026-03-02 03:30Z", "2026-03-02 11:30Z", 8 * time.Hour},
		{"midnight that never came", "America/Sao_Paulo", daily(0, 6), nil, "2018-11-03 12:00", "2018-11-04 12:00", 5 * time.Hour},
		{"a day that began twice, a holiday", "America/Sao_Paulo", always, [][2]string{{"2018-02-17", "2018-02-17"}}, "2018-02-17 02:00Z", "2018-02-18 04:00Z", time.Hour},
		{"a date that never was", "Pacific/Apia", daily(9, 17), nil, "2011-12-29 12:00", "2011-12-31 12:00", 8 * time.Hour},
	} {
		z := zone(t, tc.zone)
		var off []businesshours.Holiday
		for _, d := range tc.holidays {
			off = append(off, businesshours.Holiday{First: date(t, d[0]), Last: date(t, d[1])})
		}
		h := businesshours.New(z, tc.intervals, off)
		from, to := at(t, z, tc.from), at(t, z, tc.to)
		if got := h.Between(from, to); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.says, got, tc.want)
		}
		if tc.want <= 0 {
			continue
		}
		reached, ok := h.After(from, tc.want)
		if !ok || h.Between(from, reached) != tc.want || h.Between(from, reached.Add(-time.Microsecond)) >= tc.want {
			t.Errorf("%s: %s have passed at %s, %t", tc.says, tc.want, reached, ok)
		}
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Berlin")
	h := businesshours.New(z, weekdays(9, 17), []businesshours.Holiday{{First: date(t, "2026-03-03"), Last: date(t, "2026-03-04")}})
	for _, tc := range []struct {
		says, from, want string
		d                time.Duration
	}{
		{"within a day", "2026-03-02 10:00", "2026-03-02 12:30", 150 * time.Minute},
		{"to the end of the day, and not to the next one's start", "2026-03-02 09:00", "2026-03-02 17:00", 8 * time.Hour},
		{"a second more, over a holiday", "2026-03-02 09:00", "2026-03-05 09:00:01", 8*time.Hour + time.Second},
		{"from the night", "2026-03-01 23:00", "2026-03-02 09:01", time.Minute},
		{"from a holiday", "2026-03-03 12:00", "2026-03-05 09:01", time.Minute},
		{"to the end of a week", "2026-03-09 09:00", "2026-03-13 17:00", 40 * time.Hour},
		{"over the change of clocks", "2026-03-27 16:00", "2026-03-30 10:00", 2 * time.Hour},
		{"nothing", "2026-03-01 23:00", "2026-03-01 23:00", 0},
		{"less than nothing", "2026-03-01 23:00", "2026-03-01 23:00", -time.Hour},
	} {
		if got, ok := h.After(at(t, z, tc.from), tc.d); !ok || !got.Equal(at(t, z, tc.want)) {
			t.Errorf("%s: %s, %t, want %s", tc.says, got.In(z), ok, tc.want)
		}
	}
	if got, ok := businesshours.New(z, nil, nil).After(noon, time.Minute); ok {
		t.Errorf("without hours a minute has passed at %s", got)
	}
	short := businesshours.New(z, []businesshours.Interval{{Start: 10079, End: businesshours.Week}}, nil)
	if got, ok := short.After(noon, 200*365*24*time.Hour); ok {
		t.Errorf("200 years of a minute a week have passed at %s", got)
	}
	if got, ok := businesshours.New(time.UTC, weekdays(9, 17), nil).After(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour); ok {
		t.Errorf("behind the end: %s", got)
	}
	if got := businesshours.New(z, weekdays(9, 17), nil).Between(noon, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)); got < 290*365*24*time.Hour {
		t.Errorf("more working time than a Duration holds is %s", got)
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func BenchmarkBetweenTenYears(b *testing.B) {
	var off []businesshours.Holiday
	for d := date(b, "2016-01-01"); d.Year() < 2026; d = d.AddDate(0, 0, 30) {
		off = append(off, businesshours.Holiday{First: d, Last: d})
	}
	h := businesshours.New(zone(b, "Europe/Berlin"), weekdays(9, 17), off)
	from := noon.AddDate(-10, 0, 0)
	for b.Loop() {
		h.Between(from, noon)
	}
}

func BenchmarkAfterAWeek(b *testing.B) {
	h := businesshours.New(zone(b, "Europe/Berlin"), weekdays(9, 17), nil)
	for b.Loop() {
		h.After(noon, 40*time.Hour)
	}
}
