package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// twins are two end users who are one person, with something of everything.
type twins struct {
	*anAPI
	loser, winner int64
	mail          string // of the loser
	tickets       map[string]int64
	orgs          [2]int64
}

func newTwins(t *testing.T) *twins {
	t.Helper()
	a := newAPI(t)
	w := &twins{anAPI: a, mail: a.email("loser"), tickets: map[string]int64{}}
	for i, name := range []string{"One", "Two"} {
		w.orgs[i] = a.post("/api/v2/organizations", `{"organization":{"name":"`+name+`","shared_tickets":true}}`).want(201).id("organization")
	}
	w.loser = a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Loser","email":%q,"verified":true,"external_id":"L1","phone":"+4915112345678","tags":["a","b"],
		"organization_ids":[%d,%d],"identities":[{"type":"twitter","value":"loser"}]}}`, w.mail, w.orgs[0], w.orgs[1])).want(201).id("user")
	w.winner = a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Winner","email":%q,"tags":["b","c"],"organization_id":%d}}`, a.email("winner"), w.orgs[1])).want(201).id("user")
	requested := fmt.Sprintf(`"requester_id":%d,"comment":{"body":"mine","author_id":%d}`, w.loser, w.loser)
	w.tickets["open"] = a.ticket(`{"subject":"open",` + requested + `}`)
	w.tickets["closed"] = a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"subject":"closed","status":"closed","requester_id":%d,
		"comments":[{"author_id":%d,"value":"mine"}]}}`, w.loser, w.loser)).want(201).id("ticket")
	w.tickets["copied"] = a.ticket(fmt.Sprintf(`{"subject":"copied","comment":{"body":"x"},"email_cc_ids":[%d,%d]}`, w.loser, w.winner))
	w.tickets["alone"] = a.ticket(fmt.Sprintf(`{"subject":"alone","comment":{"body":"x"},"email_cc_ids":[%d]}`, w.loser))
	a.as(w.mail).post("/api/v2/organization_subscriptions", fmt.Sprintf(`{"organization_subscription":{"organization_id":%d}}`, w.orgs[0])).want(200)
	return w
}

func TestUsersAreMerged(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	as := w.email("agent")
	w.user("Agent", as, "agent")
	r := w.as(as).put(fmt.Sprintf("/api/v2/users/%d/merge", w.loser), fmt.Sprintf(`{"user":{"id":%d}}`, w.winner)).want(200)
	for member, want := range map[string]string{
		"id": fmt.Sprint(w.winner), "name": "Winner", "email": w.email("winner"), "external_id": "L1", "phone": "+4915112345678",
		"organization_id": fmt.Sprint(w.orgs[1]), "tags": "[b c a]", "active": "true", "verified": "true",
	} {
		if got := fmt.Sprint(r.member("user", member)); got != want {
			t.Errorf("winner's %s is %s, want %s", member, got, want)
		}
	}
	gone := w.get(fmt.Sprintf("/api/v2/users/%d", w.loser)).want(200)
	for member, want := range map[string]string{"active": "false", "email": "<nil>", "phone": "<nil>", "external_id": "<nil>", "organization_id": "<nil>"} {
		if got := fmt.Sprint(gone.member("user", member)); got != want {
			t.Errorf("loser's %s is %s, want %s", member, got, want)
		}
	}
	w.as(w.mail).get("/api/v2/users/me").want(200) // the address is the winner's now
	if me := w.as(w.mail).get("/api/v2/users/me").want(200).id("user"); me != w.winner {
		t.Errorf("the loser's address signs in %d", me)
	}
	identities := string(w.get(fmt.Sprintf("/api/v2/users/%d/identities", w.winner)).want(200).body)
	for _, value := range []string{w.mail, w.email("winner"), `"loser"`, "+4915112345678"} {
		if !strings.Contains(identities, value) {
			t.Errorf("%s is not among %s", value, identities)
		}
	}
	if n := strings.Count(identities, `"primary":true`); n != 1 {
		t.Errorf("%d first addresses: %s", n, identities)
	}
	if orgs := w.get(fmt.Sprintf("/api/v2/users/%d/organizations", w.winner)).want(200).ids("organizations"); len(orgs) != 2 {
		t.Errorf("organizations %v", orgs)
	}
	if subs := w.get(fmt.Sprintf("/api/v2/users/%d/organization_subscriptions", w.winner)).want(200).ids("organization_subscriptions"); len(subs) != 1 {
		t.Errorf("subscriptions %v", subs)
	}
}

func TestMergedUsersTickets(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	w.put(fmt.Sprintf("/api/v2/users/%d/merge", w.loser), fmt.Sprintf(`{"user":{"id":%d}}`, w.winner)).want(200)
	for _, name := range []string{"open", "closed"} {
		path := fmt.Sprintf("/api/v2/tickets/%d", w.tickets[name])
		r := w.get(path).want(200)
		if got := fmt.Sprint(r.member("ticket", "requester_id")); got != fmt.Sprint(w.winner) {
			t.Errorf("%s: requester %s", name, got)
		}
		if got := fmt.Sprint(w.get(path+"/comments").want(200).member("comments", 0, "author_id")); got != fmt.Sprint(w.winner) {
			t.Errorf("%s: author %s", name, got)
		}
		audits := w.get(path + "/audits?sort_order=desc").want(200)
		want := fmt.Sprintf(`"type":"Change","value":"%d","field_name":"requester_id","previous_value":"%d"`, w.winner, w.loser)
		if !strings.Contains(string(audits.body), want) {
			t.Errorf("%s: no %s in %s", name, want, audits.body)
		}
	}
	for name, want := range map[string]string{"copied": fmt.Sprintf("[%d]", w.winner), "alone": fmt.Sprintf("[%d]", w.winner)} {
		path := fmt.Sprintf("/api/v2/tickets/%d", w.tickets[name])
		if got := fmt.Sprint(w.get(path).want(200).member("ticket", "email_cc_ids")); got != want {
			t.Errorf("%s: CCs %s, want %s", name, got, want)
		}
		if audits := w.get(path + "/audits").want(200); !strings.Contains(string(audits.body), `"current_email_ccs":["`+w.email("winner")+`"]`) {
			t.Errorf("%s: no change of the CCs in %s", name, audits.body)
		}
	}
	var n int
	err := w.db.WithContext(w.ctx()).Raw(`SELECT count(*) FROM events WHERE account_id = ? AND type = 'zen:event-type:ticket.requester_changed'
		AND change->>'current' = ? AND detail->>'requester_id' = ?`, w.account.ID, fmt.Sprint(w.winner), fmt.Sprint(w.winner)).Row().Scan(&n)
	if err != nil || n != 2 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestEndUsersMergeThemselves(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	me := w.as(w.mail)
	w.post(fmt.Sprintf("/api/v2/users/%d/password", w.winner), `{"password":"`+passphrase+`"}`).want(200)
	w.put(fmt.Sprintf("/api/v2/users/%d", w.winner), `{"user":{"notes":"slow payer"}}`).want(200)
	me.put("/api/v2/users/me/merge", fmt.Sprintf(`{"user":{"id":%d}}`, w.winner)).wantDetail("password", "Password: of the other user is needed, with the email")
	me.put("/api/v2/users/me/merge", fmt.Sprintf(`{"user":{"email":%q,"password":"wrong"}}`, w.email("winner"))).wantDetail("password", "Password: is not right for this address")
	with := fmt.Sprintf(`{"user":{"email":%q,"password":%q}}`, w.email("winner"), passphrase)
	me.put(fmt.Sprintf("/api/v2/users/%d/merge", w.winner), with).wantMissing()
	w.anonymous().put("/api/v2/users/me/merge", with).want(401)
	r := me.put("/api/v2/users/me/merge", with).want(200)
	if r.id("user") != w.winner || strings.Contains(string(r.body), "slow payer") {
		t.Errorf("answer: %s", r.body)
	}
	if got := fmt.Sprint(w.get(fmt.Sprintf("/api/v2/tickets/%d", w.tickets["open"])).want(200).member("ticket", "requester_id")); got != fmt.Sprint(w.winner) {
		t.Errorf("requester %s", got)
	}
}

func TestUsersThatAreNotMerged(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	agent := w.user("Agent", w.email("agent"), "agent")
	into := func(id int64) string { return fmt.Sprintf(`{"user":{"id":%d}}`, id) }
	path := func(id int64) string { return fmt.Sprintf("/api/v2/users/%d/merge", id) }
	before := w.rows()
	w.put(path(w.loser), into(w.loser)).wantDetail("base", "User: cannot be merged into itself")
	w.put(path(agent), into(w.winner)).wantDetail("base", "User: is an agent; only end users can be merged into others")
	w.put(path(w.loser), into(4040404)).wantDetail("id", "Id: 4040404 is not a user")
	w.put(path(4040404), into(w.winner)).wantMissing()
	w.put(path(w.loser), `{"user":{}}`).wantDetail("id", "Id: cannot be blank")
	w.put(path(w.loser), `{}`).want(400)
	w.as(w.email("agent")).put(path(w.loser), into(w.admin.ID)).wantForbidden()
	w.another().put(path(w.loser), into(w.winner)).wantMissing()
	if tables := changed(before, w.rows()); len(tables) > 0 {
		t.Errorf("changed in %v", tables)
	}
	err := w.db.WithContext(w.ctx()).Exec(`INSERT INTO tickets SELECT (json_populate_record(t, json_build_object('id', n))).*
		FROM tickets t, generate_series(1000, 11000) n WHERE t.account_id = ? AND t.id = ?`, w.account.ID, w.tickets["open"]).Error
	if err != nil {
		t.Fatal(err)
	}
	w.put(path(w.loser), into(w.winner)).wantDetail("base", "User: has requested more than 10000 tickets")
}
