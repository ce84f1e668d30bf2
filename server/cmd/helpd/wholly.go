package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// wholly has a directory be filled, which is empty or not there, or left as it is: what
// write puts into another beside it takes its place when write has done all. What
// earlier ones that were killed left beside it is removed.
func wholly(dir string, write func(dir string) error) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	mode := os.FileMode(0o777) // less what umask takes
	if is, err := filepath.EvalSymlinks(dir); err == nil {
		dir = is
		if info, err := os.Stat(dir); err == nil {
			mode = info.Mode().Perm()
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	removeLeft(dir)
	beside, lock, err := makeBeside(dir, mode)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err = write(beside); err == nil {
		if err = os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) { // it is empty still
			err = os.Rename(beside, dir)
		}
	}
	if err != nil {
		err = errors.Join(err, os.RemoveAll(beside))
	}
	return err
}

// besidePrefix begins the names of the directories that are to take the place of dir. It
// is long, for a directory of that name is removed.
func besidePrefix(dir string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".helpd-export-")
}

// makeBeside makes a directory that is to take the place of dir. It is locked, where
// the file system can, until the file that is returned is closed, at the latest by the
// end of this process: so others know that somebody is still at it.
func makeBeside(dir string, mode fs.FileMode) (beside string, lock *os.File, err error) {
	for {
		beside = besidePrefix(dir) + strings.ToLower(rand.Text()[:8])
		if err := os.Mkdir(beside, mode); err != nil {
			return "", nil, err
		}
		lock, err = lockDir(beside, 0)
		if _, gone := os.Stat(beside); !errors.Is(gone, fs.ErrNotExist) {
			return beside, lock, nil
		}
		// Another took it for one that was left, in the moment before the lock.
		if err == nil {
			lock.Close()
		}
	}
}

// removeLeft removes the directories that were to take the place of dir and that
// nobody is at any more. What cannot be locked or removed is left: it is in nobody's way.
func removeLeft(dir string) {
	beside, _ := os.ReadDir(filepath.Dir(dir))
	for _, e := range beside {
		path := filepath.Join(filepath.Dir(dir), e.Name())
		if !e.IsDir() || !strings.HasPrefix(path, besidePrefix(dir)) {
			continue
		}
		if lock, err := lockDir(path, syscall.LOCK_NB); err == nil {
			_ = os.RemoveAll(path)
			lock.Close()
		}
	}
}

// lockDir opens and locks a directory.
func lockDir(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
