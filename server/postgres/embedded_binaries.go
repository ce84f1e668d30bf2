package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest version that helpd runs on.
const oldestMajor = 14

// packagePlaces are where packages put the programs of one version each: Debian,
// Red Hat, and Homebrew on both kinds of Mac.
var packagePlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// binaries is a directory with the programs of PostgreSQL.
type binaries struct {
	dir   string
	major int
}

// findBinaries returns the programs of version major, with 0 the first found of
// any version that will do. override, if not empty, is the only place looked at.
func findBinaries(ctx context.Context, override string, major int) (binaries, error) {
	if override != "" {
		b, err := binariesIn(ctx, override)
		if err != nil {
			return b, fmt.Errorf("HELPD_PG_BIN: %w", err)
		}
		if major != 0 && b.major != major {
			return b, fmt.Errorf("the data directory was made by PostgreSQL %d, and HELPD_PG_BIN=%s is version %d", major, override, b.major)
		}
		return b, nil
	}
	var others []string
	for place := range binaryPlaces(ctx) {
		b, err := binariesIn(ctx, place)
		if err != nil {
			continue // not installed here
		}
		if b.major == major || major == 0 && b.major >= oldestMajor {
			return b, nil
		}
		others = append(others, fmt.Sprintf("version %d in %s", b.major, b.dir))
	}
	const remedy = "Debian, Ubuntu: apt-get install %s; macOS: brew install %s; elsewhere: name the directory of initdb in HELPD_PG_BIN"
	found := "none found"
	if len(others) > 0 {
		found = "found " + strings.Join(others, ", ")
	}
	if major != 0 {
		return binaries{}, fmt.Errorf("the data directory was made by PostgreSQL %d, which is not installed (%s). "+remedy,
			major, found, fmt.Sprintf("postgresql-%d", major), fmt.Sprintf("postgresql@%d", major))
	}
	return binaries{}, fmt.Errorf("PostgreSQL %d or newer is not installed (%s). "+remedy+"; or name a server in DATABASE_URL",
		oldestMajor, found, "postgresql", "postgresql")
}

// binaryPlaces yields the directories to look at, the preferred ones first. It
// is lazy because asking programs for their place takes time.
func binaryPlaces(ctx context.Context) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
		if err == nil && !yield(strings.TrimSpace(string(out))) {
			return
		}
		for _, pattern := range packagePlaces {
			dirs, _ := filepath.Glob(pattern) // fails only for a bad pattern
			slices.SortFunc(dirs, func(a, b string) int { return numberIn(b) - numberIn(a) })
			for _, dir := range dirs {
				if !yield(dir) {
					return
				}
			}
		}
		if path, err := exec.LookPath("postgres"); err == nil {
			yield(filepath.Dir(path))
		}
	}
}

var digits = regexp.MustCompile(`\d+`)

// numberIn returns the version in a directory's name, 0 if there is none.
func numberIn(dir string) int {
	n, _ := strconv.Atoi(digits.FindString(dir))
	return n
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// binariesIn fails unless dir holds the programs of a PostgreSQL server.
func binariesIn(ctx context.Context, dir string) (binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, err
	}
	postgres := filepath.Join(dir, "postgres")
	out, err := exec.CommandContext(ctx, postgres, "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("%s --version: %w", postgres, err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%s --version: says %q", postgres, out)
	}
	major, err := strconv.Atoi(string(m[1]))
	return binaries{dir: dir, major: major}, err
}
