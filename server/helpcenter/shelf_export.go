package helpcenter

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// ExportArticles calls each for every article in a language, or, for none, in each
// that is enabled; the path of a file then begins with its language. All show the
// help center of the brand that by is at, or of the default one, at one moment. Import makes the same of the files and of the contents.
// Admins may ask. It fails with fault.NotFound for a language that is not enabled.
func (s *Service) ExportArticles(ctx context.Context, by auth.Actor, locale string, each func(f articlefiles.File, done, total int64) error) (out articlefiles.Contents, err error) {
	if !by.Admin() {
		return out, fault.Denied()
	}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		by, err := s.atHelpCenterTx(tx, by)
		if err != nil {
			return err
		}
		x := &shelfExport{tx: tx, by: by, sections: map[int64]*shelfSection{}}
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		if x.locales = l.Enabled; locale != "" {
			one, err := l.reading(by, locale)
			if err != nil {
				return err
			}
			x.locales, x.alone = []string{one}, true
		}
		if err := x.readNames(); err != nil {
			return err
		}
		if out, err = x.contents(l); err != nil {
			return err
		}
		return x.articles(each)
	}, search.OneState)
	return out, err
}

// shelfExport is an export under way.
type shelfExport struct {
	tx       *gorm.DB
	by       auth.Actor
	locales  []string
	alone    bool // one language
	shelf    *shelf
	sections map[int64]*shelfSection

	segments, permissions, groups, organizations map[int64]string
	builtIn                                      int64 // permission group
	tags                                         map[string]string
}

func (x *shelfExport) readNames() (err error) {
	if x.shelf, err = shelfTx(x.tx, x.by); err != nil {
		return err
	}
	named := func(of any) (map[int64]string, error) {
		var rows []struct {
			ID   int64
			Name string
		}
		out := map[int64]string{}
		err := x.tx.Model(of).Select("id", "name").Find(&rows).Error
		for _, r := range rows {
			out[r.ID] = r.Name
		}
		return out, err
	}
	for _, n := range []struct {
		of any
		to *map[int64]string
	}{{&models.UserSegment{}, &x.segments}, {&models.PermissionGroup{}, &x.permissions}} {
		if *n.to, err = named(n.of); err != nil {
			return err
		}
	}
	restricted := func(column string) *gorm.DB {
		return x.tx.Raw("SELECT unnest("+column+") FROM sections WHERE account_id = ?", x.by.AccountID)
	}
	var groups []models.Group
	if err := x.tx.Find(&groups, "id IN (?)", restricted("restricted_to_group_ids")).Error; err != nil {
		return err
	}
	var organizations []models.Organization
	if err := x.tx.Find(&organizations, "id IN (?)", restricted("restricted_to_organization_ids")).Error; err != nil {
		return err
	}
	x.groups, x.organizations, x.tags = map[int64]string{}, map[int64]string{}, map[string]string{}
	for _, g := range groups {
		x.groups[g.ID] = g.Name
	}
	for _, o := range organizations {
		x.organizations[o.ID] = o.Name
	}
	var tags []models.ContentTag
	if err := x.tx.Find(&tags).Error; err != nil {
		return err
	}
	for _, t := range tags {
		x.tags[t.ID] = t.Name
	}
	return x.tx.Model(&models.PermissionGroup{}).Where("built_in").Select("min(id)").Row().Scan(&x.builtIn)
}

// contents are the categories and sections. Those that files could not tell apart,
// of one name beside each other, are refused.
func (x *shelfExport) contents(l Locales) (out articlefiles.Contents, err error) {
	var names []string
	for _, c := range x.shelf.categories {
		one := articlefiles.Category{Heading: heading(l, c.SourceLocale, c.Position, c.texts)}
		if slices.Contains(names, one.Name) {
			return out, fault.InvalidField("name", "there are several categories %q: give one of them another name", one.Name)
		}
		names = append(names, one.Name)
		if one.Sections, err = x.sectionsOf(l, c.sections); err != nil {
			return out, err
		}
		out.Categories = append(out.Categories, one)
	}
	return out, nil
}

func (x *shelfExport) sectionsOf(l Locales, list []*shelfSection) (out []articlefiles.Section, err error) {
	var names []string
	for _, s := range list {
		x.sections[s.ID] = s
		one := articlefiles.Section{
			Heading: heading(l, s.SourceLocale, s.Position, s.texts), RequiredTags: s.RequiredTags,
			Groups: namesOf(x.groups, s.RestrictedToGroupIDs), Organizations: namesOf(x.organizations, s.RestrictedToOrganizationIDs),
		}
		if slices.Contains(names, one.Name) {
			return nil, fault.InvalidField("name", "there are several sections %q: give one of them another name", strings.Join(s.path(), " / "))
		}
		names = append(names, one.Name)
		if s.Sorting != models.SortingManual {
			one.Sorting = s.Sorting
		}
		if s.UserSegmentID != nil {
			one.UserSegment = x.segments[*s.UserSegmentID]
		}
		if s.ViewableBy != models.ViewableByEverybody {
			one.ViewableBy = s.ViewableBy
		}
		if s.ManageableBy != models.ManageableByManager {
			one.ManageableBy = s.ManageableBy
		}
		if one.Sections, err = x.sectionsOf(l, s.sections); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func namesOf(names map[int64]string, ids []int64) (out []string) {
	for _, id := range ids {
		out = append(out, names[id])
	}
	slices.Sort(out)
	return out
}

func heading(l Locales, source string, position int, texts map[string]models.Translation) articlefiles.Heading {
	h := articlefiles.Heading{Name: texts[source].Title, Locale: source, Position: int64(position)}
	if d := texts[source].HTMLBody; d != nil {
		h.Description = *d
	}
	for locale, t := range texts {
		if locale == source || !slices.Contains(l.Enabled, locale) {
			continue
		}
		line := articlefiles.Headline{Name: t.Title, Outdated: t.Outdated}
		if t.HTMLBody != nil {
			line.Description = *t.HTMLBody
		}
		if h.Translations == nil {
			h.Translations = map[string]articlefiles.Headline{}
		}
		h.Translations[locale] = line
	}
	return h
}

// madeID is an id that the database gave.
var madeID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (x *shelfExport) articles(each func(f articlefiles.File, done, total int64) error) error {
	const from = ` FROM articles AS a JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id
		JOIN translations AS s ON s.account_id = a.account_id AND s.source_type = 'Article' AND s.source_id = a.id AND s.locale = a.source_locale
		WHERE a.account_id = ? AND a.brand_id = ? AND a.archived_at IS NULL AND t.locale = ANY(?::text[])`
	args := []any{x.by.AccountID, x.by.Brand.ID, models.Strings(x.locales)}
	var total, done int64
	if err := x.tx.Raw("SELECT count(*)"+from, args...).Row().Scan(&total); err != nil {
		return err
	}
	var names articlefiles.Names
	return postgres.Rows(x.tx, `SELECT a.external_id, a.section_id, a.permission_group_id, a.user_segment_ids, a.source_locale, a.position, a.promoted, a.comments_disabled,
			a.label_names, a.content_tag_ids, s.title, t.locale, t.title, t.html_body, t.markdown, t.draft, t.outdated,
			(SELECT coalesce(array_agg(r.path ORDER BY r.path), '{}') FROM redirects AS r WHERE r.account_id = a.account_id AND r.article_id = a.id)`+
		from+" ORDER BY a.external_id, t.locale", args, func(row postgres.Scanned) error {
		var a models.Article
		var t models.Translation
		var id, title string
		var paths models.Strings
		err := row.Scan(&id, &a.SectionID, &a.PermissionGroupID, &a.UserSegmentIDs, &a.SourceLocale, &a.Position, &a.Promoted, &a.CommentsDisabled,
			&a.LabelNames, &a.ContentTagIDs, &title, &t.Locale, &t.Title, &t.HTMLBody, &t.Markdown, &t.Draft, &t.Outdated, &paths)
		if err != nil {
			return err
		}
		f, err := x.file(id, a, t, paths)
		if err != nil {
			return err
		}
		if f.Path = names.For(id, title, madeID.MatchString(id)) + f.Suffix(); !x.alone {
			f.Path = f.Locale + "/" + f.Path
		}
		done++
		return each(f, done, total)
	})
}

// file is a translation of an article as a file. What is said of the article stands
// in that of its own language, or in the only one.
func (x *shelfExport) file(id string, a models.Article, t models.Translation, paths []string) (articlefiles.File, error) {
	f := articlefiles.File{Locale: t.Locale, ID: id, Title: t.Title, Draft: onlyTrue(t.Draft), Outdated: onlyTrue(t.Outdated), Markdown: t.Markdown != nil, Body: source(t)}
	if !f.Markdown && f.Body != "" {
		f.Body += "\n"
	}
	if t.Locale != a.SourceLocale {
		f.SourceLocale = a.SourceLocale
		if !x.alone {
			return f, nil
		}
	}
	in := x.sections[a.SectionID]
	if in == nil {
		return f, fmt.Errorf("the article %q lies in no section", id)
	}
	f.Category, f.Section, f.Labels = in.category.name(), in.path(), a.LabelNames
	for _, path := range paths {
		f.Redirects = append(f.Redirects, escapedPath(path))
	}
	if a.Position != 0 {
		f.Position = new(int64(a.Position))
	}
	f.Promoted, f.CommentsDisabled = onlyTrue(a.Promoted), onlyTrue(a.CommentsDisabled)
	f.UserSegments = namesOf(x.segments, a.UserSegmentIDs)
	if a.PermissionGroupID != x.builtIn {
		f.PermissionGroup = new(x.permissions[a.PermissionGroupID])
	}
	for _, tag := range a.ContentTagIDs {
		f.ContentTags = append(f.ContentTags, x.tags[tag])
	}
	return f, nil
}

// onlyTrue leaves out what is not so.
func onlyTrue(yes bool) *bool {
	if !yes {
		return nil
	}
	return &yes
}
