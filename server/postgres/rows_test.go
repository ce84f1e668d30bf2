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

// TestRowsScansWhatOurTablesHold also holds that both ways of reading give the
// same.
func TestRowsScansWhatOurTablesHold(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	type record struct {
		ID      int64
		Count   int
		On      bool
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
		Any     [4]any
	}
	dest := func(r *record) []any {
		return []any{&r.ID, &r.Count, &r.On, &r.Text, &r.Missing, &r.None, &r.At, &r.Never, &r.Tags, &r.IDs, &r.Doc, &r.Plain, &r.NoDoc, &r.Any[0], &r.Any[1], &r.Any[2], &r.Any[3]}
	}
	const query = `SELECT ?::bigint, 3, true, ?::text, NULL::text, NULL::bigint, '2026-01-02 03:04:05.678901+00'::timestamptz, NULL::timestamptz,
		?::text[], '{1,2}'::bigint[], '{"a": 1}'::jsonb, '{"b":2}'::json, NULL::jsonb,
		9::bigint, 'key'::text, NULL::timestamptz, true`
	args := []any{int64(7), "it's ü", models.Strings{`a"b`, "c,d"}}
	var got, want record
	found, err := postgres.Row(n.db.WithContext(context.Background()), query, args, dest(&got)...)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if err := n.db.Raw(query, args...).Row().Scan(dest(&want)...); err != nil {
		t.Fatal(err)
	}
	if !got.At.Equal(want.At) {
		t.Errorf("time %v, want %v", got.At, want.At)
	}
	got.At = want.At
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if want := (models.Strings{`a"b`, "c,d"}); !reflect.DeepEqual(got.Tags, want) {
		t.Errorf("tags %q, want %q", got.Tags, want)
	}
}

// What is read into the same memory row after row is what is read apart, also
// where NULL follows on a value and less on more, and where nothing was before.
func TestReusedReadsWhatScanReads(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	type record struct {
		ID    int64
		Count int
		On    bool
		Text  string
		Maybe *string
		Ref   *int64
		At    time.Time
		Due   *time.Time
		Tags  models.Strings
		IDs   models.IDs
		Doc   models.JSON
	}
	dest := func(r *record) []any {
		return []any{&r.ID, &r.Count, &r.On, &r.Text, &r.Maybe, &r.Ref, &r.At, &r.Due, &r.Tags, &r.IDs, &r.Doc}
	}
	const query = `SELECT n, n::int, n % 2 = 0, repeat('ü', n::int), CASE WHEN n <> 2 THEN 'm' || n END, CASE WHEN n <> 2 THEN n END,
		'2026-01-02 03:04:05.678901+00'::timestamptz + make_interval(secs => n), CASE WHEN n <> 2 THEN '2026-01-02+00'::timestamptz END,
		CASE n WHEN 1 THEN '{a,"b c","d\"e"}' WHEN 3 THEN '{f}' ELSE '{}' END::text[], CASE n WHEN 1 THEN '{1,2,3}' WHEN 3 THEN '{4}' ELSE '{}' END::bigint[],
		CASE n WHEN 1 THEN '{"a": [1]}' WHEN 3 THEN '1' END::jsonb FROM generate_series(0::bigint, 3) AS s (n) ORDER BY s.n`
	var reused record
	into := postgres.NewReused(dest(&reused))
	rows := 0
	err := postgres.Rows(n.db.WithContext(context.Background()), query, nil, func(row postgres.Scanned) error {
		rows++
		var want record
		if err := row.Scan(dest(&want)...); err != nil {
			return err
		}
		if err := into.Scan(row); err != nil {
			return err
		}
		if got, want := plain(reused), plain(want); !reflect.DeepEqual(got, want) {
			t.Errorf("row %d is %#v, and not %#v", rows, got, want)
		}
		return nil
	})
	if err != nil || rows != 4 {
		t.Fatal(rows, err)
	}
	unknown := postgres.NewReused([]any{new(time.Time)})
	err = postgres.Rows(n.db.WithContext(context.Background()), "SELECT 'infinity'::timestamptz", nil, func(row postgres.Scanned) error { return unknown.Scan(row) })
	if err == nil {
		t.Error("infinity was read into a time")
	}
	short := postgres.NewReused([]any{new(int64)})
	if err = postgres.Rows(n.db.WithContext(context.Background()), "SELECT 1::bigint, 2::bigint", nil, func(row postgres.Scanned) error { return short.Scan(row) }); err == nil {
		t.Error("a row was read into fewer variables than it has columns")
	}
}

// plain are the fields of a struct without pointers.
func plain(r any) (list []any) {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		list = append(list, field.Interface())
	}
	return list
}

func TestRowsSeesItsTransaction(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	count := func(db *gorm.DB) (c int64) {
		t.Helper()
		if _, err := postgres.Row(db, "SELECT count(*) FROM notes", nil, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	undone := errors.New("undone")
	err := n.db.WithContext(context.Background()).Transaction(func(tx *gorm.DB) error {
		n.write(tx, "INSERT INTO notes VALUES ('a')")
		inside := n.db.WithContext(postgres.WithTx(context.Background(), tx))
		if count(tx) != 1 || count(inside) != 1 || count(n.db.WithContext(context.Background())) != 0 {
			t.Error("a query did not run where it should")
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
}

func TestRowsGivesTheConnectionBackAfterAFailure(t *testing.T) {
	t.Parallel()
	n := newNotes(t) // looks for connections in use at the end
	db := n.db.WithContext(context.Background())
	if _, err := postgres.Row(db, "SELECT nothing FROM notes", nil); err == nil {
		t.Error("a wrong statement did not fail")
	}
	stop := errors.New("stop")
	err := postgres.Rows(db, "SELECT generate_series(1, 1000)", nil, func(postgres.Scanned) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want what scan failed with", err)
	}
	found, err := postgres.Row(db, "SELECT text FROM notes", nil, new(string))
	if found || err != nil {
		t.Error("found a row where there is none:", err)
	}
}

func TestPlannedQueriesKeepNoPlan(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	err := n.db.WithContext(context.Background()).Transaction(func(tx *gorm.DB) error {
		ctx := postgres.WithTx(context.Background(), tx)
		kept := func() (c int64) {
			t.Helper()
			if _, err := postgres.Row(n.db.WithContext(ctx), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%planned anew%' AND statement NOT LIKE '%pg_prep%'", nil, &c); err != nil {
				t.Fatal(err)
			}
			return c
		}
		for _, ask := range []struct {
			ctx  context.Context
			want int64
		}{{postgres.Planned(ctx), 0}, {ctx, 1}} {
			for i := range int64(10) {
				var got int64
				if _, err := postgres.Row(n.db.WithContext(ask.ctx), "SELECT ?::bigint /* planned anew */", []any{i}, &got); err != nil || got != i {
					t.Error(got, err)
				}
			}
			if got := kept(); got != ask.want {
				t.Errorf("%d statements are kept, want %d", got, ask.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
