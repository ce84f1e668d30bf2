package finding

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
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

// few is how many records are read to be sorted, rather than to go over all in
// their order until enough of them were met.
const few = 20_000

// inOrder are the first records of the plan, of those that have the words if these
// are given. all is how many there are, or more than few.
func (p *plan) inOrder(tx *gorm.DB, o order, words *search.Records, all, limit int) ([]Hit, error) {
	where, args := p.condition()
	switch {
	case words == nil:
		return p.first(tx, o, where, args, all <= few, limit)
	case words.Len() <= few:
		where, args = p.among(*words)
		return p.first(tx, o, where, args, true, limit)
	}
	var hits []Hit
	for size := 4 * limit; ; size *= 2 {
		list, err := p.first(tx, o, where, args, false, size)
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

// shelves are conditions for the parts of a table that have indexes of their own.
func (p *plan) shelves() []string {
	switch {
	case p.kind != search.Ticket:
		return []string{"true"}
	case p.live:
		return []string{"NOT t.archived"}
	}
	return []string{"NOT t.archived", "t.archived"}
}

// first reads the first records for which a condition holds: by the index of the
// order, or with few by whatever finds them best.
func (p *plan) first(tx *gorm.DB, o order, where string, args []any, few bool, limit int) ([]Hit, error) {
	t := p.table()
	behind, more := o.condition(t.as)
	args = append(args[:len(args):len(args)], more...)
	part := fmt.Sprintf("SELECT %[1]s.id, %[1]s.%[2]s AS at, %[1]s.created_at FROM %[3]s %[1]s WHERE %[4]s%[5]s", t.as, o.column, t.name, where, behind)
	var s statement
	if few {
		s.write(part+" OFFSET 0", args...)
	} else {
		for i, shelf := range p.shelves() {
			if i > 0 {
				s.write(" UNION ALL ")
			}
			s.write(fmt.Sprintf("(%s AND %s ORDER BY %s LIMIT %d)", part, shelf, o.by(t.as+"."+o.column, t.as+".id"), limit), args...)
		}
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

// sorted are the first results in an order of the request; words and all are as
// for inOrder.
func (p *plan) sorted(tx *gorm.DB, words *search.Records, all int, by string, desc bool) ([]Hit, error) {
	if column, ok := times[by]; ok {
		return p.inOrder(tx, order{column: column, desc: desc, newest: desc || by != "created"}, words, all, MaxFound)
	}
	if words != nil {
		all = words.Len()
	}
	r, ranked := ranks[by]
	if p.kind != search.Ticket { // nothing that such records have
		r, ranked = ranking{}, true
	}
	if all > few && ranked {
		return p.byValue(tx, words, r, desc)
	}
	where, args := p.condition()
	if words != nil {
		where, args = p.among(*words)
	}
	return p.ranked(tx, where, args, p.key(by), desc)
}

// ranking is an order by the values of a column: those that have none come first.
type ranking struct {
	column string
	values []string
	always bool // none are without one
}

var ranks = map[string]ranking{
	"priority": {column: "t.priority", values: priorities}, "status": {column: "t.status", values: statuses, always: true},
	"ticket_type": {column: "t.type", values: types},
}

// byValue is sorted of many records: of each value the newest, until there are
// enough.
func (p *plan) byValue(tx *gorm.DB, words *search.Records, r ranking, desc bool) (hits []Hit, err error) {
	newest := order{column: "created_at", desc: true, newest: true}
	for n := range len(r.values) + 1 {
		at := n
		if desc {
			at = len(r.values) - n
		}
		q, key, all := *p, float64(at), 0
		switch {
		case at == 0 && r.always:
			continue
		case r.column == "":
			key = math.NaN()
		case at == 0:
			q.where = append(q.where[:len(q.where):len(q.where)], clause{r.column + " IS NULL", nil})
		default:
			q.where = append(q.where[:len(q.where):len(q.where)], clause{r.column + " = ?", []any{r.values[at-1]}})
			q.live = q.live || r.column == "t.status" && r.values[at-1] != models.StatusClosed
		}
		if words == nil {
			if all, err = q.atMost(tx, few+1); err != nil {
				return nil, err
			}
		}
		list, err := q.inOrder(tx, newest, words, all, MaxFound-len(hits))
		for _, h := range list {
			h.key = key
			hits = append(hits, h)
		}
		if err != nil || len(hits) == MaxFound {
			return hits, err
		}
	}
	return hits, nil
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

// key is the number of a record that it is sorted by, as SQL.
func (p *plan) key(by string) string {
	if p.kind != search.Ticket {
		return "NULL::float8"
	}
	if r, ok := ranks[by]; ok {
		return fmt.Sprintf("coalesce(array_position(ARRAY['%s'], %s), 0)::float8", strings.Join(r.values, "','"), r.column)
	}
	return "(SELECT extract(epoch FROM m.latest_comment_added_at)::float8 FROM ticket_metrics m WHERE m.account_id = t.account_id AND m.ticket_id = t.id)"
}
