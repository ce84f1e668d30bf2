package api_test

import (
	"fmt"
	"testing"
)

func TestGroupIsCreatedAndShown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/groups.json", `{"group":{"id":7,"name":" Tier 2 ","description":null}}`).want(201)
	id := r.id("group")
	url := fmt.Sprintf("http://helpd.test/api/v2/groups/%d.json", id)
	if got := r.header.Get("Location"); got != url {
		t.Errorf("Location %q, want %q", got, url)
	}
	want := fmt.Sprintf(`{"group":{"url":%q,"id":%d,"is_public":true,"name":"Tier 2","description":"","default":false,"deleted":false,
		"created_at":%q,"updated_at":%q}}`, url, id, clockText, clockText)
	r.wantJSON("%s", want)
	a.get(fmt.Sprintf("/api/v2/groups/%d", id)).want(200).wantJSON("%s", want)
}

func TestGroupNeedsAName(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.post("/api/v2/groups", `{"group":{"name":"  "}}`).wantDetail("name", "Name: cannot be blank")
	a.post("/api/v2/groups", `{"name":"x"}`).want(400).wantJSON(`{"error":{"title":"Invalid attribute",
		"message":"You passed an invalid value for the group attribute. Invalid parameter: group must be an object"}}`)
	a.post("/api/v2/groups", `{"group":{"name":["x"]}}`).want(400)
	a.post("/api/v2/groups", `{"group":`).wantError(400, "Unprocessable JSON")
}

func TestMissingGroup(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.get("/api/v2/groups/404").wantMissing()
	a.get("/api/v2/groups/9223372036854775808.json").wantMissing()
	a.get("/api/v2/groups/-1").wantMissing()
	a.get("/api/v2/groups/abc").want(400)
	b := a.another()
	id := b.post("/api/v2/groups", `{"group":{"name":"Theirs"}}`).want(201).id("group")
	a.get(fmt.Sprintf("/api/v2/groups/%d", id)).wantMissing()
	a.delete(fmt.Sprintf("/api/v2/groups/%d", id)).wantMissing()
}

func TestGroupsWalkedPageByPage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range 4 {
		a.post("/api/v2/groups", fmt.Sprintf(`{"group":{"name":"Same name %d"}}`, i/2)).want(201)
	}
	var seen []int64
	path := "/api/v2/groups?page[size]=1"
	for range 10 {
		r := a.get(path).want(200)
		seen = append(seen, r.ids("groups")...)
		next, _ := r.member("links", "next").(string)
		if next == "" {
			break
		}
		path = next[len("http://helpd.test"):]
	}
	if len(seen) != 5 {
		t.Errorf("walked %v, want 5 groups", seen)
	}
	r := a.get("/api/v2/groups?per_page=2&page=2").want(200)
	if got := r.member("next_page"); got != "http://helpd.test/api/v2/groups.json?page=3&per_page=2" {
		t.Errorf("next_page %v", got)
	}
	if got := fmt.Sprint(r.member("count")); got != "5" {
		t.Errorf("count %v", got)
	}
	a.get("/api/v2/groups?page[size]=1&page[after]=nonsense").want(400)
	a.get("/api/v2/groups?per_page=0").wantError(400, "InvalidPaginationParameter")
	a.get("/api/v2/groups?page=101").wantError(400, "InvalidPaginationParameter")
}

func TestGroupsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.anonymous().get("/api/v2/groups").want(401).wantJSON(`{"error":"Couldn't authenticate you"}`)
	a.with("Authorization", "Basic bm9ib2R5Ondyb25n").get("/api/v2/groups").want(401)
	a.with("Authorization", "Bearer nonsense").get("/api/v2/groups").wantError(401, "invalid_token")
}
