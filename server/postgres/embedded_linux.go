package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// ctype is the LC_CTYPE of new clusters: Unicode without any language.
const ctype = "C.UTF-8"

// childAttr makes a child run as o and end with us. It has a process group of
// its own because the ^C of a terminal is for helpd, which ends PostgreSQL
// when its requests are done.
func childAttr(o *owner) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT, Credential: credential(o)}
}

// lendDir returns the path under which cmd finds the cluster directory dir. An
// owner who may not search the parents of dir (below /root, say) gets it as an
// open file, whose entry in /proc leads there from anywhere. done is to be
// called after cmd has started.
func (c *cluster) lendDir(cmd *exec.Cmd, dir string) (path string, done func(), err error) {
	if c.owner == nil {
		return dir, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	// ExtraFiles begin at descriptor 3.
	return fmt.Sprintf("/proc/self/fd/%d", 2+len(cmd.ExtraFiles)), func() { f.Close() }, nil
}

// isPostmaster says whether process pid serves the cluster in dir. A server's
// working directory is its cluster; the name of the process proves nothing.
func isPostmaster(pid int, dir string) bool {
	cwd, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	if err != nil {
		return false
	}
	own, err := os.Stat(dir)
	return err == nil && os.SameFile(cwd, own)
}
