package page

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

// A count up to exactCount is taken anew for each page. A larger one costs up to
// 100 ms per million rows: it is kept for a while, which is what the refreshed_at
// of counts tells callers.
const (
	exactCount = 1_000
	countsKept = 10_000 // listings in memory
)

// fresh is how long a count is good.
func fresh(count int) time.Duration {
	if count <= 10*exactCount {
		return 5 * time.Second
	}
	return 30 * time.Second
}

type countEntry struct {
	count int
	at    time.Time
}

// countKey tells listings apart. The pool is part of it, because one process
// may have several databases open.
type countKey struct {
	pool    gorm.ConnPool
	listing string
}

var counts = struct {
	sync.Mutex
	by map[countKey]countEntry
}{by: map[countKey]countEntry{}}

// Count is the number of rows and when it was taken.
func Count(ctx context.Context, db *gorm.DB, from, where string, args []any) (int, time.Time, error) {
	return CountOf(ctx, db, Query{From: from, Where: where, Args: args})
}

// CountOf is the number of rows of a listing and when it was taken.
func CountOf(ctx context.Context, db *gorm.DB, q Query) (int, time.Time, error) {
	text, args := q.counting(0)
	key := countKey{db.Config.ConnPool, Key(text, args)}
	counts.Lock()
	e, ok := counts.by[key]
	counts.Unlock()
	if ok && time.Since(e.at) < fresh(e.count) {
		return e.count, e.at, nil
	}
	n, err := count(ctx, db, q, exactCount+1)
	if err != nil || n <= exactCount {
		return n, time.Now(), err
	}
	e.at = time.Now()
	if e.count, err = count(ctx, db, q, 0); err != nil {
		return 0, e.at, err
	}
	counts.Lock()
	if len(counts.by) >= countsKept {
		clear(counts.by)
	}
	counts.by[key] = e
	counts.Unlock()
	return e.count, e.at, nil
}

// Key tells a statement with its values apart from all others.
func Key(statement string, args []any) string {
	// In Go's syntax values cannot run into each other, nor into the statement.
	return fmt.Sprintf("%#v %s", args, statement)
}

// count counts to max at most; 0 is no limit.
func count(ctx context.Context, db *gorm.DB, q Query, max int) (n int, err error) {
	text, args := q.counting(max)
	_, err = postgres.RowIn(ctx, db, text, args, &n)
	return n, err
}
