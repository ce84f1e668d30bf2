package exports

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"gocloud.dev/blob"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Wanted is what files are to have.
type Wanted struct {
	Resources []string // of Tables; none is all
	Format    string   // NDJSON, CSV or Parquet; empty is NDJSON
	Since     string   // the cursor of an earlier manifest: what changed behind it; empty is all
}

// Manifest tells what files there are, and from where to go on. It is in the last
// file that is written.
type Manifest struct {
	Format  string    `json:"format"`
	Since   *string   `json:"since"` // null: everything
	Cursor  string    `json:"cursor"`
	TakenAt time.Time `json:"taken_at"` // all files show the account as it was then
	Files   []File    `json:"files"`
}

// File is one of a manifest's.
type File struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Rows     int64    `json:"rows"`
	Bytes    int64    `json:"bytes"`
	SHA256   string   `json:"sha256"` // in hexadecimal
	Columns  []Column `json:"columns"`
}

// ManifestName is the file that a manifest is in.
const ManifestName = "manifest.json"

// cursors of files are of all kinds of records at once.
const cursorKind = "files"

// check fills in what was left out. It fails with fault.Invalid, and with
// fault.BadCursor for a cursor that is none of an account's manifests.
func (w *Wanted) check(account int64) (Place, error) {
	if w.Format == "" {
		w.Format = NDJSON
	}
	if _, ok := suffixes[w.Format]; !ok {
		return Place{}, fault.InvalidField("format", "%s is not a format: ndjson, csv or parquet", w.Format)
	}
	if len(w.Resources) == 0 {
		w.Resources = slices.Clone(Tables)
	}
	for i, name := range w.Resources {
		if !slices.Contains(Tables, name) {
			return Place{}, fault.InvalidField("resources", "%s is not a resource: tickets, comments, users, organizations, events or ratings", name)
		}
		if slices.Contains(w.Resources[:i], name) {
			return Place{}, fault.InvalidField("resources", "%s is there twice", name)
		}
	}
	if w.Since == "" {
		return Place{}, nil
	}
	p, err := ParseCursor(account, cursorKind, w.Since)
	if err != nil {
		return p, fault.New(fault.BadCursor, "since is not the cursor of an export of this account")
	}
	return p, nil
}

// Write writes files into a bucket, under names that begin with prefix, and a
// manifest of them at last. progress hears now and then how many rows are written
// of how many; its error ends the work. All files show the account at one moment,
// and its cursor stands there: what changes later is behind it, and nothing else.
// It fails as Wanted.check, and with fault.Forbidden unless by is an admin.
func (f *Files) Write(ctx context.Context, by auth.Actor, w Wanted, bucket *blob.Bucket, prefix string, progress func(done, total int64) error) (Manifest, error) {
	since, err := w.check(by.AccountID)
	if err != nil {
		return Manifest{}, err
	}
	if _, err := f.places.begin(ctx, by, Tickets); err != nil {
		return Manifest{}, err
	}
	ctx = postgres.WithAccount(ctx, by.AccountID)
	x := &reading{Files: f, by: by, since: since}
	m := Manifest{Format: w.Format, Files: []File{}}
	if w.Since != "" {
		m.Since = &w.Since
	}
	err = f.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return x.write(postgres.WithTx(ctx, tx), w, &m, bucket, prefix, progress)
	}, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return m, err
	}
	text := models.ToJSON(m)
	return m, bucket.WriteAll(ctx, prefix+ManifestName, text, &blob.WriterOptions{ContentType: "application/json"})
}

// write writes the files in the snapshot that ctx carries, which begins with its
// first statement.
func (x *reading) write(ctx context.Context, w Wanted, m *Manifest, bucket *blob.Bucket, prefix string, progress func(done, total int64) error) error {
	if _, err := postgres.Row(x.db.WithContext(ctx), "SELECT at, seq FROM event_clock", nil, &x.end.At, &x.end.Seq); err != nil {
		return err
	}
	m.Cursor, m.TakenAt = x.end.Cursor(x.by.AccountID, cursorKind), x.end.At.UTC()
	var err error
	if x.config, err = x.from.Fields.Current(x.db.WithContext(ctx), x.by.AccountID); err != nil {
		return err
	}
	var list []table
	all := x.tables()
	for _, name := range w.Resources {
		list = append(list, all[name])
	}
	total, err := x.total(ctx, list)
	if err != nil {
		return err
	}
	meter := &meter{total: total, tell: progress}
	for _, t := range list {
		file, err := x.file(ctx, t, w.Format, bucket, prefix, meter)
		if err != nil {
			return fmt.Errorf("export %s: %w", t.name, err)
		}
		m.Files = append(m.Files, file)
	}
	return progress(meter.done, meter.done) // some of those that were counted may be gone
}

// meter tells of rows that are written.
type meter struct {
	done, total int64
	tell        func(done, total int64) error
}

func (m *meter) row() error {
	if m.done++; m.done%1000 != 0 {
		return nil
	}
	return m.tell(m.done, max(m.total, m.done))
}

// file writes the file of a table.
func (x *reading) file(ctx context.Context, t table, format string, bucket *blob.Bucket, prefix string, m *meter) (File, error) {
	file := File{Name: t.name + suffixes[format], Resource: t.name, Columns: t.columns}
	within, cancel := context.WithCancel(ctx)
	defer cancel() // which drops what was written if the writer is not closed before
	out, err := bucket.NewWriter(within, prefix+file.Name, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return file, err
	}
	sink := &summed{w: out, sum: sha256.New()}
	err = func() error {
		rows, err := newRowWriter(format, sink, t.columns)
		if err != nil {
			return err
		}
		err = t.rows(ctx, x, func(row []cell) error {
			file.Rows++
			if err := rows.write(row); err != nil {
				return err
			}
			return m.row()
		})
		if err != nil {
			return err
		}
		return rows.close()
	}()
	if err != nil {
		cancel()
		_ = out.Close()
		return file, err
	}
	file.Bytes, file.SHA256 = sink.bytes, hex.EncodeToString(sink.sum.Sum(nil))
	return file, out.Close()
}

// summed counts and sums up what is written.
type summed struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.bytes += int64(n)
	return n, err
}

// ManifestOf is the manifest of an export; nil before it is completed.
func ManifestOf(e models.Export) *Manifest {
	if e.Manifest == nil {
		return nil
	}
	var m Manifest
	_ = json.Unmarshal(e.Manifest, &m) // written by ourselves
	return &m
}
