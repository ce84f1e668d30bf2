package tickets

import (
	"context"
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

	subject *rules.Subject
}

// DryRun tries out a rule of a kind (models.RuleTrigger, RuleAutomation or
// RuleView): one that there is, as c changes it, or with id 0 the one that c makes.
// It looks days back. It fails with fault.NotFound, and with fault.Invalid as
// saving the rule does.
func (s *Service) DryRun(ctx context.Context, by auth.Actor, kind string, id int64, c rulebook.Change, days int) (d DryRun, err error) {
	err = s.inOneMoment(ctx, func(ctx context.Context, tx *gorm.DB) error {
		if id != 0 {
			stored, err := s.rulebook.Get(ctx, by, kind, id)
			if err != nil {
				return err
			}
			if c, err = c.Over(stored); err != nil {
				return err
			}
		}
		rule, config, err := s.rulebook.Try(ctx, by, kind, c)
		if err != nil {
			return err
		}
		use := map[string]rules.Use{models.RuleTrigger: rules.Triggers, models.RuleAutomation: rules.Automations, models.RuleView: rules.Views}[kind]
		ready, err := rulebook.Compile(tx, by.AccountID, config, use, []models.Rule{rule})
		if err != nil {
			return err
		}
		now := s.now()
		d = DryRun{Since: now.AddDate(0, 0, -days), Complete: true}
		if kind == models.RuleTrigger {
			err = d.tryTrigger(tx, by, ready[0])
		} else {
			err = d.search(tx, by, config, ready[0], kind == models.RuleAutomation, now)
		}
		if err != nil {
			return err
		}
		return s.rehearse(tx, by, config, ready[0], d.Matches)
	})
	return d, err
}

// match notes that the rule holds for the ticket of a subject.
func (d *DryRun) match(s *rules.Subject, audit int64, at time.Time) {
	d.Matched++
	if len(d.Matches) >= maxDryShown {
		return
	}
	m := DryMatch{TicketID: s.After.Ticket.ID, AuditID: audit, At: at, subject: s}
	if t := s.After.Ticket; t.Subject != nil {
		m.Subject = *t.Subject
	}
	d.Matches = append(d.Matches, m)
}

// tryTrigger asks a trigger about the changes of tickets that by may see, each as
// if it ran there first. Deleted and archived tickets are left out, and so is what
// no trigger is asked about.
func (d *DryRun) tryTrigger(tx *gorm.DB, by auth.Actor, r *rules.Rule) error {
	p := past{tickets: map[int64]*models.Ticket{}, metrics: map[int64]*models.TicketMetric{}}
	where, args := Visible(by)
	err := postgres.Rows(tx, "SELECT "+pastColumns+` FROM audits a JOIN tickets t ON t.account_id = a.account_id AND t.id = a.ticket_id
		WHERE a.account_id = ? AND NOT a.archived AND a.created_at >= ? AND `+where+" ORDER BY a.created_at DESC, a.id DESC LIMIT ?",
		append(append([]any{by.AccountID, d.Since}, args...), maxDryAsked+1), func(row postgres.Scanned) error { return p.add(by.AccountID, row) })
	if err != nil {
		return err
	}
	if len(p.audits) > maxDryAsked {
		p.audits, d.Complete = p.audits[:maxDryAsked], false
	}
	if err := p.read(tx, by); err != nil {
		return err
	}
	moments, err := p.moments(tx, by.AccountID)
	if err != nil {
		return err
	}
	for _, m := range moments {
		if !m.asked() {
			continue
		}
		d.Asked++
		if r.Conditions.Match(m.subject) {
			d.match(m.subject, m.audit.ID, m.audit.CreatedAt)
		}
	}
	return nil
}

// read reads the tickets of the audits, and their metrics.
func (p *past) read(tx *gorm.DB, by auth.Actor) error {
	var ids models.IDs
	for _, a := range p.audits {
		ids = append(ids, a.TicketID)
	}
	slices.Sort(ids)
	where, args := Visible(by)
	return postgres.Rows(tx, "SELECT "+columns+", "+metricColumns+` FROM tickets t
		JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id WHERE t.id = ANY(?) AND `+where,
		append([]any{slices.Compact(ids)}, args...), func(row postgres.Scanned) error {
			t, m, err := withMetric(by, row)
			p.tickets[t.ID], p.metrics[t.ID] = t, m
			return err
		})
}

func withMetric(by auth.Actor, row postgres.Scanned) (*models.Ticket, *models.TicketMetric, error) {
	t, m := &models.Ticket{AccountID: by.AccountID}, &models.TicketMetric{}
	return t, m, row.Scan(append(dest(t), metricDest(m)...)...)
}

// search asks an automation or a view about the tickets that by may see and that
// were updated lately, as they are now. Archived tickets, which no rule changes
// and which are on no list, are left out; so are closed ones for an automation.
func (d *DryRun) search(tx *gorm.DB, by auth.Actor, config *fields.Config, r *rules.Rule, automation bool, now time.Time) error {
	visible, args := Visible(by)
	where, more := r.Conditions.Where(rules.Search{Env: rules.Env{Config: config}, Now: now, Viewer: by.ID()})
	if automation {
		visible += " AND t.status <> 'closed'"
	}
	from := ` FROM tickets t JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		WHERE t.updated_at >= ? AND NOT t.archived AND ` + visible
	args = append([]any{d.Since}, args...)
	if _, err := postgres.Row(tx, "SELECT count(*) FROM (SELECT 1"+from+" LIMIT ?) x", append(slices.Clone(args), maxDryAsked+1), &d.Asked); err != nil {
		return err
	}
	if d.Asked > maxDryAsked {
		d.Asked, d.Complete = maxDryAsked, false
	}
	// The newest are asked, as many as were counted.
	query := "SELECT " + columns + ", " + metricColumns + " FROM (SELECT t.account_id AS a, t.id AS i" + from + " ORDER BY t.updated_at DESC, t.id DESC LIMIT ?) AS newest" +
		` JOIN tickets t ON t.account_id = newest.a AND t.id = newest.i JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		WHERE ` + where + " ORDER BY t.updated_at DESC, t.id DESC"
	err := postgres.Rows(tx, query, append(append(slices.Clone(args), maxDryAsked), more...), func(row postgres.Scanned) error {
		t, m, err := withMetric(by, row)
		d.match(present(t, m, now), 0, t.UpdatedAt)
		return err
	})
	if err != nil {
		return err
	}
	subjects := make([]*rules.Subject, len(d.Matches))
	for i, m := range d.Matches {
		subjects[i] = m.subject
	}
	return fillPeople(tx, by.AccountID, subjects)
}
