package search

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// Wanted says which documents of a kind are looked for: those that Match holds for,
// nil for all, and Without does not. Of these Title tells the more relevant.
type Wanted struct {
	Kind                  Kind
	Match, Without, Title *Match
}

// Lookup are the documents that are wanted, as they are found.
type Lookup struct {
	tx      *gorm.DB
	lately  *lately // nil: nothing is kept
	account int64
	want    Wanted
	leaves  []leaf
	phrases []*Match       // of any of the conditions
	words   [][]wordOf     // of each leaf, the words of phrases that it is
	often   map[string]int // how many documents have the texts of these words

	sections []*section // yet to come, the newest first
	step     int        // how many documents with the words of phrases come next
}

// section is a part of the index, with what a lookup knows of it.
type section struct {
	number int64
	runs   []*reading // the newest first
	docs   set        // all that there are
	have   []*set     // of each leaf, those that have it; nil for none

	// Of each phrase, nil for none:
	may   []*set     // those that have its words
	seek  []*seeking // the search for it, while it lasts
	exact []*set     // those that have it
}

// reading is a run that is read, or the documents that are in none.
type reading struct {
	number int64 // 0: these
	docs   []packedDoc
	live   set
	keys   []readKey // that phrases want, in their order
}

// readKey is a key of a run, and of which leaf.
type readKey struct {
	leaf int
	keySet
}

// Look begins to look for documents. tx must be one of Index.Read, or as OneState says.
func Look(tx *gorm.DB, account int64, want Wanted) (*Lookup, error) {
	return look(tx, nil, account, want)
}

// Look is Look, faster for words that were looked for lately.
func (x *Index) Look(tx *gorm.DB, account int64, want Wanted) (*Lookup, error) {
	return look(tx, x.lately, account, want)
}

func look(tx *gorm.DB, known *lately, account int64, want Wanted) (*Lookup, error) {
	l := &Lookup{tx: tx, lately: known, account: account, want: want, step: lookedInto}
	l.leaves = want.Title.leaves(want.Without.leaves(want.Match.leaves(nil)))
	l.phrases = want.Title.phrases(want.Without.phrases(want.Match.phrases(nil)))
	l.words = l.wordsOf()
	if err := l.open(); err != nil {
		return nil, err
	}
	if err := l.readFresh(); err != nil {
		return nil, err
	}
	err := l.readSets()
	l.countWords()
	return l, err
}

// open finds the sections, their runs and the documents that are in none.
func (l *Lookup) open() error {
	by := map[int64]*section{}
	at := func(n int64) *section {
		if by[n] == nil {
			by[n] = &section{number: n, have: make([]*set, len(l.leaves))}
			l.sections = append(l.sections, by[n])
		}
		return by[n]
	}
	hidden := map[int64]*set{} // what newer runs have
	hide := func(n int64, r *reading, gone *set) {
		h := hidden[n]
		if h == nil {
			h = new(set)
			hidden[n] = h
		}
		all := r.live
		r.live.without(h)
		h.or(&all)
		h.or(gone)
		s := at(n)
		s.docs.or(&r.live)
		s.runs = append(s.runs, r)
	}
	unwritten := map[int64]*storedRun{}
	docs := map[int64][]packedDoc{}
	err := postgres.Rows(l.tx, "SELECT record_id, doc FROM search_fresh WHERE account_id = ? AND kind = ?", []any{l.account, string(l.want.Kind)}, func(row postgres.Scanned) error {
		var id int64
		var doc []byte
		if err := row.Scan(&id, &doc); err != nil {
			return err
		}
		n, place := sectionOf(id)
		if unwritten[n] == nil {
			unwritten[n] = new(storedRun)
		}
		if doc == nil {
			unwritten[n].gone.add(place)
			return nil
		}
		unwritten[n].ids.add(place)
		docs[n] = append(docs[n], packedDoc{place, doc})
		return nil
	})
	if err != nil {
		return err
	}
	for n, f := range unwritten {
		hide(n, &reading{docs: docs[n], live: f.ids}, &f.gone)
	}
	err = postgres.Rows(l.tx, "SELECT section, run, ids, gone FROM search_runs WHERE account_id = ? AND kind = ? ORDER BY section DESC, run DESC", []any{l.account, string(l.want.Kind)}, func(row postgres.Scanned) error {
		var n int64
		var r reading
		var ids, gone sql.RawBytes
		if err := row.Scan(&n, &r.number, &ids, &gone); err != nil {
			return err
		}
		var hides set
		if err := r.live.read(ids); err != nil {
			return err
		}
		err := hides.read(gone)
		hide(n, &r, &hides)
		return err
	})
	slices.SortFunc(l.sections, func(a, b *section) int { return cmp.Compare(b.number, a.number) })
	return err
}

// found notes that a record has a leaf.
func (s *section) found(leaf int) *set {
	if s.have[leaf] == nil {
		s.have[leaf] = new(set)
	}
	return s.have[leaf]
}

// readFresh looks for the leaves in documents that are in no run.
func (l *Lookup) readFresh() error {
	for _, s := range l.sections {
		for _, r := range s.runs {
			for _, d := range r.docs {
				in := reader{b: d.doc}
				for in.more() {
					key := in.next()
					for i := range l.leaves {
						if l.leaves[i].holds(key) {
							s.found(i).add(d.at)
						}
					}
					in.skip(1)
				}
				if in.err != nil {
					return in.err
				}
			}
		}
	}
	return nil
}

// Next are the documents of the newest sections that were not told of yet, and those
// of them that are more relevant; false when there are none. Of phrases, whose
// every document must be looked into, come few at first.
func (l *Lookup) Next() (all, titled Records, more bool, err error) {
	now, err := l.advance()
	if err != nil || now == nil {
		return all, titled, false, err
	}
	for _, s := range now {
		found := l.wanted(s, false)
		if found == nil {
			continue
		}
		all.add(s.number, found)
		if l.want.Title != nil {
			if t := l.holds(l.want.Title, s, false); t != nil {
				t.and(found)
				titled.add(s.number, t)
			}
		}
	}
	return all, titled, true, nil
}

// lookedInto is how many documents are looked into for phrases at first. It is twice
// as many each time.
const lookedInto = 1 << 12

// advance makes the next sections ready to be looked into; nil when there are none.
func (l *Lookup) advance() ([]*section, error) {
	if len(l.phrases) == 0 {
		now := l.sections
		l.sections = nil
		return now, nil
	}
	if len(l.sections) == 0 {
		return nil, nil
	}
	n := 0
	for docs := 0; n < len(l.sections) && docs < l.step; n++ {
		s := l.sections[n]
		s.may = l.candidates(s)
		for _, have := range s.may {
			if have != nil {
				docs += have.len()
			}
		}
	}
	l.step *= 2
	now := l.sections[:n]
	l.sections = l.sections[n:]
	return now, l.readPhrases(now)
}

// wanted are the documents of a section that are wanted; those that may be if
// phrases are not looked into yet.
func (l *Lookup) wanted(s *section, perhaps bool) *set {
	found := &set{}
	if l.want.Match == nil {
		*found = s.docs
	} else if found = l.holds(l.want.Match, s, perhaps); found == nil {
		return nil
	}
	if l.want.Without != nil && !(perhaps && len(l.want.Without.phrases(nil)) > 0) {
		if not := l.holds(l.want.Without, s, false); not != nil {
			found.without(not)
		}
	}
	return found
}

// holds are the documents of a section that a condition holds for, nil for none.
func (l *Lookup) holds(m *Match, s *section, perhaps bool) *set {
	found, own := l.known(m, s, perhaps)
	if found == nil || own {
		return found
	}
	copied := *found
	return &copied
}

// known is holds, of a set that must stay as it is unless it is the caller's own.
func (l *Lookup) known(m *Match, s *section, perhaps bool) (out *set, own bool) {
	switch {
	case m.op == '=':
		return s.have[slices.Index(l.leaves, m.leaf)], false
	case m.op == '<' && !perhaps:
		return s.exact[slices.IndexFunc(l.phrases, m.same)], false
	}
	for _, one := range m.list {
		found, its := l.known(one, s, perhaps)
		switch {
		case found == nil && m.op == '|':
			continue
		case found == nil:
			return nil, false
		case out == nil:
			out, own = found, its
			continue
		case !own:
			copied := *out
			out, own = &copied, true
		}
		if m.op == '|' {
			out.or(found)
		} else {
			out.and(found)
		}
	}
	return out, own
}

// Every are all the documents that are wanted.
func Every(tx *gorm.DB, account int64, want Wanted) (all Records, err error) {
	l, err := Look(tx, account, want)
	for err == nil {
		var next Records
		var more bool
		if next, _, more, err = l.Next(); !more {
			break
		}
		all = all.With(next)
	}
	return all, err
}

// Find are all the documents that are wanted, also those that were written just now. It
// fails as CatchUp does.
func (x *Index) Find(ctx context.Context, account int64, want Wanted) (all Records, err error) {
	if err := x.CatchUp(ctx, account, want.Kind); err != nil {
		return all, err
	}
	err = x.Read(ctx, account, want.Kind, func(tx *gorm.DB) error {
		all, err = Every(tx, account, want)
		return err
	})
	return all, err
}

// OneState are transactions whose statements all see the same state of the database.
var OneState = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
