package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// transaction is one on a connection that nobody else uses meanwhile. The database
// hears of it with its first statement, and its commit can travel with the last
// one, which is a round trip less.
type transaction struct {
	conn       *pgx.Conn
	begin      string
	state      state
	nested     bool     // work inside of work: there was a savepoint
	savepoints int      // taken so far, to name the next
	handedOut  pgx.Tx   // see drivers
	committed  []func() // see AfterCommit
}

type state int

const (
	unbegun state = iota // and the database does not know of it
	begun
	ended
)

// start begins the transaction unless that was done.
func (t *transaction) start(ctx context.Context) error {
	switch t.state {
	case begun:
		return nil
	case ended:
		return sql.ErrTxDone
	}
	if _, err := t.conn.Exec(ctx, t.begin); err != nil {
		return err
	}
	t.state = begun
	return nil
}

// last runs the last statement and commits. If it fails the transaction is
// still to be rolled back.
func (t *transaction) last(ctx context.Context, query string, args []any) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	var both pgx.Batch
	both.Queue(query, args...)
	both.Queue("commit")
	answers := t.conn.SendBatch(ctx, &both)
	_, err := answers.Exec()
	if err == nil {
		_, err = answers.Exec()
	}
	if cerr := answers.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		t.state = ended
	}
	return err
}

// end commits or rolls back, what was not begun neither.
func (t *transaction) end(how string) error {
	switch t.state {
	case unbegun:
		t.state = ended
		return nil
	case ended:
		return sql.ErrTxDone
	}
	t.state = ended
	// A request that was cancelled must still end its transaction, or the
	// connection would go back to the pool with it open.
	ctx := context.Background()
	tag, err := t.conn.Exec(ctx, how)
	if err != nil {
		if t.conn.PgConn().TxStatus() != 'I' {
			_ = t.conn.Close(ctx) // there is an error to return already
		}
		return err
	}
	if how == "commit" && tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// drivers is the driver's own form of the transaction. It is not for ending it.
func (t *transaction) drivers(ctx context.Context) (pgx.Tx, error) {
	if err := t.start(ctx); err != nil {
		return nil, err
	}
	if t.handedOut == nil {
		// The driver gives one out only for a begin of its own, for which any
		// statement will do.
		tx, err := t.conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: "SELECT 1"})
		if err != nil {
			return nil, err
		}
		t.handedOut = tx
	}
	return t.handedOut, nil
}

// pinned is a transaction, or a savepoint in one, as GORM uses it: a ConnPool and
// a TxCommitter.
type pinned struct {
	*sql.Conn
	tx   *transaction
	name string // of the savepoint; empty for the transaction itself
	done bool   // committed with its last statement
}

func (p *pinned) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := p.tx.start(ctx); err != nil {
		return nil, err
	}
	return p.Conn.PrepareContext(ctx, query)
}

// ExecContext takes notice of savepoints, GORM's too, for there is work around
// them: see ExecLast.
func (p *pinned) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.tx.nested = p.tx.nested || strings.HasPrefix(query, "SAVEPOINT ")
	if err := p.tx.start(ctx); err != nil {
		return nil, err
	}
	return p.Conn.ExecContext(ctx, query, args...)
}

func (p *pinned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := p.tx.start(ctx); err != nil {
		return nil, err
	}
	return p.Conn.QueryContext(ctx, query, args...)
}

// QueryRowContext of a transaction that cannot begin gives a row that tells so.
func (p *pinned) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := p.tx.start(ctx); err != nil {
		cancelled, cancel := context.WithCancelCause(ctx)
		cancel(err)
		ctx = cancelled
	}
	return p.Conn.QueryRowContext(ctx, query, args...)
}

func (p *pinned) savepoint(ctx context.Context) (gorm.ConnPool, error) {
	p.tx.savepoints++
	name := fmt.Sprintf("request_%d", p.tx.savepoints)
	if _, err := p.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return nil, err
	}
	return &pinned{Conn: p.Conn, tx: p.tx, name: name}, nil
}

// Commit ends the transaction or keeps what was done since the savepoint.
func (p *pinned) Commit() error {
	if p.name != "" {
		_, err := p.ExecContext(context.Background(), "RELEASE SAVEPOINT "+p.name)
		return err
	}
	return p.end("commit")
}

// Rollback undoes the transaction, or what was done since the savepoint.
func (p *pinned) Rollback() error {
	if p.name != "" {
		_, err := p.ExecContext(context.Background(), "ROLLBACK TO SAVEPOINT "+p.name)
		return err
	}
	return p.end("rollback")
}

func (p *pinned) end(how string) (err error) {
	if p.done && how == "commit" {
		p.done = false // a second one is one too many
	} else {
		err = p.tx.end(how)
	}
	if err == nil && how == "commit" {
		for _, f := range p.tx.committed {
			f()
		}
	}
	if cerr := p.Close(); cerr != nil && !errors.Is(cerr, sql.ErrConnDone) {
		err = errors.Join(err, cerr)
	}
	return err
}
