package page

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// IDs are the ids of the first rows of a listing in its order, whose last column
// is the id; if there are more than most, of any so many. All rows are found
// before they are sorted, as in Whole.
func IDs(ctx context.Context, db *gorm.DB, q Query, most int) (ids []int64, err error) {
	text := fmt.Sprintf("WITH found AS MATERIALIZED (SELECT %s FROM %s WHERE %s LIMIT %d) SELECT k.id FROM found k%s",
		q.Order.keys(), q.From, q.Where, most, orderBy(q.Order.keyed()))
	err = postgres.RowsIn(ctx, db, text, q.Args, func(row postgres.Scanned) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// Picked reads a page of a listing of which the ids of all rows are known, in its
// order. It reports false if that cannot be done: rows have gone or moved since,
// or the cursor stands at none of them.
func Picked[T any](ctx context.Context, db *gorm.DB, q Query, r Request, ids []int64, scan func(row postgres.Scanned, order ...any) (T, error)) (Result[T], bool, error) {
	if !r.Cursor {
		return pickedByNumber(ctx, db, q, r, ids, scan)
	}
	out := Result[T]{Request: r}
	name, text := "after", r.After
	if r.Before != "" {
		name, text = "before", r.Before
	}
	from, to, anchor := 0, r.Size, -1
	if text != "" {
		values, err := decode(name, text, q.Order.Name, len(q.Order.Columns))
		if err != nil {
			return out, false, err
		}
		id, _ := values[len(values)-1].(int64)
		if anchor = slices.Index(ids, id); anchor < 0 {
			return out, false, nil
		}
		if from, to = anchor+1, anchor+1+r.Size; r.Before != "" {
			from, to = anchor-r.Size, anchor
		}
	}
	from, to = max(from, 0), min(to, len(ids))
	wanted := ids[from:to]
	if anchor >= 0 { // to see whether it is where it was when the cursor was made
		wanted = append([]int64{ids[anchor]}, wanted...)
	}
	items, keys, err := pick(ctx, db, q, wanted, scan)
	if err != nil || len(items) != len(wanted) {
		return out, false, err
	}
	if anchor >= 0 {
		i := 0
		if r.Before != "" {
			i = len(items) - 1
		}
		if encode(q.Order.Name, keys[i]) != text {
			return out, false, nil
		}
		items, keys = slices.Delete(items, i, i+1), slices.Delete(keys, i, i+1)
	}
	if out.Items = items; len(items) == 0 {
		return out, true, nil
	}
	// The row that a cursor stands at lies behind the page in front of it.
	out.HasMore = to < len(ids) || r.Before != ""
	out.Before, out.After = encode(q.Order.Name, keys[0]), encode(q.Order.Name, keys[len(keys)-1])
	return out, true, nil
}

func pickedByNumber[T any](ctx context.Context, db *gorm.DB, q Query, r Request, ids []int64, scan func(row postgres.Scanned, order ...any) (T, error)) (Result[T], bool, error) {
	out := Result[T]{Request: r, Items: []T{}, Count: len(ids)}
	if err := r.reachable(); err != nil {
		return out, false, err
	}
	from, to := min(r.offset(), len(ids)), min(r.offset()+r.Size, len(ids))
	items, _, err := pick(ctx, db, q, ids[from:to], scan)
	out.Items, out.HasMore = items, to < len(ids)
	return out, len(items) == to-from, err
}

// pick reads the rows with these ids, in the order of the listing, and their keys.
func pick[T any](ctx context.Context, db *gorm.DB, q Query, ids []int64, scan func(row postgres.Scanned, order ...any) (T, error)) ([]T, [][]any, error) {
	items, keys := make([]T, 0, len(ids)), make([][]any, 0, len(ids))
	if len(ids) == 0 {
		return items, keys, nil
	}
	id := q.Order.Columns[len(q.Order.Columns)-1].Expr
	text := q.text(id+" = ANY(?::bigint[])", orderBy(q.Order))
	err := postgres.RowsIn(ctx, db, text, append(q.args(), ids), func(row postgres.Scanned) error {
		key, dest := keyOf(len(q.Order.Columns))
		item, err := scan(row, dest...)
		items, keys = append(items, item), append(keys, key)
		return err
	})
	return items, keys, err
}
