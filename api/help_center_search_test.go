package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// searched are the ids of the articles that a query finds, in their order.
func (h *aHelpCenter) searched(query string) []int64 {
	h.t.Helper()
	return h.get(help + "/articles/search?" + query).want(200).ids("results")
}

func TestSearchingArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	lamp := h.article(`"title":"Returning a lamp","body":"<p>Send it <b>back</b> to us within thirty days. Use the box &amp; the label.</p>"`)
	labelled := h.article(`"title":"Warranty","body":"<p>Two years for every chair.</p>","label_names":["returns","Chairs"]`)
	body := h.article(`"title":"Shipping","body":"<p>What you return travels slowly.</p>"`)
	other := h.article(`"title":"Opening hours","body":"<p>Every day.</p>"`)
	h.post(fmt.Sprintf("%s/articles/%d/translations", help, lamp), `{"translation":{"locale":"ko","title":"램프 반품하기","body":"<p>삼십일 안에 이벤트 핸들러를 돌려보내세요.</p>"}}`).want(201)
	draft := h.article(`"title":"Return a secret","draft":true`)

	for query, want := range map[string][]int64{
		"query=return":                       {draft, lamp, labelled, body}, // titles, labels, bodies
		"query=RETURNS":                      {draft, lamp, labelled, body},
		"query=lamp":                         {lamp},
		"query=thirty+days":                  {lamp},
		"query=lamp+chair":                   {lamp, labelled}, // none has both
		"query=%22thirty+days%22":            {lamp},
		"query=%22days+thirty%22":            nil,
		"query=zebra":                        nil,
		"query=%21%21":                       nil,
		"query=%EB%B0%98%ED%92%88&locale=ko": {lamp}, // 반품
		"query=%ED%95%B8%EB%93%A4&locale=ko": {lamp}, // 핸들
		"query=%EB%B0%98%ED%92%88":           nil,
		"query=return&locale=ko":             nil,
		"query=lamp&locale=*":                {lamp},
		"label_names=RETURNS":                {labelled},
		"label_names=returns,chairs":         {labelled},
		"label_names=returns,tables":         nil,
		"query=return&label_names=returns":   {labelled},
		"query=return&section=1,2":           nil,
		"query=lamp&created_after=2000-01-01&created_before=2100-01-01": {lamp},
		"query=lamp&created_before=2000-01-01":                          nil,
		"query=lamp&updated_at=2000-01-01":                              nil,
		"query=return&per_page=1&page=2":                                {lamp},
		"query=return&brand_id=77":                                      nil,
	} {
		if got := h.searched(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	section := h.get(h.section).want(200).id("section")
	if got := h.searched(fmt.Sprintf("section=%d&sort_by=created_at", section)); !slices.Equal(got, []int64{draft, other, body, labelled, lamp}) {
		t.Errorf("the latest first: %v", got)
	}

	r := h.get(help + "/articles/search?query=label+box&per_page=2&include=sections").want(200)
	one := canonicalOf(r.member("results", 0))
	shown := canonicalOf(h.get(fmt.Sprintf("%s/articles/%d", help, lamp)).want(200).member("article"))
	if !strings.Contains(one, strings.Trim(shown, "{}")[:200]) || r.member("results", 0, "result_type") != "article" {
		t.Errorf("%s\n%s", one, shown)
	}
	if got := r.member("results", 0, "snippet"); got != "Send it back to us within thirty days. Use the <em>box</em> &amp; the <em>label</em>." {
		t.Errorf("snippet %v", got)
	}
	if fmt.Sprintf("%v %v %v %v", r.member("count"), r.member("page"), r.member("page_count"), r.member("per_page")) != "1 1 1 2" || r.member("next_page") != nil ||
		r.member("count_relation") != "eq" || r.member("sections", 0, "name") != "Returns" {
		t.Errorf("%s", r.body)
	}
	// What was written is found by the next search, and what is gone is not.
	h.put(fmt.Sprintf("%s/articles/%d/translations/en-us", help, other), `{"translation":{"title":"Zebra crossings"}}`).want(200)
	if got := h.searched("query=zebra"); !slices.Equal(got, []int64{other}) {
		t.Errorf("a new title: %v", got)
	}
	h.put(fmt.Sprintf("%s/articles/%d", help, other), `{"article":{"label_names":["okapi"]}}`).want(200)
	if got := h.searched("query=okapi"); !slices.Equal(got, []int64{other}) {
		t.Errorf("a new label: %v", got)
	}
	h.delete(fmt.Sprintf("%s/articles/%d", help, other)).want(204)
	if got := h.searched("query=zebra"); len(got) != 0 {
		t.Errorf("archived: %v", got)
	}

	for query, field := range map[string]string{
		"": "query", "query=+": "query", "query=" + strings.Repeat("x", 1025): "query", "query=x&locale=fr": "locale", "query=x&created_at=soon": "created_at",
		"query=x&updated_before=2026-02-31": "updated_before", "query=x&sort_by=votes": "sort_by", "query=x&page=11&per_page=100": "page", "query=" + strings.Repeat("x+", 65): "query",
	} {
		if r := h.get(help + "/articles/search?" + query).want(400); r.member("errors", field) == nil {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	h.get(help + "/articles/search?query=x&section=y").want(400)
}

// lamps are an article for all, a draft and one for the end user rich, who has the tag
// gold; the end user poor has not.
func (h *aHelpCenter) lamps() (open, draft, gold int64) {
	h.t.Helper()
	open = h.article(`"title":"Lamp for all"`)
	draft = h.article(`"title":"Lamp draft","draft":true`)
	members := h.post("/api/v2/help_center/user_segments", `{"user_segment":{"name":"Gold","user_type":"signed_in_users","tags":["gold"]}}`).want(201).id("user_segment")
	gold = h.article(fmt.Sprintf(`"title":"Lamp of gold","user_segment_id":%d`, members))
	h.user("Poor", h.email("poor"), "end-user")
	rich := h.user("Rich", h.email("rich"), "end-user")
	h.put(fmt.Sprintf("/api/v2/users/%d", rich), `{"user":{"tags":["gold"]}}`).want(200)
	return open, draft, gold
}

// Everybody finds what he may see, and counts no more.
func TestSearchingArticlesShowsWhatReadersMaySee(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	open, draft, gold := h.lamps()
	for who, want := range map[*anAPI][]int64{
		h.anAPI: {gold, draft, open}, h.anonymous(): {open}, h.as(h.email("poor")): {open}, h.as(h.email("rich")): {gold, open}, h.another(): nil,
	} {
		r := who.get(help + "/articles/search?query=lamp").want(200)
		if got := r.ids("results"); !slices.Equal(got, want) || fmt.Sprint(r.member("count")) != fmt.Sprint(len(want)) {
			t.Errorf("%v of %v, want %v", got, r.member("count"), want)
		}
	}
	if r := h.anonymous().get(in("ko", help+"/articles/search?query=lamp")).want(200); len(r.ids("results")) != 0 {
		t.Errorf("in Korean: %s", r.body)
	}
}

func TestSearchInsights(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	h.article(`"title":"Lamps"`)
	reader := h.anonymous()
	token := reader.get(help + "/articles/search?query=LAMP").want(200).member("search_token").(string)
	reader.get(help + "/articles/search?query=++lamp").want(200)
	if r := reader.get(help + "/articles/search?query=lamp&page=2").want(200); strings.Contains(string(r.body), "search_token") {
		t.Errorf("a second page is a search: %s", r.body)
	}
	reader.get(in("ko", help+"/articles/search?query=%EC%98%A4%EB%A5%98")).want(200)
	click := fmt.Sprintf(`{"search_token":%q}`, token)
	reader.post(help+"/search/clicks", click).want(204)
	const form = `{"clicks":%d,"last_searched_at":%q,"locale":%q,"query":%q,"searches":%d,"zero_results":%d}`
	lamp, missing := fmt.Sprintf(form, 1, clockText, "en-us", "lamp", 2, 0), fmt.Sprintf(form, 0, clockText, "ko", "오류", 1, 1)
	for query, want := range map[string][]string{
		"": {lamp, missing}, "zero_results=true": {missing}, "sort_by=zero_results": {missing, lamp}, "locale=ko": {missing}, "end_date=2001-01-01": {}, "per_page=1&page=2": {missing},
	} {
		if got := canonicalOf(h.get(help + "/search/insights?" + query).want(200).member("queries")); got != "["+strings.Join(want, ",")+"]" {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	h.get(help+"/search/insights?start_date=soon").wantField("start_date", "is no day as 2026-01-31")
	h.get(help + "/search/insights?sort_by=name").want(400)
	h.get(help+"/search/insights?start_date=0000-01-01").wantField("start_date", "is no day as 2026-01-31")
	reader.get(help + "/search/insights").want(401)
	h.user("Reader", h.email("reader"), "end-user")
	h.as(h.email("reader")).get(help + "/search/insights").wantForbidden()
	for _, bad := range []string{"", "x", token + "x", "e30." + strings.SplitN(token, ".", 2)[1]} {
		reader.post(help+"/search/clicks", fmt.Sprintf(`{"search_token":%q}`, bad)).want(400)
	}
	h.another().post(help+"/search/clicks", click).want(400)
	reader.post(help+"/search/clicks", `{}`).want(400)

	// What is older than 400 days is forgotten.
	if err := h.db.WithContext(h.ctx()).Exec("UPDATE help_center_queries SET day = day - 402 WHERE account_id = ? AND query = 'lamp'", h.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	if err := h.helpCenter.Forget(h.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := canonicalOf(h.get(help + "/search/insights?start_date=2000-01-01").want(200).member("queries")); got != "["+missing+"]" {
		t.Errorf("after 400 days: %s", got)
	}
}
