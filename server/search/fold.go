package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold makes texts alike that differ only in how they are written: case, width,
// ligatures. Marks stay where they are, since stems need them (see bare).
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	text = strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(text, " ")))
	return norm.NFKC.String(special.Replace(text))
}

// special are characters that have no single lower case, or several.
var special = strings.NewReplacer("ß", "ss", "ς", "σ", "ё", "е", "’", "'", "ʼ", "'", "\u200c", "", "\u200d", "", "\u00ad", "", "\ufeff", "")

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// bare takes the marks off Latin and Greek letters: people leave them out when
// they type. In other scripts a mark makes another letter.
func bare(word string) string {
	if isASCII(word) {
		return word
	}
	var b strings.Builder
	base := rune(0)
	for _, r := range norm.NFD.String(word) {
		switch {
		case unicode.Is(unicode.Mn, r) && (base == 0 || unicode.In(base, unicode.Latin, unicode.Greek)):
			continue
		case !unicode.Is(unicode.Mn, r):
			base = r
		}
		if plain, ok := unmarked[r]; ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// unmarked are letters that no mark can be taken off.
var unmarked = map[rune]string{'ø': "o", 'ł': "l", 'đ': "d", 'ħ': "h", 'ı': "i", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ð': "d", 'ŧ': "t"}

// spaceless reports whether r is of a script that writes words without spaces
// between them, or, as Korean, puts endings to them that no space divides.
func spaceless(r rune) bool {
	return r >= 0x0E00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// inWord reports whether r belongs to words.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// joins reports whether r between two words makes one of them: an address, the
// number of a version, the name of a file.
func joins(r rune) bool { return r == '_' || r == '-' || r == '.' || r == '@' || r == '\'' }
