package finding

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
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

	key     float64 // of the order; NaN for none, which is last
	created time.Time
}

// found are the first of what a plan finds, in the order of the query.
type found struct {
	hits  []Hit
	count int
	more  bool // than count
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

// seesAll reports whether every record with a document is visible: only those that
// are not deleted have one.
func (p *plan) seesAll() bool { return p.kind != search.Ticket || p.by.Restriction() == "" }

// condition is what must hold for a record beside its words.
func (p *plan) condition() (string, []any) {
	where, args := p.visible()
	for _, w := range p.where {
		where += " AND " + w
	}
	return where, append(args, p.args...)
}

// order is an order of results: a number of each, as SQL over the record's table.
func (p *plan) order(name string) string {
	as := p.table().as
	switch name {
	case "created":
		return "extract(epoch FROM " + as + ".created_at)::float8"
	case "updated":
		return "extract(epoch FROM " + as + ".updated_at)::float8"
	}
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

// statement is SQL that is being written, with its arguments.
type statement struct {
	strings.Builder
	args []any
}

func (s *statement) write(text string, args ...any) {
	s.WriteString(text)
	s.args = append(s.args, args...)
}

// candidates writes a query of the ids that the plan finds, the newest first where
// sections are gone through, and of each the condition that its title has the
// words.
//
// Of words, the sections of the index are gone through from the newest to the
// oldest, and within each the records that have the words; whoever asks for no
// more than some reads no more. The columns of the index's rows are hidden in
// expressions so that only the words are looked up.
func (p *plan) candidates(s *statement, sections []search.Section, limit int) {
	t := p.table()
	where, args := p.condition()
	if sections == nil {
		s.write("SELECT "+t.as+".id, NULL::tsquery AS title FROM "+t.name+" "+t.as+" WHERE "+where, args...)
		if limit > 0 {
			s.write(fmt.Sprintf(" ORDER BY %s.id DESC LIMIT %d", t.as, limit))
		}
		return
	}
	p.sections(s, sections)
	s.write(` CROSS JOIN LATERAL (SELECT d.record_id FROM search_docs d WHERE d.tsv @@ s.words AND d.account_id + 0 = ? AND d.kind || '' = ?
		AND d.record_id + 0 >= s.first AND d.record_id + 0 < s.behind ORDER BY d.record_id DESC OFFSET 0) d`, p.by.AccountID, string(p.kind))
	if len(p.where) > 0 || !p.seesAll() {
		s.write(" JOIN "+t.name+" "+t.as+" ON "+t.as+".account_id = ? AND "+t.as+".id = d.record_id AND "+where, append([]any{p.by.AccountID}, args...)...)
	}
	if limit > 0 {
		s.write(fmt.Sprintf(" LIMIT %d", limit))
	}
}

// sections writes the beginning of a query over sections of the index.
func (p *plan) sections(s *statement, list []search.Section) {
	var words, titles models.Strings
	var first, behind models.IDs
	match, title := p.match, p.title
	if p.without != nil && match != nil {
		match = search.All(match, search.Not(p.without))
	}
	for _, section := range list {
		words = append(words, match.Query(section))
		first, behind = append(first, section.First), append(behind, section.End)
		if title != nil {
			titles = append(titles, title.Query(section))
		} else {
			titles = append(titles, "")
		}
	}
	s.write(`SELECT d.record_id AS id, s.title FROM (SELECT w.words::tsquery AS words, nullif(w.title, '')::tsquery AS title, w.first, w.behind
		FROM unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[]) AS w(words, title, first, behind)) s`, words, titles, first, behind)
}

// spread are the sections of the index that have records of the plan's kind, the
// newest first.
func (p *plan) spread(tx *gorm.DB) ([]search.Section, error) {
	var first, last *int64
	_, err := postgres.Row(tx, `SELECT (SELECT record_id FROM search_docs WHERE account_id = ? AND kind = ? ORDER BY record_id LIMIT 1),
		(SELECT record_id FROM search_docs WHERE account_id = ? AND kind = ? ORDER BY record_id DESC LIMIT 1)`,
		[]any{p.by.AccountID, string(p.kind), p.by.AccountID, string(p.kind)}, &first, &last)
	if err != nil || first == nil || last == nil {
		return []search.Section{}, err
	}
	return search.Sections(p.by.AccountID, p.kind, *first, *last), nil
}

// lookUp are settings of a transaction that looks words up. The planner does not
// know what it costs to read a document that lies apart from its row, nor that the
// sections are in an order which joins must keep.
const lookUp = `SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), set_config('enable_hashjoin', 'off', true),
	set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)`

// run reads the first results of a plan. counted is how many are counted at most; 0
// is all of them, and then none is read.
func (p *plan) run(tx *gorm.DB, by string, desc bool, counted int) (found, error) {
	var out found
	sections, err := p.prepare(tx)
	if err != nil || p.match != nil && len(sections) == 0 {
		return out, err
	}
	var s statement
	if counted == 0 {
		s.write("SELECT count(*) FROM (")
		p.candidates(&s, sections, 0)
		s.write(") k")
		_, err = postgres.Row(tx, s.String(), s.args, &out.count)
		return out, err
	}
	p.page(&s, sections, by, desc, counted)
	err = postgres.Rows(tx, s.String(), s.args, func(row postgres.Scanned) error {
		h := Hit{Kind: p.kind}
		var key *float64
		if err := row.Scan(&out.count, &h.ID, &key, &h.created); err != nil {
			return err
		}
		if h.key = math.NaN(); key != nil {
			h.key = *key
		}
		out.hits = append(out.hits, h)
		return nil
	})
	if out.count > counted {
		out.count, out.more = counted, true
	}
	return out, err
}

// prepare makes tx ready for the plan, and finds the sections that it goes through;
// nil for one without words.
func (p *plan) prepare(tx *gorm.DB) ([]search.Section, error) {
	if p.match == nil && p.without == nil {
		return nil, nil
	}
	var none [6]string
	if _, err := postgres.Row(tx, lookUp, nil, &none[0], &none[1], &none[2], &none[3], &none[4], &none[5]); err != nil {
		return nil, err
	}
	sections, err := p.spread(tx)
	if err != nil || p.match != nil {
		return sections, err
	}
	return nil, p.exclude(sections)
}

// exclude makes of words that alone must not be there a condition on records.
func (p *plan) exclude(sections []search.Section) error {
	var words models.Strings
	var first models.IDs
	for _, section := range sections {
		words, first = append(words, p.without.Query(section)), append(first, section.First)
	}
	as := p.table().as
	p.add(`NOT EXISTS (SELECT FROM search_docs d JOIN unnest(?::text[], ?::bigint[]) AS w(words, first)
		ON d.record_id >= w.first AND d.record_id < w.first + ? AND d.tsv @@ w.words::tsquery
		WHERE d.account_id = `+as+`.account_id AND d.kind = ? AND d.record_id = `+as+`.id)`, words, first, search.SectionSize, string(p.kind))
	p.without = nil
	return nil
}

// page writes the query of the first results and their number. Sorted by
// relevance, these are the newest, of which those come first that have the words in
// their titles.
func (p *plan) page(s *statement, sections []search.Section, by string, desc bool, counted int) {
	t := p.table()
	s.write("WITH k AS MATERIALIZED (")
	limit := counted + 1
	if by != "" {
		limit = 0
	}
	p.candidates(s, sections, limit)
	key := p.order(by)
	from := fmt.Sprintf("(SELECT * FROM k LIMIT %d) k", MaxFound)
	join := fmt.Sprintf(" JOIN %s %s ON %s.account_id = ? AND %s.id = k.id", t.name, t.as, t.as, t.as)
	args := []any{p.by.AccountID}
	switch {
	case by != "":
		from = "k"
	case p.title != nil:
		key = "CASE WHEN d.tsv @@ k.title THEN 1 ELSE 0 END::float8"
		join += " JOIN search_docs d ON d.account_id = ? AND d.kind = ? AND d.record_id = k.id"
		args = append(args, p.by.AccountID, string(p.kind))
	default:
		key = "0::float8"
	}
	direction := "DESC"
	if !desc {
		direction = "ASC"
	}
	among := "DESC" // of equals the newest come first
	if by == "created" {
		among = direction
	}
	s.write(fmt.Sprintf(") SELECT (SELECT count(*) FROM k), k.id, %[1]s AS key, %[2]s.created_at FROM %[3]s%[4]s ORDER BY key %[5]s NULLS LAST, %[2]s.created_at %[6]s, k.id %[6]s LIMIT %[7]d",
		key, t.as, from, join, direction, among, MaxFound), args...)
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
func (p *plan) byNumber(tx *gorm.DB) (Hit, bool, error) {
	if p.number == 0 {
		return Hit{}, false, nil
	}
	t := p.table()
	where, args := p.condition()
	h := Hit{Kind: p.kind, key: 2}
	ok, err := postgres.Row(tx, "SELECT "+t.as+".id, "+t.as+".created_at FROM "+t.name+" "+t.as+" WHERE "+where+" AND "+t.as+".id = ?", append(args, p.number), &h.ID, &h.created)
	return h, ok, err
}

func (s *Service) inTx(ctx context.Context, f func(tx *gorm.DB) error) error {
	return s.db.WithContext(postgres.Planned(ctx)).Transaction(f)
}

// also reports whether a record is found by its words.
func (p *plan) also(tx *gorm.DB, id int64) (bool, error) {
	if p.match == nil {
		return false, nil
	}
	section := search.SectionOf(p.by.AccountID, p.kind, id)
	var holds bool
	_, err := postgres.Row(tx, "SELECT tsv @@ ?::text::tsquery FROM search_docs WHERE account_id = ? AND kind = ? AND record_id = ?",
		[]any{p.match.Query(section), p.by.AccountID, string(p.kind), id}, &holds)
	return holds, err
}
