package search

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// wordOf is a word of one of a lookup's phrases.
type wordOf struct{ phrase, word int }

// wordsOf are, of each leaf, the words of phrases that it is.
func (l *Lookup) wordsOf() [][]wordOf {
	out := make([][]wordOf, len(l.leaves))
	for i, p := range l.phrases {
		for n, one := range p.list {
			at := slices.Index(l.leaves, one.leaf)
			out[at] = append(out[at], wordOf{i, n})
		}
	}
	return out
}

// candidates are, of each phrase, the documents of a section that have its words
// and may be wanted; nil for none.
func (l *Lookup) candidates(s *section) []*set {
	found := l.wanted(s, true)
	if found == nil {
		return nil
	}
	out := make([]*set, len(l.phrases))
	for i, p := range l.phrases {
		if have := l.holds(p, s, true); have != nil {
			if have.and(found); *have != (set{}) {
				out[i] = have
			}
		}
	}
	return out
}

// readPhrases finds the documents of sections that have the phrases: it reads where
// the words are in those that may be wanted.
func (l *Lookup) readPhrases(sections []*section) error {
	var list []wantedPlaces
	for _, s := range sections {
		s.seek = make([]*seeking, len(l.phrases))
		for i, have := range s.may {
			if have != nil {
				s.seek[i] = newSeeking(l.phrases[i], have)
			}
		}
		if err := l.freshPlaces(s); err != nil {
			return err
		}
		for _, r := range s.runs {
			var err error
			if list, err = l.ask(list, s, r); err != nil {
				return err
			}
		}
	}
	var ids runIDs
	err := l.read(l.rarestFirst(list), true, func(a asked, data []byte) error {
		return l.places(&a, data, &ids)
	})
	for _, s := range sections {
		s.exact = make([]*set, len(l.phrases))
		for i, k := range s.seek {
			if k != nil {
				s.exact[i] = k.found()
			}
		}
		s.seek = nil
	}
	return err
}

// wantedPlaces are those of a text, or of all that begin so, in a run.
type wantedPlaces struct {
	asked
	leaf *leaf
}

// countWords notes how many documents have the texts of phrases.
func (l *Lookup) countWords() {
	l.often = map[string]int{}
	for i, leaf := range l.leaves {
		for _, s := range l.sections {
			if have := s.have[i]; have != nil && len(l.words[i]) > 0 {
				l.often[leaf.text] += have.len()
			}
		}
	}
}

// rarestFirst puts what is read in an order in which few documents are left soon.
// Beginnings of words come last, for they leave all.
func (l *Lookup) rarestFirst(list []wantedPlaces) []asked {
	turn := func(of *leaf) int {
		if of.begin {
			return math.MaxInt
		}
		return l.often[of.text]
	}
	slices.SortStableFunc(list, func(a, b wantedPlaces) int { return cmp.Compare(turn(a.leaf), turn(b.leaf)) })
	out := make([]asked, len(list))
	for i, a := range list {
		out[i] = a.asked
	}
	return out
}

// runIDs are the documents that have a key of a run.
type runIDs struct {
	of  *readKey
	ids set
}

func (r *runIDs) read(k *readKey) (err error) {
	if r.of != k {
		r.of = k
		err = r.ids.read(k.ids)
	}
	return err
}

// needless is how many documents' places are read that nobody wants, rather than to
// ask once more.
const needless = 2_000

// ask adds the places of the words in a run that are wanted.
func (l *Lookup) ask(list []wantedPlaces, s *section, r *reading) ([]wantedPlaces, error) {
	now := wantedPlaces{asked: asked{in: s, of: r}, leaf: new(leaf)}
	gap := 0
	end := func() {
		if now.from != "" {
			list = append(list, now)
		}
		now.span, gap = span{}, 0
	}
	var ids set
	for i := range r.keys {
		k := &r.keys[i]
		if of := &l.leaves[k.leaf]; of.text != now.leaf.text {
			end()
			now.leaf = of
		}
		if err := ids.read(k.ids); err != nil {
			return list, err
		}
		for chunk := range uint16(chunks) {
			n, wanted := l.chunk(s, r, k, &ids, chunk)
			if !wanted {
				gap += n
				continue
			}
			if gap > needless {
				end()
			}
			if now.from == "" {
				now.from = placesKey(k.key, chunk)
			}
			now.to, gap = placesKey(k.key, chunk+1), 0
		}
	}
	end()
	return list, nil
}

// chunk is how many documents of a chunk have a key, and whether places of it are
// wanted.
func (l *Lookup) chunk(s *section, r *reading, k *readKey, ids *set, chunk uint16) (n int, wanted bool) {
	from, to := int(chunk)<<chunkBits/64, int(chunk+1)<<chunkBits/64
	for i, w := range ids[from:to] {
		if w == 0 {
			continue
		}
		n += bits.OnesCount64(w)
		w &= r.live[from+i]
		for _, of := range l.words[k.leaf] {
			if k := s.seek[of.phrase]; k != nil && k.left[from+i]&w != 0 {
				wanted = true
			}
		}
	}
	return n, wanted
}

// places reads the places in a block that was asked for.
func (l *Lookup) places(a *asked, data []byte, ids *runIDs) error {
	keys := a.of.keys
	return a.eachKey(data, func(key, value []byte) error {
		of, chunk := cutPlaces(key)
		if chunk >= chunks {
			return errDamaged
		}
		i, _ := slices.BinarySearchFunc(keys, of, func(k readKey, of []byte) int { return strings.Compare(k.key, string(of)) })
		for ; i < len(keys) && keys[i].key == string(of); i++ {
			if err := ids.read(&keys[i]); err != nil {
				return err
			}
			for _, w := range l.words[keys[i].leaf] {
				k := a.in.seek[w.phrase]
				if k == nil {
					continue
				}
				if err := k.takeAll(w.word, chunk, &ids.ids, &a.of.live, reader{b: value}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// freshPlaces takes the words of documents that are in no run.
func (l *Lookup) freshPlaces(s *section) error {
	for _, r := range s.runs {
		for _, d := range r.docs {
			b := reader{b: d.doc}
			for b.more() {
				key := b.next()
				places := b
				b.skip(1)
				for n := range l.leaves {
					if len(l.words[n]) == 0 || !l.leaves[n].holds(key) {
						continue
					}
					for _, w := range l.words[n] {
						if k := s.seek[w.phrase]; k != nil && r.live.has(d.at) && k.left.has(d.at) {
							again := places
							k.take(w.word, d.at, &again)
						}
					}
				}
			}
			if b.err != nil {
				return b.err
			}
		}
	}
	return nil
}
