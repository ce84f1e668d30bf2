package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrInUse is why Start fails while another process runs the server of the
// data directory. Reach gives the address of that one.
var ErrInUse = errors.New("in use by another helpd")

// Reach returns the address of the database "helpd" of the server that another
// process runs in dataDir. It waits until that server is ready, as long as ctx
// allows.
func Reach(ctx context.Context, dataDir string) (string, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	c := &cluster{dir: filepath.Join(dataDir, "postgres")}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if c.pidFile().status == "ready" {
			return embeddedDSN(c.foundSocketDir(), EmbeddedDatabase), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the helpd that uses %s does not let others reach its database: %w", dataDir, ctx.Err())
		case <-poll.C:
		}
	}
}

// foundSocketDir is the directory that placeSocket chose in another process.
func (c *cluster) foundSocketDir() string {
	if noted, err := os.ReadFile(c.socketNote()); err == nil {
		return strings.TrimSpace(string(noted))
	}
	return c.dir
}
