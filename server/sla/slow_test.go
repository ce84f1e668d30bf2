package sla

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours/slowhours"
)

// slow is how targets stand, found the other way around: of each moment it asks,
// looking back at the whole history, since which moment a clock counts and
// whether it does; and then it counts the minutes.
type slow struct {
	history []Moment
	set     Settings
}

// seen is a clock behind a moment.
type seen struct {
	stage Stage
	of    int // the moment with which it began; what was counted before does not count
}

// last is the last moment up to i that f holds for; -1 for none.
func (h slow) last(i int, f func(j int) bool) int {
	for ; i >= 0 && !f(i); i-- {
	}
	return i
}

func (h slow) first(from, to int, f func(j int) bool) int {
	for ; from <= to; from++ {
		if f(from) {
			return from
		}
	}
	return -1
}

func (h slow) solved(j int) bool {
	return h.history[j].Status == models.StatusSolved || h.history[j].Status == models.StatusClosed
}

// said reports whether a comment came with moment j, and by whom.
func (h slow) said(j int, public bool, by Author, requester bool) bool {
	c := h.history[j].Said
	return c != nil && *c == Said{Public: public, By: by, Requester: requester}
}

func (h slow) reply(j int) bool { return h.said(j, true, Agent, false) }
func (h slow) note(j int) bool  { return h.said(j, false, Agent, false) }
func (h slow) asked(j int) bool {
	return h.said(j, true, EndUser, true) || h.said(j, true, EndUser, false)
}

// status is a clock that counts in some statuses and stops in others, of all the
// time since the ticket was first at work.
func (h slow) status(i int, stops ...string) seen {
	begun := h.first(0, i, func(j int) bool { return !h.solved(j) })
	switch {
	case begun < 0:
		return seen{}
	case h.solved(i):
		return seen{Achieved, begun}
	case slices.Contains(stops, h.history[i].Status):
		return seen{Paused, begun}
	}
	return seen{Active, begun}
}

// updates is a clock from one update to the next.
func (h slow) updates(i int, update func(j int) bool, stops ...string) seen {
	of := h.last(i, func(j int) bool { return update(j) && !h.solved(j) })
	switch {
	case of < 0:
		return seen{}
	case h.first(of, i, h.solved) >= 0:
		return seen{Achieved, of}
	case slices.Contains(stops, h.history[i].Status):
		return seen{Paused, of}
	}
	return seen{Active, of}
}

func (h slow) firstReply(i int) seen {
	s := h.set.FirstReply
	begun := h.first(0, i, func(j int) bool {
		switch {
		case h.solved(j):
			return false
		case h.history[0].OfAgent:
			return j == 0 && s.ForAgent
		case j > 0:
			return s.ForEndUser && h.asked(j) && h.first(1, j-1, h.reply) < 0
		case h.history[0].Said == nil:
			return false
		case h.history[0].Said.Public:
			return s.ForEndUser
		case h.history[0].Said.By == LightAgent:
			return s.ForwardedMail && h.history[0].Forwarded
		}
		return s.ForEndUserWithNote && h.history[0].Said.By == Agent
	})
	if begun < 0 && (h.history[0].OfAgent || h.first(1, i, h.reply) >= 0) {
		return seen{stage: Void}
	}
	if begun < 0 {
		return seen{}
	}
	if h.first(begun+1, i, func(j int) bool { return h.reply(j) || s.EndsWithNote && h.note(j) || h.solved(j) }) >= 0 {
		return seen{Achieved, begun}
	}
	return seen{Active, begun}
}

func (h slow) nextReply(i int) seen {
	s := h.set.NextReply
	ends := func(j int) bool { return h.reply(j) || s.EndsWithNote && h.note(j) || h.solved(j) }
	begins := func(j int) bool {
		c := h.history[j].Said
		if j == 0 || c == nil || h.solved(j) || h.firstReply(j).stage == Active {
			return false
		}
		switch {
		case c.By == EndUser:
			return c.Public || s.EndUserNote
		case c.Requester:
			return s.AskedByAgent
		}
		return c.By == LightAgent && !c.Public && s.LightAgentNote
	}
	// The oldest question behind the last answer; with none, that of the answer
	// before which there was one.
	for stage, until := Active, i; until >= 0; stage = Achieved {
		answered := h.last(until, ends)
		if of := h.first(answered+1, until, begins); of >= 0 {
			return seen{stage, of}
		}
		until = answered - 1
	}
	return seen{}
}

func (h slow) clock(metric string, i int) seen {
	switch metric {
	case FirstReplyTime:
		return h.firstReply(i)
	case NextReplyTime:
		return h.nextReply(i)
	case AgentWorkTime:
		return h.status(i, models.StatusPending, models.StatusHold)
	case RequesterWaitTime:
		return h.status(i, models.StatusPending)
	case PausableUpdateTime:
		return h.updates(i, h.reply, models.StatusPending)
	case PeriodicUpdateTime:
		return h.updates(i, func(j int) bool { return h.reply(j) || h.set.PeriodicUpdate.Notes && h.note(j) })
	}
	return h.status(i)
}

// reckon counts minutes until the target is reached, for at most so many. far:
// it is not reached by then, but the clock runs.
func (h slow) reckon(p Promise, hours slowhours.Clock, minutes int) (now Standing, far bool) {
	start := hours.Start.Unix()
	var before seen
	counted, next := 0, 0
	for m := 0; m < minutes; m++ {
		for ; next < len(h.history) && h.history[next].At == start+int64(m)*60; next++ {
			c := h.clock(p.Metric, next)
			if c.of != before.of || before.stage == Idle {
				counted, now.BreachAt = 0, 0
			}
			before, now.Stage = c, c.stage
		}
		if before.stage == Active && (!p.BusinessHours || hours.Open[m]) {
			if counted++; int64(counted)*60 == p.Seconds {
				now.BreachAt = start + int64(m+1)*60
			}
		}
		if next == len(h.history) && (now.BreachAt != 0 || now.Stage != Active) {
			break
		}
	}
	return now, now.Stage == Active && now.BreachAt == 0
}

var statuses = []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved, models.StatusClosed}

// historyOf is a random history that begins somewhere in the first minutes.
func historyOf(r *rand.Rand, start int64) []Moment {
	minute, pace := r.IntN(4_000), 1<<(2+r.IntN(10)) // some tickets live for minutes, some for days
	ofAgent := r.IntN(8) == 0
	var out []Moment
	for n := range 1 + r.IntN(12) {
		m := Moment{At: start + int64(minute)*60, Status: statuses[r.IntN(len(statuses)-1)], Created: n == 0, OfAgent: ofAgent && n == 0, Forwarded: r.IntN(4) == 0}
		if n > 0 && r.IntN(2) == 0 {
			m.Status = out[n-1].Status
		}
		if n == 0 && r.IntN(20) > 0 {
			m.Status = models.StatusNew
		}
		if n == 0 || r.IntN(3) > 0 {
			m.Said = &Said{Public: r.IntN(3) > 0, By: Author(r.IntN(3))}
			m.Said.Requester = (m.Said.By != EndUser) == ofAgent && r.IntN(2) == 0
			m.Said.Public = m.Said.Public && m.Said.By != LightAgent
		}
		out = append(out, m)
		minute += r.IntN(pace) + r.IntN(2)
	}
	return out
}

func settingsOf(r *rand.Rand) Settings {
	if r.IntN(2) == 0 {
		return usual()
	}
	flip := func() bool { return r.IntN(2) == 0 }
	return Settings{
		FirstReplySettings{flip(), flip(), flip(), flip(), flip()}, NextReplySettings{flip(), flip(), flip(), flip()}, PeriodicUpdateSettings{flip()},
	}
}

func TestHistoriesAgainstAnotherClock(t *testing.T) {
	t.Parallel()
	const histories, perSchedule, days, more = 100_000, 400, 20, 800
	r := rand.New(rand.NewPCG(4, 2026))
	moved, counts := 0, map[string]int{}
	for n := range histories / perSchedule {
		hours := slowhours.Random(r, n, days)
		if hours.Moves {
			moved++
		}
		for range perSchedule {
			h := slow{historyOf(r, hours.Start.Unix()), settingsOf(r)}
			target := Promise{Metric: metrics[r.IntN(len(metrics))], Seconds: 60 * int64(1+r.IntN(1<<(1+r.IntN(10)))), BusinessHours: r.IntN(2) == 0}
			end := int(h.history[len(h.history)-1].At-hours.Start.Unix())/60 + more
			want, far := h.reckon(target, hours.Clock, min(end, days*1440))
			got := Reckon(h.history, h.set, []Promise{target}, hours.Hours)[0]
			if far && got.BreachAt > hours.Start.Unix()+int64(min(end, days*1440))*60 {
				want.BreachAt = got.BreachAt // as far as was counted, it is not reached
			}
			if far && got.BreachAt == 0 && target.BusinessHours && hours.Hours.Between(hours.Start, hours.Start.AddDate(1, 0, 0)) == 0 {
				want.BreachAt = 0
			}
			if got != want {
				t.Fatalf("%s: %+v of %s, with %+v: %+v, want %+v", hours, target, describe(h.history), h.set, got, want)
			}
			counts[got.Stage.String()]++
			if got.BreachAt != 0 {
				counts["with a time"]++
			}
			if want.BreachAt != 0 && !far {
				counts["counted"]++
			}
		}
	}
	if moved < histories/perSchedule/2 || len(counts) < 7 {
		t.Errorf("%d of %d schedules saw their clocks moved, of the histories were %v", moved, histories/perSchedule, counts)
	}
	for what, n := range counts {
		if n < histories/100 {
			t.Errorf("only %d were %s", n, what)
		}
	}
}

func describe(history []Moment) (out []string) {
	for _, m := range history {
		said := ""
		if m.Said != nil {
			said = fmt.Sprintf(" %+v", *m.Said)
		}
		out = append(out, fmt.Sprintf("%d %s%s", m.At, m.Status, said))
	}
	return out
}
