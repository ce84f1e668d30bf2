package helpcenter

import (
	"context"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/segments"
)

// Section is a section as it reads in one language.
type Section struct {
	models.Section
	Text models.Translation
}

// SectionChange is what a caller asks of a section. What is nil or unspecified is
// left alone.
type SectionChange struct {
	CategoryID      *int64
	ParentSectionID nullable.Nullable[int64]
	UserSegmentID   nullable.Nullable[int64] // null: everybody
	Position        *int64
	Sorting         *string
	ThemeTemplate   *string
	Text            Text   // name and description, in the source language
	Texts           []Text // in more languages, when it is made
}

const (
	sectionColumns = `s.account_id, s.id, s.brand_id, s.category_id, s.parent_section_id, s.source_locale, s.position, s.sorting, s.theme_template,
		s.user_segment_id, s.viewable_by, s.manageable_by, s.restricted_to_group_ids, s.restricted_to_organization_ids, s.required_tags,
		s.created_at, s.updated_at, ` + textColumns
	sectionFrom = "sections AS s JOIN translations AS t ON t.account_id = s.account_id AND t.source_type = 'Section' AND t.source_id = s.id"
)

func scanSection(row postgres.Scanned, order ...any) (c Section, err error) {
	dest := []any{&c.AccountID, &c.ID, &c.BrandID, &c.CategoryID, &c.ParentSectionID, &c.SourceLocale, &c.Position, &c.Sorting, &c.ThemeTemplate,
		&c.UserSegmentID, &c.ViewableBy, &c.ManageableBy, &c.RestrictedToGroupIDs, &c.RestrictedToOrganizationIDs, &c.RequiredTags,
		&c.CreatedAt, &c.UpdatedAt}
	err = row.Scan(append(append(dest, textInto(&c.Text)...), order...)...)
	c.Text.SourceType, c.Text.SourceID = models.SourceSection, c.ID
	return c, err
}

// ListSections is a page of the sections that by may see in a language, of a
// category or, for 0, of all. It fails as ListCategories does, and with
// fault.NotFound for the category.
func (s *Service) ListSections(ctx context.Context, by auth.Actor, locale string, category int64, r page.Request) (page.Result[Section], error) {
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return page.Result[Section]{}, err
	}
	o, err := orders("s", r.Sort, r.Desc)
	if err != nil {
		return page.Result[Section]{}, err
	}
	seen, args := seenSection(by)
	q := page.Query{Select: sectionColumns, From: sectionFrom, Order: o,
		Where: "s.account_id = ? AND t.locale = ? AND " + seen, Args: append([]any{by.AccountID, locale}, args...)}
	if category != 0 {
		if _, err := s.categoryTx(s.db.WithContext(ctx), by, locale, category); err != nil {
			return page.Result[Section]{}, err
		}
		q.Where, q.Args = q.Where+" AND s.category_id = ?", append(q.Args, category)
	}
	return page.ListRows(ctx, s.db, q, r, scanSection)
}

// Section is a section as it reads in a language. It fails with fault.NotFound
// also when it has no translation.
func (s *Service) Section(ctx context.Context, by auth.Actor, locale string, id int64) (Section, error) {
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return Section{}, err
	}
	return s.sectionTx(s.db.WithContext(ctx), by, locale, id)
}

func (s *Service) sectionTx(tx *gorm.DB, by auth.Actor, locale string, id int64) (c Section, err error) {
	found, err := s.sectionsTx(tx, by, locale, []int64{id})
	return only(found, err, "section", id)
}

// SectionsByID are those of the sections that by may see in a language.
func (s *Service) SectionsByID(ctx context.Context, by auth.Actor, locale string, ids []int64) ([]Section, error) {
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	// A search across brands shows articles of several.
	r := reachOf(config, by, nil)
	if locale, err = r.locales.reading(by, locale); err != nil {
		return nil, err
	}
	return s.sectionsTx(s.db.WithContext(ctx), r.by, locale, ids)
}

func (s *Service) sectionsTx(tx *gorm.DB, by auth.Actor, locale string, ids []int64) (list []Section, err error) {
	seen, args := seenSection(by)
	err = postgres.Rows(tx, "SELECT "+sectionColumns+" FROM "+sectionFrom+
		" WHERE s.account_id = ? AND t.locale = ? AND s.id = ANY(?::bigint[]) AND "+seen+" ORDER BY s.id",
		append([]any{by.AccountID, locale, models.IDs(ids)}, args...), func(row postgres.Scanned) error {
			c, err := scanSection(row)
			list = append(list, c)
			return err
		})
	return list, err
}

// CreateSection makes a section in a category. asked is the language of the
// path. It fails with fault.NotFound for the category, and with fault.Invalid
// naming the field.
func (s *Service) CreateSection(ctx context.Context, by auth.Actor, asked string, category int64, c SectionChange) (Section, error) {
	var out Section
	err := s.changeCategory(ctx, by, category, func(tx *gorm.DB, of *models.Category) error {
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		out.Section = models.Section{
			BrandID: of.BrandID, CategoryID: of.ID, Sorting: models.SortingManual, ThemeTemplate: "section_page",
			ViewableBy: models.ViewableByEverybody, ManageableBy: models.ManageableByManager, Stamps: stamps(s.now()),
		}
		c.CategoryID = nil
		texts, err := l.fresh(by, s.now(), models.SourceSection, asked, c.Text, c.Texts)
		if err := fault.Join(err, c.applyTx(tx, &out.Section)); err != nil {
			return err
		}
		out.SourceLocale = texts[0].Locale
		if err := tx.Create(&out.Section).Error; err != nil {
			return err
		}
		out.Text = texts[0]
		return keepTx(tx, texts, out.ID)
	})
	return out, err
}

// applyTx puts what c asks for into row, except for its texts.
func (c SectionChange) applyTx(tx *gorm.DB, row *models.Section) error {
	var errs []error
	if c.Position != nil {
		if err := positions.Check(*c.Position); err != nil {
			errs = append(errs, err)
		} else {
			row.Position = int(*c.Position)
		}
	}
	if c.Sorting != nil {
		if !slices.Contains([]string{models.SortingManual, models.SortingTitle, models.SortingCreationDesc, models.SortingCreationAsc}, *c.Sorting) {
			errs = append(errs, fault.InvalidField("sorting", "%.50s is none of manual, title, creation_desc and creation_asc", *c.Sorting))
		}
		row.Sorting = *c.Sorting
	}
	if c.ThemeTemplate != nil {
		row.ThemeTemplate = strings.TrimSpace(*c.ThemeTemplate)
		errs = append(errs, checkTitle("theme_template", row.ThemeTemplate))
	}
	if c.UserSegmentID.IsNull() {
		row.UserSegmentID = nil
	} else if id, err := c.UserSegmentID.Get(); err == nil && !same(row.UserSegmentID, &id) {
		row.UserSegmentID = &id
		errs = append(errs, segments.CheckTx(tx, "user_segment_id", id))
	}
	return fault.Join(append(errs, c.moveTx(tx, row))...)
}

// moveTx puts a section, which the caller has locked, elsewhere: into another
// category, or under another section of its category.
func (c SectionChange) moveTx(tx *gorm.DB, row *models.Section) error {
	if c.CategoryID != nil && *c.CategoryID != row.CategoryID {
		var to models.Category
		// What is of another brand is none here.
		if err := lockTx(tx.Where("brand_id = ?", row.BrandID), "category", *c.CategoryID, &to); err != nil {
			if fault.Is(err, fault.NotFound) {
				return fault.InvalidField("category_id", "%d is not a category", *c.CategoryID)
			}
			return err
		}
		row.CategoryID = to.ID
		if !c.ParentSectionID.IsSpecified() { // which stays in the old one
			row.ParentSectionID = nil
		}
	}
	if c.ParentSectionID.IsNull() {
		row.ParentSectionID = nil
	} else if id, err := c.ParentSectionID.Get(); err == nil {
		row.ParentSectionID = &id
	}
	if row.ParentSectionID == nil {
		return nil
	}
	return nestedTx(tx, *row)
}

// nestedTx refuses a parent of a section that is none, lies in another category,
// lies in the section itself, or makes the nesting too deep. The caller has locked
// the category; the parent stays until tx ends.
func nestedTx(tx *gorm.DB, row models.Section) error {
	parent := *row.ParentSectionID
	if parent == row.ID {
		return fault.InvalidField("parent_section_id", "is the section itself")
	}
	// Those who nest sections of one category take turns, as it is locked: two moves
	// may make a circle together.
	var found []models.Section
	err := tx.Clauses(clause.Locking{Strength: "SHARE"}).Limit(1).Find(&found, "id = ?", parent).Error
	over, err := only(found, err, "section", parent)
	if fault.Is(err, fault.NotFound) {
		return fault.InvalidField("parent_section_id", "%d is not a section", parent)
	}
	if err != nil {
		return err
	}
	var up []int64
	err = tx.Raw(`WITH RECURSIVE up AS (
			SELECT id, parent_section_id, 1 AS level FROM sections WHERE account_id = ? AND id = ?
			UNION ALL SELECT s.id, s.parent_section_id, up.level + 1 FROM up JOIN sections s ON s.account_id = ? AND s.id = up.parent_section_id
			WHERE up.level < 100)
		SELECT id FROM up ORDER BY level`, over.AccountID, parent, over.AccountID).Scan(&up).Error
	if err != nil {
		return err
	}
	var below int
	if row.ID != 0 {
		err = tx.Raw(`WITH RECURSIVE down AS (
				SELECT id, 0 AS level FROM sections WHERE account_id = ? AND id = ?
				UNION ALL SELECT s.id, down.level + 1 FROM down JOIN sections s ON s.account_id = ? AND s.parent_section_id = down.id WHERE down.level < 100)
			SELECT max(level) FROM down`, over.AccountID, row.ID, over.AccountID).Row().Scan(&below)
		if err != nil {
			return err
		}
	}
	switch {
	case over.CategoryID != row.CategoryID:
		return fault.InvalidField("parent_section_id", "%d belongs to another category", parent)
	case slices.Contains(up, row.ID):
		return fault.InvalidField("parent_section_id", "%d lies in the section itself", parent)
	case len(up)+1+below > MaxDepth:
		return fault.InvalidField("parent_section_id", "sections cannot be nested more than %d levels deep", MaxDepth)
	}
	return nil
}

// UpdateSection changes a section, which it answers as it reads in a language.
// Name and description change in the source language. It fails with
// fault.NotFound, with fault.Invalid naming the field, and with fault.Busy if
// another moves it at the same time.
func (s *Service) UpdateSection(ctx context.Context, by auth.Actor, locale string, id int64, c SectionChange) (Section, error) {
	var out Section
	update := func(tx *gorm.DB, row *models.Section) error {
		before := *row
		if err := c.applyTx(tx, row); err != nil {
			return err
		}
		c.Text.Locale = row.SourceLocale
		changed, err := s.rewriteTx(tx, by, models.SourceSection, id, nil, c.Text)
		if err != nil {
			return renamed(err, "title", "name")
		}
		moved := before.CategoryID != row.CategoryID
		if changed || moved || before.Position != row.Position || before.Sorting != row.Sorting || before.ThemeTemplate != row.ThemeTemplate ||
			!same(before.ParentSectionID, row.ParentSectionID) || !same(before.UserSegmentID, row.UserSegmentID) {
			row.UpdatedAt = s.now()
			err := tx.Select("category_id", "parent_section_id", "position", "sorting", "theme_template", "user_segment_id", "updated_at").Updates(row).Error
			if err != nil {
				return err
			}
		}
		if moved {
			if err := takeAlongTx(tx, row); err != nil {
				return err
			}
		}
		return s.shownTx(tx, by, locale, row.SourceLocale, func(locale string) (err error) {
			out, err = s.sectionTx(tx, by, locale, id)
			return err
		})
	}
	if c.CategoryID == nil && !c.ParentSectionID.IsSpecified() {
		err := s.changeSection(ctx, by, id, update)
		return out, err
	}
	err := s.changeTree(ctx, by, id, c.CategoryID, func(tx *gorm.DB, row *models.Section, _ []int64) error { return update(tx, row) })
	return out, err
}

// takeAlongTx has what lies in a section follow it into another category.
func takeAlongTx(tx *gorm.DB, row *models.Section) error {
	return tx.Exec(`WITH RECURSIVE down AS (
			SELECT id FROM sections WHERE account_id = @account AND id = @section
			UNION SELECT s.id FROM down JOIN sections s ON s.account_id = @account AND s.parent_section_id = down.id),
		followed AS (UPDATE sections SET category_id = @category WHERE account_id = @account AND id IN (SELECT id FROM down WHERE id <> @section))
		UPDATE articles SET category_id = @category WHERE account_id = @account AND section_id IN (SELECT id FROM down)`,
		map[string]any{"account": row.AccountID, "section": row.ID, "category": row.CategoryID}).Error
}

// changeSection runs f on a section that is locked.
func (s *Service) changeSection(ctx context.Context, by auth.Actor, id int64, f func(tx *gorm.DB, row *models.Section) error) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var row models.Section
		if err := lockTx(hereTx(tx, by), "section", id, &row); err != nil {
			return err
		}
		return f(tx, &row)
	})
}

// changeTree runs f on a section that changes its place: its category, the one that
// it goes to unless that is nil, and all sections in it are locked; tree are their
// ids, its own among them. Categories come before sections, and each in the order
// of their ids, for all who lock several: so nobody waits for one who waits for him.
func (s *Service) changeTree(ctx context.Context, by auth.Actor, id int64, to *int64, f func(tx *gorm.DB, row *models.Section, tree []int64) error) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		before, err := postgres.One[models.Section](hereTx(tx, by), "section", id)
		if err != nil {
			return err
		}
		around := models.IDs{before.CategoryID}
		if to != nil {
			around = append(around, *to)
		}
		if _, err := lockedTx[models.Category](tx, "id = ANY(?::bigint[])", around); err != nil {
			return err
		}
		all, err := lockedTx[models.Section](tx, `id IN (WITH RECURSIVE down AS (
				SELECT id FROM sections WHERE account_id = ? AND id = ?
				UNION SELECT s.id FROM down JOIN sections s ON s.account_id = ? AND s.parent_section_id = down.id)
			SELECT id FROM down)`, by.AccountID, id, by.AccountID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(row models.Section) bool { return row.ID == id })
		switch {
		case at < 0:
			return fault.Missing("section", id)
		case all[at].CategoryID != before.CategoryID:
			return fault.New(fault.Busy, "moved at the same time")
		}
		tree := make([]int64, len(all))
		for i, row := range all {
			tree[i] = row.ID
		}
		return f(tx, &all[at], tree)
	})
}

// lockedTx reads the records for which cond holds and makes other writers of them
// wait.
func lockedTx[T any](tx *gorm.DB, cond string, args ...any) (rows []T, err error) {
	err = tx.Clauses(clause.Locking{Strength: "UPDATE"}).Order("id").Find(&rows, append([]any{cond}, args...)...).Error
	return rows, err
}

// DeleteSection removes a section with those in it, and archives their articles. It
// fails with fault.NotFound, and with fault.Busy if another moves it at the same
// time.
func (s *Service) DeleteSection(ctx context.Context, by auth.Actor, id int64) error {
	return s.changeTree(ctx, by, id, nil, func(tx *gorm.DB, _ *models.Section, tree []int64) error {
		return s.dropSectionsTx(tx, by, tree)
	})
}

// dropSectionsTx removes sections that the caller has locked: an article that is
// being made in one of them came before, or finds it gone.
func (s *Service) dropSectionsTx(tx *gorm.DB, by auth.Actor, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.archiveTx(tx, by, "a.section_id = ANY(?::bigint[])", models.IDs(ids)); err != nil {
		return err
	}
	if err := dropTextsTx(tx, by.AccountID, models.SourceSection, ids); err != nil {
		return err
	}
	return tx.Where("id = ANY(?::bigint[])", models.IDs(ids)).Delete(&models.Section{}).Error
}
