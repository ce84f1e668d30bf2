package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

func TestCopyWritesWhatOurTablesHold(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	db := n.db.WithContext(context.Background())
	if err := db.Exec(`CREATE TABLE copied (id bigint, count int, yes boolean, text text, missing text, none bigint, at timestamptz, never timestamptz,
		tags text[], ids bigint[], doc jsonb, plain json, no_doc jsonb, empty text)`).Error; err != nil {
		t.Fatal(err)
	}
	type record struct {
		ID      int64
		Count   int
		Yes     bool
		Text    string
		Missing *string
		None    *int64
		At      time.Time
		Never   *time.Time
		Tags    models.Strings
		IDs     models.IDs
		Doc     models.JSON
		Plain   models.JSON
		NoDoc   models.JSON
		Empty   *string
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
	empty, id := "", int64(-9)
	rows := []record{
		{1, -2, true, "a\tb\\N\r\n\\.\x01ü", nil, nil, at, nil, models.Strings{`a"b`, `c\d`, "e,{f}", "NULL", ""}, models.IDs{1, 2},
			models.JSON(`{"a": "\\n\t"}`), models.JSON(`{"b":"\"\\"}`), nil, &empty},
		{2, 0, false, `\.`, &empty, &id, at.Add(time.Hour), &at, models.Strings{}, models.IDs{}, models.JSON("null"), models.JSON("[]"), models.JSON("1"), nil},
	}
	fields := func(r *record) []any {
		return []any{&r.ID, &r.Count, &r.Yes, &r.Text, &r.Missing, &r.None, &r.At, &r.Never, &r.Tags, &r.IDs, &r.Doc, &r.Plain, &r.NoDoc, &r.Empty}
	}
	const columns = "id, count, yes, text, missing, none, at, never, tags, ids, doc, plain, no_doc, empty"
	c := postgres.NewCopied("copied", columns)
	for _, r := range rows {
		var values []any
		for _, f := range fields(&r) {
			values = append(values, reflect.ValueOf(f).Elem().Interface())
		}
		c.Add(values...)
	}
	if err := postgres.Copy(db, c); err != nil {
		t.Fatal(err)
	}
	var got []record
	err := postgres.Rows(db, "SELECT "+columns+" FROM copied ORDER BY id", nil, func(row postgres.Scanned) error {
		got = append(got, record{})
		return row.Scan(fields(&got[len(got)-1])...)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].At = rows[i].At.UTC().Truncate(time.Microsecond)
	}
	never := at.UTC().Truncate(time.Microsecond)
	rows[1].Never, rows[0].Doc = &never, models.JSON(`{"a": "\\n\t"}`)
	if !reflect.DeepEqual(got, rows) {
		t.Errorf("got  %+v\nwant %+v", got, rows)
	}
}

func TestCopyWritesBytes(t *testing.T) {
	t.Parallel()
	db := newNotes(t).db.WithContext(context.Background())
	if err := db.Exec("CREATE TABLE kept (bytes bytea)").Error; err != nil {
		t.Fatal(err)
	}
	c := postgres.NewCopied("kept", "bytes")
	for _, b := range [][]byte{[]byte("\x00\\x\xff"), {}, nil} {
		c.Add(b)
	}
	if err := postgres.Copy(db, c); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := db.Raw("SELECT string_agg(coalesce(encode(bytes, 'hex'), 'null'), ',' ORDER BY bytes) FROM kept").Row().Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := ",005c78ff,null"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCopyIsPartOfItsTransaction(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	db := n.db.WithContext(context.Background())
	undone := errors.New("undone")
	err := db.Transaction(func(tx *gorm.DB) error {
		c := postgres.NewCopied("notes", "text")
		c.Add("a")
		c.Add("b")
		if err := postgres.Copy(tx, c); err != nil {
			return err
		}
		var seen int
		if _, err := postgres.Row(tx, "SELECT count(*)::int FROM notes", nil, &seen); err != nil || seen != 2 {
			t.Errorf("%d rows, %v", seen, err)
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	var left int
	if _, err := postgres.Row(db, "SELECT count(*)::int FROM notes", nil, &left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	db := n.db.WithContext(context.Background())
	for name, value := range map[string]any{"what no column holds": struct{}{}, "zero bytes": "a\x00b", "no UTF-8": "\xff"} {
		c := postgres.NewCopied("notes", "text")
		c.Add(value)
		if err := postgres.Copy(db, c); err == nil {
			t.Errorf("took %s", name)
		}
	}
}
