package server

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Build says which helpd this is.
type Build struct {
	Version  string // of the module: v1.2.3, or (devel)
	Revision string // of git; empty if it was built outside of a repository
	Time     string // of the revision, RFC 3339
	Modified bool   // there were changes besides
}

// Version reads what the compiler noted.
func Version() Build {
	b := Build{Version: "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b Build) String() string {
	s := "helpd " + b.Version
	if b.Revision != "" {
		s += fmt.Sprintf(" (revision %.12s of %s", b.Revision, b.Time)
		if b.Modified {
			s += ", with changes"
		}
		s += ")"
	}
	return s + fmt.Sprintf(" %s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
