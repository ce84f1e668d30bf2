package events

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/helpd/helpd/server/postgres"
)

// heardAtOnce is how many events a listener gets at a time.
const heardAtOnce = 100

// Heard is an event as listeners get it, with its Envelope made once for all.
type Heard struct {
	Logged
	Text []byte
}

// room is what the listeners of an account share: those who are at the same
// place, as nearly all are, read the database once.
type room struct {
	account   int64
	listeners int           // as changed and announced: of Log.mu
	changed   chan struct{} // closed when the account has news
	announced int64         // news came up to this number

	mu sync.Mutex
	// list are all events of the account after first up to next; up to covered
	// there are no others.
	first, next, covered int64
	list                 []Heard
}

// Listener hears what happens in an account. It is for one goroutine.
type Listener struct {
	log  *Log
	room *room
}

// Listen begins to listen to an account's events. Close ends it.
func (l *Log) Listen(account int64) *Listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[account]
	if r == nil {
		r = &room{account: account, changed: make(chan struct{}), first: -1, next: -1, covered: -1}
		l.rooms[account] = r
	}
	r.listeners++
	return &Listener{l, r}
}

// Close ends the listening.
func (h *Listener) Close() {
	l := h.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.room.listeners--; h.room.listeners == 0 {
		delete(l.rooms, h.room.account)
	}
}

// Next waits for events with larger numbers than after and returns them in the
// order of their numbers. When ctx is done, and when nothing came until a time (the
// zero time: ever), it returns none. That time is no deadline of ctx, which would cut
// off a query that is under way, and its connection, each time it passes.
func (h *Listener) Next(ctx context.Context, until time.Time, after int64) ([]Heard, error) {
	var late <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		late = timer.C
	}
	for {
		h.log.mu.Lock()
		changed, announced, seen := h.room.changed, h.room.announced, h.log.seen
		h.log.mu.Unlock()
		list, err := h.room.after(ctx, h.log, after, announced, seen)
		if ctx.Err() != nil {
			return nil, nil
		}
		if err != nil || len(list) > 0 {
			return list, err
		}
		select {
		case <-changed:
		case <-late:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func (r *room) after(ctx context.Context, l *Log, after, announced, seen int64) ([]Heard, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.first >= 0 && r.first <= after && after < r.next:
		i, _ := slices.BinarySearchFunc(r.list, after+1, func(e Heard, seq int64) int { return int(e.Seq - seq) })
		return r.list[i:], nil
	case r.first >= 0 && r.next <= after && announced <= r.covered:
		return nil, nil
	}
	list, next, more, err := l.Read(ctx, r.account, Filter{}, after, heardAtOnce)
	if err != nil {
		return nil, err
	}
	r.first, r.next, r.covered, r.list = after, next, next, make([]Heard, len(list))
	if !more { // what is numbered up to seen was committed before the reading began
		r.covered = max(next, seen)
	}
	for i := range list {
		r.list[i] = Heard{list[i], list[i].Envelope()}
	}
	return r.list, nil
}

// announce wakes the listeners of the accounts in which something was numbered
// since it last did.
func (l *Log) announce(ctx context.Context) error {
	l.mu.Lock()
	from, to, none := l.told, l.seen, len(l.rooms) == 0
	l.told = to
	l.mu.Unlock()
	if none || from >= to {
		return nil
	}
	news := map[int64]bool{}
	err := postgres.Rows(l.db.WithContext(ctx), "SELECT DISTINCT account_id FROM event_numbers WHERE seq > ? AND seq <= ?", []any{from, to}, func(row postgres.Scanned) error {
		var account int64
		err := row.Scan(&account)
		news[account] = true
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for account, r := range l.rooms {
		if err != nil || news[account] {
			r.announced = to
			close(r.changed)
			r.changed = make(chan struct{})
		}
	}
	return err
}
