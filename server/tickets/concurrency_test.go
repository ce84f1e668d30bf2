package tickets

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/testdb"
)

// atOnce runs n calls of f at the same time and reports their errors.
func (w *world) atOnce(n int, f func(i int) error) {
	w.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			w.Errorf("call %d: %v", i, err)
		}
	}
}

func TestChangesOfOneTicketAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	group := w.newGroup("Second", w.gus)
	id := w.ticket(Change{}).ID
	const n = 16
	w.atOnce(n, func(i int) error {
		w.tick(time.Second)
		c := Change{AddTags: []string{fmt.Sprint("tag", i)}, Comment: says(fmt.Sprint("Reply ", i)), GroupID: some(w.group)}
		if i%2 == 0 {
			c.GroupID = some(group)
		}
		_, err := w.Update(w.ctx, w.admin, id, c)
		return err
	})
	got, err := w.Get(w.ctx, w.admin, id)
	if err != nil {
		t.Fatal(err)
	}
	if got.CommentCount != n+1 || len(got.Tags) != n {
		t.Errorf("%d comments, %d tags", got.CommentCount, len(got.Tags))
	}
	m := w.metric(id)
	if m.Replies != n+1 {
		t.Errorf("%d replies", m.Replies)
	}
	if stations := w.stations(id, "group_id"); m.GroupStations != stations {
		t.Errorf("%d groups, and %d by the audits", m.GroupStations, stations)
	}
	// In the order of time, each audit starts where the one before ended.
	w.replayed(id)
}

func TestTicketsMadeAtOnceHaveNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	ids := make([]int64, 16)
	w.atOnce(len(ids), func(i int) error {
		saved, err := w.Create(w.ctx, w.admin, Change{Comment: says("Help"), Tags: []string{"same"}})
		ids[i] = saved.Ticket.ID
		return err
	})
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 16 || ids[0] != 1 {
		t.Errorf("numbers %v", ids)
	}
}

func TestOneOfTwoSafeUpdatesWins(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	ticket := w.ticket(Change{})
	w.tick(time.Minute)
	var won, lost int
	var mu sync.Mutex
	w.atOnce(8, func(i int) error {
		_, err := w.Update(w.ctx, w.admin, ticket.ID, Change{AddTags: []string{fmt.Sprint("by", i)}, UpdatedStamp: &ticket.UpdatedAt})
		mu.Lock()
		defer mu.Unlock()
		if fault.Is(err, fault.Outdated) {
			lost++
			return nil
		}
		won++
		return err
	})
	if won != 1 || lost != 7 {
		t.Errorf("%d won, %d lost", won, lost)
	}
}

func TestIncidentsLinkedAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	problem := w.ticket(Change{Type: some(models.TypeProblem)}).ID
	w.atOnce(8, func(i int) error {
		saved, err := w.Create(w.ctx, w.admin, Change{Comment: says("Me too"), Type: some(models.TypeIncident), ProblemID: some(problem)})
		if err == nil && i%2 == 0 {
			_, err = w.Update(w.ctx, w.admin, saved.Ticket.ID, Change{ProblemID: none[int64]()})
		}
		return err
	})
	got, err := w.Get(w.ctx, w.admin, problem)
	if err != nil || got.IncidentCount != 4 {
		t.Errorf("%d incidents, %v", got.IncidentCount, err)
	}
}
