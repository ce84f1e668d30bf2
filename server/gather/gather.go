// Package gather answers look-ups of single rows that come in at the same time
// by one statement. A database spends most of such a look-up on what each
// statement costs however little it finds, so several in one are several times
// as many a second; and nobody waits for company: a look-up that comes alone
// runs at once.
package gather

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Most is how many look-ups share a statement.
const Most = 64

// patience is how long a statement may take. It is not its callers', since one
// that goes away must not take the others' answers along.
const patience = 10 * time.Second

// Find looks keys up. at(i) is where to write what was found for the i-th of
// them; what is not asked for counts as not found. Keys may repeat.
type Find[K, V any] func(ctx context.Context, keys []K, at func(i int) *V) error

// Gatherer runs look-ups, as many statements at a time as it has lanes.
type Gatherer[K, V any] struct {
	find  Find[K, V]
	lanes int

	mu      sync.Mutex
	running int
	waiting []*lookup[K, V]
}

type lookup[K, V any] struct {
	key   K
	value V
	found bool
	err   error
	done  chan struct{}
}

// New makes a gatherer. With fewer lanes more look-ups share a statement; with
// more, statements wait less for one another.
func New[K, V any](lanes int, find Find[K, V]) *Gatherer[K, V] {
	return &Gatherer[K, V]{find: find, lanes: lanes}
}

// Get looks key up in a statement that begins after Get is called, so it sees
// all that was committed before. The error is find's or ctx's.
func (g *Gatherer[K, V]) Get(ctx context.Context, key K) (value V, found bool, err error) {
	l := &lookup[K, V]{key: key, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, l)
	free := g.running < g.lanes
	if free {
		g.running++
	}
	g.mu.Unlock()
	if free {
		g.run()
	}
	select {
	case <-l.done:
		return l.value, l.found, l.err
	case <-ctx.Done():
		return value, false, ctx.Err()
	}
}

// run answers those who wait, and hands the lane on to those who have come
// since. They get a goroutine of their own: the caller has his answer.
func (g *Gatherer[K, V]) run() {
	// Whoever is about to ask may come along: with nobody there this is nothing,
	// under load it doubles the company.
	runtime.Gosched()
	g.mu.Lock()
	batch := g.waiting[:min(len(g.waiting), Most)]
	g.waiting = g.waiting[len(batch):]
	if len(batch) == 0 {
		g.running, g.waiting = g.running-1, nil
	}
	g.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	err := g.findAll(batch)
	for _, l := range batch {
		l.err = err
		close(l.done)
	}
	go g.run()
}

// findAll makes an error of a panic: the others of the batch wait for an answer.
func (g *Gatherer[K, V]) findAll(batch []*lookup[K, V]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("look-up panicked: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	keys := make([]K, len(batch))
	for i, l := range batch {
		keys[i] = l.key
	}
	return g.find(ctx, keys, func(i int) *V {
		batch[i].found = true
		return &batch[i].value
	})
}
