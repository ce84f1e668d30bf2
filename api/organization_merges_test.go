package api_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestOrganizationsAreMerged(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	loser := a.post("/api/v2/organizations", `{"organization":{"name":"Loser","domain_names":["loser.example","both.example"]}}`).want(201).id("organization")
	winner := a.post("/api/v2/organizations", `{"organization":{"name":"Winner","domain_names":["both.example"]}}`).want(201).id("organization")
	third := a.post("/api/v2/organizations", `{"organization":{"name":"Third"}}`).want(201).id("organization")
	user := func(name string, orgs ...int64) int64 {
		id := a.user(name, a.email(name), "end-user")
		for _, org := range orgs {
			a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d,"view_tickets":%t}}`, id, org, org == loser)).want(201)
		}
		return id
	}
	only, both, second := user("only", loser), user("both", loser, winner), user("second", third, loser)
	ticket := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"x"}}`, only))
	closed := a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"subject":"closed","status":"closed","requester_id":%d,"organization_id":%d,
		"comments":[{"author_id":%d,"value":"mine"}]}}`, only, loser, only)).want(201).id("ticket")
	a.post("/api/v2/organization_subscriptions", fmt.Sprintf(`{"organization_subscription":{"user_id":%d,"organization_id":%d}}`, only, loser)).want(200)

	r := a.post(fmt.Sprintf("/api/v2/organizations/%d/merge", loser), fmt.Sprintf(`{"organization_merge":{"winner_id":%d}}`, winner)).want(200)
	id := r.member("organization_merge", "id").(string)
	if !regexp.MustCompile(`^01[0-9A-HJKMNP-TV-Z]{24}$`).MatchString(id) {
		t.Errorf("id %s is no ULID of today", id)
	}
	merge := func(status string) string {
		return fmt.Sprintf(`{"id":%q,"url":"http://helpd.test/api/v2/organization_merges/%s.json","winner_id":%d,"loser_id":%d,"status":%q}`, id, id, winner, loser, status)
	}
	r.wantJSON(`{"organization_merge":%s}`, merge("new"))
	a.get(fmt.Sprintf("/api/v2/organizations/%d", loser)).wantMissing()
	a.until("the merge is complete", func() bool {
		return a.get("/api/v2/organization_merges/"+id).want(200).member("organization_merge", "status") == "complete"
	})
	for _, org := range []int64{loser, winner} {
		a.get(fmt.Sprintf("/api/v2/organizations/%d/merges", org)).want(200).
			wantJSON(`{"organization_merges":[%s],"next_page":null,"previous_page":null,"count":1}`, merge("complete"))
	}
	if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/organizations/%d", winner)).want(200).member("organization", "domain_names")); got != "[both.example loser.example]" {
		t.Errorf("domain names %s", got)
	}
	for id, want := range map[int64]int64{only: winner, both: winner, second: third} {
		if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/users/%d", id)).want(200).member("user", "organization_id")); got != fmt.Sprint(want) {
			t.Errorf("user %d is of %s, want %d", id, got, want)
		}
		list := a.get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", id)).want(200)
		if body := string(list.body); strings.Count(body, `"default":true`) != 1 || !strings.Contains(body, fmt.Sprintf(`"organization_id":%d`, winner)) ||
			!strings.Contains(body, `"view_tickets":true`) {
			t.Errorf("memberships of %d: %s", id, body)
		}
	}
	for _, ticket := range []int64{ticket, closed} {
		path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
		if got := fmt.Sprint(a.get(path).want(200).member("ticket", "organization_id")); got != fmt.Sprint(winner) {
			t.Errorf("ticket %d is of %s", ticket, got)
		}
		want := fmt.Sprintf(`"type":"Change","value":"%d","field_name":"organization_id","previous_value":"%d"`, winner, loser)
		if audits := a.get(path + "/audits").want(200); !strings.Contains(string(audits.body), want) {
			t.Errorf("no %s in %s", want, audits.body)
		}
	}
	if subs := a.get(fmt.Sprintf("/api/v2/organizations/%d/subscriptions", winner)).want(200).ids("organization_subscriptions"); len(subs) != 1 {
		t.Errorf("subscriptions %v", subs)
	}
}

func TestOrganizationsThatAreNotMerged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	org := a.organization("One")
	path := fmt.Sprintf("/api/v2/organizations/%d/merge", org)
	into := func(id int64) string { return fmt.Sprintf(`{"organization_merge":{"winner_id":%d}}`, id) }
	before := a.rows()
	a.post(path, into(org)).wantDetail("winner_id", "Winner: cannot be the organization itself")
	a.post(path, into(4040404)).wantDetail("winner_id", "Winner: 4040404 is not an organization")
	a.post(path, `{"organization_merge":{}}`).wantDetail("winner_id", "Winner: cannot be blank")
	a.post(path, `{}`).want(400)
	a.post("/api/v2/organizations/4040404/merge", into(org)).wantMissing()
	a.get("/api/v2/organizations/4040404/merges").wantMissing()
	for _, id := range []string{"1", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "%00", "x%2Fy"} {
		a.get("/api/v2/organization_merges/" + id).want(404)
	}
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Errorf("changed in %v", tables)
	}
	a.user("Agent", a.email("agent"), "agent")
	a.as(a.email("agent")).post(path, into(org)).wantForbidden()
	a.as(a.email("agent")).get(path + "s").wantForbidden()
	a.another().post(path, into(org)).wantMissing()
}

// Whatever is done at once to people, organizations and groups, nobody waits
// for another in a circle, which PostgreSQL would end with an error.
func TestWritersOfPeopleAndPlacesTakeTurns(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var users, orgs, groups [3]int64
	for i := range users {
		users[i] = a.user(fmt.Sprint("u", i), a.email(fmt.Sprint("u", i)), "agent")
		orgs[i], groups[i] = a.organization(fmt.Sprint("O", i)), a.group(fmt.Sprint("G", i))
	}
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 12 {
				user, org, group := users[(i+worker)%3], orgs[(i*worker)%3], groups[(i*worker+1)%3]
				var r *result
				switch worker {
				case 0:
					r = a.do("PUT", fmt.Sprintf("/api/v2/users/%d", user), fmt.Sprintf(`{"user":{"organization_id":%d,"default_group_id":%d}}`, org, group))
				case 1:
					r = a.do("POST", "/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, user, org))
				case 2:
					r = a.do("POST", "/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, user, group))
				case 3:
					r = a.do("DELETE", fmt.Sprintf("/api/v2/users/%d/organizations/%d", user, org), "")
				case 4:
					r = a.do("PUT", fmt.Sprintf("/api/v2/organizations/%d", org), fmt.Sprintf(`{"organization":{"notes":"%d"}}`, i))
				case 5:
					made := a.post("/api/v2/groups", `{"group":{"name":"short-lived"}}`).want(201).id("group")
					a.do("POST", "/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, user, made))
					r = a.do("DELETE", fmt.Sprintf("/api/v2/groups/%d", made), "")
				}
				if r.status >= 500 || r.status == 409 {
					t.Errorf("worker %d: %s %s: %d %s", worker, r.method, r.path, r.status, r.body)
				}
			}
		})
	}
	wg.Wait()
}
