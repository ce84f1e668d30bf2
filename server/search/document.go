package search

import (
	"strconv"
	"strings"
)

// Kind is what a document is about.
type Kind string

// Kinds of documents.
const (
	Ticket       Kind = "ticket"
	User         Kind = "user"
	Organization Kind = "organization"
	Group        Kind = "group"
)

// Kinds are all of them.
var Kinds = []Kind{Ticket, User, Organization, Group}

// Part is a part of a document that may be searched by itself.
type Part byte

// Parts of documents. Their values are in the index.
const (
	Body    Part = 0   // a ticket's comments; of the other kinds, all there is
	Title   Part = '!' // a ticket's subject; otherwise the name
	Fields  Part = '=' // values of custom fields
	Notes   Part = '('
	Details Part = ')'
)

// bareParts are where words are looked for that name no part.
func bareParts(of Kind) []Part {
	if of == Ticket {
		return []Part{Body, Title, Fields}
	}
	return []Part{Body}
}

// SectionSize is how many ids one section of the index has. Lexemes hang on it. A search goes from
// the newest section to the older ones and stops when it has enough, which is
// why one for a word of a million tickets does not read a million of them.
const SectionSize = 20_000

// Section is a part of the index: the documents of one account and kind whose ids
// lie in a range. Its lexemes begin with the section's key, so that what the index
// keeps for a word of one account is apart from what it keeps for the others'.
type Section struct {
	Key        string
	First, End int64 // ids, without End
}

// SectionOf is the section of a record.
func SectionOf(account int64, kind Kind, id int64) Section {
	n := id / SectionSize
	return Section{Key: sectionKey(account, kind, n), First: n * SectionSize, End: (n + 1) * SectionSize}
}

// Sections are those of the records from first to last, the newest first.
func Sections(account int64, kind Kind, first, last int64) []Section {
	var out []Section
	for id := last; id >= first-first%SectionSize; id -= SectionSize {
		out = append(out, SectionOf(account, kind, id))
	}
	return out
}

const keyDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

// sectionKey is three characters that few other sections share. Those that do
// are told apart by their rows' columns.
func sectionKey(account int64, kind Kind, n int64) string {
	h := uint64(14695981039346656037)
	mix := func(v uint64) {
		h = (h ^ v) * 1099511628211
		h ^= h >> 29
	}
	mix(uint64(account))
	mix(uint64(kind[0]))
	mix(uint64(n))
	h *= 0x9E3779B97F4A7C15
	return string([]byte{keyDigits[h>>58], keyDigits[h>>52&63], keyDigits[h>>46&63]})
}

// Document is what a record is found by. The zero value with an Account, Kind and
// ID has no words.
type Document struct {
	Account int64
	Kind    Kind
	ID      int64
	Locale  string // of a text that does not tell its language

	texts  []partText
	tongue tongue
}

type partText struct {
	part Part
	text string
	name bool // its words have no stems
}

// Add adds a text.
func (d *Document) Add(part Part, text string) { d.add(part, text, false) }

// AddName adds a name, a number or an address, whose words have no stems.
func (d *Document) AddName(part Part, text string) { d.add(part, text, true) }

func (d *Document) add(part Part, text string, name bool) {
	if strings.TrimSpace(text) != "" {
		d.texts = append(d.texts, partText{part, text, name})
	}
}

// Limits of PostgreSQL's tsvector: positions in a document, of one lexeme, and
// bytes. What exceeds the last is not found.
const (
	maxPosition  = 16_383
	maxPositions = 255
	maxBytes     = 1_000_000
)

// gap keeps phrases from going over from one text to the next.
const gap = 8

// lexemes are what a document becomes, in the order in which they came up.
type lexemes struct {
	key   string
	at    map[string]int
	list  []lexeme
	bytes int
}

type lexeme struct {
	text  string
	first int // position; 0: none
	more  []int
}

// add adds a lexeme at a position; none if it is 0.
func (l *lexemes) add(part Part, mark string, text string, position int) {
	if part != Body {
		mark = string(part) + mark
	}
	full := mark + text
	i, ok := l.at[full]
	if !ok {
		if l.bytes += len(l.key) + len(full) + 6; l.bytes > maxBytes {
			return
		}
		i = len(l.list)
		l.at[full], l.list = i, append(l.list, lexeme{text: full})
	}
	lex := &l.list[i]
	if position == 0 || len(lex.more)+1 >= maxPositions || l.bytes >= maxBytes {
		return
	}
	l.bytes += 2
	if position = (position-1)%(maxPosition-1) + 1; lex.first == 0 {
		lex.first = position
		return
	}
	lex.more = append(lex.more, position)
}

// Vector is the document as the text of a tsvector.
func (d *Document) Vector() string {
	size := 0
	for _, t := range d.texts {
		size += len(t.text)
	}
	size = min(size/8, 1000) // about as many lexemes
	l := lexemes{key: SectionOf(d.Account, d.Kind, d.ID).Key, at: make(map[string]int, size), list: make([]lexeme, 0, size)}
	terms := make([][]term, len(d.texts))
	pos := 1
	for i, t := range d.texts {
		terms[i] = make([]term, 0, len(t.text)/6+1)
		pos = splitFrom(t.text, pos, func(found term) {
			terms[i] = append(terms[i], found)
			if !t.name {
				for _, w := range found.words {
					d.tongue.hear(w.text)
				}
			}
		}) + gap
	}
	latin := d.tongue.latin(d.Locale)
	for i, t := range d.texts {
		for _, found := range terms[i] {
			l.term(t, found, latin)
		}
	}
	return l.vector()
}

func (l *lexemes) term(of partText, t term, latin *language) {
	for _, w := range t.words {
		plain := bare(w.text)
		l.add(of.part, "", plain, w.pos)
		if w.pair || of.name {
			continue
		}
		if lang := languageOf(w.text, latin); lang != nil {
			if stem := lang.of(w.text); stem != plain || lang.code != "en" {
				l.add(of.part, stemMark(lang), stem, 0)
			}
		}
	}
	for _, whole := range t.wholes {
		l.add(of.part, "", bare(whole.text), whole.pos)
	}
}

// stemMark begins the stems of a language, which therefore are not mistaken for
// words nor for another's stems. English has no stem in the index that is a word
// itself; queries look up both.
func stemMark(l *language) string { return l.mark }

func (l *lexemes) vector() string {
	var b strings.Builder
	b.Grow(l.bytes + 4*len(l.list))
	for i, lex := range l.list {
		if i > 0 {
			b.WriteByte(' ')
		}
		quoteLexeme(&b, l.key, lex.text)
		if lex.first > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(lex.first))
		}
		for _, p := range lex.more {
			b.WriteByte(',')
			b.WriteString(strconv.Itoa(p))
		}
	}
	return b.String()
}

func quoteLexeme(b *strings.Builder, key, text string) {
	b.WriteByte('\'')
	b.WriteString(key)
	for i := range len(text) {
		if c := text[i]; c == '\'' || c == '\\' {
			b.WriteByte(c)
		}
		b.WriteByte(text[i])
	}
	b.WriteByte('\'')
}
