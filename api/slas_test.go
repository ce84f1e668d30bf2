package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/server/testdb"
)

// slas are the targets of a ticket as side-loading shows them, each as
// "metric stage breach_at left".
func (r *result) slas(path ...any) string {
	r.t.Helper()
	var out []string
	list := r.member(append(path, "slas", "policy_metrics")...).([]any)
	for i := range list {
		m := list[i].(map[string]any)
		text := fmt.Sprintf("%v %v", m["metric"], m["stage"])
		if m["breach_at"] != nil {
			text += " " + m["breach_at"].(string)[8:19]
		}
		for _, unit := range []string{"days", "hours", "minutes"} {
			if m[unit] != nil {
				text += fmt.Sprintf(" %v %s", m[unit], unit)
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (a *anAPI) wantSLAs(id int64, want string) {
	a.t.Helper()
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d?include=slas", id)).want(200).slas("ticket"); got != want {
		a.t.Errorf("targets of ticket %d:\n got %s\nwant %s", id, got, want)
	}
}

// promises are policy_metrics: "priority metric minutes", with " business" if only
// working hours count.
func promises(list ...string) string {
	var out []string
	for _, text := range list {
		part := strings.Fields(text)
		out = append(out, fmt.Sprintf(`{"priority":%q,"metric":%q,"target":%s,"business_hours":%t}`, part[0], part[1], part[2], len(part) > 3))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// asked makes a ticket of an end user's with a public comment.
func (a *anAPI) asked(user int64, more string) int64 {
	a.t.Helper()
	return a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Help","author_id":%[1]d}%s}`, user, more))
}

func (a *anAPI) change(ticket int64, body string, args ...any) *result {
	a.t.Helper()
	return a.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), fmt.Sprintf(`{"ticket":`+body+`}`, args...)).want(200)
}

// number is what one row of raw SQL holds.
func (a *anAPI) ticketNumber(query string, ticket int64) (n int) {
	a.t.Helper()
	if err := a.db.WithContext(a.ctx()).Raw(query, a.account.ID, ticket).Row().Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// The clock of a.at is half a minute behind the minute, and the 2nd of March a
// Monday.
func TestSLATargetsOfATicket(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("high first_reply_time 30", "high next_reply_time 60", "high periodic_update_time 120",
		"high pausable_update_time 120", "high requester_wait_time 240", "high agent_work_time 240", "high total_resolution_time 4320", "low first_reply_time 600"))
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(2, 9, 0)
	id := a.asked(bo, `,"priority":"high"`)
	plain := a.asked(bo, ``)
	a.wantSLAs(plain, "") // without a priority nothing is promised
	const begun = "requester_wait_time active 02T13:00:30 4 hours, agent_work_time active 02T13:00:30 4 hours, "
	a.wantSLAs(id, "first_reply_time active 02T09:30:30 30 minutes, "+begun+"total_resolution_time active 05T09:00:30 3 days")
	a.change(plain, `{"priority":"low"}`)
	a.wantSLAs(plain, "first_reply_time active 02T19:00:30 10 hours")

	a.at(2, 9, 20) // the reply sets it pending
	a.change(id, `{"status":"pending","assignee_id":%d,"comment":{"body":"Try again"}}`, a.admin.ID)
	a.wantSLAs(id, "first_reply_time achieved, requester_wait_time paused 3 hours, agent_work_time paused 3 hours, "+
		"pausable_update_time paused 2 hours, periodic_update_time active 02T11:20:30 2 hours, total_resolution_time active 05T09:00:30 2 days")
	a.at(2, 10, 0)
	a.as(a.email("bo")).put(fmt.Sprintf("/api/v2/requests/%d", id), `{"request":{"comment":{"body":"Still broken"}}}`).want(200)
	a.wantSLAs(id, "first_reply_time achieved, next_reply_time active 02T11:00:30 1 hours, requester_wait_time active 02T13:40:30 3 hours, "+
		"agent_work_time active 02T13:40:30 3 hours, pausable_update_time active 02T12:00:30 2 hours, periodic_update_time active 02T11:20:30 1 hours, "+
		"total_resolution_time active 05T09:00:30 2 days")
	a.at(2, 10, 30)
	a.change(id, `{"status":"hold","comment":{"body":"Among us","public":false}}`)
	a.at(2, 11, 30) // beyond next reply and periodic update
	a.change(id, `{"status":"solved","comment":{"body":"Done"}}`)
	a.wantSLAs(id, "first_reply_time achieved, next_reply_time achieved 02T11:00:30, requester_wait_time achieved, agent_work_time achieved, "+
		"pausable_update_time achieved, periodic_update_time achieved 02T11:20:30, total_resolution_time achieved")
	a.at(2, 12, 0)
	a.change(id, `{"status":"open"}`) // after 20 + 90 minutes of waiting and 20 + 30 of work
	a.wantSLAs(id, "first_reply_time achieved, next_reply_time achieved 02T11:00:30, requester_wait_time active 02T14:10:30 2 hours, "+
		"agent_work_time active 02T15:10:30 3 hours, pausable_update_time achieved, periodic_update_time achieved 02T11:20:30, total_resolution_time active 05T09:30:30 2 days")

	list := a.get("/api/v2/tickets?include=slas").want(200)
	if got := list.slas("tickets", 1); got != "first_reply_time active 02T19:00:30 6 hours" && got != "first_reply_time active 02T19:00:30 7 hours" {
		t.Errorf("in the list %s", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/tickets/show_many?ids=%d&include=slas,metric_sets", plain)).want(200).slas("tickets", 0); !strings.HasPrefix(got, "first_reply_time active") {
		t.Errorf("among many %s", got)
	}
	a.at(2, 19, 10)
	a.wantSLAs(plain, "first_reply_time active 02T19:00:30 -10 minutes")
}

func TestTheFirstSLAPolicyThatMatchesCounts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const metric = "normal total_resolution_time "
	gold := a.policy(`{"title":"Gold","filter":{"all":[{"field":"current_tags","operator":"includes","value":"gold"}]},"policy_metrics":%s}`, promises(metric+"10"))
	company := a.post("/api/v2/organizations", `{"organization":{"name":"Big"}}`).want(201).id("organization")
	big := a.policy(`{"title":"Big","filter":{"all":[{"field":"organization_id","operator":"is","value":%d}],"any":[{"field":"via_id","operator":"includes","value":[4,5]}]},
		"policy_metrics":%s}`, company, promises(metric+"20"))
	a.policy(`{"title":"Rest","filter":{"any":[{"field":"ticket_type_id","operator":"is","value":"2"},{"field":"group_id","operator":"is","value":""}]},"policy_metrics":%s}`, promises(metric+"30"))
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(2, 9, 0)
	at := func(minute int, left string) string {
		return fmt.Sprintf("total_resolution_time active 02T09:%d:30 %s minutes", minute, left)
	}
	id := a.asked(bo, `,"priority":"normal","type":"incident"`)
	a.wantSLAs(id, at(30, "30"))
	a.at(2, 9, 5)
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, bo, company)).want(201)
	a.change(id, `{"organization_id":%d}`, company)
	a.wantSLAs(id, at(20, "15"))
	a.change(id, `{"tags":["gold"]}`)
	a.wantSLAs(id, at(10, "5"))
	a.put(slaPoliciesPath+"/reorder", fmt.Sprintf(`{"sla_policy_ids":[%d,%d]}`, big, gold)).want(200)
	a.wantSLAs(id, at(10, "5")) // until the next update
	a.change(id, `{"subject":"S"}`)
	a.wantSLAs(id, at(20, "15"))
	a.put(fmt.Sprintf("%s/%d", slaPoliciesPath, big), fmt.Sprintf(`{"sla_policy":{"policy_metrics":%s}}`, promises(metric+"25", "high agent_work_time 1"))).want(200)
	a.change(id, `{"subject":"T"}`)
	a.wantSLAs(id, at(25, "20"))
	a.delete(fmt.Sprintf("%s/%d", slaPoliciesPath, big)).want(204)
	a.wantSLAs(id, at(25, "20"))
	a.change(id, `{"subject":"U"}`)
	a.wantSLAs(id, at(10, "5"))
	a.change(id, `{"tags":[],"type":"question","assignee_id":%d}`, a.admin.ID)
	a.wantSLAs(id, "")
	var policies []string
	if err := a.db.WithContext(a.ctx()).Raw(`SELECT (change->>'previous') || ' ' || (change->>'current') FROM events
		WHERE account_id = ? AND type = 'zen:event-type:ticket.sla_policy_changed' ORDER BY id`, a.account.ID).Scan(&policies).Error; err != nil {
		t.Fatal(err)
	}
	if len(policies) != 5 || policies[1] != fmt.Sprintf("%d %d", big, gold) || policies[4] != fmt.Sprintf("%d 0", gold) {
		t.Errorf("policies changed %v", policies)
	}
}

// A target whose clock is over keeps what came of it.
func TestPrioritiesChangeSLATargets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 60", "low agent_work_time 600", "urgent first_reply_time 5", "urgent agent_work_time 30"))
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(2, 9, 0)
	replied, open := a.asked(bo, `,"priority":"low"`), a.asked(bo, `,"priority":"low"`)
	a.at(2, 9, 10)
	a.change(replied, `{"comment":{"body":"Hello"}}`)
	a.at(2, 9, 50)
	for _, id := range []int64{replied, open} {
		a.change(id, `{"priority":"urgent"}`)
	}
	a.wantSLAs(replied, "first_reply_time achieved, agent_work_time active 02T09:30:30 -20 minutes")
	a.wantSLAs(open, "first_reply_time active 02T09:05:30 -45 minutes, agent_work_time active 02T09:30:30 -20 minutes")
	a.wantMetricEvents(open, "02T09:00 agent_work_time apply_sla 1 36000, 02T09:00 reply_time apply_sla 1 3600, 02T09:05 reply_time breach 1, "+
		"02T09:30 agent_work_time breach 1, 02T09:50 agent_work_time apply_sla 1 1800, 02T09:50 reply_time apply_sla 1 300")
	a.at(2, 9, 55)
	a.change(open, `{"priority":"low"}`)
	a.wantSLAs(open, "first_reply_time active 02T10:00:30 5 minutes, agent_work_time active 02T19:00:30 9 hours")
	a.wantMetricEvents(open, "02T09:00 agent_work_time apply_sla 1 36000, 02T09:00 reply_time apply_sla 1 3600, 02T09:05 reply_time breach 1, 02T09:05 reply_time breach 1 deleted, "+
		"02T09:30 agent_work_time breach 1, 02T09:30 agent_work_time breach 1 deleted, 02T09:50 agent_work_time apply_sla 1 1800, 02T09:50 reply_time apply_sla 1 300, "+
		"02T09:55 agent_work_time apply_sla 1 36000, 02T09:55 reply_time apply_sla 1 3600")
}

// wantMetricEvents compares the metric events of SLAs beside a ticket, in order.
func (a *anAPI) wantMetricEvents(id int64, want string) {
	a.t.Helper()
	var beside struct {
		Ticket struct {
			Events map[string][]struct {
				Metric, Type, Time string
				Instance           int64 `json:"instance_id"`
				Deleted            *bool
				SLA                *struct {
					Seconds int64 `json:"target_in_seconds"`
				}
			} `json:"metric_events"`
		}
	}
	a.get(fmt.Sprintf("/api/v2/tickets/%d?include=metric_events", id)).want(200).json(&beside)
	var got []string
	for _, list := range beside.Ticket.Events {
		for _, e := range list {
			if e.Type != "apply_sla" && e.Type != "breach" {
				continue
			}
			text := fmt.Sprintf("%s %s %s %d", e.Time[8:16], e.Metric, e.Type, e.Instance)
			if e.SLA != nil {
				text += fmt.Sprint(" ", e.SLA.Seconds)
			}
			if (e.Deleted != nil) != (e.Type == "breach") {
				a.t.Errorf("deleted of %s is %v", text, e.Deleted)
			}
			if e.Deleted != nil && *e.Deleted {
				text += " deleted"
			}
			got = append(got, text)
		}
	}
	slices.Sort(got)
	if strings.Join(got, ", ") != want {
		a.t.Errorf("metric events of ticket %d:\n got %s\nwant %s", id, strings.Join(got, ", "), want)
	}
}

// The working hours of an organization elsewhere: those of the ticket's schedule.
func TestSLATargetsInBusinessHours(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("normal first_reply_time 120 business", "normal total_resolution_time 120"))
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(6, 15, 30)
	before := a.asked(bo, `,"priority":"normal"`)
	a.wantSLAs(before, "first_reply_time active 06T17:30:30 2 hours, total_resolution_time active 06T17:30:30 2 hours") // there is no schedule
	berlin := a.schedule(`{"name":"Berlin","time_zone":"Europe/Berlin"}`)
	a.post(berlin+"/holidays", `{"holiday":{"name":"H","start_date":"2026-03-09"}}`).want(201)
	tokyo := a.schedule(`{"name":"Tokyo","time_zone":"Asia/Tokyo"}`)
	id := a.asked(bo, `,"priority":"normal"`) // Friday, half an hour before the end, and Monday is a holiday
	a.wantSLAs(id, "first_reply_time active 10T09:30:30 3 days, total_resolution_time active 06T17:30:30 2 hours")
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE tickets SET schedule_id = ? WHERE account_id = ? AND id = ?",
		strings.TrimPrefix(tokyo, schedulesPath+"/"), a.account.ID, id).Error; err != nil {
		t.Fatal(err)
	}
	a.change(id, `{"subject":"S"}`) // in Tokyo it is Saturday: two hours from Monday, 9:00
	a.wantSLAs(id, "first_reply_time active 09T02:00:00 2 days, total_resolution_time active 06T17:30:30 2 hours")
	a.change(id, `{"status":"solved","assignee_id":%d}`, a.admin.ID)
	a.at(9, 1, 0)
	a.change(id, `{"status":"open"}`)
	a.at(9, 3, 0)
	a.change(id, `{"status":"solved"}`)
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution 0/0, full_resolution 3570/180, agent_wait 0/0, requester_wait 120/120, on_hold 0/0")
	a.delete(tokyo).want(204)
	a.at(9, 3, 1)
	a.change(id, `{"status":"open"}`) // it falls back to the default schedule
	a.at(10, 8, 0)
	a.change(id, `{"status":"solved"}`)
	a.wantMinutes(id, "reply <nil>/<nil>, first_resolution 0/0, full_resolution 5310/30, agent_wait 0/0, requester_wait 1859/120, on_hold 0/0")
}

func TestMetricSettingsSayWhenSLATargetsBegin(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`,
		promises("low first_reply_time 60", "low next_reply_time 60", "low periodic_update_time 60")))
	bo, al := a.user("Bo", a.email("bo"), "end-user"), a.user("Al", a.email("al"), "agent")
	const note = `"comment":{"body":"N","public":false}`
	a.at(2, 9, 0)
	noted := a.ticket(fmt.Sprintf(`{"requester_id":%d,"priority":"low",%s}`, bo, note))
	a.wantSLAs(noted, "")
	own := a.ticket(fmt.Sprintf(`{"requester_id":%d,"priority":"low","comment":{"body":"Mine"}}`, al))
	a.wantSLAs(own, "periodic_update_time active 02T10:00:30 1 hours") // an agent's public comment, who does not ask
	a.put(path, `{"sla_policy":{"metric_settings":{"first_reply_time":{"activate_on_agent_ticket_created_for_end_user_with_internal_note":true,
		"activate_on_agent_created_ticket_for_self":true,"fulfill_on_agent_internal_note":true},"periodic_update_time":{"activate_on_agent_internal_note":true}}}}`).want(200)
	noted = a.ticket(fmt.Sprintf(`{"requester_id":%d,"priority":"low",%s}`, bo, note))
	a.wantSLAs(noted, "first_reply_time active 02T10:00:30 1 hours, periodic_update_time active 02T10:00:30 1 hours")
	own = a.as(a.email("al")).ticket(`{"priority":"low","comment":{"body":"Mine"}}`)
	a.wantSLAs(own, "first_reply_time active 02T10:00:30 1 hours")
	a.at(2, 9, 30)
	a.change(noted, "{"+note+"}")
	a.wantSLAs(noted, "first_reply_time achieved, periodic_update_time active 02T10:30:30 1 hours")
}

// Nothing is promised for what is imported, and what is closed stays as it is.
func TestTicketsWithoutSLA(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 60", "low total_resolution_time 60", "high total_resolution_time 5"))
	a.at(2, 9, 0)
	old := a.post("/api/v2/imports/tickets", `{"ticket":{"description":"Old","status":"open","priority":"low","created_at":"2020-01-01"}}`).want(201).id("ticket")
	a.wantSLAs(old, "")
	a.change(old, `{"subject":"S"}`)
	a.wantSLAs(old, "total_resolution_time active 02T10:00:30 1 hours") // what comes from now on is promised
	closed := a.asked(a.user("Bo", a.email("bo"), "end-user"), `,"priority":"low"`)
	a.change(closed, `{"status":"solved","assignee_id":%d}`, a.admin.ID)
	a.change(closed, `{"status":"closed"}`)
	const over = "first_reply_time achieved, total_resolution_time achieved"
	a.wantSLAs(closed, over)
	a.at(2, 10, 0)
	a.change(closed, `{"priority":"high"}`)
	a.wantSLAs(closed, over)
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d", old)).want(200)
	if strings.Contains(string(r.body), "slas") {
		t.Errorf("told without being asked: %s", r.body)
	}
}

// breaches are what was told of breaches of a ticket, in the log and in metric
// events.
func (a *anAPI) wantBreaches(id int64, want ...string) {
	a.t.Helper()
	var got []string
	if err := a.db.WithContext(a.ctx()).Raw(`SELECT change->>'metric' || ' ' || (change->>'breached_at') FROM events
		WHERE account_id = ? AND subject_id = ? AND type = 'zen:event-type:ticket.sla_breached' ORDER BY id`, a.account.ID, id).Scan(&got).Error; err != nil {
		a.t.Fatal(err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		a.t.Errorf("the log tells of breaches %q of ticket %d, want %q", got, id, want)
	}
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d?include=metric_events", id)).want(200)
	if n := strings.Count(string(r.body), `"type":"breach"`); n != len(want) {
		a.t.Errorf("%d metric events of breaches of ticket %d, want %d: %s", n, id, len(want), r.body)
	}
}

// newTelling is an API on a database of its own, and what tells the breaches there.
func newTelling(t *testing.T) (*anAPI, func()) {
	t.Helper()
	dsn := testdb.DSN(t)
	a, services := buildAPI(t, testdb.Open(t, dsn), dsn)
	return a, func() {
		t.Helper()
		if err := services.Tickets.TellBreaches(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestBreachesAreToldOnce(t *testing.T) {
	t.Parallel()
	a, tell := newTelling(t)
	other := a.another()
	for _, one := range []*anAPI{a, other} {
		one.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 10", "low total_resolution_time 20", "low periodic_update_time 15"))
	}
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(2, 9, 0)
	id, replied, deleted, paused := a.asked(bo, `,"priority":"low"`), a.asked(bo, `,"priority":"low"`), a.asked(bo, `,"priority":"low"`), a.asked(bo, `,"priority":"low"`)
	theirs := other.asked(other.user("Bo", other.email("bo"), "end-user"), `,"priority":"low"`)
	var many []int64
	for range 60 { // more than are told at once
		many = append(many, a.asked(bo, `,"priority":"low"`))
	}
	a.at(2, 9, 9)
	tell()
	a.wantBreaches(id)
	a.delete(fmt.Sprintf("/api/v2/tickets/%d", deleted)).want(204)
	a.change(paused, `{"status":"solved","assignee_id":%d}`, a.admin.ID)
	a.at(2, 9, 10) // to the second
	var all sync.WaitGroup
	for range 4 {
		all.Go(tell)
	}
	all.Wait()
	const first = "first_reply_time 2026-03-02T09:10:30Z"
	for _, ticket := range append(many, id) {
		a.wantBreaches(ticket, first)
	}
	other.wantBreaches(theirs, first)
	a.wantBreaches(paused)
	a.change(replied, `{"comment":{"body":"Late"}}`)
	a.wantBreaches(replied, first)
	a.at(2, 9, 30)
	tell()
	tell()
	const second = "total_resolution_time 2026-03-02T09:20:30Z"
	a.wantBreaches(id, first, second)
	a.wantBreaches(replied, first, "periodic_update_time 2026-03-02T09:25:30Z", second)
	a.wantSLAs(id, "first_reply_time active 02T09:10:30 -20 minutes, total_resolution_time active 02T09:20:30 -10 minutes")
	a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", deleted), "").want(200)
	tell()
	a.wantBreaches(deleted, first, second)
	if n := a.ticketNumber("SELECT count(*) FROM ticket_metrics WHERE account_id = ? AND ticket_id >= ? AND breach_due_at IS NOT NULL", 0); n != 0 {
		t.Errorf("%d tickets are still to be told of", n)
	}

	// What the log tells is complete, and in the contract's form.
	var change, detail string
	if err := a.db.WithContext(a.ctx()).Raw(`SELECT change::text, detail::text FROM events WHERE account_id = ? AND subject = ? AND type = 'zen:event-type:ticket.sla_breached'
		ORDER BY id LIMIT 1`, a.account.ID, fmt.Sprintf("zen:ticket:%d", id)).Row().Scan(&change, &detail); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Seconds int64 `json:"target_in_seconds"`
		Policy  struct{ ID string }
		Meta    struct {
			Sequence struct {
				ID       string
				Position int
			}
		}
	}
	if err := json.Unmarshal([]byte(change), &told); err != nil || told.Seconds != 600 || told.Policy.ID == "" || told.Meta.Sequence.ID == "" || told.Meta.Sequence.Position != 1 ||
		!strings.Contains(detail, fmt.Sprintf(`"id":"%d"`, id)) || !strings.Contains(detail, `"actor_id":"-1"`) {
		t.Errorf("the log tells %s of %s", change, detail)
	}
	exported := a.get(fmt.Sprintf("%s?start_time=%d", metricEvents, a.now.Load().Add(-4*time.Minute).Unix())).want(200)
	if n := strings.Count(string(exported.body), `"type":"breach"`); n < 60 {
		t.Errorf("%d breaches are exported: %.500s", n, exported.body)
	}
}

// A save tells the breaches of its ticket, and of the reply that it brings.
func TestASaveTellsOfBreachesFirst(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 10", "low next_reply_time 10", "low periodic_update_time 10"))
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.at(2, 9, 0)
	id := a.asked(bo, `,"priority":"low"`)
	a.at(2, 9, 10) // in the very second
	a.change(id, `{"comment":{"body":"Late"}}`)
	a.wantBreaches(id, "first_reply_time 2026-03-02T09:10:30Z")
	a.at(2, 9, 30)
	a.change(id, `{"comment":{"body":"Late again"}}`)
	a.wantBreaches(id, "first_reply_time 2026-03-02T09:10:30Z", "periodic_update_time 2026-03-02T09:20:30Z")
	a.wantMetricEvents(id, "02T09:00 reply_time apply_sla 1 600, 02T09:10 periodic_update_time apply_sla 1 600, 02T09:10 reply_time breach 1, "+
		"02T09:20 periodic_update_time breach 1, 02T09:30 periodic_update_time apply_sla 2 600")
	a.at(2, 9, 35)
	a.change(id, `{"subject":"S"}`)
	a.wantBreaches(id, "first_reply_time 2026-03-02T09:10:30Z", "periodic_update_time 2026-03-02T09:20:30Z")
	var log []string
	if err := a.db.WithContext(a.ctx()).Raw(`SELECT (change->>'previous') || '>' || (change->>'current') FROM events
		WHERE account_id = ? AND type = 'zen:event-type:ticket.next_sla_breach_changed' ORDER BY id`, a.account.ID).Scan(&log).Error; err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(log, " "); got != "2026-03-02T09:10:30Z>2026-03-02T09:20:30Z 2026-03-02T09:20:30Z>2026-03-02T09:40:30Z" {
		t.Errorf("the next breach changed %s", got)
	}
}

// Breaches are told within ten seconds, by work that nobody has to ask for.
func TestBreachesAreToldInTime(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, func(api.Services) {})
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 10"))
	a.at(2, 9, 0)
	id := a.asked(a.user("Bo", a.email("bo"), "end-user"), `,"priority":"low"`)
	a.at(2, 9, 10)
	at := time.Now()
	a.until("the breach is told", func() bool {
		return a.ticketNumber("SELECT count(*) FROM events WHERE account_id = ? AND subject_id = ? AND type LIKE '%sla_breached'", id) == 1
	})
	t.Log(time.Since(at))
}

func TestManyTicketsGetTheirSLATargets(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("low first_reply_time 10"))
	a.at(2, 9, 0)
	bo := a.user("Bo", a.email("bo"), "end-user")
	one := fmt.Sprintf(`{"requester_id":%d,"priority":"low","comment":{"body":"Help"}}`, bo)
	a.post("/api/v2/tickets/create_many", `{"tickets":[`+one+","+one+`]}`).want(200).jobDone(a)
	for _, id := range a.get("/api/v2/tickets").want(200).ids("tickets") {
		a.wantSLAs(id, "first_reply_time active 02T09:10:30 10 minutes")
	}
}

// A customer's company elsewhere has the working hours of its own place, which a
// trigger gives its tickets before policies are applied.
func TestATriggerSetsTheScheduleOfSLATargets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.policy(`{"title":"P","filter":{},"policy_metrics":%s}`, promises("normal first_reply_time 120 business"))
	a.schedule(`{"name":"Berlin","time_zone":"Europe/Berlin"}`)
	tokyo := strings.TrimPrefix(a.schedule(`{"name":"Tokyo","time_zone":"Asia/Tokyo"}`), schedulesPath+"/")
	company := a.post("/api/v2/organizations", `{"organization":{"name":"Sakura"}}`).want(201).id("organization")
	bo := a.user("Bo", a.email("bo"), "end-user")
	a.put(fmt.Sprintf("/api/v2/users/%d", bo), fmt.Sprintf(`{"user":{"organization_id":%d}}`, company)).want(200)
	a.triggered("Tokyo", fmt.Sprintf(`{"field":"organization_id","operator":"is","value":"%d"}`, company), fmt.Sprintf(`{"field":"set_schedule","value":%q}`, tokyo))
	a.at(6, 7, 0) // Friday: 16:00 in Tokyo
	id := a.asked(bo, `,"priority":"normal"`)
	a.wantSLAs(id, "first_reply_time active 09T01:00:30 2 days")
	var events []map[string]any
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d/audits", id)).want(200)
	for i := range r.member("audits", 0, "events").([]any) {
		if e := r.member("audits", 0, "events", i).(map[string]any); e["type"] == "ScheduleAssignment" {
			events = append(events, e)
		}
	}
	if len(events) != 1 || events[0]["previous_schedule_id"] != nil || fmt.Sprint(events[0]["new_schedule_id"]) != tokyo ||
		events[0]["via"].(map[string]any)["channel"] != "rule" {
		t.Errorf("the audit tells %v", events)
	}
	a.at(6, 7, 30)
	moved := a.ticket(fmt.Sprintf(`{"requester_id":%d,"organization_id":null,"priority":"normal","comment":{"body":"B"}}`, bo))
	a.wantSLAs(moved, "first_reply_time active 06T10:00:00 2 hours") // in Berlin from 8:00 UTC on
	a.change(moved, `{"organization_id":%d}`, company)
	a.wantSLAs(moved, "first_reply_time active 09T01:30:30 2 days")
	var told string
	if err := a.db.WithContext(a.ctx()).Raw(`SELECT (change->>'previous') || '>' || (change->>'current') FROM events
		WHERE account_id = ? AND type = 'zen:event-type:ticket.schedule_changed'`, a.account.ID).Row().Scan(&told); err != nil || told != "0>"+tokyo {
		t.Errorf("the log tells %q, %v", told, err)
	}
}

// What tickets are promised costs their saves no statement.
func TestSLAPoliciesCostNoStatements(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	n := 0
	costs := func() (create, update int) {
		id := a.asked(bo, `,"priority":"low"`) // reads the set-up
		create = len(sent.during(func() { id = a.asked(bo, `,"priority":"low"`) }))
		n++
		return create, len(sent.during(func() { a.change(id, `{"subject":"S%d","comment":{"body":"Hello"}}`, n) }))
	}
	create, update := costs()
	for i := range 5 {
		a.policy(`{"title":"P","filter":{"all":[{"field":"requester_id","operator":"is_not","value":"%d"}]},"policy_metrics":%s}`, bo, promises("low first_reply_time 10"))
		a.policy(`{"title":"Q%d","filter":{},"policy_metrics":%s}`, i, promises("low first_reply_time 10", "low next_reply_time 10", "low periodic_update_time 10", "low agent_work_time 10"))
	}
	if c, u := costs(); c != create || u != update {
		t.Errorf("creating a ticket costs %d statements and was %d, updating it %d and was %d", c, create, u, update)
	}
}
