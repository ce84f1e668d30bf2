package placeholders

import (
	"fmt"
	"time"

	"github.com/helpd/helpd/server/liquid"
	"golang.org/x/text/language"
)

// Names of the months as dates have them.
var months = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"es": {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
}

// date is an instant as a reader knows dates, in the account's zone; nil for none.
func (v *view) date(t *time.Time, withTime bool) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return &liquid.Object{Text: func() any { return v.written(*t, withTime) }, Time: *t}
}

// timestamp is an instant as the API has it.
func (v *view) timestamp(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &liquid.Object{Text: func() any { return text }, Time: *t}
}

// written is "March 4, 2026" or "March 4, 2026 13:05", in the reader's language.
// Languages whose months are not known here have dates of digits.
func (v *view) written(t time.Time, withTime bool) string {
	t = t.In(v.zone())
	year, month, day := t.Date()
	var out string
	switch name := months[v.lang][(month+11)%12]; v.lang {
	case "en":
		if out = fmt.Sprintf("%s %d, %d", name, day, year); v.locale() == "en-GB" {
			out = fmt.Sprintf("%d %s %d", day, name, year)
		}
	case "de":
		out = fmt.Sprintf("%d. %s %d", day, name, year)
	case "fr":
		out = fmt.Sprintf("%d %s %d", day, name, year)
	case "es":
		out = fmt.Sprintf("%d de %s de %d", day, name, year)
	case "ja":
		out = fmt.Sprintf("%d年%d月%d日", year, int(month), day)
	case "ko":
		out = fmt.Sprintf("%d년 %d월 %d일", year, int(month), day)
	default:
		out = t.Format(time.DateOnly)
	}
	if withTime {
		out += t.Format(" 15:04")
	}
	return out
}

// languageOf is the language of a locale: de of de-AT.
func languageOf(locale string) string {
	base, _ := language.Make(locale).Base()
	return base.String()
}
