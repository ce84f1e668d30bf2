package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
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
