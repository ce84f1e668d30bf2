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

// A brand's help center may have languages of its own.
func TestLanguagesOfABrand(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t) // English, Japanese and Korean
	b, host := withBrand(h.anAPI, "")
	nobody := b.anonymous().atHost(host)
	locales := func(by *anAPI, want string) {
		t.Helper()
		by.get(help+"/locales").want(200).wantJSON("%s", want)
	}
	all := `{"locales":["en-us","ja","ko"],"default_locale":"en-us"}`
	locales(nobody, all)
	for body, field := range map[string]string{
		`"locales":["de"]`: "locales", `"locales":["xx"]`: "locales", `"locales":[]`: "locales", `"default_locale":"de"`: "default_locale",
		`"locales":["ko"],"default_locale":"en-us"`: "default_locale",
	} {
		r := b.put(b.path, `{"brand":{`+body+`}}`).want(422)
		if r.member("details", field) == nil {
			t.Errorf("%s: %s, want %s named", body, r.body, field)
		}
	}
	b.put(b.path, `{"brand":{"default_locale":"KO"}}`).want(200)
	locales(nobody, `{"locales":["ko","en-us","ja"],"default_locale":"ko"}`)
	r := b.put(b.path, `{"brand":{"locales":["Ja","ko"]}}`).want(200)
	if got := canonicalOf(r.member("brand", "locales")) + canonicalOf(r.member("brand", "default_locale")); got != `["ja","ko"]"ko"` {
		t.Errorf("the brand has %s", got)
	}
	locales(nobody, `{"locales":["ko","ja"],"default_locale":"ko"}`)
	locales(h.anonymous(), all)

	// Where no language is said, and which ones there are, follows from the brand.
	nobody.get(help + "/en-us/categories").wantMissing()
	nobody.get(help+"/categories").wantField("locale", "is missing: /api/v2/help_center/ko/...")
	b.post(help+"/categories", `{"category":{"name":"X","locale":"en-us"}}`).wantField("locale", "en-us is not enabled")
	category := b.post(help+"/categories", `{"category":{"locale":"ko","name":"주문"}}`).want(201).id("category")
	section := b.post(fmt.Sprintf("%s/categories/%d/sections", help, category), `{"section":{"locale":"ko","name":"반품"}}`).want(201).id("section")
	article := b.post(fmt.Sprintf("%s/sections/%d/articles", help, section), `{"article":{"locale":"ko","title":"램프 반품"}}`).want(201).id("article")
	path := fmt.Sprintf("%s/articles/%d", help, article)
	if r := b.get(path).want(200); r.member("article", "locale") != "ko" {
		t.Errorf("without a language: %s", r.body)
	}
	b.get(path + "/translations/missing").want(200).wantJSON(`{"locales":["ja"]}`)
	b.post(path+"/translations", `{"translation":{"locale":"en-us","title":"A lamp"}}`).wantField("locale", "en-us is not enabled")
	b.get(help+"/articles/search?query=램프").wantIDs("results", article)
	b.get(help+"/articles/search?query=램프&locale=en-us").wantField("locale", "en-us is not enabled")
	// Of a language that a brand does not have, a search across brands finds nothing for readers.
	h.anonymous().get(help+"/articles/search?query=램프&locale=ko&multibrand=true").wantIDs("results", article)
	b.post(path+"/translations", `{"translation":{"locale":"ja","title":"램프"}}`).want(201)
	b.put(b.path, `{"brand":{"locales":["ko"]}}`).want(200)
	h.anonymous().get(help + "/articles/search?query=램프&locale=ja&multibrand=true").wantIDs("results")
	// What the account does not have, no brand has.
	h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,67]}}}`).want(200)
	locales(nobody, `{"locales":["en-us","ja"],"default_locale":"en-us"}`)
	b.put(b.path, `{"brand":{"locales":null,"default_locale":null}}`).want(200)
	if r := b.get(b.path).want(200); r.member("brand", "locales") != nil || r.member("brand", "default_locale") != nil {
		t.Errorf("cleared: %s", r.body)
	}
}

// Links to what belongs to a brand begin with the brand's host.
func TestLinksOfABrand(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	lamp := h.article(`"title":"A lamp of ours"`)
	b, host := withBrand(h.anAPI, "")
	category := b.post(help+"/en-us/categories", `{"category":{"name":"Chairs"}}`).want(201).id("category")
	section := b.post(fmt.Sprintf("%s/en-us/categories/%d/sections", help, category), `{"section":{"name":"Legs"}}`).want(201).id("section")
	chair := b.post(fmt.Sprintf("%s/en-us/sections/%d/articles", help, section), `{"article":{"title":"A chair of ours"}}`).want(201).id("article")
	own := h.account.Subdomain + ".example.com"
	links := func(at string, bases map[int64]string) {
		t.Helper()
		r := h.atHost(at).get(help + "/articles/search?query=ours&multibrand=true&include=sections,translations").want(200)
		for i, id := range r.ids("results") {
			base, slug := bases[id], map[int64]string{lamp: "A-lamp-of-ours", chair: "A-chair-of-ours"}[id]
			if got, want := r.member("results", i, "html_url"), fmt.Sprintf("http://%s/hc/en-us/articles/%d-%s", base, id, slug); got != want {
				t.Errorf("at %s: html_url %v, want %s", at, got, want)
			}
			if got, want := r.member("results", i, "url"), fmt.Sprintf("http://%s%s/en-us/articles/%d-%s.json", base, help, id, slug); got != want {
				t.Errorf("at %s: url %v, want %s", at, got, want)
			}
			if got := r.member("results", i, "translations", 0, "html_url").(string); !strings.HasPrefix(got, "http://"+base+"/") {
				t.Errorf("at %s: html_url of the translation %v, want %s", at, got, base)
			}
		}
		if len(r.ids("results")) != 2 {
			t.Errorf("at %s: %s", at, r.body)
		}
	}
	links(own+":8080", map[int64]string{lamp: own + ":8080", chair: host + ":8080"})
	links(host, map[int64]string{lamp: own, chair: host})
	links("localhost:8080", map[int64]string{lamp: "localhost:8080", chair: "localhost:8080"})
	b.put(b.path, `{"brand":{"host_mapping":"help.`+h.account.Subdomain+`.example"}}`).want(200)
	links(own, map[int64]string{lamp: own, chair: "help." + h.account.Subdomain + ".example"})
	links("localhost", map[int64]string{lamp: "localhost", chair: "localhost"})
	if r := h.atHost(own).get(b.path).want(200); r.member("brand", "brand_url") != "http://help."+h.account.Subdomain+".example" {
		t.Errorf("brand_url %v", r.member("brand", "brand_url"))
	}
}

// Mails about a brand's articles lead to the brand's host, and go to those alone whom its
// help center is open to.
func TestMailsOfABrand(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	b, host := withBrand(r.anAPI, "")
	category := b.post(help+"/en-us/categories", `{"category":{"name":"Chairs"}}`).want(201).id("category")
	section := fmt.Sprintf("%s/en-us/sections/%d", help, b.post(fmt.Sprintf("%s/en-us/categories/%d/sections", help, category), `{"section":{"name":"Legs"}}`).want(201).id("section"))
	for _, who := range []*anAPI{r.customer, r.agent} {
		who.atHost(host).post(section+"/subscriptions", `{"subscription":{"source_locale":"en-us"}}`).want(201)
		who.post(section+"/subscriptions", `{"subscription":{"source_locale":"en-us"}}`).wantMissing()
	}
	publish := func(title string) int64 {
		return b.post(section+"/articles", `{"article":{"title":"`+title+`"}}`).want(201).id("article")
	}
	customer, agent := r.email("customer"), r.email("agent")
	id := publish("For all")
	all := []string{customer + ": New article: For all", agent + ": New article: For all"}
	r.wantTold(all...)
	if n := r.number("SELECT count(*) FROM outbox WHERE account_id = ? AND html_body LIKE ? AND headers::text LIKE ?", r.account.ID,
		fmt.Sprintf("%%\"https://%s.localhost/hc/en-us/articles/%d\"%%", b.sub, id), "%support@"+b.sub+".localhost%"); n == 0 {
		t.Error("no mail leads to the brand's host")
	}
	b.put(b.path, `{"brand":{"help_center_state":"restricted"}}`).want(200)
	publish("For agents")
	r.wantTold(append(all, agent+": New article: For agents")...)
}
