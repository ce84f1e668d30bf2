package businesshours_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/businesshours/slowhours"
)

// slow is the same clock written the other way around.
type slow slowhours.Clock

// between counts seconds; from and to are seconds since start.
func (s slow) between(from, to int) (sum int) {
	for m := from / 60; m*60 < to; m++ {
		if s.Open[m] {
			sum += min(to, m*60+60) - max(from, m*60)
		}
	}
	return sum
}

// after is the second at which need seconds have been worked.
func (s slow) after(from, need int) int {
	for m := from / 60; ; m++ {
		if !s.Open[m] {
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

// A history is a ticket that goes through some statuses.
func TestHistoriesAgainstAnotherClock(t *testing.T) {
	t.Parallel()
	const histories, perSchedule, days = 100_000, 400, 45
	r := rand.New(rand.NewPCG(4, 2026))
	moved, working := 0, 0
	for n := range histories / perSchedule {
		s := slowhours.Random(r, n, days)
		fast, other := s.Hours, slow(s.Clock)
		instant := func(second int) time.Time { return s.Start.Add(time.Duration(second) * time.Second) }
		if s.Moves {
			moved++
		}
		for range perSchedule {
			second := r.IntN(days * 86400)
			first, sum := second, 0
			for range 1 + r.IntN(4) {
				next := min(second+r.IntN(1<<(4+r.IntN(17))), days*86400)
				want := other.between(second, next)
				if got := fast.Between(instant(second), instant(next)); got != time.Duration(want)*time.Second {
					t.Fatalf("%s: from %s to %s %s, want %d s", s, instant(second), instant(next), got, want)
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
				t.Fatalf("%s: %d s after %s is %s, want %s", s, need, instant(first), got, want)
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
		var holidays []businesshours.Holiday
		for range 10 {
			first := start.AddDate(0, 0, r.IntN(days))
			holidays = append(holidays, businesshours.Holiday{First: first, Last: first.AddDate(0, 0, r.IntN(6))})
		}
		fast, other := businesshours.New(z, weekdays(0, 17), holidays), slow(slowhours.Look(z, weekdays(0, 17), holidays, start, days*1440))
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
