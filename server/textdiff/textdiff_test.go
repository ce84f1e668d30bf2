package textdiff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/textdiff"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ before, after, want string }{
		{"", "", ""},
		{"", "<p>a</p>", "+<p>a</p>"},
		{"<p>a</p>", "", "-<p>a</p>"},
		{"<p>a</p><p>b</p>", "<p>a</p><p>b</p>", "=<p>a</p><p>b</p>"},
		{"<p>a</p><p>b</p><p>c</p>", "<p>a</p><p>x</p><p>c</p>", "=<p>a</p> -<p>b</p> +<p>x</p> =<p>c</p>"},
		{"<ul><li>1</li><li>2</li></ul>", "<ul><li>1</li><li>3</li><li>2</li></ul>", "=<ul><li>1</li> +<li>3</li> =<li>2</li></ul>"},
		{"a\nb\nc", "b\nc\nd", "-a\n =b\n -c +c\nd"},
		{"한국어<br>둘", "한국어<br>셋", "=한국어<br> -둘 +셋"},
	} {
		var got []string
		before, after := "", ""
		for _, e := range textdiff.HTML(tc.before, tc.after) {
			got = append(got, e.Change+e.Content)
			if e.Change != "+" {
				before += e.Content
			}
			if e.Change != "-" {
				after += e.Content
			}
		}
		if s := strings.Join(got, " "); s != tc.want || before != tc.before || after != tc.after {
			t.Errorf("%q to %q: %q, want %q", tc.before, tc.after, s, tc.want)
		}
	}
}

// A large text costs no more than it may.
func TestLargeTexts(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&a, "<p>%d</p>", i)
		fmt.Fprintf(&b, "<p>%d</p>", i+1_000_000)
	}
	got := textdiff.HTML("<p>same</p>"+a.String(), "<p>same</p>"+b.String())
	if len(got) != 3 || got[0].Content != "<p>same</p>" || got[1].Content != a.String() || got[2].Content != b.String() {
		t.Errorf("%d edits", len(got))
	}
}

// Nor does one of many parts that are compared each. (Joined one by one, they took
// minutes.)
func TestManyParts(t *testing.T) {
	t.Parallel()
	const many = 1 << 20
	before, after := strings.Repeat("\n", many), "a\nb\n"
	for _, tc := range []struct{ before, after, gone, came string }{{before, after, "-", "+"}, {after, before, "+", "-"}} {
		got := map[string]int{}
		for _, e := range textdiff.HTML(tc.before, tc.after) {
			got[e.Change] += len(e.Content)
		}
		if got[tc.gone] != many || got[tc.came] != len(after) || len(got) != 2 {
			t.Errorf("%v", got)
		}
	}
}
