package helpcenter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// newTexts are what a category or section that is to be made is called.
func newTexts(h articlefiles.Heading) map[string]models.Translation {
	texts := map[string]models.Translation{h.Locale: {Title: h.Name, HTMLBody: &h.Description}}
	for locale, t := range h.Translations {
		texts[locale] = models.Translation{Title: t.Name, HTMLBody: &t.Description, Outdated: t.Outdated}
	}
	return texts
}

func (s *shelf) addCategory(c articlefiles.Category) *shelfCategory {
	one := &shelfCategory{Category: models.Category{SourceLocale: c.Locale}, texts: newTexts(c.Heading), make: &c}
	s.categories = append(s.categories, one)
	return one
}

func (s *shelf) addSection(in *shelfCategory, parent *shelfSection, c articlefiles.Section) *shelfSection {
	one := &shelfSection{Section: models.Section{SourceLocale: c.Locale}, texts: newTexts(c.Heading), category: in, parent: parent, make: &c}
	if parent != nil {
		parent.sections = append(parent.sections, one)
	} else {
		in.sections = append(in.sections, one)
	}
	return one
}

// ensure is the section behind a path in a category; what is not there yet will be
// made, with names in a language.
func (s *shelf) ensure(in *shelfCategory, path []string, locale string) *shelfSection {
	var parent *shelfSection
	for i := range path {
		around := in.sections
		if parent != nil {
			around = parent.sections
		}
		if found := under(around, path[i:i+1]); len(found) > 0 {
			parent = found[0]
			continue
		}
		parent = s.addSection(in, parent, articlefiles.Section{Heading: articlefiles.Heading{Name: path[i], Locale: locale}})
	}
	return parent
}

// addContents notes what contents describe and is not there. Names without a
// language are in the default one.
func (s *shelf) addContents(contents articlefiles.Contents, l Locales) error {
	for _, c := range contents.Categories {
		if err := checkHeading(&c.Heading, l); err != nil {
			return err
		}
		found, err := s.category(c.Name)
		if err != nil {
			return err
		}
		if found == nil {
			found = s.addCategory(c)
		}
		found.translate(c.Heading)
		if err := s.addSections(found, nil, c.Sections, l); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) addSections(in *shelfCategory, parent *shelfSection, list []articlefiles.Section, l Locales) error {
	for _, c := range list {
		if err := checkHeading(&c.Heading, l); err != nil {
			return err
		}
		around := in.sections
		if parent != nil {
			around = parent.sections
		}
		found := under(around, []string{c.Name})
		if len(found) > 1 {
			return fmt.Errorf("there are several sections %q", c.Name)
		}
		if len(found) == 0 {
			found = []*shelfSection{s.addSection(in, parent, c)}
		}
		found[0].translate(c.Heading)
		for i, id := range c.Articles {
			if _, twice := s.listed[id]; twice {
				return fmt.Errorf("the article %q is listed twice", id)
			}
			s.listed[id] = listed{found[0], int64(i + 1)}
		}
		if err := s.addSections(in, found[0], c.Sections, l); err != nil {
			return err
		}
	}
	return nil
}

func checkHeading(h *articlefiles.Heading, l Locales) (err error) {
	if h.Name = strings.TrimSpace(h.Name); h.Name == "" {
		return errors.New("a category or section has no name")
	}
	if h.Locale == "" {
		h.Locale = l.Default
	}
	if h.Locale, err = l.writing(h.Locale); err != nil {
		return fmt.Errorf("%q: %w", h.Name, err)
	}
	lower := map[string]articlefiles.Headline{}
	for locale, t := range h.Translations {
		known, err := l.writing(locale)
		if err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
		lower[known] = t
	}
	h.Translations = lower
	return nil
}

// translate adds the names in languages that there is none in.
func (c *shelfCategory) translate(h articlefiles.Heading) { addTexts(c.texts, h) }
func (s *shelfSection) translate(h articlefiles.Heading)  { addTexts(s.texts, h) }

func addTexts(texts map[string]models.Translation, h articlefiles.Heading) {
	for locale, t := range newTexts(h) {
		if _, ok := texts[locale]; !ok {
			texts[locale] = t // without an id
		}
	}
}

// asText is a translation as a caller asks for it.
func asText(locale string, t models.Translation) Text {
	return Text{Locale: locale, Title: &t.Title, Body: t.HTMLBody, Outdated: &t.Outdated}
}

// others are the texts that are not in the source language.
func others(texts map[string]models.Translation, source string) (list []Text) {
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		if locale != source {
			list = append(list, asText(locale, texts[locale]))
		}
	}
	return list
}

// fill makes the categories and sections that are not there, and the translations
// that those have not that are.
func (s *shelf) fill(ctx context.Context, svc *Service, by auth.Actor) error {
	return svc.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		ctx := postgres.WithTx(ctx, tx)
		// As changeTree: one after another they would be locked in the order of files.
		if _, err := lockedTx[models.Category](tx, "TRUE"); err != nil {
			return err
		}
		if _, err := lockedTx[models.Section](tx, "TRUE"); err != nil {
			return err
		}
		for _, c := range s.categories {
			if err := c.fill(ctx, svc, by); err != nil {
				return fmt.Errorf("category %q: %w", c.name(), err)
			}
			if err := fillSections(ctx, svc, by, c.sections); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *shelfCategory) fill(ctx context.Context, svc *Service, by auth.Actor) error {
	if c.make == nil {
		return addTranslations(ctx, svc, by, models.SourceCategory, c.ID, c.texts)
	}
	made, err := svc.CreateCategory(ctx, by, c.SourceLocale, CategoryChange{
		Position: &c.make.Position, Text: asText(c.SourceLocale, c.texts[c.SourceLocale]), Texts: others(c.texts, c.SourceLocale),
	})
	c.Category, c.make = made.Category, nil
	return err
}

func fillSections(ctx context.Context, svc *Service, by auth.Actor, list []*shelfSection) error {
	for _, s := range list {
		if err := s.fill(ctx, svc, by); err != nil {
			return fmt.Errorf("section %q: %w", strings.Join(s.path(), " / "), err)
		}
		if err := fillSections(ctx, svc, by, s.sections); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelfSection) fill(ctx context.Context, svc *Service, by auth.Actor) error {
	if s.make == nil {
		return addTranslations(ctx, svc, by, models.SourceSection, s.ID, s.texts)
	}
	c := SectionChange{Position: &s.make.Position, Text: asText(s.SourceLocale, s.texts[s.SourceLocale]), Texts: others(s.texts, s.SourceLocale)}
	if s.make.Sorting != "" {
		c.Sorting = &s.make.Sorting
	}
	if s.parent != nil {
		c.ParentSectionID = nullable.NewNullableWithValue(s.parent.ID)
	}
	access, err := s.access(ctx, svc, &c)
	if err != nil {
		return err
	}
	made, err := svc.CreateSection(ctx, by, s.SourceLocale, s.category.ID, c)
	if err == nil && access != nil {
		made.Section, err = svc.UpdateAccess(ctx, by, made.ID, *access)
	}
	s.Section, s.make = made.Section, nil
	return err
}

// access is who may see and manage a section that is to be made; nil for everybody.
func (s *shelfSection) access(ctx context.Context, svc *Service, c *SectionChange) (*AccessChange, error) {
	m, tx := s.make, svc.db.WithContext(ctx)
	if m.UserSegment != "" {
		ids, err := idsByName(tx.Model(&models.UserSegment{}), "user segment", []string{m.UserSegment})
		if err != nil {
			return nil, err
		}
		c.UserSegmentID = nullable.NewNullableWithValue(ids[0])
	}
	if m.ViewableBy == "" && m.ManageableBy == "" && m.Groups == nil && m.Organizations == nil && m.RequiredTags == nil {
		return nil, nil
	}
	a := AccessChange{Tags: m.RequiredTags}
	if m.ViewableBy != "" {
		a.ViewableBy = &m.ViewableBy
	}
	if m.ManageableBy != "" {
		a.ManageableBy = &m.ManageableBy
	}
	var err error
	if a.GroupIDs, err = idsByName(tx.Model(&models.Group{}).Where("NOT deleted"), "group", m.Groups); err != nil {
		return nil, err
	}
	a.OrganizationIDs, err = idsByName(tx.Model(&models.Organization{}).Where("deleted_at IS NULL"), "organization", m.Organizations)
	return &a, err
}

// idsByName are the ids of records that files name, each of which is one. It fails
// for a name that none or several have.
func idsByName(q *gorm.DB, what string, names []string) ([]int64, error) {
	var rows []struct {
		ID   int64
		Name string
	}
	if len(names) == 0 {
		return nil, nil
	}
	if err := q.Where("name = ANY(?::text[])", models.Strings(names)).Select("id", "name").Find(&rows).Error; err != nil {
		return nil, err
	}
	ids := make([]int64, len(names))
	for i, name := range names {
		for _, r := range rows {
			if r.Name == name {
				if ids[i] != 0 {
					return nil, fmt.Errorf("there are several of the %ss %q", what, name)
				}
				ids[i] = r.ID
			}
		}
		if ids[i] == 0 {
			return nil, fmt.Errorf("there is no %s %q", what, name)
		}
	}
	return ids, nil
}

func addTranslations(ctx context.Context, svc *Service, by auth.Actor, source string, id int64, texts map[string]models.Translation) error {
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		if t := texts[locale]; t.ID == 0 {
			made, err := svc.CreateTranslation(ctx, by, source, id, asText(locale, t))
			if err != nil {
				return err
			}
			texts[locale] = made.Translation
		}
	}
	return nil
}
