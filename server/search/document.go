package search

import "strings"

// Kind is what a document is about.
type Kind string

// Kinds of documents.
const (
	Ticket       Kind = "ticket"
	User         Kind = "user"
	Organization Kind = "organization"
	Group        Kind = "group"
	Article      Kind = "article" // one for each language
)

// Kinds are those that searches of the desk find. Articles are found in the help
// center.
var Kinds = []Kind{Ticket, User, Organization, Group}

// Part is a part of a document that may be searched by itself.
type Part byte

// Parts of documents. Their values are in the index.
const (
	Body    Part = '+' // a ticket's public comments; of the other kinds, all there is
	Private Part = '-' // a ticket's private comments
	Title   Part = '!' // a ticket's subject; otherwise the name
	Fields  Part = '=' // values of custom fields
	Notes   Part = '('
	Details Part = ')'
	Labels  Part = '#' // an article's
	Locale  Part = '@' // an article's, as a whole
)

// Said are the parts of a ticket that hold its comments.
var Said = []Part{Body, Private}

// bareParts are where words are looked for that name no part.
func bareParts(of Kind) []Part {
	if of == Ticket {
		return []Part{Body, Private, Title, Fields}
	}
	return []Part{Body}
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
	part  Part
	text  string
	name  bool // its words have no stems
	whole bool // it is one lexeme
}

// Add adds a text.
func (d *Document) Add(part Part, text string) { d.add(part, text, false) }

// AddName adds a name, a number or an address, whose words have no stems.
func (d *Document) AddName(part Part, text string) { d.add(part, text, true) }

func (d *Document) add(part Part, text string, name bool) {
	if strings.TrimSpace(text) != "" {
		d.texts = append(d.texts, partText{part: part, text: text, name: name})
	}
}

// AddWhole adds a text that Whole finds, and no word of it.
func (d *Document) AddWhole(part Part, text string) {
	d.texts = append(d.texts, partText{part: part, text: text, whole: true})
}

// Limits of a document: places of one lexeme, and bytes of all. What exceeds them
// is not found.
const (
	maxPlaces = 4_096
	maxBytes  = 1_000_000
)

// gap keeps phrases from going over from one text to the next.
const gap = 8

// lexemes are what a document becomes. The key of each is its text, which ends with
// keyEnd, its part and, of a stem, the mark of its language: forms of a word lie side
// by side in the index, whatever part they are in.
type lexemes struct {
	at    map[string]int
	list  []lexeme
	bytes int
}

type lexeme struct {
	key    string
	places []uint32 // of a stem none
}

// keyEnd ends the text of a key. No text has it.
const keyEnd = "\x01"

func keyOf(text string, part Part, mark string) string {
	return text + keyEnd + string(rune(part)) + mark
}

// add adds a lexeme at a place; at none if it is 0.
func (l *lexemes) add(part Part, mark string, text string, place int) {
	key := keyOf(text, part, mark)
	i, ok := l.at[key]
	if !ok {
		if l.bytes += len(key) + 4; l.bytes > maxBytes {
			return
		}
		i = len(l.list)
		l.at[key], l.list = i, append(l.list, lexeme{key: key})
	}
	lex := &l.list[i]
	if place == 0 || len(lex.places) >= maxPlaces || l.bytes >= maxBytes {
		return
	}
	l.bytes += 2
	lex.places = append(lex.places, uint32(place))
}

// pack is the document as the index keeps it.
func (d *Document) pack() []byte {
	size := 0
	for _, t := range d.texts {
		size += len(t.text)
	}
	size = min(size/8, 1000) // about as many lexemes
	l := lexemes{at: make(map[string]int, size), list: make([]lexeme, 0, size)}
	terms := make([][]term, len(d.texts))
	pos := 1
	for i, t := range d.texts {
		if t.whole {
			l.add(t.part, "", t.text, 0)
			continue
		}
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
	return l.pack()
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
