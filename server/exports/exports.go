// Package exports reads records in the order of their last changes, so that
// whoever follows misses nothing: a record that changes moves behind all others,
// and comes again.
package exports

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// MaxPage is how many records a page has.
const MaxPage = 1_000

// Kinds of records that have places in the order.
const (
	Tickets       = "ticket"
	Comments      = "comment"
	Audits        = "audit"
	Users         = "user"
	Organizations = "organization"
	Ratings       = "rating"
	MetricEvents  = "metric_event" // of one save of a ticket
	Articles      = "article"
)

// there are the conditions, on a place as p, that its record has not been deleted.
var there = map[string]string{
	Tickets:       " AND EXISTS (SELECT FROM tickets r WHERE r.account_id = p.account_id AND r.id = p.record_id AND r.deleted_at IS NULL)",
	Comments:      " AND EXISTS (SELECT FROM comments r WHERE r.account_id = p.account_id AND r.id = p.record_id)",
	Audits:        " AND EXISTS (SELECT FROM audits r WHERE r.account_id = p.account_id AND r.id = p.record_id)",
	Users:         " AND EXISTS (SELECT FROM users r WHERE r.account_id = p.account_id AND r.id = p.record_id AND r.active)",
	Organizations: " AND EXISTS (SELECT FROM organizations r WHERE r.account_id = p.account_id AND r.id = p.record_id AND r.deleted_at IS NULL)",
	MetricEvents:  " AND EXISTS (SELECT FROM ticket_metric_events r WHERE r.account_id = p.account_id AND r.id = p.record_id)",
	Articles:      " AND EXISTS (SELECT FROM articles r WHERE r.account_id = p.account_id AND r.id = p.record_id AND r.archived_at IS NULL)",
	Ratings:       " AND EXISTS (SELECT FROM satisfaction_ratings r WHERE r.account_id = p.account_id AND r.id = p.record_id)",
}

// Service reads the places of records.
type Service struct {
	db  *gorm.DB
	log *events.Log
}

// New makes the service.
func New(db *gorm.DB, log *events.Log) *Service { return &Service{db: db, log: log} }

// Place is one in the order: numbers grow, and times do not go back. The zero
// value is before all.
type Place struct {
	At  time.Time // of the last change of the record, as it was committed
	Seq int64
}

// Entry is a record in its place.
type Entry struct {
	ID int64
	Place
}

// Which are the records that are asked for.
type Which struct {
	Kind    string
	Present bool // leaves out what has been deleted
}

// Page is a part of the order.
type Page struct {
	Entries []Entry
	More    bool
	After   Place // of After: where the next page goes on
	// End is, of Since, the second with which the next page begins, in seconds
	// since 1970; nil of a page that is empty.
	End *int64
}

// IDs are those of the page's records.
func (p Page) IDs() []int64 {
	ids := make([]int64, len(p.Entries))
	for i, e := range p.Entries {
		ids[i] = e.ID
	}
	return ids
}

// Upto is a page of Since that ends with the second of its n-th record; what is
// left out comes with the next one.
func (p Page) Upto(n int) Page {
	if n >= len(p.Entries) {
		return p
	}
	over := p.Entries[n-1].At.Truncate(time.Second).Add(time.Second)
	for n < len(p.Entries) && p.Entries[n].At.Before(over) {
		n++
	}
	if n < len(p.Entries) {
		p.Entries, p.More, p.End = p.Entries[:n], true, new(over.Unix())
	}
	return p
}

// After is the next size records behind a place. What has been committed when it
// begins is among them, or behind them. It fails with fault.Forbidden unless by is
// an admin.
func (s *Service) After(ctx context.Context, by auth.Actor, which Which, from Place, size int) (Page, error) {
	if !by.Admin() {
		return Page{}, fault.Denied()
	}
	if err := s.log.Settle(ctx); err != nil {
		return Page{}, err
	}
	list, err := s.read(ctx, by, which, "(p.generated_at, p.seq) > (?, ?)", []any{from.At, from.Seq}, size+1)
	out := Page{Entries: list, After: from, More: len(list) > size}
	if out.More {
		out.Entries = list[:size]
	}
	if n := len(out.Entries); n > 0 {
		out.After = out.Entries[n-1].Place
	}
	return out, err
}

// Since is the records that changed in the second since or later: at least size,
// if there are so many, and all that changed in the same second as the last, which
// events.PlacedPerSecond bounds. It fails as After does.
func (s *Service) Since(ctx context.Context, by auth.Actor, which Which, since time.Time, size int) (Page, error) {
	now, err := s.begin(ctx, by, which.Kind)
	if err != nil {
		return Page{}, err
	}
	const from = "p.generated_at >= ?"
	list, err := s.read(ctx, by, which, from, []any{since}, size+1)
	if err != nil || len(list) == 0 {
		return Page{Entries: list}, err
	}
	out := Page{Entries: list}
	last := list[min(size, len(list))-1].At.Truncate(time.Second)
	over := last.Add(time.Second)
	if len(list) > size {
		if out.Entries, out.More, err = s.secondOf(ctx, by, which, list, size, over); err != nil {
			return out, err
		}
	}
	// What else happens in a second that is not over would be missed behind it.
	if out.End = new(over.Unix()); !last.Before(now.Truncate(time.Second)) {
		out.End = new(last.Unix())
	}
	return out, nil
}

// secondOf is a page that ends where a second is over; list is its beginning, and
// what is behind.
func (s *Service) secondOf(ctx context.Context, by auth.Actor, which Which, list []Entry, size int, over time.Time) (page []Entry, more bool, err error) {
	end := size
	for end < len(list) && list[end].At.Before(over) {
		end++
	}
	if end < len(list) {
		return list[:end], true, nil
	}
	last := list[len(list)-1]
	rest, err := s.read(ctx, by, which, "(p.generated_at, p.seq) > (?, ?) AND p.generated_at < ?", []any{last.At, last.Seq, over}, 0)
	if err != nil {
		return nil, false, err
	}
	behind, err := s.read(ctx, by, which, "p.generated_at >= ?", []any{over}, 1)
	return append(list, rest...), len(behind) > 0, err
}

// Sample is the first size records that changed in the second since or later.
func (s *Service) Sample(ctx context.Context, by auth.Actor, which Which, since time.Time, size int) (Page, error) {
	p, err := s.Since(ctx, by, which, since, size)
	if len(p.Entries) > size {
		p.Entries, p.More = p.Entries[:size], true
		p.End = new(p.Entries[size-1].At.Unix())
	}
	return p, err
}

// begin numbers what has been committed, so that it is read. What is numbered
// later has the time that it returns, or a later one.
func (s *Service) begin(ctx context.Context, by auth.Actor, kind string) (time.Time, error) {
	if !by.Admin() && !(kind == Articles && by.Staff()) { // who reads articles sees those that he may
		return time.Time{}, fault.Denied()
	}
	return s.log.Number(ctx)
}

// read reads places by a condition on p, in their order; a limit of 0 is none.
func (s *Service) read(ctx context.Context, by auth.Actor, which Which, where string, args []any, limit int) (list []Entry, err error) {
	query := "SELECT p.record_id, p.generated_at, p.seq FROM export_positions p WHERE p.account_id = ? AND p.kind = ? AND " + where
	if which.Present {
		query += there[which.Kind]
	}
	query += " ORDER BY p.generated_at, p.seq"
	args = append([]any{by.AccountID, which.Kind}, args...)
	if limit > 0 {
		query, args = query+" LIMIT ?", append(args, limit)
	}
	list = make([]Entry, 0, limit)
	err = postgres.Rows(s.db.WithContext(ctx), query, args, func(row postgres.Scanned) error {
		var e Entry
		err := row.Scan(&e.ID, &e.At, &e.Seq)
		list = append(list, e)
		return err
	})
	return list, err
}
