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
	a := newDatedAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Help","author_id":%[1]d}}`, bo))
	a.numbered()
	a.tick(13*time.Minute + 20*time.Second)
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), fmt.Sprintf(`{"ticket":{"status":"pending","assignee_id":%d,"comment":{"body":"Try again"}}}`, a.admin.ID)).want(200)
	start := theClock.Unix()
	// The second is not over: what else happens in it would be missed behind it.
	if r := a.get(fmt.Sprintf("%s?start_time=%d", metricEvents, start)).want(200); fmt.Sprintf("%v %v", r.member("count"), r.member("end_time")) != fmt.Sprint("24 ", start+800) {
		t.Errorf("within the second: %s", r.body)
	}
	a.secondOn()
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

	// What is dated earlier and committed later is told later, and not lost.
	err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO ticket_metric_events (account_id, ticket_id, time, events) SELECT account_id, ticket_id, time, events
		FROM ticket_metric_events WHERE account_id = ? AND time = ?`, a.account.ID, theClock).Error
	if err != nil {
		t.Fatal(err)
	}
	if late := a.get(fmt.Sprintf("%s?start_time=%d", metricEvents, end)).want(200); fmt.Sprint(late.member("count")) != "11" || late.member("ticket_metric_events", 0, "time") != r.member("ticket_metric_events", 0, "time") {
		t.Errorf("late ones: %s", late.body)
	}

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
	a := newDatedAPI(t)
	for range 3 {
		a.ticket(`{"comment":{"body":"B"}}`)
		a.ticket(`{"comment":{"body":"B"}}`)
		a.secondOn()
	}
	for size, want := range map[int]string{1: "22 22 22", 22: "22 22 22", 23: "44 22", 44: "44 22", 66: "66", 1000: "66"} {
		seen, counts := map[int64]int{}, []string{}
		for path := fmt.Sprintf("%s?start_time=0&per_page=%d", metricEvents, size); path != ""; {
			r := a.get(path).want(200)
			ids := r.ids("ticket_metric_events")
			for _, id := range ids {
				seen[id]++
			}
			if fmt.Sprint(r.member("count")) != fmt.Sprint(len(ids)) {
				t.Errorf("%d events are counted %v", len(ids), r.member("count"))
			}
			counts = append(counts, fmt.Sprint(len(ids)))
			next, _ := r.member("next_page").(string)
			if path = strings.TrimPrefix(next, "http://helpd.test"); !strings.Contains(path, fmt.Sprintf("per_page=%d", size)) {
				t.Errorf("pages of %d go on with %s", size, path)
			}
			if r.member("end_of_stream") == true {
				a.get(path).want(200).wantJSON(`{"ticket_metric_events":[],"count":0,"end_of_stream":true,"next_page":null,"end_time":null}`)
				break
			}
		}
		if got := strings.Join(counts, " "); got != want || len(seen) != 66 {
			t.Errorf("pages of %d have %s events, and not %s; %d in all", size, got, want, len(seen))
		}
	}
}

// A page reads little more than it shows, whether saves have many events or one.
func TestMetricEventsReadWhatTheyShow(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	a.dated()
	a.ticket(`{"comment":{"body":"B"}}`)
	a.secondOn()
	copied := func(times int, events string) {
		for range times {
			err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO ticket_metric_events (account_id, ticket_id, time, events) SELECT account_id, ticket_id, time, `+events+`
				FROM ticket_metric_events WHERE account_id = ? ORDER BY id LIMIT 1`, a.account.ID).Error
			if err != nil {
				t.Fatal(err)
			}
			a.secondOn()
		}
	}
	copied(40, "events")
	singles := fmt.Sprint(a.now.Load().Unix())
	copied(60, `'[{"metric":"reply_time","type":"pause","instance":1}]'`)
	for start, most := range map[string]int64{"0": 40, singles: 120} {
		path := metricEvents + "?per_page=44&start_time=" + start
		a.get(path).want(200) // what is remembered from now on
		before := sent.rows.Load()
		if got := fmt.Sprint(a.get(path).want(200).member("count")); got != "44" {
			t.Errorf("from %s: %s events", start, got)
		}
		if rows := sent.rows.Load() - before; rows > most {
			t.Errorf("from %s: %d rows were read", start, rows)
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
