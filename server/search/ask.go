package search

import (
	"database/sql"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// span is a range of keys, without its end.
type span struct{ from, to string }

// span is the range of keys that a leaf is in.
func (l *leaf) span() span {
	if l.begin {
		return span{l.text, l.text + string(utf8.MaxRune)}
	}
	return span{l.text + keyEnd, l.text + placesMark}
}

// near reports whether two keys begin with the same four bytes or more.
func near(a, b string) bool { return len(a) > 4 && len(b) > 4 && a[:4] == b[:4] }

// blocksOf reads the blocks of runs that may have keys of ranges, one range of a run
// each.
const blocksOf = `SELECT w.n, b.data FROM unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[]) WITH ORDINALITY AS w(section, run, lo, hi, n)
	CROSS JOIN LATERAL (
		(SELECT b.data FROM search_blocks b WHERE b.account_id = ? AND b.kind = ? AND b.section = w.section AND b.run = w.run AND b.places = ? AND b.first <= w.lo
			ORDER BY b.first DESC LIMIT 1)
		UNION ALL
		(SELECT b.data FROM search_blocks b WHERE b.account_id = ? AND b.kind = ? AND b.section = w.section AND b.run = w.run AND b.places = ? AND b.first > w.lo AND b.first < w.hi
			ORDER BY b.first)) b`

// asked are the blocks of a run that may have keys of a range.
type asked struct {
	in *section
	of *reading
	span
	words []*wordRange // of sets: what it is joined of
}

// read calls each for the blocks that are asked for: those of places, or of sets.
// Their data is good until it returns.
func (l *Lookup) read(list []asked, places bool, each func(of asked, data []byte) error) error {
	if len(list) == 0 {
		return nil
	}
	var sections, runs models.IDs
	var from, to []string
	for _, a := range list {
		sections, runs = append(sections, a.in.number), append(runs, a.of.number)
		from, to = append(from, a.from), append(to, a.to)
	}
	kind := string(l.want.Kind)
	return postgres.Rows(l.tx, blocksOf, []any{sections, runs, from, to, l.account, kind, places, l.account, kind, places}, func(row postgres.Scanned) error {
		var n int
		var data sql.RawBytes
		if err := row.Scan(&n, &data); err != nil {
			return err
		}
		return each(list[n-1], data)
	})
}

// eachKey calls f for the keys of a block that are in the range, with their values.
func (a *asked) eachKey(data []byte, f func(key, value []byte) error) error {
	in := reader{b: data}
	for in.more() {
		key := in.next()
		value := in.value()
		if in.err != nil || string(key) < a.from {
			continue
		}
		if string(key) >= a.to {
			break
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	return in.err
}
