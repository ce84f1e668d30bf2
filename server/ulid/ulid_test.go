package ulid_test

import (
	"testing"
	"time"

	"github.com/helpd/helpd/server/ulid"
)

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)
	one, two, later := ulid.New(at), ulid.New(at), ulid.New(at.Add(time.Millisecond))
	if one == two || one[:10] != two[:10] || one[:10] != "01KJVKTCH0" {
		t.Errorf("%s and %s of one moment", one, two)
	}
	if later <= one || later <= two || ulid.First(at) > one || ulid.First(at.Add(time.Millisecond)) <= two {
		t.Errorf("%s does not lie behind %s and %s", later, one, two)
	}
	if got := ulid.Time(two); !got.Equal(at) {
		t.Errorf("made at %s", got)
	}
	for _, id := range []string{one, ulid.First(at)} {
		if !ulid.Is(id) {
			t.Errorf("%s has not the form", id)
		}
	}
	for _, text := range []string{"", "1", one[1:], one + "0", "8" + one[1:], one[:25] + "I", one[:25] + "a"} {
		if ulid.Is(text) {
			t.Errorf("%q has the form", text)
		}
	}
}
