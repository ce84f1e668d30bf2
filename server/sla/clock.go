package sla

import (
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
)

// The clocks of a ticket tell how its targets stand. They follow from the
// ticket's history alone, moment by moment, and are pure: they know neither rows
// nor the time of day. Reckon is all of it; a save goes on from the clocks that
// were kept (Clocks.Run), which comes to the same.
//
// # When a clock runs
//
//   - agent_work_time runs while the ticket is new or open, and stands still
//     (paused) while it is pending or on hold.
//   - requester_wait_time does too, but runs on hold.
//   - total_resolution_time runs all the time.
//   - These three are over (achieved) when the ticket is solved or closed. If it
//     is reopened they go on where they stopped: what they count is all the time
//     that the ticket was in such a status.
//   - first_reply_time begins when the ticket of an end user is created with a
//     public comment, whoever wrote it. If it is created with an internal note, it
//     begins with the first public comment of an end user, unless there was a
//     reply before. It is over with the first reply: the public comment of an agent
//     who is not the requester. What a ticket is created with is no reply. It
//     begins once, and on an agent's ticket not at all.
//   - next_reply_time begins with an end user's public comment while neither it
//     nor first_reply_time runs, so that it counts from the oldest one that has no
//     answer. It is over with a reply.
//   - periodic_update_time begins with a reply, also with that which a ticket is
//     created with. The next one ends it and begins it anew.
//   - pausable_update_time does too, and stands still while the ticket is pending.
//   - These four are over when the ticket is solved or closed, and do not go on
//     when it is reopened: they begin anew with what begins them.
//   - Nothing begins on a ticket that is solved or closed. What begins counts from
//     zero.
//   - Of one moment, what ends comes before what begins, and that before what
//     the status stops or lets go on.
//
// Settings add to what begins and ends first_reply_time, next_reply_time and
// periodic_update_time; see there. Light agents write no replies, and their notes
// count as notes only where a setting says so. What rules write counts for
// nothing.
//
// # When a target is breached
//
//   - A target is breached at the second in which its clock has run for all of
//     its time: in calendar seconds, or in those within the ticket's working hours.
//     Who replies in that very second is late.
//   - Without working hours, because there is no schedule, all hours count.
//   - While its clock runs, that is the time at which it will be breached if
//     nothing happens. While its clock stands still it has none, unless that is
//     past; and likewise when it is over.
//   - It is reckoned from the whole history, with the target and the working hours
//     of now. So a target that becomes shorter can have been breached already.
type Clocks [7]Clock

// Clock is that of one metric.
type Clock struct {
	Stage Stage `json:"s,omitempty"`
	// Runs are the times between which it ran, in Unix seconds: starts and ends
	// by turns, the last one being a start while it runs. Of a clock that began
	// more than once, those since the last time.
	Runs []int64 `json:"r,omitempty"`
}

// Stage is how a clock stands.
type Stage int

// Stages of a clock.
const (
	Idle Stage = iota // it did not begin
	Active
	Paused
	Achieved
	Void // it will not begin any more
)

func (s Stage) String() string { return [...]string{"idle", "active", "paused", "achieved", "void"}[s] }

// Places of the metrics in Clocks, which are for good.
const (
	firstReply = iota
	nextReply
	requesterWait
	agentWork
	pausableUpdate
	periodicUpdate
	totalResolution
)

// pausedIn are the statuses in which a clock stands still.
var pausedIn = [len(Clocks{})][]string{
	requesterWait:  {models.StatusPending},
	agentWork:      {models.StatusPending, models.StatusHold},
	pausableUpdate: {models.StatusPending},
}

// Moment is one change of a ticket as its clocks see it.
type Moment struct {
	At        int64  // Unix seconds; not before the moment before
	Status    string // that the ticket has from then on
	Created   bool   // it is the first one
	OfAgent   bool   // of the first: the requester is an agent
	Forwarded bool   // of the first: it came by mail
	Said      *Said  // nil: no comment, or one by rules
}

// Said is a comment.
type Said struct {
	Public    bool
	Requester bool // by the ticket's requester
	By        Author
}

// Author is who wrote a comment.
type Author int

// Authors of comments.
const (
	EndUser Author = iota
	Agent
	LightAgent
)

// unsolved reports whether clocks run in a status.
func unsolved(status string) bool {
	return status != models.StatusSolved && status != models.StatusClosed
}

// reply is the public comment of an agent who is not the requester.
func (m Moment) reply() bool {
	return m.Said != nil && m.Said.Public && m.Said.By == Agent && !m.Said.Requester
}

// note is the internal one.
func (m Moment) note() bool {
	return m.Said != nil && !m.Said.Public && m.Said.By == Agent && !m.Said.Requester
}

// asked is the public comment of an end user.
func (m Moment) asked() bool { return m.Said != nil && m.Said.Public && m.Said.By == EndUser }

// Run is the clocks behind a moment.
func (c Clocks) Run(m Moment, s Settings) Clocks {
	open := unsolved(m.Status)
	for i := range c {
		if c[i].going() && (!open || m.ends(i, s)) {
			c[i] = c[i].stopped(m.At, Achieved)
		}
	}
	if c[firstReply].Stage == Idle && m.reply() && !m.Created {
		c[firstReply].Stage = Void
	}
	if m.Created && m.OfAgent && !(open && s.FirstReply.ForAgent) {
		c[firstReply].Stage = Void
	}
	if !open {
		return c
	}
	for i := range c {
		switch {
		case c[i].going() || !c.begins(i, m, s):
		case i == requesterWait || i == agentWork || i == totalResolution:
			c[i] = c[i].started(m.At)
		default:
			c[i] = Clock{}.started(m.At)
		}
		still := slices.Contains(pausedIn[i], m.Status)
		switch {
		case c[i].Stage == Active && still:
			c[i] = c[i].stopped(m.At, Paused)
		case c[i].Stage == Paused && !still:
			c[i] = c[i].started(m.At)
		}
	}
	return c
}

// ends reports whether a moment ends a clock that has begun, beside its solving
// the ticket.
func (m Moment) ends(metric int, s Settings) bool {
	switch metric {
	case firstReply:
		return m.reply() || m.note() && s.FirstReply.EndsWithNote
	case nextReply:
		return m.reply() || m.note() && s.NextReply.EndsWithNote
	case periodicUpdate:
		return m.updates(s)
	case pausableUpdate:
		return m.reply()
	}
	return false
}

// updates reports whether a moment is one for periodic_update_time.
func (m Moment) updates(s Settings) bool { return m.reply() || m.note() && s.PeriodicUpdate.Notes }

// begins reports whether a moment at which a ticket is not solved begins a clock
// that is not going. The clocks before it in their order are those behind the
// moment.
func (c Clocks) begins(metric int, m Moment, s Settings) bool {
	switch metric {
	case firstReply:
		return c[firstReply].Stage == Idle && m.beginsFirstReply(s.FirstReply)
	case nextReply:
		return !m.Created && !c[firstReply].going() && m.beginsNextReply(s.NextReply)
	case periodicUpdate:
		return m.updates(s)
	case pausableUpdate:
		return m.reply()
	}
	return true
}

func (m Moment) beginsFirstReply(s FirstReplySettings) bool {
	switch {
	case !m.Created:
		return m.asked() && s.ForEndUser
	case m.OfAgent:
		return s.ForAgent
	case m.Said == nil:
		return false
	case m.Said.Public:
		return s.ForEndUser
	}
	return m.Said.By == Agent && s.ForEndUserWithNote || m.Said.By == LightAgent && m.Forwarded && s.ForwardedMail
}

func (m Moment) beginsNextReply(s NextReplySettings) bool {
	said := m.Said
	switch {
	case said == nil:
		return false
	case said.By == EndUser:
		return said.Public || s.EndUserNote
	case said.Requester:
		return s.AskedByAgent
	}
	return said.By == LightAgent && !said.Public && s.LightAgentNote
}

func (c Clock) going() bool { return c.Stage == Active || c.Stage == Paused }

// started is a clock that runs from a time on. The runs of the clock before stay
// as they are, for others may hold them.
func (c Clock) started(at int64) Clock {
	runs := slices.Clone(c.Runs)
	if n := len(runs); n > 0 && runs[n-1] == at { // it did not really stop
		return Clock{Active, runs[:n-1]}
	}
	return Clock{Active, append(runs, at)}
}

func (c Clock) stopped(at int64, stage Stage) Clock {
	if c.Stage == Active {
		c.Runs = append(slices.Clone(c.Runs), at)
	}
	c.Stage = stage
	return c
}

// since is when the clock began; 0 if it did not.
func (c Clock) since() int64 {
	if len(c.Runs) == 0 {
		return 0
	}
	return c.Runs[0]
}

// Breach is when a target of so many seconds is breached, or will be if nothing
// happens, in Unix seconds. hours are the working hours that count; nil is all
// hours. 0: it is not, and will not be unless something happens; of a clock that
// does not run, left is what is left of it then.
func (c Clock) Breach(seconds int64, hours *businesshours.Hours) (at, left int64) {
	rest := time.Duration(seconds) * time.Second
	for i := 0; i < len(c.Runs); i += 2 {
		from := time.Unix(c.Runs[i], 0)
		if i+1 == len(c.Runs) {
			return after(from, rest, hours), 0
		}
		to := time.Unix(c.Runs[i+1], 0)
		have := to.Sub(from)
		if hours != nil {
			have = hours.Between(from, to)
		}
		if have >= rest {
			return after(from, rest, hours), 0
		}
		rest -= have
	}
	return 0, int64(rest / time.Second)
}

// after is 0 for never.
func after(from time.Time, d time.Duration, hours *businesshours.Hours) int64 {
	if hours == nil {
		return from.Add(d).Unix()
	}
	at, ok := hours.After(from, d)
	if !ok {
		return 0
	}
	return at.Unix()
}

// Standing is how a target stands.
type Standing struct {
	Stage    Stage
	BreachAt int64 // Unix seconds; 0: it is not breached and does not run towards it
}

// Reckon tells how targets stand behind a ticket's history, each with the settings
// of its policy. hours are the ticket's working hours, nil if there are none.
func Reckon(history []Moment, s Settings, targets []Promise, hours *businesshours.Hours) []Standing {
	var c Clocks
	for _, m := range history {
		c = c.Run(m, s)
	}
	out := make([]Standing, len(targets))
	for i, p := range targets {
		out[i] = c.standing(p, hours)
	}
	return out
}

func (c Clocks) standing(p Promise, hours *businesshours.Hours) Standing {
	clock := c[slices.Index(metrics, p.Metric)]
	if !p.BusinessHours {
		hours = nil
	}
	at, _ := clock.Breach(p.Seconds, hours)
	return Standing{clock.Stage, at}
}
