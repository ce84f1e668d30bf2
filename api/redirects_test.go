package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	path := help + "/redirects"
	open := h.article(`"title":"Return a lamp","translations":[{"locale":"ko","title":"램프 반품"}]`)
	draft := h.article(`"title":"Secret plan","draft":true`)
	create := func(old string, article int64) *result {
		return h.post(path, fmt.Sprintf(`{"redirect":{"path":%q,"article_id":%d}}`, old, article))
	}
	created := create("/old/lamp.html", open).want(201)
	id := created.id("redirect")
	created.wantJSON(`{"redirect":{"id":%d,"path":"/old/lamp.html","article_id":%d,"created_at":%q}}`, id, open, clockText)
	h.get(h.here(created.header.Get("Location"))).want(200).wantJSON("%s", created.body)
	korean := create("/hc/ko/articles/360-%EB%9E%A8%ED%94%84/", open).want(201)
	if got := korean.member("redirect", "path"); got != "/hc/ko/articles/360-램프" {
		t.Errorf("kept as %v", got)
	}
	secret := create("/old/plan", draft).want(201).id("redirect")
	if got := h.get(path).want(200).ids("redirects"); !slices.Equal(got, []int64{id, korean.id("redirect"), secret}) {
		t.Errorf("listed %v", got)
	}
	if got := h.get(fmt.Sprintf("%s?article_id=%d&page[size]=1", path, draft)).want(200).ids("redirects"); !slices.Equal(got, []int64{secret}) {
		t.Errorf("of an article %v", got)
	}

	leads := func(a *anAPI, from, to string) { // on the host that was called
		t.Helper()
		if got := a.get(from).want(301).header.Get("Location"); !strings.HasPrefix(got, "http://") || !strings.HasSuffix(got, to) || strings.Count(got, "/") != strings.Count(to, "/")+2 {
			t.Errorf("%s leads to %s", from, got)
		}
	}
	anonymous := h.anonymous()
	english := fmt.Sprintf("/hc/en-us/articles/%d-Return-a-lamp", open)
	leads(anonymous, "/old/lamp.html", english)
	leads(anonymous, "/old/lamp.html/?from=mail", english)
	leads(anonymous, "/hc/ko/articles/360-%EB%9E%A8%ED%94%84", fmt.Sprintf("/hc/ko/articles/%d-%%EB%%9E%%A8%%ED%%94%%84-%%EB%%B0%%98%%ED%%92%%88", open))
	leads(h.anAPI, "/old/plan", fmt.Sprintf("/hc/en-us/articles/%d-Secret-plan", draft))
	for _, unknown := range []string{"/old/plan", "/old/lamp", "/OLD/lamp.html", english} {
		anonymous.get(unknown).wantError(404, "InvalidEndpoint")
	}
	h.post("/old/lamp.html", "{}").wantError(404, "InvalidEndpoint")
	create(english, open).want(201)
	anonymous.get(english).wantError(404, "InvalidEndpoint") // and not in circles

	create("/old/lamp.html", draft).wantField("path", "/old/lamp.html is redirected already")
	create("/old/x", 404).wantField("article_id", "404 is not an article")
	create("", open).wantField("path", "cannot be blank")
	create("/api/v2/tickets", open).wantField("path", "/api/v2/tickets is helpd's own")
	for _, wrong := range []string{"old", "//evil.example/x", "https://evil.example/x", "/a?b=c", "/a#b", `/a\b`} {
		create(wrong, open).wantField("path", "must be a path that begins with a slash, without host, query and fragment")
	}
	for _, wrong := range []string{"/%00", "/a%00b", "/%ff"} {
		create(wrong, open).wantField("path", "has a NUL character or is not UTF-8")
	}
	create("/%61pi/v2/x", open).wantField("path", "/%61pi/v2/x is helpd's own")
	create("/%2Fevil.example", open).wantField("path", "must be a path that begins with a slash, without host, query and fragment")
	// Escapes count once: what they are of may look like one.
	if got := create("/a%2541", open).want(201).member("redirect", "path"); got != "/a%41" {
		t.Errorf("kept as %v", got)
	}
	leads(anonymous, "/a%2541", english)
	for _, unknown := range []string{"/a%41", "/aA", "/%2500", "/%25ff"} {
		anonymous.get(unknown).wantError(404, "InvalidEndpoint")
	}
	h.user("Agent", h.email("agent"), "agent")
	agent := h.as(h.email("agent"))
	agent.get(path).wantForbidden()
	agent.delete(fmt.Sprintf("%s/%d", path, id)).wantForbidden()
	h.delete(fmt.Sprintf("%s/%d", path, id)).want(204)
	h.delete(fmt.Sprintf("%s/%d", path, id)).wantMissing()
	h.get(fmt.Sprintf("%s/%d", path, id)).wantMissing()
	anonymous.get("/old/lamp.html").wantError(404, "InvalidEndpoint")
}
