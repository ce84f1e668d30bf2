// Package postgres opens the database and keeps accounts apart in it.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Options of a database handle. The zero value is good.
type Options struct {
	MaxConns int // of the pool; 0 is four for each core
	Logger   *slog.Logger
	Tracer   pgx.QueryTracer // is told of every statement, whatever way it came; may be nil
}

// Open returns a handle on the database at dsn with the tenancy plugin in it:
// a statement on a tenant's table whose context names no account fails.
//
// Transactions of the handle run on one pinned connection, from which PgxTx
// takes the driver's own transaction to enqueue jobs in.
func Open(dsn string, o Options) (*gorm.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	config.RuntimeParams["application_name"] = "helpd"
	config.RuntimeParams["timezone"] = "UTC"
	config.Tracer = o.Tracer
	if o.MaxConns == 0 {
		o.MaxConns = 4 * runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(o.MaxConns)
	pool.SetMaxIdleConns(o.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)

	db, err := gorm.Open(postgres.New(postgres.Config{Conn: &connPool{pool}}), &gorm.Config{
		// GORM's own transaction around every write costs two round trips; ours
		// are opened by the domain functions.
		SkipDefaultTransaction: true,
		// pgx caches statements already; GORM would prepare them again inside
		// every transaction.
		PrepareStmt:          false,
		TranslateError:       true,
		DisableAutomaticPing: true,
		Logger:               quietLogger{o.Logger},
		NamingStrategy:       schema.NamingStrategy{},
		NowFunc:              func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil {
		return nil, err
	}
	if err := db.Use(tenancy{}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return db, nil
}

// Pool is the connection pool under db.
func Pool(db *gorm.DB) *sql.DB {
	return db.Config.ConnPool.(*connPool).db
}

// Close closes the pool under db.
func Close(db *gorm.DB) error { return Pool(db).Close() }
