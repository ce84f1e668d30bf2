package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// checks are searches over the texts of --data, and what of them must be found.
// What a row finds has each of its regular expressions in its subject and text;
// what has all of must is found. Without must that is each of only.
var checks = []struct {
	query string
	only  []string // as regular expressions, of any case
	must  []string // nil: only
}{
	// Words, and their beginnings.
	{"refund", []string{`\brefund`}, nil},
	{"battery", []string{`\bbatter(y|ies)`}, []string{`\bbattery\b`}},
	{"batteries", []string{`\bbatter(y|ies)`}, nil},
	{"zip", []string{`\bzip`}, nil},
	{"useEffect", []string{`\buseeffect`}, nil},
	{"USEEFFECT", []string{`\buseeffect`}, nil},
	{"assist", []string{`\bassist`}, nil},
	{"xbox", []string{`\bxbox`}, nil},
	{"GoPro", []string{`\bgopro`}, nil},
	{"firmware", []string{`\bfirmware`}, nil},
	{"rout", []string{`\brout`}, nil},
	{"compon", []string{`\bcompon`}, nil},
	{"ffect", []string{`(\b|_)ffect`}, nil}, // not the middle of a word
	{"71701", []string{`\b71701`}, nil},
	{"1.8.3", []string{`\b1\W+8\W+3`}, []string{`\b1\.8\.3\b`}},
	{"e-mail", []string{`\be-?\W?mail`}, []string{`\be-mail\b`}},
	{"qwertyuiop", []string{`qwertyuiop`}, nil},
	// Other forms of a word.
	{"troubleshooted", []string{`\btroubleshoot`}, []string{`\btroubleshoot(ing|ed)?\b`}},
	{"rendering", []string{`\brender`}, []string{`\brender(ing|ed|s)?\b`}},
	{"properties", []string{`\bpropert(y|ies)`}, nil},
	{"passing", []string{`\bpass`}, []string{`\bpass(ing|ed|es)?\b`}},
	// Several words.
	{"refund money", []string{`\brefund`, `\bmoney`}, nil},
	{"battery charging", []string{`\bbatter`, `\bcharg`}, []string{`\bbattery\b`, `\bcharging\b`}},
	{"account access password", []string{`\baccount`, `\baccess`, `\bpassw`}, []string{`\baccount\b`, `\baccess\b`, `\bpassword\b`}},
	{"refund qwertyuiop", []string{`qwertyuiop`}, nil},
	// Phrases.
	{`"not turning on"`, []string{`\bnot\W+turning\W+on\b`}, nil},
	{`"data loss"`, []string{`\bdata\W+loss\b`}, nil},
	{`"loss data"`, []string{`\bloss\W+data\b`}, nil},
	{`"billing zip code is"`, []string{`\bbilling\W+zip\W+code\W+is\b`}, nil},
	{`"please assist" "software bug"`, []string{`\bplease\W+assist\b`, `\bsoftware\W+bug\b`}, nil},
	// Parts of tickets.
	{"subject:refund", []string{`^refund`}, nil},
	{`subject:"battery life"`, []string{`^battery life`}, nil},
	{"subject:batt", []string{`^batt\b`}, nil},
	{"subject:batt*", []string{`^batt`}, nil},
	{"comment:refund", []string{`\n(.|\n)*\brefund`}, nil},
	// Korean.
	{"상태", []string{`상태`}, nil},
	{"객체", []string{`객체`}, nil},
	{"배열", []string{`배열`}, nil},
	{"컴포넌트", []string{`컴포넌트`}, nil},
	{"포넌", []string{`포넌`}, nil},
	{"렌더링", []string{`렌더링`}, nil},
	{"렌더링 상태", []string{`렌더링`, `상태`}, nil},
	{"이벤트 핸들러", []string{`이벤트`, `핸들러`}, nil},
	{`"이벤트 핸들러"`, []string{`이벤트\s핸들러`}, nil},
	{`"핸들러 이벤트"`, []string{`핸들러[^\p{L}\p{N}]+이벤트`}, nil},
	{"버트런드", []string{`버트런드`}, nil},
	{"useState 상태", []string{`usestate`, `상태`}, []string{`\busestate\b`, `상태`}},
	{"React를", []string{`react[^\p{L}\p{N}]*를`}, []string{`\breact를`}},
	// Signs.
	{"상태 -배열", []string{`상태`}, []string{`상태`}},
	{"refund -subject:refund", []string{`\brefund`}, nil},
}

// without are the words that the checks above with a minus sign must not find.
var without = map[string]string{"상태 -배열": `배열`, "refund -subject:refund": `^refund`}

// checkSearch holds searches against the texts themselves: it makes a ticket of each,
// and asks for what the checks name.
func checkSearch(ctx context.Context, o options, h *helpd) error {
	w, err := h.account(ctx, account, 100) // which say nothing that is looked for
	if err != nil {
		return err
	}
	defer w.close()
	c, err := dial(h.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	all, err := readWhole(o.data)
	if err != nil {
		return err
	}
	texts := map[int64]string{}
	for first := 0; first < len(all); first += 20 {
		for _, s := range all[first:min(first+20, len(all))] {
			var made struct{ Ticket struct{ ID int64 } }
			ticket := object{"subject": s.title, "comment": object{"body": s.body}}
			if err := c.ask(w, writing("POST", "/api/v2/tickets", object{"ticket": ticket}), http.StatusCreated, &made); err != nil {
				return err
			}
			texts[made.Ticket.ID] = s.title + "\n" + s.body
		}
	}
	say("Made %d tickets", len(texts))
	failed := 0
	for _, check := range checks {
		found, err := exported(c, w, check.query)
		if err != nil {
			return fmt.Errorf("%s: %w", check.query, err)
		}
		if wrong := judge(check.query, check.only, check.must, texts, found); wrong != "" {
			failed++
			fmt.Printf("✗ %s: %s\n", check.query, wrong)
			continue
		}
		fmt.Printf("✓ %s: %d\n", check.query, len(found))
	}
	fmt.Printf("%d of %d searches found what they must and nothing else\n", len(checks)-failed, len(checks))
	if failed > 0 {
		return fmt.Errorf("%d searches are wrong", failed)
	}
	return nil
}

// judge says what is wrong with what a query found; nothing if nothing is.
func judge(query string, only, must []string, texts map[int64]string, found map[int64]bool) string {
	if must == nil {
		must = only
	}
	not := without[query]
	missing, surplus := "", ""
	for id, text := range texts {
		gone := not != "" && has(text, []string{not})
		switch {
		case found[id] && (!has(text, only) || gone):
			surplus = fmt.Sprintf("it must not find %d: %.200q", id, text)
		case !found[id] && has(text, must) && !gone:
			missing = fmt.Sprintf("it must find %d: %.200q", id, text)
		}
	}
	return strings.TrimSpace(missing + " " + surplus)
}

var compiled = map[string]*regexp.Regexp{}

func has(text string, all []string) bool {
	for _, pattern := range all {
		if compiled[pattern] == nil {
			compiled[pattern] = regexp.MustCompile("(?i)" + pattern)
		}
		if !compiled[pattern].MatchString(text) {
			return false
		}
	}
	return true
}

// exported are the tickets that a query finds, all of them.
func exported(c *client, w *world, query string) (map[int64]bool, error) {
	found := map[int64]bool{}
	path := "/api/v2/search/export?filter[type]=ticket&page[size]=1000&query=" + url.QueryEscape(query)
	for after := ""; ; {
		var page struct {
			Results []struct{ ID int64 }
			Meta    struct {
				More  bool    `json:"has_more"`
				After *string `json:"after_cursor"`
			}
		}
		if err := c.ask(w, request{method: "GET", path: path + after}, http.StatusOK, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Results {
			found[r.ID] = true
		}
		if !page.Meta.More {
			return found, nil
		}
		after = "&page[after]=" + url.QueryEscape(*page.Meta.After)
	}
}

// wholeSize is about how many bytes of an article one ticket says.
const wholeSize = 30_000

// readWhole reads the tickets in a directory, and the articles as tickets.
func readWhole(dir string) ([]saying, error) {
	out, err := readTickets(dir)
	if err != nil {
		return nil, err
	}
	err = eachArticle(dir, func(title, body string) { out = append(out, pieces(title, body, wholeSize)...) })
	return out, err
}

// eachArticle reads the articles in a directory.
func eachArticle(dir string, each func(title, body string)) error {
	articles, err := filepath.Glob(filepath.Join(dir, "articles", "*", "*.md"))
	if err != nil {
		return err
	}
	for _, name := range articles {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		title := strings.TrimSuffix(filepath.Base(name), ".md")
		if _, after, ok := strings.Cut(string(b), "title:"); ok {
			title, _, _ = strings.Cut(strings.TrimSpace(after), "\n")
		}
		each(strings.Trim(title, `"' `), string(b))
	}
	return nil
}
