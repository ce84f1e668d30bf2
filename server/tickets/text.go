package tickets

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
)

// sanitizer lets through what mail and rich-text editors write: text marks,
// lists, tables, pictures, links, code. Scripts, handlers and styles are gone.
var sanitizer = func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(auto|ltr|rtl)$`)).Globally()
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^[\w -]*$`)).OnElements("div", "p", "span", "pre", "code")
	p.RequireNoFollowOnLinks(true)
	return p
}()

var address = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)\]]`)

// htmlOf is the HTML of a plain text: paragraphs at blank lines, a break at
// every other line end, addresses as links.
func htmlOf(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 64)
	b.WriteString(`<div class="zd-comment" dir="auto">`)
	for _, paragraph := range strings.Split(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n"), "\n\n") {
		paragraph = strings.Trim(paragraph, "\n")
		if paragraph == "" {
			continue
		}
		b.WriteString(`<p dir="auto">`)
		b.WriteString(strings.ReplaceAll(linked(paragraph), "\n", "<br>"))
		b.WriteString(`</p>`)
	}
	b.WriteString(`</div>`)
	return b.String()
}

func linked(text string) string {
	at := address.FindAllStringIndex(text, -1)
	if at == nil {
		return html.EscapeString(text)
	}
	var b strings.Builder
	end := 0
	for _, m := range at {
		b.WriteString(html.EscapeString(text[end:m[0]]))
		url := html.EscapeString(text[m[0]:m[1]])
		b.WriteString(`<a href="` + url + `" rel="noreferrer">` + url + `</a>`)
		end = m[1]
	}
	b.WriteString(html.EscapeString(text[end:]))
	return b.String()
}

// markdownHTML is the HTML of a text that agents write in Markdown.
func markdownHTML(text string) string {
	var b bytes.Buffer
	if err := goldmark.Convert([]byte(text), &b); err != nil {
		return htmlOf(text) // a writer into memory does not fail
	}
	return wrapped(b.String())
}

// wrapped is HTML from outside, without what must not reach a browser.
func wrapped(unsafe string) string {
	clean := strings.TrimSpace(sanitizer.Sanitize(unsafe))
	if strings.HasPrefix(clean, `<div class="zd-comment"`) { // our own, sent back
		return clean
	}
	return `<div class="zd-comment" dir="auto">` + clean + `</div>`
}
