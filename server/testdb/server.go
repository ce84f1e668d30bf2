package testdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/helpd/helpd/server/postgres"
)

// Server is a PostgreSQL for tests: fast, and gone with its data when stopped.
type Server struct {
	embedded *postgres.Embedded
	dir      string
}

// StartServer starts a server in a new directory, of the programs in
// HELPD_PG_BIN if that is set.
func StartServer(ctx context.Context) (*Server, error) {
	dir, err := makeDir()
	if err != nil {
		return nil, err
	}
	e, err := postgres.Start(ctx, postgres.EmbeddedOptions{
		DataDir:  dir,
		BinDir:   os.Getenv("HELPD_PG_BIN"),
		FsyncOff: true,
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Settings: map[string]string{
			"max_connections": "300",
			"max_wal_size":    "2GB",
			"wal_level":       "minimal",
			"max_wal_senders": "0",
			// It would be found at work in templates, which must not be in use
			// while they are cloned.
			"autovacuum": "off",
		},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Server{e, dir}, nil
}

// DSN returns the address of a database to create others from.
func (s *Server) DSN() string { return s.embedded.DSN("postgres") }

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	return errors.Join(s.embedded.Stop(), os.RemoveAll(s.dir))
}

// makeDir makes a directory for a server. It goes into memory where there is
// plenty, because a clone is 400 files, which take a disk half a second.
func makeDir() (string, error) {
	const shm, plenty = "/dev/shm", 4 << 30
	prefix := fmt.Sprintf("helpd-testdb-%d-", os.Getuid())
	var fs syscall.Statfs_t
	if runtime.GOOS == "linux" && syscall.Statfs(shm, &fs) == nil && uint64(fs.Bavail)*uint64(fs.Bsize) > plenty {
		sweep(filepath.Join(shm, prefix+"*"))
		if dir, err := os.MkdirTemp(shm, prefix); err == nil {
			return dir, nil
		}
	}
	sweep(filepath.Join(os.TempDir(), prefix+"*"))
	return os.MkdirTemp("", prefix)
}

// sweep removes the directories of servers whose process was killed, as far as
// it can.
func sweep(pattern string) {
	dirs, _ := filepath.Glob(pattern) // fails only for a bad pattern
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue // it may be about to start
		}
		if f, err := lock(filepath.Join(dir, "postgres.lock"), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			_ = os.RemoveAll(dir)
			f.Close()
		}
	}
}

// lock locks the file at path, made if missing, until it is closed.
func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, err
		}
	}
}
