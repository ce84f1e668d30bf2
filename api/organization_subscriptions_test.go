package api_test

import (
	"fmt"
	"testing"
)

func TestOrganizationSubscriptions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	open := a.post("/api/v2/organizations", `{"organization":{"name":"Open","shared_tickets":true}}`).want(201).id("organization")
	closed := a.post("/api/v2/organizations", `{"organization":{"name":"Closed"}}`).want(201).id("organization")
	ann, ben := a.user("Ann", a.email("ann"), "end-user"), a.user("Ben", a.email("ben"), "end-user")
	a.user("Agent", a.email("agent"), "agent")
	for _, org := range []int64{open, closed} {
		a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d}}`, ann, org)).want(201)
	}
	asAnn, asBen, agent := a.as(a.email("ann")), a.as(a.email("ben")), a.as(a.email("agent"))
	body := func(user, org int64) string {
		return fmt.Sprintf(`{"organization_subscription":{"user_id":%d,"organization_id":%d}}`, user, org)
	}

	made := asAnn.post("/api/v2/organization_subscriptions", fmt.Sprintf(`{"organization_subscription":{"organization_id":%d}}`, open)).want(200)
	id := made.id("organization_subscription")
	one := fmt.Sprintf(`{"id":%d,"user_id":%d,"organization_id":%d,"created_at":%q}`, id, ann, open, clockText)
	made.wantJSON(`{"organization_subscription":%s}`, one)
	agents := agent.post("/api/v2/organization_subscriptions", body(ben, closed)).want(200).id("organization_subscription")

	// Not twice, not for others, not where tickets are not shared.
	asAnn.post("/api/v2/organization_subscriptions", body(ann, open)).wantDetail("organization_id", "Organization: has this subscription already")
	asAnn.post("/api/v2/organization_subscriptions", body(ben, open)).wantForbidden()
	asAnn.post("/api/v2/organization_subscriptions", body(ann, closed)).wantDetail("organization_id", fmt.Sprintf("Organization: %d does not share its tickets with you", closed))
	asBen.post("/api/v2/organization_subscriptions", body(ben, open)).wantDetail("organization_id", fmt.Sprintf("Organization: %d does not share its tickets with you", open))
	agent.post("/api/v2/organization_subscriptions", body(404, open)).wantDetail("user_id", "User: 404 is not a user")
	agent.post("/api/v2/organization_subscriptions", body(ann, 404)).wantDetail("organization_id", "Organization: 404 is not an organization")
	agent.post("/api/v2/organization_subscriptions", `{}`).want(400)

	path := fmt.Sprintf("/api/v2/organization_subscriptions/%d", id)
	paged := func(of string) string {
		return fmt.Sprintf(`{"organization_subscriptions":[%s],"next_page":null,"previous_page":null,"count":1}`, of)
	}
	for _, list := range []string{
		"/api/v2/organization_subscriptions", fmt.Sprintf("/api/v2/organizations/%d/subscriptions", open), fmt.Sprintf("/api/v2/users/%d/organization_subscriptions", ann),
	} {
		asAnn.get(list).want(200).wantJSON("%s", paged(one))
	}
	agent.get(fmt.Sprintf("/api/v2/organizations/%d/subscriptions", open)).want(200).wantJSON("%s", paged(one))
	if ids := agent.get("/api/v2/organization_subscriptions").want(200).ids("organization_subscriptions"); len(ids) != 2 || ids[1] != agents {
		t.Errorf("an agent sees %v", ids)
	}
	if n := a.get(fmt.Sprintf("/api/v2/users/%d/related", ann)).want(200).member("user_related", "organization_subscriptions"); fmt.Sprint(n) != "1" {
		t.Errorf("related: %v", n)
	}
	asBen.get(fmt.Sprintf("/api/v2/users/%d/organization_subscriptions", ann)).wantForbidden()
	asBen.get(fmt.Sprintf("/api/v2/organizations/%d/subscriptions", open)).wantMissing()
	for _, other := range []*anAPI{asBen, a.another()} {
		other.get(path).wantMissing()
		other.delete(path).wantMissing()
	}
	asAnn.get(path).want(200).wantJSON(`{"organization_subscription":%s}`, one)
	asAnn.delete(path).want(204)
	asAnn.get(path).wantMissing()
	// Nothing is listed of an organization that is gone.
	a.delete(fmt.Sprintf("/api/v2/organizations/%d", closed)).want(204)
	agent.get("/api/v2/organization_subscriptions").want(200).wantJSON(`{"organization_subscriptions":[],"next_page":null,"previous_page":null,"count":0}`)
}
