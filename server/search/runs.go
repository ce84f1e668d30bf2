package search

import (
	"bytes"
	"slices"
	"strings"
)

// A run is what the index keeps of some documents of a section: by key, in their
// order, the set of records that have it, and apart from these the places where
// they do. The key of places ends with their chunk of the section, so that a phrase
// that few records may have reads the places of few.
const (
	chunkBits  = 12
	chunks     = SectionSize >> chunkBits // of a section
	placesMark = "\x02"                   // no other key has it
)

func placesKey(key string, chunk uint16) string {
	return key + placesMark + string(rune('0'+chunk))
}

// posting is a key with the records that have it, in their order, and the places of
// each: places[ends[i-1]:ends[i]].
type posting struct {
	key    string
	ids    []uint16
	ends   []int
	places []uint32
}

func (p *posting) reset(key string) {
	p.key, p.ids, p.ends, p.places = key, p.ids[:0], p.ends[:0], p.places[:0]
}

func (p *posting) placesOf(i int) []uint32 {
	if i == 0 {
		return p.places[:p.ends[0]]
	}
	return p.places[p.ends[i-1]:p.ends[i]]
}

func (p *posting) end() { p.ends = append(p.ends, len(p.places)) }

// source gives postings by their keys' order.
type source interface {
	// next makes p the next one; false at the end.
	next(p *posting) (bool, error)
}

// packedDoc is a document at its place in a section.
type packedDoc struct {
	at  uint16
	doc []byte
}

// docsSource are the postings of documents that are in no run.
type docsSource struct{ list []*posting }

// newDocsSource gathers documents, which come by their places.
func newDocsSource(docs []packedDoc) (*docsSource, error) {
	by := make(map[string]*posting, 1024)
	for _, d := range docs {
		r := reader{b: d.doc}
		for r.more() {
			key := r.next()
			p := by[string(key)]
			if p == nil {
				p = &posting{key: string(key)}
				by[p.key] = p
			}
			p.ids = append(p.ids, d.at)
			p.places = r.places(p.places)
			p.end()
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	s := &docsSource{list: make([]*posting, 0, len(by))}
	for _, p := range by {
		s.list = append(s.list, p)
	}
	slices.SortFunc(s.list, func(a, b *posting) int { return strings.Compare(a.key, b.key) })
	return s, nil
}

func (s *docsSource) next(p *posting) (bool, error) {
	if len(s.list) == 0 {
		return false, nil
	}
	*p, s.list = *s.list[0], s.list[1:]
	return true, nil
}

// runSource are the postings of a run.
type runSource struct {
	sets, places blocksReader
}

// blocksReader reads the entries of blocks one after the other.
type blocksReader struct {
	blocks [][]byte
	at     reader
	key    []byte
	val    []byte
	ended  bool
}

func (r *blocksReader) next() error {
	for !r.at.more() {
		if r.at.err != nil {
			return r.at.err
		}
		if len(r.blocks) == 0 {
			r.ended = true
			return nil
		}
		r.at, r.blocks = reader{b: r.blocks[0]}, r.blocks[1:]
	}
	r.key = r.at.next()
	r.val = r.at.value()
	return r.at.err
}

func newRunSource(sets, places [][]byte) (*runSource, error) {
	s := &runSource{sets: blocksReader{blocks: sets}, places: blocksReader{blocks: places}}
	return s, s.places.next()
}

func (s *runSource) next(p *posting) (bool, error) {
	if err := s.sets.next(); err != nil || s.sets.ended {
		return false, err
	}
	p.reset(string(s.sets.key))
	var err error
	if p.ids, err = readSet(p.ids, s.sets.val); err != nil {
		return false, err
	}
	return true, s.readPlaces(p)
}

// readPlaces reads the places of p's records.
func (s *runSource) readPlaces(p *posting) error {
	var in reader
	for _, at := range p.ids {
		if !in.more() && !s.places.ended && s.holds(p.key, at>>chunkBits) {
			in = reader{b: s.places.val}
			if err := s.places.next(); err != nil {
				return err
			}
		}
		if in.more() {
			p.places = in.places(p.places)
		}
		if p.end(); in.err != nil {
			return in.err
		}
	}
	return nil
}

// holds reports whether the places that come next are those of a key in a chunk.
func (s *runSource) holds(key string, chunk uint16) bool {
	n := len(key)
	return len(s.places.key) == n+2 && string(s.places.key[:n]) == key && s.places.key[n+1] == byte('0'+chunk)
}

// layer is a source that is being made part of a run: the records of it that count.
type layer struct {
	source
	live *set

	now   posting
	ended bool
}

func (l *layer) advance() error {
	more, err := l.next(&l.now)
	l.ended = !more
	return err
}

// combined makes the blocks of one run out of layers, each of which has other
// records.
func combined(layers []*layer) (sets, places blocks, err error) {
	for _, l := range layers {
		if err = l.advance(); err != nil {
			return sets, places, err
		}
	}
	var c combiner
	for {
		key, ok := least(layers)
		if !ok {
			return sets, places, nil
		}
		c.out.reset(key)
		for _, l := range layers {
			if !l.ended && l.now.key == key {
				c.take(l)
				if err = l.advance(); err != nil {
					return sets, places, err
				}
			}
		}
		c.write(&sets, &places)
	}
}

func least(layers []*layer) (key string, ok bool) {
	for _, l := range layers {
		if !l.ended && (!ok || l.now.key < key) {
			key, ok = l.now.key, true
		}
	}
	return key, ok
}

// combiner puts the postings of one key together.
type combiner struct {
	out   posting
	other posting
	b     []byte
}

// take adds the records of a layer that count, in their order.
func (c *combiner) take(l *layer) {
	old := &c.out
	if len(old.ids) == 0 {
		for i, at := range l.now.ids {
			if l.live.has(at) {
				old.ids = append(old.ids, at)
				old.places = append(old.places, l.now.placesOf(i)...)
				old.end()
			}
		}
		return
	}
	n := &c.other
	n.reset(old.key)
	i := 0
	for k, at := range l.now.ids {
		if !l.live.has(at) {
			continue
		}
		for ; i < len(old.ids) && old.ids[i] < at; i++ {
			n.copyOf(old, i)
		}
		n.copyOf(&l.now, k)
	}
	for ; i < len(old.ids); i++ {
		n.copyOf(old, i)
	}
	c.out, c.other = c.other, c.out
}

func (p *posting) copyOf(from *posting, i int) {
	p.ids = append(p.ids, from.ids[i])
	p.places = append(p.places, from.placesOf(i)...)
	p.end()
}

func (c *combiner) write(sets, places *blocks) {
	p := &c.out
	if len(p.ids) == 0 {
		return
	}
	c.b = appendSet(c.b[:0], p.ids)
	sets.add(p.key, c.b)
	if len(p.places) == 0 {
		return
	}
	for i := 0; i < len(p.ids); {
		chunk := p.ids[i] >> chunkBits
		c.b = c.b[:0]
		some := false
		for ; i < len(p.ids) && p.ids[i]>>chunkBits == chunk; i++ {
			at := p.placesOf(i)
			c.b = appendPlaces(c.b, at)
			some = some || len(at) > 0
		}
		if some {
			places.add(placesKey(p.key, chunk), c.b)
		}
	}
}

// cutPlaces is a key of places without its chunk, which it returns.
func cutPlaces(key []byte) (of []byte, chunk uint16) {
	i := bytes.LastIndexByte(key, placesMark[0])
	if i < 0 || i+1 >= len(key) {
		return key, 0
	}
	return key[:i], uint16(key[i+1] - '0')
}
