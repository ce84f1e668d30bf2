package liquid

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2026, 3, 4, 12, 5, 0, 0, time.UTC)

// world is what the tests' texts can name.
func world(name string) any {
	person := func(name string, public bool) *Object {
		return &Object{
			Text: func() any { return name },
			Member: func(m string) any {
				switch m {
				case "name":
					return name
				case "public":
					return public
				}
				return nil
			},
		}
	}
	switch name {
	case "ticket":
		return &Object{Member: func(m string) any {
			switch m {
			case "id":
				return int64(1_000_000_035)
			case "title":
				return `Tom & "Jerry" <tj@example.com>`
			case "lines":
				return "one\ntwo"
			case "html":
				return Raw("<p>a &amp; b</p>")
			case "tags":
				return "vip red"
			case "empty":
				return ""
			case "status":
				return &Object{Text: func() any { return "Open" }, Is: []string{"offen"}}
			case "closed":
				return &Object{Text: func() any { return "false" }, False: true}
			case "at":
				return &Object{Text: func() any { return "4. März 2026" }, Time: noon}
			case "people":
				return []any{person("Ben", true), person("ann", false), person("Cem", true)}
			case "2nd", "größe":
				return "digit or umlaut"
			case "marks":
				return "\uFDD0<script>\uFDD1"
			}
			return nil
		}}
	case "long":
		return strings.Repeat("x", 60<<10)
	}
	return nil
}

func rendered(t *testing.T, format Format, text string) (string, error) {
	t.Helper()
	parsed, err := Parse(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return parsed.Render(&Scope{Format: format, Root: world, Now: noon, Zone: time.FixedZone("", 3600)})
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{"no placeholders", "no placeholders"},
		{"#{{ticket.id}}", "#1000000035"},
		{"{{ ticket.title }}", `Tom & "Jerry" <tj@example.com>`},
		{"[{{nothing}}{{ticket.nothing.more}}{{Ticket.id}}{{ticket.ID}}]", "[]"},
		{"{{\n ticket.id\n}}", "1000000035"},
		{"{\"a\":{\"b\":{{ticket.id}}}}", `{"a":{"b":1000000035}}`},
		{"{{ticket['tags']}} {{ticket[\"id\"]}}", "vip red 1000000035"},
		{"{{ticket.2nd}}, {{ ticket.größe | upcase }}", "digit or umlaut, DIGIT OR UMLAUT"},
		{"{{ticket.marks}}", "<script>"},

		{"{% if ticket.tags contains 'vip' %}VIP{% else %}no{% endif %}", "VIP"},
		{"{% if ticket.nothing %}a{% elsif ticket.id > 5 and ticket.status == 'Open' %}b{% else %}c{% endif %}", "b"},
		{"{% if ticket.status == 'offen' %}{{ticket.status}}{% endif %}", "Open"},
		{"{% unless ticket.closed %}still open{% endunless %}", "still open"},
		{"{% if ticket.empty == blank and ticket.nothing == empty and ticket.tags != blank %}blank{% endif %}", "blank"},
		{"{% case ticket.status %}{% when 'New' %}n{% when 'Pending', 'OPEN' %}o{% else %}e{% endcase %}", "o"},
		{"{% case ticket.id %}{% when 1 or 2 %}n{% else %}e{% endcase %}", "e"},
		{"{% for p in ticket.people %}{{forloop.index}}{{p.name}}{% unless forloop.last %}, {% endunless %}{% endfor %}", "1Ben, 2ann, 3Cem"},
		{"{% for p in ticket.people reversed limit:1 offset:1 %}{{p}}{% endfor %}", "ann"},
		{"{% for i in (1..3) %}{% if i == 2 %}{% continue %}{% endif %}{{i}}{% endfor %}", "13"},
		{"{% for i in (1..100000) %}{{i}}{% if i == 3 %}{% break %}{% endif %}{% endfor %}", "123"},
		{"{% for x in ticket.nothing %}a{% else %}none{% endfor %}", "none"},
		{"{% for i in (1..2) %}{% for j in (1..2) %}{{forloop.parentloop.index}}{{j}} {% endfor %}{% endfor %}{{i}}", "11 12 21 22 "},
		{"{% for i in (1..4) %}{% cycle 'odd', 'even' %} {% endfor %}", "odd even odd even "},
		{"{% tablerow i in (1..3) cols:2 %}{{i}}{% endtablerow %}",
			`<tr class="row1"><td class="col1">1</td><td class="col2">2</td></tr><tr class="row2"><td class="col1">3</td></tr>`},
		{"{% assign x = ticket.tags | split: ' ' %}{{x.first}}+{{x[1]}}+{{x.size}}", "vip+red+2"},
		{"{% capture x %}a{{ticket.tags}}b{% endcapture %}{{x | upcase}}", "AVIP REDB"},
		{"{% increment n %}{% increment n %}{% decrement m %}", "01-1"},
		{"a{% comment %}{% if %}{{ }}{% endcomment %}b{% # note %}c", "abc"},
		{"{% raw %}{{ticket.id}}{% x %}{% endraw %}", "{{ticket.id}}{% x %}"},
		{"a \n{%- if true -%} \n b {{- ' c ' -}} d {%- endif -%} e", "ab c de"},

		{"{{ 1000000001 | plus: 1 }} {{ 7 | divided_by: 2 }} {{ 7 | divided_by: 2.0 }} {{ -7 | modulo: 3 }}", "1000000002 3 3.5 2"},
		{"{{ 1 | divided_by: 0 }}{{ 5 | modulo: 0 }}|", "|"},
		{"{{ 2.5 | round }} {{ 2.345 | round: 2 }} {{ 2.1 | ceil }} {{ '7' | times: '6' }} {{ -3 | abs }} {{ 3 | at_most: 2 }}", "3 2.35 3 42 3 2"},
		{"{{ 'éa bc' | capitalize }} {{ ' x ' | strip }} {{ 'a-b-a' | replace_last: 'a', 'c' }} {{ 'aab' | remove_first: 'a' }}", "Éa bc x a-b-c ab"},
		{"{{ 'hello' | slice: 1, 3 }}{{ 'hello' | slice: -3, 2 }}{{ 'hello' | slice: 9 }}{{ 'hello' | slice: 5 }}", "ellll"},
		{"{{ 'Ground control' | truncate: 9 }} {{ 'a b c d' | truncatewords: 2, '!' }} {{ 'x' | truncate: 5000 }}", "Ground... a b! x"},
		{"{{ ticket.nothing | default: 'none' }} {{ ticket.tags | default: 'none' }}", "none vip red"},
		{"{{ ticket.people | map: 'name' | sort_natural | join: ', ' }}", "ann, Ben, Cem"},
		{"{{ ticket.people | where: 'public', true | map: 'name' | reverse | join }} {{ ticket.people | size }}", "Cem Ben 3"},
		{"{{ 'b,a,b' | split: ',' | uniq | sort | join: '' }} {{ '1,2' | split: ',' | sum }}", "ab 3"},
		{"{{ ticket.title | json }} {{ ticket.id | json }} {{ 'a b' | split: ' ' | json }}", `"Tom & \"Jerry\" <tj@example.com>" 1000000035 ["a","b"]`},
		{"{{ ticket.title | escape }}", "Tom &amp; &#34;Jerry&#34; &lt;tj@example.com&gt;"},
		{"{{ 'a b&c' | url_encode }} {{ 'a+b%26' | url_decode }} {{ 'é' | base64_encode | base64_decode }}", "a+b%26c a b& é"},
		{"{{ '<b>x</b><script>y</script>' | strip_html }}", "x"},
		{"{{ ticket.at }} {{ ticket.at | date: '%Y-%m-%d %H:%M' }} {{ 'now' | date: '%H' }} {{ '2026-01-02' | date: '%d.%m.%Y' }}",
			"4. März 2026 2026-03-04 13:05 13 02.01.2026"},
		{"a{{ '%00' | url_decode }}b", "ab"},
		{"{{ 'soon' | date: '%Y' }} {{ 0 | date: '%Y' }}", "soon 1970"},
		{"{{ ticket.tags | no_such_filter: 3 | upcase }}", "VIP RED"},
	} {
		got, err := rendered(t, Text, tc.text)
		if got != tc.want || err != nil {
			t.Errorf("%s\n gives %q (%v)\n want  %q", tc.text, got, err, tc.want)
		}
	}
}

func TestValuesAreEscapedForTheFormat(t *testing.T) {
	t.Parallel()
	const title = "Tom &amp; &#34;Jerry&#34; &lt;tj@example.com&gt;"
	for _, tc := range []struct {
		format     Format
		text, want string
	}{
		{HTML, "{{ticket.title}}", title},
		{HTML, "<b>{{ticket.title | upcase}}</b>\nx", "<b>TOM &amp; &#34;JERRY&#34; &lt;TJ@EXAMPLE.COM&gt;</b><br>\nx"},
		{HTML, "<p>\n{{ticket.lines}}</p>", "<p>\none<br>\ntwo</p>"},
		{HTML, "{{ticket.lines | newline_to_br}}", "one<br>\ntwo"},
		{HTML, "{{ticket.html}}", "<p>a &amp; b</p>"},
		{HTML, "{{ticket.html | strip_html}} {{ticket.html | size}}", "a &amp; b 16"},
		{HTML, "{{ticket.title | escape}}", title},
		{HTML, `{{ "<br>" }}{% assign x = '<hr>' %}{{ x }}`, "<br><hr>"},
		{HTML, "{% capture x %}<i>{{ticket.title}}</i>{% endcapture %}{{ x }}", "<i>" + title + "</i>"},
		{HTML, "{% if ticket.title contains '& \"J' %}yes{% endif %}", "yes"},
		// What is not raw never comes to stand within what is.
		{HTML, "{{ticket.html | append: ticket.title}}", "<p>a &amp; b</p>" + title},
		{HTML, "{{ticket.html | truncate: 3, '' | append: ticket.title}}", "<p>" + title},
		{HTML, "{{ticket.html | slice: 0, 3 | append: ticket.title}}", "<p" + title},
		{HTML, "{{ticket.html | replace: 'a', ticket.title}}", "<p>" + title + " &" + title + "mp; b</p>"},
		{HTML, "{{ticket.html | split: '>' | join: ticket.title}}", "<p" + title + "a &amp;amp; b&lt;/p" + title},
		{HTML, "{{ticket.marks}}{{ticket.marks | url_encode | url_decode}}", "&lt;script&gt;&lt;script&gt;"},
		{HTML, "{{'%EF%B7%90<x>' | append: ticket.title | url_decode}}", "&lt;x&gt;" + title},
		{JSON, `{"t":"{{ticket.title}}","l":"{{ticket.lines}}"}`, `{"t":"Tom & \"Jerry\" <tj@example.com>","l":"one\ntwo"}`},
		{JSON, `{"t":{{ticket.title | json}},"n":{{ticket.id}}}`, `{"t":"Tom & \"Jerry\" <tj@example.com>","n":1000000035}`},
		{XML, "<t>{{ticket.title}}\n{{ticket.lines}}</t>", "<t>" + title + "\none\ntwo</t>"},
	} {
		got, err := rendered(t, tc.format, tc.text)
		if got != tc.want || err != nil {
			t.Errorf("%s\n gives %q (%v)\n want  %q", tc.text, got, err, tc.want)
		}
	}
}

func TestWhatRunsAwayIsCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"{% for i in (1..1000000000) %}{% endfor %}":                                                                             ErrTooMuch,
		"{% for i in (1..1000000000) %}xxxx{% endfor %}":                                                                         ErrTooLong,
		"{% for i in (1..9999999999999999999) %}{% endfor %}":                                                                    nil, // no number
		"{% capture y %}{% for i in (1..1000000000) %}{% endfor %}{% endcapture %}":                                              ErrTooMuch,
		"{% capture y %}{% for i in (1..1000000000) %}{{long}}{% endfor %}{% endcapture %}":                                      ErrTooLong,
		"{% for i in (1..1000) %}{% for j in (1..1000) %}{% for k in (1..1000) %}{% endfor %}{% endfor %}{% endfor %}":           ErrTooMuch,
		"{% assign s = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}":                          ErrTooLong,
		"{% assign s = 'a,b' | split: ',' %}{% for i in (1..60) %}{% assign s = s | concat: s %}{% endfor %}":                    ErrTooMuch,
		"{{ long | replace: 'x', long }}":                                                                                        ErrTooLong,
		"{% for i in (1..100000) %}{% assign a = long | replace: 'x', 'y' | strip_html | url_encode | url_decode %}{% endfor %}": ErrTooMuch,
		"{% for i in (1..100000) %}{% if long contains 'xy' or long contains 'xz' %}{% endif %}{% endfor %}":                     ErrTooMuch,
		"{{ long | split: '' | join: long }}":                                                                                    ErrTooMuch,
		"{% assign l = 'a' | split: ',' %}{% for i in (1..300) %}{% assign l = l | concat: l | sort | uniq %}{% endfor %}":       nil,
		"{{ 'now' | date: '%1000000000d' }}":                                                                                     nil,
	} {
		parsed, _ := Parse(text)
		began := time.Now()
		got, err := parsed.Render(&Scope{Root: world, Now: noon})
		if took := time.Since(began); took > 10*MaxTime { // the machine is busy with other tests
			t.Errorf("%s takes %v", text, took)
		}
		if !errors.Is(err, want) && (want != ErrTooLong || !errors.Is(err, ErrTooMuch)) { // either may come first
			t.Errorf("%s ends with %v and should with %v", text, err, want)
		}
		if len(got) > MaxOutput {
			t.Errorf("%s gives %d bytes", text, len(got))
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n{{ ticket.title":                        "line 2: {{ is not closed",
		"{% if x %}":                                "if is not closed",
		"a\n\n{% endif %}":                          "line 3: endif has nothing to end",
		"{% for i in x %}{% endif %}":               "that of for is open",
		"{% include 'etc/passwd' %}":                "there is no tag include",
		"{% render 'x' %}":                          "there is no tag render",
		"{{ }}":                                     "an expression is missing",
		"{{ a b }}":                                 "is not an expression",
		"{{ (1..1000000000).AsArray }}":             "is not an expression",
		"{% assign r = (1..1000000000) %}":          "is not an expression",
		"{{ %assign a = 1 }}":                       "is not an expression",
		"{{ 'a }}":                                  "quote that is not closed",
		"{% if %}{% endif %}":                       "an expression is missing",
		"{% for in x %}{% endfor %}":                "is not a loop",
		"{% for i in x backwards %}{% endfor %}":    "is not a loop",
		"{% capture a.b %}{% endcapture %}":         "cannot be captured into",
		"{% assign a %}":                            "is no assignment",
		"{% %}":                                     "is not a tag",
		"{% raw %}":                                 "raw is not closed",
		strings.Repeat("{% if a %}", 101):           "nested more than 100 deep",
		strings.Repeat("x", 70<<10):                 "longer than 64 KB",
		"{{ 99999999999999999999999999999999999 }}": "is not an expression",
	} {
		_, err := Parse(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s fails with %v and should say %q", text, err, want)
		}
	}
	// What is wrong in a text does not take the rest away.
	broken, _ := Parse("Hello {{ticket.id}} {{ }}{% if %}{{ticket.tags}} {{x")
	if got, err := broken.Render(&Scope{Root: world}); got != "Hello 1000000035 vip red {{x" || err != nil {
		t.Errorf("the rest is %q (%v)", got, err)
	}
}

func TestMentions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"comments":               "",
		"{{ticket.comments}}":    "ticket comments",
		"{{ticket['comments']}}": "ticket comments",
		"{% for c in ticket.comments %}{{c.value}}{% endfor %}": "ticket comments value",
		"{% assign x = 'com' | append: 'ments' %}{{ticket[x]}}": "ticket comments value anything",
	} {
		parsed, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ticket", "comments", "value", "anything"} {
			if got := parsed.Mentions(name); got != strings.Contains(want, name) {
				t.Errorf("%s mentions %s: %v", text, name, got)
			}
		}
	}
}

func TestEmbeddedTemplatesShareTheLimits(t *testing.T) {
	t.Parallel()
	inner, _ := Parse("{% assign x = 1 %}<i>{{ticket.title}}</i>{{self}}")
	outer, _ := Parse("{% assign x = 2 %}{{self}}{{x}}")
	var s *Scope
	s = &Scope{Format: HTML, Root: func(name string) any {
		if name == "self" {
			return &Object{Text: func() any { return s.Embed(inner) }}
		}
		return world(name)
	}}
	const one = "<i>Tom &amp; &#34;Jerry&#34; &lt;tj@example.com&gt;</i>"
	if got, err := outer.Render(s); got != strings.Repeat(one, maxEmbeds)+"2" || err != nil {
		t.Errorf("it gives %q (%v)", got, err)
	}
	endless, _ := Parse("{% for i in (1..1000000000) %}{% endfor %}")
	s.Root = func(string) any { return &Object{Text: func() any { return s.Embed(endless) }} }
	if _, err := outer.Render(s); !errors.Is(err, ErrTooMuch) {
		t.Errorf("an endless inner one ends with %v", err)
	}
	if s.Embed(inner) != "" {
		t.Error("a template is embedded in nothing")
	}
}

// FuzzRender holds that nothing that anybody writes panics, runs on, or gives
// what is too long or no text.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"{{ticket.title | truncate: 5}}", "{% for p in ticket.people %}{{p.name}}{% endfor %}", "{{ a | slice: -1, 99999 }}",
		"{% if a == blank %}{% endif %}", "{{ticket.2nd}}", "{% case a %}{% when 1 or 2 %}{% endcase %}", "{% raw %}{{", "{{ (1..5) }}",
		"{% cycle 'a', 'b' %}", "{% tablerow i in (1..3) cols:2 %}{% endtablerow %}", "{{ long | split: '' | sort | uniq }}", "{{ 'x' | round: 1e9 }}",
		"{% assign x = ticket.people | where: 'public' | map: 'name' %}{{x | json}}", "{{ ticket.html | replace: '<', long }}", "{{ -1 | date: '%9999N' }}",
	} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, format int) {
		parsed, err := Parse(text)
		s := &Scope{Format: Format(format & 3), Root: world, Now: noon}
		got, stopped := parsed.Render(s)
		if len(got) > MaxOutput {
			t.Errorf("%d bytes", len(got))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		if err == nil && stopped == nil {
			again, _ := parsed.Render(s)
			if again != got && !strings.Contains(text, "now") {
				t.Errorf("%q, and then %q", got, again)
			}
		}
	})
}
