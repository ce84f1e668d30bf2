package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestEachPageThatIsMeasuredHasRows(t *testing.T) {
	t.Parallel()
	const n = 60
	a := newFilled(t, n)
	a.w.tickets = n
	if err := a.w.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as in a data directory that is measured on again
		if err := a.w.furnish(t.Context(), a.c); err != nil {
			t.Fatal(err)
		}
	}
	r := sameEachTime()
	for _, l := range listings {
		rows := 0
		for range 40 { // not each draw has some in an account as small as this one
			var page map[string]json.RawMessage
			if err := a.c.ask(a.w, l.request(a.w, r), http.StatusOK, &page); err != nil {
				t.Fatal(err)
			}
			for _, member := range page {
				var list []json.RawMessage
				if json.Unmarshal(member, &list) == nil {
					rows = max(rows, len(list))
				}
			}
		}
		least := 1
		if strings.HasPrefix(l.name, "comments of a ticket with 500") {
			least = 100
		}
		if rows < least && !strings.Contains(l.name, "page 35") {
			t.Errorf("%s: no page of 40 has more than %d rows", l.name, rows)
		}
	}
}
