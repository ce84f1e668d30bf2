package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// inBinary are the types that come in PostgreSQL's binary form, which is read
// faster; all others come as text, which our own types scan.
var inBinary = pgx.QueryResultFormatsByOID{
	pgtype.BoolOID: pgx.BinaryFormatCode, pgtype.Int4OID: pgx.BinaryFormatCode, pgtype.Int8OID: pgx.BinaryFormatCode,
	pgtype.TimestamptzOID: pgx.BinaryFormatCode,
	pgtype.ByteaOID:       pgx.BinaryFormatCode,
}

// Rows runs a query and calls scan for each row. It is for what is read by the
// hundred or most often: database/sql takes twice as long for the same, since it
// converts each value twice and starts a goroutine for each query. Question
// marks stand for args, as in gorm.DB.Raw; the query runs where db's would, in a
// transaction if there is one.
func Rows(db *gorm.DB, query string, args []any, scan func(Scanned) error) error {
	return RowsIn(db.Statement.Context, db, query, args, scan)
}

// RowsIn is Rows with a context instead of db's own. A handle with a context is
// a copy that costs as much as reading a row.
func RowsIn(ctx context.Context, db *gorm.DB, query string, args []any, scan func(Scanned) error) error {
	options := []any{inBinary}
	if _, ok := ctx.Value(plannedKey{}).(bool); ok {
		options = append(options, pgx.QueryExecModeCacheDescribe)
	}
	query, args = numbered(query), append(options, args...)
	return onConn(ctx, db, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(Scanned{rows}); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

type plannedKey struct{}

// Planned is ctx for queries that PostgreSQL shall plan each time, for the values
// at hand. Otherwise it makes a plan for any values at the sixth time, which is
// good for look-ups and bad for conditions that hold for many rows with one value
// and for few with another. It holds for Rows and Row.
func Planned(ctx context.Context) context.Context { return context.WithValue(ctx, plannedKey{}, true) }

// Row runs a query and scans its first row. It reports false if there is none.
func Row(db *gorm.DB, query string, args []any, dest ...any) (found bool, err error) {
	return RowIn(db.Statement.Context, db, query, args, dest...)
}

// RowIn is Row with a context instead of db's own.
func RowIn(ctx context.Context, db *gorm.DB, query string, args []any, dest ...any) (found bool, err error) {
	err = RowsIn(ctx, db, query, args, func(row Scanned) error {
		if found {
			return nil
		}
		found = true
		return row.Scan(dest...)
	})
	return found, err
}

// Exec runs a statement past database/sql, as Rows does.
func Exec(db *gorm.DB, query string, args []any) error {
	ctx := db.Statement.Context
	return onConn(ctx, db, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, numbered(query), args...)
		return err
	})
}

// Statement is a statement whose question marks stand for Args.
type Statement struct {
	SQL  string
	Args []any
}

// ExecAll runs statements one after the other, which travel together.
func ExecAll(db *gorm.DB, statements []Statement) error {
	if len(statements) == 0 {
		return nil
	}
	ctx := db.Statement.Context
	return onConn(ctx, db, func(conn *pgx.Conn) error {
		var all pgx.Batch
		for _, s := range statements {
			all.Queue(numbered(s.SQL), s.Args...)
		}
		return conn.SendBatch(ctx, &all).Close()
	})
}

// ExecLast is Exec for the last statement of whoever opened the transaction that
// db is in: it commits it, too, if it is not a part of a larger one.
func ExecLast(db *gorm.DB, query string, args []any) error {
	p, ok := db.Statement.ConnPool.(*pinned)
	if !ok || p.tx.nested {
		return Exec(db, query, args)
	}
	err := p.tx.last(db.Statement.Context, numbered(query), args)
	p.done = err == nil
	return err
}

func onConn(ctx context.Context, db *gorm.DB, f func(*pgx.Conn) error) error {
	pool := db.Statement.ConnPool
	if p, ok := pool.(*connPool); ok {
		pool = p.on(ctx)
	}
	if p, ok := pool.(*pinned); ok {
		if err := p.tx.start(ctx); err != nil {
			return err
		}
		return f(p.tx.conn)
	}
	conn, err := Pool(db).Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // gives it back to the pool
	return conn.Raw(func(driverConn any) error { return f(driverConn.(*stdlib.Conn).Conn()) })
}

// numbered writes question marks as $1, $2 and so on. There are none in our
// statements that mean something else.
func numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}
