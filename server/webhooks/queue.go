package webhooks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

// Follower puts into the queue what webhooks are to be told of events. Each event
// comes once, and its payload stays as it is made here.
func (s *Service) Follower() events.Follower {
	return events.Follower{
		Name: "webhooks", Take: s.take,
		// By accounts first: in those that have no webhooks no event is looked at.
		Wants: `e.account_id = ANY(ARRAY(SELECT account_id FROM webhooks WHERE status = 'active' AND subscriptions <> '{}'))
			AND EXISTS (SELECT FROM webhooks w WHERE w.account_id = e.account_id AND w.status = 'active' AND e.type = ANY(w.subscriptions))`,
	}
}

func (s *Service) take(tx *gorm.DB, list []events.Logged) error {
	subscribed, err := subscribers(tx, list)
	if err != nil || len(subscribed) == 0 {
		return err
	}
	var rows []models.WebhookInvocation
	now := s.now()
	for i := range list {
		e := &list[i]
		payload := ""
		for _, w := range subscribed[e.AccountID] {
			if !slices.Contains(w.Subscriptions, e.Type) || e.SourceID != "" && slices.Contains(w.ExcludedSources, e.SourceID) {
				continue
			}
			if payload == "" {
				payload = string(e.Envelope())
			}
			row := newInvocation(w.AccountID, w.ID, payload, now)
			row.EventType = &e.Type
			if strings.HasPrefix(e.Subject, "zen:ticket:") {
				row.TicketID = &e.SubjectID
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	for i := range rows { // are sent in the order of their numbers
		if rows[i].NextAt != nil {
			rows[i].NextAt = new(now.Add(time.Duration(i-len(rows)) * time.Microsecond))
		}
	}
	defer s.Wake()
	return EnqueueTx(tx, rows)
}

// subscribers are the active webhooks, by account, that are told of some of the
// types of events.
func subscribers(tx *gorm.DB, list []events.Logged) (map[int64][]models.Webhook, error) {
	var accounts []int64
	var types []string
	for _, e := range list {
		if !slices.Contains(accounts, e.AccountID) {
			accounts = append(accounts, e.AccountID)
		}
		if !slices.Contains(types, e.Type) {
			types = append(types, e.Type)
		}
	}
	out := map[int64][]models.Webhook{}
	err := postgres.Rows(tx, `SELECT account_id, id, subscriptions, excluded_sources FROM webhooks
		WHERE account_id = ANY(?) AND status = 'active' AND subscriptions && ?::text[] ORDER BY account_id, id`, []any{accounts, types}, func(row postgres.Scanned) error {
		var w models.Webhook
		err := row.Scan(&w.AccountID, &w.ID, &w.Subscriptions, &w.ExcludedSources)
		out[w.AccountID] = append(out[w.AccountID], w)
		return err
	})
	return out, err
}

// newInvocation is a delivery that is due. A payload that is too large is not
// sent.
func newInvocation(account int64, webhook, payload string, now time.Time) models.WebhookInvocation {
	id := ulid.New(now)
	row := models.WebhookInvocation{AccountID: account, WebhookID: webhook, ID: id, MessageID: id, Payload: payload, Status: StatusPending, NextAt: &now}
	if len(payload) > maxPayload {
		Reject(&row, fmt.Sprintf("the payload is larger than %d bytes", maxPayload), now)
	}
	return row
}

// Reject has a delivery not be sent, and say why. It can be sent by hand
// (Service.Replay).
func Reject(row *models.WebhookInvocation, why string, now time.Time) {
	row.Status, row.Error, row.NextAt, row.CompletedAt = StatusRejected, &why, nil, &now
}

// RedactTx has no delivery repeat what was said in a ticket since a moment, the
// zero time being its beginning: not delivered yet, it is not delivered any more.
// An event tells of the redaction.
func RedactTx(tx *gorm.DB, account, ticket int64, since time.Time) error {
	const rows = "account_id = ? AND ticket_id = ? AND id >= ?"
	args := []any{account, ticket, ulid.First(since)}
	err := tx.Exec(`DELETE FROM webhook_attempts a USING (SELECT webhook_id, id FROM webhook_invocations WHERE `+rows+`) i
		WHERE a.account_id = ? AND a.webhook_id = i.webhook_id AND a.invocation_id = i.id`, append(args, account)...).Error
	if err != nil {
		return err
	}
	return tx.Exec("DELETE FROM webhook_invocations WHERE "+rows, args...).Error
}

// EnqueueTx puts deliveries into the queue.
func EnqueueTx(tx *gorm.DB, rows []models.WebhookInvocation) error {
	return postgres.Exec(tx, Insert, Arguments(rows))
}

// Insert is the statement that puts deliveries into the queue; it takes
// Arguments. It is there for writers that put it into a larger statement.
const Insert = `INSERT INTO webhook_invocations (account_id, webhook_id, id, message_id, event_type, rule_id, ticket_id, endpoint, payload, status, error, tries, next_at, completed_at)
	SELECT account_id, webhook_id, id, message_id, event_type, rule_id, ticket_id, endpoint, payload, status, error, 0, next_at, completed_at
	FROM json_to_recordset(?::json) AS r(account_id bigint, webhook_id text, id text, message_id text, event_type text, rule_id bigint, ticket_id bigint,
		endpoint text, payload text, status text, error text, next_at timestamptz, completed_at timestamptz)`

// Arguments of Insert.
func Arguments(rows []models.WebhookInvocation) []any {
	type row struct {
		AccountID   int64      `json:"account_id"`
		WebhookID   string     `json:"webhook_id"`
		ID          string     `json:"id"`
		MessageID   string     `json:"message_id"`
		EventType   *string    `json:"event_type,omitempty"`
		RuleID      *int64     `json:"rule_id,omitempty"`
		TicketID    *int64     `json:"ticket_id,omitempty"`
		Endpoint    *string    `json:"endpoint,omitempty"`
		Payload     string     `json:"payload"`
		Status      string     `json:"status"`
		Error       *string    `json:"error,omitempty"`
		NextAt      *time.Time `json:"next_at,omitempty"`
		CompletedAt *time.Time `json:"completed_at,omitempty"`
	}
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = row{r.AccountID, r.WebhookID, r.ID, r.MessageID, r.EventType, r.RuleID, r.TicketID, r.Endpoint, r.Payload, r.Status, r.Error, r.NextAt, r.CompletedAt}
	}
	return []any{models.ToJSON(out)}
}
