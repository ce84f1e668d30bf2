package tickets

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// MaxExplained is how many audits one explanation goes through.
const MaxExplained = 20

// Explanation tells what rules did to a ticket, and what not and why.
type Explanation struct {
	Audits      []ExplainedAudit // the newest first
	Automations []ExplainedRule  // whether they hold now
}

// ExplainedAudit is one change of a ticket, with the triggers that were active
// at that time in the order in which they were asked about it; none if none was.
type ExplainedAudit struct {
	ID        int64
	AuthorID  int64
	CreatedAt time.Time
	Rules     []ExplainedRule
}

// ExplainedRule is a rule that was considered. A trigger is there again if it was
// asked in a later run and did not fail as before.
type ExplainedRule struct {
	ID      int64
	Title   string
	Run     int // through the triggers, from 1; 0 of an automation
	Matched bool
	Failed  []rules.Failure   // why it did not hold
	Events  []json.RawMessage // what it did, as the audit tells it
}

// Explain goes through the last audits of a ticket, count of them at most, and
// tells which triggers were considered, which condition failed with which value
// and what they did; and which automations hold for the ticket now. Triggers are
// those of the time, people and organizations those of today. It fails with
// fault.NotFound for a ticket that by may not see.
func (s *Service) Explain(ctx context.Context, by auth.Actor, id int64, count int) (x Explanation, err error) {
	if err := mayAudit(by); err != nil {
		return x, err
	}
	err = s.inOneMoment(ctx, func(ctx context.Context, tx *gorm.DB) error {
		x, err = s.explain(ctx, tx, by, id, count)
		return err
	})
	return x, err
}

func (s *Service) explain(ctx context.Context, tx *gorm.DB, by auth.Actor, id int64, count int) (x Explanation, err error) {
	t, config, err := s.Show(ctx, by, id)
	if err != nil {
		return x, err
	}
	metrics, err := s.Metrics(ctx, by, []int64{id})
	if err != nil {
		return x, err
	}
	metric := metrics[id]
	now := present(&t, &metric, s.now()) // before the ticket is undone
	if err := fillPeople(tx, by.AccountID, []*rules.Subject{now}); err != nil {
		return x, err
	}
	p := past{tickets: map[int64]*models.Ticket{id: &t}, metrics: map[int64]*models.TicketMetric{id: &metric}}
	err = postgres.Rows(tx, "SELECT "+pastColumns+" FROM audits a WHERE a.account_id = ? AND a.ticket_id = ? ORDER BY a.created_at DESC, a.id DESC LIMIT ?",
		[]any{by.AccountID, id, count}, func(row postgres.Scanned) error { return p.add(by.AccountID, row) })
	if err != nil {
		return x, err
	}
	moments, err := p.moments(tx, by.AccountID)
	if err != nil {
		return x, err
	}
	times := make([]time.Time, len(moments))
	for i, m := range moments {
		times[i] = m.audit.CreatedAt
	}
	triggers, err := rulebook.TriggersThen(tx, config, times)
	if err != nil {
		return x, err
	}
	for i, m := range moments {
		x.Audits = append(x.Audits, m.explain(triggers[i]))
	}
	x.Automations, err = explainAutomations(tx, config, now)
	return x, err
}

// explainAutomations tells whether the active automations hold for a ticket.
func explainAutomations(tx *gorm.DB, config *fields.Config, now *rules.Subject) ([]ExplainedRule, error) {
	list, err := rulebook.Automations(tx, config)
	out := make([]ExplainedRule, len(list))
	for i, r := range list {
		failed := r.Conditions.Explain(now)
		out[i] = ExplainedRule{ID: r.ID, Title: r.Title, Matched: len(failed) == 0, Failed: failed}
	}
	return out, err
}

// explain runs the triggers again over the change. What they did is what the audit
// tells of them, and only of the others it is looked into why they did nothing.
func (m moment) explain(list []*rules.Rule) ExplainedAudit {
	x := ExplainedAudit{ID: m.audit.ID, AuthorID: m.audit.AuthorID, CreatedAt: m.audit.CreatedAt}
	if !m.asked() {
		return x
	}
	c := cycle{moment: m, list: list, run: 1, done: map[int64]bool{}, failed: map[int64][]rules.Failure{}}
	for _, e := range m.events {
		id := e.rule()
		if id == 0 {
			continue
		}
		i := slices.IndexFunc(c.fired, func(f firing) bool { return f.id == id })
		if i < 0 {
			i = len(c.fired)
			c.fired = append(c.fired, firing{id: id, title: e.Via.Source.From.Title})
		}
		c.fired[i].events = append(c.fired[i].events, e)
	}
	c.goThrough()
	x.Rules = c.told
	return x
}

// cycle is the cycle of triggers, run again as an audit tells it; see rules.Run.
type cycle struct {
	moment
	list   []*rules.Rule
	fired  []firing // that are still to come
	run    int
	done   map[int64]bool            // triggers that held
	failed map[int64][]rules.Failure // what was told last of triggers
	told   []ExplainedRule
}

// firing is what one trigger did.
type firing struct {
	id     int64
	title  string
	events []pastEvent
}

func (c *cycle) goThrough() {
	known := map[int64]bool{}
	for _, r := range c.list {
		known[r.ID] = true
	}
	for i := 0; ; i++ {
		// Where a trigger stood that was deleted since nobody knows.
		for len(c.fired) > 0 && !known[c.fired[0].id] {
			if c.fire("") {
				i = 0
			}
		}
		if i == len(c.list) {
			if len(c.fired) == 0 {
				return
			}
			i, c.run = 0, c.run+1 // they stood in another order then
		}
		r := c.list[i]
		switch {
		case c.done[r.ID]:
		case len(c.fired) > 0 && c.fired[0].id == r.ID:
			if c.fire(r.Title) {
				i = -1
			}
		default:
			c.ask(r)
		}
	}
}

// fire has the next trigger do what it did, and reports whether the ticket became
// another by it, so that the cycle begins again.
func (c *cycle) fire(title string) (changed bool) {
	f := c.fired[0]
	c.fired = c.fired[1:]
	if title == "" {
		title = f.title
	}
	e := ExplainedRule{ID: f.id, Title: title, Run: c.run, Matched: true}
	for _, event := range f.events {
		e.Events = append(e.Events, event.raw)
		event.redo(&c.subject.After, c.who)
		changed = changed || !event.mail()
	}
	c.told, c.done[f.id] = append(c.told, e), true
	if changed {
		c.run++
	}
	return changed
}

// ask tells why a trigger does nothing: it does not hold, or it holds and there is
// nothing left to do for it.
func (c *cycle) ask(r *rules.Rule) {
	failed := r.Conditions.Explain(c.subject)
	later := slices.ContainsFunc(c.fired, func(f firing) bool { return f.id == r.ID })
	switch before, asked := c.failed[r.ID]; {
	case len(failed) == 0 && later: // by people of today; then it did not
		return
	case len(failed) == 0:
		c.done[r.ID] = true
	case asked && reflect.DeepEqual(before, failed):
		return
	}
	c.failed[r.ID] = failed
	c.told = append(c.told, ExplainedRule{ID: r.ID, Title: r.Title, Run: c.run, Matched: len(failed) == 0, Failed: failed})
}
