package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// finder is an account whose records are called by names of the test's own.
type finder struct {
	*anAPI
	names map[string]string // of records, by type and id
}

func newFinder(t *testing.T) *finder {
	t.Helper()
	return &finder{newAPI(t), map[string]string{}}
}

func (f *finder) called(kind string, id int64, name string) int64 {
	f.names[fmt.Sprintf("%s/%d", kind, id)] = name
	return id
}

// ticket makes a ticket that results call by name.
func (f *finder) ticket(name, members string) int64 {
	f.t.Helper()
	return f.called("ticket", f.post("/api/v2/tickets", `{"ticket":{`+members+`}}`).want(201).id("ticket"), name)
}

// find is what a query finds, by names, in their order.
func (f *finder) find(query string, more ...string) []string {
	f.t.Helper()
	r := f.get("/api/v2/search?query=" + url.QueryEscape(query) + strings.Join(more, "")).want(200)
	var body struct {
		Results []struct {
			Type string `json:"result_type"`
			ID   int64
		}
		Count int
	}
	r.json(&body)
	found := []string{}
	for _, hit := range body.Results {
		name, ok := f.names[fmt.Sprintf("%s/%d", hit.Type, hit.ID)]
		if !ok {
			name = hit.Type
		}
		found = append(found, name)
	}
	if len(more) == 0 && body.Count != len(found) {
		f.t.Errorf("%s: count %d of %d results", query, body.Count, len(found))
	}
	return found
}

// finds holds the names that a query finds, in any order, against those wanted,
// with spaces between them.
func (f *finder) finds(query, want string) {
	f.t.Helper()
	got := f.find(query)
	slices.Sort(got)
	wanted := strings.Fields(want)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		f.t.Errorf("%s: found %v, want %v", query, got, wanted)
	}
	if n := f.get("/api/v2/search/count?query=" + url.QueryEscape(query)).want(200).member("count"); fmt.Sprint(n) != fmt.Sprint(len(wanted)) {
		f.t.Errorf("%s: counted %v, want %d", query, n, len(wanted))
	}
}

func TestSearchFindsWords(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	say := func(name, subject, body string) {
		f.ticket(name, fmt.Sprintf(`"subject":%q,"comment":{"body":%q}`, subject, body))
	}
	say("pizza", "Toppings for Tip-Top", "The customer's printers were printing error_547 at 10.0.0.1, see https://www.example.com/help.")
	say("desk", "Desktop computers", "He stopped. Write to jane.doe@mail.example.com, invoice INV-2026-0042, café.")
	say("de", "Rechnung", "Ich habe die Rechnungen nicht bekommen und der Betrag ist falsch. Die Häuser sind groß.")
	say("es", "Pedido", "No he recibido los pedidos que hice por la tienda, y la devolución no está en mi cuenta.")
	say("fr", "Facture", "Je ne peux pas ouvrir les factures dans mon compte et la livraison est en retard.")
	say("cs", "Platba", "Dobrý den, platba kartou se mi nezdařila a objednávka není vidět.")
	say("ru", "Заказ", "Я не получил заказы, которые оплатил на прошлой неделе. Ещё раз.")
	say("ta", "கட்டணம்", "எனது கட்டணங்கள் தவறாக உள்ளன, புத்தகங்கள் வரவில்லை.")
	say("ko", "로그인 오류", "비밀번호를 바꾼 뒤에 로그인이 되지 않습니다. 결제도 안 됩니다.")
	say("ja", "ログインできません", "パスワードを変更してから東京都のアカウントにログインできません。ｶﾅも。")
	say("zh", "无法登录", "我修改密码以后就不能登录账户了，请帮我退款。")
	say("kyoto", "東京と京都", "京都の支店と東京の支店。")
	for _, tc := range [][2]string{
		{"top", "pizza"}, {"toppings", "pizza"}, {"TIP-TOP", "pizza"}, {"desk", "desk"}, {"sktop", ""}, {"customer", "pizza"},
		{"printer", "pizza"}, {"printing", "pizza"}, {"prints", "pizza"}, {"error_547", "pizza"}, {"error_548", ""}, {"error", "pizza"}, {"547", "pizza"},
		{"10.0.0.1", "pizza"}, {"example.com", "pizza desk"}, {"www.example.com", "pizza"}, {"jane.doe@mail.example.com", "desk"}, {"jane", "desk"},
		{"INV-2026-0042", "desk"}, {"2026-0042", "desk"}, {"cafe", "desk"}, {"CAFÉ", "desk"}, {"computer", "desk"},
		{"Rechnungen", "de"}, {"rechnung", "de"}, {"Haus", "de"}, {"haeuser", ""}, {"hauser", "de"}, {"gross", "de"}, {"Beträge", "de"},
		{"pedidos", "es"}, {"devoluciones", "es"}, {"tiendas", "es"}, {"facture", "fr"}, {"livraisons", "fr"}, {"platb*", "cs"}, {"platb", "cs"}, {"objednavka", "cs"},
		{"заказ", "ru"}, {"заказа", "ru"}, {"неделя", "ru"}, {"еще", "ru"}, {"கட்டணம்", "ta"}, {"புத்தகம்", "ta"},
		{"로그인", "ko"}, {"결제", "ko"}, {"비밀", "ko"}, {"결", "ko"}, {"로인", ""}, {"로그인 결제", "ko"}, {`"로그인 오류"`, "ko"}, {`"오류 로그인"`, ""},
		{"東京都", "ja"}, {"東京", "ja kyoto"}, {"京都", "ja kyoto"}, {"ログイン", "ja"}, {"カナ", "ja"}, {"都", "ja kyoto"}, {"密码", "zh"}, {"退款", "zh"}, {"款退", ""}, {"登录", "zh"},
		{`"the customer's printers"`, "pizza"}, {`"printers the"`, ""}, {`"error 547"`, "pizza"},
		{"printing customer", "pizza"}, {"printing desktop", ""}, {"-printing type:ticket", "desk de es fr cs ru ta ko ja zh kyoto"}, {"example.com -printing", "desk"},
		{"subject:top", "pizza"}, {"subject:to", ""}, {"subject:top*", "pizza"}, {"subject:toppings", "pizza"}, {"subject:topping", "pizza"}, {"description:toppings", ""}, {"comment:printing", "pizza"},
		{"subject:printing", ""}, {`subject:"tip top"`, "pizza"}, {"-subject:desktop example.com", "pizza"}, {"foo:bar", ""}, {"---", ""}, {"type:ticket ---", "pizza desk de es fr cs ru ta ko ja zh kyoto"},
	} {
		f.finds(tc[0], tc[1])
	}

}

func TestSearchAsksForWhatItCanUnderstand(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct {
		query  string
		status int
		text   string
	}{
		{"", 400, "query must not be blank"}, {"query=+", 400, "query must not be blank"},
		{"query=status%3A", 422, "status has no value"}, {"query=%22open", 422, "a quotation mark has no other"},
		{"query=status%3Asoon", 422, "status has a value that is not one of new, open, pending, hold, solved, closed"},
		{"query=created%3Esoon", 422, `"soon" is not a date`}, {"query=tags%3Ea", 422, "tags can only be compared with :"},
		{"query=type%3Aboat", 422, "type has a value that is not one of"}, {"query=order_by%3Acolour", 422, "cannot be sorted by"},
		{"query=" + strings.Repeat("a+", 65), 422, "more than 64 words"}, {"query=" + strings.Repeat("a", 4097), 422, "longer than 4096 characters"},
		{"query=brand_id%3Ax", 422, "brand_id has a value that is no number"}, {"query=a&page=x", 400, ""}, {"query=a&per_page=0", 400, ""},
		{"query=a&page=11", 422, "Requested response size was greater than Search Response Limits"}, {"query=a&page=9223372036854775807", 422, "Requested response size"},
	} {
		r := a.get("/api/v2/search?" + tc.query).want(tc.status)
		if !strings.Contains(string(r.body), strings.ReplaceAll(tc.text, `"`, `\"`)) {
			t.Errorf("%.60s: %s, want %s", tc.query, r.body, tc.text)
		}
		if tc.status == 422 && r.member("error") != "invalid" {
			t.Errorf("%.60s: %s", tc.query, r.body)
		}
	}
	a.get("/api/v2/search/count").want(400)
	a.get("/api/v2/search/count?query=status%3Asoon").want(422)
	end := a.as(a.email("end"))
	a.user("End", a.email("end"), "end-user")
	for _, path := range []string{"/api/v2/search?query=a", "/api/v2/search/count?query=a", "/api/v2/search/export?query=a&filter[type]=ticket"} {
		end.get(path).want(403)
	}
}

func TestSearchAsksForProperties(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	agent := f.called("user", f.user("Grace Agent", f.email("grace"), "agent"), "grace")
	end := f.called("user", f.user("Edgar End", f.email("edgar"), "end-user"), "edgar")
	org := f.called("organization", f.organization("Globex Trading"), "globex")
	group := f.called("group", f.post("/api/v2/groups", `{"group":{"name":"Level 2"}}`).want(201).id("group"), "level2")
	f.post("/api/v2/group_memberships", fmt.Sprintf(`{"group_membership":{"user_id":%d,"group_id":%d}}`, agent, group)).want(201)
	f.put(fmt.Sprintf("/api/v2/users/%d", end), fmt.Sprintf(`{"user":{"organization_id":%d,"phone":"+1 555 0100","external_id":"E-1","tags":["gold","old"],"notes":"likes teapots","details":"left handed"}}`, org)).want(200)
	f.put(fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"domain_names":["globex.example"],"tags":["silver"],"notes":"pays late","external_id":"O-1"}}`).want(200)
	field := f.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"Order"}}`).want(201).id("ticket_field")
	box := f.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"checkbox","title":"Box"}}`).want(201).id("ticket_field")
	drop := f.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"tagger","title":"Make","custom_field_options":[{"name":"Red","value":"make_red"}]}}`).want(201).id("ticket_field")
	seats := f.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"integer","title":"Seats"}}`).want(201).id("ticket_field")
	f.post("/api/v2/user_fields", `{"user_field":{"key":"plan_type","type":"text","title":"Plan"}}`).want(201)
	f.put(fmt.Sprintf("/api/v2/users/%d", end), `{"user":{"user_fields":{"plan_type":"platinum"}}}`).want(200)
	a := f.ticket("a", fmt.Sprintf(`"subject":"Alpha","comment":{"body":"first"},"requester_id":%d,"assignee_id":%d,"group_id":%d,"status":"pending","priority":"high","type":"problem",
		"tags":["vip","urgent"],"custom_fields":[{"id":%d,"value":"INV-42 blue"},{"id":%d,"value":true},{"id":%d,"value":"make_red"},{"id":%d,"value":"12"}],"external_id":"X1","recipient":"help@acme.example"`,
		end, agent, group, field, box, drop, seats))
	f.ticket("b", fmt.Sprintf(`"subject":"Beta","comment":{"body":"second"},"status":"open","priority":"low","tags":["vip"],"email_ccs":[{"user_id":"%d"}],"via":{"channel":"chat"}`, end))
	f.ticket("c", fmt.Sprintf(`"subject":"Gamma","comment":{"body":"third","public":false},"status":"solved","assignee_id":%d,"follower_ids":[%d],"type":"incident","problem_id":%d`, agent, agent, a))
	later := theClock.AddDate(0, 0, 3)
	f.now.Store(&later)
	f.ticket("d", `"subject":"Delta","comment":{"body":"fourth"},"priority":"urgent","type":"task","due_at":"2026-03-10T12:00:00Z"`)
	for _, tc := range [][2]string{
		{"type:ticket", "a b c d"}, {"type:ticket type:group", "a b c d level2 group"}, {"type:article", ""},
		{"status:open", "b"}, {"status:new", "d"}, {"status:open status:pending", "a b"}, {"status<pending", "b d"}, {"status>=pending", "a c"}, {"status>open status<solved", "a"}, {"-status:open type:ticket", "a c d"},
		{"STATUS:Open", "b"}, {"priority:high", "a"}, {"priority>low", "a d"}, {"priority<=high", "a b"}, {"priority:none", "c"}, {"ticket_type:problem ticket_type:incident", "a c"}, {"ticket_type:none", "b"}, {"ticket_type:task", "d"},
		{"subject:alpha", "a"}, {"subject:alph", ""}, {"subject:alph*", "a"}, {"description:second", "b"}, {"comment:third", "c"},
		{"assignee:grace", "a c"}, {`assignee:"Grace Agent"`, "a c"}, {"assignee:none", "b d"}, {fmt.Sprintf("assignee:%d", agent), "a c"}, {"assignee:" + f.email("grace"), "a c"}, {"assignee:nobody", ""},
		{"requester:edgar", "a"}, {"requester:me", "b c d"}, {"submitter:me", "a b c d"}, {"requester:" + url.PathEscape("+1 555 0100"), ""}, {`requester:"+1 555 0100"`, "a"},
		{"cc:edgar", "b"}, {"cc:none", "a c d"}, {"followers:grace", "c"}, {"commenter:me", "a b c d"}, {"commenter:edgar", ""}, {"commenter:none", ""},
		{"group:level", "a grace"}, {`group:"Level 2" type:ticket`, "a"}, {fmt.Sprintf("group:%d type:ticket", group), "a"}, {"group:lev", ""}, {"group:lev* type:ticket", "a"},
		{"organization:globex type:ticket", "a"}, {"organization:globex", "a edgar"}, {`organization:"globex trading"`, "a edgar"}, {"organization:none type:ticket", "b c d"}, {fmt.Sprintf("organization_id:%d", org), "a edgar"},
		{"tags:vip", "a b"}, {`tags:"vip urgent"`, "a"}, {"tags:vip tags:gold", "a b edgar"}, {"tags:none type:ticket", "c d"}, {"tags:urg*", "a"}, {"-tags:vip type:ticket", "c d"}, {"tags:silver", "a globex"},
		{"via:chat", "b"}, {"via:api", "a c d"}, {"via:mail", ""}, {`via:"web form"`, ""},
		{"fieldvalue:INV-42", "a"}, {"fieldvalue:blue", "a"}, {"fieldvalue:make_red", "a"}, {"fieldvalue:blu", ""}, {"fieldvalue:blu*", "a"}, {"INV-42", "a"},
		{fmt.Sprintf("custom_field_%d:blue", field), "a"}, {fmt.Sprintf("custom_field_%d:*", field), "a"}, {fmt.Sprintf("custom_field_%d:none", field), "b c d"}, {fmt.Sprintf("custom_field_%d:checked", box), "a"},
		{fmt.Sprintf("custom_field_%d:unchecked", box), "b c d"}, {fmt.Sprintf("custom_field_%d:make_red", drop), "a"}, {fmt.Sprintf("custom_field_%d>9", seats), "a"}, {fmt.Sprintf("custom_field_%d<=9", seats), ""},
		{"has_attachment:true", ""}, {"has_attachment:false type:ticket", "a b c d"}, {"recipient:help@acme.example", "a"}, {"satisfaction:offered", ""}, {"support_type:agent type:ticket", "a b c d"}, {"support_type:ai_agent", ""},
		{"external_id:X1", "a"}, {"external_id:e-1", "edgar"}, {"brand:Acme", "a b c d"}, {"form:none", ""}, {fmt.Sprintf("problem:%d", a), "c"},
		{"created:2026-03-04 type:ticket", "a b c"}, {"created>2026-03-04 type:ticket", "d"}, {"created>=2026-03-04 type:ticket", "a b c d"}, {"created<2026-03-05 type:ticket", "a b c"}, {"created>03/04/2026 type:ticket", "d"},
		{"created>=2026-03-04T05:06:07Z created<2026-03-04T05:06:08Z type:ticket", "a b c"}, {"created>2days type:ticket", "d"}, {"created<2days type:ticket", "a b c"}, {"created>1week type:ticket", "a b c d"},
		{"created_at>2026-03-06 type:ticket", "d"}, {"solved:2026-03-04", "c"}, {"solved:none", "a b d"}, {"due_date:2026-03-10", "d"}, {"due_date<2026-03-10", ""},
		{"updated>2026-03-06 type:ticket", "d"},
		{"user:edgar", "edgar"}, {"user:" + f.email("edgar"), "edgar"}, {"name:edgar", "edgar"}, {"name:edg", ""}, {"name:edg*", "edgar"}, {`name:"globex trading"`, "globex"}, {"name:level", "level2"},
		{"email:edgar", "edgar"}, {"email:" + f.email("edgar"), "edgar"}, {"email:edg*", ""}, {"role:agent", "grace"}, {"role:end-user", "edgar"}, {"role:end_user", "edgar"}, {"group:level type:user", "grace"}, {"group:none type:user role:agent", ""},
		{"notes:teapot", "edgar"}, {"details:handed", "edgar"}, {"notes:late", "globex"}, {"teapot", "edgar"}, {"phone:15550100", "edgar"}, {`phone:"+1 (555) 0100"`, "edgar"}, {"phone:none role:agent", "grace"}, {"whatsapp:1", ""},
		{"is_verified:true role:end-user", "edgar"}, {"is_suspended:true", ""}, {"plan_type:platinum", "edgar"}, {"plan_type:gold", ""}, {"platinum", "edgar"}, {"domain:globex.example", "globex"},
		{"email:none", ""}, {"external_id:none type:organization", ""}, {"globex", "globex"}, {"level", "level2"},
		{fmt.Sprintf("type:ticket %d", a), "a"}, {fmt.Sprintf("%d status:solved", a), ""}, {fmt.Sprint(end), "edgar"},
	} {
		f.finds(tc[0], tc[1])
	}
	for query, want := range map[string]string{
		"type:ticket order_by:created sort:asc": "a b c d", "type:ticket order_by:priority sort:desc": "d a b c", "type:ticket order_by:priority sort:asc": "c b a d",
		"type:ticket order_by:status sort:asc": "d b a c", "type:ticket order_by:ticket_type": "d a c b",
	} {
		if got := strings.Join(f.find(query), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := strings.Join(f.find("type:ticket", "&sort_by=status&sort_order=asc"), " "); got != "d b a c" {
		t.Errorf("sorted by status: %s", got)
	}
}

func TestSearchFindsWhatWasJustWritten(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	id := f.ticket("a", `"subject":"Alpha","comment":{"body":"opening words"}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	f.finds("opening", "a")
	f.put(path, `{"ticket":{"comment":{"body":"secondly","public":false}}}`).want(200)
	f.finds("secondly opening", "a")
	f.put(path, `{"ticket":{"subject":"Omega"}}`).want(200)
	f.finds("alpha", "")
	f.finds("subject:omega", "a")
	field := f.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"Order"}}`).want(201).id("ticket_field")
	f.put(path, fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"Zanzibar"}]}}`, field)).want(200)
	f.finds("zanzibar", "a")
	f.put(path, fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":null}]}}`, field)).want(200)
	f.finds("zanzibar", "")
	comment := f.get(path+"/comments").want(200).member("comments", 1, "id")
	f.put(fmt.Sprintf("%s/comments/%v/redact", path, comment), `{"text":"secondly"}`).want(200)
	f.finds("secondly", "")
	f.delete(path).want(204)
	f.finds("opening", "")
	f.put(fmt.Sprintf("/api/v2/deleted_tickets/%d/restore", id), "").want(200)
	f.finds("opening omega", "a")

	user := f.called("user", f.user("Ursula Long", f.email("ursula"), "end-user"), "u")
	f.finds("ursula", "u")
	f.put(fmt.Sprintf("/api/v2/users/%d", user), `{"user":{"name":"Berta Long","notes":"collects stamps"}}`).want(200)
	f.finds("berta stamp", "u")
	f.finds("name:ursula", "")
	f.post(fmt.Sprintf("/api/v2/users/%d/identities", user), `{"identity":{"type":"email","value":"second.`+f.email("address")+`"}}`).want(201)
	f.finds("second.address", "u")
	f.delete(fmt.Sprintf("/api/v2/users/%d", user)).want(200)
	f.finds("berta", "")

	org := f.called("organization", f.organization("Initech"), "o")
	f.finds("initech", "o")
	f.put(fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"name":"Intertrode"}}`).want(200)
	f.finds("initech", "")
	f.finds("intertrode", "o")
	f.delete(fmt.Sprintf("/api/v2/organizations/%d", org)).want(204)
	f.finds("intertrode", "")
	group := f.called("group", f.post("/api/v2/groups", `{"group":{"name":"Escalations"}}`).want(201).id("group"), "g")
	f.finds("escalation", "g")
	f.delete(fmt.Sprintf("/api/v2/groups/%d", group)).want(204)
	f.finds("escalations", "")
}

func TestSearchShowsWhatTheCallerMaySee(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	agent := f.user("Grace", f.email("grace"), "agent")
	f.put(fmt.Sprintf("/api/v2/users/%d", agent), `{"user":{"ticket_restriction":"assigned"}}`).want(200)
	f.ticket("a", fmt.Sprintf(`"subject":"Wombats","comment":{"body":"one"},"assignee_id":%d`, agent))
	f.ticket("b", `"subject":"Wombats","comment":{"body":"two"}`)
	f.finds("wombats", "a b")
	grace := &finder{f.as(f.email("grace")), f.names}
	grace.finds("wombats", "a")
	grace.finds("wombats status:open", "a")
	grace.finds("type:ticket", "a")
	grace.finds("type:ticket 2", "") // the number of the other one
	other := &finder{f.another(), f.names}
	other.finds("wombats", "")
	if got := grace.get("/api/v2/search/export?query=wombats&filter[type]=ticket").want(200).ids("results"); len(got) != 1 {
		t.Errorf("exported %v", got)
	}
}

func TestSearchRanksTitlesFirst(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	f.ticket("title", `"subject":"Teapot","comment":{"body":"broken"}`)
	f.ticket("body", `"subject":"Crockery","comment":{"body":"teapot broken"}`)
	f.ticket("newer", `"subject":"Teapot again","comment":{"body":"nothing"}`)
	if got := strings.Join(f.find("teapot"), " "); got != "newer title body" {
		t.Errorf("by relevance: %s", got)
	}
	r := f.get("/api/v2/search.json?query=teapot&per_page=2&include=tickets(users,groups)").want(200)
	next := "http://helpd.test/api/v2/search.json?include=tickets%28users%2Cgroups%29&page=2&per_page=2&query=teapot"
	if r.member("next_page") != next || r.member("previous_page") != nil || r.member("facets") != nil || fmt.Sprint(r.member("count")) != "3" || r.member("count_relation") != "eq" {
		t.Errorf("%s", r.body)
	}
	if r.member("users", 0, "name") != "Ada Admin" {
		t.Errorf("side-loaded %v", r.member("users"))
	}
	last := f.get(strings.TrimPrefix(next, "http://helpd.test")).want(200)
	if len(last.ids("results")) != 1 || last.member("next_page") != nil || last.member("previous_page") == nil {
		t.Errorf("%s", last.body)
	}
}

func TestSearchExport(t *testing.T) {
	t.Parallel()
	f := newFinder(t)
	var want []int64
	for i := range 5 {
		at := theClock.AddDate(0, 0, i/2)
		f.now.Store(&at)
		want = append(want, f.ticket(fmt.Sprint(i), `"subject":"Walrus","comment":{"body":"x"}`))
	}
	want = []int64{want[4], want[2], want[3], want[0], want[1]} // the newest first, of one time by id
	var got []int64
	path := "/api/v2/search/export.json?query=walrus+type:ticket&filter%5Btype%5D=ticket&page%5Bsize%5D=2"
	first := ""
	for range 9 {
		r := f.get(path).want(200)
		got = append(got, r.ids("results")...)
		if r.member("meta", "before_cursor") != nil || r.member("links", "prev") != nil || r.member("facets") != nil {
			t.Errorf("%s", r.body)
		}
		if r.member("meta", "has_more") != true {
			break
		}
		path = strings.TrimPrefix(r.member("links", "next").(string), "http://helpd.test")
		if first == "" {
			first = path
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("exported %v, want %v", got, want)
	}
	// What is called by its number is in its place among what names it.
	called := want[2]
	names := f.ticket("names", fmt.Sprintf(`"subject":"As in %d","comment":{"body":"x"}`, called))
	for order, want := range map[string][]int64{"asc": {called, names}, "desc": {names, called}} {
		for _, by := range []string{"created_at", "updated_at"} {
			if got := f.get(fmt.Sprintf("/api/v2/search?query=%d+type:ticket&sort_by=%s&sort_order=%s", called, by, order)).want(200).ids("results"); !slices.Equal(got, want) {
				t.Errorf("by %s, %s: %v, want %v", by, order, got, want)
			}
		}
	}
	f.get("/api/v2/search/export?query=nothing&filter[type]=user").want(200).wantJSON(`{"results":[],"facets":null,"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"prev":null,"next":null}}`)
	f.get("/api/v2/search/export?query=walrus").want(400)
	f.get("/api/v2/search/export?query=walrus&filter[type]=boat").want(422)
	f.get("/api/v2/search/export?query=walrus&filter[type]=ticket&page[after]=x").want(400)
	f.get(strings.Replace(first, "=ticket", "=user", 1)).want(400)
	f.get(strings.Replace(first, "walrus", "seal", 1)).want(400)
	f.another().get(first).want(400)
	later := f.now.Load().Add(61 * time.Minute)
	f.now.Store(&later)
	f.get(first).want(400)
}
