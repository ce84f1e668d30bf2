package api_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
)

// imports has files checked and written, and returns what became of them.
func (h *aHelpCenter) imports(files ...articlefiles.File) (out []helpcenter.Outcome) {
	h.t.Helper()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	i, err := h.helpCenter.NewImport(h.ctx(), auth.System(h.account.ID), helpcenter.ImportOptions{Section: "Returns"})
	must(err)
	for _, f := range files {
		must(i.Check(f))
	}
	must(i.Ready(h.ctx()))
	ready, err := i.Render(h.ctx(), files)
	must(err)
	out, err = i.Write(h.ctx(), files, ready)
	must(err)
	return out
}

// exported are the old paths in the files of articles, by id and language.
func (h *aHelpCenter) exported(ctx context.Context) map[string][]string {
	h.t.Helper()
	out := map[string][]string{}
	_, err := h.helpCenter.ExportArticles(ctx, auth.System(h.account.ID), "", func(f articlefiles.File, _, _ int64) error {
		out[f.ID+" "+f.Locale] = f.Redirects
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// Old paths are the same however files write them, and as often as they do.
func TestOldPathsInFiles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	english := articlefiles.File{Path: "a.md", Locale: "en-us", ID: "a", Title: "A", Body: "x", Redirects: []string{"/old", "/old/", "/o%6Cd", "/100%25", "/a%2541", "/two%20words", "/what%3F"}}
	japanese := articlefiles.File{Path: "ja/a.md", Locale: "ja", ID: "a", Title: "あ", Body: "x", Redirects: []string{"/old/", "/古い"}}
	out := h.imports(english, japanese)
	if want := []string{"+ redirects: /old", "+ redirects: /100%25", "+ redirects: /a%2541", "+ redirects: /two%20words", "+ redirects: /what%3F"}; !slices.Equal(out[0].Diff, want) {
		t.Errorf("%q", out[0].Diff)
	}
	if !slices.Equal(out[1].Diff, []string{"+ redirects: /古い"}) {
		t.Errorf("%q", out[1].Diff)
	}
	var kept []string
	if err := h.db.WithContext(h.ctx()).Raw("SELECT path FROM redirects WHERE account_id = ? ORDER BY path COLLATE \"C\"", h.account.ID).Scan(&kept).Error; err != nil {
		t.Fatal(err)
	}
	if want := []string{"/100%", "/a%41", "/old", "/two words", "/what?", "/古い"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q", kept)
	}
	exported := h.exported(h.ctx())["a en-us"]
	if !slices.Contains(exported, "/100%25") || !slices.Contains(exported, "/古い") || len(exported) != len(kept) {
		t.Errorf("exported %q", exported)
	}
	english.Redirects = exported
	for _, o := range h.imports(english, japanese) {
		if o.What != helpcenter.OutcomeSame {
			t.Errorf("again: %+v", o)
		}
	}
}

// What an older helpd left behind is no part of the shelves, and in nobody's way.
func TestFilesBesideSectionsThatLieInNone(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	id := h.get(h.section).want(200).id("section")
	for _, change := range []string{
		"category_id = 404", "parent_section_id = 404",
	} {
		lost := h.post(h.category+"/sections", `{"section":{"name":"Lost","locale":"en-us"}}`).want(201).id("section")
		h.post(h.category+"/sections", fmt.Sprintf(`{"section":{"name":"Below","locale":"en-us","parent_section_id":%d}}`, lost)).want(201)
		if err := h.db.WithContext(h.ctx()).Exec("UPDATE sections SET "+change+" WHERE account_id = ? AND id = ?", h.account.ID, lost).Error; err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []string{"Section", "Category"} {
		err := h.db.WithContext(h.ctx()).Exec(`INSERT INTO translations (account_id, source_type, source_id, locale, title, draft, outdated, created_by_id, updated_by_id, created_at, updated_at)
			SELECT account_id, ?, 404, locale, title, draft, outdated, created_by_id, updated_by_id, created_at, updated_at FROM translations WHERE account_id = ? AND source_type = 'Section' AND source_id = ?`,
			source, h.account.ID, id).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	if out := h.imports(articlefiles.File{Path: "a.md", Locale: "en-us", ID: "a", Title: "A", Body: "x"}); out[0].What != helpcenter.OutcomeNew {
		t.Errorf("%+v", out)
	}
	contents, err := h.helpCenter.ExportArticles(h.ctx(), auth.System(h.account.ID), "", func(articlefiles.File, int64, int64) error { return nil })
	if err != nil || len(contents.Categories) != 1 || len(contents.Categories[0].Sections) != 1 || contents.Categories[0].Sections[0].Name != "Returns" {
		t.Errorf("%+v %v", contents, err)
	}
}
