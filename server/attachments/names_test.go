package attachments

import (
	"strings"
	"testing"
)

func TestCleanName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                           "report.pdf",
		"報告書 📎.pdf":                            "報告書 📎.pdf",
		"👩‍👧.png":                              "👩‍👧.png", // its joiner is no control character
		"../../etc/passwd":                     "passwd",
		`C:\Users\me\x.doc`:                    "x.doc",
		"/":                                    "",
		"..":                                   "",
		".":                                    "",
		" \t\n":                                "",
		".profile":                             ".profile",
		"a\x00b\r\nc\x7f.txt":                  "abc.txt",
		"ann\u202egpj.exe":                     "anngpj.exe",
		"bad\xff.txt":                          "bad\uFFFD.txt",
		"  spaced.txt ":                        "spaced.txt",
		strings.Repeat("é", 300) + ".pdf":      strings.Repeat("é", 251) + ".pdf",
		"a." + strings.Repeat("very long", 40): "a." + strings.Repeat("very long", 40)[:253],
	} {
		if got := cleanName(name); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	const (
		pngHead = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
		html    = "<!DOCTYPE html><script>alert(1)</script>"
		zip     = "PK\x03\x04\x14\x00\x00\x00\x00\x00 a"
	)
	for _, tc := range []struct {
		say                   string
		head, declared, name  string
		wantType, wantCharset string
	}{
		{"declared and found", pngHead, "image/png", "a.png", "image/png", ""},
		{"nothing declared", pngHead, "", "a", "image/png", ""},
		{"vaguely declared", pngHead, "application/binary", "a", "image/png", ""},
		{"by curl", pngHead, "application/x-www-form-urlencoded", "a.png", "image/png", ""},
		{"HTML as a picture", html, "image/png", "a.png", "text/html", "utf-8"},
		{"HTML as text stays text", html, "text/plain", "a.txt", "text/plain", "utf-8"},
		{"a picture as HTML", pngHead, "text/html", "a.html", "image/png", ""},
		{"text as a picture", "hello", "image/jpeg", "a.jpg", "text/plain", "utf-8"},
		{"text that is CSV", "a\nb\n", "text/csv; charset=utf-8", "x", "text/csv", "utf-8"},
		{"text that is CSV by name", "a\nb\n", "application/octet-stream", "x.csv", "text/csv", "utf-8"},
		{"text of a kind nobody recognises", "- a", "application/x-yaml", "x", "application/x-yaml", "utf-8"},
		{"JSON", `{"a":1}`, "application/json", "x.json", "application/json", "utf-8"},
		{"a zip that is a document", zip, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "x.docx",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document", ""},
		{"bytes of a kind nobody recognises", "\x00\x01\x02", "application/vnd.acme.lamp", "x", "application/vnd.acme.lamp", ""},
		{"bytes that are no text", "\x00\x01\x02", "text/plain", "x.txt", "application/octet-stream", ""},
		{"bytes that are no picture", "\x00\x01\x02", "image/png", "x.png", "application/octet-stream", ""},
		{"empty", "", "", "x.txt", "text/plain", "utf-8"},
		{"declared nonsense", "hello", "foo", "x", "text/plain", "utf-8"},
		{"declared far too long", "hello", "text/" + strings.Repeat("x", 300), "x", "text/plain", "utf-8"},
		{"with a parameter that is broken", "a,b\n1,2\n", "text/csv; charset", "x", "text/csv", "utf-8"},
		{"not UTF-8", "caf\xe9 au lait", "text/plain", "x.txt", "text/plain", "iso-8859-1"},
	} {
		got, charset := typeOf([]byte(tc.head), tc.declared, tc.name)
		if got != tc.wantType || charset != tc.wantCharset {
			t.Errorf("%s: %s %q, want %s %q", tc.say, got, charset, tc.wantType, tc.wantCharset)
		}
	}
}
