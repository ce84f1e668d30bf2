package webhooks

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

// An endpoint that fails is left alone for a while: what waits keeps its tries.
func TestFailingEndpointsAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var well atomic.Bool
	var asked atomic.Int32
	w := d.hook(receiver(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !well.Load() {
			w.WriteHeader(503)
		}
	}))
	d.runs(d.Service)
	for n := range fewest {
		d.happens(d.created(int64(n + 1)))
	}
	blocks := func() int { return d.blocks(w) }
	d.until("the endpoint is left alone", func() bool { return blocks() == 1 })
	d.happens(d.created(100), d.created(101))
	list, err := d.Invocations(d.ctx(), d.by(), w.ID, Window{Statuses: []string{StatusBlocked}}, pageOfAll)
	if err != nil || len(list.Items) != 2 || list.Items[0].Status != StatusBlocked || list.Items[0].Tries != 0 {
		t.Fatalf("%+v, %v", list.Items, err)
	}
	before := asked.Load()
	d.later(firstBlock - time.Second)
	if found, err := d.claim(context.Background(), []busy{}, 10); err != nil || len(found) > 0 {
		t.Fatalf("%d are taken of an endpoint that is left alone, %v", len(found), err)
	}
	d.later(time.Second)
	d.until("one is sent", func() bool { return blocks() == 2 })
	if n := asked.Load() - before; n != 1 {
		t.Errorf("%d are sent to see whether the endpoint is back", n)
	}
	well.Store(true)
	d.later(2 * firstBlock)
	d.until("all are sent", func() bool { return blocks() == 0 && d.count("webhook_invocations", "status = 'success'") >= 2 })
	if n := d.count("webhook_invocations", "status = 'pending'"); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// tallied is what a process stores of tries, the errors spread evenly among them,
// that were made from the desk's time on.
func (d *desk) tallied(webhook string, tries, errors int, every time.Duration) (rows []tallied) {
	all := tally{}
	var at time.Time
	for n := range tries {
		at = d.now().Add(time.Duration(n) * every)
		all.add(at, (n+1)*errors/tries > n*errors/tries)
	}
	d.clock.Store(&at)
	for slot, c := range all {
		rows = append(rows, tallied{d.account, webhook, slot, c.tries, c.errors})
	}
	return rows
}

func TestBreakerCounts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	opens := func(webhook string, rows []tallied) bool {
		open, err := d.failing(context.Background(), rows)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(open, lane{d.account, webhook})
	}
	for n, tc := range []struct {
		tries, errors int
		every         time.Duration
		want          bool
	}{
		{fewest - 1, fewest - 1, time.Millisecond, false}, {fewest, fewest, time.Millisecond, true}, {100, 69, time.Millisecond, false}, {100, 72, time.Millisecond, true},
		{10_000, 1_000, time.Millisecond, false}, {10_000, 1_001, time.Millisecond, true},
		{fewest, fewest, window / 10, false}, // so few in a window
	} {
		webhook := fmt.Sprint("hook", n)
		if got := opens(webhook, d.tallied(webhook, tc.tries, tc.errors, tc.every)); got != tc.want {
			t.Errorf("%d errors of %d: %v", tc.errors, tc.tries, got)
		}
	}
	// What is stored counts on, and not for long.
	for n, want := range []bool{false, true} {
		if got := opens("two", d.tallied("two", fewest/2, fewest/2, time.Millisecond)); got != want {
			t.Errorf("half of the failures, time %d: %v", n+1, got)
		}
	}
	d.later(window)
	if opens("two", d.tallied("two", fewest-1, fewest-1, time.Millisecond)) {
		t.Error("failures are counted that are long ago")
	}
	d.later(window)
	if err := d.Prune(d.ctx()); err != nil {
		t.Fatal(err)
	}
	if n := d.count("webhook_failures", "true"); n != 0 {
		t.Errorf("%d old counts are kept", n)
	}
	for blocks, want := range map[int]time.Duration{0: 5 * time.Second, 1: 10 * time.Second, 6: 320 * time.Second, 60: 320 * time.Second} {
		if got := blockFor(blocks); got != want {
			t.Errorf("after %d blocks %s, want %s", blocks, got, want)
		}
	}
}

// dispatched is a dispatcher to tell of outcomes of one webhook.
func (d *desk) dispatched(w models.Webhook) *dispatcher {
	return &dispatcher{Service: d.Service, log: slog.New(slog.DiscardHandler), ctx: context.Background(), lanes: map[lane]*traffic{{d.account, w.ID}: {unsaved: tally{}}}}
}

func (d *desk) blocks(w models.Webhook) int {
	d.t.Helper()
	now, err := d.Get(d.ctx(), d.by(), w.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return now.Blocks
}

// outcomes are of tries of a webhook, made now.
func (d *desk) outcomes(w models.Webhook, statuses ...string) (list []*delivery) {
	for _, status := range statuses {
		list = append(list, &delivery{webhook: w, outcome: Outcome{Status: status}, finishedAt: d.now()})
	}
	return list
}

// An endpoint that answers is not left alone for what it did before, though its
// answer makes the tries enough to say something.
func TestAnswersOpenNoBreaker(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	failures := slices.Repeat([]string{StatusFailed}, fewest-1)
	for n, tc := range []struct {
		tries []string // stored one after the other, and all but the last together
		want  int
	}{
		{append(slices.Clone(failures), StatusSuccess), 0},
		{append(slices.Clone(failures), StatusFailed), 1},
		{append(slices.Clone(failures), StatusSuccess, StatusFailed), 1},
	} {
		w := d.hook("https://hooks.invalid/")
		s := d.dispatched(w)
		list := d.outcomes(w, tc.tries...)
		for _, stored := range [][]*delivery{list[:fewest-1], list[fewest-1:]} {
			if err := s.weigh(context.Background(), stored); err != nil {
				t.Fatal(err)
			}
			// Of what fails successes are stored, too, after a while.
			s.lanes[lane{d.account, w.ID}].saved = time.Now().Add(-2 * savedApart)
		}
		if got := d.blocks(w); got != tc.want {
			t.Errorf("case %d: %d blocks, want %d", n, got, tc.want)
		}
	}
}

func TestCountsThatCannotBeStoredAreStoredLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.hook("https://hooks.invalid/")
	s := d.dispatched(w)
	broken, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.weigh(broken, d.outcomes(w, slices.Repeat([]string{StatusFailed}, fewest-1)...)); err == nil {
		t.Fatal("counts were stored without a database")
	}
	if err := s.weigh(context.Background(), d.outcomes(w, StatusFailed)); err != nil || d.blocks(w) != 1 {
		t.Errorf("%d blocks, %v", d.blocks(w), err)
	}
}

// Counts are taken in one order, whether they are added to or removed: otherwise
// two processes would wait for each other.
func TestCountsAreRemovedInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.hook("https://hooks.invalid/")
	for name, remove := range map[string]func() error{
		"blocked": func() error { return d.block(context.Background(), &w, theClock) },
		"old":     func() error { return d.Prune(d.ctx()) },
	} {
		d.clock.Store(&theClock)
		for slot := range int64(3) { // the last first in the table
			if _, err := d.failing(context.Background(), []tallied{{d.account, w.ID, slotOf(theClock) - slot, 1, 1}}); err != nil {
				t.Fatal(err)
			}
		}
		d.later(2 * window)
		tx := d.db.WithContext(d.ctx()).Begin()
		if err := tx.Exec("SELECT FROM webhook_failures WHERE slot = ? FOR UPDATE", slotOf(theClock)-2).Error; err != nil {
			t.Fatal(err)
		}
		removed := make(chan error, 1)
		go func() { removed <- remove() }()
		d.until("the removal waits", func() bool {
			return d.count("pg_stat_activity", "datname = current_database() AND wait_event_type = 'Lock'") == 1
		})
		if err := tx.Exec("SELECT FROM webhook_failures WHERE slot = ? FOR UPDATE NOWAIT", slotOf(theClock)).Error; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if err := <-removed; err != nil {
			t.Error(err)
		}
	}
}

// Processes count failures together, and one that begins goes on where others
// ended. Endpoints that answer cost no writes.
func TestFailuresCountAcrossProcesses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	fails := d.hook(receiver(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	answers := d.hook(receiver(t, func(w http.ResponseWriter, r *http.Request) {}))
	blocks := func() int { return d.blocks(fails) }
	const half = fewest / 2
	for n, process := range []string{thisProcess, "helpd-2"} {
		s := d.process(process)
		stop := d.runs(s)
		for i := range half {
			d.happens(d.created(int64(n*half + i + 1)))
			s.Wake()
		}
		d.until("all are tried", func() bool {
			return d.count("webhook_attempts", "status = 'success'") == (n+1)*half && d.count("webhook_attempts", "status = 'failed'") == (n+1)*half
		})
		if n == 0 && blocks() != 0 {
			t.Error("the endpoint is left alone before time")
		}
		stop()
	}
	if n := blocks(); n != 1 {
		t.Errorf("blocks: %d", n)
	}
	if n := d.count("webhook_failures", "webhook_id = '"+answers.ID+"'"); n != 0 {
		t.Errorf("%d counts of an endpoint that answers", n)
	}
}
