package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

// told are the events of a save, each as "metric type instance seconds".
func told(events []metricEvent) string {
	var out []string
	for _, e := range events {
		text := e.Type
		if e.Metric != "" {
			text = fmt.Sprintf("%s %s %d", e.Metric, e.Type, e.Instance)
		}
		if e.Seconds != nil {
			text += fmt.Sprint(" ", *e.Seconds)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// Each step is what a save was and what its events are, of one ticket.
func TestClocksOfATicket(t *testing.T) {
	t.Parallel()
	var kept, business models.IDs
	at := noon.Unix()
	for _, step := range []struct {
		about string
		after time.Duration
		turn  turn
		want  string
	}{
		{"created", 0, turn{created: true, status: "new", unsolved: true, asked: true},
			"measure, reply_time activate 1, agent_work_time activate 1, requester_wait_time activate 1, resolution_time activate 1"},
		{"into a group", time.Minute, turn{status: "open", unsolved: true, grouped: true, regrouped: true}, "group_ownership_time activate 1"},
		{"replied and pending", time.Minute, turn{status: "pending", unsolved: true, grouped: true, replied: true},
			"reply_time fulfill 1, reply_time update_status 1 120, periodic_update_time activate 1, pausable_update_time activate 1, " +
				"pausable_update_time pause 1, pausable_update_time update_status 1 0, agent_work_time pause 1, agent_work_time update_status 1 120, " +
				"requester_wait_time pause 1, requester_wait_time update_status 1 120, group_ownership_time pause 1, group_ownership_time update_status 1 60"},
		{"asked again", time.Hour, turn{status: "open", unsolved: true, grouped: true, asked: true},
			"reply_time activate 2, pausable_update_time activate 1, agent_work_time activate 1, requester_wait_time activate 1, group_ownership_time activate 1"},
		{"asked once more", time.Minute, turn{status: "open", unsolved: true, grouped: true, asked: true}, ""},
		{"on hold", time.Minute, turn{status: "hold", unsolved: true, grouped: true}, "agent_work_time pause 1, agent_work_time update_status 1 240"},
		{"into another group", time.Second, turn{status: "hold", unsolved: true, grouped: true, regrouped: true},
			"group_ownership_time fulfill 1, group_ownership_time update_status 1 181, group_ownership_time activate 2"},
		{"solved", time.Second, turn{status: "solved", grouped: true, ended: true},
			"reply_time fulfill 2, reply_time update_status 2 122, periodic_update_time fulfill 1, periodic_update_time update_status 1 3722, " +
				"pausable_update_time fulfill 1, pausable_update_time update_status 1 122, agent_work_time fulfill 1, agent_work_time update_status 1 240, " +
				"requester_wait_time fulfill 1, requester_wait_time update_status 1 242, resolution_time fulfill 1, resolution_time update_status 1 3842, " +
				"group_ownership_time fulfill 2, group_ownership_time update_status 2 1"},
		{"thanked", time.Second, turn{status: "solved", grouped: true, asked: true}, ""},
		{"reopened", time.Second, turn{status: "open", unsolved: true, grouped: true, reopened: true},
			"agent_work_time activate 2, requester_wait_time activate 2, resolution_time activate 2, group_ownership_time activate 3"},
	} {
		step.turn.at = at + int64(step.after/time.Second)
		at = step.turn.at
		step.turn.clocks = readClocks(kept, business)
		step.turn.run()
		kept, business = step.turn.kept()
		got, want := strings.Split(told(step.turn.events), ", "), strings.Split(step.want, ", ")
		if !sameSet(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", step.about, got, want)
		}
	}
}

func TestClocksOfAnOlderTicketBeginLate(t *testing.T) {
	t.Parallel()
	s := turn{at: noon.Unix(), status: "pending", unsolved: true}
	s.run()
	if len(s.events) > 0 {
		t.Errorf("a ticket that was not measured told %s", told(s.events))
	}
	s = turn{at: noon.Unix(), status: "open", unsolved: true, reopened: true, clocks: readClocks(models.IDs{1, 0}, nil)}
	s.run()
	if got := told(s.events); got != "agent_work_time activate 1, requester_wait_time activate 1, resolution_time activate 1" {
		t.Errorf("reopened: %s", got)
	}
}

func TestOnlyWhatChangesAMetricTellsEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.ticket(Change{}).ID
	rows := func() int {
		return w.count("SELECT count(*) FROM ticket_metric_events WHERE account_id = ? AND ticket_id = ?", w.admin.AccountID, id)
	}
	if rows() != 1 {
		t.Fatalf("%d rows for a new ticket", rows())
	}
	w.tick(time.Minute)
	w.change(id, Change{Subject: some("S"), Tags: []string{"a"}, Comment: says("among us", false)})
	if rows() != 1 {
		t.Error("a subject, tags and a private comment are events of metrics")
	}
	w.change(id, Change{Comment: says("A reply")})
	if rows() != 2 {
		t.Error("a reply is no event of a metric")
	}
	told, err := w.MetricEventsOf(w.ctx, w.admin, []int64{id})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[int64]bool{}
	for _, e := range told[id] {
		ids[e.ID] = true
	}
	if len(ids) != len(told[id]) || len(ids) < 12 {
		t.Errorf("events share ids: %+v", told[id])
	}
}
