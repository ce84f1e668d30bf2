package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// aLibrary is a helpd whose help center has English and Korean.
type aLibrary struct {
	t    *testing.T
	env  []string
	s    *served
	conn *pgx.Conn
}

func newLibrary(t *testing.T) *aLibrary {
	t.Helper()
	l := &aLibrary{t: t, env: database(t, "HELPD_ADMIN_TOKEN=library-library-library")}
	l.s = serve(t, l.env...)
	l.ask("PUT", "/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,69]}}}`)
	c := copying{t: t, env: l.env}
	l.conn = c.connect()
	return l
}

func (l *aLibrary) ask(method, path, body string) map[string]any {
	l.t.Helper()
	status, answer := l.s.send(method, path, body, "admin@example.com/token", "library-library-library")
	var out map[string]any
	if status >= 300 || answer != "" && json.Unmarshal([]byte(answer), &out) != nil {
		l.t.Fatalf("%s %s: status %d: %s", method, path, status, answer)
	}
	return out
}

func (l *aLibrary) run(args ...string) ran {
	return helpd(l.t, l.env, append([]string{"articles"}, args...)...)
}

// said runs an import, which ends well, and checks what it counts.
func (l *aLibrary) imports(counts string, args ...string) ran {
	l.t.Helper()
	return l.says(counts+";", args...)
}

// dry runs one that writes nothing, and says so.
func (l *aLibrary) dry(counts string, args ...string) ran {
	l.t.Helper()
	return l.says("nothing was written; an import would "+counts+"\n", append(args, "--dry-run")...)
}

func (l *aLibrary) says(counts string, args ...string) ran {
	l.t.Helper()
	r := l.run(append([]string{"import"}, args...)...).ok(l.t)
	if !strings.Contains(r.err, counts) {
		l.t.Errorf("import %v: %s, want %s", args, r.err, counts)
	}
	return r
}

// state is all that an import may touch.
func (l *aLibrary) state() string {
	l.t.Helper()
	var out string
	err := l.conn.QueryRow(l.t.Context(), `SELECT (SELECT jsonb_agg(to_jsonb(a) ORDER BY id)::text FROM articles a) || (SELECT jsonb_agg(to_jsonb(t) ORDER BY id)::text FROM translations t) ||
		(SELECT jsonb_agg(to_jsonb(r) ORDER BY id)::text FROM translation_revisions r) || coalesce((SELECT jsonb_agg(to_jsonb(r) ORDER BY id)::text FROM redirects r), '') ||
		(SELECT jsonb_agg(to_jsonb(s) ORDER BY id)::text FROM sections s) || (SELECT count(*) FROM events) || (SELECT count(*) FROM labels)`).Scan(&out)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *aLibrary) export(args ...string) (dir string) {
	l.t.Helper()
	dir = filepath.Join(l.t.TempDir(), "out")
	l.run(append([]string{"export", dir}, args...)...).ok(l.t)
	return dir
}

// filesIn are the files of a directory by their paths.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := writeFile(dir, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExportThenImportIsTheIdentity(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	dry := l.dry("make 4 articles, 1 translations, 1 categories and 2 sections, change what 0 files say, and leave what 0 files say already", "testdata/articles")
	if !strings.HasPrefix(dry.out, "category     Manual\nsection      Manual / Returns\nsection      Manual / Returns / Abroad\nnew ") ||
		!strings.Contains(dry.out, "translation  ko/lamp.md\n") || !strings.Contains(dry.out, "new          en-us/lamp.md\n") {
		t.Errorf("dry run: %s", dry.out)
	}
	if got := l.ask("GET", "/api/v2/help_center/categories", "")["count"]; got != 0.0 {
		t.Errorf("a dry run made %v categories", got)
	}
	l.imports("4 articles new, 1 translations new, 0 changed, 0 the same", "testdata/articles")
	if got := l.ask("GET", "/api/v2/help_center/sections", "")["count"]; got != 2.0 {
		t.Errorf("%v sections were made", got)
	}
	l.dry("make 0 articles, 0 translations, 0 categories and 0 sections, change what 0 files say, and leave what 5 files say already", "testdata/articles")
	before := l.state()
	l.imports("0 articles new, 0 translations new, 0 changed, 5 the same", "testdata/articles")
	// One that was written by hand, in a name that is no path.
	section := l.ask("GET", "/api/v2/help_center/sections?sort_by=created_at", "")["sections"].([]any)[0].(map[string]any)
	if section["name"] != "Returns" || section["sorting"] != "title" {
		t.Errorf("section %v", section)
	}
	if l.state() != before {
		t.Error("a second import changed something")
	}
	l.ask("POST", strings.TrimSuffix(section["url"].(string)[strings.Index(section["url"].(string), "/api"):], ".json")+"/articles",
		`{"article":{"locale":"en-us","title":"--- What: \"now\"?","body":"<p>a &amp; b</p>","label_names":["x: y","- z"],"promoted":true}}`)

	first := l.export()
	got := filesIn(t, first)
	if want := []string{"contents.yaml", "en-us/abroad.html", "en-us/chairs.md", "en-us/lamp.md", "en-us/what-now.html", "ko/korean/only.md", "ko/lamp.md"}; !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
		t.Errorf("files %v", slices.Sorted(maps.Keys(got)))
	}
	for name, want := range map[string]string{
		"en-us/lamp.md": "---\nid: lamp\ntitle: Return a *lamp*\ncategory: Manual\nsection: [Returns]\nposition: 1\n---\n\n" +
			"Wrap it **well**.\n\n| Part | Fee |\n|------|-----|\n| bulb | 1   |\n\n<script>alert(1)</script>\n", // as it came
		"ko/lamp.md": "---\nid: lamp\ntitle: 램프 반품\nsource_locale: en-us\noutdated: true\n---\n\n잘 **포장**하세요.\n",
		"en-us/abroad.html": "---\nid: abroad\ntitle: 'Return: from abroad'\ncategory: Manual\nsection: [Returns, Abroad]\nlabels: [Customs, two words]\nposition: 7\ndraft: true\n" +
			"promoted: true\ncomments_disabled: true\nuser_segments: [Agents and admins]\nredirects:\n  - /hc/en-us/articles/360-Abroad\n  - /old/abroad.html\n---\n\n" +
			"<h2>Customs</h2>\n<p>Keep the <b>form</b>.</p>\n",
	} {
		if got[name] != want {
			t.Errorf("%s: %s", name, got[name])
		}
	}
	before = l.state()
	l.imports("0 articles new, 0 translations new, 0 changed, 6 the same", first)
	if l.state() != before {
		t.Error("importing what was exported changed something")
	}

	other := newLibrary(t)
	other.imports("5 articles new, 1 translations new, 0 changed, 0 the same", first)
	if again := filesIn(t, other.export()); !maps.Equal(again, got) {
		for name := range got {
			if again[name] != got[name] {
				t.Errorf("%s became %s", got[name], again[name])
			}
		}
		t.Errorf("files %v", slices.Sorted(maps.Keys(again)))
	}
	// Another brand has a help center of its own, with the same ids and old addresses.
	l.ask("POST", "/api/v2/brands", `{"brand":{"name":"Lamps","subdomain":"lamps"}}`)
	before = l.state()
	l.imports("5 articles new, 1 translations new, 0 changed, 0 the same", first, "--brand", "lamps")
	if again := filesIn(t, l.export("--brand", "Lamps")); !maps.Equal(again, got) {
		t.Errorf("the other brand's files %v", slices.Sorted(maps.Keys(again)))
	}
	if again := filesIn(t, l.export()); !maps.Equal(again, got) || l.state() == before {
		t.Errorf("the default brand's files %v", slices.Sorted(maps.Keys(again)))
	}
	if r := l.run("import", first, "--brand", "chairs"); r.code == 0 || !strings.Contains(r.err, `the account has no brand "chairs"`) {
		t.Errorf("a brand that there is not: %d, %s", r.code, r.err)
	}
	// One language alone is whole, too.
	korean := l.export("--locale", "ko")
	third := newLibrary(t)
	third.imports("2 articles new, 0 translations new, 0 changed, 0 the same", korean, "--locale", "ko")
}

func TestImportChangesWhatFilesChange(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"en/a.md": "# A\n\nOne\nTwo\nThree\n", "en/sub/b.html": "<h1>B &amp; b</h1><p>x</p>", "en/.hidden.md": "no", "en/picture.png": "no", "ko/a.md": "# 가\n\n하나\n",
	})
	en, ko := filepath.Join(dir, "en"), filepath.Join(dir, "ko")
	l.imports("2 articles new, 0 translations new, 0 changed, 0 the same", en, "--locale", "en-US", "--category", "Manual", "--section", "Start", "--create")
	l.imports("0 articles new, 1 translations new, 0 changed, 0 the same", ko, "--locale", "ko")
	articles := l.ask("GET", "/api/v2/help_center/articles?sort_by=title&include=sections", "")
	if got := articles["articles"].([]any)[1].(map[string]any); got["title"] != "B & b" || got["body"] != "<p>x</p>" {
		t.Errorf("%v", got)
	}
	if got := articles["sections"].([]any); len(got) != 2 || got[1].(map[string]any)["name"] != "sub" {
		t.Errorf("sections %v", got)
	}
	before := l.state()
	writeFiles(t, en, map[string]string{"a.md": "---\nlabels: [new]\nuser_segments: [Agents and admins]\nposition: 3\ndraft: true\nredirects: /old\n---\n# A\n\nOne\nTwo and a half\nThree\n"})
	dry := l.dry("make 0 articles, 0 translations, 0 categories and 0 sections, change what 1 files say, and leave what 1 files say already", en, "--locale", "en-us", "--category", "Manual")
	const diff = "changed      a.md\n    - position: 0\n    + position: 3\n    - labels: []\n    + labels: [new]\n    - user_segments: []\n    + user_segments: [Agents and admins]\n    - draft: false\n    + draft: true\n    - Two\n    + Two and a half\n    + redirects: /old\nsame         sub/b.html\n"
	if dry.out != diff {
		t.Errorf("dry run: %s", dry.out)
	}
	if l.state() != before {
		t.Error("a dry run changed something")
	}
	l.imports("0 articles new, 0 translations new, 1 changed, 1 the same", en, "--locale", "en-us", "--category", "Manual")
	var revisions, published, unpublished int
	err := l.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM translation_revisions r JOIN translations t ON t.id = r.translation_id AND t.source_type = 'Article'),
		count(*) FILTER (WHERE type LIKE '%article.published'), count(*) FILTER (WHERE type LIKE '%article.unpublished') FROM events WHERE subject LIKE 'zen:article:%'`).Scan(&revisions, &published, &unpublished)
	if err != nil || revisions != 4 || published != 3 || unpublished != 1 {
		t.Errorf("%d revisions, %d published, %d unpublished, %v", revisions, published, unpublished, err)
	}
	// Written as HTML over the API, it is no Markdown any more.
	id := l.ask("GET", "/api/v2/help_center/articles?label_names=NEW", "")["articles"].([]any)[0].(map[string]any)["url"].(string)
	path := id[strings.Index(id, "/api"):strings.Index(id, "-A.json")]
	l.ask("PUT", path+"/translations/en-us", `{"translation":{"body":"<p>By hand</p>"}}`)
	if got := filesIn(t, l.export())["en-us/a.html"]; !strings.HasSuffix(got, "---\n\n<p>By hand</p>\n") {
		t.Errorf("exported: %s", got)
	}
	// What is archived is made anew.
	l.ask("DELETE", path, "")
	l.imports("1 articles new, 0 translations new, 0 changed, 1 the same", en, "--locale", "en-us", "--category", "Manual", "--section", "Start")
}

func TestImportRefusesAll(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	good := "---\ntitle: Good\nsection: sub\n---\nx"
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"contents.yaml": "categories: [{name: Manual, sections: [{name: sub}]}]\n", "a.md": good})
	// Each is told, by file and line.
	var wants []string
	for n, tc := range []struct{ text, want string }{
		{"---\ntitle: [\n---\n", "2: the front matter is no YAML: did not find expected node content"},
		{"---\n- a\n---\n", "2: the front matter has no fields: id: …"},
		{"---\ntitle: a\n", "1: the front matter does not end: a line of --- is missing"},
		{"---\ntitle: a\nposition: x\n---\n", "3: position is no whole number"},
		{"---\ntitle: a\nposition: -1\n---\n", "3: position must be between 0 and 1000000000"},
		{"---\ntitle: a\ntitle: b\n---\n", "3: title is there twice"},
		{"---\ntitle: a\nlabels: {a: b}\n---\n", "3: labels is no list of texts"},
		{"---\ntitle: a\nlabels: ['a,b']\n---\n", "3: labels: a,b is no label: up to 255 characters, and no comma"},
		{"no title", "1: there is no title: neither in front matter nor a heading of the first level at the beginning"},
		{"# a\n", "1: the article is new and has no section: it stands in no folder, in no front matter and in no contents.yaml"},
		{"---\ntitle: a\nsection: nowhere\ncategory: Manual\n---\n", `3: there is no section "nowhere" in the category "Manual"`},
		{"---\ntitle: a\nsection: sub\ncategory: None\n---\n", `4: there is no category "None"`},
		{"---\ntitle: a\nsection: sub\nuser_segments: [VIPs]\n---\n", `4: "VIPs" is not the name of one user segment`},
		{"---\ntitle: a\nsection: sub\nredirects: [/api/v2/x]\n---\n", "4: /api/v2/x: /api/v2/x is helpd's own"},
		{"---\ntitle: a\nsection: sub\nid: a\n---\n", `4: the id "a" is that of a.md, too`},
		{"# a\n\n\xff", "3: this is not UTF-8"},
		{"# a\n\x00", "2: there is a zero byte: is it a text?"},
		{"---\ntitle: a\n---\n" + strings.Repeat("x", 5<<20), "1: the file has 5242897 bytes; the body may have 1048576"},
		{"---\ntitle: a\n---\n" + strings.Repeat("x", 1<<20+1), "4: the body is too long (maximum is 1048576 bytes)"},
		{"---\ntitle: a\n---\n" + strings.Repeat("#\n", 1<<16), "4: the body as HTML is too long (maximum is 1048576 bytes)"},
	} {
		name := fmt.Sprintf("b%02d.md", n)
		writeFiles(t, dir, map[string]string{name: tc.text})
		wants = append(wants, name+":"+tc.want)
	}
	writeFiles(t, dir, map[string]string{"x/b.md": "# a\n"})
	if err := os.Symlink("nowhere", filepath.Join(dir, "y.md")); err != nil { // which cannot be read
		t.Fatal(err)
	}
	wants = append(wants, `x/b.md:1: there is no section "x"`, "y.md: no such file or directory", fmt.Sprintf("helpd: %d files are wrong; nothing was written", len(wants)+2))
	r := l.run("import", dir, "--locale", "en-us")
	if want := strings.Join(wants, "\n") + "\n"; r.code != 1 || r.err != want {
		t.Errorf("exit code %d, %s, want %s", r.code, r.err, want)
	}
	var articles, categories int
	if err := l.conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM categories)").Scan(&articles, &categories); err != nil || articles+categories > 0 {
		t.Errorf("%d articles and %d categories, %v", articles, categories, err)
	}
	wrong := t.TempDir()
	writeFiles(t, wrong, map[string]string{"contents.yaml": "categories:\n- nam: x\n"})
	if r := l.run("import", wrong, "--locale", "ko"); r.code == 0 || !strings.Contains(r.err, "contents.yaml:2: field nam not found in type articlefiles.Category") {
		t.Errorf("contents: exit code %d, %s", r.code, r.err)
	}
	dir = t.TempDir()
	writeFiles(t, dir, map[string]string{"a.md": good})
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"import", dir}, "a.md lies in no folder of an enabled language (en-us, ko): name one with --locale"},
		{[]string{"import", filepath.Join(dir, "nowhere")}, "no such file or directory"},
		{[]string{"import", dir, "--locale", "fr"}, "the language fr is not enabled (there are en-us, ko)"},
		{[]string{"import"}, "usage: helpd articles import DIR [flags]"},
		{[]string{"export", dir}, "is not empty"},
		{[]string{"export", filepath.Join(dir, "new"), "--locale", "fr"}, "fr"},
	} {
		if r := l.run(tc.args...); r.code != 2 || !strings.Contains(r.err, tc.want) {
			t.Errorf("%v: exit code %d, %s", tc.args, r.code, r.err)
		}
	}
}
