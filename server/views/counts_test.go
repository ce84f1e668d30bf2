package views

import (
	"context"
	"errors"
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
		test(&desk{T: t, counts: newCounts(), takes: 20 * time.Millisecond})
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
		d.takes = 2 * longest // is given up
		d.want(0, false)
		time.Sleep(longest)
		d.takes = 0
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
