package redactions_test

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/server/redactions"
)

func TestText(t *testing.T) {
	t.Parallel()
	find := func(text string) [][2]int {
		i := strings.Index(text, "öß")
		if i < 0 {
			return nil
		}
		return [][2]int{{i, i + len("öß")}}
	}
	for text, want := range map[string]string{"größe": "gr▇▇e", "nothing": "nothing"} {
		if got := redactions.Text(text, find); got != want {
			t.Errorf("%q: %q", text, got)
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
