package erasure

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/helpd/helpd/server/redactions"
	"github.com/helpd/helpd/server/users"
)

// search finds terms: in SQL the rows that may have one, and in the program the
// places in their texts. The first may find too much, never too little.
type search struct {
	sql  string // a regular expression of PostgreSQL, for ~*; empty finds nothing
	text *regexp.Regexp
}

// everywhere finds what stands for nobody else: addresses, numbers, names of
// more than one word, and values of other kinds that are no mere word.
func (r *run) everywhere() search { return newSearch(termsOf(r.known, false)) }

// inOwn also finds names of one word, and the words of the name, which elsewhere
// may mean anybody or anything.
func (r *run) inOwn() search { return newSearch(termsOf(r.known, true)) }

// term is something to be looked for. In Go's syntax and in PostgreSQL's.
type term struct{ text, sql string }

func termsOf(k users.Known, own bool) []term {
	var out []term
	for _, address := range k.Addresses {
		out = append(out, plain(address))
	}
	for _, phone := range k.Phones {
		out = append(out, phoneTerm(phone))
	}
	for _, name := range k.Names {
		if own || telling(name) {
			out = append(out, marked(name))
		}
	}
	for _, other := range k.Others {
		if own && utf8.RuneCountInString(other) >= 3 || unmistakable(other) {
			out = append(out, plain(other))
		}
	}
	if own {
		for _, name := range k.Names {
			for _, word := range strings.Fields(name) {
				// "van" and "de" are words before they are names.
				if first, _ := utf8.DecodeRuneInString(word); utf8.RuneCountInString(word) >= 2 && !unicode.IsLower(first) {
					t := marked(word)
					t.text = "(?-i:" + t.text + ")"
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// telling reports whether a name hardly is anything but this person's: it has
// two words, or three signs of a script that writes names without spaces.
func telling(name string) bool {
	n := 0
	for _, r := range name {
		if spaceless(r) {
			n++
		}
	}
	return len(strings.Fields(name)) >= 2 || n >= 3
}

// unmistakable reports whether a handle or an id is no mere word or number.
func unmistakable(text string) bool {
	n := utf8.RuneCountInString(text)
	return strings.Contains(text, "@") || n >= 8 || n >= 5 && strings.ContainsAny(text, "0123456789_") && strings.ContainsFunc(text, unicode.IsLetter)
}

// escapes are other ways in which documents write a character: in JSON, in
// HTML and in addresses.
var escapes = map[rune][]string{
	'@': {"%40", "&#64;"}, '+': {"%2B", "&#43;"}, '\'': {"&#39;", "&#x27;", "&apos;", `\u0027`}, '&': {"&amp;", `\u0026`},
	'"': {"&quot;", `\"`, "&#34;"}, '<': {"&lt;", `\u003c`}, '>': {"&gt;", `\u003e`}, '/': {`\/`, "%2F"}, '\\': {`\\`},
}

// plain finds a text whatever its case and the white space in it.
func plain(text string) term { return divided(text, "") }

// marked also finds it where Markdown's marks stand within it.
func marked(text string) term { return divided(text, "[*_~]*") }

func divided(text, by string) term {
	var t term
	for i, word := range strings.Fields(text) {
		if i > 0 {
			t.text += by + `\s+` + by
			t.sql += by + `(\s|&nbsp;|%20|\+|\\[nrt]|<[^>]*>)+` + by
		}
		for at, r := range word {
			if at > 0 {
				t.text, t.sql = t.text+by, t.sql+by
			}
			t.text += oneOf(r, nil)
			t.sql += oneOf(r, jsonEscape(r))
		}
	}
	return t
}

func jsonEscape(r rune) []string {
	if r < utf8.RuneSelf {
		return nil
	}
	var units strings.Builder
	high, low := r, rune(0)
	if r > 0xFFFF {
		r -= 0x10000
		high, low = 0xD800+(r>>10), 0xDC00+(r&0x3FF)
	}
	const digits = "0123456789abcdef"
	for _, u := range []rune{high, low} {
		if u == 0 {
			continue
		}
		units.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			units.WriteByte(digits[u>>shift&0xF])
		}
	}
	return []string{units.String()}
}

// oneOf matches a character in all ways of writing it.
func oneOf(r rune, more []string) string {
	ways := append(append([]string{string(r)}, escapes[r]...), more...)
	for i, way := range ways {
		ways[i] = quote(way)
	}
	if len(ways) == 1 {
		return ways[0]
	}
	return "(?:" + strings.Join(ways, "|") + ")"
}

// quote escapes what has a meaning in regular expressions, in a form that both
// syntaxes read alike.
func quote(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// phoneDigits are the last digits of a number by which it is found however the
// rest is written: with or without the country, in groups of any size.
const phoneDigits = 8

func phoneTerm(phone string) term {
	var digits []rune
	for _, r := range phone {
		if unicode.IsDigit(r) {
			digits = append(digits, r)
		}
	}
	if len(digits) < 5 {
		return plain(phone)
	}
	t := `[+(]?`
	if len(digits) > phoneDigits {
		t += `(?:[0-9][0-9 ()./-]{0,9})?`
		digits = digits[len(digits)-phoneDigits:]
	}
	for i, d := range digits {
		if i > 0 {
			t += `[ ()./-]{0,3}`
		}
		t += string(d)
	}
	return term{t, t}
}

func newSearch(terms []term) search {
	var texts, sqls []string
	for _, t := range terms {
		texts, sqls = append(texts, t.text), append(sqls, t.sql)
	}
	if len(terms) == 0 {
		return search{text: regexp.MustCompile(`[^\s\S]`)}
	}
	return search{strings.Join(sqls, "|"), regexp.MustCompile("(?i)" + strings.Join(texts, "|"))}
}

// find is the places of the terms in a text, where they are not part of a
// longer word: Ann is not in planning.
func (s search) find() redactions.Find {
	return func(text string) [][2]int {
		var out [][2]int
		for from := 0; from < len(text); {
			at := s.text.FindStringIndex(text[from:])
			if at == nil || at[0] == at[1] {
				break
			}
			first, last := from+at[0], from+at[1]
			if whole(text, first, last) {
				out = append(out, [2]int{first, last})
				from = last
				continue
			}
			_, size := utf8.DecodeRuneInString(text[first:])
			from = first + size
		}
		return out
	}
}

func whole(text string, first, last int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:first])
	begin, _ := utf8.DecodeRuneInString(text[first:])
	end, _ := utf8.DecodeLastRuneInString(text[:last])
	after, _ := utf8.DecodeRuneInString(text[last:])
	return !joined(before, begin) && !joined(end, after)
}

// joined reports whether two characters side by side are of one word. Scripts
// without spaces do not tell.
func joined(a, b rune) bool {
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return word(a) && word(b) && !spaceless(a) && !spaceless(b)
}

func spaceless(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
