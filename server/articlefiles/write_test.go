package articlefiles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/articlefiles"
)

// Whatever the ids, each has a file of its own that is found again.
func TestNamesAreThoseOfFiles(t *testing.T) {
	t.Parallel()
	ids := []string{"a", "a.md/b", "a.html/c/d", "A", "a.MD/e", "x.md/y", "x", "x.html/y", "z/y.md/w", "z/y", "contents.yaml/a", "contents.yaml", "q", "q/r", "q/r.md/s", "q/r"}
	for _, suffixes := range [][]string{{".md"}, {".html"}, {".md", ".html"}} {
		var names articlefiles.Names
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, articlefiles.ContentsName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		given := map[string]string{}
		for _, id := range ids {
			name := names.For(id, "The title", false)
			if by, ok := given[strings.ToLower(name)]; ok && by != id {
				t.Errorf("%s and %s are both %s", by, id, name)
			}
			given[strings.ToLower(name)] = id
			for _, suffix := range suffixes {
				file := filepath.Join(dir, strings.ToLower(name)+suffix) // as where the letter case says nothing
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
				if err := os.WriteFile(file, []byte(id), 0o600); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
			}
		}
		if name := names.For("a.md/b", "", false); name == "a.md/b" || given[name] != "a.md/b" {
			t.Errorf("again: %s", name)
		}
		if name := names.For("q/r", "", false); name != "q/r" {
			t.Errorf("what nothing is against is called %s", name)
		}
	}
}
