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
