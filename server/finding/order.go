package finding

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// order is an order of records by a time of theirs, which an index has: of many
// records the first are read without the others.
type order struct {
	column string
	desc   bool
	newest bool // of equals the newest come first
	behind *place
}

// place is a record in an order.
type place struct {
	at time.Time
	id int64
}

// times are the orders by time, by the names of sorts.
var times = map[string]string{"created": "created_at", "updated": "updated_at"}

// fewWords is how many records are looked up by their ids, rather than to go over
// all in their order until enough of them were met.
const fewWords = 20_000

// inOrder are the first records of the plan, of those that have the words if these
// are given.
func (p *plan) inOrder(tx *gorm.DB, o order, words *search.Records, limit int) ([]Hit, error) {
	if words == nil {
		where, args := p.condition()
		return p.first(tx, o, p.shelves(), where, args, limit)
	}
	if words.Len() <= fewWords {
		where, args := p.among(*words)
		return p.first(tx, o, []string{"true"}, where, args, limit)
	}
	var hits []Hit
	where, args := p.condition()
	for size := 4 * limit; ; size *= 2 {
		list, err := p.first(tx, o, p.shelves(), where, args, size)
		for _, h := range list {
			if words.Has(h.ID) && len(hits) < limit {
				hits = append(hits, h)
			}
		}
		if err != nil || len(list) < size || len(hits) == limit {
			return hits, err
		}
		last := list[len(list)-1]
		o.behind = &place{last.at, last.ID}
	}
}

// shelves are conditions for parts of a table that have indexes of their own.
func (p *plan) shelves() []string {
	if p.kind == search.Ticket {
		return []string{"NOT t.archived", "t.archived"}
	}
	return []string{"true"}
}

// first reads the first records for which a condition holds, shelf by shelf.
func (p *plan) first(tx *gorm.DB, o order, shelves []string, where string, args []any, limit int) ([]Hit, error) {
	t := p.table()
	behind, more := o.condition(t.as)
	args = append(args[:len(args):len(args)], more...)
	var s statement
	for _, shelf := range shelves {
		if s.Len() > 0 {
			s.write(" UNION ALL ")
		}
		s.write(fmt.Sprintf("(SELECT %[1]s.id, %[1]s.%[2]s AS at, %[1]s.created_at FROM %[3]s %[1]s WHERE %[4]s%[5]s AND %[6]s ORDER BY %[7]s LIMIT %[8]d)",
			t.as, o.column, t.name, where, behind, shelf, o.by(t.as+"."+o.column, t.as+".id"), limit), args...)
	}
	var hits []Hit
	err := postgres.Rows(tx, fmt.Sprintf("SELECT id, at, created_at FROM (%s) k ORDER BY %s LIMIT %d", s.String(), o.by("at", "id"), limit), s.args, func(row postgres.Scanned) error {
		h := Hit{Kind: p.kind}
		err := row.Scan(&h.ID, &h.at, &h.created)
		h.key = float64(h.at.UnixMicro())
		hits = append(hits, h)
		return err
	})
	return hits, err
}

// by is the order as SQL.
func (o order) by(at, id string) string {
	direction := map[bool]string{true: " DESC", false: " ASC"}
	return at + direction[o.desc] + ", " + id + direction[o.newest]
}

// condition is that of the records behind a place, if the order has one.
func (o order) condition(as string) (string, []any) {
	if o.behind == nil {
		return "", nil
	}
	is := map[bool]string{true: "<", false: ">"}
	at := o.behind.at.UTC()
	return fmt.Sprintf(" AND %[1]s.%[2]s %[3]s= ? AND (%[1]s.%[2]s %[3]s ? OR %[1]s.id %[4]s ?)", as, o.column, is[o.desc], is[o.newest]), []any{at, at, o.behind.id}
}

// sorted are the first results in an order of the request.
func (p *plan) sorted(tx *gorm.DB, words *search.Records, by string, desc bool) ([]Hit, error) {
	if column, ok := times[by]; ok {
		return p.inOrder(tx, order{column: column, desc: desc, newest: desc || by != "created"}, words, MaxFound)
	}
	where, args := p.condition()
	if words != nil {
		where, args = p.among(*words)
	}
	return p.ranked(tx, where, args, p.order(by), desc)
}

// ranked reads all records for which a condition holds, and returns the first by a
// number of each, as SQL over the record's table.
func (p *plan) ranked(tx *gorm.DB, where string, args []any, key string, desc bool) ([]Hit, error) {
	t := p.table()
	direction := "ASC"
	if desc {
		direction = "DESC"
	}
	var hits []Hit
	err := postgres.Rows(tx, fmt.Sprintf("SELECT %[2]s.id, %[1]s AS key, %[2]s.created_at FROM %[3]s %[2]s WHERE %[4]s ORDER BY key %[5]s NULLS LAST, %[2]s.created_at DESC, %[2]s.id DESC LIMIT %[6]d",
		key, t.as, t.name, where, direction, MaxFound), args, func(row postgres.Scanned) error {
		h := Hit{Kind: p.kind}
		var key *float64
		if err := row.Scan(&h.ID, &key, &h.created); err != nil {
			return err
		}
		if h.key = math.NaN(); key != nil {
			h.key = *key
		}
		hits = append(hits, h)
		return nil
	})
	return hits, err
}

// order is an order that no index has.
func (p *plan) order(name string) string {
	if p.kind != search.Ticket {
		return "NULL::float8"
	}
	switch name {
	case "commented":
		return `(SELECT extract(epoch FROM m.latest_comment_added_at)::float8 FROM ticket_metrics m WHERE m.account_id = t.account_id AND m.ticket_id = t.id)`
	case "priority":
		return rank("t.priority", priorities)
	case "status":
		return rank("t.status", statuses)
	}
	return rank("t.type", types)
}

// rank is the place of a column's value among names; those without one come first.
func rank(column string, names []string) string {
	return fmt.Sprintf("coalesce(array_position(ARRAY['%s'], %s), 0)::float8", strings.Join(names, "','"), column)
}
