package sla

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
)

// Times in these tests are minutes since some time.
const sometime = 1_800_000_000

func minute(n int) int64 { return sometime + int64(n)*60 }

func minuteOf(at int64) int64 { return (at - sometime) / 60 }

func promising(id int64, list ...Promise) *Policy {
	return &Policy{ID: id, promises: list, settings: usual()}
}

func promised(metric string, minutes int) Promise {
	return Promise{Priority: "low", Metric: metric, Seconds: int64(minutes) * 60}
}

// one is the promise of a policy to tickets whose metrics are in their n-th
// instance.
func one(p *Policy, n int64) Promised {
	low := "low"
	return Promised{Policy: p, Priority: &low, Instance: func(string) int64 { return n }}
}

func customer(at int, status string) Moment {
	return Moment{At: minute(at), Status: status, Said: &Said{Public: true, Requester: true}}
}

func agent(at int, status string) Moment {
	return Moment{At: minute(at), Status: status, Said: &Said{Public: true, By: Agent}}
}

func only(at int, status string) Moment { return Moment{At: minute(at), Status: status} }

func created(m Moment) Moment {
	m.Created = true
	return m
}

func eventsText(list []Event) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%s %s %d@%d", [...]string{"applied", "breached", "taken back"}[e.Type], e.Target.Metric, e.Target.Instance, minuteOf(e.Target.BreachAt)))
	}
	return strings.Join(out, ", ")
}

func stateText(s State) string {
	var out []string
	for _, t := range s.Show(time.Unix(sometime, 0)) {
		text := fmt.Sprintf("%s %s", t.Metric, t.Stage)
		if t.BreachAt != nil {
			text += fmt.Sprint(" @", minuteOf(t.BreachAt.Unix()))
		} else if t.Left != nil {
			text += fmt.Sprint(" ", *t.Left)
		}
		out = append(out, text)
	}
	for i, at := range []*time.Time{s.NextBreach(), s.DueBreach()} {
		if at != nil {
			out = append(out, fmt.Sprint([...]string{"next ", "due "}[i], minuteOf(at.Unix())))
		}
	}
	return strings.Join(out, ", ")
}

// step is a save: what comes of its ticket's targets, and how they stand then.
type step struct {
	m           Moment
	now         Promised
	events, are string
}

// Each life is one ticket.
func TestTheLifeOfTargets(t *testing.T) {
	t.Parallel()
	p := promising(1, promised(FirstReplyTime, 30), promised(AgentWorkTime, 100), promised(PeriodicUpdateTime, 60), promised(NextReplyTime, 20))
	shorter := promising(1, promised(AgentWorkTime, 50), promised(PeriodicUpdateTime, 60))
	longer := promising(2, promised(AgentWorkTime, 500), promised(NextReplyTime, 20))
	for _, life := range []struct {
		about string
		steps []step
	}{
		{"replies", []step{
			{created(customer(0, "new")), one(p, 1), "applied first_reply_time 1@30, applied agent_work_time 1@100", "first_reply_time active @30, agent_work_time active @100, next 30, due 30"},
			{only(5, "open"), one(p, 1), "", "first_reply_time active @30, agent_work_time active @100, next 30, due 30"},
			{agent(10, "pending"), one(p, 1), "applied periodic_update_time 1@70", "first_reply_time achieved, agent_work_time paused 1h30m0s, periodic_update_time active @70, next 70, due 70"},
			{customer(20, "open"), one(p, 2), "applied next_reply_time 2@40, applied agent_work_time 2@110, applied periodic_update_time 2@70",
				"first_reply_time achieved, next_reply_time active @40, agent_work_time active @110, periodic_update_time active @70, next 40, due 40"},
			{customer(30, "open"), one(p, 2), "", "first_reply_time achieved, next_reply_time active @40, agent_work_time active @110, periodic_update_time active @70, next 40, due 40"},
			{agent(80, "open"), one(p, 3), "breached next_reply_time 2@40, breached periodic_update_time 2@70, applied agent_work_time 3@110, applied periodic_update_time 3@140",
				"first_reply_time achieved, next_reply_time achieved @40, agent_work_time active @110, periodic_update_time active @140, next 110, due 110"},
			{only(90, "solved"), one(p, 3), "", "first_reply_time achieved, next_reply_time achieved @40, agent_work_time achieved, periodic_update_time achieved"},
			{customer(200, "open"), one(p, 4), "applied next_reply_time 4@220, applied agent_work_time 4@220",
				"first_reply_time achieved, next_reply_time active @220, agent_work_time active @220, periodic_update_time achieved, next 220, due 220"},
		}},
		{"policies that change", []step{
			{created(customer(0, "open")), one(nil, 1), "", ""},
			{only(60, "open"), one(p, 1), "applied first_reply_time 1@30, applied agent_work_time 1@100, breached first_reply_time 1@30",
				"first_reply_time active @30, agent_work_time active @100, next 30, due 100"},
			{only(61, "open"), one(shorter, 1), "applied agent_work_time 1@50, breached agent_work_time 1@50", "agent_work_time active @50, next 50"},
			{only(62, "pending"), one(shorter, 1), "", "agent_work_time paused @50"},
			{only(70, "open"), one(shorter, 1), "", "agent_work_time active @50, next 50"},
			{only(71, "open"), one(longer, 1), "applied agent_work_time 1@508, taken back agent_work_time 1@50", "agent_work_time active @508, next 508, due 508"},
			{only(72, "open"), one(nil, 1), "", ""},
			{only(73, "solved"), one(longer, 1), "", ""}, // what is over is not promised any more
			{only(74, "open"), one(longer, 1), "applied agent_work_time 1@509", "agent_work_time active @509, next 509, due 509"},
		}},
	} {
		var s State
		for _, step := range life.steps {
			events := eventsText(s.Step(step.m, step.now))
			if events != step.events {
				t.Errorf("%s, minute %d: came\n  %s, want\n  %s", life.about, minuteOf(step.m.At), events, step.events)
			}
			kept, err := Read(models.ToJSON(s)) // as a save keeps it
			if err != nil {
				t.Fatal(err)
			}
			if s = kept; stateText(s) != step.are {
				t.Errorf("%s, minute %d: the targets are\n  %s, want\n  %s", life.about, minuteOf(step.m.At), stateText(s), step.are)
			}
		}
	}
}

func TestNothingIsPromisedWithoutAPriority(t *testing.T) {
	t.Parallel()
	var s State
	now := one(promising(1, promised(AgentWorkTime, 10)), 1)
	now.Priority = nil
	if events := s.Step(created(customer(0, "new")), now); len(events) > 0 || len(s.Targets) > 0 || s.Policy != 0 {
		t.Errorf("%s, %+v", eventsText(events), s)
	}
}

func TestRaiseTellsEachBreachOnce(t *testing.T) {
	t.Parallel()
	var s State
	s.Step(created(customer(0, "new")), one(promising(1, promised(FirstReplyTime, 10), promised(AgentWorkTime, 20)), 1))
	for _, tc := range []struct {
		at   int64
		want string
	}{
		{minute(10) - 1, ""}, {minute(10), "breached first_reply_time 1@10"}, {minute(15), ""}, {minute(500), "breached agent_work_time 1@20"}, {minute(501), ""},
	} {
		if got := eventsText(s.Raise(tc.at)); got != tc.want {
			t.Errorf("at %d: %s, want %s", tc.at, got, tc.want)
		}
	}
}

// Of a ticket that was not measured before, no first reply is promised.
func TestLateTickets(t *testing.T) {
	t.Parallel()
	s := Late()
	s.Step(customer(100, "open"), one(promising(1, promised(FirstReplyTime, 10), promised(NextReplyTime, 10), promised(TotalResolutionTime, 10)), 1))
	if got := stateText(s); got != "next_reply_time active @110, total_resolution_time active @110, next 110, due 110" {
		t.Errorf("the targets are %s", got)
	}
}

// Seconds count, a target of working hours ends with the last of them, and one
// without any never.
func TestBreachesToTheSecond(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(hour, minute, second int) int64 {
		return monday.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second).Unix()
	}
	nine := businesshours.New(time.UTC, []businesshours.Interval{{Start: 1440 + 9*60, End: 1440 + 17*60}}, nil) // on Mondays alone
	never := businesshours.New(time.UTC, nil, nil)
	for _, tc := range []struct {
		about   string
		runs    []int64
		seconds int64
		hours   *businesshours.Hours
		want    int64
		left    int64
	}{
		{"all hours", []int64{at(8, 59, 50)}, 20, nil, at(9, 0, 10), 0},
		{"from before working hours", []int64{at(8, 59, 50)}, 20, nine, at(9, 0, 20), 0},
		{"to the end of a day", []int64{at(9, 0, 0)}, 8 * 3600, nine, at(17, 0, 0), 0},
		{"to the next week", []int64{at(9, 0, 0)}, 8*3600 + 1, nine, at(7*24+9, 0, 1), 0},
		{"with a break", []int64{at(9, 0, 0), at(9, 0, 5), at(10, 0, 0)}, 20, nine, at(10, 0, 15), 0},
		{"in the second of its end", []int64{at(9, 0, 0), at(9, 0, 20)}, 20, nil, at(9, 0, 20), 0},
		{"one second earlier", []int64{at(9, 0, 0), at(9, 0, 19)}, 20, nil, 0, 1},
		{"before a break", []int64{at(9, 0, 0), at(9, 1, 0), at(10, 0, 0)}, 20, nil, at(9, 0, 20), 0},
		{"without working hours", []int64{at(9, 0, 0)}, 1, never, 0, 0},
		{"while it stood still outside of working hours", []int64{at(7, 0, 0), at(8, 0, 0)}, 20, nine, 0, 20},
	} {
		got, left := Clock{Runs: tc.runs}.Breach(tc.seconds, tc.hours)
		if got != tc.want || left != tc.left {
			t.Errorf("%s: %s and %d s left, want %s and %d", tc.about, time.Unix(got, 0).UTC(), left, time.Unix(tc.want, 0).UTC(), tc.left)
		}
	}
}

func TestReadRefusesWhatIsNoState(t *testing.T) {
	t.Parallel()
	if s, err := Read(nil); err != nil || len(s.Targets) > 0 {
		t.Errorf("of nil %+v, %v", s, err)
	}
	if _, err := Read(models.JSON(`[1]`)); err == nil {
		t.Error("a list is a state")
	}
}
