package finding

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// Limits of a search.
const (
	// MaxFound is how many results pages by number reach.
	MaxFound = 1_000
	// exactTo is how many results a page counts; of more it tells that there are.
	exactTo = 10_000
)

// Hit is a record that was found.
type Hit struct {
	Kind search.Kind
	ID   int64

	key         float64 // of the order; NaN for none, which is last
	at, created time.Time
}

// found are the first of what a plan finds, in the order of the query.
type found struct {
	hits  []Hit
	count int
	more  bool           // than count
	words search.Records // that have the words, as far as they were looked for
}

// table is where the records of a kind are, by a letter.
type table struct{ name, as string }

var tables = map[search.Kind]table{
	search.Ticket: {"tickets", "t"}, search.User: {"users", "u"}, search.Organization: {"organizations", "o"}, search.Group: {"groups", "g"},
}

func (p *plan) table() table { return tables[p.kind] }

// visible is the condition of the records that the caller may see.
func (p *plan) visible() (string, []any) {
	switch p.kind {
	case search.Ticket:
		return tickets.Visible(p.by)
	case search.User:
		where, args := users.Visible(p.by)
		return "u.account_id = ? AND " + where, append([]any{p.by.AccountID}, args...)
	case search.Organization:
		where, args := organizations.Visible(p.by)
		return "o.account_id = ? AND " + where, append([]any{p.by.AccountID}, args...)
	}
	return "g.account_id = ? AND NOT g.deleted", []any{p.by.AccountID}
}

// filtered reports whether words are not all that a record must have. Only those that
// are not deleted have a document.
func (p *plan) filtered() bool {
	return len(p.where) > 0 || p.kind == search.Ticket && p.by.Restriction() != ""
}

// byWords reports whether the index is asked.
func (p *plan) byWords() bool { return p.match != nil || p.without != nil }

// condition is what must hold for a record beside its words.
func (p *plan) condition() (string, []any) {
	where, args := p.visible()
	for _, w := range p.where {
		where, args = where+" AND "+w.sql, append(args, w.args...)
	}
	return where, args
}

// statement is SQL that is being written, with its arguments.
type statement struct {
	strings.Builder
	args []any
}

func (s *statement) write(text string, args ...any) {
	s.WriteString(text)
	s.args = append(s.args, args...)
}

// run reads the first results of a plan. counted is how many are counted at most; 0
// is all of them, and then none is read.
func (p *plan) run(tx *gorm.DB, by string, desc bool, counted int) (out found, err error) {
	switch {
	case p.byWords():
		return p.look(tx, by, desc, counted)
	case counted == 0:
		out.count, err = p.counted(tx, nil)
		return out, err
	}
	most := counted
	if by != "" {
		most = max(counted, few)
	}
	if out.count, err = p.atMost(tx, most+1); err != nil {
		return out, err
	}
	all := out.count
	if out.count > counted {
		out.count, out.more = counted, true
	}
	if by != "" {
		out.hits, err = p.sorted(tx, nil, all, by, desc)
		return out, err
	}
	where, args := p.newest(p.condition())
	out.hits, err = p.ranked(tx, where, args, "0::float8", false)
	return out, err
}

// atMost is how many records the plan's condition holds for, up to a limit.
func (p *plan) atMost(tx *gorm.DB, limit int) (n int, err error) {
	t := p.table()
	where, args := p.condition()
	_, err = postgres.Row(tx, fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s %s WHERE %s LIMIT %d) k", t.name, t.as, where, limit), args, &n)
	return n, err
}

// newest is a condition that leaves the newest records of those for which it holds
// otherwise.
func (p *plan) newest(where string, args []any) (string, []any) {
	t := p.table()
	return fmt.Sprintf("%[1]s.account_id = ? AND %[1]s.id = ANY(ARRAY(SELECT %[1]s.id FROM %[2]s %[1]s WHERE %[3]s ORDER BY %[1]s.id DESC LIMIT %[4]d))", t.as, t.name, where, MaxFound),
		append([]any{p.by.AccountID}, args...)
}

// merged are the hits of several plans in one order.
func merged(list []found, desc bool) found {
	var out found
	for _, f := range list {
		out.hits, out.count, out.more = append(out.hits, f.hits...), out.count+f.count, out.more || f.more
	}
	slices.SortStableFunc(out.hits, func(a, b Hit) int { return compare(a, b, desc) })
	return out
}

func compare(a, b Hit, desc bool) int {
	switch {
	case math.IsNaN(a.key) && !math.IsNaN(b.key):
		return 1
	case !math.IsNaN(a.key) && math.IsNaN(b.key):
		return -1
	case a.key != b.key && !math.IsNaN(a.key):
		if (a.key < b.key) == desc {
			return 1
		}
		return -1
	}
	return b.created.Compare(a.created)
}

// byNumber is the record whose id the query is, if the plan would find it but for
// its words.
func (p *plan) byNumber(tx *gorm.DB, by string, desc bool) (Hit, bool, error) {
	if p.number == 0 {
		return Hit{}, false, nil
	}
	q := *p
	q.match, q.without = nil, nil
	q.where = append(q.where[:len(q.where):len(q.where)], clause{p.table().as + ".id = ?", []any{p.number}})
	var hits []Hit
	var err error
	if by != "" {
		hits, err = q.sorted(tx, nil, 1, by, desc)
	} else {
		where, args := q.condition()
		hits, err = q.ranked(tx, where, args, "2::float8", false) // before those with the words in their titles
	}
	if err != nil || len(hits) == 0 {
		return Hit{}, false, err
	}
	return hits[0], true, nil
}

// inTx runs f in a transaction that sees one state of what a plan is about, and whose
// statements are planned for the values at hand.
func (s *Service) inTx(ctx context.Context, p *plan, f func(tx *gorm.DB) error) error {
	return s.index.Read(postgres.Planned(ctx), p.by.AccountID, p.kind, func(tx *gorm.DB) error {
		// Compiling a statement takes longer than it could save here.
		if err := postgres.Exec(tx, "SET LOCAL jit = off", nil); err != nil {
			return err
		}
		return f(tx)
	})
}
