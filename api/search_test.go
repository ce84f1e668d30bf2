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
