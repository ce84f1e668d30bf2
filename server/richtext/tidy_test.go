package richtext

import (
	"regexp"
	"strings"
	"testing"
)

// Several empty lines become one, with the blanks around them.
func FuzzTidy(f *testing.F) {
	for _, text := range []string{"", "a", "a \n b", "a\n\nb", " a \t\n \n\t\n b\n", "a\u00a0\n\n\u00a0b", "\n\n", "a  b\n c", "a\r\n\r\nb"} {
		f.Add(text)
	}
	many := regexp.MustCompile(`[ \t]*\n([ \t]*\n)+[ \t]*`)
	f.Fuzz(func(t *testing.T, text string) {
		want := strings.TrimSpace(strings.ReplaceAll(many.ReplaceAllString(text, "\n\n"), "\u00a0", " "))
		if got := tidy(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}
