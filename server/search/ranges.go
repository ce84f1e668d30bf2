package search

import (
	"slices"
	"strings"
)

// wordRange is a range of keys that a lookup needs.
type wordRange struct {
	span
	leaves []int     // that are in it
	phrase bool      // one of them is a word of a phrase
	had    *wordSets // what was known before; nil for nothing
	read   wordSets  // what was not; without runs if it is not to be kept
}

// ranges are those of the leaves' keys, by where they begin.
func (l *Lookup) ranges() (list []*wordRange) {
	for n := range l.leaves {
		of := l.leaves[n].span()
		i := slices.IndexFunc(list, func(w *wordRange) bool { return w.span == of })
		if i < 0 {
			i = len(list)
			list = append(list, l.newRange(of))
		}
		list[i].leaves = append(list[i].leaves, n)
		list[i].phrase = list[i].phrase || len(l.words[n]) > 0
	}
	slices.SortFunc(list, func(a, b *wordRange) int { return strings.Compare(a.from, b.from) })
	return list
}

func (l *Lookup) newRange(of span) *wordRange {
	w := &wordRange{span: of}
	if l.lately != nil {
		w.read = wordSets{of: wordKey{l.account, l.want.Kind, of}, runs: map[int64][]keySet{}}
		w.had = l.lately.get(w.read.of)
	}
	return w
}

// asksFor asks for ranges of a run. Near ones are one, for they are in the same block
// as a rule.
func asksFor(s *section, r *reading, ranges []*wordRange) (out []asked) {
	for _, w := range ranges {
		n := len(out) - 1
		if n >= 0 && (w.from <= out[n].to || near(out[n].from, w.from)) {
			out[n].to = max(out[n].to, w.to)
			out[n].words = append(out[n].words, w)
			continue
		}
		out = append(out, asked{in: s, of: r, span: w.span, words: []*wordRange{w}})
	}
	return out
}

// readSets looks for the leaves in runs.
func (l *Lookup) readSets() error {
	ranges := l.ranges()
	var list []asked
	for _, s := range l.sections {
		for _, r := range s.runs {
			if r.number == 0 {
				continue
			}
			var unknown []*wordRange
			for _, w := range ranges {
				keys, ok := w.had.in(r.number)
				if !ok {
					unknown = append(unknown, w)
					w.read.add(r.number)
				}
				for _, k := range keys {
					if err := l.find(s, r, w, k); err != nil {
						return err
					}
				}
			}
			list = append(list, asksFor(s, r, unknown)...)
		}
	}
	err := l.read(list, false, func(a asked, data []byte) error {
		return a.eachKey(data, func(key, value []byte) error {
			for _, w := range a.words {
				if string(key) < w.from || string(key) >= w.to {
					continue
				}
				k := keySet{string(key), value}
				if w.phrase || w.read.runs != nil {
					k.ids = slices.Clone(value)
					w.read.add(a.of.number, k)
				}
				if err := l.find(a.in, a.of, w, k); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, s := range l.sections {
		for _, r := range s.runs {
			slices.SortFunc(r.keys, func(a, b readKey) int { return strings.Compare(a.key, b.key) })
		}
	}
	l.keep(ranges)
	return nil
}

// keep keeps what was read of ranges for other lookups, with what was known of the
// runs that there are.
func (l *Lookup) keep(ranges []*wordRange) {
	for _, w := range ranges {
		if len(w.read.runs) == 0 {
			continue
		}
		for _, s := range l.sections {
			for _, r := range s.runs {
				if keys, ok := w.had.in(r.number); ok {
					w.read.add(r.number, keys...)
				}
			}
		}
		if w.read.runs != nil {
			l.lately.put(&w.read)
		}
	}
}

// find notes who has a key of a run that is in a range.
func (l *Lookup) find(s *section, r *reading, in *wordRange, k keySet) error {
	for _, n := range in.leaves {
		if !l.leaves[n].holds([]byte(k.key)) {
			continue
		}
		if err := s.found(n).unite(k.ids, &r.live); err != nil {
			return err
		}
		if len(l.words[n]) > 0 {
			r.keys = append(r.keys, readKey{n, k})
		}
	}
	return nil
}
