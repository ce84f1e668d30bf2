package search

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// A packed document is its lexemes in their order, each with its places in the
// text. A block is a piece of a run: keys in their order, each with a value. In
// both, a key is written as how much of its beginning the one before has, and the
// rest.

// appendKey appends a key that stands behind another.
func appendKey(b []byte, last, key string) []byte {
	same := 0
	for same < min(len(last), len(key), 255) && last[same] == key[same] {
		same++
	}
	b = binary.AppendUvarint(b, uint64(same))
	b = binary.AppendUvarint(b, uint64(len(key)-same))
	return append(b, key[same:]...)
}

// reader reads what was packed.
type reader struct {
	b   []byte
	key []byte
	err error
}

func (r *reader) more() bool { return r.err == nil && len(r.b) > 0 }

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errDamaged, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// next reads a key, which is good until the next one.
func (r *reader) next() []byte {
	same, rest := r.uint(), r.uint()
	if same > uint64(len(r.key)) || rest > uint64(len(r.b)) {
		r.err, r.b = errDamaged, nil
		return nil
	}
	r.key = append(r.key[:same], r.b[:rest]...)
	r.b = r.b[rest:]
	return r.key
}

// value reads the value behind a key.
func (r *reader) value() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.err, r.b = errDamaged, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// places appends the places of a lexeme in a text, which are written as their
// number and the distances between them.
func (r *reader) places(to []uint32) []uint32 {
	last := uint32(0)
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		if len(r.b) > 0 && r.b[0] < 0x80 { // as most distances
			last += uint32(r.b[0])
			r.b = r.b[1:]
		} else {
			last += uint32(r.uint())
		}
		to = append(to, last)
	}
	return to
}

// meeting reads the places of a lexeme, and keeps those of begins that a place is so
// far behind. Both are in their order. It returns how many are left, in front.
func (r *reader) meeting(begins []uint32, far uint32) (kept int) {
	place, i := uint32(0), 0
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		if i == len(begins) {
			r.over(n)
			break
		}
		if len(r.b) > 0 && r.b[0] < 0x80 { // as most distances
			place += uint32(r.b[0])
			r.b = r.b[1:]
		} else {
			place += uint32(r.uint())
		}
		for i < len(begins) && begins[i]+far < place {
			i++
		}
		if i < len(begins) && begins[i]+far == place {
			begins[kept] = begins[i]
			kept++
			i++
		}
	}
	return kept
}

// skip goes over the places of lexemes.
func (r *reader) skip(lexemes int) {
	for ; lexemes > 0 && r.err == nil; lexemes-- {
		if len(r.b) > 0 && r.b[0] < 0x80 {
			n := uint64(r.b[0])
			r.b = r.b[1:]
			r.over(n)
			continue
		}
		r.over(r.uint())
	}
}

// ends are the bits that the last byte of a number does not have.
const ends = 0x8080808080808080

// over goes over numbers, eight bytes at a time.
func (r *reader) over(numbers uint64) {
	b := r.b
	for numbers > 0 && len(b) >= 8 {
		end := ^binary.LittleEndian.Uint64(b) & ends
		if n := uint64(bits.OnesCount64(end)); n < numbers {
			numbers -= n
			b = b[8:]
			continue
		}
		for ; numbers > 1; numbers-- {
			end &= end - 1
		}
		r.b = b[bits.TrailingZeros64(end)/8+1:]
		return
	}
	i := 0
	for ; numbers > 0 && i < len(b); i++ {
		if b[i] < 0x80 {
			numbers--
		}
	}
	if r.b = b[i:]; numbers > 0 {
		r.err, r.b = errDamaged, nil
	}
}

func appendPlaces(b []byte, places []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(places)))
	last := uint32(0)
	for _, p := range places {
		b = binary.AppendUvarint(b, uint64(p-last))
		last = p
	}
	return b
}

// pack writes lexemes as a document.
func (l *lexemes) pack() []byte {
	slices.SortFunc(l.list, func(a, b lexeme) int { return strings.Compare(a.key, b.key) })
	b := make([]byte, 0, l.bytes)
	last := ""
	for _, lex := range l.list {
		b = appendKey(b, last, lex.key)
		b = appendPlaces(b, lex.places)
		last = lex.key
	}
	return b
}

// blockSize is about how many bytes a block has, so that two are on a page.
const blockSize = 3_900

// block is one that is ready.
type block struct {
	first string // its first key
	data  []byte
}

// blocks puts keys, which come in their order, into blocks.
type blocks struct {
	list []block
	last string
}

func (w *blocks) add(key string, value []byte) {
	n := len(w.list)
	if n == 0 || len(w.list[n-1].data)+len(key)+len(value)+8 > blockSize {
		w.list = append(w.list, block{first: key, data: make([]byte, 0, min(blockSize, 4*len(value)+512))})
		w.last = ""
		n++
	}
	b := &w.list[n-1]
	b.data = appendKey(b.data, w.last, key)
	b.data = binary.AppendUvarint(b.data, uint64(len(value)))
	b.data = append(b.data, value...)
	w.last = key
}
