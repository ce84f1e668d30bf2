package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// embeddedStart is the longest time that the embedded PostgreSQL may take to
// answer. A recovery after a crash under load can take minutes.
const embeddedStart = 10 * time.Minute

// Database is an open database and, where this process runs it, its server.
type Database struct {
	*gorm.DB
	DSN      string
	embedded *postgres.Embedded // nil: somebody else's server
}

// OpenDatabase opens the database that c names, starting the embedded
// PostgreSQL if it names none, and migrates it. It fails if another process
// runs that one already.
func OpenDatabase(ctx context.Context, c Config, log *slog.Logger) (*Database, error) {
	d := &Database{DSN: c.DatabaseURL}
	if d.DSN == "" {
		if err := d.start(ctx, c, log); err != nil {
			return nil, err
		}
	}
	return d.migrated(ctx, c, log)
}

// ReachDatabase opens the database that c names for the time of a command. It
// uses the embedded PostgreSQL of a running helpd where there is one, and
// starts it otherwise. A database that others may be using is not migrated: it
// fails if that is not of this program's schema.
func ReachDatabase(ctx context.Context, c Config, log *slog.Logger) (*Database, error) {
	d, err := reach(ctx, c, log)
	if err != nil {
		return nil, err
	}
	if d.embedded != nil {
		return d.migrated(ctx, c, log)
	}
	pending, err := postgres.Pending(ctx, d.DSN)
	if err != nil {
		return nil, err
	}
	if pending {
		return nil, errors.New("the database's schema is older than this program: run helpd migrate")
	}
	return d.open(c, log)
}

// MigrateDatabase brings the database that c names to this program's schema,
// also while a helpd is running.
func MigrateDatabase(ctx context.Context, c Config, log *slog.Logger) error {
	d, err := reach(ctx, c, log)
	if err != nil {
		return err
	}
	return errors.Join(postgres.Migrate(ctx, d.DSN), d.Close())
}

// reach finds the server that c names: a configured one, that of a running
// helpd, or one that it starts.
func reach(ctx context.Context, c Config, log *slog.Logger) (*Database, error) {
	d := &Database{DSN: c.DatabaseURL}
	if d.DSN != "" {
		return d, nil
	}
	err := d.start(ctx, c, log)
	if errors.Is(err, postgres.ErrInUse) {
		// The process that has it may be starting just now.
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		d.DSN, err = postgres.Reach(wait, c.DataDir)
	}
	return d, err
}

func (d *Database) start(ctx context.Context, c Config, log *slog.Logger) error {
	starting, cancel := context.WithTimeout(ctx, embeddedStart)
	defer cancel()
	embedded, err := postgres.Start(starting, postgres.EmbeddedOptions{DataDir: c.DataDir, BinDir: c.PGBin, Logger: log})
	if ctx.Err() != nil && err != nil {
		return ctx.Err() // not how initdb or postgres were broken off
	}
	if err != nil {
		return err
	}
	d.embedded, d.DSN = embedded, embedded.DSN(postgres.EmbeddedDatabase)
	return nil
}

func (d *Database) migrated(ctx context.Context, c Config, log *slog.Logger) (*Database, error) {
	if err := postgres.Migrate(ctx, d.DSN); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d.open(c, log)
}

func (d *Database) open(c Config, log *slog.Logger) (*Database, error) {
	db, err := postgres.Open(d.DSN, postgres.Options{MaxConns: c.DBConns, Logger: log})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.DB = db
	return d, nil
}

// Close closes the connections and ends the server if it is ours.
func (d *Database) Close() error {
	var errs []error
	if d.DB != nil {
		errs = append(errs, postgres.Close(d.DB))
	}
	if d.embedded != nil {
		if err := d.embedded.Stop(); err != nil {
			errs = append(errs, fmt.Errorf("end the embedded PostgreSQL: %w", err))
		}
	}
	return errors.Join(errs...)
}

// answers fails unless the database answers within two seconds.
func (d *Database) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var one int
	return d.pool().QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

func (d *Database) pool() *sql.DB { return postgres.Pool(d.DB) }
