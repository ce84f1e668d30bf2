package tickets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/gather"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// MaxMany is how many ids one call may name.
const MaxMany = 100

// Get is a ticket that by may see. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (models.Ticket, error) {
	where, args := Visible(by)
	t := models.Ticket{AccountID: by.AccountID}
	err := s.db.WithContext(ctx).Raw("SELECT "+columnsFor(by)+" FROM tickets t WHERE t.id = ? AND "+where, append([]any{id}, args...)...).
		Row().Scan(dest(&t)...)
	if errors.Is(err, sql.ErrNoRows) {
		return t, fault.Missing("ticket", id)
	}
	return t, err
}

// versioned are columns of tickets and, behind them, the version of the account's
// set-up that tickets are shown with: a statement of its own for it would take a
// third of the time of a show. Its question mark is the account.
func versioned(columns string) string {
	return columns + ", (SELECT a.config_version FROM accounts a WHERE a.id = ?)"
}

// Show is a ticket that by may see, and the account's set-up that it is shown
// with. It fails with fault.NotFound.
//
// What is asked for at the same time by those who may see every ticket of their
// account is read by one statement.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.Ticket, *fields.Config, error) {
	if seesAll(by) && !postgres.Pinned(ctx) {
		t, found, err := s.shows.Get(ctx, key{by.AccountID, id})
		return s.shown(ctx, by, id, t, found, err)
	}
	where, args := Visible(by)
	return s.show(ctx, by, id, columnsFor(by), where, args)
}

func (s *Service) show(ctx context.Context, by auth.Actor, id int64, columns, where string, args []any) (models.Ticket, *fields.Config, error) {
	var t shown
	found, err := postgres.RowIn(ctx, s.db, "SELECT "+versioned(columns)+" FROM tickets t WHERE t.id = ? AND "+where,
		append([]any{by.AccountID, id}, args...), t.dest()...)
	return s.shown(ctx, by, id, t, found, err)
}

// shown completes what was read.
func (s *Service) shown(ctx context.Context, by auth.Actor, id int64, t shown, found bool, err error) (models.Ticket, *fields.Config, error) {
	if err != nil {
		return t.ticket, nil, err
	}
	if !found {
		return t.ticket, nil, fault.Missing("ticket", id)
	}
	t.ticket.AccountID = by.AccountID
	config := s.fields.Remembered(by.AccountID, t.version)
	if config == nil {
		config, err = s.fields.Config(s.db.WithContext(ctx), by.AccountID, t.version)
	}
	return t.ticket, config, err
}

// key names a ticket among those of all accounts.
type key struct{ account, id int64 }

// shown is a ticket and the version of the set-up that it is shown with.
type shown struct {
	ticket  models.Ticket
	version int64
}

func (t *shown) dest() []any { return append(dest(&t.ticket), &t.version) }

// showOne is the statement of a look-up that comes alone, which most do.
const showOne = "SELECT " + columns + `, (SELECT a.config_version FROM accounts a WHERE a.id = $1)
	FROM tickets t WHERE t.account_id = $1 AND t.id = $2 AND t.deleted_at IS NULL`

// showSome are the statements for 2, 4, 8 keys and so on. With an array of keys
// there would be one for all, but PostgreSQL would plan it anew each time, since
// it takes the plan for an array of unknown length to be dearer.
var showSome = func() (texts []string) {
	for n := 2; n <= gather.Most; n *= 2 {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprintf("($%d::bigint, $%d::bigint, %d::bigint)", 2*i+1, 2*i+2, i)
		}
		texts = append(texts, "SELECT "+columns+", a.config_version, k.n FROM (VALUES "+strings.Join(keys, ", ")+`) k (account_id, id, n)
			JOIN tickets t ON t.account_id = k.account_id AND t.id = k.id AND t.deleted_at IS NULL
			JOIN accounts a ON a.id = k.account_id`)
	}
	return texts
}()

// showTogether finds the tickets of callers that seesAll holds for.
func (s *Service) showTogether(ctx context.Context, keys []key, at func(i int) *shown) error {
	if len(keys) == 1 {
		return postgres.RowsIn(ctx, s.db, showOne, []any{keys[0].account, keys[0].id}, func(row postgres.Scanned) error {
			return row.Scan(at(0).dest()...)
		})
	}
	size := bits.Len(uint(len(keys) - 1)) // 2^size is the next power of two
	args := make([]any, 0, 2<<size)
	for _, k := range keys {
		args = append(args, k.account, k.id)
	}
	for len(args) < cap(args) {
		args = append(args, int64(0), int64(0)) // nobody's
	}
	return postgres.RowsIn(ctx, s.db, showSome[size-1], args, func(row postgres.Scanned) error {
		var n int64
		var t shown
		if err := row.Scan(append(t.dest(), &n)...); err != nil {
			return err
		}
		*at(int(n)) = t
		return nil
	})
}

// ShowMany are the tickets with these ids that by may see, by id. It fails with
// fault.TooMany beyond MaxMany ids.
func (s *Service) ShowMany(ctx context.Context, by auth.Actor, ids []int64) ([]models.Ticket, error) {
	if len(ids) > MaxMany {
		return nil, fault.Exceeds(MaxMany)
	}
	return s.ByIDs(ctx, by, ids)
}

// ByIDs are the tickets with these ids that by may see, by id, however many.
func (s *Service) ByIDs(ctx context.Context, by auth.Actor, ids []int64) ([]models.Ticket, error) {
	where, args := Visible(by)
	return s.read(ctx, by, where+" AND t.id = ANY(?) ORDER BY t.id", append(args, models.IDs(ids))...)
}

// read reads the tickets that a condition, which names the account, chooses.
func (s *Service) read(ctx context.Context, by auth.Actor, where string, args ...any) ([]models.Ticket, error) {
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+columnsFor(by)+" FROM tickets t WHERE "+where, args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []models.Ticket{}
	scan := scanTicket(by.AccountID)
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// Config is what tickets of the account are shown with: their fields.
func (s *Service) Config(ctx context.Context, by auth.Actor) (*fields.Config, error) {
	return s.fields.Current(s.db.WithContext(ctx), by.AccountID)
}

// Metrics are the metric sets of tickets, by ticket id.
func (s *Service) Metrics(ctx context.Context, by auth.Actor, ids []int64) (map[int64]models.TicketMetric, error) {
	rows, err := s.db.WithContext(ctx).Raw("SELECT m.ticket_id, "+metricColumns+" FROM ticket_metrics m WHERE m.account_id = ? AND m.ticket_id = ANY(?)",
		by.AccountID, models.IDs(ids)).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[int64]models.TicketMetric, len(ids))
	for rows.Next() {
		m := models.TicketMetric{Tenant: models.Tenant{AccountID: by.AccountID}}
		if err := rows.Scan(append([]any{&m.TicketID}, metricDest(&m)...)...); err != nil {
			return nil, err
		}
		out[m.TicketID] = m
	}
	return out, rows.Err()
}

// MetricRecord is a metric set and when its ticket was created.
type MetricRecord struct {
	models.TicketMetric
	Ticket models.Ticket // its number and creation alone
}

// metricOfTicket looks up each ticket's metric set. Joined freely they were
// merged, from the first set up to the page: deep pages took longer and longer.
const metricOfTicket = ` CROSS JOIN LATERAL
	(SELECT * FROM ticket_metrics m WHERE m.account_id = t.account_id AND m.ticket_id = t.id LIMIT 1) m`

// ListMetrics is a page of the metric sets of the tickets that by may see, those
// of the newest tickets first.
func (s *Service) ListMetrics(ctx context.Context, by auth.Actor, r page.Request) (page.Result[MetricRecord], error) {
	q := Filter{}.query(by, metricColumns+", t.id, t.created_at")
	q.From, q.CountFrom, q.Order = "tickets t"+metricOfTicket, q.From, orders["id"].Reversed()
	q.Rejoin += metricOfTicket
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (MetricRecord, error) {
		m := MetricRecord{TicketMetric: models.TicketMetric{Tenant: models.Tenant{AccountID: by.AccountID}}}
		err := rows.Scan(append(m.dest(), order...)...)
		m.TicketID = m.Ticket.ID
		return m, err
	})
}

func (m *MetricRecord) dest() []any {
	return append(metricDest(&m.TicketMetric), &m.Ticket.ID, &m.Ticket.CreatedAt)
}

// MetricSet is a metric set by its own id, of a ticket that by may see. It fails
// with fault.NotFound.
func (s *Service) MetricSet(ctx context.Context, by auth.Actor, id int64) (MetricRecord, error) {
	where, args := Visible(by)
	m := MetricRecord{TicketMetric: models.TicketMetric{Tenant: models.Tenant{AccountID: by.AccountID}}}
	found, err := postgres.Row(s.db.WithContext(ctx), "SELECT "+metricColumns+`, t.id, t.created_at FROM ticket_metrics m
		JOIN tickets t ON t.account_id = m.account_id AND t.id = m.ticket_id WHERE m.account_id = ? AND m.id = ? AND `+where,
		append([]any{by.AccountID, id}, args...), m.dest()...)
	if err == nil && !found {
		err = fault.Missing("ticket metric", id)
	}
	m.TicketID = m.Ticket.ID
	return m, err
}
