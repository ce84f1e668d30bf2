package helpcenter

import (
	"html"
	"strings"
	"unicode/utf8"

	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/search"
)

const (
	// snippetSize is about how many bytes of a text a snippet has; before is how many
	// of them stand before what was found.
	snippetSize   = 240
	snippetBefore = 60
	// lookedInto is how many bytes of a body are looked into at a time: most have what
	// was looked for near their beginnings, and some are books.
	lookedInto = 16 << 10
)

// snippet is the piece of a body that has most of the marked words, as HTML with
// these in <em>; without one, how it begins.
func snippet(body *string, marks *search.Marker) string {
	if body == nil {
		return ""
	}
	beginning := ""
	for rest := *body; rest != ""; {
		piece := rest
		if len(piece) > lookedInto {
			piece = rest[:pieceEnd(rest)]
		}
		rest = rest[len(piece):]
		text := strings.Join(strings.Fields(richtext.Text(piece)), " ")
		if found := marks.Marks(text); len(found) > 0 {
			return emphasized(text, found)
		}
		if beginning == "" {
			beginning = text
		}
	}
	from, to := clip(beginning, 0, snippetSize)
	if to < len(beginning) {
		return html.EscapeString(beginning[from:to]) + "…"
	}
	return html.EscapeString(beginning)
}

// pieceEnd is where a piece of HTML may end: before a tag, or else anywhere.
func pieceEnd(body string) int {
	if i := strings.LastIndexByte(body[:lookedInto], '<'); i > 0 {
		return i
	}
	end := lookedInto
	for end > 0 && !utf8.RuneStart(body[end]) {
		end--
	}
	return end
}

// emphasized is the piece of a text with most of the query's words.
func emphasized(text string, found []search.Mark) string {
	best, most := 0, 0
	for i := range found {
		words := map[int]bool{}
		for _, m := range found[i:] {
			if m.To-found[i].From > snippetSize-snippetBefore {
				break
			}
			words[m.Word] = true
		}
		if len(words) > most {
			best, most = i, len(words)
		}
	}
	from, to := clip(text, max(0, found[best].From-snippetBefore), max(found[best].From-snippetBefore+snippetSize, found[best].To))
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	at := from
	for _, m := range found {
		if m.From < at || m.To > to {
			continue
		}
		b.WriteString(html.EscapeString(text[at:m.From]) + "<em>" + html.EscapeString(text[m.From:m.To]) + "</em>")
		at = m.To
	}
	b.WriteString(html.EscapeString(text[at:to]))
	if to < len(text) {
		b.WriteString("…")
	}
	return b.String()
}

// clip makes the ends of a piece of a text those of words, or at least of characters.
func clip(text string, from, to int) (int, int) {
	to = min(to, len(text))
	if i := strings.IndexByte(text[from:to], ' '); from > 0 && i >= 0 && i < snippetBefore {
		from += i + 1
	}
	if i := strings.LastIndexByte(text[from:to], ' '); to < len(text) && i > (to-from)/2 {
		to = from + i
	}
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to--
	}
	return from, to
}
