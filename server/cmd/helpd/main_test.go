package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/helpd/helpd/server/testdb"
)

// asHelpd in the environment makes the test binary helpd itself, so that tests
// run the whole program, built as they are.
const asHelpd = "HELPD_TEST_AS_HELPD"

func TestMain(m *testing.M) {
	if os.Getenv(asHelpd) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is helpd with these arguments and variables (NAME=value), and none of
// the settings around us.
func program(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); name == "HELPD_PG_BIN" || !strings.HasPrefix(name, "HELPD_") && name != "DATABASE_URL" {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(append(cmd.Env, asHelpd+"=1"), env...)
	return cmd
}

// database is what makes helpd use a fresh database of the tests' PostgreSQL,
// which takes less time than one of its own.
func database(t *testing.T, more ...string) []string {
	t.Helper()
	return append(more, "DATABASE_URL="+testdb.DSN(t), "HELPD_DATA_DIR="+t.TempDir())
}

// ran is a command that has ended.
type ran struct {
	out, err string
	code     int
}

func helpd(t *testing.T, env []string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := program(ctx, env, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// ok fails the test unless the command did what it should.
func (r ran) ok(t *testing.T) ran {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.err)
	}
	return r
}

// served is a helpd that serves.
type served struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	said string // on standard output, up to the address of the docs
	log  *bytes.Buffer
}

var docsAddress = regexp.MustCompile(`(http://\S+)/docs\n`)

// serve starts helpd, on a free port unless env names one, and returns when it
// says where it is.
func serve(t *testing.T, env ...string) *served {
	t.Helper()
	s := &served{t: t, cmd: program(context.Background(), append([]string{"HELPD_ADDR=127.0.0.1:0"}, env...), "serve"), log: new(bytes.Buffer)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.kill(syscall.SIGTERM)
		}
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		s.said += line
		if found := docsAddress.FindStringSubmatch(line); found != nil {
			s.base = found[1]
			return s
		}
		if err != nil {
			_ = s.cmd.Wait()
			t.Fatalf("helpd serve ended: %v\n%s\n%s", err, s.said, s.log)
		}
	}
}

// until asks again and again, for a minute at most, until holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("no %s", what)
		}
	}
}

// kill sends a signal and returns how helpd ended.
func (s *served) kill(signal syscall.Signal) error {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	return s.cmd.Wait()
}

// get returns status and body of an answer.
func (s *served) get(path string, credentials ...string) (int, string) {
	s.t.Helper()
	return s.send("GET", path, "", credentials...)
}

func (s *served) send(method, path, body string, credentials ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if len(credentials) == 2 {
		req.SetBasicAuth(credentials[0], credentials[1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// dial opens a connection for a request that the test writes itself.
func (s *served) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}
