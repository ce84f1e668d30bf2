package tickets

import (
	"slices"
	"strings"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"

	"github.com/helpd/helpd/server/redactions"
)

// CoverHTML covers what find finds in what a reader of the HTML reads, also
// where tags divide it, and in addresses and titles. The tags stay; white space
// of any kind and length is one blank to find. HTML in which nothing is found
// comes back as it is.
func CoverHTML(source string, find redactions.Find) string {
	pieces := piecesOf(source, "")
	found := false
	for i, p := range pieces {
		if p.text == nil {
			raw, changed := coverTag(p.raw, find)
			pieces[i].raw, found = raw, found || changed
		}
	}
	runes, places := read(pieces)
	text := string(runes)
	for _, at := range find(text) {
		first := utf8.RuneCountInString(text[:at[0]])
		cover(pieces, places[first:first+utf8.RuneCountInString(text[at[0]:at[1]])])
		found = true
	}
	if !found {
		return source
	}
	return joined(pieces)
}

// coverTag covers what is found in the values of a tag that people write.
func coverTag(raw string, find redactions.Find) (string, bool) {
	z := nethtml.NewTokenizer(strings.NewReader(raw))
	z.Next()
	token := z.Token()
	changed := false
	for i, a := range token.Attr {
		if !slices.Contains([]string{"href", "src", "alt", "title", "cite"}, a.Key) {
			continue
		}
		if now := redactions.Text(a.Val, find); now != a.Val {
			token.Attr[i].Val, changed = now, true
		}
	}
	if !changed {
		return raw, false
	}
	return token.String(), true
}
