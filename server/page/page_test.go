package page

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// Orders of the test's listing: one column, several, of each kind, and in both
// directions at once.
var (
	id     = Column{Expr: "r.id", Kind: Int}
	at     = Column{Expr: "r.at", Kind: Time}
	name   = Column{Expr: "r.name", Kind: Text}
	score  = Column{Expr: "r.score", Kind: Int, Desc: true}
	share  = Column{Expr: "r.score::numeric / 3", Kind: Number}
	orders = []Order{By("id", id), By("at,id", at, id), By("name,id", name, id), By("-score,name,id", score, name, id), By("share,id", share, id)}
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// rows is a listing in a transaction of its own.
type rows struct {
	*testing.T
	db    *gorm.DB
	whole bool // it is read by Whole
	keys  bool // KeysFirst
}

func newRows(t *testing.T) rows {
	t.Helper()
	r := rows{T: t, db: testdb.Tx(t)}
	r.exec("CREATE TEMP TABLE rows (id bigint PRIMARY KEY, at timestamptz NOT NULL, name text NOT NULL, score bigint NOT NULL)")
	return r
}

func (r rows) exec(text string, args ...any) {
	r.Helper()
	if err := r.db.Exec(text, args...).Error; err != nil {
		r.Fatal(err)
	}
}

// add makes a row whose columns other than the id have few values, so that many
// rows are equal in them.
func (r rows) add(id int64) {
	r.Helper()
	r.exec("INSERT INTO rows VALUES (?, ?, ?, ?)", id, noon.Add(time.Duration(id*7%5)*time.Microsecond), []string{"Zoë", "a", "日本"}[id%3], id*3%4)
}

func (r rows) list(o Order, q Request) Result[int64] {
	r.Helper()
	result, err := r.tryList(o, q)
	if err != nil {
		r.Fatalf("%s: %+v: %v", o.Name, q, err)
	}
	return result
}

func (r rows) tryList(o Order, q Request) (Result[int64], error) {
	listing := Query{Select: "r.id + ?", SelectArgs: []any{0}, From: "rows r", Where: "r.score < ?", Args: []any{1000}, Order: o, Rejoin: "JOIN rows r ON r.id = k.id AND ? = 2", RejoinArgs: []any{2}, KeysFirst: r.keys}
	if r.whole {
		result, whole, err := Whole(r.Context(), r.db, listing, q, 25, func(row postgres.Scanned, order ...any) (id int64, err error) {
			return id, row.Scan(append([]any{&id}, order...)...)
		})
		if err == nil && !whole {
			r.Error("more than 25 rows")
		}
		return result, err
	}
	return List(r.Context(), r.db, listing, q,
		func(rows *sql.Rows, order ...any) (id int64, err error) {
			return id, rows.Scan(append([]any{&id}, order...)...)
		})
}

// all are the ids in the order, read at once.
func (r rows) all(o Order) []int64 {
	r.Helper()
	return r.list(o, First(MaxSize)).Items
}

// walk follows a listing in cursor style from its first row, or back from
// behind its last one, and calls meanwhile between the pages.
func (r rows) walk(o Order, size int, back bool, meanwhile func()) []int64 {
	r.Helper()
	q := First(size)
	var ids []int64
	if back {
		last := r.list(o.Reversed(), First(1))
		ids = last.Items
		// The cursor of the same row in the order itself.
		whole := r.list(o, First(MaxSize))
		q = Request{Cursor: true, Size: size, Before: whole.After}
	}
	for range 1000 {
		page := r.list(o, q)
		if len(page.Items) == 0 {
			if page.After != "" || page.Before != "" || page.HasMore {
				r.Errorf("an empty page has cursors: %+v", page)
			}
			return ids
		}
		if back {
			slices.Reverse(page.Items)
		}
		ids = append(ids, page.Items...)
		switch {
		case back:
			q.Before = page.Before
		case !page.HasMore:
			return ids
		default:
			q.After = page.After
		}
		meanwhile()
	}
	r.Fatalf("%s does not end", o.Name)
	return nil
}

func TestEveryRowIsVisitedOnceInBothDirections(t *testing.T) {
	t.Parallel()
	for _, order := range orders {
		for _, o := range []Order{order, order.Reversed()} {
			for _, size := range []int{1, 2, 7} {
				t.Run(fmt.Sprint(o.Name, " by ", size), func(t *testing.T) {
					t.Parallel()
					r := newRows(t)
					for id := range int64(20) {
						r.add(id)
					}
					want := r.all(o)
					r.whole = true
					if got := r.walk(o, size, false, func() {}); !slices.Equal(got, want) {
						t.Errorf("whole, forth %v\n        want %v", got, want)
					}
					if got := r.walk(o, size, true, func() {}); !slices.Equal(got, reversed(want)) {
						t.Errorf("whole, back %v\n       want %v", got, reversed(want))
					}
					r.whole = false
					for _, r.keys = range []bool{true, false} {
						if got := r.walk(o, size, false, func() {}); !slices.Equal(got, want) {
							t.Errorf("keys first %v, forth %v\n want %v", r.keys, got, want)
						}
						if got := r.walk(o, size, true, func() {}); !slices.Equal(got, reversed(want)) {
							t.Errorf("keys first %v, back %v\nwant %v", r.keys, got, reversed(want))
						}
					}
					if got := r.walk(o, size, false, func() {}); !slices.Equal(got, want) {
						t.Errorf("forth %v\n want %v", got, want)
					}
					if got := r.walk(o, size, true, func() {}); !slices.Equal(got, reversed(want)) {
						t.Errorf("back %v\nwant %v", got, reversed(want))
					}
				})
			}
		}
	}
}

func reversed(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}

func TestRowsThatStayAreVisitedOnceWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	for _, o := range orders {
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprint(o.Name, " back ", back), func(t *testing.T) {
				t.Parallel()
				r := newRows(t)
				random := rand.New(rand.NewPCG(1, 2))
				for id := range int64(12) {
					r.add(id * 10)      // stays
					r.add(id*10 + 1000) // may go
				}
				seen := map[int64]int{}
				for _, id := range r.walk(o, 1, back, func() {
					r.exec("DELETE FROM rows WHERE id >= 1000 AND id = (SELECT id FROM rows WHERE id >= 1000 ORDER BY (id * 7919) % 97 LIMIT 1)")
					if random.IntN(3) == 0 {
						r.add(2000 + random.Int64N(1_000_000_000))
					}
				}) {
					seen[id]++
				}
				for id := range int64(12) {
					if seen[id*10] != 1 {
						t.Errorf("row %d was visited %d times", id*10, seen[id*10])
					}
				}
				for id, n := range seen {
					if n > 1 {
						t.Errorf("row %d was visited %d times", id, n)
					}
				}
			})
		}
	}
}

func TestPagesByNumber(t *testing.T) {
	t.Parallel()
	r := newRows(t)
	for id := range int64(5) {
		r.add(id)
	}
	for _, tc := range []struct {
		number, size int
		items        string
		more         bool
	}{
		{1, 2, "[0 1]", true},
		{2, 2, "[2 3]", true},
		{3, 2, "[4]", false},
		{4, 2, "[]", false},
		{1, 5, "[0 1 2 3 4]", false},
		{100, 100, "[]", false},
	} {
		for _, way := range []struct{ whole, keys bool }{{}, {whole: true}, {keys: true}} {
			r.whole, r.keys = way.whole, way.keys
			got := r.list(orders[0], Request{Number: tc.number, Size: tc.size})
			if fmt.Sprint(got.Items) != tc.items || got.HasMore != tc.more || got.Count != 5 || got.Items == nil {
				t.Errorf("page %d of %d, whole %v: %v, more %v, count %d", tc.number, tc.size, r.whole, got.Items, got.HasMore, got.Count)
			}
			if _, err := r.tryList(orders[0], Request{Number: 101, Size: 100}); !fault.Is(err, fault.BadPage) {
				t.Errorf("beyond %d rows: %v", MaxOffset, err)
			}
		}
	}
}

func TestWholeLeavesListingsThatAreTooLong(t *testing.T) {
	t.Parallel()
	r := newRows(t)
	for id := range int64(5) {
		r.add(id)
	}
	for most, want := range map[int]bool{4: false, 5: true} {
		for _, q := range []Request{First(2), {Number: 1, Size: 2}, {Number: 9, Size: 2}, {Cursor: true, Size: 2, After: r.list(orders[0], First(5)).After}} {
			_, whole, err := Whole(r.Context(), r.db, Query{Select: "r.id", From: "rows r", Where: "true", Order: orders[0], Rejoin: "JOIN rows r ON r.id = k.id"}, q, most,
				func(row postgres.Scanned, order ...any) (id int64, err error) {
					return id, row.Scan(append([]any{&id}, order...)...)
				})
			if whole != want || err != nil {
				t.Errorf("five rows, %d at most, %+v: whole %v, %v", most, q, whole, err)
			}
		}
	}
}

func TestCursorsThatWereNotGivenOut(t *testing.T) {
	t.Parallel()
	r := newRows(t)
	for id := range int64(5) {
		r.add(id)
	}
	made := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	other := r.list(orders[2], First(1)).After
	for name, cursor := range map[string]string{
		"not base64":             "%%%",
		"not JSON":               made("{"),
		"no JSON object":         made("7"),
		"of another order":       other,
		"of too few columns":     made(`{"o":"at,id","v":["2026-03-01T12:00:00Z"]}`),
		"of too many columns":    made(`{"o":"at,id","v":["2026-03-01T12:00:00Z",1,2]}`),
		"with a text for an id":  made(`{"o":"at,id","v":["2026-03-01T12:00:00Z","1"]}`),
		"with a number for time": made(`{"o":"at,id","v":[5,1]}`),
		"with no time":           made(`{"o":"at,id","v":["yesterday",1]}`),
		"with a fraction":        made(`{"o":"at,id","v":["2026-03-01T12:00:00Z",1.5]}`),
		"with a huge number":     made(`{"o":"at,id","v":["2026-03-01T12:00:00Z",9223372036854775808]}`),
		"with null":              made(`{"o":"at,id","v":["2026-03-01T12:00:00Z",null]}`),
		"with an object":         made(`{"o":"at,id","v":["2026-03-01T12:00:00Z",{}]}`),
		"with a zero byte":       made(`{"o":"at,id","v":["\u0000",1]}`),
		"too long":               strings.Repeat("A", 9000),
	} {
		for _, q := range []Request{{Cursor: true, Size: 2, After: cursor}, {Cursor: true, Size: 2, Before: cursor}} {
			if _, err := r.tryList(orders[1], q); !fault.Is(err, fault.BadCursor) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// A cursor may be sent in either alphabet of base64, and of a row that is gone.
	good := r.list(orders[1], First(2)).After
	raw, _ := base64.URLEncoding.DecodeString(good)
	r.exec("DELETE FROM rows WHERE id = ?", r.all(orders[1])[1])
	want := r.list(orders[1], Request{Cursor: true, Size: 9, After: good}).Items
	if got := r.list(orders[1], Request{Cursor: true, Size: 9, After: made(string(raw))}).Items; len(want) != 3 || !slices.Equal(got, want) {
		t.Errorf("behind the cursor: %v and %v", got, want)
	}
}

// Whatever the values of a row are, its cursor is read again.
func TestLongCursorsAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"<", "&", "\u00e9", "\u5b57", "\U0001F600", "\u0001"} {
		text := strings.Repeat(c, 255)
		values := []any{text, text, text, int64(1<<63 - 1)}
		again, err := decode("after", encode("group,sort,id", slices.Clone(values)), "group,sort,id", len(values))
		if err != nil || !slices.Equal(again, values) {
			t.Errorf("%q: %v", c, err)
		}
	}
	if n := len(encode("title,id", []any{strings.Repeat("<", 255), int64(5)})); n > 400 {
		t.Errorf("the cursor of a title of 255 characters has %d", n)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(encode("at,id", []any{noon, int64(5)}))
	f.Add(base64.StdEncoding.EncodeToString([]byte(`{"o":"at,id","v":["\ud800",-1]}`)))
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := decode("after", text, "at,id", 2)
		if err != nil {
			if !fault.Is(err, fault.BadCursor) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, _, err := behind("after", orders[1], values); err != nil && !fault.Is(err, fault.BadCursor) {
			t.Errorf("%q: %v", text, err)
		}
		// What is accepted can be given out again.
		again, err := decode("after", encode("at,id", slices.Clone(values)), "at,id", 2)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(values) {
			t.Errorf("%q: %v, then %v %v", text, values, again, err)
		}
	})
}

func TestCountsOfTwoDatabasesAreApart(t *testing.T) {
	t.Parallel()
	first, second := testdb.DB(t), testdb.DB(t)
	count := func(db *gorm.DB, rows int) int {
		t.Helper()
		n, _, err := Count(t.Context(), db, "generate_series(1, (SELECT count(*) FROM accounts) + ?) AS s", "s > ?", []any{rows, 0})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	grow := func(db *gorm.DB) {
		t.Helper()
		err := db.Exec(`INSERT INTO accounts (subdomain, name, time_zone, settings, config_version, created_at, updated_at)
			VALUES ('b', 'B', 'UTC', '{}', 1, now(), now())`).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := count(first, exactCount+5); got != exactCount+5 {
		t.Errorf("%d rows", got)
	}
	grow(second)
	if got := count(second, exactCount+5); got != exactCount+6 {
		t.Errorf("%d rows in the other database", got)
	}
	// A large count is kept for a while, a small one is not.
	grow(first)
	if got := count(first, exactCount+5); got != exactCount+5 {
		t.Errorf("%d rows, counted anew", got)
	}
	if got := count(first, 5); got != 6 {
		t.Errorf("%d rows", got)
	}
}

func TestMap(t *testing.T) {
	t.Parallel()
	got := Map(Result[int]{Items: []int{1, 2}, HasMore: true, After: "a", Before: "b", Count: 7}, func(n int) string { return fmt.Sprint(n * n) })
	if fmt.Sprint(got.Items) != "[1 4]" || !got.HasMore || got.After != "a" || got.Before != "b" || got.Count != 7 {
		t.Errorf("%+v", got)
	}
}
