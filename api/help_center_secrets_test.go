package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// closeSection lets staff alone see a section.
func (h *aHelpCenter) closeSection(section string) {
	h.t.Helper()
	h.put(section+"/access_policy", `{"access_policy":{"viewable_by":"staff"}}`).want(200)
}

// What is in a closed section is closed, however deep.
func TestSectionsInAClosedOneAreClosed(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	parent := h.get(h.section).want(200).id("section")
	child := h.post(h.category+"/sections", fmt.Sprintf(`{"section":{"name":"Inner","locale":"en-us","parent_section_id":%d}}`, parent)).want(201).id("section")
	article := h.post(fmt.Sprintf("%s/sections/%d/articles", help, child), `{"article":{"title":"Lamp","locale":"en-us"}}`).want(201).id("article")
	reader := h.anonymous()
	paths := []string{fmt.Sprintf("%s/sections/%d", help, child), fmt.Sprintf("%s/articles/%d", help, article)}
	for _, path := range paths {
		reader.get(in("en-us", path)).want(200)
	}
	h.closeSection(h.section)
	for _, path := range paths {
		reader.get(in("en-us", path)).wantMissing()
		h.get(path).want(200)
	}
	for _, path := range []string{"/sections", "/articles", "/articles/search?query=lamp"} {
		if r := reader.get(in("en-us", help+path)).want(200); strings.Contains(string(r.body), "Inner") || strings.Contains(string(r.body), "Lamp") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}

// A language that is no more enabled is nobody's but the staff's, by whatever way.
func TestLanguagesThatAreNotEnabledAreHidden(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	article := h.article(`"title":"Lamp"`)
	path := fmt.Sprintf("%s/articles/%d", help, article)
	h.post(path+"/translations", `{"translation":{"locale":"ko","title":"램프 SECRET","body":"<p>SECRET</p>"}}`).want(201)
	h.user("Reader", h.email("reader"), "end-user")
	reader := h.as(h.email("reader"))
	reader.post(in("ko", path+"/up"), "").want(200)
	reader.post(in("ko", path+"/comments"), `{"comment":{"body":"SECRET"}}`).want(201)
	h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1]}}}`).want(200)
	for _, who := range []*anAPI{h.anonymous(), reader} {
		for _, ask := range []string{"/articles/search?query=secret&locale=*", "/articles/search?query=%EB%9E%A8%ED%94%84&locale=*"} {
			if got := who.get(help + ask).want(200).ids("results"); len(got) != 0 {
				t.Errorf("%s finds %v", ask, got)
			}
		}
	}
	for _, ask := range []string{"/users/me/votes?include=articles,translations", "/users/me/comments?include=articles", "/votes?include=articles"} {
		if r := reader.get(help + ask).want(200); strings.Contains(string(r.body), "SECRET") {
			t.Errorf("%s: %s", ask, r.body)
		}
	}
	if got := h.get(help + "/articles/search?query=secret&locale=*").want(200).ids("results"); !slices.Equal(got, []int64{article}) {
		t.Errorf("staff find %v", got)
	}
}

// What a reader may not see does not decide what he finds.
func TestHiddenArticlesDoNotChangeWhatReadersFind(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	open := h.article(`"title":"Lamp"`)
	h.article(`"title":"Lamp recall","draft":true`)
	for _, query := range []string{"lamp recall", "lamp recall&sort_by=created_at"} {
		path := in("en-us", help+"/articles/search?query="+strings.ReplaceAll(query, " ", "+"))
		if got := h.anonymous().get(path).want(200).ids("results"); !slices.Equal(got, []int64{open}) {
			t.Errorf("%s: %v", query, got)
		}
		if got := h.get(path).want(200).ids("results"); len(got) != 1 || got[0] == open {
			t.Errorf("%s: staff find %v", query, got)
		}
	}
}

// A file for a language that is a draft is as hidden as its text.
func TestFilesOfDraftsAreHidden(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	path := fmt.Sprintf("%s/articles/%d", help, h.article(`"title":"Lamp"`))
	h.post(path+"/translations", `{"translation":{"locale":"ko","title":"램프","draft":true}}`).want(201)
	body, kind := form([][2]string{{"locale", "ko"}}, "plan.txt", "text/plain", "SECRET")
	file := h.with("Content-Type", kind).post(path+"/attachments", body).want(201)
	id := file.id("article_attachment")
	content := strings.TrimPrefix(file.member("article_attachment", "content_url").(string), "http://helpd.test")
	reader := h.anonymous()
	hidden := func() {
		t.Helper()
		reader.get(fmt.Sprintf("%s/attachments/%d", in("en-us", path), id)).wantMissing()
		reader.get(content).want(404)
		if got := reader.get(in("ko", path) + "/attachments").want(200).ids("article_attachments"); len(got) != 0 {
			t.Errorf("listed: %v", got)
		}
	}
	hidden()
	if got := reader.get(in("en-us", path) + "/translations/missing").want(200).member("locales"); !slices.Contains(got.([]any), any("ko")) {
		t.Errorf("that there is a draft is told: %v", got)
	}
	h.put(path+"/translations/ko", `{"translation":{"draft":false}}`).want(200)
	reader.get(fmt.Sprintf("%s/attachments/%d", in("en-us", path), id)).want(200)
	if got := reader.get(content).want(200); string(got.body) != "SECRET" {
		t.Errorf("%s", got.body)
	}
	if got := reader.get(in("ko", path) + "/attachments").want(200).ids("article_attachments"); !slices.Equal(got, []int64{id}) {
		t.Errorf("listed: %v", got)
	}
}

// Who may edit and not publish does not publish by moving, or by opening.
func TestEditorsPublishNothingByMoving(t *testing.T) {
	t.Parallel()
	w := newWriters(t)
	open := w.post(w.category+"/sections", `{"section":{"name":"Open","locale":"en-us"}}`).want(201).id("section")
	w.put(fmt.Sprintf("%s/sections/%d/access_policy", help, open), `{"access_policy":{"manageable_by":"staff"}}`).want(200)
	move := fmt.Sprintf(`{"article":{"section_id":%d}}`, open)
	draft := w.draft()
	w.writer.put(draft, move).wantForbidden()
	w.chief.put(draft+"/translations/en-us", `{"translation":{"draft":false}}`).want(200)
	members := w.post(segmentsPath, `{"user_segment":{"name":"Few","user_type":"signed_in_users","tags":["few"]}}`).want(201).id("user_segment")
	w.chief.put(draft, fmt.Sprintf(`{"article":{"user_segment_ids":[%d]}}`, members)).want(200)
	w.writer.put(draft, `{"article":{"user_segment_ids":[]}}`).wantForbidden()
	w.writer.put(draft, move).wantForbidden()
	w.writer.put(draft, `{"article":{"position":3}}`).want(200)
	w.chief.put(draft, move).want(200)
}
