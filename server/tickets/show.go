package tickets

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
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
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.Ticket, *fields.Config, error) {
	where, args := Visible(by)
	return s.show(ctx, by, id, columnsFor(by), where, args)
}

func (s *Service) show(ctx context.Context, by auth.Actor, id int64, columns, where string, args []any) (models.Ticket, *fields.Config, error) {
	t := models.Ticket{AccountID: by.AccountID}
	var version int64
	db := s.db.WithContext(ctx)
	found, err := postgres.Row(db, "SELECT "+versioned(columns)+" FROM tickets t WHERE t.id = ? AND "+where,
		append([]any{by.AccountID, id}, args...), append(dest(&t), &version)...)
	if err != nil {
		return t, nil, err
	}
	if !found {
		return t, nil, fault.Missing("ticket", id)
	}
	config, err := s.fields.Config(db, by.AccountID, version)
	return t, config, err
}

// ShowMany are the tickets with these ids that by may see, by id. It fails with
// fault.TooMany beyond MaxMany ids.
func (s *Service) ShowMany(ctx context.Context, by auth.Actor, ids []int64) ([]models.Ticket, error) {
	if len(ids) > MaxMany {
		return nil, fault.Exceeds(MaxMany)
	}
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

// Filter chooses the tickets of a listing. The zero value is all of them.
type Filter struct {
	ExternalID   string
	Organization int64
	Requester    int64
	Assignee     int64
	CCd          int64
	Follower     int64
	Problem      int64
	Problems     bool     // tickets of type problem only
	Statuses     []string // nil: whatever the status
	Requests     bool     // as requests: what is public

	own   bool     // only what the caller sees as an end user
	words []string // all of which must be in what end users read
}

func (f Filter) where(by auth.Actor) (string, []any) {
	where, args := Visible(by)
	switch {
	case f.own:
		where, args = ownRequests(by)
	case f.Requests:
		where, args = visibleRequest(by)
	}
	for _, c := range []struct {
		cond  string
		value any
		on    bool
	}{
		{"t.external_id = ?", f.ExternalID, f.ExternalID != ""},
		{"t.organization_id = ?", f.Organization, f.Organization != 0},
		{"t.requester_id = ?", f.Requester, f.Requester != 0},
		{"t.assignee_id = ?", f.Assignee, f.Assignee != 0},
		// The second condition lets the partial index serve.
		{"t.email_cc_ids @> ARRAY[?::bigint] AND t.email_cc_ids <> '{}'", f.CCd, f.CCd != 0},
		{"t.follower_ids @> ARRAY[?::bigint] AND t.follower_ids <> '{}'", f.Follower, f.Follower != 0},
		{"t.problem_id = ?", f.Problem, f.Problem != 0},
		{"t.status = ANY(?)", models.Strings(f.Statuses), f.Statuses != nil},
	} {
		if c.on {
			where, args = where+" AND "+c.cond, append(args, c.value)
		}
	}
	if f.Problems {
		where += " AND t.type = 'problem'" // no argument, so that the partial index serves
	}
	for _, word := range f.words {
		cond, more := withWord(word)
		where, args = where+" AND "+cond, append(args, more...)
	}
	return where, args
}

var (
	byID = page.Column{Expr: "t.id", Kind: page.Int}
	// orders of both ways of paging.
	orders = map[string]page.Order{
		"id":         page.By("nice_id", byID),
		"updated_at": page.By("updated_at,id", page.Column{Expr: "t.updated_at", Kind: page.Time}, byID),
		"created_at": page.By("created_at,id", page.Column{Expr: "t.created_at", Kind: page.Time}, byID),
		"status":     page.By("status,id", page.Column{Expr: "t.status", Kind: page.Text}, byID),
	}
	// offsetOrders may have nulls, which a cursor could not stand at.
	offsetOrders = map[string]page.Order{
		"subject":   page.By("subject,id", page.Column{Expr: "left(t.subject, 150)"}, byID),
		"requester": page.By("requester,id", page.Column{Expr: "t.requester_id"}, byID),
		"assignee":  page.By("assignee,id", page.Column{Expr: "t.assignee_id"}, byID),
		"group":     page.By("group,id", page.Column{Expr: "t.group_id"}, byID),
	}
	// joinedOrders are by a property of another record, at the end of its join.
	joinedOrders = map[string]struct{ expr, join string }{
		"requester.name": {"u.name", "JOIN users u ON u.account_id = t.account_id AND u.id = t.requester_id"},
		"assignee.name":  {"u.name", "LEFT JOIN users u ON u.account_id = t.account_id AND u.id = t.assignee_id"},
		"locale":         {"u.locale", "JOIN users u ON u.account_id = t.account_id AND u.id = t.requester_id"},
	}
)

// Listed is a page of tickets.
type Listed struct {
	page.Result[models.Ticket]
	Config *fields.Config // the account's set-up that they are shown with; nil if there are none
}

// List is a page of tickets that by may see, by number unless the request sorts
// otherwise. An unknown sort is the default one.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, r page.Request) (Listed, error) {
	where, args := f.where(by)
	columns := columnsFor(by)
	if f.Requests {
		columns = publicColumns
	}
	q := page.Query{
		Select: versioned(columns), SelectArgs: []any{by.AccountID}, From: "tickets t", Where: where, Args: args, Order: orders["id"],
	}
	if o, ok := orders[r.Sort]; ok {
		q.Order = o
	}
	if o, ok := offsetOrders[r.Sort]; ok && !r.Cursor && !f.Requests {
		q.Order = o
	}
	if j, ok := joinedOrders[r.Sort]; ok && !r.Cursor && !f.Requests {
		q.From, q.CountFrom = "tickets t "+j.join, "tickets t"
		q.Order = page.By(r.Sort, page.Column{Expr: j.expr}, byID)
	}
	if r.Desc {
		q.Order = q.Order.Reversed()
	}
	var version int64
	list, err := page.ListRows(ctx, s.db, q, r, func(rows pgx.Rows, order ...any) (models.Ticket, error) {
		t := models.Ticket{AccountID: by.AccountID}
		return t, rows.Scan(append(append(dest(&t), &version), order...)...)
	})
	if err != nil || version == 0 {
		return Listed{Result: list}, err
	}
	config, err := s.fields.Config(s.db.WithContext(ctx), by.AccountID, version)
	return Listed{list, config}, err
}

// Count is the number of tickets that by may see, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor, f Filter) (int, time.Time, error) {
	where, args := f.where(by)
	return page.Count(ctx, s.db, "tickets t", where, args)
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

// metricsOfTickets looks up each ticket's metric set. Joined freely they were
// merged, from the first set up to the page: deep pages took longer and longer.
const metricsOfTickets = `tickets t CROSS JOIN LATERAL
	(SELECT * FROM ticket_metrics m WHERE m.account_id = t.account_id AND m.ticket_id = t.id LIMIT 1) m`

// ListMetrics is a page of the metric sets of the tickets that by may see, those
// of the newest tickets first.
func (s *Service) ListMetrics(ctx context.Context, by auth.Actor, r page.Request) (page.Result[MetricRecord], error) {
	where, args := Visible(by)
	return page.List(ctx, s.db, page.Query{
		Select: metricColumns + ", t.id, t.created_at", From: metricsOfTickets,
		Where: where, Args: args, Order: orders["id"].Reversed(), CountFrom: "tickets t",
	}, r, func(rows *sql.Rows, order ...any) (MetricRecord, error) {
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
