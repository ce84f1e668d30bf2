package search

import (
	"math/bits"
	"slices"
)

// seeking is a phrase that is looked for in a section. Its words are read one after
// the other, in any order, and of each document only as long as it may have the
// phrase: from the first word that is read come the places where a phrase could
// begin, and each further word leaves those of them that it stands right to.
type seeking struct {
	phrase *Match
	all    *set      // the documents that have all of its words
	before counts    // of all
	left   set       // those of them that may still have the phrase
	begins []begins  // of each of all
	tails  []placing // of each, where one of the last words may be; nil if there is one
	room   []uint32  // places, one behind the other
}

// placing is where in a room places are.
type placing struct{ from, n uint32 }

// begins are the places in a document where a phrase could begin.
type begins struct {
	placing
	words uint32 // how many were taken
}

// counts are how many records of a set come before each of its words of bits.
type counts [SectionSize / 64]uint16

func (c *counts) of(s *set) {
	n := 0
	for i, w := range s {
		c[i] = uint16(n)
		n += bits.OnesCount64(w)
	}
}

// number is how many records of s, whose counts these are, come before one.
func (c *counts) number(s *set, at uint16) int {
	return int(c[at/64]) + bits.OnesCount64(s[at/64]&(1<<(at%64)-1))
}

func newSeeking(phrase *Match, among *set) *seeking {
	k := &seeking{phrase: phrase, all: among, left: *among}
	k.before.of(among)
	n := among.len()
	k.begins = make([]begins, n)
	if phrase.list[len(phrase.list)-1].leaf.begin {
		k.tails = make([]placing, n)
	}
	return k
}

// distance is how far behind the phrase's first word another stands.
func (m *Match) distance(word int) uint32 { return uint32(m.at[word] - m.at[0]) }

// take reads the places of a word of the phrase in a document, which come next. Of a
// word that is one of several it must be called for each, of others once.
func (k *seeking) take(word int, at uint16, from *reader) {
	n := k.before.number(k.all, at)
	far := k.phrase.distance(word)
	if k.phrase.list[word].leaf.begin {
		k.tail(&k.tails[n], far, from)
		return
	}
	b := &k.begins[n]
	if b.words == 0 {
		b.from = uint32(len(k.room))
		k.room = from.places(k.room)
		kept := k.room[b.from:b.from]
		for _, place := range k.room[b.from:] {
			if place > far {
				kept = append(kept, place-far)
			}
		}
		b.n = uint32(len(kept))
		k.room = k.room[:b.from+b.n]
	} else {
		b.n = uint32(from.meeting(k.room[b.from:b.from+b.n], far))
	}
	if b.words++; b.n == 0 {
		k.left.remove(at)
	}
}

// tail adds places of one of the words that begin as the phrase's last one does.
func (k *seeking) tail(t *placing, far uint32, from *reader) {
	begin := uint32(len(k.room))
	k.room = append(k.room, k.room[t.from:t.from+t.n]...)
	own := len(k.room)
	k.room = from.places(k.room)
	for i := own; i < len(k.room); i++ {
		k.room[i] -= far
	}
	*t = placing{begin, uint32(len(k.room)) - begin}
}

func (k *seeking) at(p placing) []uint32 { return k.room[p.from : p.from+p.n] }

// takeAll reads the places of a word in the documents of a run's chunk; ids are those
// that have it.
func (k *seeking) takeAll(word int, chunk uint16, ids, live *set, from reader) error {
	over := 0 // documents that nobody wants
	for i := int(chunk) << chunkBits / 64; i < int(chunk+1)<<chunkBits/64; i++ {
		have := ids[i]
		for want := have & live[i] & k.left[i]; want != 0; want &= want - 1 {
			bit := want & -want
			from.skip(over + bits.OnesCount64(have&(bit-1)))
			have &^= bit | (bit - 1)
			over = 0
			k.take(word, uint16(i*64+bits.TrailingZeros64(bit)), &from)
		}
		over += bits.OnesCount64(have)
	}
	return from.err
}

// found are the documents that have the phrase, once all was taken.
func (k *seeking) found() *set {
	words := uint32(len(k.phrase.list))
	if k.tails != nil {
		words--
	}
	out := new(set)
	for at := range k.left.all() {
		n := k.before.number(k.all, at)
		b := k.begins[n]
		switch {
		case b.words < words: // the places of one were too many to be kept
		case k.tails == nil || slices.ContainsFunc(k.at(b.placing), func(begin uint32) bool { return slices.Contains(k.at(k.tails[n]), begin) }):
			out.add(at)
		}
	}
	return out
}
