package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// connPool is what GORM runs statements on. It differs from *sql.DB in two
// ways: a transaction pins one connection, whose driver it gives out, so that jobs
// can be enqueued in it; and a context that carries a transaction (see WithTx) has
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
		tx.tx.committed = append(tx.tx.committed, f)
		return
	}
	f()
}

// Pinned reports whether ctx carries a transaction (see WithTx).
func Pinned(ctx context.Context) bool {
	_, ok := ctx.Value(txKey{}).(*pinned)
	return ok
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

// BeginTx takes a connection for a transaction, or sets a savepoint in the
// transaction that ctx carries. The database hears of the transaction with its
// first statement.
func (p *connPool) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	if outer, ok := ctx.Value(txKey{}).(*pinned); ok {
		return outer.savepoint(ctx)
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx := &transaction{begin: "begin"}
	if o != nil && o.Isolation == sql.LevelRepeatableRead {
		tx.begin += " isolation level repeatable read"
	}
	if o != nil && o.ReadOnly {
		tx.begin += " read only"
	}
	err = conn.Raw(func(driverConn any) error {
		tx.conn = driverConn.(*stdlib.Conn).Conn()
		return nil
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &pinned{Conn: conn, tx: tx}, nil
}

// PgxTx is the driver's transaction under tx, for what is not done through
// GORM (enqueueing a job). It panics outside a transaction: a programming error.
func PgxTx(tx *gorm.DB) (pgx.Tx, error) {
	return tx.Statement.ConnPool.(*pinned).tx.drivers(tx.Statement.Context)
}

// InTx reports whether db is inside a transaction.
func InTx(db *gorm.DB) bool {
	_, ok := db.Statement.ConnPool.(*pinned)
	return ok
}
