package page

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"
)

// A count up to exactCount is taken anew for each page. A larger one costs
// 40 ms per million rows: it is kept for countFresh, which is what the
// refreshed_at of counts tells callers.
const (
	exactCount = 10_000
	countFresh = 30 * time.Second
	countsKept = 10_000 // listings in memory
)

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
	n, err := bounded(ctx, db, from, where, args, exactCount)
	if err != nil || n <= exactCount {
		return n, time.Now(), err
	}
	key := countKey{db.Config.ConnPool, fmt.Sprint(from, "|", where, "|", args)}
	counts.Lock()
	e, ok := counts.by[key]
	counts.Unlock()
	if ok && time.Since(e.at) < countFresh {
		return e.count, e.at, nil
	}
	e.at = time.Now()
	err = db.WithContext(ctx).Raw("SELECT count(*) FROM "+from+" WHERE "+where, args...).Row().Scan(&e.count)
	if err != nil {
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

func counted(ctx context.Context, db *gorm.DB, from, where string, args []any) (int, error) {
	n, _, err := Count(ctx, db, from, where, args)
	return n, err
}

// bounded counts to max+1 at most.
func bounded(ctx context.Context, db *gorm.DB, from, where string, args []any, max int) (int, error) {
	var n int
	err := db.WithContext(ctx).Raw(
		fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s WHERE %s LIMIT %d) AS bounded", from, where, max+1), args...).Row().Scan(&n)
	return n, err
}
