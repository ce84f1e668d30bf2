package locales

import (
	"sort"
	"testing"

	"golang.org/x/text/language"
)

func TestTable(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	for _, l := range All() {
		if code, ok := Code(l.ID); !ok || code != l.Code || ID(l.Code) != l.ID || codes[l.Code] {
			t.Errorf("%d and %s do not belong to one another alone", l.ID, l.Code)
		}
		codes[l.Code] = true
		if _, err := language.Parse(l.Code); err != nil || l.Native == "" || l.English == "" {
			t.Errorf("%+v: %v", l, err)
		}
	}
	if !sort.SliceIsSorted(all, func(i, j int) bool { return all[i].ID < all[j].ID }) {
		t.Error("the table is not in the order of ids")
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	if code, ok := Code(1); code != Default || !ok {
		t.Errorf("locale 1 is %q", code)
	}
	if ID("EN-us") != 1 || ID("xx") != 0 || ID("zh-TW") != 9 {
		t.Error("codes are to be found in any letter case, and only they")
	}
	if _, ok := ByID(404); ok {
		t.Error("there is a locale 404")
	}
	if l, _ := ByCode("ja"); l.Name() != "日本語 (Japanese)" || l.Presentation() != "Japanese - 日本語" {
		t.Errorf("names %q and %q", l.Name(), l.Presentation())
	}
	if l, _ := ByID(1); l.Name() != "English" || l.Presentation() != "English - English" {
		t.Errorf("names %q and %q", l.Name(), l.Presentation())
	}
}

func TestBest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		available []string
		wanted    []string
		want      string
	}{
		{"the very one", []string{"en-US", "de", "fr"}, []string{"fr"}, "fr"},
		{"the language of another country", []string{"en-US", "de"}, []string{"de-AT"}, "de"},
		{"weights of the header count", []string{"en-US", "de", "fr"}, []string{"de;q=0.5, fr;q=0.9"}, "fr"},
		{"the first choice counts most", []string{"en-US", "de", "fr"}, []string{"de", "fr"}, "de"},
		{"nothing suits", []string{"en-US", "de"}, []string{"ja"}, "en-US"},
		{"nothing wanted", []string{"de", "en-US"}, nil, "de"},
		{"nonsense", []string{"en-US", "de"}, []string{";;q=x,,\x00"}, "en-US"},
		{"script of the region", []string{"en-US", "zh-cn", "zh-tw"}, []string{"zh-HK"}, "zh-tw"},
	} {
		var available []Locale
		for _, code := range tc.available {
			l, ok := ByCode(code)
			if !ok {
				t.Fatal(code)
			}
			available = append(available, l)
		}
		if got := Best(available, tc.wanted...); got.Code != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.Code, tc.want)
		}
	}
}
