package views

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
)

// MaxCounted is how many views one call may name to be counted.
const MaxCounted = 20

// Count is how many tickets a view has for somebody.
type Count struct {
	View   int64 // its id; 0 of a preview
	Active bool
	Value  *int64 // nil: it has not been counted yet
	Fresh  bool   // the value is good; otherwise a newer one is on its way
}

const (
	// patience is how long a caller waits for views to be counted.
	patience = 300 * time.Millisecond
	// A count of more than exact tickets is good for a while: for worth times what
	// it took, from leastAge to mostAge, so that counting a view takes a hundredth
	// of a core however often it is asked for. Others are counted anew each time,
	// unless a caller had not the patience: then they are good for leastAge, too.
	exact    = 1000
	worth    = 100
	leastAge = 5 * time.Second
	mostAge  = time.Minute
	// longest is how long a count may take, and how long before it may wait for
	// its turn. One that takes longer is not begun again for mostAge.
	longest = 30 * time.Second
	// atOnce is how many views a process counts at a time, so that other requests
	// find a connection, too.
	atOnce = 4
	kept   = 10_000 // counts in memory
)

// counts are the last counts of views, each for those who see the same of it.
type counts struct {
	mu    sync.Mutex
	by    map[string]*counted
	slots chan struct{} // a value in it: a count that is under way
	log   *slog.Logger

	life  context.Context // of all that count
	end   context.CancelFunc
	under sync.WaitGroup // that count, or wait for a slot
}

// errGivenUp is why a count has no result that took too long, did not have its
// turn or was cut off: there may be one later.
var errGivenUp = errors.New("the count was given up")

type counted struct {
	value *int64
	until time.Time     // to which the value is good
	done  chan struct{} // closed when the count that is under way is over; nil: none is
	err   error         // of the last one
}

func newCounts(log *slog.Logger) *counts {
	c := &counts{by: map[string]*counted{}, slots: make(chan struct{}, atOnce), log: log}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Run waits until ctx is done, and then ends the counts that are under way: when
// it returns none asks the database any more.
func (s *Service) Run(ctx context.Context) {
	<-ctx.Done()
	s.counts.stop()
}

func (c *counts) stop() {
	c.mu.Lock() // so that none is about to begin
	c.end()
	c.mu.Unlock()
	c.under.Wait()
}

// start is the count of a key. If it is not good any more, count is under way, and
// done will be closed.
func (c *counts) start(ctx context.Context, key string, count func(context.Context) (int, error)) (e *counted, done <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e = c.by[key]
	if e == nil {
		if len(c.by) >= kept {
			clear(c.by)
		}
		e = &counted{}
		c.by[key] = e
	}
	if e.done == nil && !time.Now().Before(e.until) {
		if c.life.Err() != nil {
			e.err = errGivenUp
			return e, nil
		}
		e.done = make(chan struct{})
		c.under.Go(func() { c.run(context.WithoutCancel(ctx), e, count) })
	}
	return e, e.done
}

func (c *counts) run(ctx context.Context, e *counted, count func(context.Context) (int, error)) {
	n, begun, err := c.inTurn(ctx, count)
	now := time.Now()
	took := now.Sub(begun)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.err = err; {
	case err == nil && n > exact:
		e.value, e.until = new(int64(n)), begun.Add(min(max(leastAge, worth*took), mostAge))
	case err == nil && took > patience:
		e.value, e.until = new(int64(n)), begun.Add(leastAge)
	case err == nil:
		e.value, e.until = new(int64(n)), begun
	case errors.Is(err, errGivenUp) && took >= longest && !begun.IsZero():
		e.until = now.Add(mostAge)
	}
	close(e.done)
	e.done = nil
}

// inTurn counts when there is a slot, and tells when that was; the zero time: there
// was none.
func (c *counts) inTurn(ctx context.Context, count func(context.Context) (int, error)) (n int, begun time.Time, err error) {
	turn := time.NewTimer(longest)
	defer turn.Stop()
	select {
	case c.slots <- struct{}{}:
	case <-turn.C:
		return 0, begun, errGivenUp
	case <-c.life.Done():
		return 0, begun, errGivenUp
	}
	defer func() { <-c.slots }()
	begun = time.Now()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	// Nobody above this goroutine would notice.
	defer func() {
		if v := recover(); v != nil {
			c.log.ErrorContext(ctx, "count a view", "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("count a view: %v", v)
		}
	}()
	if n, err = count(ctx); err != nil && ctx.Err() != nil {
		err = errGivenUp
	}
	return n, begun, err
}

// await waits for a count that is under way until late is done, and then takes
// the last one, also if a newer one was given up.
func (c *counts) await(late context.Context, e *counted, done <-chan struct{}, into *Count) error {
	into.Fresh = true
	if done != nil {
		select {
		case <-done:
		case <-late.Done():
			into.Fresh = false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	into.Value = e.value
	if !into.Fresh || e.err == nil {
		return nil
	}
	if errors.Is(e.err, errGivenUp) {
		into.Fresh = false
		return nil
	}
	return e.err
}

// Count is how many tickets of a view by may see. It fails with fault.NotFound.
func (s *Service) Count(ctx context.Context, by auth.Actor, id int64) (Count, error) {
	v, err := s.open(ctx, by, id)
	if err != nil {
		return Count{}, err
	}
	list, err := s.countAll(ctx, by, v.config, []models.Rule{v.Rule})
	if err != nil {
		return Count{}, err
	}
	return list[0], nil
}

// CountMany counts the active views with these ids that by may see, in the order
// of their ids. It fails with fault.TooMany beyond MaxCounted, and with
// fault.BadRequest for no ids.
func (s *Service) CountMany(ctx context.Context, by auth.Actor, ids []int64) ([]Count, error) {
	switch {
	case len(ids) > MaxCounted:
		return nil, fault.Exceeds(MaxCounted)
	case len(ids) == 0:
		return nil, fault.New(fault.BadRequest, "No view is named")
	}
	list, err := s.rules.Many(ctx, by, models.RuleView, ids)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r models.Rule) bool { return !r.Active })
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	return s.countAll(ctx, by, config, list)
}

// asking is a count that a caller waits for; done is nil if it is there.
type asking struct {
	entry *counted
	done  <-chan struct{}
}

// countAll counts views within the patience of a caller. Those that take longer
// go on being counted for who asks next.
func (s *Service) countAll(ctx context.Context, by auth.Actor, config *fields.Config, list []models.Rule) ([]Count, error) {
	compiled, err := s.compile(ctx, by, config, list)
	if err != nil {
		return nil, err
	}
	now := s.now()
	out := make([]Count, len(list))
	asked := make([]asking, len(list))
	same := map[string]asking{} // views that ask the same share a count, also one that is over before the turn of the next
	for i, r := range list {
		out[i] = Count{View: r.ID, Active: r.Active}
		selection := selectionOf(compiled[i], by, config, now)
		count := func(ctx context.Context) (int, error) { return s.tickets.CountSelected(ctx, by, selection) }
		if postgres.Pinned(ctx) { // then nothing may ask beside the caller
			n, err := count(ctx)
			if err != nil {
				return nil, err
			}
			asked[i].entry = &counted{value: new(int64(n))}
			continue
		}
		// Who sees the same of a view asks the same of the database, but for the time.
		timeless := selectionOf(compiled[i], by, config, time.Unix(0, 0))
		key := timeless.Key(by)
		a, begun := same[key]
		if !begun {
			a.entry, a.done = s.counts.start(ctx, key, count)
			same[key] = a
		}
		asked[i] = a
	}
	late, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i := range out {
		if err := errors.Join(s.counts.await(late, asked[i].entry, asked[i].done, &out[i]), ctx.Err()); err != nil {
			return nil, err
		}
	}
	return out, nil
}
