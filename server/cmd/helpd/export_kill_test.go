package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/signing"
)

// killedEvents are so many that a process can be killed while it writes them.
const killedEvents = 25_000

type shownExport struct {
	ID          int64
	Status      string
	ManifestURL *string `json:"manifest_url"`
	Files       []struct {
		Name, URL, SHA256 string
		Rows, Bytes       int64
	}
	UpdatedAt time.Time `json:"updated_at"`
	Progress  int64
}

// An export that a kill cuts off in the middle of a file is done again, and nobody
// is given the half of it.
func TestExportGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	c := newCopying(t)
	conn := c.connect()
	one := func(dest any, query string, args ...any) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), query, args...).Scan(dest); err != nil {
			t.Fatal(err)
		}
	}
	var account int64
	one(&account, "SELECT id FROM accounts")
	_, err := conn.Exec(t.Context(), `INSERT INTO event_batches (account_id, types, subject, subject_id, actor_id, detail, changes, created_at)
		SELECT $1, '{zen:event-type:ticket.subject_changed}', 'zen:ticket:' || n, n, -1, '{}', jsonb_build_array(jsonb_build_object('current', repeat(md5(n::text), 8))), now()
		FROM generate_series(1, $2::int) AS n`, account, killedEvents)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	until(t, "number of each event", func() bool {
		one(&left, "SELECT count(*) FROM event_queue")
		return left == 0
	})
	// No export is completed for as long as we hold the lock.
	for _, statement := range []string{
		`CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$`,
		`CREATE TRIGGER held BEFORE UPDATE ON exports FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION held()`,
		`SELECT pg_advisory_lock(4711)`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}

	var made struct{ Export shownExport }
	if !c.ask("POST", "/api/v2/exports", `{"export":{"resources":["events","users"]}}`, &made) {
		t.Fatal("no export")
	}
	dir := filepath.Join(c.dataDir(), "attachments", "exports", fmt.Sprint(account), fmt.Sprint(made.Export.ID))
	half := ""
	until(t, "file", func() bool { half = written(t, dir); return half != "" })
	c.ended()
	// What it asked of the database last is not done behind its back.
	if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	if len(files(t, dir)) == 0 {
		t.Error("the kill left nothing")
	}
	c.serve()

	// The other run goes as far as it can without us.
	path := fmt.Sprintf("/api/v2/exports/%d", made.Export.ID)
	until(t, "other run", func() bool {
		return slices.ContainsFunc(files(t, dir), func(name string) bool { return filepath.Dir(name) != filepath.Dir(half) })
	})
	var shown struct{ Export shownExport }
	if e := &shown.Export; !c.ask("GET", path, "", &shown) || e.Status != "queued" && e.Status != "working" || len(e.Files) > 0 || e.ManifestURL != nil {
		t.Fatalf("half an export is shown as %+v", e)
	}
	// Not even to whom knows its link beforehand, which is good later on.
	var token string
	var key signing.Key
	var expires time.Time
	err = conn.QueryRow(t.Context(), "SELECT token, expires_at, (SELECT secret FROM signing_keys) FROM exports").Scan(&token, &expires, &key)
	if err != nil {
		t.Fatal(err)
	}
	link := "/exports/" + exports.SignedLink(key, models.Export{Token: token, ExpiresAt: expires}, "events.ndjson.gz", time.Now())
	if code, _ := c.s.get(link); code != http.StatusNotFound {
		t.Errorf("half a file: status %d", code)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock(4711)"); err != nil {
		t.Fatal(err)
	}
	until(t, "whole export", func() bool { return c.ask("GET", path, "", &shown) && shown.Export.Status == "completed" })
	if code, _ := c.s.get(link); code != http.StatusOK {
		t.Errorf("the whole file: status %d", code)
	}
	c.holds(shown.Export, conn)
	if names := files(t, dir); len(names) != 3 || slices.Contains(names, half) {
		t.Errorf("files are left: %v", names)
	}
}

// holds holds the files of an export against what is told of them, and the database.
func (c *copying) holds(e shownExport, conn *pgx.Conn) {
	c.t.Helper()
	download := func(address string) []byte {
		c.t.Helper()
		u, err := url.Parse(address)
		if err != nil {
			c.t.Fatal(err)
		}
		status, body := c.s.get(u.RequestURI())
		if status != http.StatusOK {
			c.t.Fatalf("%s: status %d: %s", address, status, body)
		}
		return []byte(body)
	}
	var m exports.Manifest
	if err := json.Unmarshal(download(*e.ManifestURL), &m); err != nil || len(m.Files) != len(e.Files) || len(e.Files) != 2 {
		c.t.Fatalf("manifest %+v, %v; shown %+v", m, err, e)
	}
	for i, f := range e.Files {
		body := download(f.URL)
		sum := sha256.Sum256(body)
		if told := m.Files[i]; hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(body)) != f.Bytes || told.SHA256 != f.SHA256 || told.Rows != f.Rows || told.Name != f.Name {
			c.t.Errorf("%s has %d bytes: shown %+v, in the manifest %+v", f.Name, len(body), f, told)
		}
		zip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		text, err := io.ReadAll(zip)
		if err != nil {
			c.t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n"))
		if int64(lines) != f.Rows {
			c.t.Errorf("%s has %d rows, and not %d", f.Name, lines, f.Rows)
		}
		if f.Name == "events.ndjson.gz" {
			c.holdsEvents(text, conn)
		}
	}
}

// holdsEvents holds rows of events against those of the database.
func (c *copying) holdsEvents(text []byte, conn *pgx.Conn) {
	c.t.Helper()
	rows, err := conn.Query(c.t.Context(), "SELECT seq, subject, change->>'current' FROM numbered_events ORDER BY seq")
	if err != nil {
		c.t.Fatal(err)
	}
	got := json.NewDecoder(bytes.NewReader(text))
	n := 0
	var seq int64
	var subject string
	var current *string
	_, err = pgx.ForEachRow(rows, []any{&seq, &subject, &current}, func() error {
		n++
		var row struct {
			Seq     int64
			Subject string
			Event   struct{ Current *json.RawMessage }
		}
		if err := got.Decode(&row); err != nil {
			return err
		}
		if row.Seq != seq || row.Subject != subject || current != nil && (row.Event.Current == nil || string(*row.Event.Current) != `"`+*current+`"`) {
			return fmt.Errorf("row %d is %+v, and not %d, %s", n, row, seq, subject)
		}
		return nil
	})
	if err != nil || n < killedEvents || got.More() {
		c.t.Errorf("%d events, %v", n, err)
	}
}

// written is a file of an export that has been begun; empty if there is none yet.
func written(t *testing.T, dir string) string {
	t.Helper()
	for _, name := range files(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Size() > 0 {
			return name
		}
	}
	return ""
}

// files are those of all runs of an export.
func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if names[i], err = filepath.Rel(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	return names
}
