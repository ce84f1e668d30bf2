// Package testdb gives tests a migrated PostgreSQL of their own.
//
// The server is the one named in HELPD_TEST_DATABASE_URL (whose user may create
// databases) or else a private one, started by the first test process that asks
// and ended soon after the last. Databases are cloned from a template, migrated
// once for each state of the migrations.
package testdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// Tx returns a transaction in the shared database, rolled back when t ends:
// what most tests want. Like any transaction it is for one goroutine at a time,
// and its now() stands still.
func Tx(t testing.TB) *gorm.DB {
	t.Helper()
	tx := Shared(t).Begin()
	if tx.Error != nil {
		t.Fatalf("begin: %v", tx.Error)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// Shared returns the database of this test process, the same at each call, for
// tests that read only or keep to an account of their own.
func Shared(t testing.TB) *gorm.DB {
	t.Helper()
	db, err := shared()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	return db
}

var shared = sync.OnceValues(func() (*gorm.DB, error) {
	dsn, err := clone(context.Background())
	if err != nil {
		return nil, err
	}
	return postgres.Open(dsn, postgres.Options{})
})

// DB returns a fresh database, dropped when t ends: for code that commits,
// listens, or works in several transactions at once.
func DB(t testing.TB) *gorm.DB {
	t.Helper()
	return Open(t, DSN(t))
}

// Open returns a handle on the database at dsn, closed when t ends.
func Open(t testing.TB, dsn string) *gorm.DB {
	t.Helper()
	db, err := postgres.Open(dsn, postgres.Options{})
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() { _ = postgres.Close(db) })
	return db
}

// DSN returns the address of a fresh database, dropped when t ends: for code
// that opens it itself.
func DSN(t testing.TB) string {
	t.Helper()
	dsn, err := clone(context.Background())
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(dsn); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return dsn
}

const (
	// clonePrefix begins the names of databases made here; the time of making
	// follows, in seconds since 1970.
	clonePrefix = "helpd_test_"
	// abandonedAfter is the age at which a database without any connection is
	// taken to be left by a process that has ended.
	abandonedAfter = time.Hour
)

// clone makes a database like the template and returns its address.
func clone(ctx context.Context) (string, error) {
	s, err := current()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s%d_%s", clonePrefix, time.Now().Unix(), rand.Text()[:8])
	if err := s.exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(s.template)+s.strategy); err != nil {
		return "", err
	}
	return s.dsn(name), nil
}

func drop(dsn string) error {
	s, err := current()
	if err != nil {
		return err
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	return s.exec(context.Background(), "DROP DATABASE IF EXISTS "+quote(config.Database)+" WITH (FORCE)")
}

// server is where the databases of this process are.
type server struct {
	base     url.URL  // of the database to create others from
	using    *os.File // locked for as long as this process needs the server
	template string
	strategy string // how to clone: " STRATEGY ..." or nothing
}

// current finds the server, or starts it, once for the process.
var current = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	address, using, err := address(ctx)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("HELPD_TEST_DATABASE_URL: %w", err)
	}
	s := &server{base: *base, using: using}
	if s.template, err = s.makeTemplate(ctx); err != nil {
		return nil, err
	}
	if s.strategy, err = s.chooseStrategy(ctx); err != nil {
		return nil, err
	}
	return s, s.dropAbandoned(ctx)
})

// chooseStrategy prefers copying files, new in PostgreSQL 15, where that does
// not wait for a disk: it is several times as fast as logging their content.
func (s *server) chooseStrategy(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var fast bool
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int >= 150000
		AND current_setting('fsync') = 'off'`).Scan(&fast)
	if fast {
		return " STRATEGY file_copy", err
	}
	return "", err
}

// dsn returns the address of another database of the server.
func (s *server) dsn(database string) string {
	u := s.base
	u.Path = "/" + database
	return u.String()
}

func (s *server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// dropAbandoned drops what processes left that did not end by themselves, and
// their shared databases, whose end no test sees.
func (s *server) dropAbandoned(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		SELECT datname FROM pg_database d
		WHERE datname ~ ('^' || $1 || '[0-9]+_')
		AND split_part(substr(datname, length($1) + 1), '_', 1)::bigint < $2
		AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`,
		clonePrefix, time.Now().Add(-abandonedAfter).Unix())
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)); err != nil {
			return err
		}
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
