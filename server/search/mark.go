package search

import "strings"

// Marker finds the words of a query in a text that people read.
type Marker struct {
	words []sought
	latin *language
}

// sought is a word of a query.
type sought struct {
	plain string // folded, without marks
	stem  string // empty: none
	run   bool   // of a script without spaces: it may be anywhere
}

// NewMarker makes a marker for texts in a language.
func NewMarker(query, locale string) *Marker {
	m := &Marker{latin: (&tongue{}).latin(locale)}
	eachWord(query, func(from, to int) bool {
		folded := fold(query[from:to])
		w := sought{plain: bare(folded), run: strings.IndexFunc(folded, spaceless) >= 0}
		if lang := languageOf(folded, m.latin); lang != nil && !w.run {
			w.stem = lang.of(folded)
		}
		m.words = append(m.words, w)
		return true
	})
	return m
}

// Mark is a piece of a text, from a byte to another, that is a word of the query, or
// begins as one does.
type Mark struct{ From, To, Word int }

// Marks are those in a text, in their order.
func (m *Marker) Marks(text string) (out []Mark) {
	if len(m.words) == 0 {
		return nil
	}
	eachWord(text, func(from, to int) bool {
		folded := fold(text[from:to])
		plain, stem := bare(folded), ""
		if lang := languageOf(folded, m.latin); lang != nil {
			stem = lang.of(folded)
		}
		for i, w := range m.words {
			switch {
			case w.run:
				if at, end, ok := within(text[from:to], folded, w.plain); ok {
					out = append(out, Mark{from + at, from + end, i})
					return true
				}
			case strings.HasPrefix(plain, w.plain) || w.stem != "" && stem == w.stem:
				out = append(out, Mark{from, to, i})
				return true
			}
		}
		return true
	})
	return out
}

// within is where in a word the piece of it is that is called so when it is folded.
func within(word, folded, piece string) (from, to int, ok bool) {
	at := strings.Index(folded, piece)
	if at < 0 {
		return 0, 0, false
	}
	if len(folded) != len(word) { // other characters stand for its own: all of it
		return 0, len(word), true
	}
	return at, at + len(piece), true
}

// eachWord calls each for the words of a text, from a byte to another, until it
// returns false.
func eachWord(text string, each func(from, to int) bool) {
	from := -1
	for i, r := range text {
		switch {
		case inWord(r) && from < 0:
			from = i
		case !inWord(r) && from >= 0:
			if !each(from, i) {
				return
			}
			from = -1
		}
	}
	if from >= 0 {
		each(from, len(text))
	}
}

// Fold makes queries alike that mean the same to a search: in one case and width,
// with single spaces.
func Fold(query string) string {
	return strings.Join(strings.Fields(fold(plainText(query))), " ")
}
