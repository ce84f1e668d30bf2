package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// helpdDir makes the test binary a helpd, as far as PostgreSQL is concerned,
// that serves the directory until it is killed.
const helpdDir = "HELPD_TEST_EMBEDDED_DIR"

func init() {
	dir := os.Getenv(helpdDir)
	if dir == "" {
		return
	}
	e, err := Start(context.Background(), EmbeddedOptions{DataDir: dir, BinDir: os.Getenv("HELPD_PG_BIN")})
	if err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = e.Stop()
	os.Exit(0)
}

// helpd starts another process that serves dir; its first line of output says
// "ready" or what is wrong.
func helpd(t *testing.T, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helpdDir+"="+dir)
	_, err := cmd.StdinPipe() // open until the process is gone
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func options(t *testing.T, dir string) EmbeddedOptions {
	return EmbeddedOptions{DataDir: dir, BinDir: os.Getenv("HELPD_PG_BIN"), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func start(t *testing.T, o EmbeddedOptions) *Embedded {
	t.Helper()
	e, err := Start(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	return e
}

// query returns the single value of a statement.
func query(ctx context.Context, e *Embedded, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, e.DSN("helpd"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	var value string
	err = conn.QueryRow(ctx, sql).Scan(&value)
	return value, err
}

func wantValue(t *testing.T, e *Embedded, sql, want string) {
	t.Helper()
	got, err := query(t.Context(), e, sql)
	if err != nil || got != want {
		t.Fatalf("%s: %q, %v; want %q", sql, got, err, want)
	}
}

// keep makes a table that is to survive.
func keep(t *testing.T, e *Embedded) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), e.DSN("helpd"))
	check(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 1 AS n")
	check(t, err)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a state is reached that nothing announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// serverOf returns the number of the process that serves dir, 0 if none does.
func serverOf(dir string) int {
	dir = filepath.Join(dir, "postgres")
	pid := (&cluster{dir: dir}).pidFile().pid
	if pid == 0 || !isPostmaster(pid, dir) {
		return 0
	}
	return pid
}

func TestEmbeddedKeepsData(t *testing.T) {
	t.Parallel()
	o := options(t, filepath.Join(t.TempDir(), "with space + 100% & 'quote'"))
	e := start(t, o)
	wantValue(t, e, "SELECT current_database()", "helpd")
	keep(t, e)
	wantValue(t, e, "SELECT datcollate||' '||datctype FROM pg_database WHERE datname='helpd'", "C "+ctype)
	wantValue(t, e, "SELECT setting FROM pg_settings WHERE name='fsync'", "on")
	wantValue(t, e, "SELECT setting FROM pg_settings WHERE name='listen_addresses'", "")
	wantValue(t, e, `SELECT bool_and(setting = CASE WHEN 'lz4' = ANY(enumvals) THEN 'lz4' ELSE 'pglz' END)::text FROM pg_settings
		WHERE name IN ('wal_compression', 'default_toast_compression')`, "true")
	check(t, e.CreateDatabase(t.Context(), "other"))
	check(t, e.CreateDatabase(t.Context(), "other"))
	check(t, e.Stop())
	check(t, e.Stop())
	if pid := serverOf(o.DataDir); pid != 0 {
		t.Fatalf("process %d still serves after Stop", pid)
	}

	e = start(t, o)
	wantValue(t, e, "SELECT count(*)::text FROM kept", "1")
}

func TestEmbeddedSurvivesKilledHelpd(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	first, out := helpd(t, o.DataDir)
	if out.Scan(); out.Text() != "ready" {
		t.Fatal(out.Text())
	}
	pid := serverOf(o.DataDir)
	check(t, first.Process.Kill())
	_ = first.Wait() // the server may well be going still, or not even have noticed

	e := start(t, o)
	wantValue(t, e, "SELECT 'alive'", "alive")
	if now := serverOf(o.DataDir); now == pid {
		t.Errorf("server %d outlived its helpd", pid)
	}
}

func TestEmbeddedEndsWithHelpd(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // elsewhere the next start ends it, see TestEmbeddedEndsOrphan
	}
	dir := t.TempDir()
	helpd, out := helpd(t, dir)
	if out.Scan(); out.Text() != "ready" {
		t.Fatal(out.Text())
	}
	check(t, helpd.Process.Kill())
	eventually(t, "no server left", func() bool { return serverOf(dir) == 0 })
}

func TestEmbeddedSurvivesKilledServer(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	e := start(t, o)
	keep(t, e)
	pid := serverOf(o.DataDir)
	check(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "another server", func() bool { now := serverOf(o.DataDir); return now != 0 && now != pid })
	eventually(t, "the table is back", func() bool {
		n, err := query(t.Context(), e, "SELECT count(*)::text FROM kept")
		return err == nil && n == "1"
	})
	check(t, e.Stop())
}

func TestEmbeddedEndsOrphan(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	e := start(t, o)
	check(t, e.Stop())
	orphan := exec.Command(filepath.Join(e.cluster.bin.dir, "postgres"))
	path, done, err := e.cluster.lendDir(orphan, e.cluster.dir)
	check(t, err)
	defer done()
	orphan.Args = append(append(orphan.Args, "-D", path), e.cluster.settings...)
	orphan.SysProcAttr = &syscall.SysProcAttr{Credential: credential(e.cluster.owner)}
	check(t, orphan.Start())
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	eventually(t, "the orphan is ready", func() bool { return e.cluster.pidFile().status == "ready" })

	e = start(t, o)
	check(t, <-ended) // properly, that is
	wantValue(t, e, "SELECT 'alive'", "alive")
}

func TestEmbeddedIgnoresForeignProcess(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	check(t, start(t, o).Stop())
	// After a restart of the machine the number may be anybody's: ours, here.
	left := fmt.Sprintf("%d\n%s\n1\n5432\n.\n\n12345 1\nready   \n", os.Getpid(), o.DataDir)
	check(t, os.WriteFile(filepath.Join(o.DataDir, "postgres", "postmaster.pid"), []byte(left), 0o600))
	wantValue(t, start(t, o), "SELECT 'alive'", "alive")
}

func TestEmbeddedServesOnlyOneHelpd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := make(chan string)
	pids := map[string]bool{}
	for range 2 {
		cmd, out := helpd(t, dir)
		pids[strconv.Itoa(cmd.Process.Pid)] = true
		go func() { out.Scan(); lines <- out.Text() }()
	}
	a, b := <-lines, <-lines
	if b != "ready" {
		a, b = b, a
	}
	_, holder, refused := strings.Cut(a, "is in use by another helpd (process ")
	if !refused || b != "ready" || !pids[strings.TrimSuffix(holder, ")")] {
		t.Errorf("one said %q, the other %q", a, b)
	}
}

// Who has just locked a directory has not said yet who it is, and the one before may
// have left its name.
func TestDataDirectoriesTellWhoHasThem(t *testing.T) {
	t.Parallel()
	for round := range 50 {
		dir := t.TempDir()
		path := filepath.Join(dir, "postgres.lock")
		before := []string{"", "999999999\n"}[round%2]
		check(t, os.WriteFile(path, []byte(before), 0o600))
		holder, err := os.OpenFile(path, os.O_RDWR, 0)
		check(t, err)
		check(t, syscall.Flock(int(holder.Fd()), syscall.LOCK_EX))
		refused := make(chan error, 1)
		go func() {
			_, err := lockDataDir(dir)
			refused <- err
		}()
		runtime.Gosched()
		check(t, holder.Truncate(0))
		_, err = fmt.Fprintf(holder, "%d\n", os.Getpid())
		check(t, err)
		if err := <-refused; !errors.Is(err, ErrInUse) || !strings.HasSuffix(err.Error(), fmt.Sprintf("(process %d)", os.Getpid())) {
			t.Errorf("with %q before: %v", before, err)
		}
		check(t, holder.Close())
	}
}

func TestEmbeddedSocketElsewhere(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"long": strings.Repeat("long/", 30), "comma": "a,b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, options(t, filepath.Join(t.TempDir(), dir)))
			wantValue(t, e, "SELECT 'alive'", "alive")
			u, err := url.Parse(e.DSN("helpd"))
			check(t, err)
			socketDir := u.Query().Get("host")
			if socketDir == e.cluster.dir || len(socketDir) > 80 {
				t.Errorf("socket in %s", socketDir)
			}
			check(t, e.Stop())
			if _, err := os.Stat(socketDir); !os.IsNotExist(err) {
				t.Errorf("%s is left: %v", socketDir, err)
			}
		})
	}
}

func TestEmbeddedRepeatsInterruptedInitdb(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if made, _ := filepath.Glob(filepath.Join(o.DataDir, "postgres.new-*", "PG_VERSION")); made != nil {
				cancel()
			}
			time.Sleep(pollEvery)
		}
	}()
	if e, err := Start(ctx, o); err == nil {
		t.Fatalf("started although interrupted: %v", e.Stop())
	}
	left := filepath.Join(o.DataDir, "postgres.new-left-by-a-kill")
	check(t, os.MkdirAll(filepath.Join(left, "base"), 0o700))

	wantValue(t, start(t, o), "SELECT 'alive'", "alive")
	if rest, _ := filepath.Glob(filepath.Join(o.DataDir, "postgres.new-*")); rest != nil {
		t.Errorf("left behind: %v", rest)
	}
}

func TestEmbeddedSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	refused := func(name string, change func(*EmbeddedOptions), want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, t.TempDir())
			change(&o)
			e, err := Start(t.Context(), o)
			if err == nil {
				t.Fatalf("started: %v", e.Stop())
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nwant: %s", err, want)
			}
			// Nothing may hold the directory after a failure.
			lock, err := lockDataDir(o.DataDir)
			check(t, err)
			lock.Close()
		})
	}
	refused("setting", func(o *EmbeddedOptions) { o.Settings = map[string]string{"shared_buffers": "lots"} },
		`invalid value for parameter "shared_buffers": "lots"`)
	refused("own_setting", func(o *EmbeddedOptions) { o.Settings = map[string]string{"Port": "1"} }, "cannot be changed")
	refused("no_programs", func(o *EmbeddedOptions) { o.BinDir = o.DataDir }, "HELPD_PG_BIN: ")
	refused("foreign_directory", func(o *EmbeddedOptions) { check(t, os.Mkdir(filepath.Join(o.DataDir, "postgres"), 0o700)) },
		"not a PostgreSQL cluster")
	_, err := findBinaries(t.Context(), "", 999)
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql-999") {
		t.Errorf("another version's data directory: %v", err)
	}
}
