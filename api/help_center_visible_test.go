package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// segment makes a user segment.
func (h *aHelpCenter) segment(userType string, tags ...string) int64 {
	h.t.Helper()
	s := models.UserSegment{Name: "Test", UserType: userType, Tags: tags, Stamps: models.Stamps{CreatedAt: theClock, UpdatedAt: theClock}}
	if err := h.db.WithContext(h.ctx()).Create(&s).Error; err != nil {
		h.t.Fatal(err)
	}
	return s.ID
}

// permission makes a permission group of segments that may edit and publish.
func (h *aHelpCenter) permission(name string, edit, publish models.IDs) int64 {
	h.t.Helper()
	g := models.PermissionGroup{Name: name, EditIDs: edit, PublishIDs: publish, Stamps: models.Stamps{CreatedAt: theClock, UpdatedAt: theClock}}
	if err := h.db.WithContext(h.ctx()).Create(&g).Error; err != nil {
		h.t.Fatal(err)
	}
	return g.ID
}

// Everybody sees exactly what segments, sections and drafts allow, whichever way
// he asks.
func TestWhoSeesWhichArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	h.user("Customer", h.email("customer"), "end-user")
	h.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"VIP","email":%q,"verified":true,"tags":["vip"]}}`, h.email("vip"))).want(201)
	h.user("Agent", h.email("agent"), "agent")
	writer := h.user("Writer", h.email("writer"), "agent")
	h.put(fmt.Sprintf("/api/v2/users/%d", writer), `{"user":{"tags":["writer"]}}`).want(200)
	signedIn, vip, staff := h.segment("signed_in_users"), h.segment("signed_in_users", "vip"), h.segment("staff")
	writers := h.permission("Writers", models.IDs{h.segment("staff", "writer")}, models.IDs{})

	sections := map[string]string{"open": h.section}
	for name, policy := range map[string]string{"signed": `"viewable_by":"signed_in_users"`, "staff": `"viewable_by":"staff"`, "vips": `"required_tags":["vip"]`} {
		path := fmt.Sprintf("%s/sections/%d", help, h.post(h.category+"/sections", `{"section":{"locale":"en-us","name":"`+name+`"}}`).want(201).id("section"))
		h.put(path+"/access_policy", `{"access_policy":{`+policy+`}}`).want(200)
		sections[name] = path
	}
	articles := map[string]int64{}
	for name, in := range map[string]struct{ section, members string }{
		"all":            {"open", ``},
		"signed in":      {"open", fmt.Sprintf(`,"user_segment_id":%d`, signedIn)},
		"vips or staff":  {"open", fmt.Sprintf(`,"user_segment_ids":[%d,%d]`, vip, staff)},
		"staff":          {"open", fmt.Sprintf(`,"user_segment_id":%d`, staff)},
		"draft":          {"open", `,"draft":true`},
		"writers' draft": {"open", fmt.Sprintf(`,"draft":true,"permission_group_id":%d`, writers)},
		"writers' vips":  {"open", fmt.Sprintf(`,"user_segment_id":%d,"permission_group_id":%d`, vip, writers)},
		"in signed":      {"signed", ``},
		"in staff":       {"staff", ``},
		"in vips":        {"vips", ``},
		"archived":       {"open", ``},
		"Japanese":       {"open", `,"translations":[{"locale":"ja","title":"Japanese","draft":true}]`},
	} {
		articles[name] = h.post(sections[in.section]+"/articles", `{"article":{"locale":"en-us","title":"`+name+`","label_names":["common"]`+in.members+`}}`).want(201).id("article")
	}
	h.delete(fmt.Sprintf("%s/articles/%d", help, articles["archived"])).want(204)

	public := []string{"all", "Japanese"}
	end := append([]string{"signed in", "in signed"}, public...)
	vips := append([]string{"vips or staff", "writers' vips", "in vips"}, end...)
	agents := append([]string{"vips or staff", "staff", "in staff", "in vips"}, end...)
	everything := []string{}
	for name := range articles {
		if name != "archived" {
			everything = append(everything, name)
		}
	}
	for who, tc := range map[string]struct {
		caller *anAPI
		sees   []string
	}{
		"anonymous": {h.anonymous(), public},
		"end user":  {h.as(h.email("customer")), end},
		"vip":       {h.as(h.email("vip")), vips},
		"agent":     {h.as(h.email("agent")), agents},
		"writer":    {h.as(h.email("writer")), append([]string{"writers' draft", "writers' vips"}, agents...)},
		"admin":     {h.anAPI, everything},
	} {
		want := []int64{}
		for _, name := range tc.sees {
			want = append(want, articles[name])
		}
		slices.Sort(want)
		for _, path := range []string{
			"/articles?sort_by=created_at", "/articles?page[size]=100", "/articles?sort_by=title&per_page=100", "/articles?label_names=common", "/articles?start_time=1",
			strings.TrimPrefix(h.category, help) + "/articles", fmt.Sprintf("/users/%d/articles", h.admin.ID),
		} {
			r := tc.caller.get(help + "/en-us" + path).want(200)
			got := r.ids("articles")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %v, want %v of %v", who, path, got, want, articles)
			}
			if !strings.Contains(path, "page[") && r.member("count") != number(len(want)) {
				t.Errorf("%s, %s: count %v", who, path, r.member("count"))
			}
		}
		for name, id := range articles {
			path, status := fmt.Sprintf("%s/en-us/articles/%d", help, id), 404
			if slices.Contains(tc.sees, name) {
				status = 200
			}
			for _, part := range []string{"", "/translations", "/translations/en-us", "/translations/missing"} {
				if r := tc.caller.get(path + part); r.status != status {
					t.Errorf("%s, %s%s: %d, want %d", who, name, part, r.status, status)
				}
			}
		}
		for name, path := range sections {
			closed := name == "signed" && who == "anonymous" || name == "staff" && !slices.Contains([]string{"agent", "writer", "admin"}, who) ||
				name == "vips" && (who == "anonymous" || who == "end user")
			if r := tc.caller.get(in("en-us", path)); (r.status == 404) != closed {
				t.Errorf("%s, section %s: %d", who, name, r.status)
			}
			if r := tc.caller.get(in("en-us", path) + "/articles"); (r.status == 404) != closed {
				t.Errorf("%s, articles of section %s: %d", who, name, r.status)
			}
		}
		// A draft in another language is a secret of those who may edit it.
		list := tc.caller.get(fmt.Sprintf("%s/en-us/articles/%d/translations", help, articles["Japanese"])).want(200).ids("translations")
		if secret := len(list) < 2; secret != (who != "admin") {
			t.Errorf("%s sees %d translations", who, len(list))
		}
		show := tc.caller.get(fmt.Sprintf("%s/en-us/articles/%d?include=translations", help, articles["Japanese"])).want(200)
		if strings.Contains(string(show.body), `"ja"`) != (who == "admin") {
			t.Errorf("%s: %s", who, show.body)
		}
	}
	// A segment goes only when nothing is restricted to it.
	if err := h.db.WithContext(h.ctx()).Delete(&models.UserSegment{}, "id = ?", vip).Error; err == nil {
		t.Error("a segment of articles is gone")
	}
}

func number(n int) any { return json.Number(fmt.Sprint(n)) }

// Who may edit may not always publish.
func TestWhoChangesArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	for _, name := range []string{"editor", "publisher", "agent"} {
		id := h.user(name, h.email(name), "agent")
		h.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"tags":["`+name+`"]}}`).want(200)
	}
	h.user("Customer", h.email("customer"), "end-user")
	group := h.permission("Writers", models.IDs{h.segment("staff", "editor")}, models.IDs{h.segment("staff", "publisher")})
	editor, publisher, agent := h.as(h.email("editor")), h.as(h.email("publisher")), h.as(h.email("agent"))
	const mayNot = "must be true: you may edit the article and not publish it"
	fresh := func(members string) string {
		return fmt.Sprintf(`{"article":{"locale":"en-us","title":"x","permission_group_id":%d%s}}`, group, members)
	}
	agent.post(h.section+"/articles", fresh(`,"draft":true`)).wantForbidden()
	editor.post(h.section+"/articles", `{"article":{"locale":"en-us","title":"x","draft":true}}`).wantForbidden()
	editor.post(h.section+"/articles", fresh("")).wantField("draft", mayNot)
	path := fmt.Sprintf("%s/articles/%d", help, editor.post(h.section+"/articles", fresh(`,"draft":true,"created_at":"2020-01-01T00:00:00Z"`)).want(201).id("article"))
	if got := editor.get(path).want(200).member("article", "created_at"); got != clockText {
		t.Errorf("only admins make articles that are older: %v", got)
	}
	agent.get(path).wantMissing()
	agent.put(path, `{"article":{"promoted":true}}`).wantMissing()
	agent.put(path+"/translations/en-us", `{"translation":{"title":"y"}}`).wantMissing()
	editor.put(path, `{"article":{"promoted":true}}`).want(200)
	editor.put(path, fmt.Sprintf(`{"article":{"permission_group_id":%d}}`, h.permission("Others", models.IDs{}, models.IDs{}))).wantForbidden()
	editor.put(path+"/translations/en-us", `{"translation":{"title":"y"}}`).want(200)
	editor.put(path+"/translations/en-us", `{"translation":{"draft":false}}`).wantField("draft", mayNot)
	editor.post(path+"/translations", `{"translation":{"locale":"ja","title":"z"}}`).wantField("draft", mayNot)
	editor.post(path+"/translations", `{"translation":{"locale":"ja","title":"z","draft":true}}`).want(201)
	publisher.put(path+"/translations/en-us", `{"translation":{"draft":false}}`).want(200)
	editor.put(path+"/translations/en-us", `{"translation":{"title":"w"}}`).wantField("draft", mayNot)
	editor.put(path+"/translations/ja", `{"translation":{"title":"w"}}`).want(200)
	agent.get(path).want(200)
	agent.put(path, `{"article":{"promoted":true}}`).wantForbidden()
	agent.put(path+"/translations/en-us", `{"translation":{"title":"w"}}`).wantForbidden()
	editor.delete(path).wantForbidden()
	publisher.delete(path).want(204)
	if got := h.typesOfEvents("article"); !slices.Equal(got, []string{"article.published", "article.unpublished"}) {
		t.Errorf("events %v", got)
	}

	// The older way: all agents manage what is in a section.
	h.get(h.section + "/access_policy").want(200).wantJSON(`{"access_policy":{"viewable_by":"everybody","manageable_by":"managers","restricted_to_group_ids":[],"restricted_to_organization_ids":[],"required_tags":[]}}`)
	groupID := h.post("/api/v2/groups", `{"group":{"name":"Writers"}}`).want(201).id("group")
	policy := `{"access_policy":{"viewable_by":"signed_in_users","manageable_by":"staff","restricted_to_group_ids":[],"restricted_to_organization_ids":[],"required_tags":["a","b"]}}`
	h.put(h.section+"/access_policy", policy).want(200).wantJSON("%s", policy)
	agent.get(h.section+"/access_policy").want(200).wantJSON("%s", policy)
	agent.post(h.section+"/articles", `{"article":{"locale":"en-us","title":"x"}}`).want(201)
	h.put(h.section+"/access_policy", fmt.Sprintf(`{"access_policy":{"restricted_to_group_ids":[%d]}}`, groupID)).want(200)
	agent.get(h.section + "/access_policy").wantMissing() // it is another group's
	for field, bad := range map[string][2]string{
		"viewable_by":                    {`"all"`, "all is none of everybody, signed_in_users and staff"},
		"manageable_by":                  {`"me"`, "me is none of staff and managers"},
		"restricted_to_group_ids":        {`[404]`, "404 is not a group"},
		"restricted_to_organization_ids": {`[404]`, "404 is not an organization"},
	} {
		h.put(h.section+"/access_policy", fmt.Sprintf(`{"access_policy":{%q:%s}}`, field, bad[0])).wantField(field, bad[1])
	}
	agent.put(h.section+"/access_policy", policy).wantForbidden()
	h.as(h.email("customer")).get(h.section + "/access_policy").wantForbidden()
	h.put(help+"/sections/404/access_policy", policy).wantMissing()
}
