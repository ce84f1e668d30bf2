package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// sameEverywhere are lists that have their number of rows whatever is stored,
// and why.
var sameEverywhere = map[string]string{
	"ListLocales":                        "the locales of the program",
	"ListDeflectionSuggestions":          "five at most, and none for a word that all articles have",
	"ListLocalesForAgent":                "the locales of the program",
	"ListAvailablePublicLocales":         "the locales of the program",
	"GetUserPasswordRequirements":        "the rules of the program",
	"ShowUserComplianceDeletionStatuses": "one for each step of one user's deletion",
	"ShowTicketMetrics":                  "one record, which the original puts into a list",
	"ListHelpCenterLocales":              "the locales of the account",
	"ListMissingTranslations":            "as many as there are locales",
	"ListMissingTranslationsBySection":   "the same",
	"ListMissingTranslationsByCategory":  "the same",
	"ListPhoneNumbers":                   "none: there is no telephony",
	"SearchOrganizations":                "a whole name or external id, which only one can have",
}

// mostRows of lists that end before a page does.
var mostRows = map[string]int{"ListRecentTickets": 20, "AutocompleteTags": 20, "ListCompactViews": 32, "GetViewCounts": 20, "ListContentTags": 30, "UnifiedSearch": 10}

// notByNumber are lists that are paged by cursor only, and what they do without.
var notByNumber = map[string]string{
	"ListTicketFields": "gives all, by position",
	"ListTicketAudits": "takes a limit, and cursors of an older form",
}

// twoOrders are lists of which each way of paging has an order of its own unless
// it is told one, as the original's do.
var twoOrders = map[string]string{
	"ListViews": "by position, and by creation", "ListActiveViews": "the same", "ListSharedViews": "the same", "SearchViews": "the same",
}

// statements notes what a database is sent by the driver, also what is sent in
// batches and past GORM.
type statements struct {
	mu   sync.Mutex
	sent []string
	rows atomic.Int64 // that came back
}

func (s *statements) note(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, sql)
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.note(d.SQL)
	return ctx
}
func (s *statements) TraceQueryEnd(_ context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	s.rows.Add(d.CommandTag.RowsAffected())
}
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	s.note(d.SQL)
}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// during are the statements that f brings about.
func (s *statements) during(f func()) []string {
	s.mu.Lock()
	before := len(s.sent)
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent[before:])
}

// newCountedAPI is an API on a database of its own, which notes what it is sent.
func newCountedAPI(t *testing.T) (*anAPI, *statements) {
	t.Helper()
	sent := &statements{}
	db, err := postgres.Open(testdb.DSN(t), postgres.Options{Tracer: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Close(db) })
	a, _ := buildAPI(t, db, "postgres://nowhere.invalid/")
	return a, sent
}

// No list costs more statements because it has more rows, whatever is loaded
// with them.
func TestStatementsDoNotGrowWithRows(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	var crowds []crowd
	for _, n := range []int{1, 10, 100} {
		crowds = append(crowds, newCrowd(a.another(), n))
	}
	same := maps.Clone(sameEverywhere)
	for _, op := range crowds[0].lists() {
		if same[op.ID] != "" {
			delete(same, op.ID)
			continue
		}
		sent.wantSteady(crowds, op, "per_page")
		if op.paged {
			sent.wantSteady(crowds, op, "page[size]")
		}
	}
	if len(same) > 0 {
		t.Errorf("no lists, or gone: %v", same)
	}
}

// wantSteady checks that a list costs no more in a larger crowd.
func (s *statements) wantSteady(crowds []crowd, op listed, style string) {
	var first []string
	for _, c := range crowds {
		if style == "per_page" {
			c.asking(op, style, 1)() // what is remembered from now on
		}
		ask := c.asking(op, style, c.n)
		var r *result
		cost := s.during(func() { r = ask() })
		c.wantRows(op, r)
		if first == nil {
			first = cost
		}
		if len(first) == 0 || len(cost) > len(first) {
			c.t.Errorf("%s, %s: %d statements for one row and %d for %d:\n%s", op.ID, style, len(first), len(cost), c.n, strings.Join(cost, "\n"))
			return
		}
	}
}

// asking asks for a page of so many rows of a list with all that it can
// side-load.
func (c crowd) asking(op listed, style string, rows int) func() *result {
	c.t.Helper()
	o, _ := specified(c.t, op.Operation)
	by, path := c.caller(op)
	size := fmt.Sprint(rows)
	path += "&" + url.Values{"include": {sideLoads(o)}, style: {size}, "limit": {size}}.Encode()
	body := c.body(op)
	return func() *result { return by.do(op.Method, path, body).want(200) }
}

// body is what a list is asked for with.
func (c crowd) body(op listed) string {
	switch {
	case op.Method != "POST":
		return ""
	case op.ID == "PreviewViews":
		return fmt.Sprintf(`{"view":{"all":[{"field":"status","operator":"is","value":"open"},{"field":"current_tags","operator":"includes","value":%q}]}}`, c.secret)
	}
	return fmt.Sprintf(`{"name":%q}`, c.secret)
}

func (c crowd) wantRows(op listed, r *result) {
	c.t.Helper()
	want := c.n
	if most := mostRows[op.ID]; most > 0 {
		want = min(want, most)
	}
	paged := op.paged && notByNumber[op.ID] == ""
	if rows := r.count(op.key); rows < want || paged && rows > want {
		c.t.Errorf("%s: %s has %d rows, want %d: copy more of them in newCrowd, or say in sameEverywhere why there are none: %.300s", op.ID, r.path, rows, want, r.body)
	}
}

// Whoever walks a list by pages of one record meets each record once, in the
// same order in both styles of paging, there and back.
func TestPagesOfOneWalkEveryListOnce(t *testing.T) {
	t.Parallel()
	c := newCrowd(newAPI(t), 3)
	for _, op := range c.lists() {
		if !op.paged || sameEverywhere[op.ID] != "" {
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			by, path := c.caller(op)
			walker{t: t, by: by, op: op, path: path, body: c.body(op)}.walk()
		})
	}
}

type walker struct {
	t    *testing.T
	by   *anAPI
	op   listed
	path string
	body string
}

// onePage is a page in either style.
type onePage struct {
	items    []string // as JSON
	path     string
	Count    *int
	NextPage *string `json:"next_page"`
	Previous *string `json:"previous_page"`
	Meta     *struct {
		HasMore bool    `json:"has_more"`
		After   *string `json:"after_cursor"`
		Before  *string `json:"before_cursor"`
	}
	Links *struct{ Next, Prev *string }
}

func (w walker) page(query string) (p onePage) {
	w.t.Helper()
	r := w.by.do(w.op.Method, w.path+"&"+query, w.body).want(200).json(&p)
	var list map[string]json.RawMessage
	r.json(&list)
	var items []json.RawMessage
	if err := json.Unmarshal(list[w.op.key], &items); err != nil {
		w.t.Fatal(err)
	}
	for _, item := range items {
		p.items = append(p.items, canonical(w.t, item))
	}
	p.path = r.path
	return p
}

func (w walker) walk() {
	w.t.Helper()
	all := w.page("per_page=100")
	distinct := slices.Clone(all.items)
	slices.Sort(distinct)
	if len(all.items) < 3 || len(slices.Compact(distinct)) < len(all.items) {
		w.t.Fatalf("%d rows, of which %d differ", len(all.items), len(slices.Compact(distinct)))
	}
	byCursor := w.page("page[size]=100").items
	if notByNumber[w.op.ID] == "" {
		w.byNumber(all.items)
	}
	if notByNumber[w.op.ID] != "" || twoOrders[w.op.ID] != "" {
		slices.Sort(all.items) // it has another order
		if !slices.Equal(all.items, slices.Sorted(slices.Values(byCursor))) {
			w.t.Errorf("the styles differ:\n%.2000s\n%.2000s", all.items, byCursor)
		}
	} else if !slices.Equal(all.items, byCursor) {
		w.t.Errorf("the styles differ:\n%.2000s\n%.2000s", all.items, byCursor)
	}
	w.there(byCursor)
	w.back(byCursor)
}

func (w walker) byNumber(all []string) {
	w.t.Helper()
	for i, want := range all {
		p := w.page(fmt.Sprintf("per_page=1&page=%d", i+1))
		if len(p.items) != 1 || p.items[0] != want {
			w.t.Errorf("%s: %.300s, want %.300s", p.path, p.items, want)
		}
		if p.Count == nil || *p.Count != len(all) || (p.NextPage != nil) != (i+1 < len(all)) || (p.Previous != nil) != (i > 0) {
			w.t.Errorf("%s: count, next_page or previous_page is wrong of page %d of %d: %+v", p.path, i+1, len(all), p)
		}
		if p.NextPage != nil && !strings.Contains(*p.NextPage, fmt.Sprintf("page=%d&", i+2)) {
			w.t.Errorf("%s: next_page %s", p.path, *p.NextPage)
		}
	}
	if p := w.page(fmt.Sprintf("per_page=1&page=%d", len(all)+1)); len(p.items) > 0 || p.NextPage != nil {
		w.t.Errorf("%s: %.300s behind the last page", p.path, p.items)
	}
}

// there walks from the first record to the last.
func (w walker) there(all []string) {
	w.t.Helper()
	query := "page[size]=1"
	for i, want := range all {
		p := w.page(query)
		if len(p.items) != 1 || p.items[0] != want {
			w.t.Fatalf("%s: %.300s, want %.300s", p.path, p.items, want)
		}
		if more := i+1 < len(all); p.Meta == nil || p.Meta.HasMore != more || (p.Links.Next != nil) != more || p.Meta.After == nil {
			w.t.Fatalf("%s: meta or links are wrong of record %d of %d: %+v", p.path, i+1, len(all), p)
		}
		query = "page[size]=1&page[after]=" + url.QueryEscape(*p.Meta.After)
	}
	if p := w.page(query); len(p.items) > 0 || p.Meta.HasMore {
		w.t.Errorf("%s: %.300s behind the last record", p.path, p.items)
	}
}

// back walks from the last record to the first.
func (w walker) back(all []string) {
	w.t.Helper()
	p := w.page("page[size]=1&page[after]=" + url.QueryEscape(w.page(fmt.Sprintf("page[size]=%d", len(all)-1)).after(w.t)))
	for i := len(all) - 1; ; i-- {
		if len(p.items) != 1 || p.items[0] != all[i] {
			w.t.Fatalf("%s: %.300s, want %.300s", p.path, p.items, all[i])
		}
		if p.Meta.Before == nil {
			w.t.Fatalf("%s: no before_cursor: %+v", p.path, p)
		}
		p = w.page("page[size]=1&page[before]=" + url.QueryEscape(*p.Meta.Before))
		if i == 0 {
			break
		}
	}
	if len(p.items) > 0 {
		w.t.Errorf("%s: %.300s before the first record", p.path, p.items)
	}
}

func (p onePage) after(t *testing.T) string {
	t.Helper()
	if p.Meta == nil || p.Meta.After == nil {
		t.Fatalf("%s: no after_cursor", p.path)
	}
	return *p.Meta.After
}
