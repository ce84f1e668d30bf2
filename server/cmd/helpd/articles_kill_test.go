package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// whole is how many articles there are, and what of them is not whole: without a text,
// a revision of it, or the event that tells of it.
const whole = `SELECT (SELECT count(*) FROM articles),
	(SELECT count(*) FROM articles a WHERE NOT EXISTS (SELECT FROM translations t WHERE t.source_type = 'Article' AND t.source_id = a.id AND t.locale = a.source_locale)) +
	(SELECT count(*) FROM translations t WHERE t.source_type = 'Article' AND (NOT EXISTS (SELECT FROM articles a WHERE a.id = t.source_id)
		OR NOT EXISTS (SELECT FROM translation_revisions r WHERE r.translation_id = t.id))) +
	(SELECT count(*) FROM articles a WHERE NOT EXISTS (SELECT FROM events e WHERE e.subject = 'zen:article:' || a.id AND e.type LIKE '%article.published')) +
	abs((SELECT count(*) FROM redirects) - (SELECT count(*) FROM articles))`

// An import that ends in the midst of a hundred files, by a kill or because the database
// went away, leaves whole hundreds behind, and the next makes the same of the rest as
// one that was never cut off.
func TestImportGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	dir := t.TempDir()
	files := map[string]string{}
	for n := range 250 {
		name := fmt.Sprintf("a%03d.md", n)
		files["en-us/"+name] = fmt.Sprintf("---\nsection: Start\ncategory: Manual\nlabels: [l%d]\nredirects: /old/%03d\n---\n# Title %d\n\n* one\n* two **%d**\n", n%7, n, n, n)
		if n%5 == 0 {
			files["ko/"+name] = fmt.Sprintf("# 제목 %d\n\n내용 %d\n", n, n)
		}
	}
	writeFiles(t, dir, files)
	other := copying{t: t, env: l.env}
	blocking := other.connect()

	// cut starts an import, which comes to a halt in the midst of the hundred with a path
	// that somebody else is about to write, and has end end it there.
	cut := func(path string, end func(p *os.Process, backend int32)) string {
		t.Helper()
		tx, err := blocking.Begin(t.Context())
		if err == nil {
			_, err = tx.Exec(t.Context(), "INSERT INTO redirects (account_id, brand_id, path, article_id, created_at) SELECT account_id, brand_id, $1, 1, now() FROM articles LIMIT 1", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := program(context.Background(), l.env, "articles", "import", dir, "--create")
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var backend int32
		for backend == 0 {
			err := l.conn.QueryRow(t.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO redirects%'").Scan(&backend)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) || cmd.ProcessState != nil {
				t.Fatal(err, said.String())
			}
		}
		end(cmd.Process, backend)
		_ = cmd.Wait()
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		for gone := false; !gone; {
			if err := l.conn.QueryRow(t.Context(), "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", backend).Scan(&gone); err != nil {
				t.Fatal(err)
			}
		}
		return said.String()
	}
	holds := func(want int) {
		t.Helper()
		var articles, halves int
		if err := l.conn.QueryRow(t.Context(), whole).Scan(&articles, &halves); err != nil || articles != want || halves != 0 {
			t.Errorf("%d articles, want %d, and %d halves, %v", articles, want, halves, err)
		}
	}
	only := t.TempDir()
	writeFiles(t, only, map[string]string{"en-us/a000.md": files["en-us/a000.md"]})
	l.imports("1 articles new, 0 translations new, 0 changed, 0 the same", only, "--create")

	cut("/old/150", func(p *os.Process, _ int32) {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
	})
	holds(100)
	said := cut("/old/230", func(_ *os.Process, backend int32) {
		if _, err := l.conn.Exec(t.Context(), "SELECT pg_terminate_backend($1)", backend); err != nil {
			t.Fatal(err)
		}
	})
	if !strings.Contains(said, "200 files were written before; the rest can be imported again") {
		t.Errorf("said %s", said)
	}
	holds(200)
	l.imports("50 articles new, 50 translations new, 0 changed, 200 the same", dir, "--create")
	holds(250)
	l.imports("0 articles new, 0 translations new, 0 changed, 300 the same", dir, "--create")

	straight := newLibrary(t)
	straight.imports("250 articles new, 50 translations new, 0 changed, 0 the same", dir, "--create")
	if got, want := filesIn(t, l.export()), filesIn(t, straight.export()); !maps.Equal(got, want) {
		t.Errorf("what was cut off became other files: %d and %d", len(got), len(want))
	}
	l.exportsAfterAKill(blocking)

	// Nobody else needs to index what was imported.
	if err := straight.s.kill(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for name := range files {
		files[name] += "\nMore.\n"
	}
	writeFiles(t, dir, files)
	straight.imports("0 articles new, 0 translations new, 300 changed, 0 the same", dir)
	var waiting, documents int
	err := straight.conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM search_pending WHERE kind = 'article'), (SELECT count(*) FROM search_fresh WHERE kind = 'article')").Scan(&waiting, &documents)
	if err != nil || waiting > 0 || documents != 300 {
		t.Errorf("%d articles wait to be indexed, and %d are fresh, %v", waiting, documents, err)
	}
}

// exportsAfterAKill kills an export in its midst. It leaves its files beside the place
// where they were to be, which the next to that place removes.
func (l *aLibrary) exportsAfterAKill(blocking *pgx.Conn) {
	l.t.Helper()
	parent := l.t.TempDir()
	names := func() (all []string) {
		entries, err := os.ReadDir(parent)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	tx, err := blocking.Begin(l.t.Context())
	if err == nil {
		_, err = tx.Exec(l.t.Context(), "LOCK TABLE translations IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		l.t.Fatal(err)
	}
	cmd := program(context.Background(), l.env, "articles", "export", filepath.Join(parent, "out"))
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	for waits := false; !waits; {
		err := l.conn.QueryRow(l.t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%translations%')").Scan(&waits)
		if err != nil {
			l.t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		l.t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := tx.Rollback(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if left := names(); len(left) != 1 || !strings.HasPrefix(left[0], ".out.") {
		l.t.Fatalf("it left %v", left)
	}
	l.run("export", filepath.Join(parent, "out")).ok(l.t)
	if left := names(); !slices.Equal(left, []string{"out"}) {
		l.t.Errorf("after the next there are %v", left)
	}
}

// An export leaves alone what one that runs just now is at, and what is somebody else's.
func TestExportsToOnePlaceLeaveEachOtherAlone(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	writeFiles(t, parent, map[string]string{".out-original/x": "1", ".out": "2", ".outer.helpd-export-abcdefgh/x": "3", ".out.helpd-export-abcdefgh/x": "left"})
	one := map[string]string{"a": "first"}
	err := wholly(dir, func(into string) error {
		writeFiles(t, into, one)
		err := wholly(dir, func(into string) error { return writeFile(into, "a", []byte("second")) })
		if got := filesIn(t, into); err != nil || !maps.Equal(got, one) {
			t.Errorf("%v while another ran, %v", got, err)
		}
		return os.RemoveAll(dir)
	})
	want := map[string]string{".out-original/x": "1", ".out": "2", ".outer.helpd-export-abcdefgh/x": "3", "out/a": "first"}
	if got := filesIn(t, parent); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDirectoriesAreFilledWhollyOrNot(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	broken := errors.New("broken")
	for _, there := range []bool{false, true} {
		dir := filepath.Join(parent, "deep", fmt.Sprint("out", there))
		if there {
			if err := os.MkdirAll(dir, 0o750); err != nil {
				t.Fatal(err)
			}
		}
		err := wholly(dir, func(into string) error {
			return errors.Join(writeFile(into, "a/b.md", []byte("x")), broken)
		})
		if left, _ := os.ReadDir(filepath.Dir(dir)); !errors.Is(err, broken) || len(filesIn(t, parent)) != 0 || there != (len(left) == 1) {
			t.Errorf("after a failure: %v, %v", err, left)
		}
		err = wholly(dir, func(into string) error {
			if _, now := os.Stat(filepath.Join(dir, "a")); now == nil {
				t.Error("half of it is seen")
			}
			return writeFile(into, "a/b.md", []byte("x"))
		})
		if got := filesIn(t, dir); err != nil || !maps.Equal(got, map[string]string{"a/b.md": "x"}) {
			t.Errorf("%v, %v", got, err)
		}
		if info, err := os.Stat(dir); err != nil || there && info.Mode().Perm() != 0o750 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if err := os.RemoveAll(filepath.Join(parent, "deep")); err != nil {
			t.Fatal(err)
		}
	}
	if err := wholly(parent+"/full", func(into string) error { return writeFile(into, "../x", nil) }); err == nil {
		t.Error("wrote outside")
	}
}
