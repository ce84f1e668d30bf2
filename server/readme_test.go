package server

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadmeListsTheSettings holds the README's table against the program.
func TestReadmeListsTheSettings(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "<!-- settings")
	_, table, _ = strings.Cut(table, "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "<!-- end of settings -->")

	var want strings.Builder
	for _, s := range Settings() {
		value := ""
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", s.Env, value, s.Help)
	}
	if table != want.String() {
		t.Errorf("the README's table of settings should be\n%s", want.String())
	}
}
