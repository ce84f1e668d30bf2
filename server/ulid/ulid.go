// Package ulid makes ids of 26 characters that sort by time.
package ulid

import (
	"crypto/rand"
	"regexp"
	"strings"
	"time"
)

// crockford is the alphabet of ULIDs.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var form = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// New is an id of 48 bits of milliseconds and 80 random ones.
func New(at time.Time) string {
	out := begin(at)
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	for i, b := range random {
		out[10+i] = crockford[b&31]
	}
	return string(out[:])
}

// First is the smallest id of a moment: all ids of that moment and later ones are
// equal to it or larger.
func First(at time.Time) string {
	out := begin(at)
	for i := 10; i < len(out); i++ {
		out[i] = crockford[0]
	}
	return string(out[:])
}

func begin(at time.Time) (out [26]byte) {
	ms := min(max(at.UnixMilli(), 0), 1<<48-1)
	for i := 9; i >= 0; i-- {
		out[i] = crockford[ms&31]
		ms >>= 5
	}
	return out
}

// Time is when an id was made, to the millisecond. The id must have the form of
// one.
func Time(id string) time.Time {
	var ms int64
	for _, c := range []byte(id[:10]) {
		ms = ms<<5 | int64(strings.IndexByte(crockford, c))
	}
	return time.UnixMilli(ms).UTC()
}

// Is reports whether a text has the form of such an id.
func Is(text string) bool { return form.MatchString(text) }
