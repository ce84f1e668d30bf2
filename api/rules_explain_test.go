package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// explained are the audits of a ticket, the oldest first, each with the triggers
// that were considered: their title, the run, and what failed.
func (a *anAPI) explained(ticket int64) []string {
	a.t.Helper()
	var x struct {
		Explanation struct {
			Audits []struct {
				Triggers []struct {
					Title   string
					Run     int
					Matched bool
					Failed  []struct {
						At     string
						Actual any
					}
					Events []any
				}
			}
		}
	}
	a.post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d,"audits":20}`, ticket)).want(200).json(&x)
	var out []string
	for _, audit := range x.Explanation.Audits {
		var list []string
		for _, r := range audit.Triggers {
			text := fmt.Sprintf("%s %d", r.Title, r.Run)
			if r.Matched {
				text += fmt.Sprintf(" did %d", len(r.Events))
			}
			for _, f := range r.Failed {
				text += fmt.Sprintf(" %s %v", f.At, f.Actual)
			}
			list = append(list, text)
		}
		out = append(out, strings.Join(list, ", "))
	}
	slices.Reverse(out)
	return out
}

func (a *anAPI) wantExplained(ticket int64, want ...string) {
	a.t.Helper()
	if got := a.explained(ticket); !slices.Equal(got, want) {
		a.t.Errorf("explained is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// dryRun are the matches of a rule, the oldest first, each as the ticket with what
// would change.
func (a *anAPI) dryRun(kind, rule string) (considered int, out []string) {
	a.t.Helper()
	var x struct {
		DryRun struct {
			Considered int
			Matches    []struct {
				TicketID int64 `json:"ticket_id"`
				Changes  []struct {
					Field    string
					From, To any
				}
			}
		} `json:"dry_run"`
	}
	a.post("/api/v2/rules/dry_run", fmt.Sprintf(`{%q:%s}`, kind, rule)).want(200).json(&x)
	for _, m := range x.DryRun.Matches {
		text := fmt.Sprint(m.TicketID)
		for _, c := range m.Changes {
			if c.Field != "custom_status_id" { // the numbers of which differ
				text += fmt.Sprintf(" %s %v>%v", c.Field, c.From, c.To)
			}
		}
		out = append(out, text)
	}
	slices.Reverse(out)
	return x.DryRun.Considered, out
}

func newTryAPI(t *testing.T) *anAPI {
	t.Helper()
	a := newAPI(t)
	a.noAutomations()
	a.noTriggers()
	return a
}

const onChange = `{"field":"update_type","operator":"is","value":"Change"}`

// What came later does not count: neither who was copied, nor the schedule, nor
// the rating.
func TestExplanationsUndoWhatCameLater(t *testing.T) {
	t.Parallel()
	a := newTryAPI(t)
	a.schedule(`{"name":"Day"}`) // which tickets have without being told
	night := strings.TrimPrefix(a.schedule(`{"name":"Night"}`), schedulesPath+"/")
	eve := a.user("Eve", a.email("eve"), "end-user")
	a.triggered("copied", `{"field":"cc","operator":"is","value":""}`, `{"field":"priority","value":"low"}`)
	a.triggered("nightly", `{"field":"schedule_id","operator":"is","value":"`+night+`"}`, `{"field":"type","value":"task"}`)
	a.triggered("offered", `{"field":"satisfaction_score","operator":"is","value":"false"}`, `{"field":"current_tags","value":"asked"}`)
	a.triggered("voted", `{"field":"satisfaction_score","operator":"is","value":"good_with_comment"}`, `{"field":"current_tags","value":"good"}`)
	a.triggered("turn", onChange+`,{"field":"priority","operator":"is","value":"low"}`, `{"field":"set_schedule","value":"`+night+`"},{"field":"satisfaction_score","value":"offered"}`)
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"B"}}`, eve))
	a.later(time.Minute)
	a.change(id, `{"email_ccs":[{"user_email":%q,"action":"put"}]}`, a.email("cc"))
	a.later(time.Minute)
	a.put(a.path(id), `{"ticket":{"email_ccs":[{"user_email":"`+a.email("cc")+`","action":"delete"}]}}`).want(200)
	a.later(time.Minute)
	a.as(a.email("eve")).vote(id, `{"score":"good"}`).want(200)
	a.later(time.Minute)
	a.as(a.email("eve")).vote(id, `{"score":"good","comment":"Thanks"}`).want(200)
	a.wantExplained(id,
		"copied 1 all[0] <nil>, nightly 1 all[0] <nil>, offered 1 all[0] true, voted 1 all[0] true, turn 1 all[0] Create",
		"copied 1 did 1, nightly 2 all[0] <nil>, offered 2 all[0] true, voted 2 all[0] true, turn 2 did 2, nightly 3 did 1, offered 4 did 1, voted 5 all[0] false",
		"copied 1 all[0] <nil>, nightly 1 did 0, offered 1 did 0, voted 1 all[0] false, turn 1 did 0",
		"copied 1 all[0] <nil>, nightly 1 did 0, offered 1 all[0] good, voted 1 all[0] good, turn 1 did 0",
		"copied 1 all[0] <nil>, nightly 1 did 0, offered 1 all[0] good_with_comment, voted 1 did 1, turn 2 did 0")
	// Nor who follows it.
	follower := fmt.Sprintf(`{"all":[%s],"actions":[{"field":"follower","value":"%d"}]}`, onChange, a.admin.ID)
	a.later(time.Minute)
	a.change(id, `{"followers":[{"user_id":%d,"action":"put"}]}`, a.admin.ID)
	a.later(time.Minute)
	a.change(id, `{"subject":"S"}`)
	added := fmt.Sprintf("%d followers []>[%d]", id, a.admin.ID)
	if n, got := a.dryRun("trigger", follower); n != 7 || !slices.Equal(got, []string{added, added, added, added, fmt.Sprint(id), fmt.Sprint(id)}) {
		t.Errorf("of %d changes: %v", n, got)
	}
}

// What triggers did is what the audit tells of them, whatever people and triggers
// are today.
func TestExplanationsFollowTheAudit(t *testing.T) {
	t.Parallel()
	a := newTryAPI(t)
	bo := a.user("Bo", a.email("bo"), "end-user")
	cc := a.user("Cy", a.email("cy"), "end-user")
	a.triggered("copied", `{"field":"cc","operator":"is","value":""}`, `{"field":"current_tags","value":"copied"}`)
	a.triggered("asked", `{"field":"requester_role","operator":"is","value":"end_user"}`, `{"field":"current_tags","value":"asked"}`)
	a.triggered("mails", `{"field":"current_tags","operator":"includes","value":"asked"}`, `{"field":"notification_user","value":["requester_id","S","B"]}`)
	gone := a.triggered("gone", `{"field":"update_type","operator":"is","value":"Create"}`, fmt.Sprintf(`{"field":"cc","value":"%d"}`, cc))
	a.triggered("last", `{"field":"status","operator":"is","value":"solved"}`, `{"field":"current_tags","value":"last"}`)
	id := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"B"}}`, bo))
	// A mail begins no new run, and copying somebody does.
	a.wantExplained(id, "copied 1 all[0] <nil>, asked 1 did 1, mails 2 did 1, gone 2 did 1, copied 3 did 1, last 4 all[0] new")
	a.later(time.Minute)
	a.put(fmt.Sprintf("/api/v2/users/%d", bo), `{"user":{"role":"agent"}}`).want(200)
	a.delete(fmt.Sprintf("/api/v2/triggers/%d", gone)).want(204)
	// Bo asked as an end user, though he is none; where the deleted one stood is not known.
	a.wantExplained(id, "copied 1 all[0] <nil>, asked 1 did 1, mails 2 did 1, gone 2 did 1, copied 3 did 1, last 4 all[0] new")
}

// Of changes about which triggers were not asked none is told to have held or not.
func TestTriggersThatWereNotAskedAreNotExplained(t *testing.T) {
	t.Parallel()
	a, services, _ := idleAPI(t)
	a.noAutomations()
	a.noTriggers()
	a.triggered("any", onChange, `{"field":"current_tags","value":"any"}`)
	id := a.ticket(fmt.Sprintf(`{"assignee_id":%d,"comment":{"body":"4111 1111"}}`, a.admin.ID))
	comment := a.get(a.path(id) + "/comments").want(200).ids("comments")[0]
	then := func(do func()) {
		a.later(time.Minute)
		do()
	}
	then(func() {
		a.put(fmt.Sprintf("%s/comments/%d/redact", a.path(id), comment), `{"text":"4111"}`).want(200)
	})
	then(func() { a.delete(a.path(id)).want(204) })
	then(func() { a.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", id), "").want(200) })
	then(func() { a.change(id, `{"status":"solved"}`) })
	a.later(29 * 24 * time.Hour)
	if err := services.Tickets.CloseSolved(t.Context()); err != nil {
		t.Fatal(err)
	}
	then(func() { a.change(id, `{"tags":["late"]}`) })
	a.wantExplained(id, "any 1 all[0] Create", "", "", "", "any 1 did 1", "", "")
	a.keyed("k").wantExplained(id, "any 1 all[0] Create", "", "", "", "any 1 did 1", "", "") // within the transaction of the key
	past := a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"description":"D","created_at":%q,"comments":[{"value":"C"}]}}`, a.now.Load().Format(time.RFC3339))).want(201).id("ticket")
	a.wantExplained(past, "", "")
	asked := a.ticket(`{"comment":{"body":"B"}}`)
	if n, got := a.dryRun("trigger", `{"all":[{"field":"status","operator":"is_not","value":"pending"}],"actions":[{"field":"priority","value":"low"}]}`); n != 1 || !slices.Equal(got, []string{fmt.Sprintf("%d priority >low", asked)}) {
		t.Errorf("of %d changes: %v", n, got)
	}
}

// A dry run changes what a save would change: one effect after the other, each
// with what follows from it, and not what a save would refuse.
func TestDryRunsChangeWhatSavesChange(t *testing.T) {
	t.Parallel()
	a := newTryAPI(t)
	first, second := *a.admin.DefaultGroupID, a.group("Second")
	al := a.user("Al", a.email("al"), "agent")
	a.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d,"default":true}}`, al, second)).want(201)
	a.delete(fmt.Sprintf("/api/v2/users/%d/group_memberships/%d", al, a.number("SELECT id FROM group_memberships WHERE account_id = ? AND user_id = ? AND group_id = ?", a.account.ID, al, first))).want(204)
	eve := a.user("Eve", a.email("eve"), "end-user")
	due := a.ticketField(`{"type":"date","title":"Due"}`)
	problem := a.ticket(`{"type":"problem","comment":{"body":"B"}}`)
	id := a.ticket(fmt.Sprintf(`{"type":"incident","problem_id":%d,"group_id":%d,"tags":["a"],"comment":{"body":"B"}}`, problem, first))
	a.later(3 * 24 * time.Hour)
	for _, tc := range []struct{ actions, want string }{
		{fmt.Sprintf(`{"field":"assignee_id","value":"%d"}`, al), fmt.Sprintf("status new>open group_id %d>%d assignee_id >%d", first, second, al)},
		{fmt.Sprintf(`{"field":"assignee_id","value":"%d"},{"field":"group_id","value":"%d"}`, al, first), ""}, // whom the group then unassigns
		{fmt.Sprintf(`{"field":"cc","value":"%d"},{"field":"cc","value":"%[1]d"}`, eve), fmt.Sprintf("ccs []>[%d]", eve)},
		{`{"field":"type","value":"question"}`, fmt.Sprintf("type incident>question problem_id %d>", problem)},
		{`{"field":"set_tags","value":"B c"},{"field":"current_tags","value":"d"},{"field":"remove_tags","value":"c"}`, "tags [a]>[b d]"},
		{`{"field":"status","value":"open"},{"field":"status","value":"new"}`, ""},
		{`{"field":"priority","value":"high"},{"field":"priority","value":"low"}`, "priority >low"},
		{fmt.Sprintf(`{"field":"custom_fields_%d","value":["days_from_now","2"]}`, due), fmt.Sprintf("custom_fields_%d >2026-03-09", due)},
		{`{"field":"locale_id","value":"1"}`, ""}, // he has it
		{`{"field":"locale_id","value":"8"}`, "locale_id en-US>de"},
		{`{"field":"satisfaction_score","value":"offered"}`, "satisfaction_score true>false"},
		{`{"field":"notification_user","value":["requester_id","S","B"]}`, ""},
	} {
		rule := fmt.Sprintf(`{"all":[{"field":"type","operator":"is","value":"incident"},{"field":"NEW","operator":"is","value":"72"}],"actions":[%s]}`, tc.actions)
		want := strings.TrimSpace(fmt.Sprintf("%d %s", id, tc.want))
		if _, got := a.dryRun("automation", rule); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", tc.actions, got, want)
		}
	}
}

// Archived tickets, which no rule changes, are not looked at.
func TestDryRunsLeaveArchivedTicketsOut(t *testing.T) {
	t.Parallel()
	a := newTryAPI(t)
	for _, archive := range []string{"", "?archive_immediately=true"} {
		a.post("/api/v2/imports/tickets"+archive, `{"ticket":{"description":"D","status":"closed"}}`).want(201)
	}
	if n, got := a.dryRun("view", `{"all":[{"field":"status","operator":"is","value":"closed"}]}`); n != 1 || len(got) != 1 {
		t.Errorf("of %d: %v", n, got)
	}
}

// Both read at one moment, and as many statements however much there is to read.
func TestRulesAreTriedAtOneMoment(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	a.noAutomations()
	a.noTriggers()
	lookup := a.ticketField(`{"type":"lookup","title":"L","relationship_target_type":"zen:user"}`)
	trigger := fmt.Sprintf(`{"trigger":{"all":[%s],"actions":[{"field":"custom_fields_%d","value":"%d"},{"field":"assignee_id","value":"%[3]d"},{"field":"satisfaction_score","value":"offered"}]}}`,
		onChange, lookup, a.admin.ID)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	var asking *anAPI
	calls := []func() []string{
		func() []string {
			return sent.during(func() { asking.post("/api/v2/rules/dry_run", trigger).want(200) })
		},
		func() []string {
			return sent.during(func() {
				asking.post("/api/v2/rules/explain", fmt.Sprintf(`{"ticket_id":%d,"audits":20}`, id)).want(200)
			})
		},
	}
	var few []int
	for _, asking = range []*anAPI{a, a.with("Idempotency-Key", "again")} { // a key is for writes, and changes nothing here
		for n := range 5 {
			a.later(time.Minute)
			a.change(id, `{"subject":"S%d %d"}`, n, a.now.Load().Unix())
		}
		a.triggered("one", onChange, `{"field":"current_tags","value":"one"}`)
		for i, call := range calls {
			call() // remembers the set-up
			all := call()
			begin := slices.IndexFunc(all, func(s string) bool { return s == "begin isolation level repeatable read read only" })
			if begin < 0 || slices.IndexFunc(all, func(s string) bool { return s == "commit" }) < begin+5 {
				t.Errorf("call %d sends\n%s", i, strings.Join(all, "\n"))
			}
			if few = append(few, len(all)); len(few) > 2 && few[i] != len(all) {
				t.Errorf("call %d sends %d statements where there is much to read, and %d else", i, len(all), few[i])
			}
		}
	}
}
