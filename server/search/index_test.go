package search

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// opened is a database with an account that has n groups.
func opened(t *testing.T, n int) (*gorm.DB, context.Context) {
	t.Helper()
	db, ctx := testdb.DB(t), postgres.WithAccount(context.Background(), 1)
	for _, s := range []string{
		"INSERT INTO accounts (id, subdomain, name, time_zone, settings, config_version, created_at, updated_at) VALUES (1, 'a', 'A', 'UTC', '{}', 1, now(), now())",
		`INSERT INTO groups (account_id, name, description, is_public, "default", deleted, created_at, updated_at)
			SELECT 1, 'Group ' || n, '', true, false, false, now(), now() FROM generate_series(1, ?) n`,
	} {
		args := []any{n}
		if s[12] == 'a' {
			args = nil
		}
		if err := db.WithContext(ctx).Exec(s, args...).Error; err != nil {
			t.Fatal(err)
		}
	}
	return db, ctx
}

// groups are those of the account.
var groups = stock{1, Group}

func count(t *testing.T, db *gorm.DB, ctx context.Context, table string) (n int64) {
	t.Helper()
	if err := db.WithContext(ctx).Raw("SELECT count(*) FROM " + table + " WHERE account_id = 1").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// documents is how many groups the index has.
func documents(t *testing.T, db *gorm.DB, ctx context.Context) (n int) {
	t.Helper()
	err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		l, err := Look(tx, 1, Wanted{Kind: Group})
		if err != nil {
			return err
		}
		all, _, _, err := l.Next()
		n = all.Len()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDocumentsAreMadeByThemselves(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, pendingAtOnce+5)
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		NewIndex(db).Run(run, slog.New(slog.NewTextHandler(io.Discard, nil)))
	}()
	late := time.After(time.Minute)
	for count(t, db, ctx, "search_pending") > 0 || count(t, db, ctx, "search_runs") == 0 {
		select {
		case <-late:
			t.Fatal("notes are left, or all documents are fresh")
		case <-time.After(5 * time.Millisecond):
		}
	}
	stop()
	<-ended
	if n := documents(t, db, ctx); n != pendingAtOnce+5 {
		t.Errorf("%d documents", n)
	}
}

func TestSearchesWaitOnlySoLong(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, pendingAtOnce+5)
	x := NewIndex(db)
	if err := x.settle(ctx, 1, []Kind{Group}, -1); !fault.Is(err, fault.Unavailable) || fault.Of(err).RetryAfter <= 0 {
		t.Errorf("with too much to do: %v", err)
	}
	if err := x.settle(ctx, 2, Kinds, -1); err != nil {
		t.Errorf("another account has nothing to do: %v", err)
	}
	if err := x.CatchUp(ctx, 1, Group); err != nil {
		t.Error(err)
	}
	if n := documents(t, db, ctx); n != pendingAtOnce+5 || count(t, db, ctx, "search_pending") > 0 {
		t.Errorf("%d documents", n)
	}
}

// Who comes while another makes a document waits for it, and does not search
// without it.
func TestSearchesWaitForWhoIsAtWork(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, 3)
	x := NewIndex(db)
	working, finish, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		done <- db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			var mine bool
			if _, err := postgres.Row(tx, "SELECT pg_try_advisory_xact_lock(?)", []any{groups.key()}, &mine); err != nil || !mine {
				return err
			}
			close(working)
			<-finish
			var next int64
			var made int
			return x.workTx(tx, groups, &next, &made)
		})
	}()
	<-working
	if next, _, err := x.work(ctx, groups, false); err != nil || next != 0 || documents(t, db, ctx) != 0 {
		t.Errorf("two at work: %d, %v", next, err)
	}
	go func() { done <- x.CatchUp(ctx, 1, Group) }()
	close(finish)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := documents(t, db, ctx); n != 3 {
		t.Errorf("%d documents", n)
	}
}

// Within another's transaction each statement sees what was committed before it. Nobody
// makes runs of documents between two of them.
func TestReadingSeesOneStateInAnyTransaction(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, 3)
	x := NewIndex(db)
	if err := x.CatchUp(ctx, 1, Group); err != nil {
		t.Fatal(err)
	}
	flushed := make(chan error, 1)
	err := db.WithContext(ctx).Transaction(func(outer *gorm.DB) error {
		return x.Read(postgres.WithTx(ctx, outer), 1, Group, func(tx *gorm.DB) error {
			fresh := count(t, tx, ctx, "search_fresh")
			go func() { flushed <- x.flush(ctx, groups) }()
			for waits := false; !waits; {
				select {
				case err := <-flushed:
					t.Errorf("another made runs meanwhile: %v", err)
					return nil
				default:
				}
				_, err := postgres.Row(db.WithContext(ctx), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory')", nil, &waits)
				if err != nil {
					return err
				}
			}
			if n := count(t, tx, ctx, "search_fresh"); fresh != 3 || n != 3 {
				t.Errorf("%d fresh documents, and then %d", fresh, n)
			}
			return nil
		})
	})
	if err != nil || <-flushed != nil {
		t.Error(err)
	}
	if n := documents(t, db, ctx); n != 3 || count(t, db, ctx, "search_runs") == 0 {
		t.Errorf("%d documents", n)
	}
}

// What is looked for among other records waits for none of these, and those who wait
// leave connections for whatever else there is to do.
func TestSearchesKeepOutOfEachOthersWay(t *testing.T) {
	t.Parallel()
	db, ctx := opened(t, 3)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	postgres.Pool(db).SetMaxOpenConns(4)
	x := NewIndex(db)
	const searches = 20
	done := make(chan error, searches)
	err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, groups); err != nil {
			return err
		}
		for range searches {
			go func() { done <- x.CatchUp(ctx, 1, Group) }()
		}
		for waits := false; !waits; {
			if _, err := postgres.Row(db.WithContext(ctx), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory')", nil, &waits); err != nil {
				return err
			}
		}
		for range 100 { // more than all that wait
			if err := x.CatchUp(ctx, 1, Ticket, User, Organization, Article); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range searches {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := documents(t, db, ctx); n != 3 {
		t.Errorf("%d documents", n)
	}
}
