package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	first, second := h.article(`"title":"a","label_names":["Zoo","alpha"]`), h.article(`"title":"b","draft":true`)
	path := fmt.Sprintf("%s/articles/%d/labels", help, first)
	made := h.post(path, `{"label":{"name":" Beta "}}`).want(201)
	beta := made.id("label")
	made.wantJSON(`{"label":{"id":%d,"url":"http://helpd.test/api/v2/help_center/articles/labels/%d.json","name":"Beta","created_at":%q,"updated_at":%q}}`, beta, beta, clockText, clockText)
	h.get(fmt.Sprintf("%s/articles/labels/%d", help, beta)).want(200).wantJSON("%s", made.body)
	if again := h.post(fmt.Sprintf("%s/articles/%d/labels", help, second), `{"label":{"name":"BETA"}}`).want(201).id("label"); again != beta {
		t.Error("one name is two labels")
	}
	names := func(path string) (out []string) {
		r := h.get(path).want(200)
		for i := range r.ids("labels") {
			out = append(out, r.member("labels", i, "name").(string))
		}
		return out
	}
	for path, want := range map[string]string{
		help + "/articles/labels": "alpha Beta Zoo", help + "/articles/labels?page[size]=100": "alpha Beta Zoo", help + "/articles/labels?prefix=B": "Beta", help + "/articles/labels?prefix=x": "",
		path: "alpha Beta Zoo", in("en-us", path): "alpha Beta Zoo", fmt.Sprintf("%s/articles/%d/labels", help, second): "Beta",
	} {
		if got := strings.Join(names(path), " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := h.get(help + "/articles?label_names=ZOO,beta").want(200).ids("articles"); !slices.Equal(got, []int64{first}) {
		t.Errorf("with both labels: %v", got)
	}
	if got := h.get(help + "/articles?label_names=zoo,unknown").want(200).ids("articles"); len(got) != 0 {
		t.Errorf("with a label that is none: %v", got)
	}
	h.anonymous().get(in("en-us", path)).want(200)
	h.anonymous().get(in("en-us", fmt.Sprintf("%s/articles/%d/labels", help, second))).wantMissing()
	h.anonymous().get(help + "/en-us/articles/labels").want(401) // they tell of articles that are not for all
	h.user("Customer", h.email("customer"), "end-user")
	h.user("Agent", h.email("agent"), "agent")
	h.as(h.email("customer")).get(help + "/en-us/articles/labels").wantForbidden()
	h.as(h.email("agent")).post(path, `{"label":{"name":"x"}}`).wantForbidden()
	h.as(h.email("agent")).delete(fmt.Sprintf("%s/articles/labels/%d", help, beta)).wantForbidden()
	h.post(path, `{"label":{"name":" "}}`).wantField("name", "cannot be blank")
	h.post(path, `{"label":{"name":"a,b"}}`).wantField("name", "a,b is no label: up to 255 characters, and no comma")
	h.post(help+"/articles/404/labels", `{"label":{"name":"x"}}`).wantMissing()
	h.get(help + "/articles/labels/404").wantMissing()
	h.get(help + "/articles/404/labels").wantMissing()

	h.delete(fmt.Sprintf("%s/%d", path, beta)).want(204)
	h.delete(fmt.Sprintf("%s/%d", path, beta)).wantMissing()
	if got := strings.Join(names(path), " "); got != "alpha Zoo" {
		t.Errorf("left %s", got)
	}
	h.delete(fmt.Sprintf("%s/articles/labels/%d", help, beta)).want(204)
	h.delete(fmt.Sprintf("%s/articles/labels/%d", help, beta)).wantMissing()
	if got := names(fmt.Sprintf("%s/articles/%d/labels", help, second)); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func TestArticlesInTheOrderOfTheirChanges(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	h.user("Agent", h.email("agent"), "agent")
	h.user("Customer", h.email("customer"), "end-user")
	agent := h.as(h.email("agent"))
	first, second := h.article(`"title":"a"`), h.article(`"title":"b","draft":true`)
	third := h.article(fmt.Sprintf(`"title":"c","user_segment_id":%d`, h.segment(models.SegmentStaff)))
	gone := h.article(`"title":"d"`)
	h.delete(fmt.Sprintf("%s/articles/%d", help, gone)).want(204)
	const path = help + "/incremental/articles?start_time="
	page := h.get(path + "0").want(200)
	if got := page.ids("articles"); !slices.Equal(got, []int64{first, second, third}) || page.member("count") != number(3) || page.member("end_of_stream") != true {
		t.Errorf("%s", page.body)
	}
	if got := agent.get(path + "0").want(200).ids("articles"); !slices.Equal(got, []int64{first, third}) {
		t.Errorf("drafts of others are not shown: %v", got)
	}
	// Any change brings an article again, behind the others.
	h.put(fmt.Sprintf("%s/articles/%d/translations/en-us", help, first), `{"translation":{"outdated":true}}`).want(200)
	h.post(fmt.Sprintf("%s/articles/%d/labels", help, second), `{"label":{"name":"x"}}`).want(201)
	all := h.get(path + "0&include=users,sections,categories,translations").want(200)
	if got := all.ids("articles"); !slices.Equal(got, []int64{third, first, second}) {
		t.Errorf("%v", got)
	}
	all.member("articles", 0, "translations", 0, "locale")
	next := h.get(h.here(all.member("next_page"))).want(200)
	if got := fmt.Sprint(next.member("end_time"), next.member("next_page")); !strings.Contains(got, "nil") && next.member("end_time") != all.member("end_time") {
		t.Errorf("%s", next.body)
	}
	h.get(path + fmt.Sprint(time.Now().Add(time.Hour).Unix())).want(200).wantJSON(`{"articles":[],"count":0,"next_page":null,"end_time":null,"end_of_stream":true}`)
	h.get(path + "yesterday").want(400)
	h.get(help + "/incremental/articles").want(400)
	h.as(h.email("customer")).get(path + "0").wantForbidden()
	h.anonymous().get(path + "0").want(401)
}

// Who has an article is told so, and its texts are not even read.
func TestArticlesThatAreKnown(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	h := newHelpCenterOf(a)
	id := h.article(`"title":"Return a lamp","body":"b"`)
	path := fmt.Sprintf("%s/en-us/articles/%d", help, id)
	reader := h.anonymous()
	tag := reader.get(path).want(200).header.Get("Etag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("tag %s", tag)
	}
	var r *result
	for _, sql := range sent.during(func() { r = reader.with("If-None-Match", tag).get(path) }) {
		if strings.Contains(sql, "html_body") {
			t.Errorf("the text was read: %s", sql)
		}
	}
	if r.want(304); len(r.body) > 0 || r.header.Get("Etag") != tag {
		t.Errorf("%s %v", r.body, r.header)
	}
	reader.with("If-None-Match", `W/"other"`).get(path).want(200)
	h.post(in("ja", h.section)+"/articles", `{"article":{"title":"x"}}`).want(201) // of which it does not matter
	reader.with("If-None-Match", tag).get(path).want(304)
	for what, change := range map[string]func(){
		"title": func() {
			h.put(path+"/translations/en-us", `{"translation":{"title":"Send it back"}}`).want(200)
		},
		"translation": func() {
			h.post(path+"/translations", `{"translation":{"locale":"ja","title":"x","outdated":true}}`).want(201)
		},
		"label":    func() { h.post(path+"/labels", `{"label":{"name":"x"}}`).want(201) },
		"promoted": func() { h.put(path, `{"article":{"promoted":true}}`).want(200) },
		"language": func() {
			h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,67]}}}`).want(200)
		},
	} {
		change()
		fresh := reader.with("If-None-Match", tag).get(path).want(200).header.Get("Etag")
		if fresh == tag {
			t.Errorf("after a change of %s the tag is the same", what)
		}
		tag = fresh
		reader.with("If-None-Match", tag).get(path).want(304)
	}
	// What can no longer be seen is gone for those who know it, too.
	h.with("If-Match", `W/"other"`).put(path, `{"article":{"promoted":false}}`).want(409)
	h.with("If-Match", h.get(path).want(200).header.Get("Etag")).put(path, fmt.Sprintf(`{"article":{"user_segment_id":%d}}`, h.segment(models.SegmentStaff))).want(200)
	reader.with("If-None-Match", tag).get(path).wantMissing()
}
