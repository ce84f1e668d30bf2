package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

type greeting struct {
	Name string `json:"name"`
}

func (greeting) Kind() string { return "greeting" }

func TestJobRunsOnceItsTransactionIsCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	greeted := make(chan string, 2)
	Handle(s, How{Retry: func(int) time.Duration { return 0 }}, func(_ context.Context, g greeting) error {
		greeted <- g.Name
		if len(greeted) < 2 {
			return errors.New("again")
		}
		return nil
	})
	w.start(s)
	undo := errors.New("undo")
	for name, end := range map[string]error{"kept": nil, "undone": undo} {
		err := w.db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) error {
			if err := s.EnqueueTx(tx, greeting{name}); err != nil {
				return err
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	for range 2 { // the first run fails and is repeated
		if name := <-greeted; name != "kept" {
			t.Errorf("greeted %s", name)
		}
	}
}

func TestPeriodicWorkRunsAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	ran := make(chan struct{}, 1)
	s.Every(time.Hour, "count stars", func(context.Context) error {
		ran <- struct{}{}
		return nil
	})
	w.start(s)
	select {
	case <-ran:
	case <-time.After(30 * time.Second):
		t.Fatal("did not run")
	}
}

func (w *world) status(by auth.Actor, i int, change func(*models.JobStatus)) models.JobStatus {
	w.t.Helper()
	at := time.Now().Add(time.Duration(i) * time.Second)
	j := models.JobStatus{AccountID: by.AccountID, ID: fmt.Sprintf("V3-%032x", i), JobType: "Bulk Create Ticket", Status: models.JobCompleted,
		Stamps: models.Stamps{CreatedAt: at, UpdatedAt: at}}
	if change != nil {
		change(&j)
	}
	if err := w.db.WithContext(auth.With(w.ctx, by)).Create(&j).Error; err != nil {
		w.t.Fatal(err)
	}
	return j
}

func TestStatusesAreTheAccountsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	other := w.agent("two")
	foreign := w.status(other, 9, nil)
	var own []string
	for i := range 5 {
		own = append([]string{w.status(w.by, i, nil).ID}, own...)
	}
	for _, id := range []string{foreign.ID, "V3-\x00", "7", ""} {
		if _, err := s.Show(w.ctx, w.by, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("show %q: %v", id, err)
		}
	}
	many, err := s.ShowMany(w.ctx, w.by, []string{own[3], foreign.ID, "\x00", own[1]})
	if err != nil || !slices.Equal(idsOf(many), []string{own[1], own[3]}) {
		t.Errorf("show many: %v, %v", idsOf(many), err)
	}
	if _, err := s.ShowMany(w.ctx, w.by, make([]string, 101)); !fault.Is(err, fault.TooMany) {
		t.Errorf("101 ids: %v", err)
	}
	var walked []string
	for r := page.First(2); ; {
		got, err := s.List(w.ctx, w.by, r)
		if err != nil {
			t.Fatal(err)
		}
		walked = append(walked, idsOf(got.Items)...)
		if !got.HasMore {
			break
		}
		r.After = got.After
	}
	if !slices.Equal(walked, own) {
		t.Errorf("list: %v, want %v", walked, own)
	}
}

func idsOf(jobs []models.JobStatus) []string {
	out := make([]string, len(jobs))
	for i, j := range jobs {
		out[i] = j.ID
	}
	return out
}

func TestOldStatusesArePruned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	old := func(status string) func(*models.JobStatus) {
		return func(j *models.JobStatus) { j.Status, j.CreatedAt = status, time.Now().Add(-keepStatus-time.Minute) }
	}
	w.status(w.by, 1, old(models.JobCompleted))
	w.status(w.by, 2, old(models.JobFailed))
	working := w.status(w.by, 3, old(models.JobWorking))
	fresh := w.status(w.by, 4, nil)
	if err := s.prune(w.ctx); err != nil {
		t.Fatal(err)
	}
	left, err := s.List(w.ctx, w.by, page.First(10))
	if err != nil || !slices.Equal(idsOf(left.Items), []string{fresh.ID, working.ID}) {
		t.Errorf("left: %v, %v", idsOf(left.Items), err)
	}
}

func TestAbandonedJobFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.service()
	s.Register("note", noting(s.db, nil))
	lost, waiting := w.bulk(s, numbered(2)...), w.bulk(s, `{}`)
	w.exec(`UPDATE job_items SET result = '{"index":0}' WHERE job_id = ? AND index = 0`, lost.ID)
	w.exec("UPDATE river_job SET state = 'discarded', finalized_at = now() WHERE args->>'id' = ?", lost.ID)
	if err := s.failAbandoned(w.ctx); err != nil {
		t.Fatal(err)
	}
	got, err := s.Show(w.ctx, w.by, lost.ID)
	if err != nil || got.Status != models.JobFailed || compact(t, got.Results) != `[{"index":0}]` {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = s.Show(w.ctx, w.by, waiting.ID); err != nil || got.Status != models.JobQueued {
		t.Errorf("%+v, %v", got, err)
	}
}
