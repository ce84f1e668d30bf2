package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const schedulesPath = "/api/v2/business_hours/schedules"

// schedule makes a schedule and returns its path.
func (a *anAPI) schedule(body string, args ...any) string {
	a.t.Helper()
	return fmt.Sprintf("%s/%d", schedulesPath, a.post(schedulesPath, fmt.Sprintf(`{"schedule":`+body+`}`, args...)).want(201).id("schedule"))
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post(schedulesPath+".json", `{"schedule":{"id":5,"name":" East Coast ","time_zone":"Eastern Time (US & Canada)"}}`).want(201)
	id := r.id("schedule")
	url := fmt.Sprintf("http://helpd.test%s/%d.json", schedulesPath, id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	one := fmt.Sprintf(`{"url":%q,"id":%d,"name":"East Coast","time_zone":"Eastern Time (US & Canada)","intervals":[{"start_time":1980,"end_time":2460},
		{"start_time":3420,"end_time":3900},{"start_time":4860,"end_time":5340},{"start_time":6300,"end_time":6780},{"start_time":7740,"end_time":8220}],
		"created_at":%q,"updated_at":%q}`, url, id, clockText, clockText)
	r.wantJSON(`{"schedule":%s}`, one)
	path := fmt.Sprintf("%s/%d", schedulesPath, id)
	a.get(path).want(200).wantJSON(`{"schedule":%s}`, one)
	a.get(schedulesPath).want(200).wantJSON(`{"schedules":[%s],"url":"http://helpd.test%s.json","count":1,"next_page":null,"previous_page":null}`, one, schedulesPath)

	other := a.post(schedulesPath, `{"schedule":{"name":"Asia","time_zone":"Asia/Tokyo","intervals":[{"start_time":"600","end_time":660},{"start_time":0,"end_time":600}]}}`).want(201)
	if got := fmt.Sprint(other.member("schedule", "intervals")); got != "[map[end_time:600 start_time:0] map[end_time:660 start_time:600]]" {
		t.Errorf("intervals %s", got)
	}
	if got := a.post(schedulesPath, `{"schedule":{"name":"At home"}}`).want(201).member("schedule", "time_zone"); got != "UTC" {
		t.Errorf("the time zone is %v and should be the account's", got)
	}
	page := a.get(schedulesPath + "?page[size]=2").want(200)
	if got := page.ids("schedules"); !slices.Equal(got, []int64{id, other.id("schedule")}) || page.member("meta", "has_more") != true {
		t.Errorf("page %s", page.body)
	}

	a.tick(time.Minute)
	r = a.put(path, `{"schedule":{"name":"West Coast","time_zone":"America/Los_Angeles","intervals":[{"start_time":0,"end_time":1}]}}`).want(200)
	if r.member("schedule", "name") != "West Coast" || r.member("schedule", "time_zone") != "America/Los_Angeles" ||
		len(r.member("schedule", "intervals").([]any)) != 5 || r.member("schedule", "updated_at") != "2026-03-04T05:07:07Z" {
		t.Errorf("changed %s", r.body)
	}
	a.put(path, string(r.body)).want(200) // a record sent back as it was read
	a.put(path+"/workweek", `{"workweek":{"intervals":[{"start_time":9000,"end_time":10080},{"start_time":1320,"end_time":1560}]}}`).want(200).
		wantJSON(`{"workweek":{"intervals":[{"start_time":1320,"end_time":1560},{"start_time":9000,"end_time":10080}]}}`)
	if got := len(a.get(path).member("schedule", "intervals").([]any)); got != 2 {
		t.Errorf("%d intervals", got)
	}
	a.delete(path).want(204)
	a.delete(path).wantMissing()
	a.get(path).wantMissing()
	a.put(path, `{"schedule":{"name":"x"}}`).wantMissing()
	a.put(path+"/workweek", `{"workweek":{"intervals":[{"start_time":0,"end_time":1}]}}`).wantMissing()
}

func TestSchedulesRefuseWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := a.schedule(`{"name":"Taken"}`)
	a.schedule(`{"name":"Other"}`)
	for _, tc := range []struct{ body, field, says string }{
		{`{}`, "name", "Name: cannot be blank"},
		{`{"name":"  "}`, "name", "Name: cannot be blank"},
		{`{"name":"` + strings.Repeat("ä", 256) + `"}`, "name", "Name: is too long (maximum is 255 characters)"},
		{`{"name":"tAKEN"}`, "name", "Name: tAKEN has already been taken"},
		{`{"name":"x","time_zone":"Mars"}`, "time_zone", "Time zone: Mars is not a time zone"},
		{`{"name":"x","time_zone":""}`, "time_zone", "Time zone:  is not a time zone"},
	} {
		a.post(schedulesPath, `{"schedule":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	a.put(path, `{"schedule":{"name":"Other"}}`).wantDetail("name", "Name: Other has already been taken")
	a.put(path, `{"schedule":{"name":""}}`).wantDetail("name", "Name: cannot be blank")
	a.put(path, `{"schedule":{"name":"Renamed","time_zone":"Mars"}}`).wantDetail("time_zone", "Time zone: Mars is not a time zone")
	for _, tc := range []struct{ intervals, says string }{
		{`[]`, "Intervals: cannot be blank"},
		{`[{"start_time":5}]`, "Intervals: each needs a start_time and an end_time"},
		{`[null]`, "Intervals: each needs a start_time and an end_time"},
		{`[{"start_time":-1,"end_time":60}]`, "Intervals: -1 to 60 is not within a week, which has minutes 0 to 10080"},
		{`[{"start_time":10000,"end_time":10081}]`, "Intervals: 10000 to 10081 is not within a week, which has minutes 0 to 10080"},
		{`[{"start_time":60,"end_time":60}]`, "Intervals: 60 to 60 does not end after its start"},
		{`[{"start_time":9223372036854775807,"end_time":60}]`, "Intervals: 9223372036854775807 to 60 does not end after its start"},
		{`[{"start_time":60,"end_time":120},{"start_time":0,"end_time":61}]`, "Intervals: 0 to 61 and 60 to 120 overlap"},
	} {
		a.post(schedulesPath, `{"schedule":{"name":"x","intervals":`+tc.intervals+`}}`).wantDetail("intervals", tc.says)
		a.put(path+"/workweek", `{"workweek":{"intervals":`+tc.intervals+`}}`).wantDetail("intervals", tc.says)
	}
	a.put(path+"/workweek", `{"workweek":{}}`).wantDetail("intervals", "Intervals: cannot be blank")
	a.post(schedulesPath, `{}`).want(400)
	a.put(path+"/workweek", `{"workweek":{"intervals":[{"start_time":"early","end_time":60}]}}`).want(400)
	if r := a.get(schedulesPath); len(r.ids("schedules")) != 2 || r.member("schedules", 0, "name") != "Taken" || len(r.member("schedules", 0, "intervals").([]any)) != 5 {
		t.Errorf("half a change: %s", r.body)
	}
	for n := range 98 {
		a.schedule(`{"name":"%d"}`, n)
	}
	a.post(schedulesPath, `{"schedule":{"name":"One more"}}`).wantDetail("base", "Schedule: there are 100 already")
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	schedule := a.schedule(`{"name":"S"}`)
	path := schedule + "/holidays"
	r := a.post(path, `{"holiday":{"name":"Winter break","start_date":"2026-12-24","end_date":"2027-01-01"}}`).want(201)
	winter := r.id("holiday")
	one := fmt.Sprintf("%s/%d", path, winter)
	if got := r.header.Get("Location"); got != "http://helpd.test"+one+".json" {
		t.Errorf("Location %q", got)
	}
	r.wantJSON(`{"holiday":{"id":%d,"name":"Winter break","start_date":"2026-12-24","end_date":"2027-01-01"}}`, winter)
	a.get(one).want(200).wantJSON("%s", r.body)
	r = a.post(path, `{"holiday":{"name":" May Day","start_date":"2026-05-01"}}`).want(201)
	may := r.id("holiday")
	r.wantJSON(`{"holiday":{"id":%d,"name":"May Day","start_date":"2026-05-01","end_date":"2026-05-01"}}`, may)
	earliest := a.post(path, `{"holiday":{"name":"Past","start_date":"2024-03-04","end_date":"2024-03-04"}}`).want(201).id("holiday")
	latest := a.post(path, `{"holiday":{"name":"Future","start_date":"2026-12-25","end_date":"2028-03-04"}}`).want(201).id("holiday")

	for query, want := range map[string][]int64{
		"":                       {earliest, may, winter, latest},
		"?start_date=2026-05-01": {may, winter, latest},
		"?start_date=2026-05-02": {winter, latest},
		"?end_date=2026-12-24":   {earliest, may, winter},
		"?start_date=2026-12-31&end_date=2027-06-01":            {winter, latest},
		"?start_date=2025-01-01&end_date=2025-12-31":            {},
		"?start_date=2026-01-01&end_date=2026-12-31&per_page=2": {may, winter},
		"?page[size]=3": {earliest, may, winter},
	} {
		if got := a.get(path + query).want(200).ids("holidays"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	next := a.get(path+"?page[size]=3&start_date=2024-01-01").member("links", "next").(string)
	if got := a.get(strings.TrimPrefix(next, "http://helpd.test")).want(200).ids("holidays"); !slices.Equal(got, []int64{latest}) {
		t.Errorf("next page %v", got)
	}
	if got := a.get(path).member("url"); got != "http://helpd.test"+path+".json" {
		t.Errorf("url %v", got)
	}

	a.put(one, `{"holiday":{"start_date":"2026-12-23"}}`).want(200).
		wantJSON(`{"holiday":{"id":%d,"name":"Winter break","start_date":"2026-12-23","end_date":"2027-01-01"}}`, winter)
	a.delete(one).want(204)
	a.delete(one).wantMissing()
	a.get(one).wantMissing()
	a.put(one, `{"holiday":{"name":"x"}}`).wantMissing()
	other := a.schedule(`{"name":"T"}`)
	a.get(fmt.Sprintf("%s/holidays/%d", other, may)).wantMissing() // that of another schedule
	a.put(fmt.Sprintf("%s/holidays/%d", other, may), `{"holiday":{"name":"x"}}`).wantMissing()
	a.delete(fmt.Sprintf("%s/holidays/%d", other, may)).wantMissing()
	a.delete(schedule).want(204)
	a.get(path).wantMissing()
	a.post(path, `{"holiday":{"name":"x","start_date":"2026-05-01"}}`).wantMissing()
	a.get(fmt.Sprintf("%s/%d", path, may)).wantMissing()
}

func TestHolidaysRefuseWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := a.schedule(`{"name":"S","time_zone":"Pacific/Honolulu"}`) + "/holidays" // where it is still the 3rd of March
	one := fmt.Sprintf("%s/%d", path, a.post(path, `{"holiday":{"name":"Old","start_date":"2024-03-03","end_date":"2024-03-05"}}`).want(201).id("holiday"))
	for _, tc := range []struct{ body, field, says string }{
		{`{"start_date":"2026-05-01"}`, "name", "Name: cannot be blank"},
		{`{"name":"x"}`, "start_date", "Start date: cannot be blank"},
		{`{"name":"x","end_date":"2026-05-01"}`, "start_date", "Start date: cannot be blank"},
		{`{"name":"x","start_date":"1 May"}`, "start_date", "Start date: 1 May is not a date such as 2026-12-24"},
		{`{"name":"x","start_date":"2026-02-30"}`, "start_date", "Start date: 2026-02-30 is not a date such as 2026-12-24"},
		{`{"name":"x","start_date":"2026-05-01","end_date":"0000-01-01"}`, "end_date", "End date: 0000-01-01 is not a date such as 2026-12-24"},
		{`{"name":"x","start_date":"2026-05-02","end_date":"2026-05-01"}`, "end_date", "End date: cannot be before the start date"},
		{`{"name":"x","start_date":"2024-03-02"}`, "start_date", "Start date: cannot be more than 2 years ago"},
		{`{"name":"x","start_date":"2026-05-01","end_date":"2028-03-04"}`, "end_date", "End date: cannot be in more than 2 years"},
	} {
		a.post(path, `{"holiday":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	a.post(path, `{}`).want(400)
	a.put(one, `{"holiday":{"name":""}}`).wantDetail("name", "Name: cannot be blank")
	a.put(one, `{"holiday":{"start_date":"2024-03-06"}}`).wantDetail("end_date", "End date: cannot be before the start date")
	a.get(path+"?start_date=soon").wantDetail("start_date", "Start date: soon is not a date such as 2026-12-24")
	a.get(path+"?end_date=2026-13-01").wantDetail("end_date", "End date: 2026-13-01 is not a date such as 2026-12-24")
	if err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO holidays (account_id, schedule_id, name, start_date, end_date)
		SELECT account_id, schedule_id, name, start_date, end_date FROM holidays, generate_series(1, 999) WHERE account_id = ?`, a.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	a.post(path, `{"holiday":{"name":"x","start_date":"2026-05-01"}}`).wantDetail("base", "Holiday: there are 1000 already")
	// What has become old in the meantime may be sent back as it is.
	a.tick(400 * 24 * time.Hour)
	a.put(one, `{"holiday":{"name":"Older","start_date":"2024-03-03","end_date":"2024-03-05"}}`).want(200)
	a.put(one, `{"holiday":{"start_date":"2024-03-04"}}`).wantDetail("start_date", "Start date: cannot be more than 2 years ago")
}

func TestWhoMayReachSchedules(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := a.schedule(`{"name":"S"}`)
	holiday := fmt.Sprintf("%s/holidays/%d", path, a.post(path+"/holidays", `{"holiday":{"name":"H","start_date":"2026-05-01"}}`).want(201).id("holiday"))
	agent, user, other := a.signedInAs("agent"), a.signedInAs("end-user"), a.another()
	for _, read := range []string{schedulesPath, path, path + "/holidays", holiday} {
		agent.get(read).want(200)
		user.get(read).wantForbidden()
		a.anonymous().get(read).want(401)
	}
	const schedule, day, week = `{"schedule":{"name":"x"}}`, `{"holiday":{"name":"x","start_date":"2026-05-01"}}`, `{"workweek":{"intervals":[{"start_time":0,"end_time":1}]}}`
	for _, w := range []struct{ method, path, body string }{
		{"POST", schedulesPath, schedule}, {"PUT", path, schedule}, {"PUT", path + "/workweek", week}, {"POST", path + "/holidays", day},
		{"PUT", holiday, day}, {"DELETE", holiday, ""}, {"DELETE", path, ""},
	} {
		agent.do(w.method, w.path, w.body).wantForbidden()
		user.do(w.method, w.path, w.body).wantForbidden()
		if w.path != schedulesPath {
			other.do(w.method, w.path, w.body).wantMissing()
		}
	}
	if got := other.get(schedulesPath).want(200).ids("schedules"); len(got) > 0 {
		t.Errorf("another account sees %v", got)
	}
	a.get(holiday).want(200)
}
