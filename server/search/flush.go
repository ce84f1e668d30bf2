package search

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// manyFresh is how many documents an account has in no run before they are
	// made one. A search goes through all of them.
	manyFresh = 512
	// tooManyFresh are more than a search goes through.
	tooManyFresh = 4 * manyFresh
	// flushedAtOnce is how many bytes of documents are made runs in one transaction.
	flushedAtOnce = 16 << 20
	flushedRows   = 20_000
	// growth is how many times as large a run may be as what comes after it and
	// still be written anew with it. Of each section there are few runs so.
	growth = 3
)

// flush makes a stock's fresh documents runs.
func (x *Index) flush(ctx context.Context, of stock) error {
	ctx = postgres.WithAccount(ctx, of.account)
	for more := true; more; {
		err := x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			if err = lock(tx, of); err == nil {
				more, err = flushTx(tx, of)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// place is a section of a stock.
type place struct {
	account int64
	kind    string
	section int64
}

// fresh are the documents of a section that are in no run.
type fresh struct {
	docs   []packedDoc
	gone   set
	erased set // records whose earlier texts must leave the runs
}

// flushTx makes a run of each section of the stock's fresh documents, or of the first
// of them.
func flushTx(tx *gorm.DB, stock stock) (more bool, err error) {
	var ids models.IDs
	size := 0
	kind := string(stock.kind)
	err = postgres.Rows(tx, "SELECT record_id, coalesce(length(doc), 0) FROM search_fresh WHERE account_id = ? AND kind = ? ORDER BY record_id LIMIT ? FOR UPDATE", []any{stock.account, kind, flushedRows}, func(row postgres.Scanned) error {
		var id int64
		var n int
		if err := row.Scan(&id, &n); err != nil {
			return err
		}
		if size += n; len(ids) > 0 && size > flushedAtOnce {
			more = true
			return nil
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	more = more || len(ids) == flushedRows
	sections := map[place]*fresh{}
	err = postgres.Rows(tx, `WITH f AS (DELETE FROM search_fresh f USING unnest(?::bigint[]) AS k(id)
		WHERE f.account_id = ? AND f.kind = ? AND f.record_id = k.id RETURNING f.record_id, f.doc, f.erase)
		SELECT record_id, doc, erase FROM f ORDER BY record_id`, []any{ids, stock.account, kind}, func(row postgres.Scanned) error {
		var id int64
		var doc []byte
		var erase bool
		if err := row.Scan(&id, &doc, &erase); err != nil {
			return err
		}
		section, at := sectionOf(id)
		of := place{stock.account, kind, section}
		f := sections[of]
		if f == nil {
			f = &fresh{}
			sections[of] = f
		}
		if f.docs = append(f.docs, packedDoc{at, doc}); doc == nil {
			f.docs = f.docs[:len(f.docs)-1]
			f.gone.add(at)
		}
		if erase {
			f.erased.add(at)
		}
		return nil
	})
	for _, of := range slices.SortedFunc(maps.Keys(sections), func(a, b place) int { return cmp.Compare(a.section, b.section) }) {
		if err == nil {
			err = of.flushTx(tx, sections[of])
		}
	}
	return more, err
}

// storedRun is a run of the database.
type storedRun struct {
	number    int64
	docs      int
	ids, gone set
}

// flushTx adds a run of fresh documents to the section, together with those that are
// not much larger, and with all that have a text that must go.
func (of place) flushTx(tx *gorm.DB, f *fresh) error {
	runs, err := of.runs(tx)
	if err != nil {
		return err
	}
	from, docs := len(runs), len(f.docs)
	for from > 0 && runs[from-1].docs < growth*docs+manyFresh/8 {
		from--
		docs += runs[from].docs
	}
	for i := range from {
		if runs[i].ids.meets(&f.erased) {
			from = i
			break
		}
	}
	top, err := newDocsSource(f.docs)
	if err != nil {
		return err
	}
	made := storedRun{gone: f.gone}
	for _, d := range f.docs {
		made.ids.add(d.at)
	}
	live := made.ids
	layers, err := of.layers(tx, runs[from:], &made)
	if err != nil {
		return err
	}
	if from == 0 {
		made.gone = set{} // nothing is below that they would hide
	}
	sets, places, err := combined(append(layers, &layer{source: top, live: &live}))
	if err != nil {
		return err
	}
	if from < len(runs) {
		if err := of.drop(tx, runs[from:]); err != nil {
			return err
		}
	}
	if made.docs = made.ids.len() + made.gone.len(); made.docs == 0 {
		return nil
	}
	return of.write(tx, &made, sets.list, places.list)
}

// runs are those of the section, the oldest first.
func (of place) runs(tx *gorm.DB) (list []storedRun, err error) {
	err = postgres.Rows(tx, "SELECT run, docs, ids, gone FROM search_runs WHERE account_id = ? AND kind = ? AND section = ? ORDER BY run", []any{of.account, of.kind, of.section}, func(row postgres.Scanned) error {
		list = append(list, storedRun{})
		r := &list[len(list)-1]
		var ids, gone []byte
		if err := row.Scan(&r.number, &r.docs, &ids, &gone); err != nil {
			return err
		}
		if err := r.ids.read(ids); err != nil {
			return err
		}
		return r.gone.read(gone)
	})
	return list, err
}

// layers are runs that go into one, whose records become those of made as far as
// made does not have them already.
func (of place) layers(tx *gorm.DB, runs []storedRun, made *storedRun) ([]*layer, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	blocks := map[int64]*[2][][]byte{}
	err := postgres.Rows(tx, `SELECT run, places, data FROM search_blocks WHERE account_id = ? AND kind = ? AND section = ? AND run = ANY(?::bigint[])
		ORDER BY run, places, first`, []any{of.account, of.kind, of.section, numbers(runs)}, func(row postgres.Scanned) error {
		var run int64
		var places bool
		var data []byte
		err := row.Scan(&run, &places, &data)
		b := blocks[run]
		if b == nil {
			b = &[2][][]byte{}
			blocks[run] = b
		}
		if places {
			b[1] = append(b[1], data)
		} else {
			b[0] = append(b[0], data)
		}
		return err
	})
	var list []*layer
	for i := len(runs) - 1; i >= 0 && err == nil; i-- {
		r := &runs[i]
		live := r.ids
		live.without(&made.ids)
		live.without(&made.gone)
		gone := r.gone
		gone.without(&made.ids)
		made.ids.or(&live)
		made.gone.or(&gone)
		if b := blocks[r.number]; b != nil {
			var s *runSource
			s, err = newRunSource(b[0], b[1])
			list = append(list, &layer{source: s, live: &live})
		}
	}
	return list, err
}

func numbers(runs []storedRun) (out models.IDs) {
	for _, r := range runs {
		out = append(out, r.number)
	}
	return out
}

func (of place) drop(tx *gorm.DB, runs []storedRun) error {
	args := []any{of.account, of.kind, of.section, numbers(runs)}
	if err := postgres.Exec(tx, "DELETE FROM search_blocks WHERE account_id = ? AND kind = ? AND section = ? AND run = ANY(?::bigint[])", args); err != nil {
		return err
	}
	return postgres.Exec(tx, "DELETE FROM search_runs WHERE account_id = ? AND kind = ? AND section = ? AND run = ANY(?::bigint[])", args)
}

func (of place) write(tx *gorm.DB, made *storedRun, sets, places []block) error {
	_, err := postgres.Row(tx, `INSERT INTO search_runs (account_id, kind, section, run, docs, ids, gone)
		VALUES (?, ?, ?, nextval('search_run_numbers'), ?, ?, ?) RETURNING run`,
		[]any{of.account, of.kind, of.section, made.docs, made.ids.written(), made.gone.written()}, &made.number)
	if err != nil {
		return err
	}
	var first []string
	var data [][]byte
	var isPlaces []bool
	for i, list := range [][]block{sets, places} {
		for _, b := range list {
			first, data, isPlaces = append(first, b.first), append(data, b.data), append(isPlaces, i == 1)
		}
	}
	return postgres.Exec(tx, `INSERT INTO search_blocks (account_id, kind, section, run, places, first, data)
		SELECT ?::bigint, ?::text, ?::bigint, ?::bigint, b.places, b.first, b.data FROM unnest(?::boolean[], ?::text[], ?::bytea[]) AS b(places, first, data)`,
		[]any{of.account, of.kind, of.section, made.number, isPlaces, first, data})
}
