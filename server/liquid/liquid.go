// Package liquid renders texts with Liquid tags, outputs and filters that people
// of an account have written: whatever they wrote, rendering ends soon, takes
// little memory, reads no file and fails nobody.
//
// The grammar of expressions and the comparing of values are those of
// github.com/osteele/liquid. Its renderer and its filters are not used: nothing
// stops a loop of theirs whose body is empty or is captured, {% include %} reads
// files, filters panic on numbers out of range, and any exported method of a Go
// value could be called by its name, the one that makes a list of the billion
// numbers of (1..1000000000) too.
//
// # What differs from Shopify's Liquid
//
//   - Ranges stand in for and tablerow alone.
//   - A filter that does not exist gives back what it got; one that fails, and an
//     expression that does, write nothing.
//   - include, render and liquid are no tags here.
package liquid

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of one rendering, with all that it embeds.
const (
	MaxOutput = 64 << 10 // bytes of the result, and of every text on the way to it
	MaxTime   = 50 * time.Millisecond
	maxWork   = 100_000 // see run.spend
	maxItems  = 10_000  // of a list that a filter makes
	maxDepth  = 100     // blocks in blocks
	maxSource = MaxOutput
	maxExpr   = 8 << 10 // bytes of one expression
	maxEmbeds = 5       // templates in values of templates
)

// Rendering was cut: what there is of the text is all there will be.
var (
	ErrTooLong = fmt.Errorf("gives more than %d KB", MaxOutput>>10)
	ErrTooMuch = errors.New("takes too long: it loops too often")
)

// SyntaxError tells what is wrong with a text.
type SyntaxError struct {
	Line int // from 1
	Text string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Format is what a text is written in. Values are escaped for it; what the
// author wrote is not.
type Format int

// The formats.
const (
	Text Format = iota // values as they are
	HTML               // ends of lines become breaks
	JSON               // values are the insides of strings
	XML
	URL // values are parts of a path or a query
)

// Template is a text that is ready to be rendered, at any time by any number of
// goroutines. Nobody may change it.
type Template struct {
	source   string
	body     []node
	filters  map[string]bool // named anywhere in it
	names    map[string]bool
	literals map[string]bool // what stands in quotes
	dynamic  bool            // it names members by values
	blocks   bool            // the author writes HTML with paragraphs and the like
}

// Parse reads a text. There is a template even with an error, which is a
// *SyntaxError: one without the tags, and without the outputs that are wrong.
func Parse(text string) (*Template, error) {
	t := &Template{source: text, filters: map[string]bool{}, names: map[string]bool{}, literals: map[string]bool{}}
	if len(text) > maxSource {
		err := &SyntaxError{1, fmt.Sprintf("is longer than %d KB", maxSource>>10)}
		t.body = []node{textNode(text[:maxSource])}
		return t, err
	}
	tokens, err := scan(text)
	for _, tok := range tokens {
		t.note(tok)
	}
	if err == nil {
		p := parser{t: t, tokens: tokens}
		t.body, err = p.all()
	}
	if err != nil {
		t.body = t.salvage(tokens)
	}
	return t, err
}

// Mentions reports whether a name stands anywhere in the outputs or tags. What
// is not mentioned is not used by the template itself.
func (t *Template) Mentions(name string) bool { return t.dynamic || t.names[name] }

// MentionsLike reports whether one of the names that are mentioned is one for
// which f holds.
func (t *Template) MentionsLike(f func(name string) bool) bool {
	if t.dynamic {
		return true
	}
	for name := range t.names {
		if f(name) {
			return true
		}
	}
	return false
}

// Plain reports whether the text has nothing to render.
func (t *Template) Plain() bool {
	return len(t.names) == 0 && !strings.Contains(t.source, "{%") && !strings.Contains(t.source, "{{")
}

// salvage is what can be rendered of a text that is no template.
func (t *Template) salvage(tokens []token) []node {
	var out []node
	for _, tok := range tokens {
		switch tok.kind {
		case textToken:
			out = append(out, textNode(tok.text))
		case outputToken:
			if e, err := t.compile(tok.text); err == nil {
				out = append(out, outputNode{e})
			}
		}
	}
	return out
}
