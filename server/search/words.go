package search

import (
	"strings"
	"unicode/utf8"
)

// maxWord is how many characters of a word count; longer ones are no words.
const maxWord = 64

// word is one word of a text, or a pair of characters of a script without
// spaces.
type word struct {
	text string // folded, with its marks
	pos  int    // its place among the words
	pair bool   // of a script without spaces; a single one ends its run
}

// term is what stands between white space and marks that divide: one word, or
// several that belong together, as in error_547 or wi-fi.
type term struct {
	words  []word
	wholes []joined // the words written as one; none for a single word
}

// joined are the words of a term from one on, as they are written.
type joined struct {
	text string
	pos  int
}

// split calls each for the terms of a text, in their order.
func split(text string, each func(term)) { splitFrom(text, 0, each) }

// splitFrom is split with the first word at a place; it returns the next place.
func splitFrom(text string, pos int, each func(term)) int {
	text = fold(text)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			i += size
			continue
		}
		end := termEnd(text, i)
		t := newTerm(text[i:end], pos)
		pos += len(t.words)
		each(t)
		i = end
	}
	return pos
}

// termEnd is where the term that begins at i ends.
func termEnd(text string, i int) int {
	end := i
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !inWord(r) {
			next, _ := utf8.DecodeRuneInString(text[end+size:])
			if !joins(r) || end+size >= len(text) || !inWord(next) {
				break
			}
		}
		end += size
	}
	return end
}

func newTerm(text string, pos int) term {
	var t term
	if isASCII(text) && strings.IndexFunc(text, joins) < 0 { // as most are
		return term{words: []word{{text: cut(text), pos: pos}}}
	}
	first := true // at the beginning of a whole
	spaced := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			first = r == '@'
			i += size
			continue
		}
		end := i
		if spaceless(r) {
			end = runEnd(text, i, true)
			t.pairs(text[i:end], pos)
			spaced = true
		} else {
			end = runEnd(text, i, false)
			if first && end < len(text) {
				t.wholes = append(t.wholes, joined{text[i:], pos + len(t.words)})
			}
			t.words = append(t.words, word{text: cut(text[i:end]), pos: pos + len(t.words)})
		}
		first = false
		i = end
	}
	if spaced || len(t.words) < 2 {
		t.wholes = nil // between other scripts it is no sign that joins
	}
	for i := range t.wholes {
		t.wholes[i].text = cut(t.wholes[i].text)
	}
	return t
}

// runEnd is where a run of characters that are spaceless, or are not, ends.
func runEnd(text string, i int, of bool) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) || spaceless(r) != of {
			break
		}
		i += size
	}
	return i
}

// pairs adds the pairs of neighbours in a run, and its last character alone, so
// that each character begins a word and is found by itself.
func (t *term) pairs(run string, pos int) {
	for i := 0; i < len(run); {
		_, a := utf8.DecodeRuneInString(run[i:])
		_, b := utf8.DecodeRuneInString(run[i+a:])
		t.words = append(t.words, word{text: run[i : i+a+b], pos: pos + len(t.words), pair: true})
		i += a
	}
}

// cut is the beginning of a word that is too long to be one.
func cut(text string) string {
	if len(text) <= maxWord {
		return text
	}
	n := 0
	for i := range text {
		if n == maxWord {
			return text[:i]
		}
		n++
	}
	return text
}

// single reports whether a pair is the last character of its run.
func (w word) single() bool { return w.pair && utf8.RuneCountInString(w.text) == 1 }

// plainText is a text without characters that PostgreSQL does not store.
func plainText(text string) string { return strings.ReplaceAll(text, "\x00", " ") }
