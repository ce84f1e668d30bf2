package redactions_test

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/server/redactions"
)

func TestExactly(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, wanted, want string }{
		{"a card 4111, 4111", "4111", "a card ▇▇▇▇, ▇▇▇▇"},
		{"größe", "öß", "gr▇▇e"},
		{"one two", "one\n  two", "▇▇▇▇▇▇▇"},
		{"nothing", "", "nothing"},
		{"aaa", "aa", "▇▇a"},
	} {
		if got := redactions.Text(tc.text, redactions.Exactly(tc.wanted)); got != tc.want {
			t.Errorf("%q in %q: %q", tc.wanted, tc.text, got)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ document, want string }{
		{`{"b": "Ann", "a":[1,"x Ann",{"c":"Ann"}]}`, `{"b": "b:ANN", "a":[1,"a:x ANN",{"c":"c:ANN"}]}`},
		{`{"Ann" : "1"}`, `{":ANN" : "1"}`},
		{`"A\u006en said \"<b>\""`, `":ANN said \"<b>\""`},
		{`{"a":"\ud83d\ude00 \\"}`, `{"a":"\ud83d\ude00 \\"}`},
		{`{"a":"Ann`, `{"a":"Ann`},
		{``, ``},
	} {
		got := redactions.JSON([]byte(tc.document), func(member, text string) string {
			if strings.Contains(text, "Ann") {
				return member + ":" + strings.ReplaceAll(text, "Ann", "ANN")
			}
			return text
		})
		if string(got) != tc.want {
			t.Errorf("%s: %s, want %s", tc.document, got, tc.want)
		}
	}
}
