package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxSocketPath is the longest socket path, in bytes, that every system
	// takes: Linux 107, macOS 103.
	maxSocketPath = 103
	// socketTempDir is where sockets go whose path would be longer. It is not
	// os.TempDir, which may be long itself.
	socketTempDir = "/tmp"
)

// cluster is a directory with databases and what it takes to serve them.
type cluster struct {
	dir       string // DataDir/postgres
	logPath   string // the server's log
	socketDir string // where the socket is: dir or, when too long, one under /tmp
	bin       binaries
	owner     *owner // who serves it; nil for ourselves
	settings  []string
	log       *slog.Logger
}

// owner is the user as whom a helpd of root runs PostgreSQL, which refuses root.
type owner struct {
	uid, gid uint32
}

// openCluster finds everything out that serving the cluster of dataDir needs,
// and makes the cluster if there is none.
func openCluster(ctx context.Context, dataDir string, o EmbeddedOptions) (*cluster, error) {
	c := &cluster{
		dir:     filepath.Join(dataDir, "postgres"),
		logPath: filepath.Join(dataDir, "postgres.log"),
		log:     o.Logger,
	}
	var err error
	if c.settings, err = serverArguments(o); err != nil {
		return nil, err
	}
	version, err := clusterVersion(c.dir)
	if err != nil {
		return nil, err
	}
	if c.bin, err = findBinaries(ctx, o.BinDir, version); err != nil {
		return nil, err
	}
	if c.owner, err = clusterOwner(c.dir); err != nil {
		return nil, err
	}
	if version == 0 {
		if err := c.create(ctx, dataDir); err != nil {
			return nil, err
		}
	}
	if err := c.endOrphan(ctx); err != nil {
		return nil, err
	}
	return c, c.placeSocket()
}

// clusterVersion returns the major version of PostgreSQL that made the cluster
// in dir, 0 if there is none. A cluster is there whole or not at all, see create.
func clusterVersion(dir string) (int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrPermission) {
		return 0, fmt.Errorf("%s belongs to another user: run helpd as that user or as root: %w", dir, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(dir); err == nil {
			return 0, fmt.Errorf("%s is in the way: it is not a PostgreSQL cluster; move it elsewhere", dir)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION: %w", dir, err)
	}
	return major, nil
}

// clusterOwner returns as whom to serve the cluster in dir: root serves as the
// user whom the cluster belongs to, a new one as postgres or nobody.
func clusterOwner(dir string) (*owner, error) {
	info, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		st := info.Sys().(*syscall.Stat_t)
		switch euid := os.Geteuid(); {
		case st.Uid == uint32(euid) && euid != 0:
			return nil, nil
		case euid == 0 && st.Uid != 0:
			return &owner{uid: st.Uid, gid: st.Gid}, nil
		case euid != 0:
			return nil, fmt.Errorf("%s belongs to user %d: run helpd as that user or as root", dir, st.Uid)
		}
		return nil, fmt.Errorf("%s belongs to root, as whom PostgreSQL does not run: give it to another user with chown -R", dir)
	}
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &owner{uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// create makes the cluster. It works beside its place and renames at the end,
// so that a cluster which exists is whole: what an interrupted attempt left is
// swept away by the next.
func (c *cluster) create(ctx context.Context, dataDir string) error {
	const prefix = "postgres.new-"
	left, err := filepath.Glob(filepath.Join(dataDir, prefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(dataDir, prefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // fails, as it should, after the rename
	if err := c.giveToOwner(dir); err != nil {
		return err
	}
	c.log.Info("making a PostgreSQL cluster", "directory", c.dir)
	if err := c.initdb(ctx, dir); err != nil {
		return err
	}
	if err := os.Rename(dir, c.dir); err != nil {
		return err
	}
	return syncDir(dataDir)
}

func (c *cluster) initdb(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin.dir, "initdb"),
		"--username="+embeddedUser, "--auth-local=trust", "--auth-host=reject",
		"--encoding=UTF8", "--locale=C", "--lc-collate=C", "--lc-ctype="+ctype)
	cmd.Env = childEnv()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	path, done, err := c.lendDir(cmd, dir)
	if err != nil {
		return err
	}
	defer done()
	cmd.Args = append(cmd.Args, "--pgdata="+path)
	// The parent of Pdeathsig is the thread: it must outlive the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = childAttr(c.owner)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, tail(out.Bytes()))
	}
	return nil
}

// placeSocket chooses the socket's directory: the cluster's own, or another
// one when the path would be longer than the system takes, or has a comma, which
// to PostgreSQL separates one directory from the next.
func (c *cluster) placeSocket() error {
	c.socketDir = c.dir
	if left, err := os.ReadFile(c.socketNote()); err == nil {
		os.RemoveAll(string(left)) // of a helpd that was killed
		os.Remove(c.socketNote())
	}
	if len(filepath.Join(c.dir, ".s.PGSQL."+embeddedPort)) <= maxSocketPath && !strings.Contains(c.dir, ",") {
		return nil
	}
	dir, err := os.MkdirTemp(socketTempDir, "helpd-")
	if err != nil {
		return fmt.Errorf("directory for the socket: %w", err)
	}
	c.socketDir = dir
	return errors.Join(os.WriteFile(c.socketNote(), []byte(dir), 0o600), c.giveToOwner(dir))
}

// socketNote is the file that names a socket directory outside of the cluster.
func (c *cluster) socketNote() string { return c.dir + ".socket" }

// removeSocketDir removes what placeSocket made.
func (c *cluster) removeSocketDir() {
	if c.socketDir != c.dir {
		os.RemoveAll(c.socketDir)
		os.Remove(c.socketNote())
	}
}

func (c *cluster) giveToOwner(dir string) error {
	if c.owner == nil {
		return nil
	}
	if err := os.Chown(dir, int(c.owner.uid), int(c.owner.gid)); err != nil {
		return fmt.Errorf("give to the user PostgreSQL runs as: %w", err)
	}
	return nil
}

// namedWithin is how long a process that has a data directory may take to say who it is.
const namedWithin = 2 * time.Second

// lockDataDir keeps a second helpd off the data directory until the file
// returned is closed, at the latest by the end of this process.
func lockDataDir(dataDir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dataDir, "postgres.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		// Who has just taken the lock writes down next who it is: until then the file is
		// empty, or names one that is gone.
		holder := make([]byte, 20)
		n, _ := f.ReadAt(holder, 0) // only to say who; unreadable is no harm
		name := strings.TrimSpace(string(holder[:n]))
		pid, unnamed := strconv.Atoi(name)
		if unnamed == nil && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || time.Since(begun) > namedWithin {
			f.Close()
			return nil, fmt.Errorf("the data directory %s is %w (process %s)", dataDir, ErrInUse, name)
		}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return f, nil
}

// syncDir makes a rename in dir survive a loss of power.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// childEnv is our environment without what would change how PostgreSQL's
// programs behave.
func childEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "LC_") || name == "LANG" || name == "LANGUAGE" || name == "TZ" {
			continue
		}
		env = append(env, kv)
	}
	return append(env, "LC_ALL=C")
}
