package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/gen"
)

// ofHelpCenter reports whether an operation is about the content of a help center, and
// so of one brand.
func ofHelpCenter(op gen.Operation) bool {
	return strings.HasPrefix(op.Path, "/api/v2/help_center/") && op.Area != "user_segments" && op.Area != "help_center_sessions" &&
		!strings.Contains(op.Path, "/user_subscriptions") // who follows whom
}

// wantIDs checks which records a list has, in any order.
func (r *result) wantIDs(key string, want ...int64) {
	r.t.Helper()
	got := r.want(200).ids(key)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s %s: %s %v, want %v", r.method, r.path, key, got, want)
	}
}

// withBrand is the account with a second brand whose help center is open, asked at the
// host of that, and the host.
func withBrand(a *anAPI, more string) (there hostsOf, host string) {
	a.t.Helper()
	there = newBrand(a, "b", `,"help_center_state":"enabled"`+more)
	host = there.sub + ".example.com"
	there.anAPI = a.atHost(host)
	return there, host
}

// Whoever asks at the host of one brand finds nothing of another's help center, by
// whatever operation, and changes nothing of it.
func TestHelpCentersNeverMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(newAPI(t))
	there, host := withBrand(w.anAPI, "")
	own := 0
	for _, op := range gen.Operations { // or nothing would be looked for
		if ofHelpCenter(op) && op.Method == http.MethodGet {
			for _, r := range w.reachFor(op) {
				if r.status == 200 && strings.Contains(string(r.body), w.secret) {
					own++
				}
			}
		}
	}
	if own < 50 {
		t.Fatalf("at their own host %d answers have the texts, want many", own)
	}
	before := w.rows()
	callers := map[string]*anAPI{"admin": there.anAPI, "agent": w.as(w.agent).atHost(host), "end-user": w.as(w.endUser).atHost(host), "anonymous": w.anonymous().atHost(host)}
	for role, by := range callers {
		at := *w
		at.anAPI = by
		for _, op := range byHarm() {
			if !ofHelpCenter(op) || op.ID == "ListSearchInsights" || op.Method != http.MethodGet && !named(op) {
				continue
			}
			// Users are the account's.
			ofUsers := strings.Contains(op.Path, "{user_id}")
			if ofUsers && op.Method != http.MethodGet {
				continue
			}
			for _, r := range at.reachFor(op) {
				text := strings.ReplaceAll(string(r.body), "query="+w.secret, "")
				if strings.Contains(text, w.secret) {
					t.Errorf("%s by %s: %s %s shows another brand's content: %.500s", op.ID, role, r.method, r.path, r.body)
				}
				if named(op) && !ofUsers && ranks[role] >= ranks[op.Allow] && r.status != 404 && r.status != 403 {
					t.Errorf("%s by %s: %s %s: %d for another brand's record, want 404: %.300s", op.ID, role, r.method, r.path, r.status, r.body)
				}
			}
		}
	}
	// What was looked for is told where it was.
	there.get(help + "/en-us/articles/search?query=" + w.secret).want(200)
	if r := there.get(help + "/search/insights"); !strings.Contains(string(r.body), w.secret) {
		t.Errorf("the search is not told of: %s", r.body)
	}
	after := w.rows()
	for _, table := range changed(before, after) {
		if table != "help_center_queries" && table != "signing_keys" {
			t.Errorf("another brand's rows changed in %s", table)
		}
	}
	// The bytes of files and old addresses, too.
	for _, path := range []string{"/hc/article_attachments/" + w.ids["article_attachment_id"], "/" + w.secret} {
		w.get(path).want(map[bool]int{true: 301, false: 200}[path == "/"+w.secret])
		there.get(path).want(404)
	}
}

// A second brand has a help center of its own at its own host.
func TestHelpCenterOfABrand(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	lamp := h.article(`"title":"A lamp of ours","label_names":["Light","common"]`)
	b, host := withBrand(h.anAPI, "")
	nobody := b.anonymous().atHost(host)
	nobody.get(help + "/en-us/categories").want(200).wantIDs("categories")
	category := b.post(help+"/en-us/categories", `{"category":{"name":"Chairs"}}`).want(201).id("category")
	section := b.post(fmt.Sprintf("%s/en-us/categories/%d/sections", help, category), `{"section":{"name":"Legs"}}`).want(201).id("section")
	chair := b.post(fmt.Sprintf("%s/en-us/sections/%d/articles", help, section), `{"article":{"title":"A chair of ours","label_names":["Wood","COMMON"]}}`).want(201).id("article")
	path := fmt.Sprintf("%s/en-us/articles/%d", help, chair)

	// Each host has its own.
	nobody.get(help+"/en-us/articles").want(200).wantIDs("articles", chair)
	h.anonymous().get(help+"/en-us/articles").want(200).wantIDs("articles", lamp)
	nobody.get(path).want(200)
	h.anonymous().get(path).wantMissing()
	h.get(path).wantMissing()
	h.put(path, `{"article":{"promoted":true}}`).wantMissing()
	h.delete(path).wantMissing()
	// Nothing goes from one to the other.
	b.put(path, fmt.Sprintf(`{"article":{"section_id":%s}}`, h.section[strings.LastIndex(h.section, "/")+1:])).
		wantField("section_id", h.section[strings.LastIndex(h.section, "/")+1:]+" is not a section")
	b.put(fmt.Sprintf("%s/sections/%d", help, section), fmt.Sprintf(`{"section":{"category_id":%s}}`, h.category[strings.LastIndex(h.category, "/")+1:])).
		wantField("category_id", h.category[strings.LastIndex(h.category, "/")+1:]+" is not a category")
	b.post(help+"/redirects", fmt.Sprintf(`{"redirect":{"path":"/old","article_id":%d}}`, lamp)).wantField("article_id", fmt.Sprintf("%d is not an article", lamp))

	// Both may use one path, and one label, as it was first written.
	b.post(help+"/redirects", fmt.Sprintf(`{"redirect":{"path":"/old","article_id":%d}}`, chair)).want(201)
	h.post(help+"/redirects", fmt.Sprintf(`{"redirect":{"path":"/old","article_id":%d}}`, lamp)).want(201)
	if to := nobody.get("/old").want(301).header.Get("Location"); !strings.Contains(to, "A-chair-of-ours") {
		t.Errorf("/old leads to %s", to)
	}
	labels := func(a *anAPI, want ...string) {
		t.Helper()
		var got []string
		for _, l := range a.get(help + "/articles/labels").want(200).member("labels").([]any) {
			got = append(got, l.(map[string]any)["name"].(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("labels %q, want %q", got, want)
		}
	}
	labels(h.anAPI, "common", "Light")
	labels(b.anAPI, "common", "Wood")
	common := h.get(help + "/articles/labels").ids("labels")[0]
	b.delete(fmt.Sprintf("%s/articles/labels/%d", help, common)).want(204)
	labels(h.anAPI, "common", "Light")
	labels(b.anAPI, "Wood")

	// A search is the host's, unless it asks for more.
	for query, want := range map[string][]int64{
		"": {lamp}, "&multibrand=false": {lamp}, "&multibrand=true": {lamp, chair}, fmt.Sprintf("&brand_id=%d", b.id): {chair},
		fmt.Sprintf("&brand_id=%d&multibrand=true", b.id): {chair}, "&brand_id=404": nil,
	} {
		h.anonymous().get(help+"/articles/search?query=ours&locale=en-us"+query).want(200).wantIDs("results", want...)
	}
	h.anonymous().get(help+"/articles/search?query=ours&locale=*&multibrand=true").want(200).wantIDs("results", lamp, chair)
	reader := h.signedInAs("end-user")
	unified := "/api/v2/guide/search?filter[locales]=en-us&query=ours"
	reader.get(unified).want(200).wantIDs("results", lamp, chair)
	reader.get(unified+fmt.Sprintf("&filter[brand_ids]=%d", b.id)).want(200).wantIDs("results", chair)
	// With what they lie in, of either brand.
	r := h.get(unified + "&include=sections,categories").want(200)
	if len(r.ids("sections")) != 2 || len(r.ids("categories")) != 2 {
		t.Errorf("beside the results: %s", r.body)
	}

	// A closed one is there for nobody, a restricted one for agents.
	agent := b.signedInAs("agent").atHost(host)
	b.put(b.path, `{"brand":{"help_center_state":"restricted"}}`).want(200)
	nobody.get(path).wantMissing()
	nobody.get(help + "/locales").wantMissing()
	nobody.get("/old").want(404)
	agent.get(path).want(200)
	reader.get(unified).want(200).wantIDs("results", lamp)
	h.get(unified).want(200).wantIDs("results", lamp, chair)
	h.anonymous().get(help+"/articles/search?query=ours&locale=en-us&multibrand=true").want(200).wantIDs("results", lamp)
	b.put(b.path, `{"brand":{"help_center_state":"disabled"}}`).want(200)
	for _, by := range []*anAPI{nobody, agent, b.anAPI} {
		by.get(path).wantMissing()
		by.get(help + "/en-us/categories").wantMissing()
	}
	b.post(help+"/en-us/categories", `{"category":{"name":"X"}}`).wantMissing()
	h.get(unified).want(200).wantIDs("results", lamp)
	b.get(help + "/user_segments").want(200) // which are the account's
	// At hosts of brands that are gone there is nobody.
	b.put(b.path, `{"brand":{"help_center_state":"enabled","active":false}}`).want(200)
	nobody.get(path).want(401)
	b.put(b.path, `{"brand":{"active":true}}`).want(200)
	nobody.get(path).want(200)
	b.delete(b.path).want(204)
	nobody.get(path).want(401)
	h.get(unified).want(200).wantIDs("results", lamp)
}

// The host of a brand is that of its account.
func TestBrandsOfAccounts(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	h.article(`"title":"Ours"`)
	other := newHelpCenterOf(h.another())
	b, host := withBrand(other.anAPI, `,"host_mapping":"help.`+other.account.Subdomain+`.example"`)
	category := b.post(help+"/en-us/categories", `{"category":{"name":"Theirs"}}`).want(201).id("category")
	for _, at := range []string{host, "help." + other.account.Subdomain + ".example", "HELP." + other.account.Subdomain + ".EXAMPLE:8080"} {
		h.anonymous().atHost(at).get(help+"/en-us/categories").want(200).wantIDs("categories", category)
		// A token is its own account's, at the default brand.
		h.atHost(at).get(help+"/en-us/articles").want(200).wantIDs("articles", h.get(help+"/en-us/articles").ids("articles")...)
		h.atHost(at).get(fmt.Sprintf("%s/en-us/categories/%d", help, category)).wantMissing()
	}
}
