package api_test

import (
	"fmt"
	"strings"
	"testing"
)

const segmentsPath = "/api/v2/help_center/user_segments"

func TestUserSegments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Agent", a.email("agent"), "agent")
	customer := a.user("Customer", a.email("customer"), "end-user")
	group := a.post("/api/v2/groups", `{"group":{"name":"Writers"}}`).want(201).id("group")
	r := a.post(segmentsPath+".json", fmt.Sprintf(`{"user_segment":{"id":5,"name":" VIP ","user_type":"signed_in_users","group_ids":["%d"],"tags":"Gold,gold",
		"or_tags":[],"added_user_ids":[%d],"built_in":true}}`, group, customer)).want(201)
	id := r.id("user_segment")
	want := fmt.Sprintf(`{"user_segment":{"id":%d,"name":"VIP","user_type":"signed_in_users","group_ids":[%d],"organization_ids":[],"tags":["gold"],"or_tags":[],
		"added_user_ids":[%d],"built_in":false,"created_at":%q,"updated_at":%q}}`, id, group, customer, clockText, clockText)
	r.wantJSON("%s", want)
	path := fmt.Sprintf("%s/%d", segmentsPath, id)
	if got := r.header.Get("Location"); got != "http://helpd.test"+path+".json" {
		t.Errorf("Location %q", got)
	}
	agent := a.as(a.email("agent"))
	agent.get(path).want(200).wantJSON("%s", want)
	a.put(path, `{"user_segment":{"tags":[],"name":"Very important"}}`).want(200)
	if got := a.get(path).want(200).member("user_segment"); fmt.Sprint(got.(map[string]any)["tags"]) != "[]" || got.(map[string]any)["name"] != "Very important" {
		t.Errorf("changed into %v", got)
	}

	a.post(segmentsPath, `{"user_segment":{"name":"x","user_type":"foo"}}`).wantField("user_type", "value `foo` invalid; must be either `staff` or `signed_in_users`")
	a.post(segmentsPath, `{"user_segment":{"name":" ","user_type":"staff"}}`).wantField("name", "cannot be blank")
	a.put(path, `{"user_segment":{"group_ids":[404]}}`).wantField("group_ids", "404 is not a group")
	a.post(segmentsPath, `{"user_segment":[]}`).want(400)
	a.get(segmentsPath + "/404").wantMissing()
	agent.delete(path).wantForbidden()
	a.as(a.email("customer")).get(path).wantForbidden()
	a.anonymous().get(segmentsPath).want(401)

	builtIn := agent.get(segmentsPath + "?built_in=true&sort_by=name").want(200)
	if builtIn.member("user_segments", 0, "name") != "Agents and admins" || builtIn.member("user_segments", 1, "name") != "Signed-in users" {
		t.Errorf("built in are %s", builtIn.body)
	}
	fixed := fmt.Sprintf("%s/%d", segmentsPath, builtIn.ids("user_segments")[0])
	a.put(fixed, `{"user_segment":{"name":"x"}}`).wantField("base", "Built-in user segments cannot be changed or deleted")
	a.delete(fixed).want(400)
	of := func(caller *anAPI, path string, n int) {
		t.Helper()
		if r := caller.get(path).want(200); len(r.ids("user_segments")) != n {
			t.Errorf("%s: %s, want %d", path, r.body, n)
		}
	}
	of(a, fmt.Sprintf("/api/v2/help_center/users/%d/user_segments", customer), 2)
	of(agent, "/api/v2/help_center/users/me/user_segments", 2)
	of(agent, segmentsPath+"/applicable", 2)
	of(a, segmentsPath+"/applicable", 3)
	a.get("/api/v2/help_center/users/404/user_segments").wantMissing()
	a.get("/api/v2/help_center/users/you/user_segments").want(400)

	// Whoever is gone belongs to nothing.
	a.delete(fmt.Sprintf("/api/v2/users/%d", customer)).want(200)
	if got := fmt.Sprint(a.get(path).want(200).member("user_segment", "added_user_ids")); got != "[]" {
		t.Errorf("a deleted user is in %s", got)
	}
	a.delete(path).want(204)
	a.get(path).wantMissing()
}

// Lists of the help center have members of paging of their own.
func TestListsOfTheHelpCenter(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range 3 { // beside the two that are built in
		a.post(segmentsPath, fmt.Sprintf(`{"user_segment":{"name":"s%d","user_type":"staff"}}`, i)).want(201)
	}
	r := a.get(segmentsPath + ".json?per_page=2&page=2&sort_by=name").want(200)
	for member, want := range map[string]string{
		"count": "5", "page": "2", "page_count": "3", "per_page": "2",
		"next_page":     "http://helpd.test/api/v2/help_center/user_segments?page=3&per_page=2&sort_by=name",
		"previous_page": "http://helpd.test/api/v2/help_center/user_segments?page=1&per_page=2&sort_by=name",
	} {
		if got := fmt.Sprint(r.member(member)); got != want {
			t.Errorf("%s is %s, want %s", member, got, want)
		}
	}
	if got := fmt.Sprint(a.get(segmentsPath).want(200).member("per_page")); got != "30" {
		t.Errorf("%s on a page", got)
	}

	var seen []string
	path, last := segmentsPath+"?page[size]=2&sort_by=name&sort_order=desc", ""
	for path != "" {
		r := a.get(path).want(200)
		if !strings.HasPrefix(string(r.body), `{"meta":{"has_more":`) {
			t.Errorf("paging is not in front: %s", r.body)
		}
		for i := range r.ids("user_segments") {
			seen = append(seen, r.member("user_segments", i, "name").(string))
		}
		links := r.member("links").(map[string]any)
		if _, ok := links["prev"]; ok == (len(seen) == 2) {
			t.Errorf("links %v after %v", links, seen)
		}
		next, _ := links["next"].(string)
		if header := r.header.Get("Link"); header != "" != (next != "") || !strings.Contains(header, next) {
			t.Errorf("Link %s", header)
		}
		path, last = strings.TrimPrefix(next, "http://helpd.test"), strings.TrimPrefix(links["last"].(string), "http://helpd.test")
		if links["first"] != "http://helpd.test/api/v2/help_center/user_segments?page%5Bsize%5D=2&sort_by=name&sort_order=desc" {
			t.Errorf("first is %v", links["first"])
		}
	}
	if got := strings.Join(seen, ","); got != "Signed-in users,s2,s1,s0,Agents and admins" {
		t.Errorf("walked %s", got)
	}
	end := a.get(last).want(200)
	if end.member("user_segments", 0, "name") != "s0" || end.member("user_segments", 1, "name") != "Agents and admins" || end.member("meta", "has_more") != false {
		t.Errorf("the last page is %s", end.body)
	}
	back := a.get(strings.TrimPrefix(end.member("links", "prev").(string), "http://helpd.test")).want(200)
	if back.member("user_segments", 0, "name") != "s2" || back.member("user_segments", 1, "name") != "s1" {
		t.Errorf("in front of it is %s", back.body)
	}
	a.get(segmentsPath + "?page[size]=2&page[after]=nonsense").want(400)
}

func TestPermissionGroups(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Agent", a.email("agent"), "agent")
	const base = "/api/v2/guide/permission_groups"
	segment := a.post(segmentsPath, `{"user_segment":{"name":"Writers","user_type":"staff","tags":["writer"]}}`).want(201).id("user_segment")
	r := a.post(base, fmt.Sprintf(`{"permission_group":{"name":"Docs","edit":[%d],"publish":["%d"]}}`, segment, segment)).want(201)
	id := r.id("permission_group")
	want := fmt.Sprintf(`{"permission_group":{"id":%d,"name":"Docs","edit":[%d],"publish":[%d],"built_in":false,"created_at":%q,"updated_at":%q}}`, id, segment, segment, clockText, clockText)
	r.wantJSON("%s", want)
	path := fmt.Sprintf("%s/%d", base, id)
	agent := a.as(a.email("agent"))
	agent.get(path).want(200).wantJSON("%s", want)
	list := agent.get(base + "?sort_by=name").want(200)
	if list.member("permission_groups", 0, "name") != "Administrators" || list.member("permission_groups", 0, "built_in") != true {
		t.Errorf("listed %s", list.body)
	}
	a.put(path, `{"permission_group":{"edit":[]}}`).want(200)
	a.post(base, `{"permission_group":{"name":"docs"}}`).wantField("name", "docs has already been taken")
	a.post(base, `{"permission_group":{}}`).wantField("name", "cannot be blank")
	a.put(path, `{"permission_group":{"publish":[404]}}`).wantField("publish", "404 is not a user segment")
	a.delete(fmt.Sprintf("%s/%d", segmentsPath, segment)).wantField("base", "User segment: is in use and cannot be deleted")
	fixed := fmt.Sprintf("%s/%d", base, list.ids("permission_groups")[0])
	a.put(fixed, `{"permission_group":{"name":"x"}}`).want(400)
	a.delete(fixed).want(400)
	agent.put(path, `{"permission_group":{"name":"x"}}`).wantForbidden()
	a.get(base + "/404").wantMissing()
	a.delete(path).want(204)
	a.delete(path).wantMissing()
	a.delete(fmt.Sprintf("%s/%d", segmentsPath, segment)).want(204)
}

func TestContentTags(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Customer", a.email("customer"), "end-user")
	customer := a.as(a.email("customer"))
	const base = "/api/v2/guide/content_tags"
	r := a.post(base, `{"content_tag":{"name":" Billing "}}`).want(201)
	id, _ := r.member("content_tag", "id").(string)
	at := strings.TrimSuffix(clockText, "Z") + ".000Z"
	want := fmt.Sprintf(`{"content_tag":{"id":%q,"name":"Billing","created_at":%q,"updated_at":%q}}`, id, at, at)
	r.wantJSON("%s", want)
	if len(id) != 26 {
		t.Errorf("id %q", id)
	}
	customer.get(base+"/"+id).want(200).wantJSON("%s", want)
	for _, name := range []string{"bills", "100%", "100 things"} {
		a.post(base, fmt.Sprintf(`{"content_tag":{"name":%q}}`, name)).want(201)
	}
	names := func(query string) string {
		t.Helper()
		r := customer.get(base + query).want(200)
		var all []string
		for _, record := range r.member("records").([]any) {
			all = append(all, record.(map[string]any)["name"].(string))
		}
		return strings.Join(all, ",")
	}
	for query, want := range map[string]string{
		"?sort=name": "100 things,100%,Billing,bills", "?sort=-name&page[size]=3": "bills,Billing,100%",
		"?filter[name_prefix]=BILL&sort=name": "Billing,bills", "?filter[name_prefix]=100%25": "100%", "?filter[name_prefix]=x": "",
	} {
		if got := names(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := fmt.Sprint(customer.get(base+"/count").want(200).member("count", "value")); got != "4" {
		t.Errorf("%s tags", got)
	}
	a.post(base, `{"content_tag":{"name":"BILLING"}}`).wantField("name", "BILLING has already been taken")
	a.put(base+"/"+id, `{"content_tag":{"name":""}}`).wantField("name", "cannot be blank")
	a.put(base+"/"+id, `{"content_tag":{"name":"Invoices"}}`).want(200)
	customer.put(base+"/"+id, `{"content_tag":{"name":"x"}}`).wantForbidden()
	customer.delete(base + "/" + id).wantForbidden()
	a.anonymous().get(base).want(401)
	a.another().get(base + "/" + id).wantMissing()

	// With a tag, articles lose it.
	category := a.post("/api/v2/help_center/categories", `{"category":{"name":"x","locale":"en-us"}}`).want(201).id("category")
	section := a.post(fmt.Sprintf("/api/v2/help_center/categories/%d/sections", category), `{"section":{"name":"x","locale":"en-us"}}`).want(201).id("section")
	article := fmt.Sprintf("/api/v2/help_center/articles/%d", a.post(fmt.Sprintf("/api/v2/help_center/sections/%d/articles", section),
		fmt.Sprintf(`{"article":{"title":"x","locale":"en-us","content_tag_ids":[%q]}}`, id)).want(201).id("article"))
	a.delete(base + "/" + id).want(204)
	a.get(base + "/" + id).wantMissing()
	if got := fmt.Sprint(a.get(article).want(200).member("article", "content_tag_ids")); got != "[]" {
		t.Errorf("the article has %s", got)
	}
}
