// Package richtext reads texts that are written in HTML.
package richtext

import (
	"html"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Text is what a reader of the HTML reads: block elements begin a line, list
// items a dash.
func Text(source string) string {
	z := nethtml.NewTokenizer(strings.NewReader(source))
	var b strings.Builder
	for {
		switch kind := z.Next(); kind {
		case nethtml.ErrorToken:
			return tidy(b.String())
		case nethtml.TextToken:
			b.WriteString(strings.Join(strings.FieldsFunc(html.UnescapeString(string(z.Raw())), func(r rune) bool { return r == '\n' || r == '\r' }), " "))
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken, nethtml.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.P, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
				b.WriteString("\n\n")
			case atom.Br, atom.Div, atom.Tr, atom.Table, atom.Ul, atom.Ol:
				b.WriteString("\n")
			case atom.Li:
				if kind != nethtml.EndTagToken {
					b.WriteString("\n- ")
				}
			case atom.Td, atom.Th:
				if kind == nethtml.EndTagToken {
					b.WriteString(" ")
				}
			}
		}
	}
}

// tidy leaves one of several empty lines, and no blanks around it. Written out: as a
// regular expression it took a fifth of the indexing of articles.
func tidy(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		word := 0
		for word < len(text) && !blank(text[word]) {
			word++
		}
		end, lines := word, 0
		for end < len(text) && blank(text[end]) {
			if text[end] == '\n' {
				lines++
			}
			end++
		}
		if b.WriteString(text[:word]); lines > 1 {
			b.WriteString("\n\n")
		} else {
			b.WriteString(text[word:end])
		}
		text = text[end:]
	}
	return strings.TrimSpace(strings.ReplaceAll(b.String(), "\u00a0", " "))
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }
