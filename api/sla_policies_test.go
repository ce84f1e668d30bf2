package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const slaPoliciesPath = "/api/v2/slas/policies"

// policy makes an SLA policy and returns its id.
func (a *anAPI) policy(body string, args ...any) int64 {
	a.t.Helper()
	return a.post(slaPoliciesPath, fmt.Sprintf(`{"sla_policy":`+body+`}`, args...)).want(201).id("sla_policy")
}

const usualSettings = `{"first_reply_time":{"activate_on_ticket_created_for_end_user":true,
	"activate_on_agent_ticket_created_for_end_user_with_internal_note":false,"activate_on_light_agent_on_email_forward_ticket_from_end_user":false,
	"activate_on_agent_created_ticket_for_self":false,"fulfill_on_agent_internal_note":false},
	"next_reply_time":{"fulfill_on_non_requesting_agent_internal_note_after_activation":false,"activate_on_end_user_added_internal_note":false,
	"activate_on_agent_requested_ticket_with_public_comment_or_internal_note":false,"activate_on_light_agent_internal_note":false},
	"periodic_update_time":{"activate_on_agent_internal_note":false}}`

func TestSLAPolicies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post(slaPoliciesPath+".json", `{"sla_policy":{"id":5,"url":"x","title":" Incidents ","description":"In ten minutes","filter":
		{"all":[{"field":"type","operator":"is","value":"incident"},{"field":"via_id","operator":"includes","value":[4,"5"]}]},
		"policy_metrics":[{"priority":"low","metric":"first_reply_time","target":"60","business_hours":"true"},
		{"priority":"urgent","metric":"total_resolution_time","target_in_seconds":90}]}}`).want(201)
	id := r.id("sla_policy")
	url := fmt.Sprintf("http://helpd.test%s/%d.json", slaPoliciesPath, id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q", got)
	}
	one := fmt.Sprintf(`{"url":%q,"id":%d,"title":"Incidents","description":"In ten minutes","position":1,
		"filter":{"all":[{"field":"type","operator":"is","value":"incident"},{"field":"via_id","operator":"includes","value":[4,"5"]}],"any":[]},
		"policy_metrics":[{"priority":"low","metric":"first_reply_time","target":60,"target_in_seconds":3600,"business_hours":true},
		{"priority":"urgent","metric":"total_resolution_time","target":1,"target_in_seconds":90,"business_hours":false}],
		"metric_settings":%s,"created_at":%q,"updated_at":%q}`, url, id, usualSettings, clockText, clockText)
	r.wantJSON(`{"sla_policy":%s}`, one)
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, id)
	a.get(path).want(200).wantJSON(`{"sla_policy":%s}`, one)
	a.get(slaPoliciesPath).want(200).wantJSON(`{"sla_policies":[%s],"count":1,"next_page":null,"previous_page":null}`, one)

	a.tick(time.Minute)
	r = a.put(path, `{"sla_policy":{"title":"All","description":null,"filter":{"any":[]},"policy_metrics":[]}}`).want(200)
	r.wantJSON(`{"sla_policy":{"url":%q,"id":%d,"title":"All","description":null,"position":1,"filter":{"all":[],"any":[]},"policy_metrics":[],
		"metric_settings":%s,"created_at":%q,"updated_at":"2026-03-04T05:07:07Z"}}`, url, id, usualSettings, clockText)
	a.put(path, string(r.body)).want(200).wantJSON("%s", r.body) // a record sent back as it was read
	a.delete(path).want(204)
	a.delete(path).wantMissing()
	a.get(path).wantMissing()
	a.put(path, `{"sla_policy":{"title":"x"}}`).wantMissing()
}

func TestTargetsOfAnSLAPolicyInMinutesAndSeconds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const head = `{"sla_policy":{"policy_metrics":[{"priority":"low","metric":"next_reply_time",`
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":{},"policy_metrics":[{"priority":"low","metric":"next_reply_time","target_in_seconds":100}]}`))
	for _, tc := range []struct{ in, minutes, seconds string }{
		{`"target":1,"target_in_seconds":100`, "1", "100"}, // as it was read
		{`"target":2,"target_in_seconds":100`, "2", "120"}, // changed by who knows minutes alone
		{`"target":2,"target_in_seconds":150`, "2", "150"}, // changed by who knows both
		{`"target":7,"target_in_seconds":3600`, "60", "3600"},
		{`"target":3`, "3", "180"},
		{`"target_in_seconds":59`, "0", "59"},
	} {
		r := a.put(path, head+tc.in+`}]}}`).want(200)
		if m := r.member("sla_policy", "policy_metrics", 0).(map[string]any); fmt.Sprint(m["target"]) != tc.minutes || fmt.Sprint(m["target_in_seconds"]) != tc.seconds {
			t.Errorf("%s becomes %v", tc.in, m)
		}
	}
}

func TestMetricSettingsOfAnSLAPolicy(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":{},"metric_settings":{"periodic_update_time":{"activate_on_agent_internal_note":true}}}`))
	settings := func(want ...string) {
		t.Helper()
		var got struct {
			Policy struct {
				Settings map[string]map[string]bool `json:"metric_settings"`
			} `json:"sla_policy"`
		}
		a.get(path).want(200).json(&got)
		var set []string
		for _, group := range got.Policy.Settings {
			for name, on := range group {
				if on {
					set = append(set, name)
				}
			}
		}
		slices.Sort(set)
		if !slices.Equal(set, want) {
			t.Errorf("set are %v, want %v", set, want)
		}
	}
	settings("activate_on_agent_internal_note", "activate_on_ticket_created_for_end_user")
	a.put(path, `{"sla_policy":{"metric_settings":{"first_reply_time":{"activate_on_ticket_created_for_end_user":"false","fulfill_on_agent_internal_note":1}}}}`).want(200)
	settings("activate_on_agent_internal_note", "fulfill_on_agent_internal_note")
	a.put(path, `{"sla_policy":{"metric_settings":{"next_reply_time":null,"first_reply_time":{"fulfill_on_agent_internal_note":null}}}}`).want(200)
	settings("activate_on_agent_internal_note", "fulfill_on_agent_internal_note")
	a.put(path, `{"sla_policy":{"metric_settings":null}}`).want(200)
	settings("activate_on_ticket_created_for_end_user")
}

func TestTheOrderOfSLAPolicies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.policy(`{"title":"First","filter":{}}`), a.policy(`{"title":"Second","filter":{}}`)
	third := a.policy(`{"title":"Third","filter":{},"position":1}`)
	order := func(want ...int64) {
		t.Helper()
		if got := a.get(slaPoliciesPath).want(200).ids("sla_policies"); !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
	}
	order(first, third, second)
	r := a.put(slaPoliciesPath+"/reorder", fmt.Sprintf(`{"sla_policy_ids":[%d,"%d"]}`, second, third)).want(200)
	if got := r.ids("sla_policies"); !slices.Equal(got, []int64{second, third, first}) || fmt.Sprint(r.member("sla_policies", 2, "position")) != "3" {
		t.Errorf("reordered %s", r.body)
	}
	a.put(fmt.Sprintf("%s/reorder?sla_policy_ids=%d,%d,%d", slaPoliciesPath, first, second, third), "").want(200)
	order(first, second, third)
	a.put(slaPoliciesPath+"/reorder", `{"sla_policy_ids":[4711]}`).wantDetail("sla_policy_ids", "Sla policy: 4711 is not a SLA policy")
	a.put(slaPoliciesPath+"/reorder", `{}`).want(400)
	a.put(slaPoliciesPath+"/reorder", "").wantDetail("sla_policy_ids", "Sla policy: cannot be blank")
	order(first, second, third)
}

func TestSLAPoliciesRefuseWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const metric = `{"title":"x","filter":{},"policy_metrics":[{"priority":"low","metric":"agent_work_time","target":5},`
	for _, tc := range []struct{ body, field, says string }{
		{`{"filter":{}}`, "title", "Title: cannot be blank"},
		{`{"title":" ","filter":{}}`, "title", "Title: cannot be blank"},
		{`{"title":"` + strings.Repeat("ä", 256) + `","filter":{}}`, "title", "Title: is too long (maximum is 255 characters)"},
		{`{"title":"x"}`, "filter", "Filter: cannot be blank"},
		{`{"title":"x","filter":null}`, "filter", "Filter: cannot be blank"},
		{`{"title":"x","filter":{},"position":-1}`, "position", "Position: must be between 0 and 1000000000"},
		{`{"title":"x","filter":{"all":[{"field":"current_tags","operator":"includes","value":"` + strings.Repeat("x", 65_536) + `"}]}}`, "filter", "Filter: is too long (maximum is 65536 bytes)"},
		{`{"title":"x","filter":{"all":[{"field":"current_tags","operator":"includes","value":"x"},{"field":"phase_of_moon","operator":"is","value":"full"}]}}`, "base",
			"conditions.all[1]: phase_of_moon is not a field that conditions know"},
		{`{"title":"x","filter":{"any":[{"field":"status","operator":"is","value":"open"}]}}`, "base", "conditions.any[0]: status cannot be asked here"},
		{`{"title":"x","filter":{"any":[{"field":"group_id","operator":"is","value":"4711"}]}}`, "base", "conditions.any[0]: group_id is 4711 does not exist"},
		{`{"title":"x","filter":{"any":[{"field":"requester_id","operator":"is","value":"4711"},{"field":"organization_id","operator":"includes","value":[12]}]}}`, "base",
			"conditions.any[0]: user 4711 does not exist"},
		{metric + `{"priority":"dire","metric":"agent_work_time","target":5}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: priority is not one of low, normal, high, urgent"},
		{metric + `null]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: priority is not one of low, normal, high, urgent"},
		{metric + `{"priority":"high","metric":"lunch","target":5}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: metric is not one of first_reply_time, " +
			"next_reply_time, requester_wait_time, agent_work_time, pausable_update_time, periodic_update_time, total_resolution_time"},
		{metric + `{"priority":"high","metric":"agent_work_time"}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: target is missing"},
		{metric + `{"priority":"high","metric":"agent_work_time","target":0}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: target is not between 1 and 5270400 minutes"},
		{metric + `{"priority":"high","metric":"agent_work_time","target":9223372036854775807}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: target is not between 1 and 5270400 minutes"},
		{metric + `{"priority":"low","metric":"agent_work_time","target":9}]}`, "policy_metrics", "Policy metrics: policy_metrics[1]: low has a target for agent_work_time already"},
	} {
		a.post(slaPoliciesPath, `{"sla_policy":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	a.post(slaPoliciesPath, `{}`).want(400)
	a.post(slaPoliciesPath, `{"sla_policy":{"title":"x","filter":{},"policy_metrics":[{"priority":"low","metric":"agent_work_time","target":"soon"}]}}`).want(400)
	if got := a.get(slaPoliciesPath).want(200).ids("sla_policies"); len(got) > 0 {
		t.Errorf("half a change: %v", got)
	}
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":{}}`))
	a.put(path, `{"sla_policy":{"title":"","position":7}}`).wantDetail("title", "Title: cannot be blank")
	if got := a.get(path).member("sla_policy", "title"); got != "P" {
		t.Errorf("half a change: %v", got)
	}
	if err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO sla_policies (account_id, title, position, filter, policy_metrics, metric_settings, created_at, updated_at)
		SELECT account_id, title, position, filter, policy_metrics, metric_settings, created_at, updated_at FROM sla_policies, generate_series(1, 499) WHERE account_id = ?`,
		a.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	a.post(slaPoliciesPath, `{"sla_policy":{"title":"x","filter":{}}}`).wantDetail("base", "SLA policy: there are 500 already")
}

func TestWhoMayReachSLAPolicies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":{}}`))
	other := a.another()
	for _, c := range []struct{ method, path, body string }{
		{"GET", slaPoliciesPath, ""}, {"GET", path, ""}, {"POST", slaPoliciesPath, `{"sla_policy":{"title":"x","filter":{}}}`},
		{"PUT", slaPoliciesPath + "/reorder", `{"sla_policy_ids":[1]}`}, {"PUT", path, `{"sla_policy":{"title":"x"}}`}, {"DELETE", path, ""},
	} {
		a.signedInAs("agent").do(c.method, c.path, c.body).wantForbidden()
		a.signedInAs("end-user").do(c.method, c.path, c.body).wantForbidden()
		a.anonymous().do(c.method, c.path, c.body).want(401)
		if c.path == path {
			other.do(c.method, c.path, c.body).wantMissing()
		}
	}
	if got := other.get(slaPoliciesPath).want(200).ids("sla_policies"); len(got) > 0 {
		t.Errorf("another account sees %v", got)
	}
	a.get(path).want(200)
}

// A policy for a record that is gone can still be read and renamed, and matches no
// ticket.
func TestSLAPoliciesOnWhatIsGone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"G"}}`).want(201).id("group")
	const filter = `{"all":[],"any":[{"field":"group_id","operator":"is_not","value":"%d"},{"field":"group_id","operator":"is","value":""}]}`
	path := fmt.Sprintf("%s/%d", slaPoliciesPath, a.policy(`{"title":"P","filter":`+filter+`,"policy_metrics":%s}`, group, promises("low total_resolution_time 60")))
	before := a.ticket(`{"priority":"low","comment":{"body":"B"}}`)
	a.wantSLAs(before, "total_resolution_time active 04T06:06:07 1 hours")
	a.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	read := a.get(path).want(200)
	renamed := strings.Replace(string(read.body), `"title":"P"`, `"title":"Q"`, 1)
	if got := a.put(path, renamed).want(200).member("sla_policy", "title"); got != "Q" {
		t.Errorf("renamed to %v", got)
	}
	a.wantSLAs(a.ticket(`{"priority":"low","comment":{"body":"B"}}`), "")
	a.put(path, fmt.Sprintf(`{"sla_policy":{"filter":{"all":[{"field":"group_id","operator":"is","value":"%d"}]}}}`, group)).
		wantDetail("base", fmt.Sprintf("conditions.all[0]: group_id is %d does not exist", group))
}

func TestSLAPoliciesOnAnOrganizationThatIsGone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	company := a.post("/api/v2/organizations", `{"organization":{"name":"Gone"}}`).want(201).id("organization")
	a.policy(`{"title":"P","filter":{"all":[{"field":"organization_id","operator":"is_not","value":"%d"}]},"policy_metrics":%s}`, company, promises("low total_resolution_time 60"))
	a.wantSLAs(a.ticket(`{"priority":"low","comment":{"body":"B"}}`), "total_resolution_time active 04T06:06:07 1 hours")
	a.delete(fmt.Sprintf("/api/v2/organizations/%d", company)).want(204)
	a.wantSLAs(a.ticket(`{"priority":"low","comment":{"body":"B"}}`), "")
}

func TestWhatSLAFiltersMayAskAbout(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"Alpha"}}`).want(201).id("group")
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"tagger","title":"Plan","custom_field_options":[{"name":"Gold plan","value":"gold"}]}}`).want(201).id("ticket_field")
	r := a.get(slaPoliciesPath + "/definitions").want(200)
	byName := map[string]map[string]any{}
	for i := range r.member("definitions", "all").([]any) {
		one := r.member("definitions", "all", i).(map[string]any)
		byName[one["value"].(string)] = one
	}
	for name, want := range map[string]string{
		"group_id": fmt.Sprintf(`{"value":"group_id","title":"Group","group":"ticket","target":null,"operators":[{"value":"is","title":"Is"},{"value":"is_not","title":"Is not"},
			{"value":"includes","title":"Contains at least one of the following"},{"value":"not_includes","title":"Contains none of the following"}],
			"values":{"type":"list","list":[{"value":"","title":"(empty)"},{"value":"%d","title":"Alpha"},{"value":"%d","title":"Support"}]}}`, group, *a.admin.DefaultGroupID),
		fmt.Sprint("custom_fields_", field): fmt.Sprintf(`{"value":"custom_fields_%d","title":"Plan","group":"ticket","target":null,"operators":[{"value":"is","title":"Is"},
			{"value":"is_not","title":"Is not"},{"value":"includes","title":"Contains at least one of the following"},{"value":"not_includes","title":"Contains none of the following"},
			{"value":"present","title":"Present"},{"value":"not_present","title":"Not present"}],"values":{"type":"list","list":[{"value":"gold","title":"Gold plan"}]}}`, field),
		"current_tags": `{"value":"current_tags","title":"Tags","group":"ticket","target":null,"operators":[{"value":"includes","title":"Contains at least one of the following"},
			{"value":"not_includes","title":"Contains none of the following"}],"values":{"type":"tags","list":[]}}`,
	} {
		got, err := json.Marshal(byName[name])
		if err != nil {
			t.Fatal(err)
		}
		(&result{t: t, path: name, body: got}).wantJSON("%s", want)
	}
	if byName["status"] != nil || byName["organization_id"]["values"].(map[string]any)["type"] != "autocomplete" || len(r.member("definitions", "any").([]any)) == 0 {
		t.Errorf("definitions %s", r.body)
	}
	agents := fmt.Sprint(byName["assignee_id"]["values"])
	if !strings.Contains(agents, "Ada Admin") || !strings.Contains(agents, "current_user") {
		t.Errorf("assignees are %s", agents)
	}
	a.signedInAs("agent").get(slaPoliciesPath + "/definitions").wantForbidden()
	a.signedInAs("end-user").get(slaPoliciesPath + "/definitions").wantForbidden()
	a.anonymous().get(slaPoliciesPath + "/definitions").want(401)
	if other := a.another().get(slaPoliciesPath + "/definitions").want(200); strings.Contains(string(other.body), "Alpha") || strings.Contains(string(other.body), "Gold plan") {
		t.Errorf("another account sees %s", other.body)
	}
}
