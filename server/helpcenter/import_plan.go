package helpcenter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/textdiff"
)

// Outcome is what became of a file, or would become of it.
type Outcome struct {
	Path string
	What string   // OutcomeNew and the rest
	Diff []string // of what changed: lines that begin with "- " and "+ "
}

// What becomes of files.
const (
	OutcomeNew         = "new"         // a new article
	OutcomeTranslation = "translation" // an article that is there, in one more language
	OutcomeChanged     = "changed"
	OutcomeSame        = "same"
)

// batch is what a number of files ask for, before it is written.
type batch struct {
	*Import
	tx       *gorm.DB
	articles map[string]*importedArticle
	order    []*importedArticle
	texts    map[int64]map[string]models.Translation // that there are, by article and language
	led      map[string]int64                        // articles by old paths
	labels   map[string]string                       // as they are written, by lower case
	outcomes []Outcome
}

// importedArticle is an article as it is and as it shall be.
type importedArticle struct {
	now, was models.Article
	in       *shelfSection // where it shall lie; nil: where it does
	fresh    bool
	changed  bool // but for its texts
	written  bool // a title or a body
	touched  bool // in any way
	texts    []importedText
	paths    []string // that shall lead to it and do not yet
}

type importedText struct {
	now, was       models.Translation
	fresh, written bool
}

// Write makes and changes articles as a number of files say, all or none of them.
// What is as a file says stays untouched. ready is what Render made of the files. It
// fails with articlefiles.Problem for what came to light only now.
func (i *Import) Write(ctx context.Context, files []articlefiles.File, ready Rendered) ([]Outcome, error) {
	var out []Outcome
	err := i.svc.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		b := &batch{Import: i, tx: tx, articles: map[string]*importedArticle{}}
		if err := b.read(files); err != nil {
			return err
		}
		for n, f := range files {
			if err := b.plan(f, ready[n]); err != nil {
				return err
			}
		}
		out = b.outcomes
		if i.o.DryRun {
			return nil
		}
		return b.write()
	})
	return out, err
}

// importClass is the first half of the lock by which imports of an account take
// turns: two that make the same article would fail.
const importClass = 0x61727473 // "arts"

// read reads what there is of what the files are about.
func (b *batch) read(files []articlefiles.File) error {
	ids, locales, paths, labels := models.Strings{}, models.Strings{}, models.Strings{}, []string{}
	for _, f := range files {
		ids, paths, labels = append(ids, f.ID), append(paths, f.Redirects...), append(labels, f.Labels...)
		if !slices.Contains(locales, f.Locale) {
			locales = append(locales, f.Locale)
		}
	}
	for n := range paths {
		paths[n] = plainPath(paths[n])
	}
	if err := b.tx.Exec("SELECT pg_advisory_xact_lock(?, ?)", importClass, int32(b.by.AccountID)).Error; err != nil {
		return err
	}
	var articles []models.Article
	err := hereTx(b.tx, b.by).Clauses(clause.Locking{Strength: "UPDATE"}).Order("id").Find(&articles, "external_id = ANY(?::text[]) AND archived_at IS NULL", ids).Error
	if err != nil {
		return err
	}
	there := models.IDs{}
	for _, a := range articles {
		there = append(there, a.ID)
		b.articles[*a.ExternalID] = &importedArticle{now: a, was: a}
	}
	var texts []models.Translation
	err = b.tx.Find(&texts, "source_type = ? AND source_id = ANY(?::bigint[]) AND locale = ANY(?::text[])", models.SourceArticle, there, locales).Error
	if err != nil {
		return err
	}
	b.texts = map[int64]map[string]models.Translation{}
	for _, t := range texts {
		if b.texts[t.SourceID] == nil {
			b.texts[t.SourceID] = map[string]models.Translation{}
		}
		b.texts[t.SourceID][t.Locale] = t
	}
	var led []models.Redirect
	if err := hereTx(b.tx, b.by).Find(&led, "path = ANY(?::text[])", paths).Error; err != nil {
		return err
	}
	b.led = map[string]int64{}
	for _, r := range led {
		b.led[r.Path] = r.ArticleID
	}
	return b.readLabels(labels)
}

// readLabels tells how labels are written: as they are already, or as the first
// file has them.
func (b *batch) readLabels(names []string) error {
	b.labels = map[string]string{}
	for n := range names {
		names[n] = strings.TrimSpace(names[n])
	}
	as, err := writtenTx(b.tx, b.by.AccountID, names)
	for _, n := range names {
		lower := strings.ToLower(n)
		b.labels[lower] = cmp.Or(b.labels[lower], as[n], n)
	}
	return err
}

// plan notes what a file asks for; ready is its body as it is kept, if that is known.
func (b *batch) plan(f articlefiles.File, ready *string) error {
	a := b.articles[f.ID]
	if a == nil {
		a = b.freshArticle(f)
		b.articles[f.ID] = a
	}
	if !slices.Contains(b.order, a) {
		b.order = append(b.order, a)
	}
	out := Outcome{Path: f.Path}
	if a.now.SourceLocale == f.Locale {
		if err := b.planArticle(a, f, &out); err != nil {
			return err
		}
	}
	if err := b.planText(a, f, ready, &out); err != nil {
		return err
	}
	for _, path := range f.Redirects {
		plain := plainPath(path)
		if slices.Contains(a.paths, plain) { // of another file, or written in another way
			continue
		}
		if id, ok := b.led[plain]; !ok || a.fresh || id != a.now.ID {
			a.paths = append(a.paths, plain)
			out.Diff = append(out.Diff, "+ redirects: "+path)
		}
	}
	if out.What == "" && len(out.Diff) > 0 {
		out.What = OutcomeChanged
	}
	out.What = cmp.Or(out.What, OutcomeSame)
	b.outcomes = append(b.outcomes, out)
	return nil
}

func (b *batch) freshArticle(f articlefiles.File) *importedArticle {
	now := b.svc.now()
	a := &importedArticle{fresh: true, now: models.Article{
		AuthorID: b.by.ID(), PermissionGroupID: b.administrators, UserSegmentIDs: models.IDs{}, SourceLocale: f.Locale,
		LabelNames: models.Strings{}, ContentTagIDs: models.Strings{}, ExternalID: &f.ID, Stamps: stamps(now), EditedAt: now,
	}}
	if source := b.there[f.ID]; b.o.DryRun && source != "" { // which would be there by now
		a.now.SourceLocale = source
	}
	return a
}

// planArticle notes what a file in an article's own language says of the article.
func (b *batch) planArticle(a *importedArticle, f articlefiles.File, out *Outcome) error {
	was := a.now
	in, position, err := b.place(f)
	if err != nil {
		return err
	}
	if in == nil && a.fresh { // the section that the import is told
		in = b.shelf.listed[f.ID].section
	}
	if in == nil && a.fresh {
		return f.Wrong("section", "the article is new and has no section")
	}
	if in != nil && (a.fresh || in.ID != a.now.SectionID) {
		if !a.fresh {
			out.Diff = append(out.Diff, "+ section: "+strings.Join(in.path(), " / "))
		}
		a.in, a.now.SectionID, a.now.CategoryID, a.now.BrandID = in, in.ID, in.CategoryID, in.BrandID
	}
	if position != nil {
		a.now.Position = int(*position)
	}
	set(&a.now.Promoted, f.Promoted)
	set(&a.now.CommentsDisabled, f.CommentsDisabled)
	if f.PermissionGroup != nil {
		a.now.PermissionGroupID = b.groups[*f.PermissionGroup]
	}
	if f.Labels != nil {
		names, err := cleanLabels(f.Labels)
		if err != nil {
			return f.Wrong("labels", "labels: %s", said(err))
		}
		for n := range names {
			names[n] = b.labels[strings.ToLower(names[n])]
		}
		a.now.LabelNames = names
	}
	if f.UserSegments != nil {
		a.now.UserSegmentIDs = models.IDs{}
		for _, name := range f.UserSegments {
			a.now.UserSegmentIDs = append(a.now.UserSegmentIDs, b.segments[name])
		}
		slices.Sort(a.now.UserSegmentIDs)
	}
	if f.ContentTags != nil {
		a.now.ContentTagIDs = models.Strings{}
		for _, name := range f.ContentTags {
			a.now.ContentTagIDs = append(a.now.ContentTagIDs, b.tags[name])
		}
	}
	a.changed = !a.fresh && (!unchanged(was, a.now) || a.in != nil)
	if a.fresh {
		return nil
	}
	differ := func(name string, was, now any) {
		if before, after := fmt.Sprint(was), fmt.Sprint(now); before != after {
			out.Diff = append(out.Diff, "- "+name+": "+before, "+ "+name+": "+after)
		}
	}
	differ("position", was.Position, a.now.Position)
	differ("promoted", was.Promoted, a.now.Promoted)
	differ("comments_disabled", was.CommentsDisabled, a.now.CommentsDisabled)
	differ("labels", was.LabelNames, a.now.LabelNames)
	differ("user_segments", namesOfIDs(b.segments, was.UserSegmentIDs...), namesOfIDs(b.segments, a.now.UserSegmentIDs...))
	differ("permission_group", namesOfIDs(b.groups, was.PermissionGroupID), namesOfIDs(b.groups, a.now.PermissionGroupID))
	differ("content_tags", namesOfIDs(b.tags, was.ContentTagIDs...), namesOfIDs(b.tags, a.now.ContentTagIDs...))
	return nil
}

// planText notes what a file says of the text in its language.
func (b *batch) planText(a *importedArticle, f articlefiles.File, ready *string, out *Outcome) error {
	was, there := b.texts[a.now.ID][f.Locale]
	t := importedText{now: was, was: was, fresh: !there || a.fresh}
	if t.fresh {
		t.now = models.Translation{SourceType: models.SourceArticle, Locale: f.Locale, CreatedByID: b.by.ID(), Stamps: stamps(b.svc.now())}
	}
	text := Text{Title: &f.Title, Draft: f.Draft, Outdated: f.Outdated, ready: ready}
	body := f.Body
	switch html := strings.TrimSpace(f.Body); {
	case f.Markdown && (t.fresh || was.Markdown == nil || *was.Markdown != body):
		text.Markdown = &body
	case !f.Markdown && (t.fresh || was.Markdown != nil || was.HTMLBody == nil || *was.HTMLBody != html):
		text.Body = &html
	}
	written, changed, err := text.apply(&t.now)
	if err != nil {
		return f.Wrong("body", "%s", said(err))
	}
	if !changed && !t.fresh {
		return nil
	}
	t.written = written || t.fresh
	t.now.UpdatedAt, t.now.UpdatedByID = b.svc.now(), b.by.ID()
	a.texts = append(a.texts, t)
	a.touched, a.written = true, a.written || t.written
	switch {
	case a.fresh && a.now.SourceLocale == f.Locale:
		out.What = OutcomeNew
	case t.fresh:
		out.What = OutcomeTranslation
	default:
		out.Diff = append(out.Diff, textDiff(t.was, t.now)...)
	}
	return nil
}

// source is what a text was written as.
func source(t models.Translation) string {
	return *cmp.Or(t.Markdown, t.HTMLBody, new(string))
}

func textDiff(was, now models.Translation) []string {
	var out []string
	if was.Title != now.Title {
		out = append(out, "- title: "+was.Title, "+ title: "+now.Title)
	}
	for _, f := range []struct {
		name     string
		was, now bool
	}{{"draft", was.Draft, now.Draft}, {"outdated", was.Outdated, now.Outdated}} {
		if f.was != f.now {
			out = append(out, fmt.Sprintf("- %s: %v", f.name, f.was), fmt.Sprintf("+ %s: %v", f.name, f.now))
		}
	}
	for _, e := range textdiff.HTML(source(was), source(now)) {
		if e.Change == "=" {
			continue
		}
		for line := range strings.Lines(e.Content) {
			out = append(out, e.Change+" "+strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}
