package dynamiccontent

import (
	"testing"
)

func TestRender(t *testing.T) {
	t.Parallel()
	texts := Texts{items: map[string]item{
		"hi":      {byLocale: map[string]string{"en-us": "Hello", "de": "Hallo {{dc.hi}}", "pt-br": "Oi"}, standard: "Hello"},
		"größe_1": {byLocale: map[string]string{}, standard: "Size"},
	}}
	for _, tc := range []struct{ text, locale, want string }{
		{"{{dc.hi}}!", "en-US", "Hello!"},
		{"{{ dc.hi }}, {{DC.Hi}}", "pt-BR", "Oi, Oi"},
		{"{{dc.hi}}", "de-AT", "Hallo {{dc.hi}}"},
		{"{{dc.hi}}", "fr", "Hello"},
		{"{{dc.hi}}", "", "Hello"},
		{"{{dc.größe_1}}", "de", "Size"},
		{"{{dc.gone}} {{ticket.id}} {{dc.}} {{dc hi}}", "de", "{{dc.gone}} {{ticket.id}} {{dc.}} {{dc hi}}"},
		{"no placeholder", "de", "no placeholder"},
	} {
		if got := texts.Render(tc.text, tc.locale); got != tc.want {
			t.Errorf("%q for %q: %q, want %q", tc.text, tc.locale, got, tc.want)
		}
	}
	if got := (Texts{}).Render("{{dc.hi}}", "de"); got != "{{dc.hi}}" {
		t.Errorf("without items: %q", got)
	}
}
