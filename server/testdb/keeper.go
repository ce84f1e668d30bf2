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

// address returns where to create databases. The server there stays for as long
// as the file is open, if there is one.
func address(ctx context.Context) (dsn string, using *os.File, err error) {
	if given := os.Getenv("HELPD_TEST_DATABASE_URL"); given != "" {
		return given, nil, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, fmt.Errorf("%w; HELPD_TEST_DATABASE_URL may name a server instead", err)
	}
	dir := filepath.Join(cache, "helpd", "testdb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	// This waits while a keeper is leaving.
	if using, err = lock(filepath.Join(dir, "users"), syscall.LOCK_SH); err != nil {
		return "", nil, err
	}
	starting, err := lock(filepath.Join(dir, "starting"), syscall.LOCK_EX)
	if err != nil {
		return "", nil, errors.Join(err, using.Close())
	}
	defer starting.Close()
	if known, err := os.ReadFile(filepath.Join(dir, "address")); err == nil && answers(ctx, string(known)) {
		return string(known), using, nil
	}
	dsn, err = startKeeper(dir)
	return dsn, using, err
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
	go cmd.Wait() // only so that no zombie is left; it says what is wrong on the pipe
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
	syscall.CloseOnExec(3) // the reader waits for all who have it
	answer := os.NewFile(3, "answer")
	server, err := StartServer(context.Background())
	if err != nil {
		fmt.Fprint(answer, err)
		return 1
	}
	fmt.Fprint(answer, "ready ", server.DSN())
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
