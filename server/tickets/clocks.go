package tickets

import (
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
)

// Metrics that events tell of (contract tickets.md §6). Each of them begins
// (activate), stands still and goes on (pause, activate) and ends (fulfill); what
// begins again afterwards is a new instance. All of them end when the ticket is
// solved.
//
//   - agent_work_time runs while the ticket is new or open, from its creation and
//     from each time that it is reopened.
//   - requester_wait_time does too, and also while it is on hold.
//   - resolution_time runs all the time.
//   - group_ownership_time runs while the ticket is in one group and not pending.
//   - reply_time runs from the creation, and from the requester's next public
//     comment behind a reply, to the next reply: an agent's public comment.
//   - periodic_update_time runs from one reply to the next.
//   - pausable_update_time does too, but not while the ticket is pending.
const (
	agentWorkTime = iota
	pausableUpdateTime
	periodicUpdateTime
	replyTime
	requesterWaitTime
	resolutionTime
	groupOwnershipTime
	metricCount
)

// metricNames are in the order in which clocks are kept, which is for good.
var metricNames = [metricCount]string{
	"agent_work_time", "pausable_update_time", "periodic_update_time", "reply_time", "requester_wait_time", "resolution_time",
	"group_ownership_time",
}

// pausedIn are the statuses in which a metric stands still.
var pausedIn = [metricCount][]string{
	agentWorkTime:      {models.StatusPending, models.StatusHold},
	requesterWaitTime:  {models.StatusPending},
	groupOwnershipTime: {models.StatusPending},
	pausableUpdateTime: {models.StatusPending},
}

// metricEvent is one event as it is kept, without what its row tells. A measure
// stands for one of each metric.
type metricEvent struct {
	Metric   string `json:"m,omitempty"`
	Type     string `json:"t"`
	Instance int64  `json:"i,omitempty"`
	Seconds  *int64 `json:"s,omitempty"` // of update_status: how long it ran so far
	Business *int64 `json:"b,omitempty"` // the working time in that

	Applied *appliedSLA `json:"sla,omitempty"` // of apply_sla
	At      int64       `json:"at,omitempty"`  // of breach: when, in Unix seconds
	Deleted bool        `json:"d,omitempty"`   // of breach: it was told and is none
}

// clock is one metric of a ticket.
type clock struct {
	instance int64  // 0: it never began
	since    int64  // when it began to run, in Unix seconds; stopped or paused
	spent    int64  // seconds that it ran before since
	business *int64 // the working time in them; nil: not known
}

const (
	stopped = 0
	paused  = -1
	unknown = -1 // working time, as it is kept
)

// turn is what a save means for the clocks.
type turn struct {
	at              int64                // Unix seconds
	hours           *businesshours.Hours // nil: there is no schedule
	created         bool
	status          string // that the ticket has now
	ended, reopened bool   // it is solved by this save, or is no more
	grouped         bool   // it is in a group
	regrouped       bool   // it came into another group, or left its own
	replied         bool   // an agent replies
	asked           bool   // somebody else writes in public
	unsolved        bool   // it is neither solved nor closed
	clocks          [metricCount]clock
	events          []metricEvent
}

// Step is one save of a ticket as its metrics see it.
type Step struct {
	At      time.Time
	Hours   *businesshours.Hours // nil: there is no schedule
	Created bool                 // Before is empty then
	Before  *models.Ticket       // of which the status and the group count
	After   *models.Ticket
	Replied bool // with a public comment by an agent who is not the requester
	Asked   bool // with a public comment by somebody else
}

// Run has the metrics of a ticket go on from where the clocks of its metric set
// stand, if the step is anything to them, and puts them where they stand then. It
// returns the events of a row of ticket_metric_events, nil if there are none.
func (s Step) Run(m *models.TicketMetric) models.JSON {
	events := s.run(m)
	if events == nil {
		return nil
	}
	return models.ToJSON(events)
}

func (s Step) run(m *models.TicketMetric) []metricEvent {
	before, after := s.Before, s.After
	regrouped := !same(before.GroupID, after.GroupID)
	if !s.Created && before.Status == after.Status && !regrouped && !s.Asked && !s.Replied {
		return nil
	}
	was, is := !s.Created && unsolved(before.Status), unsolved(after.Status)
	t := turn{
		at: s.At.Unix(), hours: s.Hours, created: s.Created, status: after.Status, ended: was && !is, reopened: is && !was && !s.Created,
		grouped: after.GroupID != nil, regrouped: regrouped, replied: s.Replied, asked: s.Asked, unsolved: is,
		clocks: readClocks(m.Clocks, m.BusinessClocks),
	}
	t.run()
	if len(t.events) == 0 {
		return nil
	}
	m.Clocks, m.BusinessClocks = t.kept()
	return t.events
}

// runClocks has the ticket's metrics go on. Nothing is measured of what is
// imported.
func (s *save) runClocks() {
	if s.silent {
		return
	}
	asked := s.comment != nil && s.comment.Public && !s.replies() && s.comment.AuthorID != models.SystemUser
	step := Step{
		At: s.now, Hours: s.hours(), Created: s.created, Before: &s.before, After: &s.after, Replied: s.replies(), Asked: asked,
	}
	s.metricEvents = step.run(&s.metric)
}

func unsolved(status string) bool {
	return status != models.StatusSolved && status != models.StatusClosed
}

func (t *turn) run() {
	if t.created {
		t.events = append(t.events, metricEvent{Type: "measure"})
	}
	for m := range t.clocks {
		c := &t.clocks[m]
		if c.since != stopped && (t.ended || t.ends(m)) {
			t.tell(m, "fulfill")
			t.stop(m, stopped)
		}
		if c.since == stopped && t.unsolved && t.begins(m) {
			c.instance, c.since, c.spent, c.business = c.instance+1, t.at, 0, nil
			t.tell(m, "activate")
		}
		still := slices.Contains(pausedIn[m], t.status)
		switch {
		case c.since > 0 && still:
			t.tell(m, "pause")
			t.stop(m, paused)
		case c.since == paused && !still:
			c.since = t.at
			t.tell(m, "activate")
		}
	}
}

// ends reports whether a metric ends with something else than the solving.
func (t *turn) ends(m int) bool {
	switch m {
	case replyTime, periodicUpdateTime, pausableUpdateTime:
		return t.replied
	case groupOwnershipTime:
		return t.regrouped
	}
	return false
}

// begins reports whether a metric that does not run begins.
func (t *turn) begins(m int) bool {
	switch m {
	case replyTime:
		return t.created || t.asked
	case periodicUpdateTime, pausableUpdateTime:
		return t.replied
	case groupOwnershipTime:
		return t.grouped && (t.created || t.reopened || t.regrouped)
	}
	return t.created || t.reopened
}

func (t *turn) tell(m int, kind string) {
	t.events = append(t.events, metricEvent{Metric: metricNames[m], Type: kind, Instance: t.clocks[m].instance})
}

// stop takes the time and tells it.
func (t *turn) stop(m int, how int64) {
	c := &t.clocks[m]
	if c.since > 0 {
		c.business = addBusiness(c.business, c.spent, t.hours, time.Unix(c.since, 0), time.Unix(t.at, 0))
		c.spent += max(0, t.at-c.since)
	}
	c.since = how
	spent := c.spent
	t.tell(m, "update_status")
	e := &t.events[len(t.events)-1]
	e.Seconds, e.Business = &spent, c.business
}

func readClocks(kept, business models.IDs) (clocks [metricCount]clock) {
	for m := range clocks {
		if len(kept) >= 3*(m+1) { // a metric that came later has none on older tickets
			clocks[m] = clock{instance: kept[3*m], since: kept[3*m+1], spent: kept[3*m+2]}
		}
		if len(business) > m && business[m] != unknown {
			clocks[m].business = &business[m]
		}
	}
	return clocks
}

func (t *turn) kept() (clocks, business models.IDs) {
	clocks, business = make(models.IDs, 0, 3*metricCount), make(models.IDs, 0, metricCount)
	for _, c := range t.clocks {
		clocks = append(clocks, c.instance, c.since, c.spent)
		known := int64(unknown)
		if c.business != nil {
			known = *c.business
		}
		business = append(business, known)
	}
	return clocks, business
}
