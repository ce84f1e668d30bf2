package tickets

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/recent"
	"github.com/helpd/helpd/server/testdb"
)

// selected are the ids of a selection, size at a time.
func (w *world) selected(by auth.Actor, s Selection, r page.Request) []int64 {
	w.Helper()
	return walk(w.T, r, func(r page.Request) (Listed, error) { return w.Select(w.ctx, by, s, r) })
}

// A selection has the same pages whether it is short and sorted whole, or long;
// and nothing in it that the caller may not see.
func TestSelectionsHaveTheSamePagesShortAndLong(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	selection := Selection{
		Where: "t.id > 0 AND m.replies >= ?", Args: []any{0}, Measured: true,
		Joins: " LEFT JOIN users a ON a.account_id = t.account_id AND a.id = t.assignee_id",
		Order: page.Order{Name: "x", Columns: []page.Column{
			{Expr: "coalesce(a.name, '')", Kind: page.Text, Desc: true}, {Expr: "t.updated_at", Kind: page.Time}, {Expr: "t.id", Kind: page.Int, Desc: true},
		}},
	}
	for who, by := range map[string]auth.Actor{
		"groups": tn.gusWith(models.RestrictGroups), "assigned": tn.gusWith(models.RestrictAssigned),
		"organization": tn.gusWith(models.RestrictOrganization), "all": tn.gusWith(""),
	} {
		want, err := tn.SelectAll(tn.ctx, by, selection)
		if err != nil || len(want) < 2 {
			t.Fatal(who, want, err)
		}
		if got, all := slices.Sorted(slices.Values(want)), tn.walked(t, by, Filter{}, page.Request{Number: 1, Size: 100}); !slices.Equal(got, all) {
			t.Errorf("%s: %v, want %v", who, got, all)
		}
		if n, err := tn.CountSelected(tn.ctx, by, selection); n != len(want) || err != nil {
			t.Errorf("%s: counted %d, want %d: %v", who, n, len(want), err)
		}
		for _, tn.wholeTo = range []int{1, len(want) - 1, len(want), 100} {
			for _, r := range []page.Request{{Number: 1, Size: 1}, {Number: 1, Size: 100}, page.First(1), page.First(2)} {
				if got := tn.selected(by, selection, r); !slices.Equal(got, want) {
					t.Errorf("%s, %d whole, %+v: %v, want %v", who, tn.wholeTo, r, got, want)
				}
				lasting := selection // as a list that is kept
				lasting.Where, lasting.Measured = "t.id > ?", false
				tn.kept = recent.New[*kept](keptLists)
				if got := tn.selected(by, lasting, r); !slices.Equal(got, want) {
					t.Errorf("%s, %d kept, %+v: %v, want %v", who, tn.wholeTo, r, got, want)
				}
			}
		}
	}
	seen := func(by auth.Actor) string { return selection.Key(by) }
	if seen(tn.gusWith("")) != seen(tn.admin) || seen(tn.gusWith(models.RestrictAssigned)) == seen(tn.admin) {
		t.Error("who sees all has no key in common, or who does not has theirs")
	}
	other := selection
	other.Args = []any{1}
	if other.Key(tn.admin) == seen(tn.admin) {
		t.Error("another selection has the same key")
	}
	texts := func(args ...any) string { return Selection{Where: "?||?=t.subject", Args: args}.Key(tn.admin) }
	if texts("a b", "c") == texts("a", "b c") || texts("1", "") == texts(1, "") {
		t.Error("other values have the same key")
	}
}

// sorted are the statements that put tickets in the order of a name.
type sorted struct {
	mu   sync.Mutex
	sent []string
}

func (s *sorted) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(d.SQL, "ORDER BY coalesce(a.name") {
		s.sent = append(s.sent, d.SQL)
	}
	return ctx
}

func (s *sorted) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Where so many tickets are selected that they are read as the order has them, their
// keys are sorted, and never the tickets with all that they have: also for the first page.
func TestPagesOfLargeSelectionsSortKeysAlone(t *testing.T) {
	t.Parallel()
	noted := &sorted{}
	db, err := postgres.Open(testdb.DSN(t), postgres.Options{Tracer: noted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Close(db) })
	w := newWorldOn(t, db)
	for range 3 {
		w.ticket(Change{})
	}
	w.wholeTo = 1
	selection := Selection{
		Where: "t.id > 0", Joins: " LEFT JOIN users a ON a.account_id = t.account_id AND a.id = t.assignee_id",
		Order: page.Order{Name: "x", Columns: []page.Column{{Expr: "coalesce(a.name, '')", Kind: page.Text}, {Expr: "t.id", Kind: page.Int}}},
	}
	for _, r := range []page.Request{{Number: 1, Size: 2}, {Number: 2, Size: 2}, page.First(2)} {
		noted.sent = nil
		if list, err := w.Select(w.ctx, w.admin, selection, r); err != nil || len(list.Items) == 0 {
			t.Fatal(list, err)
		}
		if len(noted.sent) != 1 || !strings.Contains(noted.sent[0], "AS k JOIN tickets t ON") {
			t.Errorf("%+v sorts by %q", r, noted.sent)
		}
	}
}
