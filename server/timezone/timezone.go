// Package timezone knows time zones by the names that clients use: those of the
// IANA database and those of Ruby on Rails, which name cities and countries.
package timezone

import (
	"time"
	_ "time/tzdata" // a container may have no database of its own
)

// IANA returns the IANA name of a zone; false if there is no such zone.
func IANA(name string) (string, bool) {
	if iana, ok := rails[name]; ok {
		return iana, true
	}
	// LoadLocation takes these for UTC and for wherever the server stands.
	if name == "" || name == "Local" {
		return "", false
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "", false
	}
	return name, true
}

// Load returns the zone; UTC if there is no such zone.
func Load(name string) *time.Location {
	iana, ok := IANA(name)
	if !ok {
		return time.UTC
	}
	loc, err := time.LoadLocation(iana)
	if err != nil {
		return time.UTC
	}
	return loc
}
