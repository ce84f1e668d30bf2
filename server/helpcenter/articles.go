package helpcenter

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/contenttags"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/segments"
)

// Article is an article as it reads in one language.
type Article struct {
	models.Article
	Text            models.Translation
	OutdatedLocales models.Strings // languages whose translations are outdated
}

// ArticleChange is what a caller asks of an article. What is nil or unspecified
// is left alone. Texts count when it is made; later they are changed as
// translations.
type ArticleChange struct {
	SectionID         *int64
	AuthorID          *int64
	PermissionGroupID *int64
	UserSegmentID     nullable.Nullable[int64] // null: everybody
	UserSegmentIDs    []int64                  // any of which may see it; empty: everybody
	Position          *int64
	Promoted          *bool
	CommentsDisabled  *bool
	LabelNames        []string
	ContentTagIDs     []string
	CreatedAt         *time.Time // when it is made, by an admin
	Quiet             bool       // nobody is told of a new one by mail
	Text              Text
	Texts             []Text // in more languages
}

// CreateArticle makes an article in a section, with its texts. asked is the
// language of the path. It fails with fault.NotFound for the section, with
// fault.Forbidden, and with fault.Invalid naming the field.
func (s *Service) CreateArticle(ctx context.Context, by auth.Actor, asked string, section int64, c ArticleChange) (Article, error) {
	var out Article
	if !by.Staff() {
		return out, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		in, err := sharedSectionTx(tx, by, section)
		if err != nil {
			return err
		}
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		now := s.now()
		out.Article = models.Article{
			BrandID: in.BrandID, CategoryID: in.CategoryID, SectionID: in.ID, AuthorID: by.ID(), UserSegmentIDs: models.IDs{},
			LabelNames: models.Strings{}, ContentTagIDs: models.Strings{}, Stamps: stamps(now), EditedAt: now,
		}
		if out.PermissionGroupID, err = segments.AdministratorsTx(tx); err != nil {
			return err
		}
		c.SectionID = nil
		texts, err := l.fresh(by, now, models.SourceArticle, asked, c.Text, c.Texts)
		if err := fault.Join(err, c.applyTx(tx, by, &out.Article)); err != nil {
			return err
		}
		if err := mayChangeTx(tx, by, out.PermissionGroupID, out.SectionID, segments.MayEdit); err != nil {
			return err
		}
		if slices.ContainsFunc(texts, func(t models.Translation) bool { return !t.Draft }) {
			if err := mayPublishTx(tx, by, out.Article); err != nil {
				return err
			}
		}
		if c.CreatedAt != nil && by.Admin() {
			if c.CreatedAt.After(now) {
				return fault.InvalidField("created_at", "is in the future")
			}
			out.CreatedAt = *c.CreatedAt
		}
		out.SourceLocale = texts[0].Locale
		if out.LabelNames, err = s.labelsTx(tx, by.AccountID, out.LabelNames); err != nil {
			return err
		}
		if err := tx.Create(&out.Article).Error; err != nil {
			return err
		}
		if err := keepTx(tx, texts, out.ID); err != nil {
			return err
		}
		out.Text, out.OutdatedLocales = texts[0], models.Strings{}
		for _, t := range texts {
			if t.Outdated {
				out.OutdatedLocales = append(out.OutdatedLocales, t.Locale)
			}
			if err := s.publishedTx(tx, by, out.Article, t, c.Quiet); err != nil {
				return err
			}
		}
		slices.Sort(out.OutdatedLocales)
		return nil
	})
	return out, err
}

// sharedSectionTx reads a section that by may see, and keeps others from deleting or
// moving it.
func sharedSectionTx(tx *gorm.DB, by auth.Actor, id int64) (models.Section, error) {
	var in []models.Section
	seen, args := seenSection(by)
	err := tx.Table("sections AS s").Clauses(clause.Locking{Strength: "SHARE", Table: clause.Table{Name: "s"}}).Limit(1).Where("s.id = ?", id).Where(seen, args...).Find(&in).Error
	return only(in, err, "section", id)
}

// only is the one record that was looked for by its id.
func only[T any](found []T, err error, what string, id any) (one T, _ error) {
	if err != nil || len(found) == 0 {
		return one, orMissing(err, what, id)
	}
	return found[0], nil
}

func orMissing(err error, what string, id any) error {
	if err == nil {
		return fault.Missing(what, id)
	}
	return err
}

// applyTx puts what c asks for into row, except for its texts.
func (c ArticleChange) applyTx(tx *gorm.DB, by auth.Actor, row *models.Article) error {
	var errs []error
	if c.Position != nil {
		if err := positions.Check(*c.Position); err != nil {
			errs = append(errs, err)
		} else {
			row.Position = int(*c.Position)
		}
	}
	set(&row.Promoted, c.Promoted)
	set(&row.CommentsDisabled, c.CommentsDisabled)
	if c.LabelNames != nil {
		names, err := cleanLabels(c.LabelNames)
		row.LabelNames, errs = names, append(errs, err)
	}
	errs = append(errs, c.moveTx(tx, by, row), c.authorTx(tx, row))
	return fault.Join(append(errs, c.readersTx(tx, by, row)...)...)
}

// moveTx puts an article into another section.
func (c ArticleChange) moveTx(tx *gorm.DB, by auth.Actor, row *models.Article) error {
	if c.SectionID == nil || *c.SectionID == row.SectionID {
		return nil
	}
	in, err := sharedSectionTx(tx, by, *c.SectionID)
	if fault.Is(err, fault.NotFound) || err == nil && in.BrandID != row.BrandID {
		return fault.InvalidField("section_id", "%d is not a section", *c.SectionID)
	}
	row.SectionID, row.CategoryID = in.ID, in.CategoryID
	return err
}

// authorTx gives an article another author, who must be one of the staff.
func (c ArticleChange) authorTx(tx *gorm.DB, row *models.Article) error {
	if c.AuthorID == nil || *c.AuthorID == row.AuthorID {
		return nil
	}
	var n int64
	err := tx.Model(&models.User{}).Where("id = ? AND active AND role IN ?", *c.AuthorID, []string{models.RoleAgent, models.RoleAdmin}).Count(&n).Error
	if err == nil && n == 0 {
		return fault.InvalidField("author_id", "%d is not an agent", *c.AuthorID)
	}
	row.AuthorID = *c.AuthorID
	return err
}

// readersTx says who may see an article and who may change it.
func (c ArticleChange) readersTx(tx *gorm.DB, by auth.Actor, row *models.Article) (errs []error) {
	ids, field := c.UserSegmentIDs, "user_segment_ids"
	if ids == nil && c.UserSegmentID.IsSpecified() {
		ids, field = []int64{}, "user_segment_id"
		if id, err := c.UserSegmentID.Get(); err == nil {
			ids = []int64{id}
		}
	}
	if ids != nil && !slices.Equal(ids, row.UserSegmentIDs) {
		slices.Sort(ids)
		row.UserSegmentIDs = slices.Compact(ids)
		errs = append(errs, segments.CheckTx(tx, field, ids...))
	}
	if c.PermissionGroupID != nil && *c.PermissionGroupID != row.PermissionGroupID {
		err := segments.CheckPermissionGroupTx(tx, "permission_group_id", *c.PermissionGroupID)
		if row.PermissionGroupID = *c.PermissionGroupID; err == nil && row.ID != 0 { // or who it is given to could not be changed back
			err = mayChangeTx(tx, by, row.PermissionGroupID, row.SectionID, segments.MayEdit)
		}
		errs = append(errs, err)
	}
	return append(errs, c.tagsTx(tx, row))
}

// tagsTx gives an article other content tags.
func (c ArticleChange) tagsTx(tx *gorm.DB, row *models.Article) error {
	if c.ContentTagIDs == nil || slices.Equal(c.ContentTagIDs, row.ContentTagIDs) {
		return nil
	}
	if err := contenttags.CheckTx(tx, "content_tag_ids", c.ContentTagIDs); err != nil {
		return err
	}
	row.ContentTagIDs = models.Strings{}
	for _, id := range c.ContentTagIDs {
		if !slices.Contains(row.ContentTagIDs, id) {
			row.ContentTagIDs = append(row.ContentTagIDs, id)
		}
	}
	return nil
}

// articleColumns are those that UpdateArticle writes.
var articleColumns = []string{
	"brand_id", "category_id", "section_id", "author_id", "permission_group_id", "user_segment_ids", "position", "promoted", "comments_disabled",
	"label_names", "content_tag_ids", "updated_at",
}

// UpdateArticle changes what is no text of an article, which it answers as it
// reads in a language. It fails as CreateArticle does.
func (s *Service) UpdateArticle(ctx context.Context, by auth.Actor, locale string, id int64, c ArticleChange) (Article, error) {
	var out Article
	err := s.changeArticle(ctx, by, id, func(tx *gorm.DB, row *models.Article) error {
		before := *row
		if err := c.applyTx(tx, by, row); err != nil {
			return err
		}
		if err := mayShowTx(tx, by, before, *row); err != nil {
			return err
		}
		if c.LabelNames != nil {
			var err error
			if row.LabelNames, err = s.labelsTx(tx, by.AccountID, row.LabelNames); err != nil {
				return err
			}
		}
		if !unchanged(before, *row) {
			row.UpdatedAt = s.now()
			if err := tx.Select(articleColumns).Updates(row).Error; err != nil {
				return err
			}
			if err := s.authorChangedTx(tx, by, before, *row); err != nil {
				return err
			}
		}
		return s.shownTx(tx, by, locale, row.SourceLocale, func(locale string) (err error) {
			out, err = s.articleTx(tx, by, locale, id)
			return err
		})
	})
	return out, err
}

// mayShowTx fails with fault.Denied if a change shows an article to others, or has
// others decide who may publish it, and by may edit it only.
func mayShowTx(tx *gorm.DB, by auth.Actor, before, after models.Article) error {
	moved := after.SectionID != before.SectionID
	if !moved && slices.Equal(after.UserSegmentIDs, before.UserSegmentIDs) {
		return nil
	}
	if !moved {
		var n int64
		err := tx.Model(&models.Translation{}).Where("source_type = ? AND source_id = ? AND NOT draft", models.SourceArticle, before.ID).Count(&n).Error
		if err != nil || n == 0 {
			return err
		}
	}
	return mayChangeTx(tx, by, before.PermissionGroupID, before.SectionID, segments.MayPublish)
}

func unchanged(a, b models.Article) bool {
	return a.SectionID == b.SectionID && a.AuthorID == b.AuthorID && a.PermissionGroupID == b.PermissionGroupID &&
		slices.Equal(a.UserSegmentIDs, b.UserSegmentIDs) && a.Position == b.Position && a.Promoted == b.Promoted &&
		a.CommentsDisabled == b.CommentsDisabled && slices.Equal(a.LabelNames, b.LabelNames) && slices.Equal(a.ContentTagIDs, b.ContentTagIDs)
}

// changeArticle runs f on an article that by may edit, and which is locked. One
// that by may not see is missing.
func (s *Service) changeArticle(ctx context.Context, by auth.Actor, id int64, f func(tx *gorm.DB, row *models.Article) error) error {
	if !by.Staff() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var row models.Article
		if err := lockTx(hereTx(tx, by), "article", id, &row); err != nil {
			return err
		}
		if row.ArchivedAt != nil {
			return fault.Missing("article", id)
		}
		if err := mayChangeTx(tx, by, row.PermissionGroupID, row.SectionID, segments.MayEdit); err != nil {
			if _, unseen := s.seesTx(tx, by, models.SourceArticle, id); unseen != nil {
				return unseen
			}
			return err
		}
		return f(tx, &row)
	})
}

// ArchiveArticle takes an article out of the help center. Who may publish it may.
func (s *Service) ArchiveArticle(ctx context.Context, by auth.Actor, id int64) error {
	return s.changeArticle(ctx, by, id, func(tx *gorm.DB, row *models.Article) error {
		if err := mayChangeTx(tx, by, row.PermissionGroupID, row.SectionID, segments.MayPublish); err != nil {
			return err
		}
		return s.archiveTx(tx, by, "a.id = ?", id)
	})
}

// archiveTx archives the articles a for which cond holds.
func (s *Service) archiveTx(tx *gorm.DB, by auth.Actor, cond string, args ...any) error {
	var gone []struct {
		ID, BrandID int64
		Published   bool
	}
	now := s.now()
	err := tx.Raw(`UPDATE articles AS a SET archived_at = ?, archived_by_id = ?, updated_at = ? WHERE a.account_id = ? AND a.archived_at IS NULL AND `+cond+`
		RETURNING a.id, a.brand_id, EXISTS (SELECT FROM translations AS t
			WHERE t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id AND NOT t.draft) AS published`,
		append([]any{now, by.ID(), now, by.AccountID}, args...)...).Scan(&gone).Error
	if err != nil {
		return err
	}
	var ids []brandArticle
	for _, a := range gone {
		if a.Published {
			ids = append(ids, brandArticle{a.ID, a.BrandID})
		}
	}
	return s.unpublishedTx(tx, by, ids)
}

// UpdateSourceLocale makes another of a record's languages the one that it is
// translated from. source is what the record is: models.SourceArticle and the
// rest. It fails with fault.NotFound, and with fault.Invalid naming field where
// there is no such translation.
func (s *Service) UpdateSourceLocale(ctx context.Context, by auth.Actor, source string, id int64, field, locale string) error {
	return s.changeSource(ctx, by, source, id, func(tx *gorm.DB, _ *models.Article) error {
		locale = strings.ToLower(strings.TrimSpace(locale))
		if locale == "" {
			return fault.Blank(field)
		}
		var n int64
		if err := tx.Model(&models.Translation{}).Where("source_type = ? AND source_id = ? AND locale = ?", source, id, locale).Count(&n).Error; err != nil {
			return err
		}
		if n == 0 {
			return fault.InvalidField(field, "there is no translation for %.50s", locale)
		}
		return tx.Exec("UPDATE "+tables[source]+" SET source_locale = ?, updated_at = ? WHERE account_id = ? AND id = ? AND source_locale <> ?",
			locale, s.now(), by.AccountID, id, locale).Error
	})
}

// tables of what has translations.
var tables = map[string]string{models.SourceArticle: "articles", models.SourceSection: "sections", models.SourceCategory: "categories"}

// changeSource runs f while a record that by may change is locked; of is the
// article, if it is one.
func (s *Service) changeSource(ctx context.Context, by auth.Actor, source string, id int64, f func(tx *gorm.DB, of *models.Article) error) error {
	switch source {
	case models.SourceArticle:
		return s.changeArticle(ctx, by, id, f)
	case models.SourceSection:
		return s.changeSection(ctx, by, id, func(tx *gorm.DB, _ *models.Section) error { return f(tx, nil) })
	}
	return s.changeCategory(ctx, by, id, func(tx *gorm.DB, _ *models.Category) error { return f(tx, nil) })
}
