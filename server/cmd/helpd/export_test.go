package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportBesideARunningHelpd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := []string{"HELPD_DATA_DIR=" + t.TempDir()}
	s := serve(t, env...)
	token := strings.TrimSpace(helpd(t, env, "token", "create", "--oauth", "--user", "admin@example.com").ok(t).out)
	ticket := func(subject string) {
		t.Helper()
		if status, answer := s.send("POST", "/api/v2/tickets?access_token="+token, `{"ticket":{"subject":"`+subject+`","comment":{"body":"B"}}}`); status != http.StatusCreated {
			t.Fatalf("status %d: %s", status, answer)
		}
	}
	ticket("One")
	all, later := filepath.Join(dir, "all"), filepath.Join(dir, "later")
	cursor := strings.TrimSpace(helpd(t, env, "export", "--out", all).ok(t).out)
	ticket("Two")
	helpd(t, env, "export", "--out", later, "--since", cursor, "--resources", "tickets,comments").ok(t)
	for dir, want := range map[string][]string{all: {"One"}, later: {"Two"}} {
		var m struct {
			Cursor string
			Since  *string
			Files  []struct {
				Resource string
				Rows     int
			}
		}
		manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
		if err != nil || json.Unmarshal(manifest, &m) != nil || m.Cursor == "" || (m.Since == nil) != (dir == all) {
			t.Fatalf("manifest %s, %v", manifest, err)
		}
		file, err := os.Open(filepath.Join(dir, "tickets.ndjson.gz"))
		if err != nil {
			t.Fatal(err)
		}
		zip, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(zip)
		if err != nil || strings.Count(string(text), "\n") != len(want) || !strings.Contains(string(text), `"subject":"`+want[0]+`"`) {
			t.Errorf("%s: %s, %v", dir, text, err)
		}
		_ = file.Close()
	}
	for _, wrong := range [][]string{{}, {"--out", all}, {"--out", dir, "--format", "xlsx"}, {"--out", dir, "--since", "x"}, {"--out", dir, "--resources", "macros"}} {
		if r := helpd(t, env, append([]string{"export"}, wrong...)...); r.code != 2 || r.out != "" {
			t.Errorf("%v: exit code %d, %q %q", wrong, r.code, r.out, r.err)
		}
	}
}

// The bar tells how far it is, goes on where there is more than was counted, and
// is gone at the end.
func TestRowBar(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var drawn bytes.Buffer
	tell, end := bar(ctx, &drawn, "Exporting", "rows", 0)
	for _, at := range []struct {
		done, total int64
		want        string
	}{{1000, 4000, "25%"}, {1000, 4000, "(1000/4000"}, {3000, 4000, "75%"}, {4000, 4000, "(4000/4001"}, {6000, 6000, "(6000/6001"}} {
		drawn.Reset()
		if err := tell(at.done, at.total); err != nil {
			t.Fatal(err)
		}
		if got := drawn.String(); !strings.Contains(got, at.want) || !strings.Contains(got, "Exporting") || strings.Contains(got, "\n") {
			t.Errorf("%d of %d: %q has no %s", at.done, at.total, got, at.want)
		}
	}
	drawn.Reset()
	end()
	if got := drawn.String(); strings.TrimSpace(got) != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("at the end there is %q", got)
	}
	cancel()
	if err := tell(6500, 7000); !errors.Is(err, context.Canceled) {
		t.Errorf("once it is cut off: %v", err)
	}
}
