package wire

import (
	"testing"
	"time"
)

func TestAppendTimeWritesAsTimeDoes(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -9*3600)
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Date(999, 12, 31, 23, 59, 59, 999, zone), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 2, 3, 4, 5, 6, 7, zone), time.Date(2000, 10, 20, 11, 12, 13, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, want := string(AppendTime(nil, at)), at.UTC().Format(`"`+outLayout+`"`); got != want {
			t.Errorf("%s, and not %s", got, want)
		}
	}
}
