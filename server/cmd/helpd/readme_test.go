package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestReadmeCommandsWork runs, in their order and in one shell, the README's
// examples for a shell beside a running helpd.
func TestReadmeCommandsWork(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	env := database(t)
	s := serve(t, env...)
	// curl fails on an answer that is an error, and the shell with it.
	script := "set -euo pipefail\ncurl() { command curl -sS --fail-with-body \"$@\"; }\n"
	for _, block := range shellBlock.FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(block[1], "$HELPD/") || strings.Contains(block[1], ".bin/helpd ") {
			// What is said of the stream holds sooner, too: it ends when curl does.
			script += strings.NewReplacer("http://127.0.0.1:8080", s.base, "--max-time 30", "--max-time 1").Replace(block[1])
		}
	}

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "README.md"), readme, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, ".bin", "helpd")); err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Abs("../../../scripts")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(scripts, filepath.Join(dir, "scripts")); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{ // of the documentation of React
		"DIR/en/index.md": "---\ntitle: Quick Start\n---\n\nWelcome.\n", "DIR/ko/index.md": "---\ntitle: 빠르게 시작하기\n---\n\n환영합니다.\n",
	})
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = program(t.Context(), env).Env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s\n%s", err, out, s.log)
	}

	if !strings.Contains(string(out), `"status":"completed"`) {
		t.Errorf("the job is not done: %s", out)
	}
	// One on fire, one that was sent twice, two by the job, and one of a visitor.
	list, err := os.ReadFile(filepath.Join(dir, "tickets.jsonl"))
	if err != nil || strings.Count(string(list), `"subject":"My printer is on fire"`) != 1 {
		t.Errorf("the list read by cursor: %v, %s", err, list)
	}
	if files := slices.Sorted(maps.Keys(filesIn(t, filepath.Join(dir, "ALL")))); !slices.Equal(files, []string{"contents.yaml", "en-us/index.md", "ko/index.md"}) {
		t.Errorf("articles were exported as %v", files)
	}
	token := regexp.MustCompile(`(?m)^\w{43}$`).FindString(string(out))
	for path, want := range map[string]string{
		"/api/v2/tickets/count":            `"value":5`,
		"/api/v2/tickets/1":                `"priority":"high"`,
		"/api/v2/users/search?query=buyer": `"external_id":"u-17"`,
	} {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		if _, answer := s.get(path + join + "access_token=" + token); !strings.Contains(answer, want) {
			t.Errorf("afterwards %s answers %s", path, answer)
		}
	}
}

var areaOfOperation = regexp.MustCompile(`(?m)^      tags: \[(.+)\]$`)

// TestReadmeNamesEveryArea has who adds an area to the contract say so.
func TestReadmeNamesEveryArea(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	contract, err := os.ReadFile("../../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	operations := areaOfOperation.FindAllStringSubmatch(string(contract), -1)
	if len(operations) < 100 {
		t.Fatalf("%d operations found in openapi.yaml", len(operations))
	}
	for _, operation := range operations {
		if area := operation[1]; !strings.Contains(string(readme), "\n| "+area+" | ") {
			t.Fatalf("the README's table under Compatibility lacks the area %q", area)
		}
	}
}
