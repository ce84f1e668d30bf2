package tickets

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// piece is a tag of HTML, or a text between two.
type piece struct {
	raw   string
	text  []rune // unescaped; nil for a tag
	space bool   // of a tag: it parts words

	tag    string // its name; of a text, the text
	end    bool   // of a tag: it is an end tag
	marked bool   // of a tag: it has the attribute redact
	source string // of a tag: its src
}

// redactHTML covers text in what a reader of the HTML reads, also where tags
// divide it, and in addresses and titles. The tags stay; white space of any
// kind and length is the same.
func redactHTML(source, text string) string {
	pieces := piecesOf(source, text)
	runes, places := read(pieces)
	wanted := []rune(strings.Join(strings.Fields(text), " "))
	for i := 0; i+len(wanted) <= len(runes); i++ {
		if !slices.Equal(runes[i:i+len(wanted)], wanted) {
			continue
		}
		cover(pieces, places[i:i+len(wanted)])
		i += len(wanted) - 1
	}
	return joined(pieces)
}

// place is where a letter of HTML stands.
type place struct{ piece, at int }

// read is what a reader reads, with each white space as one blank, and where it
// stands.
func read(pieces []piece) ([]rune, []place) {
	var runes []rune
	var places []place
	blank := func(p place) {
		if n := len(runes); n == 0 || runes[n-1] != ' ' {
			runes, places = append(runes, ' '), append(places, p)
		}
	}
	for i, p := range pieces {
		if p.space {
			blank(place{i, 0})
		}
		for at, r := range p.text {
			if unicode.IsSpace(r) {
				blank(place{i, at})
			} else {
				runes, places = append(runes, r), append(places, place{i, at})
			}
		}
	}
	return runes, places
}

func cover(pieces []piece, places []place) {
	for _, p := range places {
		if t := pieces[p.piece].text; t != nil {
			t[p.at] = []rune(redaction)[0]
		}
	}
}

func joined(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.text == nil {
			b.WriteString(p.raw)
		} else {
			b.WriteString(html.EscapeString(string(p.text)))
		}
	}
	return b.String()
}

// piecesOf divides HTML, and covers text, unless it is empty, in the attributes
// that people write.
func piecesOf(source, text string) []piece {
	cover := strings.Repeat(redaction, utf8.RuneCountInString(text))
	z := nethtml.NewTokenizer(strings.NewReader(source))
	var pieces []piece
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return pieces
		}
		p := piece{raw: string(z.Raw())}
		token := z.Token()
		p.tag, p.end = token.Data, kind == nethtml.EndTagToken
		_, p.marked = attribute(token, "redact")
		p.source, _ = attribute(token, "src")
		if kind == nethtml.TextToken {
			p.tag = ""
			p.text = []rune(token.Data)
			pieces = append(pieces, p)
			continue
		}
		found := false
		for i, a := range token.Attr {
			if text != "" && slices.Contains([]string{"href", "src", "alt", "title", "cite"}, a.Key) && strings.Contains(a.Val, text) {
				token.Attr[i].Val, found = strings.ReplaceAll(a.Val, text, cover), true
			}
		}
		if found {
			p.raw = token.String()
		}
		p.space = !inline[token.DataAtom]
		pieces = append(pieces, p)
	}
}

// inline are the tags that may stand within a word.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Code: true, atom.Del: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Ins: true,
	atom.Mark: true, atom.S: true, atom.Small: true, atom.Span: true, atom.Strike: true, atom.Strong: true, atom.Sub: true, atom.Sup: true,
	atom.Tt: true, atom.U: true,
}

func attribute(t nethtml.Token, key string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}
