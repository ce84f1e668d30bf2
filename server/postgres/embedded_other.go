//go:build !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// ctype is the LC_CTYPE of new clusters. Not every macOS has C.UTF-8, and
// what characters are letters is the same in all its UTF-8 locales.
const ctype = "en_US.UTF-8"

// childAttr makes a child run as o, in a process group of its own: the ^C of a
// terminal is for helpd, which ends PostgreSQL when its requests are done.
// Nothing here ends the child with a killed helpd: the next start does.
func childAttr(o *owner) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: credential(o)}
}

// lendDir returns the path under which cmd finds the cluster directory dir;
// the cluster's owner must be able to search its parents.
func (c *cluster) lendDir(_ *exec.Cmd, dir string) (path string, done func(), err error) {
	return dir, func() {}, nil
}

// isPostmaster says whether process pid serves the cluster in dir.
func isPostmaster(pid int, dir string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "-D "+dir+" ")
}
