package api_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// automation makes one that is active, and returns its id.
func (a *anAPI) automation(title, all, actions string) int64 {
	a.t.Helper()
	return a.post("/api/v2/automations", fmt.Sprintf(`{"automation":{"title":%q,"all":[%s],"actions":[%s]}}`, title, all, actions)).want(201).id("automation")
}

// automate runs the account's automations and returns on how many tickets they
// acted.
func (a *anAPI) automate() int {
	a.t.Helper()
	ran, err := a.automations.RunAccount(testContext(a.t), a.account.ID)
	if err != nil {
		a.t.Fatal(err)
	}
	return ran.Tickets
}

// noAutomations deletes those that came with the account.
func (a *anAPI) noAutomations() {
	a.t.Helper()
	for _, id := range a.get("/api/v2/automations").want(200).ids("automations") {
		a.delete(fmt.Sprintf("/api/v2/automations/%d", id)).want(204)
	}
}

func TestAutomationsActOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	id := a.automation("An hour after", `{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"greater_than","value":"1"}`,
		`{"field":"current_tags","value":"reminded"}`)
	solved := a.ticket(fmt.Sprintf(`{"assignee_id":%d,"status":"solved","comment":{"body":"B"}}`, a.admin.ID))
	open := a.ticket(`{"comment":{"body":"B"}}`)
	a.later(time.Hour)
	if n := a.automate(); n != 0 {
		t.Errorf("after an hour it acted on %d", n)
	}
	a.later(time.Minute)
	var wait sync.WaitGroup
	acted := make([]int, 4)
	for i := range acted { // as many processes do
		wait.Go(func() { acted[i] = a.automate() })
	}
	wait.Wait()
	if sum := acted[0] + acted[1] + acted[2] + acted[3]; sum != 1 {
		t.Errorf("four runs at once acted %v times", acted)
	}
	r := a.get(a.path(solved)).want(200)
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[reminded]" {
		t.Errorf("tags %s", got)
	}
	if got := fmt.Sprint(a.get(a.path(open)).want(200).member("ticket", "tags")); got != "[]" {
		t.Errorf("tags of an open one %s", got)
	}
	audits := a.get(a.path(solved) + "/audits").want(200)
	if got, want := told(audits, "audits", 1, "events"), "Change tags [] [reminded]"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(audits.member("audits", 1, "author_id"), audits.member("audits", 1, "via")),
		fmt.Sprintf("-1map[channel:rule source:map[from:map[deleted:false id:%d title:An hour after] rel:automation to:map[]]]", id); got != want {
		t.Errorf("the audit is by %s, want %s", got, want)
	}

	// It is over for this solution, whatever becomes of the tag, and begins
	// anew with the next.
	a.put(a.path(solved), `{"ticket":{"tags":[]}}`).want(200)
	a.later(time.Hour)
	if n := a.automate(); n != 0 {
		t.Errorf("it acted again on %d", n)
	}
	a.put(a.path(solved), `{"ticket":{"status":"open"}}`).want(200)
	a.put(a.path(solved), `{"ticket":{"status":"solved"}}`).want(200)
	a.later(time.Hour + time.Second)
	if n := a.automate(); n != 1 {
		t.Errorf("after the second solution it acted on %d", n)
	}
}

func TestAutomationsRunTriggersAndCloseTickets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.automation("Close", `{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"greater_than","value":"96"}`, `{"field":"status","value":"closed"}`)
	a.triggered("Shut", `{"field":"status","operator":"value","value":"closed"},{"field":"role","operator":"is_not","value":"agent"}`, `{"field":"current_tags","value":"shut"}`)
	id := a.ticket(fmt.Sprintf(`{"assignee_id":%d,"status":"solved","comment":{"body":"B"}}`, a.admin.ID))
	a.later(96*time.Hour + time.Second)
	if n := a.automate(); n != 1 {
		t.Fatalf("acted on %d", n)
	}
	r := a.get(a.path(id)).want(200)
	if got := fmt.Sprint(r.member("ticket", "status"), r.member("ticket", "tags")); got != "closed[shut]" {
		t.Errorf("the ticket is %s", got)
	}
	if got := told(a.get(a.path(id)+"/audits").want(200), "audits", 1, "events"); got != "Change status solved closed\nChange tags [] [shut] via rule trigger \"Shut\"" {
		t.Errorf("events\n%s", got)
	}
}

func TestAutomationsInBusinessHours(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	// The clock shows Wednesday, 14:06 in Tokyo.
	a.post("/api/v2/business_hours/schedules", `{"schedule":{"name":"Tokyo","time_zone":"Asia/Tokyo","intervals":[{"start_time":4860,"end_time":5220},{"start_time":6300,"end_time":6780}]}}`).want(201)
	a.automation("Four working hours", `{"field":"status","operator":"less_than","value":"solved"},{"field":"NEW","operator":"greater_than_business_hours","value":"4"}`, `{"field":"priority","value":"urgent"}`)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	a.later(10 * time.Hour) // fifty-four of them worked
	if n := a.automate(); n != 0 {
		t.Errorf("in the night it acted on %d", n)
	}
	a.later(12 * time.Hour) // Thursday 12:06, 3 hours and 6 minutes of it worked
	if n := a.automate(); n != 0 {
		t.Errorf("before four working hours it acted on %d", n)
	}
	a.later(time.Hour)
	if n := a.automate(); n != 1 {
		t.Errorf("after four working hours it acted on %d", n)
	}
	if got := a.get(a.path(id)).want(200).member("ticket", "priority"); got != "urgent" {
		t.Errorf("priority %v", got)
	}
}

func TestAutomationsActAgainWhenWhatTheyWaitForMoves(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.automation("Due soon", `{"field":"type","operator":"is","value":"task"},{"field":"until_due_date","operator":"less_than","value":"3"}`, `{"field":"current_tags","value":"soon"}`)
	a.automation("Busy", `{"field":"type","operator":"is","value":"task"},{"field":"updated_at","operator":"less_than","value":"10"}`, `{"field":"notification_user","value":["all_agents","S","B"]}`)
	id := a.ticket(`{"type":"task","due_at":"2026-03-04T07:30:00Z","comment":{"body":"B"}}`) // in two hours and a half
	acted := func() (n int) {
		a.later(time.Minute)
		return a.automate()
	}
	if n := acted(); n != 2 {
		t.Errorf("at first they acted %d times", n)
	}
	// What the second does moves updated_at, which it asks about.
	if n := acted(); n != 0 {
		t.Errorf("with nothing new they acted %d times", n)
	}
	a.put(a.path(id), `{"ticket":{"due_at":"2026-03-04T07:00:00Z"}}`).want(200)
	if n := acted(); n != 1 {
		t.Errorf("when it was due earlier they acted %d times", n)
	}
}
