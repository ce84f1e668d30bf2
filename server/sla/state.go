package sla

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
)

// State is how a ticket stands with what it is promised, as its metric set keeps
// it.
type State struct {
	Clocks  Clocks   `json:"clocks"`
	Policy  int64    `json:"policy,omitempty"` // that applies; 0: none
	Targets []Target `json:"targets,omitempty"`
}

// Target is a promise of the ticket's policy, once its clock has begun. When that
// is over the target stays as it is, whatever becomes of the policy's promise.
type Target struct {
	Metric        string `json:"metric"`
	Seconds       int64  `json:"seconds"`
	BusinessHours bool   `json:"business,omitempty"`
	Since         int64  `json:"since"`            // when its clock began
	BreachAt      int64  `json:"breach,omitempty"` // Unix seconds; see Clock.Breach
	Left          int64  `json:"left,omitempty"`   // seconds of it, while the clock stands still
	Told          bool   `json:"told,omitempty"`   // that it is breached
	Instance      int64  `json:"instance"`         // of the metric, by which metric events name it
}

// Event is something that came of a ticket's targets.
type Event struct {
	Type   EventType
	Target Target
}

// EventType is what came of a target.
type EventType int

// What can come of a target.
const (
	Applied   EventType = iota // it is new to the ticket, or another
	Breached                   // at Target.BreachAt
	TakenBack                  // what was told to be breached is not, by the target or hours of now
)

// Read is a state as it is kept; the zero State for nil, which is that of a ticket
// to be created.
func Read(kept models.JSON) (s State, err error) {
	if kept == nil {
		return s, nil
	}
	if err := json.Unmarshal(kept, &s); err != nil {
		return s, fmt.Errorf("read a ticket's SLA state: %w", err)
	}
	return s, nil
}

// Late is the state of a ticket that was not measured from its beginning: of its
// first reply there is nothing to tell.
func Late() (s State) {
	s.Clocks[firstReply].Stage = Void
	return s
}

// Promised is what a ticket is promised.
type Promised struct {
	Policy   *Policy                   // nil: nothing
	Priority *string                   // nil: nothing either
	Hours    *businesshours.Hours      // of the ticket; nil: there are none
	Instance func(metric string) int64 // the one of a metric that is under way
}

// Step has a ticket's clocks run on to a moment, and holds them against what is
// promised from then on.
func (s *State) Step(m Moment, now Promised) []Event {
	p := now.Policy
	if now.Priority == nil {
		p = nil
	}
	settings := usual()
	if p != nil {
		settings = p.settings
	}
	events := s.Raise(m.At) // before what is over is gone
	s.Clocks = s.Clocks.Run(m, settings)
	before := *s
	s.Policy, s.Targets = 0, nil
	if p == nil {
		return events
	}
	s.Policy = p.ID
	for i, metric := range metrics {
		promise, ok := p.promise(*now.Priority, metric)
		clock := s.Clocks[i]
		if !ok || clock.since() == 0 {
			continue
		}
		was, had := before.target(metric, clock.since())
		if clock.Stage == Achieved {
			if had { // nothing is promised for what is over already
				s.Targets = append(s.Targets, was.over())
			}
			continue
		}
		t := Target{
			Metric: metric, Seconds: promise.Seconds, BusinessHours: promise.BusinessHours, Since: clock.since(), Told: was.Told, Instance: now.Instance(metric),
		}
		t.reckon(clock, now.Hours)
		if !had || before.Policy != p.ID || !t.alike(was) {
			events = append(events, Event{Applied, t})
		}
		if t.Told && (t.BreachAt == 0 || t.BreachAt > m.At) {
			t.Told = false
			events = append(events, Event{TakenBack, was})
		}
		s.Targets = append(s.Targets, t)
	}
	return append(events, s.Raise(m.At)...)
}

// Raise tells of the targets that are breached by a time and were not told of.
func (s *State) Raise(now int64) (events []Event) {
	s.Targets = slices.Clone(s.Targets)
	for i := range s.Targets {
		if t := &s.Targets[i]; !t.Told && t.BreachAt != 0 && t.BreachAt <= now {
			t.Told = true
			events = append(events, Event{Breached, *t})
		}
	}
	return events
}

// NextBreach is when the first of the targets whose clocks run is breached, or
// was; DueBreach of those alone whose breach is still to be told. Nil: there is
// none.
func (s *State) NextBreach() *time.Time {
	return s.earliest(func(Target) bool { return true })
}

// DueBreach is the first breach that is to be told; see NextBreach.
func (s *State) DueBreach() *time.Time {
	return s.earliest(func(t Target) bool { return !t.Told })
}

func (s *State) earliest(counts func(Target) bool) *time.Time {
	var at int64
	for _, t := range s.Targets {
		if s.stage(t) == Active && t.BreachAt != 0 && counts(t) && (at == 0 || t.BreachAt < at) {
			at = t.BreachAt
		}
	}
	if at == 0 {
		return nil
	}
	return new(time.Unix(at, 0).UTC())
}

func (s *State) stage(t Target) Stage { return s.Clocks[slices.Index(metrics, t.Metric)].Stage }

// target is that of a metric whose clock began at a time.
func (s *State) target(metric string, since int64) (Target, bool) {
	i := slices.IndexFunc(s.Targets, func(t Target) bool { return t.Metric == metric && t.Since == since })
	if i < 0 {
		return Target{}, false
	}
	return s.Targets[i], true
}

// over is a target whose clock is over: it keeps the breach that there was.
func (t Target) over() Target {
	t.Left = 0
	if !t.Told {
		t.BreachAt = 0
	}
	return t
}

func (t Target) alike(u Target) bool {
	return t.Seconds == u.Seconds && t.BusinessHours == u.BusinessHours && t.Instance == u.Instance
}

func (t *Target) reckon(c Clock, hours *businesshours.Hours) {
	if !t.BusinessHours {
		hours = nil
	}
	t.BreachAt, t.Left = c.Breach(t.Seconds, hours)
}

// Shown is how a target stands at a time.
type Shown struct {
	Metric   string
	Stage    Stage      // Active, Paused or Achieved
	BreachAt *time.Time // nil: it is not breached, and no time tells when it will be
	// Left is the time to the breach, negative behind it; of a clock that stands
	// still what is left of the target. Nil: neither, for it is over.
	Left *time.Duration
}

// Show tells how the targets stand.
func (s *State) Show(now time.Time) []Shown {
	out := make([]Shown, len(s.Targets))
	for i, t := range s.Targets {
		one := Shown{Metric: t.Metric, Stage: s.stage(t)}
		if t.BreachAt != 0 {
			one.BreachAt = new(time.Unix(t.BreachAt, 0).UTC())
		}
		switch {
		case one.Stage == Achieved:
		case one.BreachAt != nil:
			one.Left = new(one.BreachAt.Sub(now))
		case one.Stage == Paused:
			one.Left = new(time.Duration(t.Left) * time.Second)
		}
		out[i] = one
	}
	return out
}
