package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

func TestBulkOfManyAtOnceTellsOfEachInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note many", notingMany(s.db, func(_ context.Context, index int) error {
		if index == 1 {
			return fault.InvalidField("name", "holds \xff")
		}
		return nil
	}))
	job := w.bulkOf(w.start(s), "note many", `{"id":1}`, `{"id":2}`, `{"id":3}`)
	done := w.ended(s, job.ID)
	want := `[{"index":0},{"action":"update","details":"Name: holds \ufffd","error":"RecordInvalid","id":2,"index":1,"status":"Failed","success":false},{"index":2}]`
	if got, want := compact(t, done.Results), compact(t, []byte(want)); got != want || *done.Progress != 3 {
		t.Errorf("progress %d, results %s", *done.Progress, got)
	}
	if got := w.noted(); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("done: %v", got)
	}
}

// Whatever keeps many from being done at once, nothing of it stays, and each is
// done by itself.
func TestBulkOfManyAtOnceFallsBackToEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	alone := func(fails func(context.Context) ([]Result, error)) Operation {
		op := noting(s.db, func(_ context.Context, index int) error {
			if index == 1 {
				return fault.Blank("name")
			}
			return nil
		})
		many := notingMany(s.db, nil).RunMany
		op.RunMany = func(ctx context.Context, by auth.Actor, items []Item) ([]Result, error) {
			if _, err := many(ctx, by, items); err != nil {
				return nil, err
			}
			return fails(ctx)
		}
		return op
	}
	three := func(err error) ([]Result, error) { return []Result{{Value: 1}, {Err: err}, {Value: 3}}, nil }
	for name, fails := range map[string]func(context.Context) ([]Result, error){
		"error":           func(context.Context) ([]Result, error) { return nil, errors.New("cannot do so many") },
		"fault":           func(context.Context) ([]Result, error) { return nil, fault.Blank("name") },
		"panic":           func(context.Context) ([]Result, error) { panic("cannot") },
		"error of one":    func(context.Context) ([]Result, error) { return three(errors.New("no fault")) },
		"conflict of one": func(context.Context) ([]Result, error) { return three(fault.New(fault.Busy, "busy")) },
		"statement": func(ctx context.Context) ([]Result, error) {
			return nil, s.db.WithContext(ctx).Exec("SELECT 1/0").Error
		},
	} {
		s.Register(name, alone(fails))
	}
	w.start(s)
	for name := range s.operations {
		w.exec("DELETE FROM noted")
		done := w.ended(s, w.bulkOf(s, name, numbered(3)...).ID)
		want := `[{"index":0},{"action":"update","details":"Name: cannot be blank","error":"RecordInvalid","id":2,"index":1,"status":"Failed","success":false},{"index":2}]`
		if got := compact(t, done.Results); got != want || *done.Progress != 3 {
			t.Errorf("%s: progress %d, results %s", name, *done.Progress, got)
		}
		if got := w.noted(); !slices.Equal(got, []int{0, 2}) {
			t.Errorf("%s: done %v", name, got)
		}
	}
}

func TestBulkOfManyAtOnceGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note many", notingMany(s.db, nil))
	job := w.bulkOf(s, "note many", numbered(20)...)
	w.victim()
	half, err := s.Show(w.ctx, w.by, job.ID)
	if err != nil || *half.Progress != 0 || len(w.noted()) != 0 {
		t.Fatalf("after the kill: %+v, %v, done %v", half, err, w.noted())
	}
	done := w.ended(w.start(s), job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(20)) || *done.Progress != 20 {
		t.Errorf("progress %d, done: %v", *done.Progress, got)
	}
}

func TestBulkOfManyAtOnceGoesOnBehindWhatWasDoneOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.service(), w.service()
	at := make(chan struct{})
	op := noting(first.db, func(_ context.Context, index int) error {
		if index == 3 {
			close(at)
			<-first.stopping
		}
		return nil
	})
	op.RunMany = func(context.Context, auth.Actor, []Item) ([]Result, error) { return nil, errors.New("not all") }
	first.Register("note many", op)
	second.Register("note many", notingMany(second.db, nil))
	job := w.bulkOf(w.start(first), "note many", numbered(10)...)
	<-at
	if err := first.Stop(w.ctx); err != nil {
		t.Fatal(err)
	}
	done := w.ended(w.start(second), job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(10)) || *done.Progress != 10 {
		t.Errorf("progress %d, done: %v", *done.Progress, got)
	}
	var results []struct{ Index int }
	if err := json.Unmarshal(done.Results, &results); err != nil || len(results) != 10 {
		t.Fatalf("%v: %s", err, done.Results)
	}
	for i, r := range results {
		if r.Index != i {
			t.Errorf("result %d is of item %d", i, r.Index)
		}
	}
}

func TestBulkOfManyAtOnceWorkedTwiceDoesEachItemOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	at, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Register("note many", notingMany(s.db, func(_ context.Context, index int) error {
		if index == 3 {
			once.Do(func() { close(at); <-goOn })
		}
		return nil
	}))
	job := w.bulkOf(w.start(s), "note many", numbered(10)...)
	<-at
	w.exec("UPDATE river_job SET state = 'available' WHERE kind = 'bulk'")
	w.until("the second worker at the same items", func() bool {
		return w.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") > 0
	})
	close(goOn)
	done := w.ended(s, job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(10)) || *done.Progress != 10 {
		t.Errorf("progress %d, done: %v", *done.Progress, got)
	}
}
