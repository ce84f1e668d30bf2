package liquid

import (
	"regexp"
	"strings"
	"unicode"
)

type tokenKind int

const (
	textToken tokenKind = iota
	outputToken
	tagToken
)

type token struct {
	kind tokenKind
	text string // a tag's without its name
	name string // of a tag
	line int
}

var (
	tagParts   = regexp.MustCompile(`(?s)^\s*([A-Za-z_]\w*|#)\s*(.*?)\s*$`)
	endRaw     = regexp.MustCompile(`\{%-?\s*endraw\s*-?%\}`)
	endComment = regexp.MustCompile(`\{%-?\s*endcomment\s*-?%\}`)
)

// scan takes a text apart. With an error the tokens are those of the whole text
// all the same: what is not closed is text.
func scan(text string) (tokens []token, err error) {
	line, trim := 1, false
	fail := func(what string) {
		if err == nil {
			err = &SyntaxError{line, what}
		}
	}
	add := func(s string) {
		line += strings.Count(s, "\n")
		if trim {
			s = strings.TrimLeftFunc(s, unicode.IsSpace)
		}
		if s != "" {
			tokens, trim = append(tokens, token{kind: textToken, text: s}), false
		}
	}
	for rest := text; rest != ""; {
		at := opening(rest)
		if at < 0 {
			add(rest)
			break
		}
		before, end := rest[:at], "}}"
		if rest[at+1] == '%' {
			end = "%}"
		}
		n := strings.Index(rest[at+2:], end)
		if n < 0 {
			add(rest)
			fail(rest[at:at+2] + " is not closed")
			break
		}
		inner := rest[at+2 : at+2+n]
		rest = rest[at+2+n+2:]
		if strings.HasPrefix(inner, "-") {
			inner, before = inner[1:], strings.TrimRightFunc(before, unicode.IsSpace)
		}
		add(before)
		if trim = strings.HasSuffix(inner, "-"); trim {
			inner = inner[:len(inner)-1]
		}
		if end == "}}" {
			tokens = append(tokens, token{kind: outputToken, text: strings.TrimSpace(inner), line: line})
			line += strings.Count(inner, "\n")
			continue
		}
		m := tagParts.FindStringSubmatch(inner)
		if m == nil {
			fail("{%" + inner + "%} is not a tag")
			continue
		}
		switch m[1] {
		case "#":
		case "raw", "comment":
			ends := endRaw
			if m[1] == "comment" {
				ends = endComment
			}
			to := ends.FindStringIndex(rest)
			if to == nil {
				fail(m[1] + " is not closed")
				to = []int{len(rest), len(rest)}
			}
			inside := rest[:to[0]]
			if m[1] == "raw" {
				add(inside)
			} else {
				line += strings.Count(inside, "\n")
			}
			trim = strings.HasSuffix(rest[to[0]:to[1]], "-%}")
			rest = rest[to[1]:]
		default:
			tokens = append(tokens, token{kind: tagToken, name: m[1], text: m[2], line: line})
			line += strings.Count(inner, "\n")
		}
	}
	return tokens, err
}

// opening is where the first {{ or {% is; -1 if there is none.
func opening(text string) int {
	for from := 0; ; {
		at := strings.IndexByte(text[from:], '{')
		if at < 0 || from+at+1 >= len(text) {
			return -1
		}
		from += at
		if next := text[from+1]; next == '{' || next == '%' {
			return from
		}
		from++
	}
}

// masked is a text of the same length in which what stands within quotes is
// blank.
func masked(s string) string {
	b := []byte(s)
	var quote byte
	for i, c := range b {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == c:
			quote = 0
		case quote != 0:
			b[i] = ' '
		}
	}
	return string(b)
}

// split cuts s where separators match outside of quotes.
func split(s string, separators *regexp.Regexp) []string {
	var out []string
	from := 0
	for _, at := range separators.FindAllStringIndex(masked(s), -1) {
		out = append(out, s[from:at[0]])
		from = at[1]
	}
	return append(out, s[from:])
}

var (
	word        = regexp.MustCompile(`[\pL_][\pL\pN_-]*`)
	literal     = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
	filterName  = regexp.MustCompile(`\|\s*([A-Za-z_][\w-]*)`)
	byValue     = regexp.MustCompile(`\[\s*[A-Za-z_]|\|\s*(?:map|where|sort|sort_natural|sum|uniq|compact)\s*:\s*[A-Za-z_]`)
	blockMarkup = regexp.MustCompile(`(?i)<(?:html|body|p|div|br|table|tr|td|ul|ol|li|h[1-6]|blockquote|pre|hr|section|article|header|footer)[\s/>]`)
)

// note remembers what a token names.
func (t *Template) note(tok token) {
	if tok.kind == textToken {
		t.blocks = t.blocks || blockMarkup.MatchString(tok.text)
		return
	}
	outside := masked(tok.text)
	for _, m := range filterName.FindAllStringSubmatch(outside, -1) {
		t.filters[m[1]] = true
	}
	for _, m := range literal.FindAllStringSubmatch(tok.text, -1) {
		t.literals[m[1]+m[2]] = true
	}
	for _, name := range word.FindAllString(tok.text, -1) { // within quotes too: ticket['title']
		t.names[name] = true
	}
	t.dynamic = t.dynamic || byValue.MatchString(outside)
}
