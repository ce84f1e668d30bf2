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
		held[i] = &holding{places: make([]*[SectionSize][]uint32, len(l.leaves))}
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

// holding are the places of leaves in the documents of a section.
type holding struct {
	places []*[SectionSize][]uint32
	room   []uint32 // for places, one behind the other
}

// read adds the places that come next in a reader.
func (h *holding) read(leaf int, at uint16, from *reader) {
	n := len(h.room)
	h.room = from.places(h.room)
	h.add(leaf, at, h.room[n:len(h.room):len(h.room)])
}

func (h *holding) add(leaf int, at uint16, places []uint32) {
	if h.places[leaf] == nil {
		h.places[leaf] = new([SectionSize][]uint32)
	}
	if of := &h.places[leaf][at]; *of == nil {
		*of = places
	} else { // a word that begins so, beside another
		*of = append(*of, places...)
	}
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
			for n := value.uint(); n > 0 && value.err == nil; n-- {
				value.uint()
			}
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
				key := slices.Clone(b.next())
				places := b.places(nil)
				for n := range l.leaves {
					if l.leaves[n].holds(key) {
						to.add(n, d.at, places)
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
	words := make([]*[SectionSize][]uint32, len(p.list))
	for i, one := range p.list {
		if words[i] = held.places[slices.Index(l.leaves, one.leaf)]; words[i] == nil {
			return nil
		}
	}
	out := new(set)
	for at := range have.all() {
		if stand(words, p.at, at) {
			out.add(at)
		}
	}
	return out
}

// stand reports whether words stand in a document as far from each other as at says.
func stand(words []*[SectionSize][]uint32, distance []int, at uint16) bool {
	for _, first := range words[0][at] {
		all := true
		for i := 1; i < len(words) && all; i++ {
			all = slices.Contains(words[i][at], first+uint32(distance[i]-distance[0]))
		}
		if all {
			return true
		}
	}
	return false
}
