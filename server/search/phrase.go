package search

import "slices"

// readPhrases finds the documents of sections that have the phrases: it reads where
// the words are in those that may be wanted.
func (l *Lookup) readPhrases(sections []*section) error {
	var a asking
	var keys []int // of each range the reading's key
	perhaps := make([]*set, len(sections))
	held := make([]*holding, len(sections))
	for i, s := range sections {
		found := l.wanted(s, true)
		if found == nil {
			continue
		}
		perhaps[i] = l.worthwhile(s, found)
		held[i] = newHolding(perhaps[i], len(l.leaves))
		for _, r := range s.runs {
			for n := range r.keys {
				if from, to, ok := r.chunks(n, perhaps[i]); ok {
					a.add(s, r, span{placesKey(r.keys[n].key, from), placesKey(r.keys[n].key, to+1)})
					keys = append(keys, n)
				}
			}
		}
		if err := l.freshPlaces(s, perhaps[i], held[i]); err != nil {
			return err
		}
	}
	err := l.read(&a, true, func(n int, data []byte) error {
		i := slices.Index(sections, a.in[n])
		return a.of[n].places(keys[n], data, perhaps[i], held[i])
	})
	for i, s := range sections {
		for _, p := range l.phrases {
			if perhaps[i] != nil {
				s.exact[p] = l.phrase(p, s, perhaps[i], held[i])
			}
		}
	}
	return err
}

// worthwhile are the documents among found that have all the words of a phrase.
func (l *Lookup) worthwhile(s *section, found *set) *set {
	var some set
	for _, p := range l.phrases {
		if have := l.holds(p, s, true); have != nil {
			some.or(have)
		}
	}
	some.and(found)
	return &some
}

// holding are the places of leaves in some of the documents of a section.
type holding struct {
	number *[SectionSize]uint16 // of each of the documents, which they are
	count  int                  // of documents
	of     [][]placing          // of each leaf, by the numbers of the documents
	room   []uint32             // the places, one behind the other
}

func newHolding(documents *set, leaves int) *holding {
	h := &holding{number: new([SectionSize]uint16), of: make([][]placing, leaves)}
	for at := range documents.all() {
		h.number[at] = uint16(h.count)
		h.count++
	}
	return h
}

// placing is where in a holding's room the places in a document are.
type placing struct{ from, n uint32 }

// read adds the places that come next in a reader.
func (h *holding) read(leaf int, at uint16, from *reader) {
	if h.of[leaf] == nil {
		h.of[leaf] = make([]placing, h.count)
	}
	p := &h.of[leaf][h.number[at]]
	begin := len(h.room)
	if p.n > 0 { // of another word that begins so
		h.room = append(h.room, h.room[p.from:p.from+p.n]...)
	}
	h.room = from.places(h.room)
	*p = placing{uint32(begin), uint32(len(h.room) - begin)}
}

// in are the places of a leaf in a document.
func (h *holding) in(leaf []placing, at uint16) []uint32 {
	p := leaf[h.number[at]]
	return h.room[p.from : p.from+p.n]
}

// chunks are the first and the last chunk in which a key of the run has documents of
// a set.
func (r *reading) chunks(key int, in *set) (from, to uint16, ok bool) {
	for _, at := range r.keys[key].ids {
		if in.has(at) && r.live.has(at) {
			if !ok {
				from, ok = at>>chunkBits, true
			}
			to = at >> chunkBits
		}
	}
	return from, to, ok
}

// places notes where a key of the run is in documents of a set.
func (r *reading) places(key int, data []byte, in *set, to *holding) error {
	k := &r.keys[key]
	b := reader{b: data}
	for b.more() {
		of, chunk := cutPlaces(b.next())
		value := reader{b: b.value()}
		if string(of) != k.key {
			continue
		}
		i, _ := slices.BinarySearch(k.ids, chunk<<chunkBits)
		for ; value.more() && i < len(k.ids); i++ {
			if at := k.ids[i]; in.has(at) && r.live.has(at) {
				to.read(k.leaf, at, &value)
				continue
			}
			value.skip()
		}
		if value.err != nil {
			return value.err
		}
	}
	return b.err
}

// freshPlaces notes where leaves are in documents that are in no run.
func (l *Lookup) freshPlaces(s *section, in *set, to *holding) error {
	for _, r := range s.runs {
		for _, d := range r.docs {
			if !in.has(d.at) {
				continue
			}
			b := reader{b: d.doc}
			for b.more() {
				key := b.next()
				places := b
				b.skip()
				for n := range l.leaves {
					if l.leaves[n].holds(key) {
						again := places
						to.read(n, d.at, &again)
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

// phrase are the documents of a set whose words stand as in p.
func (l *Lookup) phrase(p *Match, s *section, in *set, held *holding) *set {
	have := l.holds(p, s, true)
	if have == nil {
		return nil
	}
	have.and(in)
	words := make([][]placing, len(p.list))
	for i, one := range p.list {
		if words[i] = held.of[slices.Index(l.leaves, one.leaf)]; words[i] == nil {
			return nil
		}
	}
	out := new(set)
	for at := range have.all() {
		if held.stand(words, p.at, at) {
			out.add(at)
		}
	}
	return out
}

// stand reports whether words stand in a document as far from each other as at says.
func (h *holding) stand(words [][]placing, distance []int, at uint16) bool {
	for _, first := range h.in(words[0], at) {
		all := true
		for i := 1; i < len(words) && all; i++ {
			all = slices.Contains(h.in(words[i], at), first+uint32(distance[i]-distance[0]))
		}
		if all {
			return true
		}
	}
	return false
}
