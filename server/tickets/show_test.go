package tickets

import (
	"testing"
)

// TestShowTogetherGivesEachKeyItsOwn looks up one, two and three keys, found and
// not, with one statement each.
func TestShowTogetherGivesEachKeyItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	subject := func(s string) Change { return Change{Subject: some(s), Comment: says("Hello")} }
	first, second, gone := w.ticket(subject("one")).ID, w.ticket(subject("two")).ID, w.ticket(subject("three")).ID
	if err := w.Delete(w.ctx, w.admin, gone); err != nil {
		t.Fatal(err)
	}
	account := w.admin.AccountID
	for _, c := range []struct {
		keys []key
		want []string // subjects; empty: not found
	}{
		{[]key{{account, first}}, []string{"one"}},
		{[]key{{account, gone}}, []string{""}},
		{[]key{{account + 1, first}}, []string{""}},
		{[]key{{account, second}, {account, first}}, []string{"two", "one"}},
		{[]key{{account, first}, {account, first}, {account, gone}}, []string{"one", "one", ""}},
		{[]key{{account + 1, first}, {account, 0}, {account, second}, {account, 1 << 40}, {account, first}}, []string{"", "", "two", "", "one"}},
	} {
		found := make([]*shown, len(c.keys))
		err := w.showTogether(w.ctx, c.keys, func(i int) *shown {
			found[i] = new(shown)
			return found[i]
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range found {
			if (s != nil) != (c.want[i] != "") {
				t.Errorf("%v: key %d found: %v", c.keys, i, s != nil)
			} else if s != nil && (*s.ticket.Subject != c.want[i] || s.ticket.ID != c.keys[i].id || s.version == 0) {
				t.Errorf("%v: key %d is %+v", c.keys, i, s)
			}
		}
	}
}
