package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const suggestions = help + "/suggestions"

// suggested are the articles that somebody is offered for what he asks.
func (a *anAPI) suggested(members string) (ids []int64, tokens []string) {
	a.t.Helper()
	r := a.post(suggestions, `{"suggestion":{`+members+`}}`).want(200)
	for i := range r.count("suggestions") {
		var id int64
		_, _ = fmt.Sscan(fmt.Sprint(r.member("suggestions", i, "article_id")), &id)
		ids, tokens = append(ids, id), append(tokens, r.member("suggestions", i, "token").(string))
	}
	return ids, tokens
}

// answer says what came of a suggestion.
func (a *anAPI) answer(outcome, token string) *result {
	a.t.Helper()
	return a.post(suggestions+"/"+outcome, fmt.Sprintf(`{"token":%q}`, token))
}

// aShop is a help center with a few articles.
func aShop(t *testing.T) (h *aHelpCenter, lamp, password int64) {
	t.Helper()
	return newHelpCenter(t).stocked()
}

// stocked fills the help center of a shop.
func (h *aHelpCenter) stocked() (_ *aHelpCenter, lamp, password int64) {
	h.t.Helper()
	lamp = h.article(`"title":"Returning a broken lamp","body":"<p>Send the lamp back to us within thirty days, in the box that it came in.</p>"`)
	password = h.article(`"title":"Forgotten passwords","body":"<p>Choose <b>reset my password</b> on the page where you sign in; a mail follows.</p>"`)
	h.article(`"title":"Opening hours","body":"<p>We are open every day from nine to five, also in the winter.</p>"`)
	h.article(`"title":"A lamp of next year","body":"<p>Returning a broken lamp will be as easy as switching it on.</p>","draft":true`)
	for i := range 6 {
		h.article(fmt.Sprintf(`"title":"Catalogue %d","body":"<p>Chairs, tables, shelves and what else we make of wood, page %d.</p>"`, i, i))
	}
	h.post(fmt.Sprintf("%s/articles/%d/translations", help, lamp), `{"translation":{"locale":"ko","title":"램프 반품하기","body":"<p>삼십일 안에 고장난 램프를 돌려보내세요.</p>"}}`).want(201)
	h.post(fmt.Sprintf("%s/articles/%d/translations", help, password), `{"translation":{"locale":"ja","title":"パスワードを忘れた場合","body":"<p>再設定してください。</p>"}}`).want(201)
	return h, lamp, password
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	h, lamp, password := aShop(t)
	reader := h.anonymous()
	site := "http://" + h.account.Subdomain + ".example.com"
	r := reader.post(suggestions, `{"suggestion":{"question":"My lamp is broken, how do I return it?"}}`).want(200)
	r.wantJSON(`{"suggestions":[{"article_id":%d,"locale":"en-us","title":"Returning a broken lamp","html_url":"%s/hc/en-us/articles/%d-Returning-a-broken-lamp",
		"snippet":%q,"score":%v,"token":%q}]}`, lamp, site, lamp, r.member("suggestions", 0, "snippet"), r.member("suggestions", 0, "score"), r.member("suggestions", 0, "token"))
	if snippet := r.member("suggestions", 0, "snippet").(string); !strings.Contains(snippet, "<em>lamp</em>") {
		t.Errorf("snippet %s", snippet)
	}
	long := "Dear shop, " + strings.Repeat("I hope that you, your family and all who work with you are well and had pleasant holidays. ", 12) +
		"When I came home I wanted to sign in and had forgotten my password. How can I reset it? Regards, 0123456789 " + strings.Repeat("z", 300)
	for question, want := range map[string][]int64{
		"BROKEN lamps":                              {lamp},
		"forgot my password, cannot sign in":        {password},
		"colourless green ideas sleep furiously":    nil,
		"qwertz asdfg yxcvb lamp poiuz lkjhg mnbvc": nil, // one word is no answer
		"!?? ...": nil,
	} {
		if got, _ := reader.suggested(fmt.Sprintf(`"question":%q`, question)); !slices.Equal(got, want) {
			t.Errorf("%.80s: %v, want %v", question, got, want)
		}
	}
	if got, _ := reader.suggested(fmt.Sprintf(`"question":%q`, long)); len(got) == 0 || got[0] != password {
		t.Errorf("a letter: %v", got)
	}
	if got, _ := reader.suggested(`"question":"램프를 반품하고 싶어요","locale":"KO"`); !slices.Equal(got, []int64{lamp}) {
		t.Errorf("in Korean: %v", got)
	}
	if got, _ := reader.suggested(`"question":"パスワードを忘れました","locale":"ja"`); !slices.Equal(got, []int64{password}) {
		t.Errorf("in Japanese: %v", got)
	}
	if got := reader.post(in("ko", suggestions), `{"suggestion":{"question":"고장난 램프"}}`).want(200).member("suggestions", 0, "locale"); got != "ko" {
		t.Errorf("the path's language: %v", got)
	}
	if got, _ := reader.suggested(`"question":"page of chairs, tables and shelves"`); len(got) != 5 {
		t.Errorf("%d articles", len(got))
	}

	reader.get(help+"/deflection/suggestions?query=broken+lamp").want(200).wantJSON(
		`{"results":[{"name":"Returning a broken lamp","html_url":"%s/hc/en-us/articles/%d-Returning-a-broken-lamp"}]}`, site, lamp)
	reader.get(help + "/deflection/suggestions?query=zebras").want(200).wantJSON(`{"results":[]}`)
	found := h.get(help + "/articles/embeddable_search?query=broken+lamp&per_page=1").want(200)
	same := h.get(help + "/articles/search?query=broken+lamp&per_page=1").want(200)
	if canonicalOf(found.member("results")) != canonicalOf(same.member("results")) || !strings.Contains(fmt.Sprint(found.member("next_page")), "/embeddable_search?") {
		t.Errorf("%s", found.body)
	}

	reader.get(help+"/deflection/suggestions?query=%20").wantField("query", "cannot be blank")
	reader.get(help+"/deflection/suggestions?query="+strings.Repeat("x", 201)).wantField("query", "is too long (maximum is 200 characters)")
	reader.get(help+"/deflection/suggestions?query=lamp&locale=fr").wantField("locale", "fr is not enabled")
	for body, field := range map[string]string{
		`{}`: "question", `{"question":" "}`: "question", `{"question":"x","locale":"fr"}`: "locale", `{"question":"` + strings.Repeat("x", 5001) + `"}`: "question",
		`{"ticket_id":404404}`: "ticket_id",
	} {
		if r := h.post(suggestions, `{"suggestion":`+body+`}`).want(400); r.member("errors", field) == nil {
			t.Errorf("%.80s: %s", body, r.body)
		}
	}
	h.post(suggestions, `{}`).want(400)
	if got, _ := h.another().suggested(`"question":"broken lamp"`); got != nil {
		t.Errorf("another account: %v", got)
	}
}

// One article is enough to be suggested, and to be not.
func TestSuggestionsOfFewArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	lamp := h.article(`"title":"Returning a broken lamp","body":"<p>If your lamp is broken, send it back to us within thirty days and in the box that it came in. ` +
		`You do not have to say what has happened to it, but please tell us whether you would like to have another one or your money. When we have the lamp, ` +
		`it takes us about a week. Can you not find the box any more? Then use any other.</p>"`)
	h.post(fmt.Sprintf("%s/articles/%d/translations", help, lamp), `{"translation":{"locale":"ko","title":"고장난 램프 반품하기","body":"<p>램프가 고장난 경우 삼십일 안에 상자에 넣어 보내세요. 어떻게 된 일인지 말씀하실 필요는 없습니다. 질문이 있으면 언제든지 문의하세요.</p>"}}`).want(201)
	ask := func(question, locale string, want ...int64) {
		t.Helper()
		if got, _ := h.suggested(fmt.Sprintf(`"question":%q,"locale":%q`, question, locale)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", question, got, want)
		}
	}
	both := func() {
		t.Helper()
		ask("How can I return my broken lamp?", "en-us", lamp)
		ask("the lamp I bought came broken, I would like to have my money back", "en-us", lamp)
		ask("lamp", "en-us", lamp)
		ask("램프가 고장났어요", "ko", lamp)
		for _, question := range []string{
			"Hello, I have a question. Can you please help me with it?", "How do I cook a good soup at home?", "Where is my parcel, and when will it come?",
			"I forgot my password and can not sign in any more", "Do you have another one of these in blue?", "qwertz asdfg yxcvb lamp poiuz lkjhg mnbvc",
		} {
			ask(question, "en-us")
		}
		for _, question := range []string{"안녕하세요, 질문이 있습니다. 도와주세요.", "비밀번호를 잊어버렸습니다. 어떻게 하나요?"} {
			ask(question, "ko")
		}
	}
	both()
	hours := h.article(`"title":"Opening hours","body":"<p>We are open every day from nine to five, also in the winter.</p>"`)
	both()
	ask("When are you open on a winter day?", "en-us", hours)
}

// A ticket is offered what its requester may see, and is solved by him who says so.
func TestSuggestionsForTickets(t *testing.T) {
	t.Parallel()
	h, lamp, _ := aShop(t)
	staff := h.post(help+"/user_segments", `{"user_segment":{"name":"Staff","user_type":"staff"}}`).want(201).id("user_segment")
	inside := h.article(fmt.Sprintf(`"title":"Returning a broken lamp: what we pay","user_segment_id":%d`, staff))
	customer := h.user("Customer", h.email("customer"), "end-user")
	h.user("Other", h.email("other"), "end-user")
	other := h.as(h.email("other"))
	ticket := h.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Broken lamp","requester_id":%d,"comment":{"body":"How do I return it?"}}}`, customer)).want(201).id("ticket")
	h.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), `{"ticket":{"comment":{"body":"passwords","public":false}}}`).want(200)
	h.post("/api/v2/triggers", `{"trigger":{"title":"Solved by himself","conditions":{"all":[{"field":"status","operator":"value","value":"solved"}]},
		"actions":[{"field":"current_tags","value":"answered"}]}}`).want(201)
	of := fmt.Sprintf(`"ticket_id":%d`, ticket)
	ids, tokens := h.suggested(of)
	if !slices.Equal(ids, []int64{lamp}) {
		t.Fatalf("for the ticket: %v, want %d and not %d", ids, lamp, inside)
	}
	if again, _ := h.suggested(of); !slices.Equal(again, ids) || h.number("SELECT count(*) FROM deflections WHERE account_id = ? AND ticket_id = ?", h.account.ID, ticket) != 1 {
		t.Errorf("offered again: %v", again)
	}
	if got, _ := h.suggested(`"question":"broken lamp pay"`); !slices.Contains(got, inside) {
		t.Errorf("to staff themselves: %v", got)
	}
	for _, who := range []*anAPI{other, h.anonymous(), h.another()} {
		who.post(suggestions, `{"suggestion":{`+of+`}}`).wantField("ticket_id", fmt.Sprintf("%d is no ticket that you see", ticket))
	}

	show := func() (status, tags string) {
		r := h.get(fmt.Sprintf("/api/v2/tickets/%d", ticket)).want(200)
		return fmt.Sprint(r.member("ticket", "status")), canonicalOf(r.member("ticket", "tags"))
	}
	decided := func() string {
		var outcome string
		if err := h.db.WithContext(h.ctx()).Raw("SELECT outcome FROM deflections WHERE account_id = ? AND ticket_id = ?", h.account.ID, ticket).Row().Scan(&outcome); err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	reader := h.anonymous()
	reader.answer("rejected", tokens[0]).want(204)
	if status, _ := show(); status == "solved" || decided() != "rejected" {
		t.Errorf("no: %s, %s", status, decided())
	}
	audits := func() int { return h.get(fmt.Sprintf("/api/v2/tickets/%d/audits", ticket)).want(200).count("audits") }
	before := audits()
	for range 2 {
		reader.answer("solved", tokens[0]).want(204)
	}
	if status, tags := show(); status != "solved" || tags != `["answered"]` || decided() != "solved" {
		t.Errorf("yes: %s, %s, %s", status, tags, decided())
	}
	all := h.get(fmt.Sprintf("/api/v2/tickets/%d/audits", ticket)).want(200)
	if n := audits(); n != before+1 || fmt.Sprint(all.member("audits", n-1, "author_id")) != fmt.Sprint(customer) {
		t.Errorf("audits: %d after %d: %s", n, before, all.body)
	}
	// What is solved and opened again is not solved by the same answer.
	h.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), `{"ticket":{"status":"open"}}`).want(200)
	reader.answer("solved", tokens[0]).want(204)
	if status, _ := show(); status != "open" {
		t.Errorf("the same answer: %s", status)
	}
	reader.answer("rejected", tokens[0]).want(204)
	reader.answer("solved", tokens[0]).want(204)
	if status, _ := show(); status != "open" || decided() != "solved" {
		t.Errorf("the same answer after another: %s", status)
	}
	reader.answer("rejected", tokens[0]).want(204)
	h.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), fmt.Sprintf(`{"ticket":{"status":"closed","assignee_id":%d}}`, h.admin.ID))
	h.put(fmt.Sprintf("/api/v2/tickets/%d", ticket), fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d}}`, h.admin.ID)).want(200)
	n := audits()
	reader.answer("solved", tokens[0]).want(204)
	if audits() != n || decided() != "solved" {
		t.Errorf("a solved ticket: %d audits after %d, %s", audits(), n, decided())
	}

	for _, bad := range []string{"x", tokens[0] + "x", "e30." + strings.SplitN(tokens[0], ".", 2)[1]} {
		reader.answer("solved", bad).wantField("token", "is none of a suggestion, or has expired")
	}
	h.another().answer("rejected", tokens[0]).wantField("token", "is none of a suggestion, or has expired")
	reader.post(suggestions+"/solved", `{}`).want(400)
}

func TestSuggestionStats(t *testing.T) {
	t.Parallel()
	h, lamp, password := aShop(t)
	reader := h.anonymous()
	_, first := reader.suggested(`"question":"broken lamp"`)
	_, second := reader.suggested(`"question":"broken lamp"`)
	_, third := reader.suggested(`"question":"forgotten passwords"`)
	reader.answer("solved", first[0]).want(204)
	reader.answer("rejected", second[0]).want(204)
	reader.answer("rejected", third[0]).want(204)
	reader.answer("solved", third[0]).want(204)
	const form = `{"article_id":%v,"date":%s,"offered":%d,"rejected":%d,"solved":%d}`
	of := func(article int64, counts ...any) string {
		return fmt.Sprintf(form, append([]any{article, "null"}, counts...)...)
	}
	lamps, passwords := of(lamp, 2, 1, 1), of(password, 1, 0, 1)
	day := fmt.Sprintf(form, "null", `"`+clockText[:10]+`"`, 3, 1, 2)
	h.user("Agent", h.email("agent"), "agent")
	for _, who := range []*anAPI{h.anAPI, h.as(h.email("agent"))} {
		for query, want := range map[string][]string{
			"": {lamps, passwords}, "group_by=article&per_page=1&page=2": {passwords}, "group_by=day": {day}, "page=3": {}, "end_date=2001-01-01": {},
			"start_date=" + clockText[:10] + "&end_date=" + clockText[:10]: {lamps, passwords},
		} {
			if got := canonicalOf(who.get(suggestions + "/stats?" + query).want(200).member("stats")); got != "["+strings.Join(want, ",")+"]" {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	}
	// Of what agents may not see they learn no numbers.
	admins := h.post(help+"/user_segments", fmt.Sprintf(`{"user_segment":{"name":"One","user_type":"staff","added_user_ids":[%d],"tags":["nobody"]}}`, h.admin.ID)).want(201).id("user_segment")
	h.put(fmt.Sprintf("%s/articles/%d", help, lamp), fmt.Sprintf(`{"article":{"user_segment_id":%d}}`, admins)).want(200)
	if got := canonicalOf(h.as(h.email("agent")).get(suggestions + "/stats").want(200).member("stats")); got != "["+passwords+"]" {
		t.Errorf("to an agent: %s", got)
	}
	h.get(suggestions+"/stats?start_date=soon").wantField("start_date", "is no day as 2026-01-31")
	h.get(suggestions+"/stats?group_by=week").wantField("group_by", "is none of article and day")
	reader.get(suggestions + "/stats").want(401)
	h.user("Reader", h.email("reader"), "end-user")
	h.as(h.email("reader")).get(suggestions + "/stats").wantForbidden()
	if got := canonicalOf(h.another().get(suggestions + "/stats").want(200).member("stats")); got != "[]" {
		t.Errorf("another account: %s", got)
	}

	// What is older than 400 days is forgotten, and what is as old is not.
	for article, age := range map[int64]string{lamp: "400 days 1 second", password: "400 days"} {
		if err := h.db.WithContext(h.ctx()).Exec("UPDATE deflections SET offered_at = ?::timestamptz - ?::interval WHERE account_id = ? AND article_id = ?", theClock, age, h.account.ID, article).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := h.helpCenter.Forget(h.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := canonicalOf(h.get(suggestions + "/stats?start_date=2000-01-01").want(200).member("stats")); got != "["+passwords+"]" {
		t.Errorf("after 400 days: %s", got)
	}
}
