package search

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// Records are records of a kind that were found, the newest first.
type Records struct{ parts []part }

type part struct {
	section int64
	set     *set
}

func (r *Records) add(section int64, s *set) {
	if *s != (set{}) {
		r.parts = append(r.parts, part{section, s})
	}
}

// Len is how many there are.
func (r Records) Len() (n int) {
	for _, p := range r.parts {
		n += p.set.len()
	}
	return n
}

// Has reports whether a record is one of them.
func (r Records) Has(id int64) bool {
	section, at := sectionOf(id)
	for _, p := range r.parts {
		if p.section == section {
			return p.set.has(at)
		}
	}
	return false
}

// With is r and older records.
func (r Records) With(older Records) Records {
	return Records{append(r.parts[:len(r.parts):len(r.parts)], older.parts...)}
}

// Newest are the ids of the newest n, the newest first.
func (r Records) Newest(n int) []int64 {
	out := make([]int64, 0, min(n, r.Len()))
	for _, p := range r.parts {
		for i := len(p.set) - 1; i >= 0; i-- {
			for w := p.set[i]; w != 0; {
				if len(out) == n {
					return out
				}
				bit := bits.Len64(w) - 1
				w &^= 1 << bit
				out = append(out, int64(p.section)<<sectionBits|int64(i*64+bit))
			}
		}
	}
	return out
}

// Cut divides r: sections of the newest records until there are n or more, and the
// rest.
func (r Records) Cut(n int) (newest, rest Records) {
	for i, p := range r.parts {
		if n -= p.set.len(); n <= 0 {
			return Records{r.parts[:i+1]}, Records{r.parts[i+1:]}
		}
	}
	return r, Records{}
}

// Span is the range of ids that they are in, without its end.
func (r Records) Span() (first, end int64) {
	if len(r.parts) == 0 {
		return 0, 0
	}
	return int64(r.parts[len(r.parts)-1].section) << sectionBits, (int64(r.parts[0].section) + 1) << sectionBits
}

// Bits are the records as bits: that of number n, in PostgreSQL's way of counting, is
// the record first + n of their Span.
func (r Records) Bits() []byte {
	first, end := r.Span()
	b := make([]byte, (end-first)/8)
	for _, p := range r.parts {
		at := b[(int64(p.section)<<sectionBits-first)/8:]
		for i, w := range p.set {
			binary.LittleEndian.PutUint64(at[8*i:], w)
		}
	}
	return b
}

// Before are the records older than one.
func (r Records) Before(id int64) Records {
	section, at := sectionOf(id)
	var out Records
	for _, p := range r.parts {
		switch {
		case p.section < section:
			out.parts = append(out.parts, p)
		case p.section == section:
			var older set
			for i := range p.set.all() {
				if i < at {
					older.add(i)
				}
			}
			out.add(section, &older)
		}
	}
	return out
}

// Condition is the condition that a column is the id of one of the records. Where they
// are many of those whose ids lie between them, they come as bits.
func (r Records) Condition(column string) (string, []any) {
	first, end := r.Span()
	if n := r.Len(); n == 0 || int64(n) < (end-first)/8 {
		return column + " = ANY(?::bigint[])", []any{r.Newest(n)}
	}
	return fmt.Sprintf("%[1]s >= ? AND %[1]s < ? AND CASE WHEN %[1]s >= ? AND %[1]s < ? THEN get_bit(?::bytea, (%[1]s - ?)::int) = 1 END", column),
		[]any{first, end, first, end, r.Bits(), first}
}

// Set is a set of ids. It never changes.
type Set struct{ parts map[int64]*set }

// NewSet is the set of ids.
func NewSet(ids []int64) Set {
	s := Set{map[int64]*set{}}
	for _, id := range ids {
		section, at := sectionOf(id)
		if s.parts[section] == nil {
			s.parts[section] = new(set)
		}
		s.parts[section].add(at)
	}
	return s
}

// With is s with and without ids: those that are true, and those that are false.
func (s Set) With(changes map[int64]bool) Set {
	out := Set{maps.Clone(s.parts)}
	own := map[int64]bool{}
	for id, in := range changes {
		section, at := sectionOf(id)
		if !own[section] {
			own[section] = true
			copied := set{}
			if old := out.parts[section]; old != nil {
				copied = *old
			}
			out.parts[section] = &copied
		}
		if in {
			out.parts[section].add(at)
		} else {
			out.parts[section].remove(at)
		}
	}
	return out
}

// Within are the records of r that are in a set.
func (r Records) Within(s Set) Records {
	var out Records
	for _, p := range r.parts {
		if in := s.parts[p.section]; in != nil {
			both := *p.set
			both.and(in)
			out.add(p.section, &both)
		}
	}
	return out
}

// IDs are those of the set, in their order.
func (s Set) IDs() (ids []int64) {
	for _, section := range slices.Sorted(maps.Keys(s.parts)) {
		for at := range s.parts[section].all() {
			ids = append(ids, int64(section)<<sectionBits|int64(at))
		}
	}
	return ids
}
