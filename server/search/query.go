package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/helpd/helpd/server/fault"
)

// Limits of a query.
const (
	maxQuery = 4096 // characters
	maxWords = 64
)

// Op is how a property is compared.
type Op string

// Operators.
const (
	Is     Op = ":"
	Less   Op = "<"
	More   Op = ">"
	AtMost Op = "<="
	Least  Op = ">="
)

// Clause is one part of a query, all of which must hold but for those of the same
// property with Is, of which one must.
type Clause struct {
	Not    bool
	Name   string // the property in lower case; empty for a word or a phrase
	Op     Op
	Value  string
	Quoted bool
	Text   string // as it was written, without the sign of Not
}

// Star reports whether the value stands for all that begins so, and what that is.
func (c Clause) Star() (string, bool) {
	if c.Quoted || len(c.Value) < 2 {
		return c.Value, false
	}
	return strings.CutSuffix(c.Value, "*")
}

// Bad is the failure of a query that cannot be understood.
func Bad(format string, args ...any) error {
	return fault.New(fault.BadQuery, "Invalid search: "+format, args...)
}

// Parse reads a query (contract search.md §2). What looks like a property and is
// none for known is a word. It fails with fault.BadQuery for a query that is too
// long, a quotation that does not end, and a property without a value.
func Parse(query string, known func(name string) bool) ([]Clause, error) {
	if utf8.RuneCountInString(query) > maxQuery {
		return nil, Bad("the query is longer than %d characters", maxQuery)
	}
	if strings.ContainsRune(query, 0) {
		return nil, Bad("the query has a character that no text has")
	}
	var out []Clause
	words := 0
	for rest := strings.TrimSpace(query); rest != ""; rest = strings.TrimSpace(rest) {
		var c Clause
		var err error
		if c, rest, err = next(rest, known); err != nil {
			return nil, err
		}
		if c.Name == "" && c.Value == "" {
			continue // a sign by itself
		}
		if words += max(1, len(strings.Fields(c.Value))); words > maxWords {
			return nil, Bad("the query has more than %d words", maxWords)
		}
		out = append(out, c)
	}
	return out, nil
}

func next(text string, known func(string) bool) (c Clause, rest string, err error) {
	if c.Not = len(text) > 1 && text[0] == '-' && !isSpace(text[1:]); c.Not {
		text = text[1:]
	}
	rest = text
	if name, op := property(text); op != "" && known(strings.ToLower(name)) {
		c.Name, c.Op = strings.ToLower(name), op
		rest = text[len(name)+len(op):]
	}
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		c.Quoted = true
		if c.Value, rest, ok = strings.Cut(quoted, `"`); !ok {
			return c, "", Bad("a quotation mark has no other")
		}
		c.Value = strings.TrimSpace(c.Value)
	} else {
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		c.Value, rest = rest[:end], rest[end:]
	}
	if c.Text = text[:len(text)-len(rest)]; c.Name != "" && c.Value == "" {
		return c, "", Bad("%s has no value", c.Name)
	}
	return c, rest, nil
}

func isSpace(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsSpace(r)
}

// property is the name at the beginning of a text and the operator behind it; no
// operator if there is none.
func property(text string) (name string, op Op) {
	end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if end <= 0 {
		return "", ""
	}
	for _, op := range []Op{AtMost, Least, Less, More, Is} {
		if strings.HasPrefix(text[end:], string(op)) {
			return text[:end], op
		}
	}
	return "", ""
}
