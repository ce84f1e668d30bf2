package timezone

import (
	"testing"
	"time"
)

func TestIANA(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, want string
		ok         bool
	}{
		{"Eastern Time (US & Canada)", "America/New_York", true},
		{"UTC", "Etc/UTC", true},
		{"Europe/Berlin", "Europe/Berlin", true},
		{"Local", "", false},
		{"", "", false},
		{"../etc/passwd", "", false},
		{"Middle Earth", "", false},
	} {
		if got, ok := IANA(tc.name); got != tc.want || ok != tc.ok {
			t.Errorf("IANA(%q) = %q, %t, want %q, %t", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

func TestEveryRailsZoneExists(t *testing.T) {
	t.Parallel()
	for name, iana := range rails {
		if _, err := time.LoadLocation(iana); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
