package testdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/server/postgres"
)

// A server for several test processes belongs to none of them. So the first
// one starts another copy of itself, the keeper, which runs the server for as
// long as any process holds the file "users" locked, and then ends.

const (
	// keeperDir in the environment makes a test binary the keeper.
	keeperDir = "HELPD_TEST_KEEPER_DIR"
	// linger is how long the keeper waits for the next test process.
	linger = 15 * time.Second
)

func init() {
	if dir := os.Getenv(keeperDir); dir != "" {
		os.Exit(keep(dir))
	}
}

// StartServer starts a server for tests in dir: fast, and careless of what is
// stored in it.
func StartServer(ctx context.Context, dir string) (*postgres.Embedded, error) {
	return postgres.Start(ctx, postgres.EmbeddedOptions{
		DataDir:  dir,
		BinDir:   os.Getenv("HELPD_PG_BIN"),
		FsyncOff: true,
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
}

// address returns where to create databases.
func address(ctx context.Context) (string, error) {
	if given := os.Getenv("HELPD_TEST_DATABASE_URL"); given != "" {
		return given, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w; HELPD_TEST_DATABASE_URL may name a server instead", err)
	}
	dir := filepath.Join(cache, "helpd", "testdb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// Held to the end of the process. It waits while a keeper is leaving.
	if using, err = lock(filepath.Join(dir, "users"), syscall.LOCK_SH); err != nil {
		return "", err
	}
	starting, err := lock(filepath.Join(dir, "starting"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer starting.Close()
	if known, err := os.ReadFile(filepath.Join(dir, "address")); err == nil && answers(ctx, string(known)) {
		return string(known), nil
	}
	return startKeeper(dir)
}

// using keeps its file from being closed by the garbage collector.
var using *os.File

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

func answers(ctx context.Context, dsn string) bool {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// startKeeper returns the address of the server when it is ready.
func startKeeper(dir string) (string, error) {
	// What earlier keepers left that were killed.
	old, err := filepath.Glob(filepath.Join(dir, "data-*"))
	if err != nil {
		return "", err
	}
	for _, data := range old {
		if err := os.RemoveAll(data); err != nil {
			return "", err
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer read.Close()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	// Not our output: go test waits for all who have it. And a session of its
	// own, which a ^C for the tests does not reach.
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), keeperDir+"="+dir)
	cmd.Dir = dir
	cmd.ExtraFiles = []*os.File{write}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	write.Close()
	if err != nil {
		return "", err
	}
	go cmd.Wait() //nolint:errcheck // only so that no zombie is left; it says what is wrong on the pipe
	said, err := io.ReadAll(read)
	if err != nil {
		return "", err
	}
	dsn, ok := strings.CutPrefix(string(said), "ready ")
	if !ok {
		return "", fmt.Errorf("server for tests: %s", said)
	}
	return dsn, os.WriteFile(filepath.Join(dir, "address"), []byte(dsn), 0o600)
}

// keep is the keeper's life. It returns its exit status.
func keep(dir string) int {
	answer := os.NewFile(3, "answer")
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		fmt.Fprint(answer, err)
		return 1
	}
	defer os.RemoveAll(data)
	server, err := StartServer(context.Background(), data)
	if err != nil {
		fmt.Fprint(answer, err)
		return 1
	}
	fmt.Fprint(answer, "ready ", server.DSN("helpd"))
	answer.Close()

	// Nobody comes in while this lock is held.
	alone, err := lockWhenUnused(filepath.Join(dir, "users"))
	if err == nil {
		defer alone.Close()
	}
	err = errors.Join(err, server.Stop())
	if rmErr := os.Remove(filepath.Join(dir, "address")); !errors.Is(rmErr, fs.ErrNotExist) {
		err = errors.Join(err, rmErr)
	}
	if err != nil {
		return 1
	}
	return 0
}

// lockWhenUnused locks the file once nobody else has had it locked for a while.
func lockWhenUnused(path string) (*os.File, error) {
	for idle := time.Duration(0); ; {
		f, err := lock(path, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		if err == nil && idle >= linger {
			return f, nil
		}
		const interval = 500 * time.Millisecond
		if err == nil {
			f.Close()
			idle += interval
		} else {
			idle = 0
		}
		time.Sleep(interval)
	}
}
