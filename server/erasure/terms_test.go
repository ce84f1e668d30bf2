package erasure

import (
	"testing"

	"github.com/helpd/helpd/server/redactions"
	"github.com/helpd/helpd/server/users"
)

func TestWhatIsCovered(t *testing.T) {
	t.Parallel()
	ann := users.Known{
		Names: []string{"Ann van Lee"}, Addresses: []string{"ann.lee@x.org"}, Phones: []string{"+4915112345678"}, Others: []string{"annlee", "ann_lee7"},
	}
	for _, tc := range []struct {
		name, text     string
		elsewhere, own string // empty: as it is
	}{
		{"the whole name", "Ask Ann van Lee.", "Ask ▇▇▇▇▇▇▇▇▇▇▇.", "Ask ▇▇▇▇▇▇▇▇▇▇▇."},
		{"in other letters, over a line's end", "ANN VAN\n LEE", "▇▇▇▇▇▇▇▇▇▇▇▇", "▇▇▇▇▇▇▇▇▇▇▇▇"},
		{"with marks in it", "A**nn** van Lee", "▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇", "▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇"},
		{"a word of it", "Dear Ann, Lee's here", "", "Dear ▇▇▇, ▇▇▇'s here"},
		{"a word in a word", "Planning for Leeds and Annie", "", ""},
		{"a word of it that is a word", "a van for Ann", "", "a van for ▇▇▇"},
		{"a word in other letters", "in lee of the wind", "", ""},
		{"an address", "to Ann.Lee@X.org!", "to ▇▇▇▇▇▇▇▇▇▇▇▇▇!", "to ▇▇▇▇▇▇▇▇▇▇▇▇▇!"},
		{"another's address", "joann.lee@x.org ann.lee@x.organic", "", ""},
		{"a number", "0151 1234-5678", "▇▇▇▇▇▇▇▇▇▇▇▇▇▇", "▇▇▇▇▇▇▇▇▇▇▇▇▇▇"},
		{"a number with its country", "(+49) 151/12345678 or 9", "(▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇ or 9", "(▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇ or 9"},
		{"a longer number", "151123456789", "", ""},
		{"a handle that may be a word", "@annlee", "", "@▇▇▇▇▇▇"},
		{"a handle", "@ann_lee7", "@▇▇▇▇▇▇▇▇", "@▇▇▇▇▇▇▇▇"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for own, want := range map[bool]string{false: tc.elsewhere, true: tc.own} {
				if want == "" {
					want = tc.text
				}
				if got := redactions.Text(tc.text, newSearch(termsOf(ann, own)).find()); got != want {
					t.Errorf("own %t: %q, want %q", own, got, want)
				}
			}
		})
	}
	if got := redactions.Text("山田太郎さんへ", newSearch(termsOf(users.Known{Names: []string{"山田太郎"}}, false)).find()); got != "▇▇▇▇さんへ" {
		t.Errorf("without spaces: %q", got)
	}
	if got := redactions.Text("anything", newSearch(nil).find()); got != "anything" {
		t.Errorf("nothing to look for: %q", got)
	}
}
