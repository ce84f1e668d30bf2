package search

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// said are the words of a text, pairs and wholes, as the index has them.
func said(text string) (out []string) {
	split(text, func(t term) {
		for _, w := range t.words {
			out = append(out, bare(w.text))
		}
		for _, w := range t.wholes {
			out = append(out, "="+bare(w.text))
		}
	})
	return out
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"Hello, World!", "hello world"},
		{"error_547", "error 547 =error_547"},
		{"Jane.Doe@mail.example.com.", "jane doe mail example com =jane.doe@mail.example.com =mail.example.com"},
		{"v1.8.3 (10.0.0.1)", "v1 8 3 =v1.8.3 10 0 0 1 =10.0.0.1"},
		{"wi-fi -x- don’t", "wi fi =wi-fi x don t =don't"},
		{"https://example.com/a_b?c", "https example com =example.com a b =a_b c"},
		{"ＡＢＣ ﬁne Straße CAFÉ", "abc fine strasse cafe"},
		{"東京都", "東京 京都 都"}, {"車", "車"}, {"東 京", "東 京"},
		{"로그인은 React를", "로그 그인 인은 은 react 를"},
		{"ｶﾅ", "カナ ナ"},
		{"கட்டணம்", "கட்டணம்"},
		{"Ёлка", "елка"},
		{"@@..--''", ""}, {"a\x00b", "a b"}, {"\xff\xfe", ""}, {"", ""},
		{"a.", "a"}, {".a", "a"}, {"a..b", "a b"},
	} {
		if got := strings.Join(said(tc[0]), " "); got != tc[1] {
			t.Errorf("%q: %q, want %q", tc[0], got, tc[1])
		}
	}
}

func TestStem(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ code, a, b string }{
		{"en", "printing", "printers"}, {"en", "refunds", "refund"}, {"de", "häuser", "haus"}, {"de", "rechnungen", "rechnung"},
		{"fr", "livraisons", "livraison"}, {"es", "pedidos", "pedido"}, {"it", "ordini", "ordine"}, {"pt", "pedidos", "pedido"}, {"nl", "facturen", "factuur"},
		{"ru", "заказы", "заказ"}, {"ta", "புத்தகங்கள்", "புத்தகம்"},
	} {
		i := slices.IndexFunc(languages, func(l *language) bool { return l.code == tc.code })
		if a, b := languages[i].of(tc.a), languages[i].of(tc.b); a[:min(4, len(a))] != b[:min(4, len(b))] {
			t.Errorf("%s: %s is %s, %s is %s", tc.code, tc.a, a, tc.b, b)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tc := range [][3]string{
		{"Ich habe die Rechnung nicht bekommen", "en-US", "de"}, {"I have not received the invoice", "de", "en"},
		{"No he recibido el pedido que hice para mi casa", "", "es"}, {"Je ne peux pas ouvrir la facture", "en", "fr"},
		{"Non ho ricevuto il mio ordine e non so quando", "", "it"}, {"Ik heb het pakket niet gekregen", "", "nl"},
		{"Não recebi o meu pedido e a conta está errada", "", "pt"}, {"Rechnung 42", "de-AT", "de"}, {"Invoice", "xx", "en"}, {"", "", "en"},
		{"Dobrý den, platba se mi nezdařila a objednávka není vidět", "", "cs"},
	} {
		var heard tongue
		split(tc[0], func(found term) {
			for _, w := range found.words {
				heard.hear(w.text)
			}
		})
		if got := heard.latin(tc[1]).code; got != tc[2] {
			t.Errorf("%q: %s, want %s", tc[0], got, tc[2])
		}
	}
}

func TestDocumentFits(t *testing.T) {
	t.Parallel()
	d := Document{Account: 1, Kind: Ticket, ID: 1}
	var b strings.Builder
	for i := range 400_000 {
		b.WriteString("w")
		b.WriteString(strings.Repeat("x", i%17))
		b.WriteByte(byte('a' + i%26))
		b.WriteByte(byte('a' + i/26%26))
		b.WriteByte(byte('a' + i/676%26))
		b.WriteByte(' ')
	}
	d.Add(Body, b.String()+strings.Repeat("the ", 2000))
	if b := d.pack(); len(b) > maxBytes {
		t.Errorf("%d bytes", len(b))
	}
}

// known are the properties that tests have.
func known(name string) bool { return name == "status" || name == "created" || name == "tags" }

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		query string
		want  []Clause
	}{
		{"word -other", []Clause{{Value: "word", Text: "word"}, {Not: true, Value: "other", Text: "other"}}},
		{`"a b" -"c"`, []Clause{{Value: "a b", Quoted: true, Text: `"a b"`}, {Not: true, Value: "c", Quoted: true, Text: `"c"`}}},
		{"Status:open status<=Closed", []Clause{{Name: "status", Op: Is, Value: "open", Text: "Status:open"}, {Name: "status", Op: AtMost, Value: "Closed", Text: "status<=Closed"}}},
		{`tags:"a b"x`, []Clause{{Name: "tags", Op: Is, Value: "a b", Quoted: true, Text: `tags:"a b"`}, {Value: "x", Text: "x"}}},
		{"http://x a:b", []Clause{{Value: "http://x", Text: "http://x"}, {Value: "a:b", Text: "a:b"}}},
		{"status : open", []Clause{}}, // see below
		{"- -", []Clause{{Value: "-", Text: "-"}, {Value: "-", Text: "-"}}},
		{"  ", nil}, {`""`, nil},
		{"İ:x", []Clause{{Value: "İ:x", Text: "İ:x"}}},
	} {
		got, err := Parse(tc.query, known)
		if tc.query == "status : open" { // with spaces they are words
			if err != nil || len(got) != 3 || got[0].Name != "" || got[1].Value != ":" {
				t.Errorf("%q: %+v, %v", tc.query, got, err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%q: %+v, %v; want %+v", tc.query, got, err, tc.want)
		}
	}
	for _, query := range []string{"status:", "status: open", `status:""`, `"open`, `tags:"x`, strings.Repeat("a ", 65), strings.Repeat("a", 5000), "a\x00"} {
		if got, err := Parse(query, known); err == nil {
			t.Errorf("%.20q is understood as %+v", query, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`status:open "a b" -x`, `created>=2026-01-01`, `"`, `-"a`, "ſtatus:x", "\xff:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		clauses, err := Parse(query, known)
		if err != nil {
			return
		}
		for _, c := range clauses {
			if c.Name != "" && (c.Value == "" || !known(c.Name)) || c.Name == "" && c.Value == "" {
				t.Errorf("%q: %+v", query, c)
			}
			m := Words{Kind: Ticket, Begin: true}.Word(c.Value)
			if (m == nil) != (len(said(c.Value)) == 0) {
				t.Errorf("%q has a word, or none", c.Value)
			}
		}
	})
}

// wordsOf are the lexemes of a packed document that are no stems, without parts.
func wordsOf(t testing.TB, doc []byte) map[string]bool {
	out := map[string]bool{}
	r := reader{b: doc}
	last := ""
	for r.more() {
		key := string(r.next())
		if key <= last {
			t.Errorf("%q comes behind %q", key, last)
		}
		last = key
		for i, p := 0, r.places(nil); i+1 < len(p); i++ {
			if p[i] >= p[i+1] {
				t.Errorf("%q is at %v", key, p)
			}
		}
		if text, form, _ := strings.Cut(key, keyEnd); len(form) == 1 {
			out[text] = true
		}
	}
	if r.err != nil {
		t.Error(r.err)
	}
	return out
}

func FuzzPack(f *testing.F) {
	for _, seed := range []string{"Hello, World", "error_547 東京都 로그인 கட்டணம் ｶﾅ", "a'b\\c", "\xff\x00", "İıẞßς"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := Document{Account: 1, Kind: Ticket, ID: 1}
		d.Add(Body, text)
		have := wordsOf(t, d.pack())
		for w := range have {
			if !utf8.ValidString(w) || strings.ContainsAny(w, "\x00\x01\x02") {
				t.Errorf("%q: %q", text, w)
			}
		}
		// Every word of a text finds it, by itself.
		split(text, func(found term) {
			for _, w := range found.words {
				if !have[bare(w.text)] {
					t.Errorf("%q: %q is lost", text, w.text)
				}
			}
		})
	})
}
