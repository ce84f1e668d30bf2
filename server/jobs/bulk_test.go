package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

func TestBulkAnswersQueuedAndCompletesInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	job := w.bulk(s, numbered(3)...)
	if job.Status != models.JobQueued || *job.Total != 3 || job.Progress != nil || job.Results != nil || job.Message != nil {
		t.Errorf("first answer: %+v", job)
	}
	if !isJobID.MatchString(job.ID) {
		t.Errorf("id %q", job.ID)
	}
	seen, err := w.service().Show(w.ctx, w.by, job.ID)
	if err != nil || seen.Status != models.JobQueued {
		t.Errorf("seen by another process: %+v, %v", seen, err)
	}

	w.start(s)
	done := w.ended(s, job.ID)
	if done.Status != models.JobCompleted || *done.Progress != 3 || done.JobType != "Bulk Update Ticket" {
		t.Errorf("at the end: %+v", done)
	}
	if want := done.UpdatedAt.UTC().Format("Completed at 2006-01-02 15:04:05 +0000"); *done.Message != want {
		t.Errorf("message %q, want %q", *done.Message, want)
	}
	if got := compact(t, done.Results); got != `[{"index":0},{"index":1},{"index":2}]` {
		t.Errorf("results %s", got)
	}
	if n := w.number("SELECT count(*) FROM job_items"); n != 0 {
		t.Errorf("%d items left behind", n)
	}
}

func compact(t *testing.T, doc []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func TestBulkShowsProgressWhileItWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	at, goOn := make(chan struct{}), make(chan struct{})
	s.Register("note", noting(s.db, func(_ context.Context, index int) error {
		if index == 2 {
			at <- struct{}{}
			<-goOn
		}
		return nil
	}))
	job := w.bulk(w.start(s), numbered(4)...)
	<-at
	working, err := s.Show(w.ctx, w.by, job.ID)
	if err != nil || working.Status != models.JobWorking || *working.Progress != 2 || *working.Message != "Updating ticket #2" || working.Results != nil {
		t.Errorf("half way: %+v, %v", working, err)
	}
	close(goOn)
	w.ended(s, job.ID)
}

func TestBulkOfAFailingItemKeepsTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, func(_ context.Context, index int) error {
		switch index {
		case 1:
			return fault.Blank("name")
		case 2:
			return fault.Missing("ticket", 3)
		case 3:
			return fault.InvalidField("subject", "holds \x00 and \xff")
		}
		return nil
	}))
	job := w.bulk(w.start(s), `{"id":1}`, `{"id":2}`, `3`, `{"id":"x\u0000"}`, `{"name":"\u0000"}`)
	done := w.ended(s, job.ID)
	want := `[{"index":0},` +
		`{"action":"update","details":"Name: cannot be blank","error":"RecordInvalid","id":2,"index":1,"status":"Failed","success":false},` +
		`{"action":"update","details":"ticket 3 not found","error":"RecordNotFound","id":3,"index":2,"status":"Failed","success":false},` +
		`{"action":"update","details":"Subject: holds \u0000 and ` + "\uFFFD" + `","error":"RecordInvalid","id":"x\u0000","index":3,"status":"Failed","success":false},` +
		`{"index":4}]`
	if got := compact(t, done.Results); got != want || done.Status != models.JobCompleted {
		t.Errorf("%s: results %s", done.Status, got)
	}
	if got := w.noted(); !slices.Equal(got, []int{0, 4}) {
		t.Errorf("done: %v; what failed must leave nothing", got)
	}
}

func TestBulkWaitsForAnOutageToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	var tries atomic.Int32
	s.Register("note", noting(s.db, func(_ context.Context, index int) error {
		if index == 1 && tries.Add(1) < 4 {
			return errors.New("no connection")
		}
		return nil
	}))
	done := w.ended(s, w.bulk(w.start(s), numbered(3)...).ID)
	if got := compact(t, done.Results); got != `[{"index":0},{"index":1},{"index":2}]` {
		t.Errorf("results %s", got)
	}
	if got := w.noted(); !slices.Equal(got, upTo(3)) {
		t.Errorf("done: %v", got)
	}
}

func TestBulkGivesUpAnItemThatNeverWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	var tries atomic.Int32
	s.Register("note", noting(s.db, func(_ context.Context, index int) error {
		if index == 1 {
			tries.Add(1)
			panic("a bug")
		}
		return nil
	}))
	done := w.ended(s, w.bulk(w.start(s), numbered(3)...).ID)
	want := `[{"index":0},{"action":"update","details":"An unexpected error occurred","error":"InternalServerError","id":2,"index":1,"status":"Failed","success":false},{"index":2}]`
	if got := compact(t, done.Results); got != want {
		t.Errorf("results %s", got)
	}
	if n := tries.Load(); n != bulkAttempts {
		t.Errorf("tried %d times", n)
	}
}

func TestBulkGetsOverAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	var tries atomic.Int32
	s.Register("note", noting(s.db, func(context.Context, int) error {
		if tries.Add(1) == 1 {
			return fault.New(fault.Busy, "another write is under way")
		}
		return nil
	}))
	done := w.ended(s, w.bulk(w.start(s), `{}`).ID)
	if got := compact(t, done.Results); got != `[{"index":0}]` || tries.Load() != 2 {
		t.Errorf("results %s after %d tries", got, tries.Load())
	}
}

func TestBulkSingleHasAnObjectAndNoNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", Operation{
		JobType: "Permanent Delete", Doing: "Deleting ticket", Action: "delete", Single: true,
		Run: func(context.Context, auth.Actor, json.RawMessage, int) (any, error) {
			return map[string]bool{"success": true}, nil
		},
	})
	done := w.ended(s, w.bulk(w.start(s), `7`).ID)
	if compact(t, done.Results) != `{"success":true}` || done.Total != nil || done.Progress != nil {
		t.Errorf("%+v, results %s", done, done.Results)
	}
}

func TestBulkOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	if _, err := s.StartBulk(w.ctx, w.by, "note", nil); !fault.Is(err, fault.BadRequest) {
		t.Errorf("%v", err)
	}
}

func TestBulkHasTheRightsOfWhoStartedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	var got auth.Actor
	op := noting(s.db, nil)
	op.Run = func(ctx context.Context, by auth.Actor, _ json.RawMessage, _ int) (any, error) {
		got = auth.From(ctx)
		if postgres.Account(ctx) != by.AccountID {
			t.Errorf("context of account %d", postgres.Account(ctx))
		}
		return nil, nil
	}
	s.Register("note", op)
	w.by.Scopes, w.by.Via = []string{"tickets:write"}, "oauth"
	w.ended(s, w.bulk(w.start(s), `{}`).ID)
	if got.AccountID != w.by.AccountID || got.ID() != w.by.ID() || got.Via != "oauth" || !slices.Equal(got.Scopes, w.by.Scopes) {
		t.Errorf("actor %+v", got)
	}
}

func TestBulkOfASuspendedUserFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	job := w.bulk(s, `{"id":5}`)
	w.exec("UPDATE users SET suspended = true")
	done := w.ended(w.start(s), job.ID)
	want := `[{"action":"update","details":"the user who started this job may not sign in any more","error":"Forbidden","id":5,"index":0,"status":"Failed","success":false}]`
	if got := compact(t, done.Results); got != want || len(w.noted()) != 0 {
		t.Errorf("results %s", got)
	}
}

func TestBulkLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	op := noting(s.db, nil)
	s.Register("note", op)
	op.TooMany = fault.New(fault.TooMany, "Maximum 100 users may be created per call")
	s.Register("users", op)

	_, err := s.StartBulk(w.ctx, w.by, "note", raw(numbered(101)...))
	if f := fault.Of(err); f == nil || f.Kind != fault.TooMany || f.Max != 100 {
		t.Errorf("101 items: %v", err)
	}
	if _, err = s.StartBulk(w.ctx, w.by, "users", raw(numbered(101)...)); !errors.Is(err, op.TooMany) {
		t.Errorf("101 users: %v", err)
	}
	other := w.agent("two")
	if _, err := s.StartBulk(auth.With(w.ctx, other), other, "note", raw(`{}`)); err != nil {
		t.Fatal(err)
	}
	var started, refused atomic.Int32
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			_, err := s.StartBulk(w.ctx, w.by, "note", raw(`{}`))
			switch {
			case err == nil:
				started.Add(1)
			case fault.Is(err, fault.TooManyJobs):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if started.Load() != 30 || refused.Load() != 10 {
		t.Errorf("%d started, %d refused", started.Load(), refused.Load())
	}
	if low := w.number("SELECT max(priority) FROM river_job WHERE queue = 'bulk'"); low != 4 {
		t.Errorf("the last of many jobs has priority %d", low)
	}
}

func TestBulkOfARolledBackTransactionNeverWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	undo := errors.New("undo")
	err := w.db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := s.StartBulk(postgres.WithTx(w.ctx, tx), w.by, "note", raw(`{}`)); err != nil {
			t.Error(err)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	if n := w.number("SELECT (SELECT count(*) FROM job_statuses) + (SELECT count(*) FROM job_items) + (SELECT count(*) FROM river_job)"); n != 0 {
		t.Errorf("%d rows left", n)
	}
}

func TestBulkGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	job := w.bulk(s, numbered(20)...)
	w.victim()
	half, err := s.Show(w.ctx, w.by, job.ID)
	if err != nil || half.Status != models.JobWorking || *half.Progress != victimItem {
		t.Fatalf("after the kill: %+v, %v", half, err)
	}
	again := time.Now()
	done := w.ended(w.start(s), job.ID)
	if took := time.Since(again); took > 5*time.Second {
		t.Errorf("went on after %v", took)
	}
	if got := w.noted(); !slices.Equal(got, upTo(20)) || *done.Progress != 20 {
		t.Errorf("progress %d, done: %v", *done.Progress, got)
	}
}

// victim has a process work the jobs until it is killed in the middle of an item.
func (w *world) victim() {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDSN+"="+w.dsn)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		w.t.Fatalf("%v: %s", err, out)
	}
}

func TestBulkIsTakenOverByALivingProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	job := w.bulk(s, numbered(3)...)
	w.exec("UPDATE river_job SET state = 'scheduled', scheduled_at = now() + interval '1 hour' WHERE kind = 'bulk'")
	w.start(s)
	w.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_by = '{helpd-77}' WHERE kind = 'bulk'")
	w.ended(s, job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(3)) {
		t.Errorf("done: %v", got)
	}
}

func TestBulkStopsBehindItsItemAndGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.service(), w.service()
	at := make(chan struct{})
	first.Register("note", noting(first.db, func(_ context.Context, index int) error {
		if index == 3 {
			close(at)
			<-first.stopping
		}
		return nil
	}))
	second.Register("note", noting(second.db, nil))
	job := w.bulk(w.start(first), numbered(10)...)
	<-at
	if err := first.Stop(w.ctx); err != nil {
		t.Fatal(err)
	}
	half, err := second.Show(w.ctx, w.by, job.ID)
	if err != nil || half.Status != models.JobWorking || *half.Progress != 4 {
		t.Fatalf("after the stop: %+v, %v", half, err)
	}
	w.ended(w.start(second), job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(10)) {
		t.Errorf("done: %v", got)
	}
	w.until("end of the queue's job", func() bool {
		return w.number("SELECT count(*) FROM river_job WHERE kind = 'bulk' AND state = 'completed' AND attempt = 1") == 1
	})
}

func TestBulkOfTwoProcessesDoesEachItemOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.service(), w.service()
	for _, s := range []*Service{first, second} {
		s.Register("note", noting(s.db, nil))
		w.start(s)
	}
	var ids []string
	var want []int
	for i := range 20 {
		ids = append(ids, w.bulk([]*Service{first, second}[i%2], numbered(10)...).ID)
		want = append(want, upTo(10)...)
	}
	for _, id := range ids {
		if done := w.ended(first, id); *done.Progress != 10 {
			t.Errorf("progress %d", *done.Progress)
		}
	}
	slices.Sort(want)
	if got := w.noted(); !slices.Equal(got, want) {
		t.Errorf("done: %v", got)
	}
}

// A worker that lost its connection may be taken for dead while it works.
func TestBulkWorkedTwiceDoesEachItemOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	at, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Register("note", noting(s.db, func(_ context.Context, index int) error {
		if index == 3 {
			once.Do(func() { close(at); <-goOn })
		}
		return nil
	}))
	job := w.bulk(w.start(s), numbered(10)...)
	<-at
	w.exec("UPDATE river_job SET state = 'available' WHERE kind = 'bulk'")
	w.until("the second worker at the same item", func() bool {
		return w.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") > 0
	})
	close(goOn)
	done := w.ended(s, job.ID)
	if got := w.noted(); !slices.Equal(got, upTo(10)) || *done.Progress != 10 {
		t.Errorf("progress %d, done: %v", *done.Progress, got)
	}
}
