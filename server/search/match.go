package search

import (
	"slices"
	"strings"
	"unicode"
)

// Match is a condition on the words of documents. The zero value is nil and holds
// for everything.
type Match struct {
	op   byte // '=' lexeme, '&', '|', '<' phrase
	leaf leaf
	list []*Match
	at   []int // of a phrase: the places of its words
}

// leaf is a lexeme that is looked for.
type leaf struct {
	text  string
	part  Part
	mark  string // of a stem
	begin bool   // all that begin so
}

func lexemeMatch(l leaf) *Match { return &Match{op: '=', leaf: l} }

// holds reports whether a key is one that is looked for.
func (l *leaf) holds(key []byte) bool {
	n := len(l.text)
	if len(key) < n+2 || string(key[:n]) != l.text {
		return false
	}
	if !l.begin {
		return key[n] == keyEnd[0] && key[n+1] == byte(l.part) && string(key[n+2:]) == l.mark
	}
	return key[len(key)-1] == byte(l.part) && key[len(key)-2] == keyEnd[0]
}

// Whole holds for documents that have a text as a whole.
func Whole(part Part, text string) *Match { return lexemeMatch(leaf{part: part, text: text}) }

// All holds where every one of list does; nil for none.
func All(list ...*Match) *Match { return several('&', list) }

// Any holds where one of list does; nil for none.
func Any(list ...*Match) *Match { return several('|', list) }

func several(op byte, list []*Match) *Match {
	list = slices.DeleteFunc(slices.Clone(list), func(m *Match) bool { return m == nil })
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &Match{op: op, list: list}
}

// leaves are the lexemes of m, which each adds once.
func (m *Match) leaves(to []leaf) []leaf {
	switch {
	case m == nil:
	case m.op == '=':
		if !slices.Contains(to, m.leaf) {
			to = append(to, m.leaf)
		}
	default:
		for _, one := range m.list {
			to = one.leaves(to)
		}
	}
	return to
}

// HasPhrase reports whether m asks where words stand.
func (m *Match) HasPhrase() bool { return len(m.phrases(nil)) > 0 }

// phrases are those in m, which each adds once.
func (m *Match) phrases(to []*Match) []*Match {
	switch {
	case m == nil:
	case m.op == '<':
		if !slices.ContainsFunc(to, m.same) {
			to = append(to, m)
		}
	default:
		for _, one := range m.list {
			to = one.phrases(to)
		}
	}
	return to
}

// same reports whether two phrases are of the same words.
func (m *Match) same(p *Match) bool {
	return slices.Equal(m.at, p.at) && slices.EqualFunc(m.list, p.list, func(a, b *Match) bool { return a.leaf == b.leaf })
}

// Words says how words of a query are to be found.
type Words struct {
	Kind   Kind
	Parts  []Part // nil: where words are looked for that name no part
	Locale string // of who asks: whose stems count even where a text is in another language
	Begin  bool   // words that begin so as well
	Exact  bool   // no other forms of a word
}

func (w Words) parts() []Part {
	if w.Parts == nil {
		return bareParts(w.Kind)
	}
	return w.Parts
}

// Word is the condition that a document has a word of a query. One with marks in
// it, as in error_547, may be several, which then stand side by side. It is nil
// for a text that has no word.
func (w Words) Word(text string) *Match {
	var terms []term
	split(plainText(text), func(t term) { terms = append(terms, t) })
	if len(terms) == 0 {
		return nil
	}
	var found []*Match
	for _, part := range w.parts() {
		if len(terms) == 1 && len(terms[0].wholes) > 0 {
			found = append(found, lexemeMatch(leaf{part: part, text: bare(terms[0].wholes[0].text), begin: w.Begin}))
		}
		words := looked(terms)
		if len(words) == 1 {
			found = append(found, w.one(part, words[0]))
			continue
		}
		found = append(found, w.phrase(part, words))
	}
	return Any(found...)
}

// Phrase is the condition that a document has the words of a text in their order,
// whatever the marks between them; nil for a text that has no word.
func (w Words) Phrase(text string) *Match {
	var terms []term
	split(plainText(text), func(t term) { terms = append(terms, t) })
	words := looked(terms)
	if len(words) == 0 {
		return nil
	}
	w.Begin = false
	var found []*Match
	for _, part := range w.parts() {
		if len(words) == 1 {
			found = append(found, w.one(part, words[0]))
			continue
		}
		found = append(found, w.phrase(part, words))
	}
	return Any(found...)
}

// looked are the words of terms that must be looked for: pairs tell of a run's
// last character already.
func looked(terms []term) []word {
	var out []word
	for _, t := range terms {
		for i, w := range t.words {
			if w.single() && i > 0 && t.words[i-1].pair {
				continue
			}
			out = append(out, w)
		}
	}
	return out
}

func (w Words) phrase(part Part, words []word) *Match {
	m := &Match{op: '<'}
	for i, one := range words {
		last := i == len(words)-1
		m.list = append(m.list, lexemeMatch(leaf{part: part, text: bare(one.text), begin: last && (w.Begin && !one.pair || one.single())}))
		m.at = append(m.at, one.pos)
	}
	return m
}

// one is the condition of a single word, in any of its forms.
func (w Words) one(part Part, of word) *Match {
	plain := bare(of.text)
	found := []*Match{lexemeMatch(leaf{part: part, text: plain, begin: w.Begin || of.single()})}
	if of.pair || w.Exact || part == Fields {
		return found[0]
	}
	own := (&tongue{}).latin(w.Locale)
	for _, lang := range languages {
		if lang.stem == nil || !lang.writes(of.text) {
			continue
		}
		stem := lang.of(of.text)
		found = append(found, lexemeMatch(leaf{part: part, text: stem, mark: stemMark(lang)}))
		// In English a text with the stem itself has no mark for it, and in the
		// caller's language a text may be too short to tell.
		if (lang.code == "en" || lang == own) && stem != plain && len(stem) > 2 {
			found = append(found, lexemeMatch(leaf{part: part, text: stem}))
		}
	}
	return Any(found...)
}

// HasWord reports whether a text has anything that could be looked for.
func HasWord(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) >= 0
}
