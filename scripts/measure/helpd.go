package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/helpd/helpd/server/postgres"
)

// Subdomains of the accounts that are measured on: the only one or that with many
// tickets, and that with few. A data directory without the first was not made here
// and is left alone.
const (
	account      = "bench"
	smallAccount = "bench-small"
)

// helpd is the program under measurement.
type helpd struct {
	options  options
	addr     string
	cmd      *exec.Cmd
	log      *os.File
	exited   chan error
	stopping atomic.Bool // we ended it at least once
}

// start starts helpd with its defaults, but for the limit of requests.
func start(ctx context.Context, o options) (*helpd, error) {
	if _, err := os.Stat(o.helpd); err != nil {
		return nil, err
	}
	h := &helpd{options: o}
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return nil, err
	}
	_, err := h.launch(ctx)
	return h, err
}

// launch starts the process and returns how long it took until it was ready.
func (h *helpd) launch(ctx context.Context) (time.Duration, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	h.addr = ln.Addr().String()
	if err := ln.Close(); err != nil { // helpd takes the port
		return 0, err
	}
	if h.log, err = os.OpenFile(filepath.Join(h.options.dataDir, "helpd.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		return 0, err
	}
	h.cmd = exec.Command(h.options.helpd, "serve", "--addr", h.addr, "--data-dir", h.options.dataDir,
		"--account", account, "--rate-limit", "0", "--webhook-allow", "127.0.0.0/8")
	h.cmd.Env = append(environment(), "HELPD_RATE_LIMIT_ANONYMOUS=0")
	h.cmd.Stderr = h.log
	// A signal of the terminal reaches us alone, and we end helpd.
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begun := time.Now()
	if err := h.cmd.Start(); err != nil {
		return 0, err
	}
	h.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan<- error) { exited <- cmd.Wait() }(h.cmd, h.exited)
	return h.awaitReady(ctx, begun)
}

func (h *helpd) awaitReady(ctx context.Context, begun time.Time) (time.Duration, error) {
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		res, err := http.Get("http://" + h.addr + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(begun), nil
			}
		}
		select {
		case <-poll.C:
		case err := <-h.exited:
			h.exited <- err
			return 0, fmt.Errorf("helpd did not start (%w): see %s", err, h.log.Name())
		case <-ctx.Done():
			return 0, errors.Join(ctx.Err(), h.stop())
		}
	}
}

// whileItRuns is ctx for as long as the process runs, which may end before we end
// it: otherwise only the end of its PostgreSQL would be told.
func (h *helpd) whileItRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	exited := h.exited
	go func() {
		select {
		case <-ctx.Done():
		case err := <-exited:
			asked := h.stopping.Load()
			exited <- err
			if !asked {
				cancel(fmt.Errorf("helpd ended by itself: %v", err))
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// lastWords are the ends of the logs of helpd and its PostgreSQL, which may be
// gone with the data directory.
func (h *helpd) lastWords() string {
	var b strings.Builder
	for _, name := range []string{"helpd.log", "postgres.log"} {
		log, err := os.ReadFile(filepath.Join(h.options.dataDir, name))
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(log)), "\n")
		fmt.Fprintf(&b, "\nThe end of %s:\n%s", name, strings.Join(lines[max(0, len(lines)-5):], "\n"))
	}
	return b.String()
}

// account is an account of helpd's with so many tickets, which is filled unless
// it is.
func (h *helpd) account(ctx context.Context, subdomain string, tickets int) (*world, error) {
	dsn, err := postgres.Reach(ctx, h.options.dataDir)
	if err != nil {
		return nil, err
	}
	if subdomain != account { // which helpd made as it first started
		if err := makeAccount(ctx, dsn, subdomain); err != nil {
			return nil, err
		}
	}
	w, err := openWorld(ctx, dsn, subdomain)
	if err != nil {
		return nil, err
	}
	if err = w.withoutRules(ctx); err != nil {
		err = fmt.Errorf("delete rules: %w", err)
	} else if err = w.fill(ctx, h.addr, tickets); err != nil {
		err = fmt.Errorf("fill: %w", err)
	} else if err = w.settle(ctx); err != nil {
		err = fmt.Errorf("wait for what helpd does by itself: %w", err)
	} else {
		err = w.ready(ctx)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// patience is how long helpd may take for what it does by itself: to index a
// million tickets takes the most of it.
const patience = time.Hour

// settle waits until helpd has done what it found to do when it was started: old
// tickets to close and to archive, writes to number, words to index. Nothing of it is to be
// measured.
func (w *world) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	said := false
	for quiet := 0; quiet < 30; quiet++ {
		var busy bool
		err := w.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running', 'retryable') AND args->>'name' IS DISTINCT FROM 'SLA breaches')
			OR EXISTS (SELECT FROM touched) OR EXISTS (SELECT FROM search_pending) OR EXISTS (SELECT FROM event_queue)`).Scan(&busy)
		if err != nil {
			return err
		}
		if busy {
			if quiet = -1; !said {
				say("Waiting for what helpd does by itself")
				said = true
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if said {
		// As PostgreSQL does by itself, some time after so many changes.
		if _, err := w.conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
			return err
		}
	}
	return w.warm(ctx)
}

// warm has what is measured in memory, as it is some time after a start. Without
// the extension each page of a table comes when it is asked for first.
func (w *world) warm(ctx context.Context) error {
	var has bool
	if err := w.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_prewarm')").Scan(&has); err != nil || !has {
		return err
	}
	if _, err := w.conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_prewarm"); err != nil {
		return err
	}
	_, err := w.conn.Exec(ctx, `SELECT pg_prewarm(c.oid) FROM pg_class c WHERE c.relkind IN ('r', 'i', 't')
		AND c.relname = ANY ('{tickets,ticket_metrics,users,organizations,ticket_ccs}')
		OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ('tickets'::regclass, 'ticket_metrics'::regclass, 'users'::regclass))`)
	return err
}

// environment is ours without what would configure helpd otherwise.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "DATABASE_URL=") || strings.HasPrefix(kv, "HELPD_") && !strings.HasPrefix(kv, "HELPD_PG_BIN=")
	})
}

// stop ends helpd and waits until it is gone, and its PostgreSQL with it.
func (h *helpd) stop() error {
	if h.cmd == nil {
		return nil
	}
	h.stopping.Store(true)
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	err := <-h.exited
	h.cmd = nil
	return errors.Join(err, h.log.Close())
}

// starts is how long helpd took until it answered, in milliseconds, on a data
// directory in which it had ended in order.
type starts struct {
	Milliseconds []float64 `json:"milliseconds"`
	Median       float64   `json:"median"`
	Wanted       float64   `json:"wanted"`
}

func (h *helpd) measureStarts(ctx context.Context) (starts, error) {
	s := starts{Wanted: 2000}
	for range 5 {
		if err := h.stop(); err != nil {
			return s, err
		}
		took, err := h.launch(ctx)
		if err != nil {
			return s, err
		}
		s.Milliseconds = append(s.Milliseconds, float64(took.Microseconds())/1000)
	}
	s.Median = median(s.Milliseconds)
	return s, nil
}

// memory is how much of helpd's process was in memory under load, in megabytes
// (10^6 bytes), without PostgreSQL.
type memory struct {
	Resident float64 `json:"resident"` // the most that was seen under load
	Peak     float64 `json:"peak"`     // VmHWM, since the process started
	Wanted   float64 `json:"wanted"`
}

// watchMemory looks at helpd's memory until the function that it returns is called.
func (h *helpd) watchMemory() func() memory {
	// An error ends helpd while this still looks.
	pid := h.cmd.Process.Pid
	m := memory{Wanted: 120}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			m.Resident = max(m.Resident, status(pid, "VmRSS"))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() memory {
		close(done)
		<-gone
		m.Peak = status(pid, "VmHWM")
		return m
	}
}

// status is a size of a process from /proc, in megabytes; 0 where there is no /proc.
func status(pid int, name string) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb * 1024 / 1e6
		}
	}
	return 0
}

// cpu is the processor time that helpd has used, of all its threads; 0 where
// there is no /proc.
func (h *helpd) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold spaces. User and system time are fields 14
	// and 15, in hundredths of a second on every Linux.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}
