package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Migrations are the numbered SQL files of the schema.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Migrate brings the database at dsn to the schema of this program, ours and
// River's. Several processes may start at once: they take turns.
func Migrate(ctx context.Context, dsn string) error {
	err := withMigrations(dsn, func(p *goose.Provider) error {
		pending, err := p.HasPending(ctx)
		if err != nil {
			return fmt.Errorf("read the schema's version: %w", err)
		}
		if !pending {
			return nil
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return migrateJobs(ctx, dsn)
}

// Pending reports whether the database at dsn lacks migrations of this program.
func Pending(ctx context.Context, dsn string) (pending bool, err error) {
	err = withMigrations(dsn, func(p *goose.Provider) error {
		if pending, err = p.HasPending(ctx); err != nil {
			return fmt.Errorf("read the schema's version: %w", err)
		}
		return nil
	})
	return pending, err
}

// withMigrations calls use with the migrations of the database at dsn.
func withMigrations(dsn string, use func(*goose.Provider) error) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("database address: %w", err)
	}
	defer db.Close()
	files, err := fs.Sub(Migrations, "migrations")
	if err != nil {
		return err
	}
	// The lock belongs to the session, which is why migrations run past any
	// transaction-pooling proxy.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	// A migration of one branch may come after those of another with larger numbers.
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	return use(provider)
}

func migrateJobs(ctx context.Context, dsn string) error {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return err
	}
	config.MaxConns = 2
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const jobsLock = 0x68656c7064 // "helpd"
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", jobsLock); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", jobsLock) // ends with the connection anyway
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}
