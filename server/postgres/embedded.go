package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// embeddedUser is the cluster's superuser, whom helpd signs in as. There
	// is no password: only who may enter the 0700 directory reaches the socket.
	embeddedUser = "helpd"
	// EmbeddedDatabase is the database that Start makes.
	EmbeddedDatabase = "helpd"
	// embeddedPort is only part of the socket's name; nothing listens on TCP.
	embeddedPort = "5432"
)

// EmbeddedOptions say where a private PostgreSQL lives and how it runs.
type EmbeddedOptions struct {
	// DataDir is helpd's data directory, made if missing. The cluster is its
	// subdirectory "postgres", the server's log its file "postgres.log".
	DataDir string
	// BinDir holds the programs initdb and postgres. Empty means to look for
	// them: pg_config, the usual places of packages (newest first), PATH.
	BinDir string
	// FsyncOff trades safety for speed: a crash of the machine may lose the
	// cluster. For tests only.
	FsyncOff bool
	// Settings are further PostgreSQL settings; they win over helpd's own.
	Settings map[string]string
	// Logger is told of starts, recoveries and crashes; nil means slog.Default.
	Logger *slog.Logger
}

// Embedded is a running private PostgreSQL. It ends with this process, however
// that ends, and is started again when it crashes.
type Embedded struct {
	cluster *cluster
	lock    *os.File
	end     context.CancelFunc // asks the supervisor to end the server
	ended   chan struct{}      // closed when the server is gone
	endErr  error              // how it ended; to be read after ended
	release sync.Once
}

// Start makes the cluster in o.DataDir if there is none, starts its server and
// makes the database "helpd" if missing. It returns when that answers queries;
// ctx bounds the start only, which after a crash includes the recovery.
//
// It fails when no PostgreSQL is installed, when another process has the data
// directory in use, or when the server does not start; the error then holds
// the end of the server's log. A server that a killed helpd left behind is
// shut down first.
func Start(ctx context.Context, o EmbeddedOptions) (*Embedded, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	dataDir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockDataDir(dataDir)
	if err != nil {
		return nil, err
	}
	e := &Embedded{lock: lock, ended: make(chan struct{})}
	if err := e.start(ctx, dataDir, o); err != nil {
		lock.Close()
		return nil, fmt.Errorf("start the embedded PostgreSQL: %w", err)
	}
	return e, nil
}

func (e *Embedded) start(ctx context.Context, dataDir string, o EmbeddedOptions) error {
	begun := time.Now()
	c, err := openCluster(ctx, dataDir, o)
	if err != nil {
		return err
	}
	e.cluster = c
	life, end := context.WithCancel(context.Background())
	e.end = end
	started := make(chan error, 1)
	go e.supervise(ctx, life, started)
	if err := <-started; err != nil {
		c.removeSocketDir()
		return err
	}
	if err := e.ensureDatabase(ctx); err != nil {
		return errors.Join(err, e.Stop())
	}
	o.Logger.Info("embedded PostgreSQL is ready", "directory", c.dir, "version", c.bin.major,
		"after", time.Since(begun).Round(time.Millisecond).String())
	return nil
}

// DSN returns the URL under which pgx, and psql, reach the named database of
// the server through its socket.
func (e *Embedded) DSN(database string) string {
	return embeddedDSN(e.cluster.socketDir, database)
}

func embeddedDSN(socketDir, database string) string {
	q := url.Values{"host": {socketDir}, "port": {embeddedPort}}
	// To pgx a plus is a space, to psql it is not.
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	u := url.URL{Scheme: "postgres", User: url.User(embeddedUser), Path: "/" + database, RawQuery: query}
	return u.String()
}

// CreateDatabase makes the named database unless it exists.
func (e *Embedded) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, e.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if err != nil && !hasCode(err, "42P04") { // duplicate_database
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// compressFaster has full pages in the log of writes and long texts be compressed with
// LZ4, where this PostgreSQL was built with it: its own way takes five times as long,
// which was a tenth of what updates of tickets cost the machine, and a quarter of what
// indexing articles cost the database. As an argument of the server it would keep others
// from starting.
const compressFaster = `DO $$ DECLARE setting text; BEGIN
	FOR setting IN SELECT name FROM pg_settings AS s
		WHERE s.name IN ('wal_compression', 'default_toast_compression') AND s.setting = 'pglz' AND 'lz4' = ANY (s.enumvals) LOOP
		EXECUTE format('ALTER DATABASE %I SET %I = lz4', current_database(), setting);
	END LOOP;
END $$`

// ensureDatabase tries the database itself first, because every start but the
// first one finds it.
func (e *Embedded) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, e.DSN(EmbeddedDatabase))
	if hasCode(err, "3D000") { // invalid_catalog_name
		if err := e.CreateDatabase(ctx, EmbeddedDatabase); err != nil {
			return err
		}
		conn, err = pgx.Connect(ctx, e.DSN(EmbeddedDatabase))
	}
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, compressFaster)
	return err
}

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}

// Stop ends the server after rolling back what is open, waits until it is
// gone and gives the data directory free. It fails when the server did not
// end properly; the next start then recovers. Further calls do nothing.
func (e *Embedded) Stop() error {
	e.end()
	<-e.ended
	e.release.Do(func() {
		e.cluster.removeSocketDir()
		e.lock.Close()
	})
	return e.endErr
}
