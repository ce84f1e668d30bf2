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
}

// Rows runs a query and calls scan for each row. It is for what is read by the
// hundred or most often: database/sql takes twice as long for the same, since it
// converts each value twice and starts a goroutine for each query. Question
// marks stand for args, as in gorm.DB.Raw; the query runs where db's would, in a
// transaction if there is one.
func Rows(db *gorm.DB, query string, args []any, scan func(pgx.Rows) error) error {
	ctx := db.Statement.Context
	query, args = numbered(query), append([]any{inBinary}, args...)
	return onConn(ctx, db, func(q querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// Row runs a query and scans its first row. It reports false if there is none.
func Row(db *gorm.DB, query string, args []any, dest ...any) (found bool, err error) {
	err = Rows(db, query, args, func(rows pgx.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func onConn(ctx context.Context, db *gorm.DB, f func(querier) error) error {
	pool := db.Statement.ConnPool
	if p, ok := pool.(*connPool); ok {
		pool = p.on(ctx)
	}
	if tx, ok := pool.(*pinned); ok {
		return f(tx.tx)
	}
	conn, err := Pool(db).Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // gives it back to the pool
	return conn.Raw(func(driverConn any) error { return f(driverConn.(*stdlib.Conn).Conn()) })
}

// numbered writes question marks as $1, $2 and so on. There are none in our
// statements that mean something else.
func numbered(query string) string {
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
