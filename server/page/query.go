package page

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// Kind is the type of an order's column, which a cursor's value must have.
type Kind string

// Types of columns that listings are ordered by.
const (
	Int  Kind = "bigint"
	Text Kind = "text"
	Time Kind = "timestamptz"
	Date Kind = "date"
	// Number is of any size: cursors hold it as text.
	Number Kind = "numeric"
)

// Column is one column of an order.
type Column struct {
	Expr string // SQL; must not be null
	Kind Kind
	Desc bool
}

// Order is a total order of a listing: its last column is unique. All columns
// run in one direction unless an index says otherwise; then Where is written
// out column by column.
type Order struct {
	Name    string // names the order in cursors: "nice_id"
	Columns []Column
}

// By makes an order of ascending columns.
func By(name string, columns ...Column) Order { return Order{Name: name, Columns: columns} }

// Reversed is the same order from its end.
func (o Order) Reversed() Order {
	r := Order{Name: "-" + o.Name, Columns: make([]Column, len(o.Columns))}
	for i, c := range o.Columns {
		c.Desc = !c.Desc
		r.Columns[i] = c
	}
	return r
}

// Directed is the order, or with desc the same one from its end.
func (o Order) Directed(desc bool) Order {
	if desc {
		return o.Reversed()
	}
	return o
}

// Query is a listing in SQL. Where names the account; Args belong to it in the
// order of its question marks.
type Query struct {
	Select     string // columns, after which the order's columns are read
	SelectArgs []any  // of question marks in Select
	From       string // tables, with joins
	Where      string
	Args       []any
	Order      Order
	// CountFrom, when set, is where the rows are counted instead of From, if
	// joins do not change their number.
	CountFrom string
	// Ways, when set, are conditions of which one must hold beside Where. Their
	// rows are found in CountFrom, or else in From, and then Rejoin leads from
	// k.id, the last column of the order, to what Select names:
	// "JOIN tickets t ON t.account_id = ? AND t.id = k.id". Without ways it spares
	// pages by number from making out of Select what they skip.
	Ways       []Way
	Rejoin     string
	RejoinArgs []any
	// KeysFirst has each page found by Rejoin, also without ways and from the first
	// row on, for rows that are wide or cost much to make.
	KeysFirst bool
	// Large, when set, is how a listing by number is read that has more rows than
	// its pages reach.
	Large *Query
}

// List reads the page that r asks for. scan reads the columns of Select and the
// given destinations behind them from one row.
func List[T any](ctx context.Context, db *gorm.DB, q Query, r Request, scan func(rows *sql.Rows, order ...any) (T, error)) (Result[T], error) {
	return list(ctx, db, q, r, func(text string, args []any, columns, size int) ([]T, [][]any, error) {
		return read(ctx, db, text, args, columns, size, scan)
	})
}

// ListRows is List for what is listed most: it reads with postgres.Rows.
func ListRows[T any](ctx context.Context, db *gorm.DB, q Query, r Request, scan func(row postgres.Scanned, order ...any) (T, error)) (Result[T], error) {
	return list(ctx, db, q, r, func(text string, args []any, columns, size int) ([]T, [][]any, error) {
		items, keys := make([]T, 0, size), make([][]any, 0, size)
		err := postgres.Rows(db.WithContext(ctx), text, args, func(row postgres.Scanned) error {
			key, dest := keyOf(columns)
			item, err := scan(row, dest...)
			items, keys = append(items, item), append(keys, key)
			return err
		})
		return items, keys, err
	})
}

// reader reads the rows of a statement, size at most, and of each the values of
// the order's columns.
type reader[T any] func(text string, args []any, columns, size int) ([]T, [][]any, error)

func list[T any](ctx context.Context, db *gorm.DB, q Query, r Request, read reader[T]) (Result[T], error) {
	if r.Cursor {
		return byCursor(q, r, read)
	}
	return byOffset(ctx, db, q, r, read)
}

func byOffset[T any](ctx context.Context, db *gorm.DB, q Query, r Request, read reader[T]) (Result[T], error) {
	out := Result[T]{Request: r}
	offset := r.offset()
	if err := r.reachable(); err != nil {
		return out, err
	}
	count, _, err := CountOf(ctx, db, q)
	if err != nil {
		return out, err
	}
	out.Count = count
	if offset >= count {
		out.Items = []T{}
		return out, nil
	}
	if q.Large != nil && count > MaxOffset {
		q = *q.Large
	}
	sqlText, args := q.text("", orderBy(q.Order))+fmt.Sprintf(" LIMIT %d OFFSET %d", r.Size, offset), q.args()
	switch {
	case len(q.Ways) > 0:
		sqlText, args = q.byWays(q.Order, "", nil, r.Size, offset)
	case q.Rejoin != "" && (offset > 0 || q.KeysFirst):
		sqlText, args = q.byKeys(q.Order, "", nil, r.Size, offset)
	}
	out.Items, _, err = read(sqlText, args, len(q.Order.Columns), r.Size)
	out.HasMore = offset+len(out.Items) < count
	return out, err
}

func byCursor[T any](q Query, r Request, read reader[T]) (Result[T], error) {
	return besideCursor(q.Order, r, func(order Order, cond string, condArgs []any, limit int) ([]T, [][]any, error) {
		sqlText, args := q.text(cond, orderBy(order))+fmt.Sprintf(" LIMIT %d", limit), append(q.args(), condArgs...)
		switch {
		case len(q.Ways) > 0:
			sqlText, args = q.byWays(order, cond, condArgs, limit, 0)
		case q.KeysFirst:
			sqlText, args = q.byKeys(order, cond, condArgs, limit, 0)
		}
		return read(sqlText, args, len(order.Columns), limit)
	})
}

// besideCursor is the page behind or in front of the cursor of r. read reads up
// to limit rows that cond holds for, in an order, and their values of its columns.
func besideCursor[T any](o Order, r Request, read func(order Order, cond string, condArgs []any, limit int) ([]T, [][]any, error)) (Result[T], error) {
	out := Result[T]{Request: r}
	order, name, text := o, "after", r.After
	if r.Before != "" {
		order, name, text = o.Reversed(), "before", r.Before
	}
	cond, condArgs := "", []any(nil)
	fromEnd := r.Before == End
	if text != "" && !fromEnd {
		values, err := decode(name, text, o.Name, len(order.Columns))
		if err != nil {
			return out, err
		}
		cond, condArgs, err = behind(name, order, values)
		if err != nil {
			return out, err
		}
	}
	items, keys, err := read(order, cond, condArgs, r.Size+1)
	if badValue(err) {
		return out, BadCursor("page[" + name + "]")
	}
	if err != nil {
		return out, err
	}
	more := len(items) > r.Size
	if more {
		items, keys = items[:r.Size], keys[:r.Size]
	}
	out.HasPrevious = r.After != ""
	if r.Before != "" {
		out.HasPrevious = more
		reverse(items)
		reverse(keys)
		more = !fromEnd // the row that the cursor stands at lies behind this page
	}
	out.Items, out.HasMore = items, more && len(items) > 0
	if len(items) > 0 {
		out.Before = encode(o.Name, keys[0])
		out.After = encode(o.Name, keys[len(keys)-1])
	}
	return out, nil
}

// args are those of the whole statement, in a slice of their own.
func (q Query) args() []any { return slices.Concat(q.SelectArgs, q.Args) }

func (q Query) text(cond, order string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(q.Select)
	for _, c := range q.Order.Columns {
		b.WriteString(", ")
		b.WriteString(c.shown())
	}
	b.WriteString(" FROM " + q.From + " WHERE " + q.Where)
	if cond != "" {
		b.WriteString(" AND " + cond)
	}
	b.WriteString(order)
	return b.String()
}

func orderBy(o Order) string {
	var b strings.Builder
	for i, c := range o.Columns {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(c.Expr)
		if c.Desc {
			b.WriteString(" DESC")
		}
	}
	return b.String()
}

// behind is the condition of the rows behind the values in the order. With one
// direction it is a row comparison, which an index answers at any depth (the
// equal "a > x OR a = x AND id > y" took 600 times as long). With mixed ones it
// is bounded by the first column, which an index still starts at.
func behind(name string, o Order, values []any) (string, []any, error) {
	args := make([]any, len(values))
	for i, c := range o.Columns {
		ok := false
		switch c.Kind {
		case Int:
			_, ok = values[i].(int64)
		case Text, Time, Date, Number:
			_, ok = values[i].(string)
		}
		if !ok {
			return "", nil, BadCursor("page[" + name + "]")
		}
		args[i] = values[i]
		if c.Kind == Time || c.Kind == Date {
			t, err := time.Parse(time.RFC3339Nano, values[i].(string))
			if err != nil {
				return "", nil, BadCursor("page[" + name + "]")
			}
			args[i] = t
		}
	}
	mixed := false
	for _, c := range o.Columns {
		mixed = mixed || c.Desc != o.Columns[0].Desc
	}
	if !mixed {
		exprs, marks := make([]string, len(o.Columns)), make([]string, len(o.Columns))
		for i, c := range o.Columns {
			exprs[i], marks[i] = c.Expr, "?::"+string(c.Kind)
		}
		return "(" + strings.Join(exprs, ", ") + ") " + o.Columns[0].past() + " (" + strings.Join(marks, ", ") + ")", args, nil
	}
	first := o.Columns[0]
	cond := first.Expr + " " + first.past() + "= ?::" + string(first.Kind)
	all := []any{args[0]}
	var alternatives []string
	for i, c := range o.Columns {
		var terms []string
		for j := range i {
			terms = append(terms, o.Columns[j].Expr+" = ?::"+string(o.Columns[j].Kind))
			all = append(all, args[j])
		}
		terms = append(terms, c.Expr+" "+c.past()+" ?::"+string(c.Kind))
		all = append(all, args[i])
		alternatives = append(alternatives, "("+strings.Join(terms, " AND ")+")")
	}
	return cond + " AND (" + strings.Join(alternatives, " OR ") + ")", all, nil
}

// shown is the column as it is read for cursors.
func (c Column) shown() string {
	if c.Kind == Number {
		return "(" + c.Expr + ")::text"
	}
	return c.Expr
}

func (c Column) past() string {
	if c.Desc {
		return "<"
	}
	return ">"
}

func read[T any](ctx context.Context, db *gorm.DB, sqlText string, args []any, columns, size int, scan func(*sql.Rows, ...any) (T, error)) ([]T, [][]any, error) {
	rows, err := db.WithContext(ctx).Raw(sqlText, args...).Rows()
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	items, keys := make([]T, 0, size), make([][]any, 0, size)
	for rows.Next() {
		key, dest := keyOf(columns)
		item, err := scan(rows, dest...)
		if err != nil {
			return nil, nil, err
		}
		items, keys = append(items, item), append(keys, key)
	}
	return items, keys, rows.Err()
}

// keyOf makes room for the values of an order's columns, and where to scan them.
func keyOf(columns int) (key, dest []any) {
	key, dest = make([]any, columns), make([]any, columns)
	for i := range key {
		dest[i] = &key[i]
	}
	return key, dest
}

// badValue reports whether PostgreSQL could not read a value as its column's
// type, which only a made-up cursor brings about.
func badValue(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code[:2] == "22")
}

func reverse[T any](s []T) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}
