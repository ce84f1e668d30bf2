package exports

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/tickets"
)

// table is what one file has: its columns, and its rows one after the other.
type table struct {
	name    string
	columns []Column
	count   string // a query of how many rows there are for an account behind a time and a number
	rows    func(ctx context.Context, x *reading, row func([]cell) error) error
}

// Tables are the names of what there are files of.
var Tables = []string{"tickets", "comments", "users", "organizations", "events", "ratings"}

// column is one that a record of type T has.
type column[T any] struct {
	name string
	kind Type
	of   func(r *T, set *fields.Config) cell
}

// common are the columns that each table of records begins with. One that is not
// there any more has nothing else.
var common = []Column{{"id", Integer}, {"deleted", Boolean}, {"generated_at", Timestamp}}

// record is a row of a table: a record in its place.
type record[T any] struct {
	Entry
	deleted bool
	data    *T // nil: it is not there any more
}

// tableOf is the table of a kind of record that has places. load reads records in
// the order of the entries.
func tableOf[T any](name, kind string, columns []column[T], load func(context.Context, *reading, []Entry) ([]record[T], error)) table {
	all := append([]Column{}, common...)
	for _, c := range columns {
		all = append(all, Column{c.name, c.kind})
	}
	rows := func(ctx context.Context, x *reading, row func([]cell) error) error {
		cells := make([]cell, len(all))
		return x.entries(ctx, kind, func(list []Entry) error {
			found, err := load(ctx, x, list)
			if err != nil {
				return err
			}
			for _, r := range found {
				cells[0], cells[1], cells[2] = integer(r.ID), boolean(r.deleted), timestamp(r.At)
				for i, c := range columns {
					if cells[len(common)+i] = (cell{}); r.data != nil {
						cells[len(common)+i] = c.of(r.data, x.config)
					}
				}
				if err := row(cells); err != nil {
					return err
				}
			}
			return nil
		})
	}
	const count = "SELECT count(*) FROM export_positions WHERE account_id = ? AND (generated_at, seq) > (?, ?) AND kind = "
	return table{name, all, count + "'" + kind + "'", rows}
}

// placed puts records to their entries. Those that are gone are told behind a
// cursor only, to whom may have them.
func placed[T any](x *reading, list []Entry, found []T, id func(*T) int64, deleted func(*T) bool) []record[T] {
	byID := make(map[int64]*T, len(found))
	for i := range found {
		byID[id(&found[i])] = &found[i]
	}
	out := make([]record[T], 0, len(list))
	for _, e := range list {
		switch data := byID[e.ID]; {
		case data != nil:
			out = append(out, record[T]{e, deleted(data), data})
		case x.since.Seq > 0:
			out = append(out, record[T]{Entry: e, deleted: true})
		}
	}
	return out
}

func (f *Files) tables() map[string]table {
	return map[string]table{
		"tickets": tableOf("tickets", Tickets, ticketColumns, func(ctx context.Context, x *reading, list []Entry) ([]record[models.Ticket], error) {
			found, err := f.from.Tickets.Stored(ctx, x.by, idsOf(list))
			return placed(x, list, found, func(t *models.Ticket) int64 { return t.ID }, func(t *models.Ticket) bool { return t.DeletedAt != nil }), err
		}),
		"comments": tableOf("comments", Comments, commentColumns, func(ctx context.Context, x *reading, list []Entry) ([]record[tickets.CommentRecord], error) {
			found, err := f.from.Tickets.StoredComments(ctx, x.by, idsOf(list))
			return placed(x, list, found, func(c *tickets.CommentRecord) int64 { return c.ID }, func(*tickets.CommentRecord) bool { return false }), err
		}),
		"users": tableOf("users", Users, userColumns, func(ctx context.Context, x *reading, list []Entry) ([]record[models.User], error) {
			found, err := f.from.Users.ByIDs(ctx, x.by.AccountID, idsOf(list))
			return placed(x, list, found, func(u *models.User) int64 { return u.ID }, func(u *models.User) bool { return !u.Active }), err
		}),
		"organizations": tableOf("organizations", Organizations, organizationColumns, func(ctx context.Context, x *reading, list []Entry) ([]record[models.Organization], error) {
			found, err := f.from.Organizations.Stored(ctx, x.by, idsOf(list))
			return placed(x, list, found, func(o *models.Organization) int64 { return o.ID }, func(o *models.Organization) bool { return o.DeletedAt != nil }), err
		}),
		"ratings": tableOf("ratings", Ratings, ratingColumns, func(ctx context.Context, x *reading, list []Entry) ([]record[models.SatisfactionRating], error) {
			var found []models.SatisfactionRating
			err := f.db.WithContext(ctx).Find(&found, "id = ANY(?::bigint[])", models.IDs(idsOf(list))).Error
			return placed(x, list, found, func(r *models.SatisfactionRating) int64 { return r.ID }, func(*models.SatisfactionRating) bool { return false }), err
		}),
		"events": {"events", eventColumns, "SELECT count(*) FROM events WHERE account_id = ? AND ?::timestamptz IS NOT NULL AND seq > ?", f.eventRows},
	}
}

func idsOf(list []Entry) []int64 { return Page{Entries: list}.IDs() }

// reading is one run through the tables, in a snapshot of the database.
type reading struct {
	*Files
	by         auth.Actor
	config     *fields.Config
	since, end Place
}

// entries gives the places behind a cursor, part by part.
func (x *reading) entries(ctx context.Context, kind string, part func([]Entry) error) error {
	from := x.since
	for {
		list, err := x.places.read(ctx, x.by, Which{Kind: kind}, "(p.generated_at, p.seq) > (?, ?)", []any{from.At, from.Seq}, MaxPage)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := part(list); err != nil {
			return err
		}
		from = list[len(list)-1].Place
	}
}

var eventColumns = []Column{
	{"id", Text}, {"seq", Integer}, {"time", Timestamp}, {"type", Text}, {"subject", Text}, {"subject_id", Integer}, {"actor_id", Integer},
	{"source_id", Text}, {"detail", JSON}, {"event", JSON},
}

// eventRows are the events of the log.
func (f *Files) eventRows(ctx context.Context, x *reading, row func([]cell) error) error {
	after := x.since.Seq
	for {
		list, next, more, err := f.from.Log.Read(ctx, x.by.AccountID, events.Filter{}, after, MaxPage)
		if err != nil {
			return err
		}
		for _, e := range list {
			source := cell{}
			if e.SourceID != "" {
				source = text(e.SourceID)
			}
			err := row([]cell{
				text(events.UUID(e.AccountID, e.ID)), integer(e.Seq), timestamp(e.CreatedAt), text(e.Type), text(e.Subject), integer(e.SubjectID), integer(e.ActorID),
				source, document(e.Detail), document(e.Change),
			})
			if err != nil {
				return err
			}
		}
		if after = next; !more {
			return nil
		}
	}
}

// total is how many rows tables have.
func (x *reading) total(ctx context.Context, list []table) (n int64, err error) {
	for _, t := range list {
		var rows int64
		if _, err := postgres.Row(x.db.WithContext(ctx), t.count, []any{x.by.AccountID, x.since.At, x.since.Seq}, &rows); err != nil {
			return 0, err
		}
		n += rows
	}
	return n, nil
}
