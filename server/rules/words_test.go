package rules

import (
	"strings"
	"testing"
)

func TestPhraseStandsAsAWord(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		value, text string
		want        bool
	}{
		{"error_547", "we see Error_547 again", true},
		{"error_547", "we see error_5471", false},
		{"error", "we see error_547", false},
		{"547", "error_547", false},
		{"547", "error 547.", true},
		{`"printer jam" toner`, "a printer\njam", true},
		{`"printer jam" toner`, "a printer, jam", false},
		{`"printer jam" toner`, "TONER!", true},
		{"ｆａｘ", "my FAX is dead", true},
		{"fax", "my ＦＡＸ", true},
		{"로그인", "로그인이 안 됩니다", true},
		{"ログイン", "ﾛｸﾞｲﾝできない", true},
		{"密码", "我的密码错误", true},
		{"error_547", "오류error_547가", true},
		{"straße", "STRAẞE", true},
		{"naïve", "nai\u0308ve", true},
		{"na", "nai\u0308ve", false},
		{"a.b*c", "axbc", false},
		{"a.b*c", "x a.b*c", true},
		{"c++", "in c++11", true},
	} {
		got := false
		for _, p := range phrases(tc.value) {
			got = got || p.in(Fold(tc.text))
		}
		if got != tc.want {
			t.Errorf("%q in %q: %v", tc.value, tc.text, got)
		}
	}
}

func FuzzPhrase(f *testing.F) {
	f.Add("error_547", "we see error_547 again")
	f.Add(`"로그인 안"`, "로그인 안 됩니다")
	f.Fuzz(func(t *testing.T, value, text string) {
		in := Fold(text)
		if Fold(in) != in && strings.ToValidUTF8(text, "") == text && isASCII(text) {
			t.Errorf("%q folds to %q and that to %q", text, in, Fold(in))
		}
		for _, p := range phrases(value) {
			if p.in(in) && !strings.Contains(in, p.text) {
				t.Errorf("%q is in %q", p.text, in)
			}
			if !p.in(p.text) {
				t.Errorf("%q is not in itself", p.text)
			}
			_ = p.pattern()
		}
	})
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 127 }) < 0
}
