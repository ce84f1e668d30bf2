package page

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// Whole reads a page of a listing that no index has in its order: it finds all
// rows, counts them and sorts their keys, and reads of the page alone what Select
// names, by way of Rejoin. So every page costs the same, the last as the first. It
// reports false, and reads nothing, if there are more rows than most. Ways are
// not gone.
func Whole[T any](ctx context.Context, db *gorm.DB, q Query, r Request, most int, scan func(row postgres.Scanned, order ...any) (T, error)) (Result[T], bool, error) {
	var rows int
	read := func(order Order, cond string, condArgs []any, limit, offset int) ([]T, [][]any, error) {
		text, args := q.sorted(order, cond, condArgs, most+1, limit, offset)
		items, keys := make([]T, 0, limit), make([][]any, 0, limit)
		err := postgres.RowsIn(ctx, db, text, args, func(row postgres.Scanned) error {
			key, dest := keyOf(len(order.Columns))
			item, err := scan(row, append(dest, &rows)...)
			items, keys = append(items, item), append(keys, key)
			return err
		})
		if err == nil && len(items) == 0 { // and nothing told how many there are
			rows, err = count(ctx, db, q, most+1)
		}
		return items, keys, err
	}
	if r.Cursor {
		keyed := q.Order.keyed()
		out, err := besideCursor(keyed, r, func(order Order, cond string, condArgs []any, limit int) ([]T, [][]any, error) {
			return read(order, cond, condArgs, limit, 0)
		})
		return out, rows <= most, err
	}
	out := Result[T]{Request: r}
	if err := r.reachable(); err != nil {
		return out, false, err
	}
	var err error
	out.Items, _, err = read(q.Order.keyed(), "", nil, r.Size, r.offset())
	out.Count, out.HasMore = rows, r.offset()+len(out.Items) < rows
	return out, rows <= most, err
}

// sorted is the statement of limit rows behind cond, from the offset on, of at
// most so many; the last of its columns is how many these are. The order is by
// keyed. The keys are found in a plan of their own: otherwise PostgreSQL would at
// times go through all tickets in the order, in the hope that the page is full
// soon.
func (q Query) sorted(o Order, cond string, condArgs []any, most, limit, offset int) (string, []any) {
	shown := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		shown[i] = c.shown()
	}
	if cond != "" {
		cond = " WHERE " + cond
	}
	text := fmt.Sprintf("WITH found AS MATERIALIZED (SELECT %s FROM %s WHERE %s LIMIT %d) SELECT %s, %s, (SELECT count(*) FROM found) FROM (SELECT k.* FROM found k%s%s LIMIT %d OFFSET %d) AS k %s%s",
		q.Order.keys(), q.From, q.Where, most, q.Select, strings.Join(shown, ", "), cond, orderBy(o), limit, offset, q.Rejoin, orderBy(o))
	return text, slices.Concat(q.Args, q.SelectArgs, condArgs, q.RejoinArgs)
}

// keyed is the order by the names that keys gives its columns.
func (o Order) keyed() Order {
	k := Order{Name: o.Name, Columns: slices.Clone(o.Columns)}
	for i := range k.Columns {
		k.Columns[i].Expr = "k." + o.key(i)
	}
	return k
}
