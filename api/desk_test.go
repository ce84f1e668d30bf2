package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// desk is the help desk of a company that sells software to hotels: its
// departments are groups, its customers' companies are organizations, and which
// plan a customer has is a field of the form.
type desk struct {
	*anAPI
	assistance, triage, care int64 // groups
	agent                    int64
	plan, product            int64 // fields
	seoul, osaka, boston     int64 // organizations
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{anAPI: newAPI(t)}
	d.noAutomations()
	d.assistance, d.triage, d.care = d.group("Assistance"), d.group("Checkin Triage"), d.group("Platinum Care")
	d.agent = d.user("Desk", d.email("desk"), "agent")
	for _, group := range []int64{d.assistance, d.triage, d.care} {
		d.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, d.agent, group)).want(201)
	}
	choice := func(title string, names ...string) int64 {
		var options []string
		for _, name := range names {
			options = append(options, fmt.Sprintf(`{"name":%q,"value":%q}`, name, strings.ToLower(strings.ReplaceAll(name, " ", "_"))))
		}
		return d.ticketField(`{"type":"tagger","title":%q,"visible_in_portal":true,"editable_in_portal":true,"custom_field_options":[%s]}`, title, strings.Join(options, ","))
	}
	d.plan = choice("Plan type", "Platinum", "Gold", "Silver", "Bronze")
	d.product = choice("Product", "Booking Engine", "Checkin Kiosk")
	d.seoul, d.osaka, d.boston = d.company("seoul"), d.company("osaka"), d.company("boston")
	return d
}

// company is a customer with the people whose addresses are at its domain.
func (d *desk) company(name string) int64 {
	d.t.Helper()
	id := d.post("/api/v2/organizations", fmt.Sprintf(`{"organization":{"name":%q,"domain_names":[%q]}}`, name, name+"."+d.account.Subdomain+".example")).want(201).id("organization")
	locale := map[string]string{"seoul": "ko", "osaka": "ja", "boston": "en-US"}[name]
	d.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Front Office","email":%q,"verified":true,"locale":%q}}`, d.at(name), locale)).want(201)
	return id
}

// at is the address of a company's front office.
func (d *desk) at(company string) string {
	return "front@" + company + "." + d.account.Subdomain + ".example"
}

// asks makes a request of a company's front office and returns its number.
func (d *desk) asks(company, text string, more ...string) int64 {
	d.t.Helper()
	return d.as(d.at(company)).post("/api/v2/requests", fmt.Sprintf(`{"request":{"subject":"Help","comment":{"body":%q}%s}}`, text, strings.Join(more, ""))).want(201).id("request")
}

// adds is another comment of the front office.
func (d *desk) adds(company string, ticket int64, text string) {
	d.t.Helper()
	d.as(d.at(company)).put(fmt.Sprintf("/api/v2/requests/%d", ticket), fmt.Sprintf(`{"request":{"comment":{"body":%q}}}`, text)).want(200)
}

// choose is the member that sets a field of a ticket.
func choose(field int64, value string) string {
	return fmt.Sprintf(`,"custom_fields":[{"id":%d,"value":%q}]`, field, value)
}

// wants compares members of a ticket: "group_id priority tags".
func (d *desk) wants(ticket int64, members string, want ...any) {
	d.t.Helper()
	r := d.get(d.path(ticket)).want(200)
	for i, name := range strings.Fields(members) {
		if got := fmt.Sprint(r.member("ticket", name)); got != fmt.Sprint(want[i]) {
			d.t.Errorf("ticket %d has the %s %s, want %v", ticket, name, got, want[i])
		}
	}
}

// routes has the plan decide on the group of what comes in.
func (d *desk) routes() {
	d.t.Helper()
	const created = `{"field":"update_type","operator":"is","value":"Create"},`
	d.triggered("Platinum", created+fmt.Sprintf(`{"field":"custom_fields_%d","operator":"is","value":"platinum"}`, d.plan),
		fmt.Sprintf(`{"field":"group_id","value":"%d"},{"field":"current_tags","value":"special_care"}`, d.care))
	d.triggered("All others", created+`{"field":"group_id","operator":"is","value":""}`, fmt.Sprintf(`{"field":"group_id","value":"%d"}`, d.assistance))
}

func TestDeskRoutesByPlan(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.routes()
	form := d.get("/api/v2/ticket_forms").want(200)
	if !form.member("ticket_forms", 0, "default").(bool) || !strings.Contains(fmt.Sprint(form.member("ticket_forms", 0, "ticket_field_ids")), fmt.Sprint(d.plan)) {
		t.Errorf("the plan is not on the default form: %s", form.body)
	}
	const text = "I'm having an issue with the kiosk. Please assist."
	platinum := d.asks("seoul", text, choose(d.plan, "platinum"))
	d.wants(platinum, "group_id organization_id tags", d.care, d.seoul, "[platinum special_care]")
	gold := d.asks("boston", text, choose(d.plan, "gold"))
	d.wants(gold, "group_id organization_id tags", d.assistance, d.boston, "[gold]")
	d.wants(d.asks("boston", text), "group_id tags", d.assistance, "[]")
	// It is what they had when they wrote that counts.
	d.put(d.path(gold), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"platinum"}]}}`, d.plan)).want(200)
	d.wants(gold, "group_id tags", d.assistance, "[platinum]")

	events := told(d.get(d.path(platinum)+"/audits").want(200), "audits", 0, "events")
	for _, line := range []string{
		fmt.Sprintf("Change group_id <nil> %d via rule trigger \"Platinum\"", d.care), "Change tags [platinum] [platinum special_care] via rule trigger \"Platinum\"",
	} {
		if !strings.Contains(events, line) {
			t.Errorf("there is no %s in\n%s", line, events)
		}
	}
	if strings.Contains(events, "All others") {
		t.Errorf("two rules routed it:\n%s", events)
	}
}

// estimates has error numbers routed, and those who wrote of one told how long it
// will take, in their language.
func (d *desk) estimates() {
	d.t.Helper()
	d.post(itemsPath, `{"item":{"name":"Estimate","default_locale_id":1,"variants":[
		{"locale_id":1,"default":true,"content":"We expect to have it solved within 4 hours."},
		{"locale_id":69,"content":"4시간 안에 해결될 예정입니다."},{"locale_id":67,"content":"4時間以内に解決する見込みです。"}]}}`).want(201)
	d.triggered("Error numbers", `{"field":"comment_includes_word","operator":"includes","value":"error_547 오류_612 \"kiosk is frozen\""},
		{"field":"current_tags","operator":"not_includes","value":"estimated"}`,
		fmt.Sprintf(`{"field":"group_id","value":"%d"},{"field":"priority","value":"high"},{"field":"current_tags","value":"estimated"},
			{"field":"notification_user","value":["requester_id","[{{ticket.id}}] {{ticket.title}}","{{dc.estimate}}"]}`, d.triage))
}

func TestDeskRoutesErrorNumbersAndTellsTheEstimateOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.routes()
	d.estimates()
	estimate := map[string]string{
		"boston": "We expect to have it solved within 4 hours.", "seoul": "4시간 안에 해결될 예정입니다.", "osaka": "4時間以内に解決する見込みです。",
	}
	mail := func(company string, ticket int64) string {
		return fmt.Sprintf("[%s cc : [%d] Help: %s]", d.at(company), ticket, estimate[company])
	}
	for _, tc := range []struct {
		company, text string
		routed        bool
	}{
		{"boston", "I've noticed a peculiar error message popping up on my screen. It says 'error_547'. What does it mean?", true},
		{"boston", "ERROR_547", true},
		{"boston", "The kiosk\n  is frozen.", true},
		{"seoul", "체크인 화면에 error_547이 떠요. 비밀번호를 다시 넣어도 같아요.", true},
		{"seoul", "예약 화면에 오류_612가 보입니다.", true},
		{"osaka", "チェックイン画面にＥＲＲＯＲ＿５４７が出ます。", true},
		{"boston", "I've noticed a peculiar error message popping up. It says error_5471, or 547.", false},
		{"boston", "my_error_547 and error 547", false},
		{"boston", "The kiosk is not frozen, it is off.", false},
		{"seoul", "오류 612번은 아니고 그냥 느려요.", false},
		{"osaka", "エラーが出ます。５４７ではありません。", false},
	} {
		id := d.asks(tc.company, tc.text)
		if !tc.routed {
			d.wants(id, "group_id priority tags", d.assistance, nil, "[]")
			if got := d.mails(id); len(got) > 0 {
				t.Errorf("%q: mails %q", tc.text, got)
			}
			continue
		}
		d.wants(id, "group_id priority tags", d.triage, "high", "[estimated]")
		if got := fmt.Sprint(d.mails(id)); got != mail(tc.company, id) {
			t.Errorf("%q: mails %s, want %s", tc.text, got, mail(tc.company, id))
		}
		// Neither what follows tells them again, nor the same words.
		d.adds(tc.company, id, tc.text)
		d.put(d.path(id), `{"ticket":{"priority":"urgent","comment":{"body":"We look into error_547."}}}`).want(200)
		d.wants(id, "group_id priority tags", d.triage, "urgent", "[estimated]")
		if got := len(d.mails(id)); got != 1 {
			t.Errorf("%q: %d mails after the updates", tc.text, got)
		}
	}

	// Who writes of it later is told then.
	id := d.asks("osaka", "画面が動きません。")
	d.adds("osaka", id, "error_547と出ています。")
	d.wants(id, "group_id priority", d.triage, "high")
	if got := fmt.Sprint(d.mails(id)); got != mail("osaka", id) {
		t.Errorf("mails %s", got)
	}
	const by = " via rule trigger \"Error numbers\""
	want := fmt.Sprintf("Comment  <nil> <nil>\nNotification  <nil> <nil>%s\nChange priority <nil> high%[1]s\nChange tags [] [estimated]%[1]s\nChange group_id %d %d%[1]s", by, d.assistance, d.triage)
	if got := told(d.get(d.path(id)+"/audits").want(200), "audits", 1, "events"); got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
}

func TestDeskAsksOnceAnHourAfterTheSolution(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.automation("Was it solved?", `{"field":"status","operator":"is","value":"solved"},{"field":"SOLVED","operator":"is","value":"1"}`,
		`{"field":"notification_user","value":["requester_id","{{ticket.title}}","{{ticket.latest_public_comment}} 해결되었나요?"]}`)
	solved, open := d.asks("seoul", "비밀번호를 잊어버렸습니다."), d.asks("seoul", "아직 열려 있습니다.")
	d.later(20 * time.Minute)
	d.put(d.path(solved), fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d,"comment":{"body":"새 비밀번호를 보냈습니다."}}}`, d.agent)).want(200)
	d.later(time.Hour - time.Second)
	if n := d.automate(); n != 0 {
		t.Errorf("before the hour was over it acted on %d", n)
	}
	d.later(time.Second)
	// Two processes wake up at the same time.
	processes := []*anAPI{d.restarted(), d.restarted()}
	acted := make(chan int)
	for _, p := range processes {
		go func() {
			ran, err := p.automations.RunAccount(testContext(t), d.account.ID)
			if err != nil {
				t.Error(err)
			}
			acted <- ran.Tickets
		}()
	}
	if n := <-acted + <-acted; n != 1 {
		t.Errorf("two processes acted on %d", n)
	}
	want := fmt.Sprintf("[%s cc : Help: 새 비밀번호를 보냈습니다. 해결되었나요?]", d.at("seoul"))
	once := func(when string) {
		t.Helper()
		if got := fmt.Sprint(d.mails(solved)); got != want {
			t.Errorf("%s: mails %s, want %s", when, got, want)
		}
	}
	once("at the hour")
	for range 3 { // every twenty minutes, each time by a process that has just begun
		d.later(19 * time.Minute)
		if n := d.restarted().automate(); n != 0 {
			t.Errorf("after a restart it acted on %d", n)
		}
	}
	once("after restarts")
	if got := d.mails(open); len(got) > 0 {
		t.Errorf("of an open ticket: %q", got)
	}
	if got := told(d.get(d.path(solved)+"/audits").want(200), "audits", 2, "events"); got != "Notification  <nil> <nil>" {
		t.Errorf("events %s", got)
	}
}

// Seoul has a time zone, a lunch and a holiday of its own; all others have the
// hours of New York, which moves its clocks forward on the 8th. The clock stands
// at Wednesday the 4th, 14:06:07 in Seoul and 00:06:07 in New York.
func TestDeskPromisesByTheHoursOfTheCustomer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	week := func(parts ...[2]int) string {
		var intervals []string
		for day := 1; day <= 5; day++ {
			for _, p := range parts {
				intervals = append(intervals, fmt.Sprintf(`{"start_time":%d,"end_time":%d}`, (day*24+p[0])*60, (day*24+p[1])*60))
			}
		}
		return strings.Join(intervals, ",")
	}
	d.schedule(`{"name":"Head office","time_zone":"America/New_York","intervals":[%s]}`, week([2]int{9, 17}))
	seoul := d.schedule(`{"name":"Seoul","time_zone":"Asia/Seoul","intervals":[%s]}`, week([2]int{9, 12}, [2]int{13, 18}))
	d.post(seoul+"/holidays", `{"holiday":{"name":"창립기념일","start_date":"2026-03-06"}}`).want(201)
	d.triggered("Hours of Seoul", fmt.Sprintf(`{"field":"organization_id","operator":"is","value":"%d"},{"field":"update_type","operator":"is","value":"Create"}`, d.seoul),
		fmt.Sprintf(`{"field":"set_schedule","value":"%s"},{"field":"priority","value":"high"}`, seoul[strings.LastIndex(seoul, "/")+1:]))
	d.triggered("Priority", `{"field":"update_type","operator":"is","value":"Create"},{"field":"priority","operator":"is","value":""}`, `{"field":"priority","value":"normal"}`)
	d.policy(`{"title":"Seoul","filter":{"all":[{"field":"organization_id","operator":"is","value":"%d"}]},"policy_metrics":%s}`, d.seoul,
		promises("high first_reply_time 240 business", "high requester_wait_time 600 business"))
	d.policy(`{"title":"Others","filter":{},"policy_metrics":%s}`, promises("normal first_reply_time 1500 business"))

	// 3:53:53 are left until 18:00; the rest of the 4 hours is Thursday from 9:00
	// on. Of the 10, Thursday has 3 before lunch and ends them at 16:06:07.
	id := d.asks("seoul", "객실 열쇠가 발급되지 않아요.")
	d.wantBreaches(id, "first_reply_time active 2026-03-05T00:06:07Z, requester_wait_time active 2026-03-05T07:06:07Z")
	// 25 hours of 8 a day: Wednesday to Friday, and Monday until 10:00, which is
	// 14:00 in UTC by then.
	other := d.asks("boston", "The keys are not issued.")
	d.wantBreaches(other, "first_reply_time active 2026-03-09T14:00:00Z")

	// The answer two hours later waits for the customer, who writes in the lunch
	// of Thursday. Of the 8 hours that are left, Thursday has 5, Friday is off, and
	// Monday ends them at noon.
	d.later(2 * time.Hour)
	d.put(d.path(id), fmt.Sprintf(`{"ticket":{"status":"pending","assignee_id":%d,"comment":{"body":"카드를 다시 넣어 보셨나요?"}}}`, d.agent)).want(200)
	d.wantBreaches(id, "first_reply_time achieved, requester_wait_time paused")
	lunch := time.Date(2026, 3, 5, 3, 30, 0, 0, time.UTC)
	d.now.Store(&lunch)
	d.adds("seoul", id, "네, 그래도 안 됩니다.")
	d.wantBreaches(id, "first_reply_time achieved, requester_wait_time active 2026-03-09T03:00:00Z")

	monday := time.Date(2026, 3, 9, 2, 59, 0, 0, time.UTC)
	d.now.Store(&monday)
	d.put(d.path(id), `{"ticket":{"status":"solved","comment":{"body":"해결했습니다."}}}`).want(200)
	d.wantBreaches(id, "first_reply_time achieved, requester_wait_time achieved")
	d.wantBreaches(other, "first_reply_time active 2026-03-09T14:00:00Z")
}

// wantBreaches compares the targets of a ticket: which, how it stands, and when
// it is missed.
func (d *desk) wantBreaches(ticket int64, want string) {
	d.t.Helper()
	var answer struct {
		Ticket struct {
			SLAs struct {
				Metrics []struct {
					Metric, Stage string
					BreachAt      *string `json:"breach_at"`
				} `json:"policy_metrics"`
			} `json:"slas"`
		}
	}
	d.get(d.path(ticket) + "?include=slas").want(200).json(&answer)
	var got []string
	for _, m := range answer.Ticket.SLAs.Metrics {
		text := m.Metric + " " + m.Stage
		if m.BreachAt != nil {
			text += " " + *m.BreachAt
		}
		got = append(got, text)
	}
	if got := strings.Join(got, ", "); got != want {
		d.t.Errorf("targets of ticket %d:\n got %s\nwant %s", ticket, got, want)
	}
}

// A rule that cannot be is refused, and the answer tells which part of it is
// wrong; none of it is kept.
func TestDeskRefusesRulesThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const (
		open   = `{"field":"status","operator":"is","value":"open"}`
		solved = `{"field":"SOLVED","operator":"is","value":"1"}`
		act    = `{"field":"priority","value":"high"}`
	)
	plan := fmt.Sprintf("custom_fields_%d", d.plan)
	for _, tc := range []struct{ kind, all, any, actions, want string }{
		{"trigger", open + `,{"field":"wether","operator":"is","value":"x"}`, "", act, "conditions.all[1]: wether is not a field"},
		{"trigger", open, open + `,{"field":"custom_fields_4711","operator":"is","value":"x"}`, act, "conditions.any[1]: custom_fields_4711 names a field that does not exist"},
		{"trigger", open + `,{"field":"group_id","operator":"less_than","value":"1"}`, "", act, "conditions.all[1]: group_id less_than is no operator of this field"},
		{"trigger", `{"field":"priority","operator":"is","value":"very"},` + open, "", act, "conditions.all[0]: priority is cannot be"},
		{"trigger", `{"field":"priority","operator":"is","value":{"a":1}}`, "", act, "conditions.all[0]: priority is needs a value"},
		{"trigger", `{"field":"` + plan + `","operator":"is","value":"diamond"}`, "", act, "conditions.all[0]: " + plan},
		{"trigger", open + `,{"field":"group_id","operator":"is","value":"4711"}`, "", act, "conditions.all[1]: group_id is 4711 does not exist"},
		{"trigger", open, "", act + `,{"field":"group_id","value":"4711"}`, "actions[1]: group_id 4711 does not exist"},
		{"trigger", open, `{"field":"assignee_id","operator":"is","value":"4711"}`, act, "conditions.any[0]: user 4711 does not exist"},
		{"trigger", open, "", act + `,{"field":"notification_user","value":["4711","x","y"]}`, "actions[1]: user 4711 does not exist"},
		{"trigger", open, "", act + `,{"field":"notification_user","value":["requester_id","x","{% for i in (1..900000000) %}{% endfor %}"]}`, "actions[1]: notification_user the text takes too long"},
		{"automation", open, "", act, "Conditions: all must have one about time"},
		{"automation", `{"field":"updated_at","operator":"is","value":"1"}`, "", act, "Conditions: all must have one of status"},
		{"automation", open + `,{"field":"PENDING","operator":"is","value":"soon"}`, "", act, "conditions.all[1]: PENDING is needs a number"},
		{"automation", open, solved, act, "conditions.any[0]: SOLVED may stand in all only"},
		{"view", `{"field":"priority","operator":"is","value":"high"}`, open, "", "Conditions: all must have one of status"},
		{"view", open + `,{"field":"comment_is_public","operator":"is","value":true}`, "", "", "conditions.all[1]: comment_is_public cannot be asked here"},
		{"view", open + `,{"field":"` + plan + `","operator":"includes_word","value":"gold"}`, "", "", "conditions.all[1]: " + plan + " includes_word is no operator"},
		{"macro", "", "", act + `,{"field":"comment_value","value":"{% if %}"}`, "actions[1]: comment_value"},
	} {
		before := len(d.get("/api/v2/" + tc.kind + "s").want(200).ids(tc.kind + "s"))
		r := d.post("/api/v2/"+tc.kind+"s", fmt.Sprintf(`{%q:{"title":"x","all":[%s],"any":[%s],"actions":[%s]}}`, tc.kind, tc.all, tc.any, tc.actions)).want(422)
		var answer struct {
			Error   string
			Details struct {
				Base []struct{ Description string }
			}
		}
		if r.json(&answer); answer.Error != "RecordInvalid" || len(answer.Details.Base) != 1 || !strings.HasPrefix(answer.Details.Base[0].Description, tc.want) {
			t.Errorf("%s %s %s %s:\n%s\nwant %s", tc.kind, tc.all, tc.any, tc.actions, r.body, tc.want)
		}
		if after := len(d.get("/api/v2/" + tc.kind + "s").want(200).ids(tc.kind + "s")); after != before {
			t.Errorf("%s: %d are kept, there were %d", tc.want, after, before)
		}
	}
}

// Rules on what is gone stay readable and hold for no ticket.
func TestDeskRulesOutliveWhatTheyName(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	gone := d.user("Night Shift", d.email("night"), "agent")
	type rule struct{ kind, path, value string }
	var kept []rule
	for field, value := range map[string]string{
		"group_id": fmt.Sprint(d.care), "assignee_id": fmt.Sprint(gone), "organization_id": fmt.Sprint(d.osaka), fmt.Sprintf("custom_fields_%d", d.plan): "gold",
	} {
		all := fmt.Sprintf(`{"field":%q,"operator":"is_not","value":%q},{"field":"status","operator":"less_than","value":"solved"}`, field, value)
		trigger := d.triggered("T", all, `{"field":"current_tags","value":"triggered"}`)
		automation := d.automation("A", all+`,{"field":"NEW","operator":"greater_than","value":"0"}`, `{"field":"current_tags","value":"automated"}`)
		kept = append(kept, rule{"trigger", fmt.Sprintf("/api/v2/triggers/%d", trigger), value}, rule{"automation", fmt.Sprintf("/api/v2/automations/%d", automation), value})
	}
	d.wants(d.asks("boston", "Please assist."), "tags", "[triggered]")
	d.later(2 * time.Hour)
	if n := d.automate(); n == 0 {
		t.Error("automations acted on none while all is there")
	}
	for path, status := range map[string]int{
		fmt.Sprintf("/api/v2/groups/%d", d.care): 204, fmt.Sprintf("/api/v2/users/%d", gone): 200, fmt.Sprintf("/api/v2/organizations/%d", d.osaka): 204,
		fmt.Sprintf("/api/v2/ticket_fields/%d", d.plan): 204,
	} {
		d.delete(path).want(status)
	}
	id := d.asks("boston", "Please assist.")
	d.later(2 * time.Hour)
	if n := d.automate(); n != 0 {
		t.Errorf("automations acted on %d", n)
	}
	d.wants(id, "tags", "[]")
	for _, r := range kept {
		if got := d.get(r.path).want(200).member(r.kind, "conditions", "all", 0, "value"); got != r.value {
			t.Errorf("%s reads %v, want %s", r.path, got, r.value)
		}
		d.put(r.path, fmt.Sprintf(`{%q:{"title":"Renamed"}}`, r.kind)).want(200)
	}
}

func TestDeskViewsOpenTicketsOfAProduct(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.routes()
	view := d.post(viewsPath, fmt.Sprintf(`{"view":{"title":"Open kiosk tickets","all":[{"field":"status","operator":"is","value":"open"},
		{"field":"group_id","operator":"is","value":"%d"},{"field":"custom_fields_%d","operator":"is","value":"checkin_kiosk"}],
		"output":{"columns":["subject","organization","%[2]d"],"sort_by":"created","sort_order":"asc"}}}`, d.assistance, d.product)).want(201).id("view")
	path := fmt.Sprintf("%s/%d", viewsPath, view)
	kiosk := choose(d.product, "checkin_kiosk")
	var open []int64
	for _, company := range []string{"seoul", "boston", "osaka"} {
		d.later(time.Minute)
		open = append(open, d.asks(company, "Please assist.", kiosk))
	}
	pending, engine := d.asks("seoul", "Please assist.", kiosk), d.asks("seoul", "Please assist.", choose(d.product, "booking_engine"))
	care := d.asks("seoul", "Please assist.", fmt.Sprintf(`,"custom_fields":[{"id":%d,"value":"checkin_kiosk"},{"id":%d,"value":"platinum"}]`, d.product, d.plan))
	d.asks("osaka", "Please assist.", kiosk) // stays new
	for _, id := range append([]int64{pending, engine, care}, open...) {
		d.put(d.path(id), fmt.Sprintf(`{"ticket":{"status":"open","assignee_id":%d}}`, d.agent)).want(200)
	}
	d.put(d.path(pending), `{"ticket":{"status":"pending"}}`).want(200)
	shows := func(by *anAPI, want ...int64) {
		t.Helper()
		if got := by.get(path + "/tickets").want(200).ids("tickets"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("tickets %v, want %v", got, want)
		}
		r := by.get(path + "/count").want(200)
		if n, fresh := r.member("view_count", "value"), r.member("view_count", "fresh"); fmt.Sprint(n) != fmt.Sprint(len(want)) || fresh != true {
			t.Errorf("count %v (fresh: %v), want %d", n, fresh, len(want))
		}
		var table struct {
			Rows []struct {
				Ticket  struct{ ID int64 }
				Company int64 `json:"organization_id"`
				Fields  []struct {
					ID    int64
					Value string
				} `json:"custom_fields"`
			}
		}
		r = by.get(path + "/execute").want(200).json(&table)
		if len(table.Rows) != len(want) {
			t.Fatalf("%d rows, want %d", len(table.Rows), len(want))
		}
		for i, row := range table.Rows {
			if row.Ticket.ID != want[i] || row.Company == 0 || len(row.Fields) != 1 || row.Fields[0].ID != d.product {
				t.Errorf("row %d is %+v: %.600s", i, row, r.body)
			}
		}
	}
	shows(d.as(d.email("desk")), open...)

	// A change of any of the three takes a ticket out, and an agent who may not see
	// the group's tickets sees none of them.
	d.put(d.path(open[0]), `{"ticket":{"status":"solved"}}`).want(200)
	d.put(d.path(open[1]), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"booking_engine"}]}}`, d.product)).want(200)
	shows(d.as(d.email("desk")), open[2])
	d.put(d.path(open[2]), fmt.Sprintf(`{"ticket":{"group_id":%d}}`, d.triage)).want(200)
	d.put(d.path(engine), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"checkin_kiosk"}]}}`, d.product)).want(200)
	shows(d.as(d.email("desk")), engine)
	_, stranger := d.restricted("stranger", "assigned")
	shows(stranger)
	d.as(d.at("seoul")).get(path + "/tickets").wantForbidden()
}

func TestDeskAnswersForgottenPasswordsByMacro(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.routes()
	macro := d.post("/api/v2/macros", `{"macro":{"title":"Access::Password reset","actions":[{"field":"status","value":"pending"},{"field":"type","value":"question"},
		{"field":"assignee_id","value":"current_user"},{"field":"current_tags","value":"password_reset"},{"field":"comment_mode_is_public","value":"true"},
		{"field":"comment_value","value":"{{ticket.requester.first_name}}님, 「{{ticket.title}}」의 비밀번호를 새로 정해 주세요. / パスワードを再設定してください。"}]}}`).want(201).id("macro")
	id := d.asks("seoul", "I've forgotten my password, and the password reset option is not working. How can I recover my account?")
	agent := d.as(d.email("desk"))
	before := d.get(d.path(id)).want(200).body
	r := agent.get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply", id, macro)).want(200)
	const text = "Front님, 「Help」의 비밀번호를 새로 정해 주세요. / パスワードを再設定してください。"
	for name, want := range map[string]any{"status": "pending", "type": "question", "assignee_id": d.agent, "tags": "[password_reset]"} {
		if got := fmt.Sprint(r.member("result", "ticket", name)); got != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %v", name, got, want)
		}
	}
	if got := r.member("result", "ticket", "comment", "body"); got != text {
		t.Errorf("comment %v", got)
	}
	if after := d.get(d.path(id)).want(200).body; string(after) != string(before) {
		t.Errorf("trying it out changed the ticket:\n%s\n%s", before, after)
	}
	d.wants(id, "status tags", "new", "[]")

	// The agent saves what was made of it.
	agent.put(d.path(id), fmt.Sprintf(`{"ticket":{"status":"pending","type":"question","assignee_id":%d,"tags":["password_reset"],"macro_ids":[%d],
		"comment":{"body":%q}}}`, d.agent, macro, r.member("result", "ticket", "comment", "body"))).want(200)
	d.wants(id, "status type assignee_id tags", "pending", "question", d.agent, "[password_reset]")
	if got := fmt.Sprint(d.as(d.at("seoul")).get(fmt.Sprintf("/api/v2/requests/%d/comments", id)).want(200).member("comments", 1, "body")); got != text {
		t.Errorf("the customer reads %s", got)
	}
	d.as(d.at("seoul")).get(fmt.Sprintf("/api/v2/tickets/%d/macros/%d/apply", id, macro)).wantForbidden()
}
