package search

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/bits"
)

// SectionSize is how many ids one section of the index has: as many as one row of
// the database has bits for.
const (
	sectionBits = 15
	SectionSize = 1 << sectionBits
)

// sectionOf is the number of the section of a record, and its place there.
func sectionOf(id int64) (section int64, at uint16) {
	return int64(id >> sectionBits), uint16(id & (SectionSize - 1))
}

// set is a set of records of a section, by their places.
type set [SectionSize / 64]uint64

func (s *set) add(at uint16)      { s[at/64] |= 1 << (at % 64) }
func (s *set) remove(at uint16)   { s[at/64] &^= 1 << (at % 64) }
func (s *set) has(at uint16) bool { return s[at/64]>>(at%64)&1 == 1 }

func (s *set) len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s *set) and(t *set) {
	for i := range s {
		s[i] &= t[i]
	}
}

// meets reports whether both have a place.
func (s *set) meets(t *set) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

func (s *set) or(t *set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *set) without(t *set) {
	for i := range s {
		s[i] &^= t[i]
	}
}

// all yields the places in their order.
func (s *set) all() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(uint16(i*64 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// How a set is written: as the distances between its places, or as bits.
const (
	asDistances = 0
	asBits      = 1
)

// appendSet appends places, which are in their order.
func appendSet(b []byte, places []uint16) []byte {
	begin := len(b)
	b = append(b, asDistances)
	last := -1
	for _, at := range places {
		b = binary.AppendUvarint(b, uint64(int(at)-last-1))
		last = int(at)
	}
	if last < 0 || len(b)-begin <= last/8+2 {
		return b
	}
	b = append(b[:begin], asBits)
	b = append(b, make([]byte, last/8+1)...)
	for _, at := range places {
		b[begin+1+int(at)/8] |= 1 << (at % 8)
	}
	return b
}

// readSet appends the places of a set that appendSet wrote.
func readSet(to []uint16, b []byte) ([]uint16, error) {
	if len(b) == 0 {
		return to, errDamaged
	}
	if b[0] == asBits {
		if len(b)-1 > SectionSize/8 {
			return to, errDamaged
		}
		for i, w := range b[1:] {
			for ; w != 0; w &= w - 1 {
				to = append(to, uint16(i*8+bits.TrailingZeros8(w)))
			}
		}
		return to, nil
	}
	last := -1
	for b = b[1:]; len(b) > 0; {
		d, n := binary.Uvarint(b)
		if n <= 0 || d >= SectionSize || last+1+int(d) >= SectionSize {
			return to, errDamaged
		}
		last += 1 + int(d)
		to, b = append(to, uint16(last)), b[n:]
	}
	return to, nil
}

// everything are all the places of a section.
var everything = func() *set {
	s := new(set)
	for i := range s {
		s[i] = math.MaxUint64
	}
	return s
}()

// unite adds a set that appendSet wrote, as far as it is within.
func (s *set) unite(b []byte, within *set) error {
	if len(b) == 0 {
		return errDamaged
	}
	if b[0] == asBits && len(b)-1 <= SectionSize/8 {
		i := 0
		for b = b[1:]; len(b) >= 8; b = b[8:] {
			s[i] |= binary.LittleEndian.Uint64(b) & within[i]
			i++
		}
		var rest uint64
		for k, c := range b {
			rest |= uint64(c) << (8 * k)
		}
		if len(b) > 0 {
			s[i] |= rest & within[i]
		}
		return nil
	}
	at := -1
	for b = b[1:]; len(b) > 0; {
		d, n := uint64(b[0]), 1
		if d >= 0x80 {
			if d, n = binary.Uvarint(b); n <= 0 || d >= SectionSize {
				return errDamaged
			}
		}
		b = b[n:]
		if at += 1 + int(d); at >= SectionSize {
			return errDamaged
		}
		s[at/64] |= 1 << (at % 64) & within[at/64]
	}
	return nil
}

func setOf(places []uint16) *set {
	s := new(set)
	for _, at := range places {
		s.add(at)
	}
	return s
}

// errDamaged is that of a part of the index that cannot have been written by this
// package.
var errDamaged = errors.New("the search index is damaged: delete search_runs, search_blocks and search_fresh, and note all records in search_pending")

// read makes s a set that was written.
func (s *set) read(b []byte) error {
	*s = set{}
	return s.unite(b, everything)
}

func (s *set) written() []byte {
	places := make([]uint16, 0, s.len())
	for at := range s.all() {
		places = append(places, at)
	}
	return appendSet(nil, places)
}
