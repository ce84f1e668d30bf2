package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const guideSearch = "/api/v2/guide/search?filter%5Blocales%5D="

func TestUnifiedSearch(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	section := h.get(h.section).want(200).id("section")
	category := h.get(h.category).want(200).id("category")
	brand := h.get("/api/v2/brands").want(200).ids("brands")[0]
	lamp := h.article(`"title":"Returning a lamp","body":"<p>Send it <b>back</b> within thirty days.</p>"`)
	body := h.article(`"title":"Shipping","body":"<p>What you return travels slowly.</p>"`)
	h.post(fmt.Sprintf("%s/articles/%d/translations", help, lamp), `{"translation":{"locale":"ko","title":"램프 반품하기","body":"<p>lamp</p>"}}`).want(201)
	other := h.post(h.category+"/sections", `{"section":{"name":"Other","locale":"en-us"}}`).want(201).id("section")
	elsewhere := h.post(fmt.Sprintf("%s/sections/%d/articles", help, other), `{"article":{"locale":"en-us","title":"Return elsewhere"}}`).want(201).id("article")

	const filter = "&filter%%5B%s%%5D=%v"
	for query, want := range map[string][]int64{
		"en-us&query=return":          {elsewhere, lamp, body},
		"EN-US,xx-yy&query=return":    {elsewhere, lamp, body},
		"ko&query=%EB%B0%98%ED%92%88": {lamp}, // 반품
		"en-us,ko&query=lamp":         {lamp, lamp},
		"en-us,ko":                    {elsewhere, body, lamp, lamp}, // without words, the newest first
		"en-us&query=zebra":           nil,
		"en-us&query=%21":             nil,
		// As Zendesk documents: where no language is enabled, nothing is found.
		"fr&query=return": nil,
		"fr":              nil,
		"en-us&query=return" + fmt.Sprintf(filter, "section_ids", section):                                                          {lamp, body},
		"en-us&query=return" + fmt.Sprintf(filter, "section_ids", fmt.Sprintf("%d,%d", section, other)):                             {elsewhere, lamp, body},
		"en-us" + fmt.Sprintf(filter, "section_ids", other):                                                                         {elsewhere},
		"en-us&query=return" + fmt.Sprintf(filter, "category_ids", category) + fmt.Sprintf(filter, "content_types", "POST,ARTICLE"): {elsewhere, lamp, body},
		"en-us&query=return" + fmt.Sprintf(filter, "category_ids", 5):                                                               nil,
		"en-us&query=return" + fmt.Sprintf(filter, "brand_ids", brand):                                                              {elsewhere, lamp, body},
		"en-us&query=return" + fmt.Sprintf(filter, "brand_ids", 77):                                                                 nil,
		"en-us&query=return" + fmt.Sprintf(filter, "content_types", "POST"):                                                         nil,
		"en-us" + fmt.Sprintf(filter, "content_types", "EXTERNAL_RECORD"):                                                           nil,
		"en-us&query=return" + fmt.Sprintf(filter, "topic_ids", 42):                                                                 nil,
		"en-us&query=return&page%5Bafter%5D=&page%5Bsize%5D=" + fmt.Sprintf(filter+filter+filter+filter, "brand_ids", "", "topic_ids", "", "content_types", "", "external_source_ids", ""): {elsewhere, lamp, body},
		"en-us&query=return" + fmt.Sprintf(filter, "external_source_ids", "01EC05A5T1J4ZSDJX4Q8JGFRHP"):                                                                                    nil,
	} {
		if got := h.get(guideSearch + query).want(200).ids("results"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	r := h.get(guideSearch + "en-us&query=LAMP+thirty&include=users,sections,categories").want(200)
	if got := canonicalOf(r.member("results")); got != fmt.Sprintf(`[{"author_id":%d,"brand_id":%d,"category_id":%d,"id":%d,"locale":"en-us","section_id":%d,"snippet":"Send it back within \u003cem\u003ethirty\u003c/em\u003e days.",`+
		`"title":"Returning a lamp","type":"ARTICLE","updated_at":%q,"url":"http://helpd.test/hc/en-us/articles/%d-Returning-a-lamp"}]`, h.admin.ID, brand, category, lamp, section, clockText, lamp) {
		t.Errorf("%s", got)
	}
	if r.member("users", 0, "name") != "Ada Admin" || r.member("sections", 0, "name") != "Returns" || r.member("categories", 0, "name") != "Orders" ||
		r.member("meta", "has_more") != false || strings.Contains(string(r.body), `"count"`) {
		t.Errorf("%s", r.body)
	}
	// It counts among what readers look for, once for all of its pages.
	h.post(help+"/search/clicks", fmt.Sprintf(`{"search_token":%q}`, r.member("search_token"))).want(204)
	if got := h.get(help+"/search/insights?locale=en-us&sort_by=clicks").want(200).member("queries", 0); canonicalOf(got) !=
		fmt.Sprintf(`{"clicks":1,"last_searched_at":%q,"locale":"en-us","query":"lamp thirty","searches":1,"zero_results":0}`, clockText) {
		t.Errorf("insights %s", canonicalOf(got))
	}

	for query, field := range map[string]string{
		"": "filter[locales]", ",": "filter[locales]", "en-us,%21": "filter[locales]", "en-us&query=" + strings.Repeat("x", 1025): "query",
		"en-us" + fmt.Sprintf(filter, "content_types", "article"): "filter[content_types]", "en-us" + fmt.Sprintf(filter, "content_types", "ARTICLE,TICKET"): "filter[content_types]",
		"en-us" + fmt.Sprintf(filter, "external_source_ids", "x"): "filter[external_source_ids]",
	} {
		if r := h.get(guideSearch + query).want(400); r.member("errors", field) == nil {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	for _, query := range []string{
		"&filter%5Bsection_ids%5D=x", "&filter%5Btopic_ids%5D=1,x", "&page%5Bsize%5D=0", "&page%5Bsize%5D=x", "&query=lamp&page%5Bafter%5D=x", "&page%5Bafter%5D=x",
		"&query=lamp&page%5Bbefore%5D=eyJvIjoiLXN0cmVuZ3RoLGlkIiwidiI6WyJ4IiwxLDBdfQ==", "&query=lamp&page%5Bafter%5D=eyJvIjoiLXNjb3JlLGlkIiwidiI6WzEsMSwwXX0=",
	} {
		h.get(guideSearch + "en-us" + query).want(400)
	}
	h.get("/api/v2/guide/search?query=lamp").want(400).wantHas("filter[locales] is missing")
}

func TestUnifiedSearchShowsWhatReadersMaySee(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	open, draft, gold := h.lamps()
	h.user("Agent", h.email("agent"), "agent")
	for who, want := range map[*anAPI][]int64{
		h.anAPI: {gold, draft, open}, h.as(h.email("poor")): {open}, h.as(h.email("rich")): {gold, open}, h.as(h.email("agent")): {open}, h.another(): nil,
	} {
		for _, query := range []string{"", "&query=lamp", "&query=lamp&include=sections,users,categories&page%5Bsize%5D=50"} {
			if got := who.get(guideSearch + "en-us" + query).want(200).ids("results"); !slices.Equal(got, want) {
				t.Errorf("%q: %v, want %v", query, got, want)
			}
		}
	}
	h.anonymous().get(guideSearch + "en-us&query=lamp").want(401)
}

// Every page leads to the next and back, and nothing comes twice or is left out, also
// while there are new articles.
func TestPagesOfUnifiedSearch(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	for i := range 13 {
		h.article(fmt.Sprintf(`"title":"Lamp %d","body":"<p>%s</p>"`, i, strings.Repeat("lamp post ", i%4)))
	}
	follow := func(r *result, way string) *result {
		u, err := url.Parse(r.member("links", way).(string))
		if err != nil {
			t.Fatal(err)
		}
		return h.get(u.RequestURI()).want(200)
	}
	for _, query := range []string{"", "&query=lamp", "&query=lamp+zebra"} { // all, ranked, ranked without a word
		all := h.get(guideSearch + "en-us&page%5Bsize%5D=100" + query).want(200).ids("results")
		if len(all) != 13 {
			t.Fatalf("%q: %v", query, all)
		}
		first := h.get(guideSearch + "en-us" + query).want(200)
		if got := first.ids("results"); !slices.Equal(got, all[:10]) || first.member("meta", "has_more") != true {
			t.Errorf("%q: %v of %v", query, got, all)
		}
		var forth, back []int64
		r := h.get(guideSearch + "en-us&page%5Bsize%5D=5" + query).want(200)
		for {
			forth = append(forth, r.ids("results")...)
			if r.member("meta", "has_more") == false {
				break
			}
			r = follow(r, "next")
		}
		for {
			back = append(r.ids("results"), back...)
			if !strings.Contains(string(r.body), `"prev"`) {
				break
			}
			r = follow(r, "prev")
		}
		if !slices.Equal(forth, all) || !slices.Equal(back, all) || !slices.Equal(follow(r, "last").ids("results"), all[8:]) {
			t.Errorf("%q: %v and %v, want %v", query, forth, back, all)
		}
	}
	r := h.get(guideSearch + "en-us&query=lamp&page%5Bsize%5D=6").want(200)
	all := h.get(guideSearch + "en-us&query=lamp&page%5Bsize%5D=50").want(200).ids("results")
	for range 5 { // in front of all, and the word is more common
		h.article(`"title":"Lamp","body":"<p>lamp</p>"`)
	}
	h.delete(fmt.Sprintf("%s/articles/%d", help, all[5])).want(204) // where the next page begins
	if got := follow(r, "next").ids("results"); !slices.Equal(got, all[6:12]) {
		t.Errorf("%v, want %v", got, all[6:12])
	}
}
