package tickets

import (
	"context"
	"encoding/json"
	"time"

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
// at that time.
type ExplainedAudit struct {
	ID        int64
	AuthorID  int64
	CreatedAt time.Time
	Rules     []ExplainedRule
}

// ExplainedRule is a rule that was considered.
type ExplainedRule struct {
	ID      int64
	Title   string
	Matched bool
	Failed  []rules.Failure   // why it did not hold
	Events  []json.RawMessage // what it did, as the audit tells it
}

// Explain goes through the last audits of a ticket, count of them at most, and
// tells which triggers were considered, which condition failed with which value
// and what they did; and which automations hold for the ticket now. Triggers are
// those of the time, people and organizations those of today. It fails with
// fault.NotFound for a ticket that by may not see.
func (s *Service) Explain(ctx context.Context, by auth.Actor, id int64, count int) (Explanation, error) {
	var x Explanation
	if err := mayAudit(by); err != nil {
		return x, err
	}
	t, config, err := s.Show(ctx, by, id)
	if err != nil {
		return x, err
	}
	db := s.db.WithContext(ctx)
	metrics, err := s.Metrics(ctx, by, []int64{id})
	if err != nil {
		return x, err
	}
	metric := metrics[id]
	p := past{tickets: map[int64]*models.Ticket{id: &t}, metrics: map[int64]*models.TicketMetric{id: &metric}}
	now := snapshotOf(rules.State{Ticket: &t, Values: fields.Values(t.CustomFields)}) // which undoing does not reach
	err = postgres.Rows(db, "SELECT "+auditColumns+" FROM audits a WHERE a.account_id = ? AND a.ticket_id = ? ORDER BY a.created_at DESC, a.id DESC LIMIT ?",
		[]any{by.AccountID, id, count}, func(row postgres.Scanned) error {
			a := models.Audit{Tenant: models.Tenant{AccountID: by.AccountID}}
			err := row.Scan(auditDest(&a)...)
			p.audits = append(p.audits, a)
			return err
		})
	if err != nil {
		return x, err
	}
	moments, err := p.moments(ctx, s, by.AccountID)
	if err != nil {
		return x, err
	}
	compiled, err := s.triggersThen(ctx, config, moments)
	if err != nil {
		return x, err
	}
	for i, m := range moments {
		x.Audits = append(x.Audits, m.explain(compiled[i]))
	}
	subject := &rules.Subject{Now: s.now(), Before: now, After: now, Metric: &metric, By: rules.User{ID: models.SystemUser}}
	if len(moments) > 0 {
		subject.Requester, subject.Organization = moments[0].subject.Requester, moments[0].subject.Organization
	}
	x.Automations, err = s.explainAutomations(ctx, config, subject)
	return x, err
}

// triggersThen are the triggers of each moment, ready.
func (s *Service) triggersThen(ctx context.Context, config *fields.Config, moments []moment) ([][]*rules.Rule, error) {
	account, db := config.Account.ID, s.db.WithContext(ctx)
	times := make([]time.Time, len(moments))
	for i, m := range moments {
		times[i] = m.audit.CreatedAt
	}
	lists, err := rulebook.TriggersThen(db, account, times)
	if err != nil {
		return nil, err
	}
	var flat []models.Rule
	for _, list := range lists {
		flat = append(flat, list...)
	}
	ready, err := rulebook.Compile(db, account, config, rules.Triggers, flat)
	if err != nil {
		return nil, err
	}
	compiled := make([][]*rules.Rule, len(lists))
	for i, list := range lists {
		compiled[i], ready = ready[:len(list)], ready[len(list):]
	}
	return compiled, nil
}

// explain runs the cycle again, each rule doing what the audit tells of it.
func (m moment) explain(list []*rules.Rule) ExplainedAudit {
	x := ExplainedAudit{ID: m.audit.ID, AuthorID: m.audit.AuthorID, CreatedAt: m.audit.CreatedAt}
	at := map[int64]int{}
	for i, r := range list {
		at[r.ID] = i
		x.Rules = append(x.Rules, ExplainedRule{ID: r.ID, Title: r.Title})
	}
	_ = rules.Consider(list, m.subject, func(r *rules.Rule, failed []rules.Failure) {
		if e := &x.Rules[at[r.ID]]; !e.Matched {
			e.Matched, e.Failed = len(failed) == 0, failed
		}
	}, func(r *rules.Rule) (changed bool, err error) {
		for _, e := range m.events {
			if e.rule() == r.ID {
				changed = changed || e.FieldName != ""
				redo(&m.subject.After, e)
			}
		}
		return changed, nil
	})
	for _, e := range m.events {
		if e.rule() == 0 {
			continue
		}
		i, ok := at[e.rule()]
		if !ok { // it was deleted since
			i = len(x.Rules)
			at[e.rule()] = i
			x.Rules = append(x.Rules, ExplainedRule{ID: e.rule(), Title: e.Via.Source.From.Title, Matched: true})
		}
		x.Rules[i].Events = append(x.Rules[i].Events, e.raw)
	}
	return x
}

// explainAutomations tells whether the active automations hold for a ticket.
func (s *Service) explainAutomations(ctx context.Context, config *fields.Config, subject *rules.Subject) ([]ExplainedRule, error) {
	db := s.db.WithContext(ctx)
	var list []models.Rule
	if err := db.Where("kind = '" + models.RuleAutomation + "' AND active").Order("position, title, id").Find(&list).Error; err != nil {
		return nil, err
	}
	compiled, err := rulebook.Compile(db, config.Account.ID, config, rules.Automations, list)
	if err != nil {
		return nil, err
	}
	out := make([]ExplainedRule, len(compiled))
	for i, r := range compiled {
		failed := r.Conditions.Explain(subject)
		out[i] = ExplainedRule{ID: r.ID, Title: r.Title, Matched: len(failed) == 0, Failed: failed}
	}
	return out, nil
}
