package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// notes is a database with a table of texts.
type notes struct {
	*testing.T
	db *gorm.DB
}

func newNotes(t *testing.T) notes {
	t.Helper()
	n := notes{t, testdb.DB(t)}
	n.write(n.db, "CREATE TABLE notes (text text PRIMARY KEY)")
	t.Cleanup(func() {
		if !n.allGivenBack() {
			t.Errorf("%d connections were not given back", postgres.Pool(n.db).Stats().InUse)
		}
	})
	return n
}

// allGivenBack reports whether no connection is in use. One that is being opened
// in place of a broken one counts as in use for a while.
func (n notes) allGivenBack() bool {
	n.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); n.kept() {
		if postgres.Pool(n.db).Stats().InUse == 0 {
			return true
		}
	}
	return false
}

func (n notes) write(db *gorm.DB, statement string, args ...any) {
	n.Helper()
	if err := db.Exec(statement, args...).Error; err != nil {
		n.Fatal(err)
	}
}

func note(db *gorm.DB, text string) error { return db.Exec("INSERT INTO notes VALUES (?)", text).Error }

// kept are the texts that were committed.
func (n notes) kept() string {
	n.Helper()
	return n.seen(n.db.WithContext(context.Background()))
}

func (n notes) seen(db *gorm.DB) string {
	n.Helper()
	var list []string
	if err := db.Raw("SELECT text FROM notes ORDER BY text").Scan(&list).Error; err != nil {
		n.Fatal(err)
	}
	return strings.Join(list, " ")
}

func (n notes) want(texts string) {
	n.Helper()
	if got := n.kept(); got != texts {
		n.Errorf("kept %q, want %q", got, texts)
	}
}

var errUndo = errors.New("undo")

func TestContextCarriesATransaction(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	err := n.db.Transaction(func(tx *gorm.DB) error {
		ctx := postgres.WithTx(t.Context(), tx)
		if err := note(n.db.WithContext(ctx), "joined"); err != nil {
			return err
		}
		if got := n.seen(tx); got != "joined" {
			t.Errorf("the transaction sees %q", got)
		}
		if got := n.kept(); got != "" {
			t.Errorf("others see %q", got)
		}
		if err := note(n.db.WithContext(postgres.WithoutTx(ctx)), "apart"); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Error(err)
	}
	n.want("apart")
}

func TestInnerTransactions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		inner, outer error
		kept         string
	}{
		{"both are kept", nil, nil, "a b c"},
		{"the inner one is undone alone", errUndo, nil, "a c"},
		{"the outer one undoes both", nil, errUndo, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newNotes(t)
			_ = n.db.Transaction(func(tx *gorm.DB) error {
				ctx := postgres.WithTx(t.Context(), tx)
				if err := note(n.db.WithContext(ctx), "a"); err != nil {
					return err
				}
				err := n.db.WithContext(ctx).Transaction(func(inner *gorm.DB) error {
					if err := note(inner, "b"); err != nil {
						return err
					}
					return tc.inner
				})
				if !errors.Is(err, tc.inner) {
					t.Errorf("the inner one says %v", err)
				}
				if err := note(n.db.WithContext(ctx), "c"); err != nil {
					return err
				}
				return tc.outer
			})
			n.want(tc.kept)
		})
	}
}

func TestFailedStatementSpoilsTheInnerTransactionAlone(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	err := n.db.Transaction(func(tx *gorm.DB) error {
		ctx := postgres.WithTx(t.Context(), tx)
		if err := note(tx, "a"); err != nil {
			return err
		}
		for range 3 { // savepoints of their own, one within the other
			err := n.db.WithContext(ctx).Transaction(func(inner *gorm.DB) error {
				return inner.Transaction(func(deeper *gorm.DB) error { return note(deeper, "a") })
			})
			if !errors.Is(err, gorm.ErrDuplicatedKey) {
				t.Errorf("a second a: %v", err)
			}
		}
		return note(tx, "b")
	})
	if err != nil {
		t.Error(err)
	}
	n.want("a b")
}

func TestCancelledRequestGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	for _, tc := range []struct {
		name string
		work func(tx *gorm.DB, cancel func()) error
	}{
		{"before the end", func(tx *gorm.DB, cancel func()) error { cancel(); return errUndo }},
		{"before a statement", func(tx *gorm.DB, cancel func()) error { cancel(); return note(tx, "x") }},
		{"during a statement", func(tx *gorm.DB, cancel func()) error {
			done := make(chan error)
			go func() { done <- tx.Exec("SELECT pg_sleep(60)").Error }()
			for n.sleeping() == 0 {
				continue // until the database is at it
			}
			cancel()
			return <-done
		}},
		{"and a panic", func(tx *gorm.DB, cancel func()) error { cancel(); panic("x") }},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		err := func() (err error) {
			defer func() {
				if recover() != nil {
					err = errUndo
				}
			}()
			return n.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				if err := note(tx, "lost"); err != nil {
					return err
				}
				return tc.work(tx, cancel)
			})
		}()
		if err == nil {
			t.Errorf("%s: no error", tc.name)
		}
		if !n.allGivenBack() {
			t.Errorf("%s: a connection is in use", tc.name)
		}
		cancel()
	}
	if err := n.db.WithContext(cancelled(t)).Transaction(func(*gorm.DB) error { return nil }); err == nil {
		t.Error("a transaction of a cancelled request began")
	}
	n.want("")
}

// sleeping is how many statements of the database sleep.
func (n notes) sleeping() (count int) {
	n.Helper()
	err := n.db.Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'").Row().Scan(&count)
	if err != nil {
		n.Fatal(err)
	}
	return count
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A request whose caller is gone when all is done is kept nevertheless: its
// work is complete, and half of it may be told already.
func TestCommitOfACancelledRequest(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := n.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		defer cancel()
		return note(tx, "kept")
	})
	if err != nil {
		t.Error(err)
	}
	n.want("kept")
}

func TestDriversTransactionIsTheSame(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	err := n.db.Transaction(func(tx *gorm.DB) error {
		if !postgres.InTx(tx) || postgres.InTx(n.db) {
			t.Error("InTx is wrong")
		}
		drivers, err := postgres.PgxTx(tx)
		if err != nil {
			return err
		}
		if _, err := drivers.Exec(t.Context(), "INSERT INTO notes VALUES ('by the driver')"); err != nil {
			return err
		}
		if got := n.seen(tx); got != "by the driver" {
			t.Errorf("GORM sees %q", got)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Error(err)
	}
	n.want("")
	defer func() {
		if recover() == nil {
			t.Error("outside a transaction there is none of the driver")
		}
	}()
	_, _ = postgres.PgxTx(n.db)
}

func TestEndedTransactionSaysSo(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	tx := n.db.Begin()
	if err := tx.Commit().Error; err != nil {
		t.Fatal(err)
	}
	if err := n.db.Begin().Rollback().Error; err != nil {
		t.Error(err)
	}
	if err := tx.Rollback().Error; !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("a second end: %v", err)
	}
	if err := note(tx, "late"); err == nil {
		t.Error("a statement after the end went through")
	}
}

func TestReadOnlyTransactionDoesNotWrite(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	err := n.db.Transaction(func(tx *gorm.DB) error {
		var level string
		if err := tx.Raw("SHOW transaction_isolation").Row().Scan(&level); err != nil || level != "repeatable read" {
			t.Errorf("level %q, %v", level, err)
		}
		return note(tx, "x")
	}, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
	n.want("")
}

func TestManyFailuresLeaveNoConnectionBehind(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_ = n.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				inner := postgres.WithTx(ctx, tx)
				switch i % 4 {
				case 0:
					return tx.Exec("SELECT 1 / 0").Error
				case 1:
					cancel()
				case 2:
					rows, err := n.db.WithContext(inner).Raw("SELECT generate_series(1, 1000)").Rows()
					if err == nil {
						rows.Next()
						_ = rows.Close()
					}
				}
				return n.db.WithContext(inner).Transaction(func(*gorm.DB) error { return errUndo })
			})
		})
	}
	all.Wait()
	n.want("")
}

func TestAfterCommit(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	var did []string
	do := func(what string) func() { return func() { did = append(did, what) } }
	postgres.AfterCommit(context.Background(), do("at once"))
	if len(did) != 1 {
		t.Fatalf("outside of a transaction: %v", did)
	}
	for _, fails := range []bool{false, true} {
		did = nil
		err := n.db.WithContext(context.Background()).Transaction(func(tx *gorm.DB) error {
			ctx := postgres.WithTx(context.Background(), tx)
			postgres.AfterCommit(ctx, do("outer"))
			err := n.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				postgres.AfterCommit(postgres.WithTx(ctx, tx), do("inner"))
				return nil
			})
			if len(did) > 0 {
				t.Errorf("before the commit: %v", did)
			}
			if fails {
				return errUndo
			}
			return err
		})
		if fails != errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		if got := strings.Join(did, " "); fails && got != "" || !fails && got != "outer inner" {
			t.Errorf("undone %t: did %q", fails, got)
		}
	}
}

func TestLastStatementCommits(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	db := n.db.WithContext(t.Context())
	last := func(db *gorm.DB, text string) error {
		return postgres.ExecLast(db, "INSERT INTO notes VALUES (?)", []any{text})
	}
	err := db.Transaction(func(tx *gorm.DB) error {
		if err := note(tx, "a"); err != nil {
			return err
		}
		if err := last(tx, "b"); err != nil {
			return err
		}
		n.want("a b") // before the function returns
		if err := note(tx, "c"); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("a statement behind the last: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Transaction(func(tx *gorm.DB) error {
		if err := note(tx, "d"); err != nil {
			return err
		}
		return postgres.ExecLast(tx, "INSERT INTO nowhere VALUES (?)", []any{"e"})
	})
	if err == nil {
		t.Error("a wrong last statement did not fail")
	}
	n.want("a b")
	// Inside of other work the last statement ends nothing.
	undone := errors.New("undone")
	err = db.Transaction(func(outer *gorm.DB) error {
		if err := outer.Transaction(func(tx *gorm.DB) error { return last(tx, "f") }); err != nil {
			return err
		}
		inside := n.db.WithContext(postgres.WithTx(t.Context(), outer))
		if err := inside.Transaction(func(tx *gorm.DB) error { return last(tx, "g") }); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	n.want("a b")
}
