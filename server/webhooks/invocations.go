package webhooks

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

// retention is how long deliveries are kept.
const retention = 30 * 24 * time.Hour

// MaxReplay is how many deliveries can be sent again at once.
const MaxReplay = 100_000

// Statuses are all that invocations may have.
var Statuses = []string{
	StatusPending, StatusBlocked, StatusInactive, StatusSuccess, StatusFailed, StatusTimeout, StatusTerminated, StatusThrottled, StatusRejected,
}

// Window chooses deliveries by when they were made; what is zero is any.
type Window struct {
	From, To   time.Time // To itself is not in it
	Statuses   []string
	EventTypes []string
}

// where is the condition of the deliveries of a webhook that are in the window.
// A delivery that was never tried to an endpoint that fails too often says so.
func (v Window) where(w *models.Webhook) (text string, args []any, err error) {
	text, args = "account_id = ? AND webhook_id = ?", []any{w.AccountID, w.ID}
	if !v.From.IsZero() {
		text, args = text+" AND id >= ?", append(args, ulid.First(v.From))
	}
	if !v.To.IsZero() {
		text, args = text+" AND id < ?", append(args, ulid.First(v.To))
	}
	if len(v.EventTypes) > 0 {
		text, args = text+" AND event_type = ANY(?::text[])", append(args, models.Strings(v.EventTypes))
	}
	if len(v.Statuses) == 0 {
		return text, args, nil
	}
	stored := models.Strings{}
	for _, status := range v.Statuses {
		if !slices.Contains(Statuses, status) {
			return "", nil, fault.New(fault.BadRequest, "status must be one of %s", strings.Join(Statuses, ", "))
		}
		switch {
		case status == StatusBlocked && blocked(w):
			status = StatusPending
		case status == StatusPending && blocked(w):
			continue
		}
		stored = append(stored, status)
	}
	return text + " AND status = ANY(?::text[])", append(args, stored), nil
}

// blocked reports whether a webhook's endpoint fails too often, and is only
// asked now and then whether it is back.
func blocked(w *models.Webhook) bool { return w.Blocks > 0 }

var invocationOrder = page.By("id", page.Column{Expr: "id", Kind: page.Text})

const invocationColumns = "id, message_id, event_type, rule_id, ticket_id, status, status_code, error, tries, next_at, completed_at"

func scanInvocation(i *models.WebhookInvocation) []any {
	return []any{&i.ID, &i.MessageID, &i.EventType, &i.RuleID, &i.TicketID, &i.Status, &i.StatusCode, &i.Error, &i.Tries, &i.NextAt, &i.CompletedAt}
}

// Invocations is a page of a webhook's deliveries, without their payloads, the
// newest first unless the page asks for id. It fails with fault.NotFound for the
// webhook, and with fault.BadRequest for a window or an order that there is not.
func (s *Service) Invocations(ctx context.Context, by auth.Actor, id string, v Window, p page.Request) (out page.Result[models.WebhookInvocation], err error) {
	w, err := s.Get(ctx, by, id)
	if err != nil {
		return out, err
	}
	order := invocationOrder.Reversed()
	switch {
	case p.Sort != "" && p.Sort != "id" && p.Sort != "latest_completed_at":
		return out, fault.New(fault.BadRequest, "sort must be id")
	case p.Sort != "" && !p.Desc:
		order = invocationOrder
	}
	where, args, err := v.where(&w)
	if err != nil {
		return out, err
	}
	q := page.Query{Select: invocationColumns, From: "webhook_invocations", Where: where, Args: args, Order: order}
	return page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (models.WebhookInvocation, error) {
		i := models.WebhookInvocation{AccountID: w.AccountID, WebhookID: w.ID}
		err := rows.Scan(append(scanInvocation(&i), order...)...)
		if i.Status == StatusPending && blocked(&w) {
			i.Status = StatusBlocked
		}
		return i, err
	})
}

// Attempts are all times that a delivery was sent, the first one first, and the
// delivery itself. One that cannot be sent has an attempt that says why. It fails
// with fault.NotFound.
func (s *Service) Attempts(ctx context.Context, by auth.Actor, webhook, id string) (models.WebhookInvocation, []models.WebhookAttempt, error) {
	i, err := s.invocation(s.db.WithContext(ctx), webhook, id)
	if err != nil {
		return i, nil, err
	}
	list := []models.WebhookAttempt{}
	if i.Error != nil {
		list = append(list, models.WebhookAttempt{
			AccountID: i.AccountID, WebhookID: webhook, InvocationID: id, ID: id, Status: StatusRejected, Error: i.Error, CompletedAt: *i.CompletedAt,
			RequestHeaders: models.JSON("[]"), ResponseHeaders: models.JSON("[]"),
		})
		return i, list, nil
	}
	err = s.db.WithContext(ctx).Order("id").Find(&list, "webhook_id = ? AND invocation_id = ?", webhook, id).Error
	return i, list, err
}

func (s *Service) invocation(tx *gorm.DB, webhook, id string) (i models.WebhookInvocation, err error) {
	if _, err := get(tx, webhook); err != nil {
		return i, err
	}
	if !ulid.Is(id) {
		return i, fault.New(fault.NotFound, "no such invocation")
	}
	err = tx.Take(&i, "webhook_id = ? AND id = ?", webhook, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("invocation", id)
	}
	return i, err
}

// Renderer makes anew a delivery whose texts failed (tickets.Service.CallAgain).
type Renderer func(tx *gorm.DB, by auth.Actor, failed models.WebhookInvocation) (models.WebhookInvocation, error)

// Replay sends what a webhook has delivered, or could not, once more: as a
// delivery of its own with the same payload. What was rejected because the texts
// of its rule failed is made anew by render, and may be rejected again. It fails
// with fault.NotFound, with fault.BadRequest if the webhook is not active, or as
// render does.
func (s *Service) Replay(ctx context.Context, by auth.Actor, webhook, id string, render Renderer) (models.WebhookInvocation, error) {
	var again models.WebhookInvocation
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		i, err := s.invocation(tx, webhook, id)
		if err != nil {
			return err
		}
		if _, err := activeTx(tx, webhook); err != nil {
			return err
		}
		if i.Status == StatusRejected && i.Error != nil && i.RuleID != nil && i.TicketID != nil {
			if again, err = render(tx, by, i); err != nil {
				return err
			}
			return EnqueueTx(tx, []models.WebhookInvocation{again})
		}
		now := s.now()
		again = i
		again.ID, again.Status, again.NextAt = ulid.New(now), StatusPending, &now
		again.StatusCode, again.Error, again.Tries, again.ClaimedBy, again.CompletedAt = nil, nil, 0, nil, nil
		return EnqueueTx(tx, []models.WebhookInvocation{again})
	})
	s.Wake()
	return again, err
}

// activeTx is a webhook that may deliver.
func activeTx(tx *gorm.DB, id string) (models.Webhook, error) {
	w, err := get(tx, id)
	if err == nil && w.Status != models.WebhookActive {
		err = fault.New(fault.BadRequest, "The webhook is not active")
	}
	return w, err
}

// ReplayWindow is Replay for all deliveries of a window that are done, but for
// those whose texts failed: they have nothing to send, and are made anew one by
// one. It returns how many there are. It also fails with fault.BadRequest if they
// are more than MaxReplay.
func (s *Service) ReplayWindow(ctx context.Context, by auth.Actor, webhook string, v Window) (n int64, err error) {
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		w, err := activeTx(tx, webhook)
		if err != nil {
			return err
		}
		where, args, err := v.where(&w)
		if err != nil {
			return err
		}
		now := s.now()
		// 16 hexadecimal digits are random enough beside the time.
		args = append(append([]any{ulid.First(now)[:10], StatusPending, now}, args...), MaxReplay+1)
		done := tx.Exec(`INSERT INTO webhook_invocations (account_id, webhook_id, id, message_id, event_type, rule_id, ticket_id, endpoint, payload, status, tries, next_at)
			SELECT account_id, webhook_id, ? || upper(left(replace(gen_random_uuid()::text, '-', ''), 16)), message_id, event_type, rule_id, ticket_id, endpoint, payload, ?, 0,
				CAST(? AS timestamptz) - interval '1 second' + row_number() OVER (ORDER BY id) * interval '1 microsecond'
			FROM webhook_invocations WHERE `+where+` AND next_at IS NULL AND (rule_id IS NULL OR error IS NULL) ORDER BY id LIMIT ?`, args...)
		if n = done.RowsAffected; n > MaxReplay {
			return fault.New(fault.BadRequest, "There are more than %d deliveries: ask for a shorter time", MaxReplay)
		}
		return done.Error
	})
	s.Wake()
	return n, err
}

// pruned is how many rows a statement of Prune removes at most.
const pruned = 5_000

// Prune removes deliveries that are older than 30 days, and those of webhooks
// that are not there any more, and old counts of failures.
func (s *Service) Prune(ctx context.Context) error {
	err := postgres.Exec(s.db.WithContext(postgres.AcrossAccounts(ctx)), deleteTallies("slot <= ?"), []any{slotOf(s.now()) - slots})
	if err != nil {
		return err
	}
	old := ulid.First(s.now().Add(-retention))
	for _, table := range []struct{ name, invocation string }{{"webhook_attempts", "invocation_id"}, {"webhook_invocations", "id"}} {
		for {
			gone := s.db.WithContext(postgres.AcrossAccounts(ctx)).Exec(`WITH RECURSIVE hooks AS (
					(SELECT account_id, webhook_id FROM `+table.name+` ORDER BY account_id, webhook_id LIMIT 1)
					UNION ALL
					SELECT n.account_id, n.webhook_id FROM hooks h CROSS JOIN LATERAL (
						SELECT account_id, webhook_id FROM `+table.name+` WHERE (account_id, webhook_id) > (h.account_id, h.webhook_id) ORDER BY account_id, webhook_id LIMIT 1) n
				), old AS (
					SELECT r.ctid FROM hooks h LEFT JOIN webhooks w ON w.account_id = h.account_id AND w.id = h.webhook_id
					CROSS JOIN LATERAL (SELECT ctid FROM `+table.name+` r WHERE r.account_id = h.account_id AND r.webhook_id = h.webhook_id
						AND r.`+table.invocation+` < CASE WHEN w.id IS NULL THEN 'ZZ' ELSE ? END LIMIT ?) r
					LIMIT ?
				) DELETE FROM `+table.name+` WHERE ctid = ANY(ARRAY(SELECT ctid FROM old))`, old, pruned, pruned)
			if gone.Error != nil {
				return gone.Error
			}
			if gone.RowsAffected < pruned {
				break
			}
		}
	}
	return nil
}
