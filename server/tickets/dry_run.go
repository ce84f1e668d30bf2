package tickets

import (
	"context"
	"slices"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// Limits of trying rules out.
const (
	MaxDryDays  = 90
	maxDryShown = 100   // matches that are told one by one
	maxDryAsked = 5_000 // changes of tickets, or tickets, that are gone through
)

// DryRun is what a rule would have done, or would do. Nothing was saved.
type DryRun struct {
	Since    time.Time
	Asked    int  // changes of tickets that a trigger was asked about; tickets of other rules
	Complete bool // or there were more than a dry run goes through: the newest were asked
	Matched  int
	Matches  []DryMatch // the first of them
}

// DryMatch is a ticket that a rule holds for.
type DryMatch struct {
	TicketID int64
	Subject  string
	AuditID  int64 // the change at which a trigger would have run; 0 of other rules
	At       time.Time
	Changes  []rules.Difference
	Messages []rules.Message
}

// match tells what a rule would do to the ticket of a subject.
func (d *DryRun) match(r *rules.Rule, s *rules.Subject, audit int64) {
	d.Matched++
	if len(d.Matches) >= maxDryShown {
		return
	}
	m := DryMatch{TicketID: s.After.Ticket.ID, AuditID: audit, At: s.Now}
	if t := s.After.Ticket; t.Subject != nil {
		m.Subject = *t.Subject
	}
	_ = r.Actions.For(s, func(e rules.Effect) error { // it never fails
		if change, ok := e.Difference(s); ok {
			m.Changes = append(m.Changes, change)
		}
		if message, ok := e.Message(); ok {
			m.Messages = append(m.Messages, message)
		}
		return nil
	})
	d.Matches = append(d.Matches, m)
}

// TryTrigger asks a trigger about the changes of the last days of tickets that
// by may see, each as if it ran there first. Deleted tickets are left out, and
// so is what no trigger is asked about (see runRules).
func (s *Service) TryTrigger(ctx context.Context, by auth.Actor, config *fields.Config, rule models.Rule, days int) (DryRun, error) {
	d := DryRun{Since: s.now().AddDate(0, 0, -days), Complete: true}
	db := s.db.WithContext(ctx)
	compiled, err := rulebook.Compile(db, by.AccountID, config, rules.Triggers, []models.Rule{rule})
	if err != nil {
		return d, err
	}
	r := compiled[0]
	p := past{tickets: map[int64]*models.Ticket{}, metrics: map[int64]*models.TicketMetric{}}
	where, args := Visible(by)
	var ids models.IDs
	err = postgres.Rows(db, "SELECT "+auditColumns+` FROM audits a JOIN tickets t ON t.account_id = a.account_id AND t.id = a.ticket_id
		WHERE a.account_id = ? AND NOT a.archived AND a.created_at >= ? AND `+where+" ORDER BY a.created_at DESC, a.id DESC LIMIT ?",
		append(append([]any{by.AccountID, d.Since}, args...), maxDryAsked+1), func(row postgres.Scanned) error {
			a := models.Audit{Tenant: models.Tenant{AccountID: by.AccountID}}
			err := row.Scan(auditDest(&a)...)
			p.audits, ids = append(p.audits, a), append(ids, a.TicketID)
			return err
		})
	if err != nil {
		return d, err
	}
	if len(p.audits) > maxDryAsked {
		p.audits, d.Complete = p.audits[:maxDryAsked], false
	}
	if err := s.readPast(ctx, by, &p, ids); err != nil {
		return d, err
	}
	moments, err := p.moments(ctx, s, by.AccountID)
	if err != nil {
		return d, err
	}
	for _, m := range moments {
		if b := m.subject.Before.Ticket; b != nil && b.Status == models.StatusClosed {
			continue
		}
		d.Asked++
		if r.Conditions.Match(m.subject) {
			d.match(r, m.subject, m.audit.ID)
		}
	}
	return d, nil
}

// readPast reads tickets and their metrics.
func (s *Service) readPast(ctx context.Context, by auth.Actor, p *past, ids models.IDs) error {
	slices.Sort(ids)
	where, args := Visible(by)
	return postgres.Rows(s.db.WithContext(ctx), "SELECT "+columns+", "+metricColumns+` FROM tickets t
		JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id WHERE t.id = ANY(?) AND `+where,
		append([]any{slices.Compact(ids)}, args...), func(row postgres.Scanned) error {
			t, m := &models.Ticket{AccountID: by.AccountID}, &models.TicketMetric{}
			err := row.Scan(append(dest(t), metricDest(m)...)...)
			p.tickets[t.ID], p.metrics[t.ID] = t, m
			return err
		})
}

// TrySearch asks an automation or a view about the tickets that by may see and
// that were updated within the last days, as they are now; an automation not about
// closed ones.
func (s *Service) TrySearch(ctx context.Context, by auth.Actor, config *fields.Config, rule models.Rule, days int) (DryRun, error) {
	now := s.now()
	automation, use := rule.Kind == models.RuleAutomation, rules.Views
	if automation {
		use = rules.Automations
	}
	db := s.db.WithContext(ctx)
	d := DryRun{Since: now.AddDate(0, 0, -days), Complete: true}
	compiled, err := rulebook.Compile(db, by.AccountID, config, use, []models.Rule{rule})
	if err != nil {
		return d, err
	}
	r := compiled[0]
	visible, args := Visible(by)
	where, more := r.Conditions.Where(rules.Search{Env: rules.Env{Config: config}, Now: now, Viewer: by.ID()})
	if automation {
		visible += " AND t.status <> 'closed'"
	}
	from := ` FROM tickets t JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		WHERE t.updated_at >= ? AND ` + visible
	args = append([]any{d.Since}, args...)
	if _, err := postgres.Row(db, "SELECT count(*) FROM (SELECT 1"+from+" LIMIT ?) x", append(slices.Clone(args), maxDryAsked+1), &d.Asked); err != nil {
		return d, err
	}
	if d.Asked > maxDryAsked {
		d.Asked, d.Complete = maxDryAsked, false
	}
	// The newest are asked, as many as were counted.
	query := "SELECT " + columns + ", " + metricColumns + " FROM (SELECT t.account_id AS a, t.id AS i" + from + " ORDER BY t.updated_at DESC, t.id DESC LIMIT ?) AS newest" +
		` JOIN tickets t ON t.account_id = newest.a AND t.id = newest.i JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		WHERE ` + where + " ORDER BY t.updated_at DESC, t.id DESC"
	err = postgres.Rows(db, query, append(append(slices.Clone(args), maxDryAsked), more...), func(row postgres.Scanned) error {
		t, m := &models.Ticket{AccountID: by.AccountID}, &models.TicketMetric{}
		if err := row.Scan(append(dest(t), metricDest(m)...)...); err != nil {
			return err
		}
		st := rules.State{Ticket: t, Values: fields.Values(t.CustomFields)}
		d.match(r, &rules.Subject{Now: t.UpdatedAt, Before: st, After: st, Metric: m, By: rules.User{ID: models.SystemUser}}, 0)
		return nil
	})
	return d, err
}
