package tickets

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/sla"
)

// breachesAtOnce is how many tickets' breaches are told in one transaction, which
// keeps their saves waiting.
const breachesAtOnce = 50

// TellBreaches tells of the SLA targets of all accounts' tickets that were
// breached and of which nothing was told yet: in the metric events and in the
// event log, each once, however many do so at the same time. A save tells of those
// of its own ticket.
func (s *Service) TellBreaches(ctx context.Context) error {
	ctx = postgres.AcrossAccounts(ctx)
	for {
		told := 0
		err := s.inTx(ctx, func(tx *gorm.DB) error {
			due, err := s.dueTx(tx)
			told = len(due)
			if err != nil || told == 0 {
				return err
			}
			return postgres.ExecLast(tx, tellBreached, []any{string(models.ToJSON(due)), models.SystemUser, s.now(), s.now().Truncate(time.Second)})
		})
		if err != nil || told < breachesAtOnce {
			return err
		}
	}
}

// breached is a ticket with what came of its targets.
type breached struct {
	AccountID    int64           `json:"account_id"`
	TicketID     int64           `json:"ticket_id"`
	Subject      string          `json:"subject"`
	SLA          json.RawMessage `json:"sla"`
	NextBreachAt *time.Time      `json:"next_breach_at"`
	BreachDueAt  *time.Time      `json:"breach_due_at"`
	MetricEvents json.RawMessage `json:"metric_events"`
	Log          []events.Batch  `json:"log"`
}

// tellBreached stores it. What others have locked is theirs to tell.
const tellBreached = `WITH due AS (SELECT * FROM json_to_recordset(?::json) AS d (account_id bigint, ticket_id bigint, subject text,
		sla json, next_breach_at timestamptz, breach_due_at timestamptz, metric_events json, log json)),
	told AS (UPDATE ticket_metrics m SET sla = d.sla, next_breach_at = d.next_breach_at, breach_due_at = d.breach_due_at
		FROM due d WHERE m.account_id = d.account_id AND m.ticket_id = d.ticket_id),
	logged AS (INSERT INTO event_batches (account_id, subject, subject_id, actor_id, types, detail, changes, created_at)
		SELECT d.account_id, d.subject, d.ticket_id, ?, e.types, e.detail, e.changes, ?
		FROM due d CROSS JOIN LATERAL json_to_recordset(d.log) AS e (types text[], detail json, changes json))
	INSERT INTO ticket_metric_events (account_id, ticket_id, time, events) SELECT account_id, ticket_id, ?, metric_events FROM due`

// dueTx locks the tickets whose breach is to be told, but for those that somebody
// else holds: who saves a ticket tells its breaches, and so does another process.
func (s *Service) dueTx(tx *gorm.DB) ([]breached, error) {
	now := s.now()
	var due []breached
	err := postgres.Rows(tx, "SELECT t.account_id, "+columns+`, m.sla, nextval('audit_ids') FROM ticket_metrics m
		JOIN tickets t ON t.account_id = m.account_id AND t.id = m.ticket_id
		WHERE m.breach_due_at <= ? ORDER BY m.breach_due_at LIMIT ? FOR NO KEY UPDATE OF t, m SKIP LOCKED`,
		[]any{now, breachesAtOnce}, func(row postgres.Scanned) error {
			var t models.Ticket
			var kept models.JSON
			var sequence int64
			if err := row.Scan(append(append([]any{&t.AccountID}, dest(&t)...), &kept, &sequence)...); err != nil {
				return err
			}
			state, err := sla.Read(kept)
			if err == nil {
				due = append(due, tellDue(&t, state, sequence, now))
			}
			return err
		})
	return due, err
}

func tellDue(t *models.Ticket, state sla.State, sequence int64, now time.Time) breached {
	var told []metricEvent
	var log []events.Event
	detail := models.ToJSON(eventDetail(t, models.SystemUser))
	for _, e := range state.Raise(now.Unix()) {
		told = append(told, targetEvent(e))
		one := ticketEvent("sla_breached", breachedTarget(e.Target, state.Policy), sequence, len(log)+1)
		one.Detail = detail
		log = append(log, one)
	}
	return breached{
		AccountID: t.AccountID, TicketID: t.ID, Subject: events.Subject("ticket", t.ID), SLA: json.RawMessage(models.ToJSON(state)),
		NextBreachAt: state.NextBreach(), BreachDueAt: state.DueBreach(),
		MetricEvents: json.RawMessage(models.ToJSON(told)), Log: events.Batches(log),
	}
}
