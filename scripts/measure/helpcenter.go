package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	// wantedArticles is the 99th percentile that is wanted of lists, shows and
	// searches of articles, in milliseconds.
	wantedArticles = 30
	sections       = 500
)

// languages are those of the help center, in each of which an article is.
var languages = []string{"en-us", "ko", "ja"}

// measureHelpCenter measures a help center of as many articles as --tickets says, in
// three languages.
func measureHelpCenter(ctx context.Context, o options, h *helpd) (outcome, error) {
	w, err := h.account(ctx, account, 100)
	if err != nil {
		return nil, err
	}
	defer w.close()
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	settings := writing("PUT", "/api/v2/account/settings", object{"settings": object{"localization": object{"locale_ids": []int{1, 69, 67}}}})
	if err := c.do(w, settings, http.StatusOK, nil); err != nil {
		return nil, err
	}
	if o.check {
		return nil, checkArticles(ctx, o, c, w)
	}
	texts, err := readTexts(o.data)
	if err != nil {
		return nil, err
	}
	if err := w.publish(ctx, texts, o.tickets); err != nil {
		return nil, fmt.Errorf("write the articles: %w", err)
	}
	if err := w.settle(ctx); err != nil {
		return nil, fmt.Errorf("wait for the index: %w", err)
	}
	if c, err = dial(h.addr); err != nil { // helpd ends connections that wait so long
		return nil, err
	}
	defer c.conn.Close()
	r := helpCenterReport{rulesReport: rulesReport{What: "The help center", Machine: describe(ctx, w), Tickets: o.tickets, Of: "articles in three languages"}}
	for _, read := range w.readings() {
		random := rand.New(rand.NewPCG(7, 8))
		took, err := timed(ctx, w, c, time.Minute, func() request { return request{method: "GET", path: read.path(random), as: read.as} })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", read.name, err)
		}
		r.Figures = append(r.Figures, figureOf(read.name, wantedArticles, took))
	}
	r.Beside, r.Unchanged, err = w.shown(ctx, o, h)
	return r, err
}

// helpCenterReport is also what showing an article to nobody takes beside pgbench, and
// how often a second it is shown to who has it already.
type helpCenterReport struct {
	rulesReport
	Beside    measurement `json:"show"`
	Unchanged float64     `json:"unchanged"`
}

func (r helpCenterReport) print(out io.Writer) {
	r.rulesReport.print(out)
	fmt.Fprintln(out)
	printOperations(out, []measurement{r.Beside})
	fmt.Fprintf(out, "To who has it already: %.0f a second, without its texts.\n", r.Unchanged)
}

func (r helpCenterReport) verdicts() []verdict {
	return append(r.rulesReport.verdicts(), atLeast("the help center: show, beside pgbench", r.Beside.Ratio, r.Beside.Wanted, "%.2f"))
}

// tagged is of how many articles the callers have what they were shown.
const tagged = 1_000

// shown measures what it takes to show articles to nobody, which most readers are.
func (w *world) shown(ctx context.Context, o options, h *helpd) (beside measurement, unchanged float64, err error) {
	pgbench, err := findPgbench()
	if err != nil {
		return beside, 0, err
	}
	path := func(id int64) string { return fmt.Sprintf("/api/v2/help_center/%s/articles/%d", languages[0], id) }
	beside, err = measure(ctx, o, w, h, pgbench, operation{"article", 0.30, http.StatusOK, func(w *world, r *rand.Rand) request {
		return request{method: "GET", path: path(w.articles[r.IntN(len(w.articles))]), as: nobody}
	}, 1})
	if err != nil {
		return beside, 0, err
	}
	tags := make([]string, min(tagged, len(w.articles)))
	for i := range tags {
		if tags[i], err = tagOf(ctx, "http://"+h.addr+path(w.articles[i])); err != nil {
			return beside, 0, err
		}
	}
	s, err := drive(ctx, o, w, h, operation{"unchanged", 0, http.StatusNotModified, func(w *world, r *rand.Rand) request {
		i := r.IntN(len(tags))
		return request{method: "GET", path: path(w.articles[i]), as: nobody, has: tags[i]}
	}, 1})
	return beside, s.rate, err
}

// tagOf is the ETag of what helpd shows nobody.
func tagOf(ctx context.Context, address string) (string, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	ask.Host = host
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Etag") == "" {
		return "", fmt.Errorf("%s: %s, without a tag", address, answer.Status)
	}
	return answer.Header.Get("Etag"), nil
}

// reading is what readers ask for again and again.
type reading struct {
	name string
	as   string
	path func(r *rand.Rand) string
}

func (w *world) readings() []reading {
	const path = "/api/v2/help_center/"
	locale := func(r *rand.Rand) string { return path + languages[r.IntN(len(languages))] + "/" }
	some := func(list []int64, r *rand.Rand) int64 { return list[r.IntN(len(list))] }
	searched := func(locale string, queries ...string) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			return path + locale + "/articles/search?query=" + url.QueryEscape(queries[r.IntN(len(queries))])
		}
	}
	reader := w.email(w.firstUser) // nobody may ask so often
	return []reading{
		{"show, nobody", nobody, func(r *rand.Rand) string { return fmt.Sprintf("%sarticles/%d", locale(r), some(w.articles, r)) }},
		{"show, an admin", "", func(r *rand.Rand) string { return fmt.Sprintf("%sarticles/%d", locale(r), some(w.articles, r)) }},
		{"list by position", reader, func(r *rand.Rand) string { return locale(r) + "articles" }},
		{"list by title", reader, func(r *rand.Rand) string { return locale(r) + "articles?sort_by=title" }},
		{"list by cursor", reader, func(r *rand.Rand) string {
			return locale(r) + "articles?page[size]=30&sort_by=updated_at&sort_order=desc"
		}},
		{"list of a section", reader, func(r *rand.Rand) string {
			return fmt.Sprintf("%ssections/%d/articles", locale(r), some(w.sections, r))
		}},
		{"list of a category", reader, func(r *rand.Rand) string {
			return fmt.Sprintf("%scategories/%d/articles", locale(r), some(w.categories, r))
		}},
		{"search, one word", reader, searched("en-us", "battery", "refund", "component", "useEffect", "please")},
		{"search, two words", reader, searched("en-us", "battery issue", "refund money", "event handlers", "please assist")},
		{"search, two Korean syllables", reader, searched("ko", "상태", "배열", "함수", "객체", "렌더")},
	}
}

// publish writes articles, unless an earlier run did.
func (w *world) publish(ctx context.Context, texts []saying, n int) error {
	var done bool
	if err := w.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM articles WHERE account_id = $1)", w.account).Scan(&done); err != nil {
		return err
	}
	if !done {
		say("Writing %s articles", thousands(n))
		if err := w.publishAll(ctx, texts, n); err != nil {
			return err
		}
	}
	for query, into := range map[string]*[]int64{
		"SELECT array_agg(id) FROM articles WHERE account_id = $1": &w.articles, "SELECT array_agg(id) FROM sections WHERE account_id = $1": &w.sections,
		"SELECT array_agg(id) FROM categories WHERE account_id = $1": &w.categories,
	} {
		if err := w.conn.QueryRow(ctx, query, w.account).Scan(into); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) publishAll(ctx context.Context, texts []saying, n int) error {
	tx, err := w.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // committed below
	if err := copyTexts(ctx, tx, "bench_pieces", texts); err != nil {
		return err
	}
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO categories (account_id, id, brand_id, source_locale, position, created_at, updated_at)
			SELECT $1, n, (SELECT id FROM brands WHERE account_id = $1 AND "default"), 'en-us', 0, now(), now() FROM generate_series(1, 20) n`, nil},
		{`INSERT INTO sections (account_id, id, brand_id, category_id, source_locale, position, sorting, theme_template, viewable_by, manageable_by,
				restricted_to_group_ids, restricted_to_organization_ids, required_tags, created_at, updated_at)
			SELECT account_id, n, brand_id, id, source_locale, 0, 'manual', 'section_page', 'everybody', 'managers', '{}', '{}', '{}', now(), now()
			FROM generate_series(1, $2) n JOIN categories ON account_id = $1 AND id = n % 20 + 1`, []any{sections}},
		{`INSERT INTO articles (account_id, id, brand_id, category_id, section_id, author_id, permission_group_id, user_segment_ids, source_locale, position, promoted, comments_disabled,
				label_names, content_tag_ids, vote_sum, vote_count, version, created_at, updated_at, edited_at)
			SELECT account_id, n, brand_id, category_id, id, (SELECT min(id) FROM users WHERE account_id = $1 AND role = 'admin'),
				(SELECT min(id) FROM permission_groups WHERE account_id = $1 AND built_in), '{}', source_locale, n % 100, false, false,
				'{}', '{}', 0, 0, 1, at, at, at
			FROM generate_series(1, $3) n JOIN sections ON account_id = $1 AND id = n % $2 + 1 CROSS JOIN LATERAL (SELECT now() - n * interval '1 minute' AS at) t`, []any{sections, n}},
		{`INSERT INTO translations (account_id, source_type, source_id, locale, title, html_body, draft, outdated, created_by_id, updated_by_id, created_at, updated_at)
			SELECT a.account_id, a.kind, a.id, l.locale, left(x.title, 200) || ' ' || a.id, '<p>' || replace(replace(x.body, '&', '&amp;'), '<', '&lt;') || '</p>', false, false, $2, $2, now(), now()
			FROM (SELECT account_id, id, 'Article' AS kind FROM articles UNION ALL SELECT account_id, id, 'Section' FROM sections UNION ALL SELECT account_id, id, 'Category' FROM categories) a
			CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS l(locale, i) JOIN bench_pieces x ON x.n = (a.id * 3 + l.i) % $4
			WHERE a.account_id = $1`, []any{int64(1), languages, len(texts)}},
	} {
		args := append([]any{w.account}, s.args...)
		if _, err := tx.Exec(ctx, s.sql, args...); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	_, err = w.conn.Exec(ctx, "VACUUM ANALYZE articles, translations, sections, categories")
	return err
}

// articleChecks are searches over the articles of --data, and the title that must come
// first.
var articleChecks = []struct{ locale, query, first string }{
	{"en-us", "context", "Scaling Up with Reducer and Context"},
	{"en-us", "passing props", "Passing Props to a Component"},
	{"en-us", "keys in lists", "Rendering Lists"},
	{"en-us", "conditional rendering", "Conditional Rendering"},
	{"en-us", "refs DOM", "Manipulating the DOM with Refs"},
	{"en-us", "do I need an effect", "You Might Not Need an Effect"},
	{"en-us", "removing dependencies", "Removing Effect Dependencies"},
	{"en-us", "typescript", "Using TypeScript"},
	{"en-us", "install react", "Installation"},
	{"en-us", "tic tac toe", "Tutorial: Tic-Tac-Toe"},
	{"en-us", "developer tools", "React Developer Tools"},
	{"en-us", "custom hooks", "Reusing Logic with Custom Hooks"},
	{"en-us", "updating arrays", "Updating Arrays in State"},
	{"en-us", "updating objects", "Updating Objects in State"},
	{"en-us", "SNAPSHOTS", "State as a Snapshot"},
	{"en-us", "batching state updates", "Queueing a Series of State Updates"},
	{"en-us", "event propagation", "Responding to Events"},
	{"en-us", "pure components", "Keeping Components Pure"},
	{"en-us", "jsx curly braces", "JavaScript in JSX with Curly Braces"},
	{"en-us", "lifting state up", "Sharing State Between Components"},
	{"en-us", "reset state", "Preserving and Resetting State"},
	{"en-us", "editor", "Editor Setup"},
	{"en-us", "import export components", "Importing and Exporting Components"},
	{"en-us", "memory of a component", "State: A Component's Memory"},
	{"en-us", "how do I share state between two components", "Sharing State Between Components"},
	{"en-us", "my list has a warning about a missing key", "Rendering Lists"},
	{"en-us", `"single source of truth"`, "Sharing State Between Components"},
	{"en-us", "hydration", ""},
	{"ko", "배열", "배열 State 업데이트하기"},
	{"ko", "객체", "객체 State 업데이트하기"},
	{"ko", "이벤트", "Effect에서 이벤트 분리하기"},
	{"ko", "조건부 렌더링", "조건부 렌더링"},
	{"ko", "순수", "컴포넌트를 순수하게 유지하기"},
	{"ko", "틱택토", "자습서: 틱택토 게임"},
	{"ko", "의존성", "Effect의 의존성 제거하기"},
	{"ko", "스냅샷", "스냅샷으로서의 State"},
	{"ko", "설치", "설치하기"},
	{"ko", "개발자 도구", "React 개발자 도구"},
	{"ko", "에디터", "에디터 설정하기"},
	{"ko", "목록 렌더링", "리스트 렌더링"},
	{"ko", "중괄호", "중괄호가 있는 JSX 안에서 자바스크립트 사용하기"},
	{"ko", "상태 공유", "컴포넌트 간 State 공유하기"},
	{"ko", "state 보존", "State를 보존하고 초기화하기"},
	{"ko", "props 전달", "컴포넌트에 props 전달하기"},
	{"ko", "DOM 조작", "Ref로 DOM 조작하기"},
	{"ko", "qwertyuiop", ""},
}

// checkArticles imports the articles of --data and holds searches against what must
// come first.
func checkArticles(ctx context.Context, o options, c *client, w *world) error {
	for _, l := range [][2]string{{"en", "en-us"}, {"ko", "ko"}} {
		cmd := exec.CommandContext(ctx, o.helpd, "articles", "import", filepath.Join(o.data, "articles", l[0]), "--locale", l[1], "--data-dir", o.dataDir,
			"--account", account, "--section", "React", "--category", "Learn", "--create")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("import: %w: %s", err, out)
		}
	}
	failed := 0
	for _, check := range articleChecks {
		var body bytes.Buffer
		path := "/api/v2/help_center/" + check.locale + "/articles/search?query=" + url.QueryEscape(check.query)
		if err := c.do(w, request{method: "GET", path: path, as: nobody}, http.StatusOK, &body); err != nil {
			return err
		}
		var found struct{ Results []struct{ Title string } }
		if err := json.Unmarshal(body.Bytes(), &found); err != nil {
			return err
		}
		first := ""
		if len(found.Results) > 0 {
			first = found.Results[0].Title
		}
		if first != check.first {
			failed++
			fmt.Printf("✗ %s: %q comes first, not %q\n", check.query, first, check.first)
		}
	}
	fmt.Fprintf(os.Stdout, "%d of %d searches have first what must come first\n", len(articleChecks)-failed, len(articleChecks))
	if failed > 0 {
		return fmt.Errorf("%d searches are wrong", failed)
	}
	return nil
}
