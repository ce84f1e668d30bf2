package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestOrganizationsOfAUserByTheirIds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	user, email := a.person(models.RoleEndUser)
	globex, initech := a.organization("Globex"), a.organization("Initech")
	var ids []int64
	for _, organization := range []int64{initech, globex} {
		ids = append(ids, a.post(fmt.Sprintf("/api/v2/users/%d/organization_memberships", user),
			fmt.Sprintf(`{"organization_membership":{"organization_id":%d}}`, organization)).want(201).id("organization_membership"))
	}
	path := func(user, organization int64) string {
		return fmt.Sprintf("/api/v2/users/%d/organizations/%d", user, organization)
	}
	r := a.as(email).put(path(user, globex)+"/make_default", "").want(200)
	if r.id("organization_membership") != ids[1] || r.member("organization_membership", "default") != true {
		t.Errorf("%s", r.body)
	}
	if got := a.get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", user)).want(200).ids("organization_memberships"); fmt.Sprint(got) != fmt.Sprint([]int64{ids[1], ids[0]}) {
		t.Errorf("the default is not the first of %v", got)
	}
	other, _ := a.person(models.RoleEndUser)
	a.as(email).put(path(other, globex)+"/make_default", "").wantMissing()
	a.as(email).get(fmt.Sprintf("/api/v2/users/%d/organization_memberships", other)).wantForbidden()
	own := a.as(email).get("/api/v2/organization_memberships?include=users,organizations").want(200)
	if got := own.ids("organization_memberships"); len(got) != 2 || strings.Contains(string(own.body), `"users"`) || strings.Contains(string(own.body), `"organizations"`) {
		t.Errorf("own memberships %s", own.body)
	}
	a.as(email).get(fmt.Sprintf("/api/v2/users/%d/organizations", user)).wantForbidden()
	a.delete(path(user, globex)).want(204)
	a.delete(path(user, globex)).wantMissing()
	a.delete(path(user, 404)).wantMissing()
	if r := a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":%d,"view_tickets":true}}`, user, globex)).
		want(201); r.member("organization_membership", "view_tickets") != true {
		t.Errorf("%s", r.body)
	}
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d,"organization_id":404}}`, user)).
		wantDetail("organization_id", "Organization: 404 is not an organization")
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"user_id":%d}}`, user)).
		wantDetail("organization_id", "Organization: cannot be blank")
	a.post("/api/v2/organization_memberships", fmt.Sprintf(`{"organization_membership":{"organization_id":%d}}`, globex)).
		wantDetail("user_id", "User: cannot be blank")
}
