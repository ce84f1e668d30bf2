package tickets

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/recent"
	"github.com/helpd/helpd/server/testdb"
)

// urgent is a selection like a view's, by the latest change.
var urgent = Selection{
	Where: "t.priority = ? AND t.tags @> ?::text[]", Args: []any{"urgent", "{hot}"},
	Order: page.Order{Name: "x", Columns: []page.Column{
		{Expr: "t.updated_at", Kind: page.Time, Desc: true}, {Expr: "t.id", Kind: page.Int, Desc: true},
	}},
}

// Whatever happens to tickets, a list that is kept is as it would be found anew.
func TestKeptListsAreAsFound(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	log := events.NewLog(w.db, w.now, slog.New(slog.DiscardHandler))
	r := rand.New(rand.NewPCG(1, 9))
	var ids []int64
	some1 := func() int64 { return ids[r.IntN(len(ids))] }
	change := func() error {
		w.tick(time.Second)
		hot := Change{Priority: some("urgent"), Tags: []string{"hot"}}
		switch r.IntN(8) {
		case 0, 1:
			ids = append(ids, w.ticket(hot).ID)
		case 2:
			ids = append(ids, w.ticket(Change{Subject: some("cold")}).ID)
		case 3:
			_, err := w.Update(w.ctx, w.admin, some1(), hot)
			return err
		case 4:
			_, err := w.Update(w.ctx, w.admin, some1(), Change{Tags: []string{"cold"}})
			return err
		case 5:
			_, err := w.Update(w.ctx, w.admin, some1(), Change{Comment: says("More")})
			return err
		case 6:
			i := r.IntN(len(ids))
			err := w.Delete(w.ctx, w.admin, ids[i])
			ids = slices.Delete(ids, i, i+1)
			return err
		case 7:
			_, err := log.Number(w.ctx)
			return err
		}
		return nil
	}
	for range 10 {
		ids = append(ids, w.ticket(Change{Priority: some("urgent"), Tags: []string{"hot"}}).ID)
	}
	cursor := ""
	for n := range 120 {
		if err := change(); err != nil {
			t.Fatal(n, err)
		}
		for _, req := range []page.Request{{Number: 1, Size: 4}, {Number: 2, Size: 4}, page.First(3), {Cursor: true, Size: 3, After: cursor}, {Cursor: true, Size: 2, Before: cursor}} {
			got, err := w.Select(w.ctx, w.admin, urgent, req)
			if err != nil {
				t.Fatal(n, req, err)
			}
			fresh := w.kept
			w.kept = recent.New[*kept](keptLists)
			want, err := w.Select(w.ctx, w.admin, urgent, req)
			w.kept = fresh
			if err != nil {
				t.Fatal(n, req, err)
			}
			if g, wt := listedIDs(got), listedIDs(want); !slices.Equal(g, wt) || got.Count != want.Count || got.HasMore != want.HasMore || got.After != want.After || got.Before != want.Before {
				t.Fatalf("%d, %+v: %v of %d, more %v; found anew %v of %d, more %v", n, req, g, got.Count, got.HasMore, wt, want.Count, want.HasMore)
			}
			if req.Cursor && got.After != "" && r.IntN(4) == 0 {
				cursor = got.After
			}
		}
	}
}

func listedIDs(l Listed) (ids []int64) {
	for _, t := range l.Items {
		ids = append(ids, t.ID)
	}
	return ids
}

// A list is kept while other tickets change, and no longer than it may.
func TestListsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	log := events.NewLog(w.db, w.now, slog.New(slog.DiscardHandler))
	mine := w.ticket(Change{Priority: some("urgent"), Tags: []string{"hot"}}).ID
	other := w.ticket(Change{}).ID
	if _, err := log.Number(w.ctx); err != nil {
		t.Fatal(err)
	}
	made := func() time.Time {
		t.Helper()
		l, err := w.Select(w.ctx, w.admin, urgent, page.Request{Number: 1, Size: 5})
		if err != nil || !slices.Contains(listedIDs(l), mine) {
			t.Fatal(listedIDs(l), err)
		}
		if len(w.kept.All()) != 1 {
			t.Fatalf("%d lists are kept", len(w.kept.All()))
		}
		for _, list := range w.kept.All() {
			return list.made
		}
		return time.Time{}
	}
	first := made()
	for range 3 {
		w.tick(time.Second)
		if _, err := w.Update(w.ctx, w.admin, other, Change{Comment: says("More")}); err != nil {
			t.Fatal(err)
		}
		if made() != first {
			t.Error("the list was found anew though another ticket changed")
		}
		if _, err := log.Number(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range w.kept.All() {
		list.made = first.Add(-keptFor)
	}
	if !made().After(first) {
		t.Error("the list is kept for ever")
	}
	for n := range keptLists + 5 {
		one := urgent
		one.Args = []any{"urgent", fmt.Sprintf("{tag%d}", n)}
		if _, err := w.Select(w.ctx, w.admin, one, page.Request{Number: 1, Size: 5}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.kept.All()) != keptLists {
		t.Errorf("%d lists are kept", len(w.kept.All()))
	}
}
