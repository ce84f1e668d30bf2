package views

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// desk counts one view, which has n tickets and takes so long.
type desk struct {
	*testing.T
	*counts
	n     int
	takes time.Duration
	fails error
	begun atomic.Int32 // how often it was counted
}

func (d *desk) count(ctx context.Context) (int, error) {
	d.begun.Add(1)
	n, fails := d.n, d.fails // as it begins: the desk may be another one later
	select {
	case <-time.After(d.takes):
		return n, fails
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// want asks as countAll does; a value of -1 is none.
func (d *desk) want(value int64, fresh bool) {
	d.Helper()
	ctx, cancel := context.WithCancel(d.Context())
	defer cancel() // as when an answer is sent
	late, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer synctest.Wait() // what counts in the background has read the desk
	e, done := d.start(ctx, "view", d.count)
	var got Count
	if err := d.await(late, e, done, &got); err != nil {
		d.Fatal(err)
	}
	if got.Fresh != fresh || (got.Value == nil) != (value < 0) || got.Value != nil && *got.Value != value {
		d.Errorf("value %v, fresh %v; want %d, %v", got.Value, got.Fresh, value, fresh)
	}
}

func (d *desk) wantCounted(times int) {
	d.Helper()
	if n := int(d.begun.Load()); n != times {
		d.Errorf("counted %d times, want %d", n, times)
	}
}

func onDesk(t *testing.T, test func(*desk)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		test(&desk{T: t, counts: newCounts(slog.New(slog.DiscardHandler)), takes: 20 * time.Millisecond})
		synctest.Wait()
	})
}

func TestFewAreCountedAnewEachTime(t *testing.T) {
	onDesk(t, func(d *desk) {
		for d.n = range 5 {
			d.want(int64(d.n), true)
		}
		d.wantCounted(5)
	})
}

func TestManyAreCountedNowAndThen(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n = 2000
		d.want(2000, true)
		d.n = 3000
		time.Sleep(leastAge - time.Second)
		d.want(2000, true)
		time.Sleep(2 * time.Second)
		d.want(3000, true)
		d.wantCounted(2)
	})
}

func TestACountThatTakesLongGoesOn(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n, d.takes = 2000, 2*time.Second
		d.want(-1, false)
		d.want(-1, false) // and nobody counts it a second time
		time.Sleep(d.takes)
		d.want(2000, true)
		d.wantCounted(1)
		d.n = 3000
		time.Sleep(mostAge)
		d.want(2000, false)
		time.Sleep(d.takes)
		d.want(3000, true)
		d.wantCounted(2)
	})
}

func TestFewThatTakeLongAreKept(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n, d.takes = 7, time.Second
		d.want(-1, false)
		time.Sleep(d.takes)
		d.want(7, true)
		d.wantCounted(1)
		time.Sleep(leastAge)
		d.want(7, false)
		d.wantCounted(2)
		time.Sleep(d.takes)
	})
}

func TestACountThatFailedIsTriedAgain(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.fails = errors.New("down")
		e, done := d.start(d.Context(), "view", d.count)
		var got Count
		if err := d.await(d.Context(), e, done, &got); !errors.Is(err, d.fails) {
			d.Errorf("got %v", err)
		}
		d.fails = nil
		d.want(0, true)
		d.wantCounted(2)
	})
}

// What cannot be counted in time is not begun anew by all who ask, and they are
// told what it was.
func TestACountThatIsGivenUpRests(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n = 5
		d.want(5, true)
		d.n, d.takes = 6, 2*longest
		d.want(5, false)
		time.Sleep(longest) // it is given up
		d.takes = 0
		d.want(5, false)
		time.Sleep(mostAge - time.Second)
		d.want(5, false)
		d.wantCounted(2)
		time.Sleep(time.Second)
		d.want(6, true)
		d.wantCounted(3)
	})
}

// busy takes all slots, each for a time of its own.
func (d *desk) busy(each time.Duration) {
	for n := range atOnce {
		d.start(d.Context(), "busy"+strconv.Itoa(n), func(ctx context.Context) (int, error) {
			time.Sleep(each)
			return 0, nil
		})
	}
	synctest.Wait()
}

// The time that a count may take begins with its turn.
func TestACountThatWaitedHasItsWholeTime(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n, d.takes = 2000, longest-time.Second
		d.busy(longest - time.Second)
		d.want(-1, false)
		d.wantCounted(0) // it waits
		time.Sleep(longest)
		d.wantCounted(1)
		time.Sleep(longest)
		d.want(2000, true)
		d.wantCounted(1)
	})
}

// Nobody waits for a turn for ever; who asks later queues anew.
func TestACountWithoutATurnIsGivenUp(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.n = 7
		d.busy(2 * longest)
		_, done := d.start(d.Context(), "view", d.count)
		begun := time.Now()
		<-done
		if waited := time.Since(begun); waited != longest {
			t.Errorf("waited for %v", waited)
		}
		d.wantCounted(0)
		d.want(-1, false)
		time.Sleep(longest)
		d.want(7, true)
		d.wantCounted(1)
	})
}

// When counts are stopped none is left under way, whether it waits or counts, and
// none begins.
func TestCountsEnd(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.takes = longest
		for n := range 2 * atOnce {
			d.start(d.Context(), strconv.Itoa(n), d.count)
		}
		synctest.Wait()
		d.wantCounted(atOnce)
		begun := time.Now()
		d.stop()
		if took := time.Since(begun); took != 0 {
			d.Errorf("ended after %v", took)
		}
		d.want(-1, false)
		d.wantCounted(atOnce)
	})
}

func TestACountThatPanicsFails(t *testing.T) {
	onDesk(t, func(d *desk) {
		e, done := d.start(d.Context(), "view", func(context.Context) (int, error) { panic("oh") })
		if err := d.await(d.Context(), e, done, &Count{}); err == nil || err.Error() != "count a view: oh" {
			d.Errorf("got %v", err)
		}
		d.want(0, true)
	})
}

func TestFewViewsAreCountedAtOnce(t *testing.T) {
	onDesk(t, func(d *desk) {
		d.takes = 100 * time.Millisecond
		begun := time.Now()
		var all []<-chan struct{}
		for n := range 2*atOnce + 1 {
			_, done := d.start(d.Context(), string(rune('a'+n)), d.count)
			all = append(all, done)
		}
		for _, done := range all {
			<-done
		}
		if took := time.Since(begun); took != 3*d.takes {
			d.Errorf("took %v, want %v", took, 3*d.takes)
		}
	})
}
