package tickets

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// MaxAutomated is how often automations may act on one ticket, ever (contract
// rules.md §3).
const MaxAutomated = 100

// automated are the tickets that automations look at. None that is not closed is
// archived; it is said so that the partial indexes serve.
const automated = "t.account_id = ? AND t.deleted_at IS NULL AND NOT t.archived AND t.status <> 'closed'"

// Due are the tickets of the account for which an automation holds and on which
// it has not acted yet, in the order of their numbers, limit at most. It has
// acted on a ticket if its conditions asked about the same moments then: one that
// acts an hour after a ticket is solved acts again when it is solved again.
func (s *Service) Due(ctx context.Context, config *fields.Config, automation *rules.Rule, limit int) (ids []int64, err error) {
	account := config.Account.ID
	where, args := automation.Conditions.Where(rules.Search{Env: rules.Env{Config: config}, Now: s.now()})
	args = append(append([]any{account, automation.ID, account}, args...), MaxAutomated, limit)
	err = postgres.Rows(s.db.WithContext(ctx), `SELECT t.id FROM tickets t
		JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		LEFT JOIN automation_marks k ON k.account_id = ? AND k.ticket_id = t.id AND k.automation_id = ?
		WHERE `+automated+" AND ("+where+`)
			AND k.moments IS DISTINCT FROM `+automation.Conditions.MomentsSQL()+`
			AND (SELECT coalesce(sum(x.times), 0) FROM automation_marks x WHERE x.account_id = t.account_id AND x.ticket_id = t.id) < ?
		ORDER BY t.id LIMIT ?`, args, func(row postgres.Scanned) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// errNotDue undoes what was begun for a ticket for which an automation does not
// hold any more.
var errNotDue = errors.New("not due")

// Automate has an automation act on a ticket, if it still holds for it and has
// not acted on it: of two processes that try, one does. Triggers run over the
// change. It reports whether it acted.
func (s *Service) Automate(ctx context.Context, account int64, automation *rules.Rule, id int64) (bool, error) {
	err := s.inTx(postgres.WithAccount(ctx, account), func(tx *gorm.DB) error {
		sv, err := s.lockWhereTx(tx, auth.System(account), id, automated, []any{account})
		if err != nil {
			return err
		}
		sv.automation = automation
		if _, err := sv.run(); err != nil {
			return err
		}
		return postgres.Exec(tx, `INSERT INTO automation_marks (account_id, ticket_id, automation_id, moments, times) VALUES (?, ?, ?, ?, 1)
			ON CONFLICT (account_id, ticket_id, automation_id) DO UPDATE SET moments = excluded.moments, times = automation_marks.times + 1`,
			[]any{account, id, automation.ID, sv.moments})
	})
	if errors.Is(err, errNotDue) || fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// automate carries out the automation that the save is for. The whole audit is
// its; triggers' events in it name themselves.
func (s *save) automate() error {
	r := s.automation
	if r == nil {
		return nil
	}
	s.auditVia = viaRule(r, "automation")
	subject, err := s.subject(r.Conditions.Needs().With(r.Actions.Needs()))
	if err != nil {
		return err
	}
	s.moments = r.Conditions.Moments(subject)
	if !r.Conditions.Match(subject) {
		return errNotDue
	}
	var acted bool
	var times int
	if _, err := postgres.Row(s.tx, "SELECT coalesce(bool_or(automation_id = ? AND moments = ?::bigint[]), false), coalesce(sum(times), 0) FROM automation_marks WHERE account_id = ? AND ticket_id = ?",
		[]any{r.ID, s.moments, s.by.AccountID, s.after.ID}, &acted, &times); err != nil {
		return err
	}
	if acted || times >= MaxAutomated {
		return errNotDue
	}
	s.uses = append(s.uses, r.ID)
	return s.act(r, subject)
}

// act carries out the actions of a rule that holds.
func (s *save) act(r *rules.Rule, subject *rules.Subject) error {
	return s.actBy(r, subject, s.carryOut)
}

// actBy is act with another way to carry out the effects on the ticket.
func (s *save) actBy(r *rules.Rule, subject *rules.Subject, carryOut func(rules.Effect) error) error {
	s.rule = r
	err := r.Actions.For(subject, func(e rules.Effect) error {
		if e.Field == "locale_id" {
			if subject.Requester.Locale != e.Text {
				subject.Requester.Locale, s.requesterLocale = e.Text, e.Text
			}
			return nil
		}
		err := carryOut(e)
		subject.After.Values = s.values
		return err
	})
	if err == nil {
		s.settleStatus()
	}
	return err
}

// viaRule is how what a rule did came about.
func viaRule(r *rules.Rule, rel string) Via {
	return Via{Channel: "rule", Source: ViaSource{
		From: map[string]any{"id": r.ID, "title": r.Title, "deleted": false}, To: map[string]any{}, Rel: &rel,
	}}
}
