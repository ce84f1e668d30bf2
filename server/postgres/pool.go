package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// connPool is what GORM runs statements on. It differs from *sql.DB in two
// ways: a transaction pins one connection and is begun by pgx, so that jobs can
// be enqueued in it; and a context that carries a transaction (see WithTx) has
// all its statements run in that one.
type connPool struct{ db *sql.DB }

type txKey struct{}

// WithTx returns a context whose statements, on any handle of the same
// database, run in tx; a transaction begun with it becomes a savepoint of tx.
// One request's work can so be put into one transaction from outside of it.
func WithTx(ctx context.Context, tx *gorm.DB) context.Context {
	return context.WithValue(ctx, txKey{}, tx.Statement.ConnPool.(*pinned))
}

// WithoutTx returns a context whose statements are on their own again, for what
// must be kept even if the transaction that ctx carried is undone.
func WithoutTx(ctx context.Context) context.Context {
	return context.WithValue(ctx, txKey{}, nil)
}

// AfterCommit has f called once the transaction that ctx carries is committed,
// and never if it is not; at once where ctx carries none. It is for what lives
// in memory: another request must not read the old row and remember it again.
func AfterCommit(ctx context.Context, f func()) {
	if tx, ok := ctx.Value(txKey{}).(*pinned); ok {
		*tx.committed = append(*tx.committed, f)
		return
	}
	f()
}

func (p *connPool) on(ctx context.Context) gorm.ConnPool {
	if tx, ok := ctx.Value(txKey{}).(*pinned); ok {
		return tx
	}
	return p.db
}

func (p *connPool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.on(ctx).PrepareContext(ctx, query)
}

func (p *connPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.on(ctx).ExecContext(ctx, query, args...)
}

func (p *connPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.on(ctx).QueryContext(ctx, query, args...)
}

func (p *connPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.on(ctx).QueryRowContext(ctx, query, args...)
}

// GetDBConn lets gorm.DB.DB find the pool.
func (p *connPool) GetDBConn() (*sql.DB, error) { return p.db, nil }

// BeginTx begins a transaction on a connection of its own, or a savepoint in
// the transaction that ctx carries.
func (p *connPool) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	if outer, ok := ctx.Value(txKey{}).(*pinned); ok {
		return outer.savepoint(ctx)
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var tx pgx.Tx
	err = conn.Raw(func(driverConn any) error {
		var opts pgx.TxOptions
		if o != nil && o.ReadOnly {
			opts.AccessMode = pgx.ReadOnly
		}
		if o != nil && o.Isolation == sql.LevelRepeatableRead {
			opts.IsoLevel = pgx.RepeatableRead
		}
		tx, err = driverConn.(*stdlib.Conn).Conn().BeginTx(ctx, opts)
		return err
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &pinned{Conn: conn, tx: tx, savepoints: new(atomic.Int64), committed: new([]func())}, nil
}

// pinned is a transaction on one connection. GORM sees in it a TxCommitter.
type pinned struct {
	*sql.Conn
	tx         pgx.Tx
	savepoints *atomic.Int64 // taken so far, to name the next
	committed  *[]func()     // see AfterCommit
	name       string        // of this savepoint; empty for the transaction itself
}

func (t *pinned) savepoint(ctx context.Context) (gorm.ConnPool, error) {
	name := fmt.Sprintf("request_%d", t.savepoints.Add(1))
	if _, err := t.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return nil, err
	}
	return &pinned{Conn: t.Conn, tx: t.tx, savepoints: t.savepoints, committed: t.committed, name: name}, nil
}

// Commit ends the transaction or keeps what was done since the savepoint.
func (t *pinned) Commit() error {
	if t.name != "" {
		_, err := t.ExecContext(context.Background(), "RELEASE SAVEPOINT "+t.name)
		return err
	}
	err := t.end(t.tx.Commit)
	if err == nil {
		for _, f := range *t.committed {
			f()
		}
	}
	return err
}

// Rollback undoes the transaction, or what was done since the savepoint.
func (t *pinned) Rollback() error {
	if t.name != "" {
		_, err := t.ExecContext(context.Background(), "ROLLBACK TO SAVEPOINT "+t.name)
		return err
	}
	return t.end(t.tx.Rollback)
}

func (t *pinned) end(how func(context.Context) error) error {
	// A request that was cancelled must still end its transaction, or the
	// connection would go back to the pool with it open.
	err := how(context.Background())
	if cerr := t.Close(); cerr != nil && !errors.Is(cerr, sql.ErrConnDone) {
		err = errors.Join(err, cerr)
	}
	if errors.Is(err, pgx.ErrTxClosed) {
		return sql.ErrTxDone
	}
	return err
}

// PgxTx is the driver's transaction under tx, for what is not done through
// GORM (enqueueing a job). It panics outside a transaction: a programming error.
func PgxTx(tx *gorm.DB) pgx.Tx {
	return tx.Statement.ConnPool.(*pinned).tx
}

// InTx reports whether db is inside a transaction.
func InTx(db *gorm.DB) bool {
	_, ok := db.Statement.ConnPool.(*pinned)
	return ok
}
