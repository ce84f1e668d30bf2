package tickets

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Selection is a listing of tickets by conditions and in an order that others
// make: a view's.
type Selection struct {
	Where    string // SQL on tickets t that is never null
	Args     []any
	Measured bool // Where or Order ask about their ticket_metrics m, too
	Joins    string
	Order    page.Order // on t, m and what Joins adds to each ticket; the last column is t.id
}

const metricOf = " JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id"

// query is the selection as by sees it, which what he may not see is not part of.
func (s Selection) query(by auth.Actor, columns string) page.Query {
	q := Filter{whole: true}.query(by, versioned(columns))
	q.SelectArgs, q.Order = []any{by.AccountID}, s.Order
	q.Where, q.Args = q.Where+" AND "+s.Where, slices.Concat(q.Args, s.Args)
	if s.Measured {
		q.From += metricOf
	}
	q.CountFrom = q.From
	q.From += s.Joins
	return q
}

// Select is a page of the tickets of a selection that by may see.
func (s *Service) Select(ctx context.Context, by auth.Actor, selection Selection, r page.Request) (Listed, error) {
	ctx = postgres.Planned(ctx) // conditions are of many kinds
	var version int64
	scan := func(row postgres.Scanned, order ...any) (models.Ticket, error) {
		t := models.Ticket{AccountID: by.AccountID}
		return t, row.Scan(append(append(dest(&t), &version), order...)...)
	}
	list, err := s.pageOf(ctx, by, selection, r, scan)
	if err != nil || version == 0 {
		return Listed{Result: list}, err
	}
	config, err := s.fields.Config(s.db.WithContext(ctx), by.AccountID, version)
	return Listed{list, config}, err
}

// pageOf is the page, in one of three ways: of the tickets that are known to be the
// selection's; of all, sorted; or, where they are too many for that, one by one
// in the order.
func (s *Service) pageOf(ctx context.Context, by auth.Actor, selection Selection, r page.Request,
	scan func(row postgres.Scanned, order ...any) (models.Ticket, error)) (page.Result[models.Ticket], error) {
	q := selection.query(by, columnsFor(by))
	few := true
	if selection.lasting() {
		var ids []int64
		var err error
		if ids, few, err = s.listed(ctx, by, selection, q); err != nil {
			return page.Result[models.Ticket]{}, err
		}
		if few {
			list, all, err := page.Picked(ctx, s.db, q, r, ids, scan)
			if err != nil || all {
				return list, err
			}
		}
	}
	if few {
		list, whole, err := page.Whole(ctx, s.db, q, r, s.wholeTo, scan)
		if err != nil || whole {
			return list, err
		}
	}
	// To sort so many rows whole costs several times as much as to sort their keys.
	q.KeysFirst = true
	return page.ListRows(ctx, s.db, q, r, scan)
}

func orderText(o page.Order) string {
	order := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		order[i] = c.Expr
		if c.Desc {
			order[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(order, ", ")
}

// SelectAll are the numbers of all tickets of a selection that by may see, in its
// order.
func (s *Service) SelectAll(ctx context.Context, by auth.Actor, selection Selection) (ids []int64, err error) {
	return page.IDs(postgres.Planned(ctx), s.db, selection.query(by, ""), math.MaxInt32)
}

// CountSelected is the number of tickets of a selection that by may see.
func (s *Service) CountSelected(ctx context.Context, by auth.Actor, selection Selection) (n int, err error) {
	q := selection.query(by, "")
	_, err = postgres.RowIn(postgres.Planned(ctx), s.db, "SELECT count(*) FROM "+q.CountFrom+" WHERE "+q.Where, q.Args, &n)
	return n, err
}

// Key is the same for all to whom the selection has the same tickets.
func (s Selection) Key(by auth.Actor) string {
	q := s.query(by, "")
	return page.Key(q.CountFrom+" WHERE "+q.Where, q.Args)
}

// UpdatedByEndUser is SQL that asks of tickets t whether an end user made the
// latest change.
const UpdatedByEndUser = `coalesce((SELECT u.role = '` + models.RoleEndUser + `' FROM audits a LEFT JOIN users u ON u.account_id = a.account_id AND u.id = a.author_id
	WHERE a.account_id = t.account_id AND a.ticket_id = t.id ORDER BY a.created_at DESC, a.id DESC LIMIT 1), false)`

// Latest is what happened last in a ticket.
type Latest struct {
	Comment   *models.Comment // that the reader may see; its text, author, time and whether it is public
	ByEndUser bool            // the latest change was made by one
}

// LatestOf is what happened last in each of the tickets, which by may see.
func (s *Service) LatestOf(ctx context.Context, by auth.Actor, ids []int64) (map[int64]Latest, error) {
	public := ""
	if PublicOnly(by) {
		public = " AND c.public"
	}
	out := make(map[int64]Latest, len(ids))
	err := postgres.RowsIn(ctx, s.db, `SELECT t.id, `+UpdatedByEndUser+`, c.id, c.author_id, c.public, c.body, c.created_at
		FROM unnest(?::bigint[]) AS wanted(id) JOIN tickets t ON t.account_id = ? AND t.id = wanted.id
		LEFT JOIN LATERAL (SELECT * FROM comments c WHERE c.account_id = t.account_id AND c.ticket_id = t.id`+public+`
			ORDER BY c.created_at DESC, c.id DESC LIMIT 1) c ON true`, []any{models.IDs(ids), by.AccountID}, func(row postgres.Scanned) error {
		var ticket int64
		var l Latest
		var id, author *int64
		var isPublic *bool
		var body *string
		var at *time.Time
		if err := row.Scan(&ticket, &l.ByEndUser, &id, &author, &isPublic, &body, &at); err != nil {
			return err
		}
		if id != nil {
			l.Comment = &models.Comment{AccountID: by.AccountID, ID: *id, TicketID: ticket, AuthorID: *author, Public: *isPublic, Body: *body, CreatedAt: *at}
		}
		out[ticket] = l
		return nil
	})
	return out, err
}

// LastAnswer is the text of the newest public comment by an agent in a ticket,
// which by may see; empty if there is none.
func (s *Service) LastAnswer(ctx context.Context, by auth.Actor, ticket int64) (text string, err error) {
	where, args := publicComments(by, ticket)
	_, err = postgres.RowIn(ctx, s.db, `SELECT c.body FROM comments c JOIN users u ON u.account_id = c.account_id AND u.id = c.author_id
		WHERE `+where+" AND u.role IN (?, ?) ORDER BY c.created_at DESC, c.id DESC LIMIT 1", append(args, models.RoleAgent, models.RoleAdmin), &text)
	return text, err
}
