package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// minutes are the times of a ticket's metric set, "calendar/business" each.
func (a *anAPI) minutes(id int64) string {
	a.t.Helper()
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d/metrics", id)).want(200)
	var out []string
	for _, name := range []string{"reply", "first_resolution", "full_resolution", "agent_wait", "requester_wait", "on_hold"} {
		m := r.member("ticket_metric", name+"_time_in_minutes").(map[string]any)
		out = append(out, fmt.Sprintf("%s %v/%v", name, m["calendar"], m["business"]))
	}
	return strings.Join(out, ", ")
}

func (a *anAPI) wantMinutes(id int64, want string) {
	a.t.Helper()
	if got := a.minutes(id); got != want {
		a.t.Errorf("minutes of ticket %d:\n got %s\nwant %s", id, got, want)
	}
}

// at has the clock show a time of March 2026 in UTC.
func (a *anAPI) at(day, hour, minute int) {
	at := time.Date(2026, 3, day, hour, minute, 30, 0, time.UTC)
	a.now.Store(&at)
}

// Berlin is an hour ahead of UTC, the 2nd of March is a Monday, and a.at is half
// a minute behind the minute.
func TestMetricsCountBusinessMinutes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	schedule := a.schedule(`{"name":"Berlin","time_zone":"Europe/Berlin"}`)
	a.schedule(`{"name":"Another","intervals":[{"start_time":0,"end_time":10080}]}`)
	a.post(schedule+"/holidays", `{"holiday":{"name":"H","start_date":"2026-03-10"}}`).want(201)
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(6, 15, 30) // Friday, half an hour before the end
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Help","author_id":%[1]d}}`, bo))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution <nil>/<nil>, full_resolution <nil>/<nil>, agent_wait 0/0, requester_wait 0/0, on_hold 0/0")
	a.at(9, 9, 0) // Monday, two hours after the start
	a.put(path, fmt.Sprintf(`{"ticket":{"status":"pending","assignee_id":%d,"comment":{"body":"Try again"}}}`, a.admin.ID)).want(200)
	a.wantMinutes(id, "reply 3930/90, first_resolution <nil>/<nil>, full_resolution <nil>/<nil>, agent_wait 0/0, requester_wait 3930/90, on_hold 0/0")
	a.at(11, 8, 0) // Wednesday, an hour after the start, with a holiday in between
	a.put(path, `{"ticket":{"status":"hold"}}`).want(200)
	a.at(11, 8, 45)
	a.put(path, `{"ticket":{"status":"solved"}}`).want(200)
	const first = "reply 3930/90, first_resolution 6795/555, "
	a.wantMinutes(id, first+"full_resolution 6795/555, agent_wait 2820/420, requester_wait 3975/135, on_hold 45/45")
	a.at(11, 9, 0)
	a.put(path, `{"ticket":{"status":"open"}}`).want(200)
	a.wantMinutes(id, first+"full_resolution <nil>/<nil>, agent_wait 2820/420, requester_wait 3975/135, on_hold 45/45")

	// What was measured stays when the schedule changes, and goes on with the new one.
	a.put(schedule+"/workweek", `{"workweek":{"intervals":[{"start_time":0,"end_time":10080}]}}`).want(200)
	a.at(11, 22, 0)
	a.put(path, `{"ticket":{"status":"solved"}}`).want(200)
	a.wantMinutes(id, first+"full_resolution 7590/6150, agent_wait 2820/420, requester_wait 4755/915, on_hold 45/45")
	set := a.get("/api/v2/ticket_metrics").want(200)
	if got := fmt.Sprint(set.member("ticket_metrics", 0, "requester_wait_time_in_minutes")); got != "map[business:915 calendar:4755]" {
		t.Errorf("in the list %s", got)
	}
	if got := fmt.Sprint(a.get(path+"?include=metric_sets").want(200).member("ticket", "metric_set", "on_hold_time_in_minutes")); got != "map[business:45 calendar:45]" {
		t.Errorf("beside the ticket %s", got)
	}

	a.at(12, 12, 0)
	var got []string
	r := a.get(metricEvents + "?start_time=0").want(200)
	for i := range r.member("ticket_metric_events").([]any) {
		of := func(member string) any { return r.member("ticket_metric_events", i, member) }
		if of("type") == "update_status" {
			got = append(got, fmt.Sprint(of("time").(string)[8:16], " ", of("metric"), " ", of("instance_id"), " ", of("status")))
		}
	}
	for _, line := range []string{
		"09T09:00 agent_work_time 1 map[business:90 calendar:3930]", "09T09:00 pausable_update_time 1 map[business:0 calendar:0]",
		"09T09:00 reply_time 1 map[business:90 calendar:3930]", "09T09:00 requester_wait_time 1 map[business:90 calendar:3930]",
		"09T09:00 group_ownership_time 1 map[business:0 calendar:0]",
		"11T08:45 resolution_time 1 map[business:555 calendar:6795]", "11T08:45 requester_wait_time 1 map[business:135 calendar:3975]",
		"11T08:45 periodic_update_time 1 map[business:465 calendar:2865]", "11T22:00 resolution_time 2 map[business:780 calendar:780]",
	} {
		if !slices.Contains(got, line) {
			t.Errorf("no %s in\n%s", line, strings.Join(got, "\n"))
		}
	}
}

// A span of which a part was not measured has no business minutes.
func TestBusinessMinutesBeforeThereIsASchedule(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.at(2, 10, 0)
	id, fresh := a.ticket(`{"status":"open","comment":{"body":"B"}}`), a.ticket(`{"status":"open","comment":{"body":"B"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.at(2, 11, 0)
	a.put(path, `{"ticket":{"status":"hold"}}`).want(200)
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution <nil>/<nil>, full_resolution <nil>/<nil>, agent_wait 0/<nil>, requester_wait 60/<nil>, on_hold 0/<nil>")
	schedule := a.schedule(`{"name":"S","time_zone":"UTC"}`)
	a.at(2, 18, 0)
	for _, ticket := range []int64{id, fresh} {
		a.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), `{"ticket":{"status":"solved"}}`).want(200)
	}
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution 480/419, full_resolution 480/419, agent_wait 0/<nil>, requester_wait 480/<nil>, on_hold 420/359")
	a.wantMinutes(fresh, "reply <nil>/<nil>, first_resolution 480/419, full_resolution 480/419, agent_wait 0/<nil>, requester_wait 480/419, on_hold 0/<nil>")
	a.delete(schedule).want(204)
	a.at(2, 19, 0)
	a.put(path, `{"ticket":{"status":"open"}}`).want(200)
	a.at(2, 20, 0)
	a.put(path, `{"ticket":{"status":"solved"}}`).want(200)
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution 480/419, full_resolution 600/<nil>, agent_wait 0/<nil>, requester_wait 540/<nil>, on_hold 420/359")
}

func TestBusinessMinutesOfAnImport(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.schedule(`{"name":"S","time_zone":"UTC"}`)
	id := a.post("/api/v2/imports/tickets", `{"ticket":{"description":"Old","status":"closed","created_at":"2026-03-02T16:00:00Z","solved_at":"2026-03-03T10:00:00Z"}}`).
		want(201).id("ticket")
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution 1080/120, full_resolution 1080/120, agent_wait 0/0, requester_wait 1080/120, on_hold 0/0")
}

// The oldest schedule is the default; when it goes, the next one is.
func TestTheDefaultSchedule(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.schedule(`{"name":"First","time_zone":"UTC","intervals":[{"start_time":0,"end_time":10080}]}`)
	second := a.schedule(`{"name":"Second","time_zone":"UTC"}`)
	solve := func(want string) {
		t.Helper()
		a.at(2, 8, 0)
		id := a.ticket(`{"status":"open","comment":{"body":"B"}}`)
		a.at(2, 10, 0)
		a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"solved"}}`).want(200)
		r := a.get(fmt.Sprintf("/api/v2/tickets/%d/metrics", id)).want(200)
		if got := fmt.Sprint(r.member("ticket_metric", "full_resolution_time_in_minutes", "business")); got != want {
			t.Errorf("%s business minutes, want %s", got, want)
		}
	}
	solve("120")
	a.delete(first).want(204)
	solve("60")
	holiday := a.post(second+"/holidays", `{"holiday":{"name":"H","start_date":"2026-03-02"}}`).want(201).id("holiday")
	solve("0")
	a.put(fmt.Sprintf("%s/holidays/%d", second, holiday), `{"holiday":{"start_date":"2026-03-03","end_date":"2026-03-03"}}`).want(200)
	solve("60")
	a.put(second, `{"schedule":{"time_zone":"Asia/Kolkata"}}`).want(200) // 13:30 to 15:30
	solve("120")
	a.delete(second).want(204)
	solve("<nil>")
}
