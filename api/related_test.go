package api_test

import (
	"fmt"
	"testing"
)

// restricted is an agent held to some tickets, by his local name, and what he
// sees of the account.
func (a *anAPI) restricted(name, to string) (int64, *anAPI) {
	a.t.Helper()
	id := a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"R","email":%q,"role":"agent","verified":true,"ticket_restriction":%q}}`, a.email(name), to)).
		want(201).id("user")
	return id, a.as(a.email(name))
}

// What refers to a user or an organization is counted as far as the caller sees
// it: the number of the tickets of others is nothing for a restricted agent.
func TestRelatedCountsWhatIsSeen(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, id := a.user("Ann", a.email("ann"), "end-user"), int64(0)
	organization := a.organization("Acme")
	a.put(fmt.Sprintf("/api/v2/users/%d", ann), fmt.Sprintf(`{"user":{"organization_id":%d}}`, organization)).want(200)
	a.post("/api/v2/organization_subscriptions", fmt.Sprintf(`{"organization_subscription":{"user_id":%d,"organization_id":%d}}`, ann, organization)).want(200)
	rae, r := a.restricted("rae", "assigned")
	gus := a.user("Gus", a.email("gus"), "agent")
	for _, assignee := range []int64{rae, gus, gus} {
		id = a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"B"},"requester_id":%d,"assignee_id":%d}`, ann, assignee))
	}
	a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"B"},"assignee_id":%d,"email_cc_ids":[%d]}`, rae, ann))
	a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"B"},"assignee_id":%d,"email_cc_ids":[%d]}`, gus, ann))
	a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"B"},"assignee_id":%d,"email_cc_ids":[%d]}`, gus, ann))
	a.delete(a.path(id)).want(204)
	done := a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"B"},"requester_id":%d,"assignee_id":%d}`, ann, gus))
	a.put(a.path(done), `{"ticket":{"status":"solved"}}`).want(200)
	for _, tc := range []struct {
		who                                          *anAPI
		user, assigned, requested, ccd, open, inside int64
	}{
		{a, ann, 0, 3, 3, 2, 3},
		{r, ann, 0, 1, 1, 1, 1},
		{a, gus, 4, 0, 0, 3, 3},
		{r, gus, 0, 0, 0, 0, 1},
	} {
		subscriptions := map[int64]int{ann: 1}[tc.user]
		tc.who.get(fmt.Sprintf("/api/v2/users/%d/related", tc.user)).want(200).wantJSON(
			`{"user_related":{"assigned_tickets":%d,"requested_tickets":%d,"ccd_tickets":%d,"organization_subscriptions":%d}}`,
			tc.assigned, tc.requested, tc.ccd, subscriptions)
		open := tc.who.get(fmt.Sprintf("/api/v2/users/%d?include=open_ticket_count", tc.user)).want(200).member("open_ticket_count", fmt.Sprint(tc.user))
		if fmt.Sprint(open) != fmt.Sprint(tc.open) {
			t.Errorf("%d open tickets, want %d", open, tc.open)
		}
		tc.who.get(fmt.Sprintf("/api/v2/organizations/%d/related", organization)).want(200).wantJSON(
			`{"organization_related":{"tickets_count":%d,"users_count":1}}`, tc.inside)
	}
	a.get("/api/v2/users/404/related").wantMissing()
	a.get("/api/v2/organizations/404/related").wantMissing()
	a.as(a.email("ann")).get(fmt.Sprintf("/api/v2/users/%d/related", ann)).wantForbidden()
}
