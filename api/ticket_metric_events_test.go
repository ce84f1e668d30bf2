package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (a *anAPI) tick(d time.Duration) {
	at := a.now.Load().Add(d)
	a.now.Store(&at)
}

const metricEvents = "/api/v2/incremental/ticket_metric_events"

func TestMetricEventsAreExported(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Help","author_id":%[1]d}}`, bo))
	a.tick(13*time.Minute + 20*time.Second)
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), fmt.Sprintf(`{"ticket":{"status":"pending","assignee_id":%d,"comment":{"body":"Try again"}}}`, a.admin.ID)).want(200)
	start := theClock.Unix()
	if r := a.get(fmt.Sprintf("%s?start_time=%d", metricEvents, start)).want(200); len(r.member("ticket_metric_events").([]any)) != 11 {
		t.Errorf("what is younger than a minute is told: %s", r.body)
	}
	a.tick(time.Minute)
	r := a.get(fmt.Sprintf("%s.json?start_time=%d.0&page%%5Bsize%%5D=1", metricEvents, start)).want(200)
	var got []string
	for i := range r.member("ticket_metric_events").([]any) {
		of := func(member string) any { return r.member("ticket_metric_events", i, member) }
		if fmt.Sprint(of("ticket_id")) != fmt.Sprint(id) {
			t.Errorf("an event of ticket %v", of("ticket_id"))
		}
		text := fmt.Sprint(of("time").(string)[11:], " ", of("metric"), " ", of("type"), " ", of("instance_id"))
		if strings.Contains(text, "update_status") {
			text += fmt.Sprint(" ", of("status"))
		}
		got = append(got, text)
	}
	want := []string{
		"05:06:07Z agent_work_time measure 0", "05:06:07Z pausable_update_time measure 0", "05:06:07Z periodic_update_time measure 0",
		"05:06:07Z reply_time measure 0", "05:06:07Z requester_wait_time measure 0", "05:06:07Z resolution_time measure 0",
		"05:06:07Z group_ownership_time measure 0", "05:06:07Z agent_work_time activate 1", "05:06:07Z reply_time activate 1",
		"05:06:07Z requester_wait_time activate 1", "05:06:07Z resolution_time activate 1",
		"05:19:27Z agent_work_time pause 1", "05:19:27Z agent_work_time update_status 1 map[business:0 calendar:13]",
		"05:19:27Z pausable_update_time activate 1", "05:19:27Z pausable_update_time pause 1",
		"05:19:27Z pausable_update_time update_status 1 map[business:0 calendar:0]", "05:19:27Z periodic_update_time activate 1",
		"05:19:27Z reply_time fulfill 1", "05:19:27Z reply_time update_status 1 map[business:0 calendar:13]",
		"05:19:27Z requester_wait_time pause 1", "05:19:27Z requester_wait_time update_status 1 map[business:0 calendar:13]",
		"05:19:27Z group_ownership_time activate 1", "05:19:27Z group_ownership_time pause 1",
		"05:19:27Z group_ownership_time update_status 1 map[business:0 calendar:0]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	end := start + 800 + 1
	for member, want := range map[string]string{
		"count": "24", "end_of_stream": "true", "end_time": fmt.Sprint(end),
		"next_page": fmt.Sprintf("http://helpd.test%s.json?start_time=%d", metricEvents, end),
	} {
		if got := fmt.Sprint(r.member(member)); got != want {
			t.Errorf("%s: %s, want %s", member, got, want)
		}
	}
	a.get(fmt.Sprintf("%s?start_time=%d", metricEvents, end)).want(200).
		wantJSON(`{"ticket_metric_events":[],"count":0,"end_of_stream":true,"next_page":null,"end_time":null}`)

	beside := a.get(fmt.Sprintf("/api/v2/tickets/%d?include=metric_events,metric_sets", id)).want(200)
	if got := beside.member("ticket", "metric_events", "reply_time", 2, "type"); got != "fulfill" {
		t.Errorf("beside the ticket: %s", beside.body)
	}
	if got := fmt.Sprint(beside.member("ticket", "metric_set", "reply_time_in_minutes", "calendar")); got != "13" {
		t.Errorf("reply time %s", got)
	}
}

func TestMetricEventsOfASecondStayTogether(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for range 3 {
		a.ticket(`{"comment":{"body":"B"}}`)
		a.ticket(`{"comment":{"body":"B"}}`)
		a.tick(time.Second)
	}
	a.tick(time.Hour)
	seen, pages := map[int64]int{}, 0
	for path := metricEvents + "?start_time=0&per_page=1"; path != ""; pages++ {
		r := a.get(path).want(200)
		ids := r.ids("ticket_metric_events")
		for _, id := range ids {
			seen[id]++
		}
		next, _ := r.member("next_page").(string)
		path = strings.TrimPrefix(next, "http://helpd.test")
		if last := r.member("end_of_stream").(bool); last != (pages >= 2) || len(ids) > 0 && !strings.Contains(path, "per_page=1") {
			t.Errorf("page %d: %d events, end %v, then %s", pages, len(ids), last, path)
		}
	}
	if len(seen) != 66 || pages != 4 {
		t.Errorf("%d events on %d pages", len(seen), pages)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("event %d came %d times", id, n)
		}
	}
}

func TestMetricEventsAreForAdmins(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Al", a.email("al"), "agent")
	a.as(a.email("al")).get(metricEvents + "?start_time=0").wantForbidden()
	for _, bad := range []string{"", "?start_time=", "?start_time=yesterday", "?start_time=1e99", "?start_time=0&per_page=0"} {
		a.get(metricEvents + bad).want(400)
	}
	for _, good := range []string{"0", "2026-03-04T05:06:07Z", "2026-03-04", "1694303517.0", "4000000000", "-5"} {
		a.get(metricEvents + "?start_time=" + good).want(200)
	}
}

func TestAnImportIsNotMeasured(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/imports/tickets", `{"ticket":{"description":"Old","status":"closed","created_at":"2020-01-01"}}`).want(201)
	a.tick(time.Hour)
	a.get(metricEvents + "?start_time=0").want(200).wantJSON(`{"ticket_metric_events":[],"count":0,"end_of_stream":true,"next_page":null,"end_time":null}`)
	if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/tickets/%d?include=metric_events", r.id("ticket"))).want(200).member("ticket", "metric_events")); got != "map[]" {
		t.Errorf("beside the ticket: %s", got)
	}
}
