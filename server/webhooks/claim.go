package webhooks

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// lease is how long a delivery is its process's that has taken it; after
	// that, and at once when that process has ended, another may take it.
	lease = 30 * time.Second
	// stale is how long one that was taken may wait to be sent: so long that it
	// is done with, or timed out, within its lease.
	stale = lease - timeout - 2*time.Second
)

// lanes are the webhooks that have something to send, now or later, found by
// stepping through the index from one to the next.
const lanes = `RECURSIVE lanes AS (
		(SELECT account_id, webhook_id FROM webhook_invocations WHERE next_at IS NOT NULL ORDER BY account_id, webhook_id LIMIT 1)
		UNION ALL
		SELECT n.account_id, n.webhook_id FROM lanes l CROSS JOIN LATERAL (
			SELECT account_id, webhook_id FROM webhook_invocations
			WHERE next_at IS NOT NULL AND (account_id, webhook_id) > (l.account_id, l.webhook_id) ORDER BY account_id, webhook_id LIMIT 1) n
	)`

// claimDue takes what is due: of each webhook as much as it has room for, and
// first one of each before a second of any.
const claimDue = `WITH ` + lanes + `, open AS (
		SELECT w.account_id, w.id, greatest(0, CASE WHEN w.blocks > 0 THEN 1 ELSE coalesce(b.most, ?) END - coalesce(b.busy, 0)) AS room
		FROM lanes l JOIN webhooks w ON w.account_id = l.account_id AND w.id = l.webhook_id
		LEFT JOIN json_to_recordset(?::json) AS b(account_id bigint, webhook_id text, busy int, most int) ON b.account_id = w.account_id AND b.webhook_id = w.id
		WHERE w.status = 'active' AND (w.blocked_until IS NULL OR w.blocked_until <= ?)
	), due AS MATERIALIZED (
		SELECT d.* FROM open o CROSS JOIN LATERAL (
			SELECT i.account_id, i.webhook_id, i.id, i.next_at FROM webhook_invocations i
			WHERE i.account_id = o.account_id AND i.webhook_id = o.id AND i.next_at <= ? ORDER BY i.next_at, i.id LIMIT o.room FOR UPDATE SKIP LOCKED) d
	), chosen AS (
		SELECT account_id, webhook_id, id, next_at FROM (
			SELECT *, row_number() OVER (PARTITION BY account_id, webhook_id ORDER BY next_at, id) AS n FROM due) numbered
		ORDER BY n, next_at LIMIT ?
	)
	UPDATE webhook_invocations i SET next_at = ?, claimed_by = ? FROM chosen c JOIN webhooks w ON w.account_id = c.account_id AND w.id = c.webhook_id
	WHERE i.account_id = c.account_id AND i.webhook_id = c.webhook_id AND i.id = c.id
	RETURNING c.next_at, i.id, i.message_id, i.endpoint, i.payload, i.tries, w.account_id, w.id, w.endpoint, w.http_method, w.request_format,
		w.auth_type, w.auth_data, w.custom_headers, w.secret, w.earlier_secrets, w.blocks`

// delivery is one that this process has taken.
type delivery struct {
	due        time.Time // when it was
	taken      time.Time // by the clock of the machine
	id         string
	message    string
	endpoint   *string
	payload    string
	tries      int
	webhook    models.Webhook
	onProbe    bool // its outcome shows whether the endpoint is back
	begun      bool // it is not in the queue of its webhook any more
	canceled   bool // it was not sent, or not waited for
	outcome    Outcome
	attempt    string
	finishedAt time.Time
}

// busy is how much a webhook has under way in this process, and may have.
type busy struct {
	AccountID int64  `json:"account_id"`
	WebhookID string `json:"webhook_id"`
	Busy      int    `json:"busy"`
	Most      int    `json:"most"`
}

// claim takes up to limit deliveries that are due, the longest due first.
func (s *Service) claim(ctx context.Context, under []busy, limit int) ([]*delivery, error) {
	now := s.now()
	var list []*delivery
	args := []any{perWebhook, models.ToJSON(under), now, now, limit, now.Add(lease), s.process}
	err := postgres.Rows(s.db.WithContext(ctx), claimDue, args, func(row postgres.Scanned) error {
		d := &delivery{taken: time.Now()}
		w := &d.webhook
		err := row.Scan(&d.due, &d.id, &d.message, &d.endpoint, &d.payload, &d.tries, &w.AccountID, &w.ID, &w.Endpoint, &w.HTTPMethod, &w.RequestFormat,
			&w.AuthType, &w.AuthData, &w.CustomHeaders, &w.Secret, &w.EarlierSecrets, &w.Blocks)
		d.onProbe = w.Blocks > 0
		list = append(list, d)
		return err
	})
	slices.SortFunc(list, func(a, b *delivery) int {
		if n := a.due.Compare(b.due); n != 0 {
			return n
		}
		return strings.Compare(a.id, b.id)
	})
	return list, err
}

// anyDue reports whether something is due, for the price of one look at an index.
func (s *Service) anyDue(ctx context.Context) (bool, error) {
	var at *time.Time
	_, err := postgres.Row(s.db.WithContext(ctx), "SELECT min(next_at) FROM webhook_invocations WHERE next_at IS NOT NULL", nil, &at)
	return at != nil && !at.After(s.now()), err
}

// tidy gives back what ended processes had taken, and ends what is due to
// webhooks that are not active or not there any more.
func (s *Service) tidy(ctx context.Context) error {
	db, now := s.db.WithContext(ctx), s.now()
	// A process that has just begun may not be among the living yet.
	err := postgres.Exec(db, `UPDATE webhook_invocations SET next_at = ?, claimed_by = NULL
		WHERE claimed_by IS NOT NULL AND claimed_by <> ALL (`+s.living+`) AND next_at < ?`, []any{now, now.Add(lease - 2*time.Second)})
	if err != nil {
		return err
	}
	return postgres.Exec(db, `WITH `+lanes+` UPDATE webhook_invocations i SET next_at = NULL, claimed_by = NULL, status = ? FROM lanes l
		WHERE i.account_id = l.account_id AND i.webhook_id = l.webhook_id AND i.next_at <= ?
		AND NOT EXISTS (SELECT FROM webhooks w WHERE w.account_id = l.account_id AND w.id = l.webhook_id AND w.status = 'active')`, []any{StatusInactive, now})
}

// finish stores what became of deliveries, and each attempt. One that another
// process has taken in between stays that one's; of what was removed (RedactTx)
// nothing is kept.
const finish = `WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(?::json) AS r(account_id bigint, webhook_id text, id text, canceled boolean, status text,
		status_code int, next_at timestamptz, completed_at timestamptz, attempt_id text, error text, request_headers json, response_headers json, response_payload text)),
	done AS (
		UPDATE webhook_invocations i SET claimed_by = NULL, next_at = r.next_at,
			status = CASE WHEN r.canceled THEN i.status ELSE r.status END, status_code = CASE WHEN r.canceled THEN i.status_code ELSE r.status_code END,
			tries = i.tries + CASE WHEN r.canceled THEN 0 ELSE 1 END, completed_at = CASE WHEN r.canceled THEN i.completed_at ELSE r.completed_at END
		FROM r WHERE i.account_id = r.account_id AND i.webhook_id = r.webhook_id AND i.id = r.id AND i.claimed_by = ?
	)
	INSERT INTO webhook_attempts (account_id, webhook_id, invocation_id, id, status, status_code, error, request_headers, response_headers, response_payload, completed_at)
	SELECT account_id, webhook_id, id, attempt_id, status, status_code, error, request_headers, response_headers, response_payload, completed_at FROM r
	WHERE NOT canceled AND EXISTS (SELECT FROM webhook_invocations i WHERE i.account_id = r.account_id AND i.webhook_id = r.webhook_id AND i.id = r.id)`

func (s *Service) finish(ctx context.Context, list []*delivery) error {
	type row struct {
		AccountID       int64       `json:"account_id"`
		WebhookID       string      `json:"webhook_id"`
		ID              string      `json:"id"`
		Canceled        bool        `json:"canceled"`
		Status          string      `json:"status"`
		StatusCode      *int        `json:"status_code"`
		NextAt          *time.Time  `json:"next_at"`
		CompletedAt     time.Time   `json:"completed_at"`
		AttemptID       string      `json:"attempt_id"`
		Error           *string     `json:"error"`
		RequestHeaders  models.JSON `json:"request_headers"`
		ResponseHeaders models.JSON `json:"response_headers"`
		ResponsePayload string      `json:"response_payload"`
	}
	rows := make([]row, len(list))
	for i, d := range list {
		o := d.outcome
		rows[i] = row{
			AccountID: d.webhook.AccountID, WebhookID: d.webhook.ID, ID: d.id, Canceled: d.canceled, Status: o.Status, StatusCode: orNil(o.StatusCode),
			CompletedAt: d.finishedAt, AttemptID: d.attempt, Error: orNil(o.Error), RequestHeaders: headersJSON(o.Sent), ResponseHeaders: headersJSON(o.Headers), ResponsePayload: o.Payload,
		}
		if d.canceled {
			rows[i].NextAt = &d.due
		} else {
			rows[i].NextAt = s.again(d.tries+1, o, d.finishedAt)
		}
	}
	return postgres.Exec(s.db.WithContext(ctx), finish, []any{models.ToJSON(rows), s.process})
}

func orNil[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func headersJSON(list []Header) models.JSON {
	if list == nil {
		list = []Header{}
	}
	return models.ToJSON(list)
}
