package postgres

import "testing"

func TestMemoryIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"MemTotal:       24689460 kB\nMemFree:         1 kB\n": 24689460 << 10,
		"max\n":                 0,
		"2147483648\n":          2 << 30,
		"9223372036854771712\n": 9223372036854771712, // no limit, in the first version of control groups
		"":                      0,
		"MemTotal: lots kB\n":   0,
	} {
		if got := memoryIn(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
	if got := sharedBuffers(); got < leastBuffers || got > mostBuffers {
		t.Errorf("%d MB", got)
	}
}
