package webhooks

import (
	"context"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// An endpoint is left alone for a while when it fails for the most part: of the
// requests of the last five minutes 70% (but of so few that it says nothing), or
// more than a thousand (contract webhooks.md §4). What is due then waits, and
// keeps its tries. After a while one delivery at a time shows whether it is back.
const (
	window      = 5 * time.Minute
	slots       = 10 // of the window
	fewest      = 20
	mostErrors  = 1_000
	errorShare  = 70 // percent
	firstBlock  = 5 * time.Second
	longestPlus = 6 // doublings: 5 minutes and a bit
)

// count is of requests to one endpoint.
type count struct{ tries, errors int }

// tally counts the requests of this process to one endpoint by slots of time, as
// far as that is not stored.
type tally map[int64]count

func slotOf(at time.Time) int64 { return at.UnixNano() / int64(window/slots) }

// add counts a request, and forgets those of a window before.
func (t tally) add(at time.Time, failed bool) {
	slot := slotOf(at)
	c := t[slot]
	c.tries++
	if failed {
		c.errors++
	}
	t[slot] = c
	for s := range t {
		if s <= slot-slots {
			delete(t, s)
		}
	}
}

// opens reports whether an endpoint with these requests in a window is to be left
// alone.
func (c count) opens() bool {
	return c.errors > mostErrors || c.tries >= fewest && c.errors*100 >= c.tries*errorShare
}

// tallied is a row of webhook_failures.
type tallied struct {
	AccountID int64  `json:"account_id"`
	WebhookID string `json:"webhook_id"`
	Slot      int64  `json:"slot"`
	Tries     int    `json:"tries"`
	Errors    int    `json:"errors"`
}

// addTallies stores counts beside those of other processes, and of those that
// have ended, and returns the sums of the window. Rows are taken in one order, or
// processes would wait for each other.
const addTallies = `WITH r AS (SELECT * FROM json_to_recordset(?::json) AS r(account_id bigint, webhook_id text, slot bigint, tries int, errors int)),
	added AS (
		INSERT INTO webhook_failures AS f (account_id, webhook_id, slot, tries, errors)
		SELECT account_id, webhook_id, slot, tries, errors FROM r ORDER BY account_id, webhook_id, slot
		ON CONFLICT (account_id, webhook_id, slot) DO UPDATE SET tries = f.tries + excluded.tries, errors = f.errors + excluded.errors
		RETURNING account_id, webhook_id, slot, tries, errors)
	SELECT account_id, webhook_id, sum(tries), sum(errors) FROM (
		SELECT * FROM added UNION ALL
		SELECT f.* FROM webhook_failures f JOIN (SELECT DISTINCT account_id, webhook_id FROM r) l USING (account_id, webhook_id)
		WHERE f.slot > ? AND NOT EXISTS (SELECT FROM added a WHERE (a.account_id, a.webhook_id, a.slot) = (f.account_id, f.webhook_id, f.slot))) all_of
	WHERE slot > ? GROUP BY account_id, webhook_id`

// failing stores counts and returns the webhooks whose endpoints are to be left
// alone for them.
func (s *Service) failing(ctx context.Context, list []tallied) (open []lane, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	ended := slotOf(s.now()) - slots
	err = postgres.Rows(s.db.WithContext(ctx), addTallies, []any{models.ToJSON(list), ended, ended}, func(row postgres.Scanned) error {
		var l lane
		var c count
		err := row.Scan(&l.account, &l.webhook, &c.tries, &c.errors)
		if c.opens() {
			open = append(open, l)
		}
		return err
	})
	return open, err
}

// deleteTallies is a statement that removes counts. Rows are taken in the order in
// which addTallies takes them, or the two would wait for each other.
func deleteTallies(where string) string {
	return `DELETE FROM webhook_failures WHERE (account_id, webhook_id, slot) IN (
		SELECT account_id, webhook_id, slot FROM webhook_failures WHERE ` + where + ` ORDER BY account_id, webhook_id, slot FOR UPDATE)`
}

// block has an endpoint be left alone, unless somebody has done so since w was
// read. Its requests are counted anew.
func (s *Service) block(ctx context.Context, w *models.Webhook, until time.Time) error {
	return postgres.Exec(s.db.WithContext(ctx), "WITH forgotten AS ("+deleteTallies("account_id = ? AND webhook_id = ?")+`)
		UPDATE webhooks SET blocks = ?, blocked_until = ? WHERE account_id = ? AND id = ? AND blocks <= ?`,
		[]any{w.AccountID, w.ID, w.Blocks + 1, until, w.AccountID, w.ID, w.Blocks})
}

// blockFor is how long to leave an endpoint alone after it was blocked a number
// of times in a row.
func blockFor(blocks int) time.Duration { return firstBlock << min(blocks, longestPlus) }
