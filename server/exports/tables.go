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

// tableOf is the table of a kind of record that has places. each calls f with
// the records of ids that are there, in the order of ids; it may use a record's
// memory again for the next.
func tableOf[T any](name, kind string, columns []column[T], id func(*T) int64, deleted func(*T) bool,
	each func(ctx context.Context, x *reading, ids []int64, f func(*T) error) error,
) table {
	all := append([]Column{}, common...)
	for _, c := range columns {
		all = append(all, Column{c.name, c.kind})
	}
	rows := func(ctx context.Context, x *reading, row func([]cell) error) error {
		cells := make([]cell, len(all))
		gone := func(e Entry) error {
			// Told behind a cursor only, to whom may have it.
			if x.since.Seq == 0 {
				return nil
			}
			clear(cells)
			cells[0], cells[1], cells[2] = integer(e.ID), boolean(true), timestamp(e.At)
			return row(cells)
		}
		return x.entries(ctx, kind, func(list []Entry) error {
			err := each(ctx, x, idsOf(list), func(r *T) error {
				for ; list[0].ID != id(r); list = list[1:] {
					if err := gone(list[0]); err != nil {
						return err
					}
				}
				cells[0], cells[1], cells[2] = integer(list[0].ID), boolean(deleted(r)), timestamp(list[0].At)
				for i, c := range columns {
					cells[len(common)+i] = c.of(r, x.config)
				}
				list = list[1:]
				return row(cells)
			})
			for ; err == nil && len(list) > 0; list = list[1:] {
				err = gone(list[0])
			}
			return err
		})
	}
	const count = "SELECT count(*) FROM export_positions WHERE account_id = ? AND (generated_at, seq) > (?, ?) AND kind = "
	return table{name, all, count + "'" + kind + "'", rows}
}

// inOrder calls f with records in the order of their ids.
func inOrder[T any](ids []int64, found []T, id func(*T) int64, f func(*T) error) error {
	byID := make(map[int64]*T, len(found))
	for i := range found {
		byID[id(&found[i])] = &found[i]
	}
	for _, n := range ids {
		if r := byID[n]; r != nil {
			if err := f(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// loaded is each of tableOf for records that are read at once, in any order.
func loaded[T any](id func(*T) int64, load func(ctx context.Context, x *reading, ids []int64) ([]T, error)) func(context.Context, *reading, []int64, func(*T) error) error {
	return func(ctx context.Context, x *reading, ids []int64, f func(*T) error) error {
		found, err := load(ctx, x, ids)
		if err != nil {
			return err
		}
		return inOrder(ids, found, id, f)
	}
}

func never[T any](*T) bool { return false }

func (f *Files) tables() map[string]table {
	ticket := func(t *models.Ticket) int64 { return t.ID }
	comment := func(c *tickets.CommentRecord) int64 { return c.ID }
	user := func(u *models.User) int64 { return u.ID }
	organization := func(o *models.Organization) int64 { return o.ID }
	rating := func(r *models.SatisfactionRating) int64 { return r.ID }
	return map[string]table{
		"tickets": tableOf("tickets", Tickets, ticketColumns, ticket, func(t *models.Ticket) bool { return t.DeletedAt != nil },
			func(ctx context.Context, x *reading, ids []int64, one func(*models.Ticket) error) error {
				return f.from.Tickets.EachStored(ctx, x.by, ids, one)
			}),
		"comments": tableOf("comments", Comments, commentColumns, comment, never, loaded(comment, func(ctx context.Context, x *reading, ids []int64) ([]tickets.CommentRecord, error) {
			return f.from.Tickets.StoredComments(ctx, x.by, ids)
		})),
		"users": tableOf("users", Users, userColumns, user, func(u *models.User) bool { return !u.Active }, loaded(user, func(ctx context.Context, x *reading, ids []int64) ([]models.User, error) {
			return f.from.Users.ByIDs(ctx, x.by.AccountID, ids)
		})),
		"organizations": tableOf("organizations", Organizations, organizationColumns, organization, func(o *models.Organization) bool { return o.DeletedAt != nil },
			loaded(organization, func(ctx context.Context, x *reading, ids []int64) ([]models.Organization, error) {
				return f.from.Organizations.Stored(ctx, x.by, ids)
			})),
		"ratings": tableOf("ratings", Ratings, ratingColumns, rating, never, loaded(rating, func(ctx context.Context, _ *reading, ids []int64) (found []models.SatisfactionRating, err error) {
			return found, f.db.WithContext(ctx).Find(&found, "id = ANY(?::bigint[])", models.IDs(ids)).Error
		})),
		"events": {"events", eventColumns, "SELECT coalesce(sum(size), 0) FROM event_numbers WHERE account_id = ? AND ?::timestamptz IS NOT NULL AND seq > ?", f.eventRows},
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
