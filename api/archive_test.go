package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/helpd/helpd/server/testdb"
)

const day = 24 * time.Hour

// What is solved is closed after 28 days, and what is closed leaves the lists
// after 120, without anybody's doing.
func TestTicketsAreClosedAndArchivedInTime(t *testing.T) {
	t.Parallel()
	a, services := buildAPI(t, testdb.DB(t), "postgres://nowhere.invalid/")
	work := func() {
		t.Helper()
		for _, f := range []func() error{
			func() error { return services.Tickets.CloseSolved(t.Context()) }, func() error { return services.Tickets.ArchiveClosed(t.Context()) },
		} {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.post("/api/v2/triggers", `{"trigger":{"title":"Closed","conditions":{"all":[{"field":"status","operator":"is","value":"closed"}]},
		"actions":[{"field":"current_tags","value":"seen_by_a_rule"}]}}`).want(201)
	status := func(id int64) any { t.Helper(); return a.get(a.path(id)).want(200).member("ticket", "status") }
	a.user("Ann", a.email("ann"), "end-user")
	ann := a.as(a.email("ann"))
	solved := a.solved(a.email("ann"))
	reopened, open, gone := a.solved(a.email("ann")), ann.request("open"), a.solved(a.email("ann"))
	a.delete(a.path(gone)).want(204)
	a.tick(day)
	ann.put(fmt.Sprintf("/api/v2/requests/%d", reopened), `{"request":{"comment":{"body":"Still"}}}`).want(200)
	young := a.solved(a.email("ann"))

	a.tick(27 * day)
	work()
	if status(solved) != "solved" {
		t.Error("closed a moment too early")
	}
	a.tick(time.Second)
	work()
	if status(solved) != "closed" || status(young) != "solved" || status(reopened) != "open" || status(open) != "new" {
		t.Errorf("after 28 days: %v %v %v %v", status(solved), status(young), status(reopened), status(open))
	}
	audits := a.get(a.path(solved) + "/audits").want(200)
	last := len(audits.ids("audits")) - 1
	if tags := a.get(a.path(solved)).want(200).member("ticket", "tags"); fmt.Sprint(tags) != "[]" {
		t.Errorf("rules ran on the closing: %v", tags)
	}
	if got := fmt.Sprintf("%v %v %v %v", audits.member("audits", last, "author_id"), audits.member("audits", last, "via", "channel"),
		audits.member("audits", last, "events", 0, "field_name"), audits.member("audits", last, "events", 0, "value")); got != "-1 system status closed" {
		t.Errorf("the closing's audit tells %s: %s", got, audits.body)
	}

	a.tick(119 * day)
	work()
	closed := a.solved(a.email("ann"))
	if tags := a.put(a.path(closed), `{"ticket":{"status":"closed"}}`).want(200).member("ticket", "tags"); fmt.Sprint(tags) != "[seen_by_a_rule]" {
		t.Errorf("no rule ran when somebody closed one: %v", tags)
	}
	everywhere := func(want ...int64) {
		t.Helper()
		for _, path := range []string{"/api/v2/tickets", "/api/v2/tickets?page[size]=100"} {
			if got := a.get(path).want(200).ids("tickets"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", path, got, want)
			}
		}
		if got := fmt.Sprint(a.get("/api/v2/tickets/count").want(200).member("count", "value")); got != fmt.Sprint(len(want)) {
			t.Errorf("counted %s, want %d", got, len(want))
		}
		metrics, told := []int64{}, []int64{}
		a.each("/api/v2/ticket_metrics?page[size]=100", "ticket_metrics", "ticket_id", &metrics)
		a.each("/api/v2/ticket_audits?page[size]=100", "audits", "ticket_id", &told)
		all := append(slices.Clone(want), gone) // the deleted one's, too
		slices.Sort(all)
		if !slices.Equal(metrics, want) || !slices.Equal(told, all) {
			t.Errorf("metrics of %v, audits of %v, want %v", metrics, told, want)
		}
	}
	everywhere(solved, reopened, open, young, closed)
	a.tick(day + time.Second)
	work()
	everywhere(reopened, open, young, closed) // the young one was closed a day later
	if got := a.get(a.path(solved) + "/related").want(200).member("from_archive"); got != true {
		t.Error("the ticket is not from the archive")
	}
	// It is shown as before, and to its requester, and what it is told is no more than then.
	if got := len(a.get(a.path(solved) + "/audits").want(200).ids("audits")); got != last+1 {
		t.Errorf("%d audits, want %d", got, last+1)
	}
	if got := a.get(fmt.Sprintf("/api/v2/tickets/show_many?ids=%d", solved)).want(200).ids("tickets"); !slices.Equal(got, []int64{solved}) {
		t.Errorf("shown: %v", got)
	}
	if got := ann.get("/api/v2/requests").want(200).ids("requests"); !slices.Contains(got, solved) {
		t.Errorf("the requester sees %v", got)
	}
	a.put(a.path(solved), `{"ticket":{"additional_tags":["late"]}}`).want(200)
	everywhere(reopened, open, young, closed)
}

// each reads the values of a member of the records in a list, each once, sorted.
func (a *anAPI) each(path, key, member string, into *[]int64) {
	a.t.Helper()
	r := a.get(path).want(200)
	list, _ := r.member(key).([]any)
	for i := range list {
		var id int64
		if _, err := fmt.Sscan(fmt.Sprint(r.member(key, i, member)), &id); err != nil {
			a.t.Fatal(err)
		}
		if !slices.Contains(*into, id) {
			*into = append(*into, id)
		}
	}
	slices.Sort(*into)
}
