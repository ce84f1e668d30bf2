package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// library is an account's documents beside the index, looked into one by one.
type library struct {
	t    *testing.T
	db   *gorm.DB
	ctx  context.Context
	x    *Index
	said map[int64][2]string // title and body
}

func newLibrary(t *testing.T) *library {
	db, ctx := opened(t, 0)
	return &library{t, db, ctx, NewIndex(db), map[int64][2]string{}}
}

func (b *library) put(id int64, title, body string) {
	b.t.Helper()
	d := &Document{Account: 1, Kind: Ticket, ID: id}
	d.Add(Title, title)
	d.Add(Body, body)
	b.exec(putFresh, int64(1), "ticket", models.IDs{id}, [][]byte{d.pack()}, []bool{false})
	b.said[id] = [2]string{title, body}
}

func (b *library) drop(id int64) {
	b.t.Helper()
	if err := DropTx(b.db.WithContext(b.ctx), 1, Ticket, id); err != nil {
		b.t.Fatal(err)
	}
	delete(b.said, id)
}

func (b *library) exec(query string, args ...any) {
	b.t.Helper()
	if err := postgres.Exec(b.db.WithContext(b.ctx), query, args); err != nil {
		b.t.Fatal(err)
	}
}

func (b *library) flush() {
	b.t.Helper()
	if err := b.x.flush(b.ctx, stock{1, Ticket}); err != nil {
		b.t.Fatal(err)
	}
}

// look is what is found both with and without what is known from before.
func (b *library) look(w Wanted) (all, titled []int64) {
	b.t.Helper()
	all, titled = b.lookBy(Look, w)
	for range 2 {
		if again, titles := b.lookBy(b.x.Look, w); !slices.Equal(again, all) || !slices.Equal(titles, titled) {
			b.t.Fatalf("%d found by what is known, and %d otherwise", len(again), len(all))
		}
	}
	return all, titled
}

func (b *library) lookBy(look func(*gorm.DB, int64, Wanted) (*Lookup, error), w Wanted) (all, titled []int64) {
	b.t.Helper()
	w.Kind = Ticket
	err := b.db.WithContext(b.ctx).Transaction(func(tx *gorm.DB) error {
		l, err := look(tx, 1, w)
		for err == nil {
			var found, title Records
			var more bool
			if found, title, more, err = l.Next(); !more {
				break
			}
			all, titled = append(all, found.Newest(1<<30)...), append(titled, title.Newest(1<<30)...)
			for _, id := range found.Newest(3) {
				if !found.Has(id) {
					b.t.Errorf("%d is found and is not", id)
				}
			}
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all, titled
}

// holding are the ids of documents for which f holds, the newest first.
func (b *library) holding(f func(title, body string) bool) (out []int64) {
	for id, said := range b.said {
		if f(said[0], said[1]) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

func (b *library) check(what string, w Wanted, f func(title, body string) bool) {
	b.t.Helper()
	if got, want := first(b.look(w)), b.holding(f); !slices.Equal(got, want) {
		b.t.Fatalf("%s: %d found, %d hold: %.80s; %.80s", what, len(got), len(want), fmt.Sprint(got), fmt.Sprint(want))
	}
}

func first(a, _ []int64) []int64 { return a }

// Whatever was written, changed, taken away and put together in whatever order, the
// index finds what reading all of the texts finds.
func TestLookFindsWhatReadingFinds(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("alpha beta gamma delta alphabet 한국어 omega")
	text := func() string {
		var s []string
		for range 1 + r.IntN(8) {
			s = append(s, words[min(r.IntN(len(words)), r.IntN(len(words)))])
		}
		return strings.Join(s, " ")
	}
	look := Words{Kind: Ticket}
	begin := Words{Kind: Ticket, Begin: true}
	has := func(text, word string) bool { return slices.Contains(strings.Fields(text), word) }
	either := func(word string) func(a, b string) bool {
		return func(a, b string) bool { return has(a, word) || has(b, word) }
	}
	phrase := func(words string) func(a, b string) bool {
		return func(a, b string) bool {
			return strings.Contains(" "+a+" ", " "+words+" ") || strings.Contains(" "+b+" ", " "+words+" ")
		}
	}
	for round := range 12 {
		for range 120 {
			id := int64(1 + r.IntN(400))
			if r.IntN(3) == 0 {
				id += 1 << 50
			}
			if r.IntN(8) == 0 {
				b.drop(id)
				continue
			}
			b.put(id, text(), text())
		}
		if round%4 != 3 {
			b.flush()
		}
		for _, w := range words {
			b.check(w, Wanted{Match: look.Word(w)}, either(w))
		}
		b.check("alpha*", Wanted{Match: begin.Word("alpha")}, func(a, b string) bool { return strings.Contains(a+b, "alpha") })
		b.check("alpha beta", Wanted{Match: All(look.Word("alpha"), look.Word("beta"))}, func(a, b string) bool { return either("alpha")(a, b) && either("beta")(a, b) })
		b.check("alpha -beta", Wanted{Match: look.Word("alpha"), Without: look.Word("beta")}, func(a, b string) bool { return either("alpha")(a, b) && !either("beta")(a, b) })
		b.check("-alpha", Wanted{Without: look.Word("alpha")}, func(a, b string) bool { return !either("alpha")(a, b) })
		b.check(`"alpha beta"`, Wanted{Match: look.Phrase("alpha beta")}, phrase("alpha beta"))
		b.check(`"gamma alpha beta"`, Wanted{Match: look.Phrase("gamma alpha beta")}, phrase("gamma alpha beta"))
		b.check(`"beta 한국어"`, Wanted{Match: look.Phrase("beta 한국어")}, phrase("beta 한국어"))
		b.check(`"alpha alpha"`, Wanted{Match: look.Phrase("alpha alpha")}, phrase("alpha alpha"))
		b.check(`"한국어 한국어"`, Wanted{Match: look.Phrase("한국어 한국어")}, phrase("한국어 한국어"))
		b.check(`"alpha beta" "beta alpha"`, Wanted{Match: All(look.Phrase("alpha beta"), look.Phrase("beta alpha"))}, func(a, b string) bool { return phrase("alpha beta")(a, b) && phrase("beta alpha")(a, b) })
		b.check("beta-alpha*", Wanted{Match: begin.Word("beta-alpha")}, func(a, b string) bool { return phrase("beta alpha")(a, b) || phrase("beta alphabet")(a, b) })
		b.check(`alpha -"alpha beta"`, Wanted{Match: look.Word("alpha"), Without: look.Phrase("alpha beta")}, func(a, b string) bool { return either("alpha")(a, b) && !phrase("alpha beta")(a, b) })
		title := Words{Kind: Ticket, Parts: []Part{Title}}
		_, titled := b.look(Wanted{Match: look.Word("gamma"), Title: title.Word("gamma")})
		if want := b.holding(func(a, _ string) bool { return has(a, "gamma") }); !slices.Equal(titled, want) {
			t.Fatalf("titles: %v, want %v", titled, want)
		}
	}
	if n := count(t, b.db, b.ctx, "search_runs"); n > 8 {
		t.Errorf("%d runs are left of two sections", n)
	}
}

// A text that must go is in no run any more, though no other change came.
func TestErasedTextsLeaveTheRuns(t *testing.T) {
	t.Parallel()
	b := newLibrary(t)
	for id := range int64(2000) {
		b.put(id+1, "", "common words")
	}
	b.put(2001, "", "secretive words")
	b.flush()
	b.put(2001, "", "words")
	b.put(2002, "", "more words")
	b.flush()
	if !b.written("secretive") {
		t.Error("the runs were written anew for two documents")
	}
	b.drop(2001)
	b.flush()
	if b.written("secretive") {
		t.Error("the text is still there")
	}
	if got := first(b.look(Wanted{Match: Words{Kind: Ticket}.Word("words")})); len(got) != 2001 || got[0] != 2002 || got[1] != 2000 {
		t.Errorf("%d found: %v", len(got), got[:2])
	}
}

// written reports whether a word is in the index's tables.
func (b *library) written(word string) (found bool) {
	b.t.Helper()
	_, err := postgres.Row(b.db.WithContext(b.ctx), `SELECT EXISTS (SELECT FROM search_blocks WHERE account_id = 1 AND position(?::bytea IN data) > 0)
		OR EXISTS (SELECT FROM search_fresh WHERE account_id = 1 AND position(?::bytea IN doc) > 0)`, []any{[]byte(word[1:]), []byte(word[1:])}, &found)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

func TestWhatIsKnownOfWordsIsBounded(t *testing.T) {
	t.Parallel()
	l := newLately()
	sets := func(word string, size int) *wordSets {
		w := &wordSets{of: wordKey{1, Ticket, span{word, word + "z"}}, runs: map[int64][]keySet{}}
		for run := range int64(4) {
			w.add(run, keySet{word, make([]byte, size/4)})
		}
		return w
	}
	often := sets("often", wordBytes/2)
	l.put(often)
	for i := range 100 {
		l.put(sets(fmt.Sprint(i), wordBytes/2))
		if l.get(often.of) != often {
			t.Fatalf("what is used is forgotten after %d others", i)
		}
	}
	if l.get(sets("0", 0).of) != nil || len(l.by) != l.order.Len() || len(l.by) > 2*latelyBytes/wordBytes || l.bytes > latelyBytes {
		t.Errorf("%d words are kept in %d bytes", len(l.by), l.bytes)
	}
	if sets("large", wordBytes).runs != nil {
		t.Error("a word that takes too much is kept")
	}
	l.put(sets("often", 0))
	if keys, ok := l.get(often.of).in(3); !ok || len(keys) != 1 || len(keys[0].ids) != 0 {
		t.Errorf("%v is not what was put last", keys)
	}
}

func FuzzRead(f *testing.F) {
	d := Document{Account: 1, Kind: Ticket, ID: 1}
	d.Add(Body, "Hello, World")
	f.Add(d.pack())
	f.Add(appendSet(nil, []uint16{1, 5, 32767}))
	f.Fuzz(func(_ *testing.T, b []byte) { // fails, or reads something, and ends
		r := reader{b: b}
		for r.more() {
			r.next()
			r.places(nil)
		}
		r = reader{b: b}
		for r.more() {
			r.skip(2)
			r.meeting([]uint32{1, 2, 1000}, 1)
		}
		var s set
		_ = s.unite(b, &set{})
		_, _ = readSet(nil, b)
	})
}

func TestSetsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for _, places := range [][]uint16{nil, {0}, {SectionSize - 1}, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {1, 500, 501, 32000}, every(1), every(7), every(9), every(40)} {
		b := appendSet(nil, places)
		got, err := readSet(nil, b)
		if err != nil || !slices.Equal(got, places) {
			t.Errorf("%d places are read as %d: %v", len(places), len(got), err)
		}
		var s, all set
		for i := range all {
			all[i] = ^uint64(0)
		}
		if err := s.unite(b, &all); err != nil || s != *setOf(places) || s.len() != len(places) {
			t.Errorf("%d places unite to %d: %v", len(places), s.len(), err)
		}
	}
}

// Places are gone over as they are read, and what begins a phrase is left as a search
// in both lists finds it.
func TestPlacesAreSkippedAsRead(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	list := func() (out []uint32) {
		last := uint32(0)
		for range r.IntN(20) {
			last += uint32(1 + r.IntN(1<<r.IntN(18)))
			out = append(out, last)
		}
		return out
	}
	for range 2_000 {
		first, second, far := list(), list(), uint32(r.IntN(3))
		var want []uint32
		for _, place := range first {
			if r.IntN(2) == 0 {
				second = append(second, place+far)
			}
		}
		slices.Sort(second)
		second = slices.Compact(second)
		for _, place := range first {
			if slices.Contains(second, place+far) {
				want = append(want, place)
			}
		}
		in := reader{b: appendPlaces(appendPlaces(appendPlaces(appendPlaces(nil, first), second), second), first)}
		in.skip(2)
		begins := slices.Clone(first)
		if begins = begins[:in.meeting(begins, far)]; !slices.Equal(begins, want) {
			t.Fatalf("%v and %v, %d apart: %v, want %v", first, second, far, begins, want)
		}
		if rest := in.places(nil); !slices.Equal(rest, first) || in.more() || in.err != nil {
			t.Fatalf("%v is left of %v: %v", rest, first, in.err)
		}
		if in.skip(1); in.err == nil {
			t.Fatal("what is not there was gone over")
		}
	}
}

func every(n int) (out []uint16) {
	for at := 0; at < SectionSize; at += n {
		out = append(out, uint16(at))
	}
	return out
}
