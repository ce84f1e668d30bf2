package page

import (
	"fmt"
	"strings"
)

// Way is one of several conditions of a listing of which any may hold. An index
// gives the rows of each in order and none those of an OR, so that each is read
// by itself, as far as the page reaches, and what they give is merged.
type Way struct {
	Join string // further tables
	Cond string
	Args []any // of question marks in Cond
	// Each, when set, are rows of a table "one" for each of which the way is
	// gone by itself: "unnest(?::bigint[]) AS one(id)".
	Each     string
	EachArgs []any
}

// keys is a statement of the rows of one way that lie behind cond: the values of
// the order's columns, k0 and so on, the last of which is called id. A limit of
// 0 is none.
func (w Way) keys(q Query, o Order, cond string, condArgs []any, limit int) (string, []any) {
	var b strings.Builder
	b.WriteString("SELECT " + o.keys() + " FROM " + q.counted() + w.Join + " WHERE " + q.Where + " AND " + w.Cond)
	if cond != "" {
		b.WriteString(" AND " + cond)
	}
	if limit > 0 {
		b.WriteString(orderBy(o) + fmt.Sprintf(" LIMIT %d", limit))
	}
	args := append(append(append(append([]any{}, w.EachArgs...), q.Args...), w.Args...), condArgs...)
	if w.Each == "" {
		return "(" + b.String() + ")", args
	}
	return "(SELECT found.* FROM " + w.Each + " CROSS JOIN LATERAL (" + b.String() + ") AS found)", args
}

// keys are the columns of an order under the names that key gives them.
func (o Order) keys() string {
	keys := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		keys[i] = c.Expr + " AS " + o.key(i)
	}
	return strings.Join(keys, ", ")
}

// key is what a statement of keys calls a column.
func (o Order) key(i int) string {
	if i == len(o.Columns)-1 {
		return "id"
	}
	return fmt.Sprintf("k%d", i)
}

// merged are the keys of all ways, each once.
func (q Query) merged(o Order, cond string, condArgs []any, limit int) (string, []any) {
	var parts []string
	var args []any
	for _, w := range q.Ways {
		text, more := w.keys(q, o, cond, condArgs, limit)
		parts, args = append(parts, text), append(args, more...)
	}
	return "(" + strings.Join(parts, " UNION ") + ")", args
}

// byWays is the statement of limit rows behind cond, from the offset on.
func (q Query) byWays(o Order, cond string, condArgs []any, limit, offset int) (string, []any) {
	merged, args := q.merged(o, cond, condArgs, offset+limit)
	return q.rejoined(o, merged, args, limit, offset)
}

// byKeys is the statement of limit rows behind cond, from the offset on, without
// ways.
func (q Query) byKeys(o Order, cond string, condArgs []any, limit, offset int) (string, []any) {
	if cond != "" {
		cond = " AND " + cond
	}
	keys := "(SELECT " + o.keys() + " FROM " + q.From + " WHERE " + q.Where + cond + orderBy(o) + fmt.Sprintf(" LIMIT %d)", limit+offset)
	return q.rejoined(o, keys, append(append([]any{}, q.Args...), condArgs...), limit, offset)
}

// rejoined is the statement of the rows that have some keys.
func (q Query) rejoined(o Order, from string, args []any, limit, offset int) (string, []any) {
	page := Order{Columns: make([]Column, len(o.Columns))}
	keys := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		page.Columns[i] = Column{Expr: "k." + o.key(i), Kind: c.Kind, Desc: c.Desc}
		keys[i] = page.Columns[i].shown()
	}
	text := "SELECT " + q.Select + ", " + strings.Join(keys, ", ") +
		" FROM (SELECT * FROM " + from + " AS k" + orderBy(page) + fmt.Sprintf(" LIMIT %d OFFSET %d", limit, offset) + ") AS k " + q.Rejoin + orderBy(page)
	return text, append(append(append([]any{}, q.SelectArgs...), args...), q.RejoinArgs...)
}

// counting is a statement of the number of rows, to max at most; 0 is no limit.
func (q Query) counting(max int) (string, []any) {
	limit := ""
	if max > 0 {
		limit = fmt.Sprintf(" LIMIT %d", max)
	}
	if len(q.Ways) == 0 {
		return "SELECT count(*) FROM (SELECT FROM " + q.counted() + " WHERE " + q.Where + limit + ") AS bounded", q.Args
	}
	id := q.Order.Columns[len(q.Order.Columns)-1]
	merged, args := q.merged(Order{Columns: []Column{id}}, "", nil, max)
	return "SELECT count(*) FROM (SELECT FROM " + merged + " AS k" + limit + ") AS bounded", args
}

// counted is where rows are counted.
func (q Query) counted() string {
	if q.CountFrom != "" {
		return q.CountFrom
	}
	return q.From
}
