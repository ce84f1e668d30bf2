package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// pollEvery is how often files and processes that cannot be waited for
	// are looked at.
	pollEvery = 5 * time.Millisecond
	// Patience with a server that was asked to end: politely, then firmly.
	fastPatience      = 60 * time.Second
	immediatePatience = 10 * time.Second
	// backendPatience is how long the children of a killed server may take to
	// notice and leave its shared memory.
	backendPatience = 30 * time.Second
	// maxLog is the size, in bytes, from which a start sets the log aside.
	maxLog = 16 << 20
)

// ownSettings cannot be changed: helpd finds and watches its server by them.
var ownSettings = map[string]string{
	"listen_addresses":        "",
	"port":                    embeddedPort,
	"unix_socket_directories": ".",
	"logging_collector":       "off",
	"log_destination":         "stderr",
}

// tuning suits a help desk on a small machine: many short statements, disks
// without moving parts, and memory shared with other programs.
var tuning = map[string]string{
	"cluster_name":                   "helpd", // shown by ps
	"max_connections":                "100",
	"work_mem":                       "8MB",
	"maintenance_work_mem":           "64MB",
	"wal_compression":                "on",
	"max_wal_size":                   "4GB",
	"checkpoint_timeout":             "15min",
	"random_page_cost":               "1.1",
	"jit":                            "off", // it costs more than our statements take
	"autovacuum_vacuum_scale_factor": "0.05",
	"timezone":                       "UTC",
	"log_timezone":                   "UTC",
	// Failed statements are for helpd to report, which knows what is expected.
	"log_min_messages": "log",
	"log_checkpoints":  "off",
}

// serverArguments are the settings as arguments of postgres, in a fixed order.
func serverArguments(o EmbeddedOptions) ([]string, error) {
	all := maps.Clone(tuning)
	buffers := sharedBuffers()
	all["shared_buffers"], all["effective_cache_size"] = fmt.Sprint(buffers, "MB"), fmt.Sprint(2*max(buffers, 512), "MB")
	if o.FsyncOff {
		// Tests drop many databases, for which all of it is searched.
		all["shared_buffers"] = fmt.Sprint(leastBuffers, "MB")
		all["fsync"], all["synchronous_commit"], all["full_page_writes"] = "off", "off", "off"
	}
	for name, value := range o.Settings {
		if _, own := ownSettings[strings.ToLower(name)]; own {
			return nil, fmt.Errorf("the setting %s of the embedded PostgreSQL cannot be changed", name)
		}
		all[name] = value
	}
	maps.Copy(all, ownSettings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args, nil
}

// supervise starts the server, tells started how that went, and starts it
// again whenever it ends before life does. ctx bounds the first start.
func (e *Embedded) supervise(ctx, life context.Context, started chan<- error) {
	// Pdeathsig counts the death of the thread that started the server as
	// ours. So this one is kept, and not unlocked: it ends with the function.
	runtime.LockOSThread()
	defer close(e.ended)
	server, err := e.cluster.launch(ctx)
	started <- err
	if err != nil {
		return
	}
	for server != nil {
		since := time.Now()
		select {
		case <-life.Done():
			e.endErr = server.shutDown()
			return
		case <-server.exited:
			e.cluster.log.Error("the embedded PostgreSQL ended by itself; starting it again", "error", server.err, "log", e.cluster.logPath)
			server = e.relaunch(life, since)
		}
	}
}

// relaunch tries until the server runs again; it returns nil when life ends.
// since is when the last one started: one that did not last is not restarted
// at once.
func (e *Embedded) relaunch(life context.Context, since time.Time) *process {
	delay := time.Duration(0)
	if time.Since(since) < 10*time.Second {
		delay = time.Second
	}
	for {
		select {
		case <-life.Done():
			return nil
		case <-time.After(delay):
		}
		server, err := e.cluster.launch(life)
		if err == nil {
			e.cluster.log.Info("embedded PostgreSQL is ready again")
			return server
		}
		if life.Err() == nil {
			e.cluster.log.Error("the embedded PostgreSQL does not start", "error", err)
		}
		delay = min(max(2*delay, time.Second), 30*time.Second)
	}
}

// process is a postgres that we started.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it is gone
	err    error         // how it ended; to be read after exited
}

// launch starts the server and waits until it is ready. The thread that calls
// it must live as long as the server is to.
func (c *cluster) launch(ctx context.Context) (*process, error) {
	for deadline := time.Now().Add(backendPatience); ; {
		p, offset, err := c.spawn()
		if err != nil {
			return nil, err
		}
		err = c.awaitReady(ctx, p)
		if err == nil {
			return p, nil
		}
		output := c.logSince(offset)
		// The old server is dead, its children have not noticed yet.
		if bytes.Contains(output, []byte("is still in use")) && ctx.Err() == nil && time.Now().Before(deadline) {
			time.Sleep(10 * pollEvery)
			continue
		}
		return nil, fmt.Errorf("%w; the end of %s:\n%s", err, c.logPath, tail(output))
	}
}

// spawn starts postgres and returns where in the log its words begin.
func (c *cluster) spawn() (*process, int64, error) {
	logFile, err := c.openLog()
	if err != nil {
		return nil, 0, err
	}
	defer logFile.Close()
	offset, err := logFile.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	cmd := exec.Command(filepath.Join(c.bin.dir, "postgres"))
	path, done, err := c.lendDir(cmd, c.dir)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	cmd.Args = append(append(cmd.Args, "-D", path), c.settings...)
	if c.socketDir != c.dir {
		cmd.Args = append(cmd.Args, "-c", "unix_socket_directories="+c.socketDir)
	}
	cmd.Env = childEnv()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = childAttr(c.owner)
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, offset, nil
}

// awaitReady returns when p takes connections. When ctx ends before, p is shut down.
func (c *cluster) awaitReady(ctx context.Context, p *process) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	remind := time.NewTicker(10 * time.Second)
	defer remind.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), p.shutDown())
		case <-p.exited:
			return fmt.Errorf("postgres ended: %w", p.err)
		case <-remind.C:
			c.log.Info("the embedded PostgreSQL is still starting; after a crash it recovers first", "log", c.logPath)
		case <-poll.C:
			// Asking the file and not the socket, as pg_ctl does, keeps
			// refused connections out of the log.
			if f := c.pidFile(); f.pid == p.cmd.Process.Pid && f.status == "ready" {
				return nil
			}
		}
	}
}

// shutDown ends p, by force if it must, and returns how it ended.
func (p *process) shutDown() error {
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{
		{syscall.SIGINT, fastPatience},       // rolls back, writes everything
		{syscall.SIGQUIT, immediatePatience}, // leaves a recovery to the next start
		{syscall.SIGKILL, immediatePatience},
	} {
		if err := p.cmd.Process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end postgres: %w", err)
		}
		select {
		case <-p.exited:
			if p.err != nil {
				return fmt.Errorf("postgres ended: %w", p.err)
			}
			return nil
		case <-time.After(step.patience):
		}
	}
	return fmt.Errorf("postgres (process %d) does not end", p.cmd.Process.Pid)
}

// endOrphan shuts the server down that an earlier helpd left behind. Holding
// the data directory's lock, we know that nobody uses it.
func (c *cluster) endOrphan(ctx context.Context) error {
	pid := c.pidFile().pid
	if pid == 0 {
		return nil
	}
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, fastPatience}, {syscall.SIGQUIT, immediatePatience}} {
		if !isPostmaster(pid, c.dir) {
			return c.disown(pid)
		}
		c.log.Warn("ending the PostgreSQL that an earlier helpd left behind", "process", pid)
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end the earlier postgres (process %d): %w", pid, err)
		}
		for deadline := time.Now().Add(step.patience); time.Now().Before(deadline); time.Sleep(pollEvery) {
			if !isPostmaster(pid, c.dir) {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return fmt.Errorf("a postgres of this data directory (process %d) is running and does not end", pid)
}

// disown removes the postmaster.pid of a dead server whose number another
// process has by now, as happens when the machine was restarted: postgres would
// take that one for a server and refuse. In all other cases the file stays, as
// it leads postgres to children of the old server that still live.
func (c *cluster) disown(pid int) error {
	if syscall.Kill(pid, 0) != nil {
		return nil
	}
	err := os.Remove(c.pidFilePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was about to end
	}
	return err
}

// pidFile is what a server says of itself in postmaster.pid.
type pidFile struct {
	pid    int    // 0 if there is no file
	status string // starting, ready, stopping
}

func (c *cluster) pidFilePath() string { return filepath.Join(c.dir, "postmaster.pid") }

// pidFile reads postmaster.pid. The server writes it line by line, so that
// whatever is missing is not known yet.
func (c *cluster) pidFile() pidFile {
	b, err := os.ReadFile(c.pidFilePath())
	if err != nil {
		return pidFile{}
	}
	lines := append(strings.Split(string(b), "\n"), make([]string, 8)...)
	pid, err := strconv.Atoi(lines[0])
	if err != nil || pid <= 0 {
		return pidFile{}
	}
	return pidFile{pid: pid, status: strings.TrimSpace(lines[7])}
}

// openLog opens the server's log to append, or a new one when it has grown large.
func (c *cluster) openLog() (*os.File, error) {
	if info, err := os.Stat(c.logPath); err == nil && info.Size() > maxLog {
		if err := os.Rename(c.logPath, c.logPath+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(c.logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

func (c *cluster) logSince(offset int64) []byte {
	f, err := os.Open(c.logPath)
	if err != nil {
		return []byte(err.Error())
	}
	defer f.Close()
	b, _ := io.ReadAll(io.NewSectionReader(f, offset, maxLog))
	return b
}

// tail returns the last of b that is worth showing in an error.
func tail(b []byte) []byte {
	const size = 2000
	if len(b) > size {
		b = b[len(b)-size:]
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	return bytes.TrimSpace(b)
}

func credential(o *owner) *syscall.Credential {
	if o == nil {
		return nil
	}
	return &syscall.Credential{Uid: o.uid, Gid: o.gid}
}
