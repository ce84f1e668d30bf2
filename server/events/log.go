package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
)

const (
	// busyPoll is how often the log is looked at while something happens, and
	// idlePoll when nothing did for a second.
	busyPoll = 10 * time.Millisecond
	idlePoll = 50 * time.Millisecond
	// longPoll is how long it is left alone at most. After a look that took long
	// it is for three times as long: where the database is busy, more is numbered
	// at once, which costs those who write less.
	longPoll = 100 * time.Millisecond
	// numberedAtOnce is how many batches of events one transaction numbers.
	numberedAtOnce = 500
	// PlacedPerSecond is how many records have places of one second at most, for
	// pages of exports by time do not divide it. Where more are written the time
	// of places runs ahead of the clock, until less is.
	PlacedPerSecond = 10_000
)

// Log is the log of all accounts. It numbers what has been committed: writers
// cannot, since a number that is taken within a transaction is seen after larger
// ones of transactions that were faster, and whoever reads in the order of
// numbers has passed it then. One process numbers at a time, which holds the row
// of event_clock; each process reads in the order of the numbers.
type Log struct {
	db  *gorm.DB
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	seen    int64 // the largest number that is known to be given
	changed chan struct{}
	told    int64 // listeners have heard of what is numbered up to it
	rooms   map[int64]*room
}

// NewLog makes the log of the database db.
func NewLog(db *gorm.DB, now func() time.Time, log *slog.Logger) *Log {
	return &Log{db: db, now: now, log: log, changed: make(chan struct{}), rooms: map[int64]*room{}}
}

// Run numbers what is committed until ctx is done.
func (l *Log) Run(ctx context.Context) {
	var active time.Time
	for {
		began := time.Now()
		worked, err := l.look(ctx)
		if ctx.Err() != nil {
			return
		}
		took, wait := time.Since(began), idlePoll
		switch {
		case err != nil:
			l.log.ErrorContext(ctx, "number events", "error", err)
			wait = time.Second
		case worked:
			active = time.Now()
		}
		if err == nil && time.Since(active) < time.Second {
			wait = min(max(busyPoll, 3*took), longPoll)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// pending is the largest number that has been given, and whether there is
// something to number.
func (l *Log) pending(ctx context.Context) (seq int64, some bool, err error) {
	var event, touch *int64
	// min and not EXISTS, for which the planner may read the whole table.
	_, err = postgres.Row(l.db.WithContext(ctx), `SELECT seq, (SELECT min(batch_id) FROM event_queue), (SELECT min(id) FROM touched)
		FROM event_clock`, nil, &seq, &event, &touch)
	return seq, event != nil || touch != nil, err
}

// look numbers what there is, if nobody else does, and learns of what others
// have numbered.
func (l *Log) look(ctx context.Context) (worked bool, err error) {
	seq, more, err := l.pending(ctx)
	if err != nil {
		return false, err
	}
	worked = l.advance(seq)
	for more && err == nil {
		worked = true
		_, more, err = l.number(ctx, " SKIP LOCKED")
	}
	if err != nil {
		return worked, err
	}
	return worked, l.announce(ctx)
}

// Settle numbers all that has been committed, and writes nothing where nothing is
// to be numbered: for those who follow numbers and not times.
func (l *Log) Settle(ctx context.Context) error {
	// What somebody else numbers just now is still seen here until he commits, and
	// Number waits for him.
	_, some, err := l.pending(postgres.WithoutTx(ctx))
	if err == nil && some {
		_, err = l.Number(ctx)
	}
	return err
}

// Number numbers all that has been committed. Whatever is numbered later has the
// time that it returns, or a later one.
func (l *Log) Number(ctx context.Context) (at time.Time, err error) {
	for more := true; more && err == nil; {
		at, more, err = l.number(ctx, "")
	}
	return at, err
}

// In the order of the batches' ids: who holds a record's lock takes a larger one
// than those took who held it before.
const numberEvents = `WITH taken AS (DELETE FROM event_queue WHERE batch_id IN (SELECT batch_id FROM event_queue ORDER BY batch_id LIMIT ?) RETURNING batch_id, account_id, size),
	numbered AS (INSERT INTO event_numbers (account_id, seq, batch_id, size, numbered_at)
		SELECT account_id, ? + sum(size) OVER (ORDER BY batch_id), batch_id, size, ? FROM taken)
	SELECT count(*), coalesce(sum(size), 0) FROM taken`

const placeTouched = `WITH taken AS (DELETE FROM touched WHERE id IN (SELECT id FROM touched ORDER BY id LIMIT ?) RETURNING id, account_id, kind, record_id),
	latest AS (SELECT account_id, kind, record_id, max(id) AS id FROM taken GROUP BY account_id, kind, record_id),
	placed AS (INSERT INTO export_positions (account_id, kind, record_id, seq, generated_at)
		SELECT account_id, kind, record_id, ? + row_number() OVER (ORDER BY id), ? FROM latest
		ON CONFLICT (account_id, kind, record_id) DO UPDATE SET seq = EXCLUDED.seq, generated_at = EXCLUDED.generated_at RETURNING 1)
	SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM placed)`

// number gives out the next numbers. more reports whether there may be more to
// number; with skip it is false, too, where somebody else is at it.
func (l *Log) number(ctx context.Context, skip string) (at time.Time, more bool, err error) {
	var seq, inSecond int64
	err = l.db.WithContext(postgres.WithoutTx(ctx)).Transaction(func(tx *gorm.DB) error {
		found, err := postgres.Row(tx, "SELECT seq, at, placed FROM event_clock FOR UPDATE"+skip, nil, &seq, &at, &inSecond)
		if err != nil || !found {
			return err
		}
		at, inSecond = placingTime(at, l.now(), inSecond)
		var queued, numbered, taken, placed int64
		if _, err := postgres.Row(tx, numberEvents, []any{numberedAtOnce, seq, at}, &queued, &numbered); err != nil {
			return err
		}
		seq += numbered
		atMost := PlacedPerSecond - inSecond
		if _, err := postgres.Row(tx, placeTouched, []any{atMost, seq, at}, &taken, &placed); err != nil {
			return err
		}
		seq += placed
		more = queued == numberedAtOnce || taken == atMost
		return postgres.Exec(tx, "UPDATE event_clock SET seq = ?, at = ?, placed = ?", []any{seq, at, inSecond + placed})
	})
	if err == nil {
		l.advance(seq)
	}
	return at, more, err
}

// placingTime is the time of the next places, and how many there are of its second
// already: now, but not before at, and not in a second that is full.
func placingTime(at, now time.Time, placed int64) (next time.Time, inSecond int64) {
	next, second := at, at.Truncate(time.Second)
	if now.After(next) {
		next = now
	}
	switch {
	case !next.Truncate(time.Second).Equal(second):
		return next, 0
	case placed >= PlacedPerSecond:
		return second.Add(time.Second), 0
	}
	return next, placed
}

// advance notes that numbers up to seq are given, and wakes who waits for them.
func (l *Log) advance(seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq <= l.seen {
		return false
	}
	l.seen = seq
	close(l.changed)
	l.changed = make(chan struct{})
	return true
}

// Beyond is closed once numbers larger than seq are given, of which some may be
// of no event.
func (l *Log) Beyond(seq int64) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen > seq {
		return closed
	}
	return l.changed
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// last is the largest number that is known to be given.
func (l *Log) last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// End is the largest number that has been given.
func (l *Log) End(ctx context.Context) (seq int64, err error) {
	_, err = postgres.Row(l.db.WithContext(ctx), "SELECT seq FROM event_clock", nil, &seq)
	return seq, err
}
