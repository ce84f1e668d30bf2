package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wordClass are the characters that words are made of where words stand apart,
// as a bracket expression that PostgreSQL reads, too: digits, the underscore and
// the letters and marks of alphabets. Writing that puts no space between words
// (Han, kana, Thai) or hangs particles on them (Hangul) is not in it: there a
// word is found wherever it stands.
const wordClass = `0-9A-Z_a-z` + // in the order of code points
	`\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0300-\u0374\u0376-\u037d\u037f-\u03ff` +
	`\u0400-\u0481\u0483-\u052f\u0531-\u0556\u0561-\u0587\u05d0-\u05ea\u0620-\u0669\u066e-\u06d3\u06d5-\u06dc` +
	`\u0900-\u0963\u0966-\u0df3\u10a0-\u10fa\u10fc-\u10ff\u1200-\u135f\u1e00-\u1fbc`

var wordRanges = func() *unicode.RangeTable {
	t := &unicode.RangeTable{}
	class := []rune(unescape(wordClass))
	for i := 0; i < len(class); i++ {
		lo, hi := class[i], class[i]
		if i+2 < len(class) && class[i+1] == '-' {
			hi, i = class[i+2], i+2
		}
		t.R16 = append(t.R16, unicode.Range16{Lo: uint16(lo), Hi: uint16(hi), Stride: 1})
		if hi <= unicode.MaxLatin1 {
			t.LatinOffset = len(t.R16)
		}
	}
	return t
}()

// unescape reads the \uXXXX of a class.
func unescape(class string) string {
	var b strings.Builder
	for len(class) > 0 {
		if !strings.HasPrefix(class, `\u`) {
			b.WriteByte(class[0])
			class = class[1:]
			continue
		}
		var r rune
		for _, digit := range class[2:6] {
			r = r<<4 | rune(strings.IndexRune("0123456789abcdef", digit))
		}
		b.WriteRune(r)
		class = class[6:]
	}
	return b.String()
}

const spaces = "\t\n\v\f\r \u0085\u2028\u2029"

// Fold is a text as words are sought in it: case and width are folded, and any
// run of white space is one space.
func Fold(text string) string {
	folded := strings.Map(unicode.ToLower, norm.NFKC.String(text))
	return strings.Join(strings.FieldsFunc(folded, func(r rune) bool { return strings.ContainsRune(spaces, r) }), " ")
}

// foldedSQL is Fold of an expression that is not null.
func foldedSQL(expr string) string {
	return `btrim(regexp_replace(lower(normalize(` + expr + `, NFKC)), '[\t\n\v\f\r \u0085\u2028\u2029]+', ' ', 'g'))`
}

// phrase is a word or several that a text is searched for.
type phrase struct{ text string }

// phrases are the words of a condition's value, folded: those in double quotes
// belong together.
func phrases(value string) []phrase {
	var list []phrase
	for i, part := range strings.Split(Fold(value), `"`) {
		words := strings.Fields(part)
		if i%2 == 1 {
			words = []string{strings.TrimSpace(part)}
		}
		for _, w := range words {
			if w != "" {
				list = append(list, phrase{w})
			}
		}
	}
	return list
}

// in reports whether the phrase stands in a folded text, and not as a part of
// longer words: error_547 neither has the word error nor is it in error_5471.
func (p phrase) in(text string) bool {
	first, _ := utf8.DecodeRuneInString(p.text)
	last, _ := utf8.DecodeLastRuneInString(p.text)
	for from := 0; ; {
		i := strings.Index(text[from:], p.text)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(p.text)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !(start > 0 && wordy(first) && wordy(before)) && !(end < len(text) && wordy(last) && wordy(after)) {
			return true
		}
		_, width := utf8.DecodeRuneInString(text[start:])
		from = start + width
	}
}

func wordy(r rune) bool { return unicode.Is(wordRanges, r) }

// pattern is a regular expression of PostgreSQL that a folded text matches if
// the phrase is in it.
func (p phrase) pattern() string {
	first, _ := utf8.DecodeRuneInString(p.text)
	last, _ := utf8.DecodeLastRuneInString(p.text)
	out := quoted(p.text)
	if wordy(first) {
		out = `(^|[^` + wordClass + `])` + out
	}
	if wordy(last) {
		out += `($|[^` + wordClass + `])`
	}
	return out
}

// quoted is a text that stands for itself in a regular expression.
func quoted(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf && !wordy(r) && r != ' ' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
