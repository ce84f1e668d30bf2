// Package locales knows the languages that people and accounts can have, by
// their codes and by the numbers that clients know them by. They are the same
// in every account.
package locales

import (
	"strings"

	"golang.org/x/text/language"
)

// Default is the language of a fresh account.
const Default = "en-US"

// Locale is a language as one country or region writes it.
type Locale struct {
	ID      int64
	Code    string // as clients know it: en-US, but pt-br
	English string // its name in English
	Native  string // its name in itself
	RTL     bool   // written from right to left
}

// Name is the native name with the English one behind it, where they differ:
// "日本語 (Japanese)".
func (l Locale) Name() string {
	if l.Native == l.English {
		return l.Native
	}
	return l.Native + " (" + l.English + ")"
}

// Presentation is the form in which languages are offered for choice:
// "Japanese - 日本語".
func (l Locale) Presentation() string { return l.English + " - " + l.Native }

// All returns every locale, by id.
func All() []Locale { return append([]Locale(nil), all...) }

// ByID is the locale with this number.
func ByID(id int64) (Locale, bool) {
	i, ok := byID[id]
	if !ok {
		return Locale{}, false
	}
	return all[i], true
}

// ByCode is the locale with this code in any letter case.
func ByCode(code string) (Locale, bool) {
	i, ok := byCode[strings.ToLower(code)]
	if !ok {
		return Locale{}, false
	}
	return all[i], true
}

// Code returns the code of a locale, cased as clients know it; false if there
// is none.
func Code(id int64) (string, bool) {
	l, ok := ByID(id)
	return l.Code, ok
}

// ID returns the number of a locale's code in any letter case; 0 if there is no
// such locale.
func ID(code string) int64 {
	l, _ := ByCode(code)
	return l.ID
}

// Best is the one of available that suits a reader best who prefers the
// languages of wanted, each a code or a list such as the Accept-Language header
// holds, in order of preference. It is the first of available where none suits;
// available must not be empty.
func Best(available []Locale, wanted ...string) Locale {
	tags := make([]language.Tag, len(available))
	for i, l := range available {
		tags[i] = language.Make(l.Code)
	}
	var prefer []language.Tag
	for _, w := range wanted {
		// What is no language is left out: browsers and robots send anything.
		parsed, _, _ := language.ParseAcceptLanguage(w)
		prefer = append(prefer, parsed...)
	}
	_, i, _ := language.NewMatcher(tags).Match(prefer...)
	return available[i]
}

var byID, byCode = func() (map[int64]int, map[string]int) {
	ids, codes := make(map[int64]int, len(all)), make(map[string]int, len(all))
	for i, l := range all {
		ids[l.ID], codes[strings.ToLower(l.Code)] = i, i
	}
	return ids, codes
}()
