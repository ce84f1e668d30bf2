package api_test

import (
	"context"
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
	out, err = i.Write(h.ctx(), files)
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
