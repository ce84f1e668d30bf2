package helpcenter

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// Translation is a translation with what tells its address.
type Translation struct {
	models.Translation
	Hidden bool // its language is not enabled: nobody but staff sees it
}

// TextFilter narrows down translations. Zero values are all of them.
type TextFilter struct {
	Locales  []string
	Outdated *bool
	Draft    *bool
}

// ListTranslations are the translations of a record, by language, that by may
// see. source is what the record is: models.SourceArticle and the rest. It fails
// with fault.NotFound.
func (s *Service) ListTranslations(ctx context.Context, by auth.Actor, source string, id int64, f TextFilter) ([]Translation, error) {
	tx := s.db.WithContext(ctx)
	l, err := s.seesTx(tx, by, source, id)
	if err != nil {
		return nil, err
	}
	all, err := s.textsTx(tx, by, l, source, []int64{id})
	if err != nil {
		return nil, err
	}
	for i := range f.Locales {
		f.Locales[i] = strings.ToLower(strings.TrimSpace(f.Locales[i]))
	}
	out := []Translation{}
	for _, t := range all[id] {
		if len(f.Locales) > 0 && !slices.Contains(f.Locales, t.Locale) || f.Outdated != nil && *f.Outdated != t.Outdated || f.Draft != nil && *f.Draft != t.Draft {
			continue
		}
		out = append(out, t)
	}
	return out, nil
}

// TranslationsOf are the translations that by may see of records that he has been
// shown, by record and language.
func (s *Service) TranslationsOf(ctx context.Context, by auth.Actor, source string, ids []int64) (map[int64][]Translation, error) {
	tx := s.db.WithContext(ctx)
	l, err := s.localesTx(tx, by)
	if err != nil {
		return nil, err
	}
	return s.textsTx(tx, by, l, source, ids)
}

func (s *Service) textsTx(tx *gorm.DB, by auth.Actor, l Locales, source string, ids []int64) (map[int64][]Translation, error) {
	seen, args := seenText(by)
	q := tx.Table("translations AS t").Where("t.source_type = ? AND t.source_id = ANY(?::bigint[])", source, models.IDs(ids)).Where(seen, args...)
	if !by.Staff() {
		q = q.Where("t.locale = ANY(?::text[])", models.Strings(l.Enabled))
	}
	var rows []models.Translation
	err := q.Order("t.source_id, t.locale").Find(&rows).Error
	out := map[int64][]Translation{}
	for _, t := range rows {
		out[t.SourceID] = append(out[t.SourceID], l.translation(t))
	}
	return out, err
}

func (l Locales) translation(t models.Translation) Translation {
	return Translation{t, !slices.Contains(l.Enabled, t.Locale)}
}

// seesTx fails with fault.NotFound unless by may see a record in one of its
// languages. It tells the languages that there are.
func (s *Service) seesTx(tx *gorm.DB, by auth.Actor, source string, id int64) (Locales, error) {
	l, err := s.localesTx(tx, by)
	if err != nil {
		return l, err
	}
	alias := "c"
	where, args := seenCategory(by)
	switch source {
	case models.SourceArticle:
		alias = "a"
		where, args = SeenArticle(by)
	case models.SourceSection:
		alias = "s"
		where, args = seenSection(by)
	}
	if !by.Staff() {
		where, args = where+" AND t.locale = ANY(?::text[])", append(args, models.Strings(l.Enabled))
	}
	var n int64
	err = tx.Raw("SELECT count(*) FROM "+tables[source]+" AS "+alias+" JOIN translations AS t ON t.account_id = "+alias+".account_id AND t.source_type = ? AND t.source_id = "+alias+
		".id WHERE "+alias+".account_id = ? AND "+alias+".id = ? AND "+where, append([]any{source, by.AccountID, id}, args...)...).Row().Scan(&n)
	if err == nil && n == 0 {
		err = fault.Missing(strings.ToLower(source), id)
	}
	return l, err
}

// Translation is a translation of a record. It fails with fault.NotFound.
func (s *Service) Translation(ctx context.Context, by auth.Actor, source string, id int64, locale string) (Translation, error) {
	list, err := s.ListTranslations(ctx, by, source, id, TextFilter{Locales: []string{locale}})
	return only(list, err, "translation", locale)
}

// MissingTranslations are the enabled languages that a record has no translation
// for that by may see.
func (s *Service) MissingTranslations(ctx context.Context, by auth.Actor, source string, id int64) ([]string, error) {
	tx := s.db.WithContext(ctx)
	l, err := s.seesTx(tx, by, source, id)
	if err != nil {
		return nil, err
	}
	there, err := s.textsTx(tx, by, l, source, []int64{id})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(l.Enabled), func(locale string) bool {
		return slices.ContainsFunc(there[id], func(t Translation) bool { return t.Locale == locale })
	}), nil
}

// CreateTranslation translates a record into a further language. It fails with
// fault.NotFound, fault.Forbidden, and fault.Invalid naming the field.
func (s *Service) CreateTranslation(ctx context.Context, by auth.Actor, source string, id int64, t Text) (Translation, error) {
	var out Translation
	err := s.changeSource(ctx, by, source, id, func(tx *gorm.DB, of *models.Article) error {
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		list, err := l.fresh(by, s.now(), source, "", t, nil)
		if err != nil {
			return renamed(err, "name", "title")
		}
		if of != nil && !list[0].Draft {
			if err := mayPublishTx(tx, by, *of); err != nil {
				return err
			}
		}
		var n int64
		if err := tx.Model(&models.Translation{}).Where("source_type = ? AND source_id = ? AND locale = ?", source, id, list[0].Locale).Count(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			return fault.Duplicate("locale", "has a translation already")
		}
		if err := keepTx(tx, list, id); err != nil {
			return err
		}
		out = l.translation(list[0])
		if source != models.SourceArticle {
			return s.touchTx(tx, by, source, id, false)
		}
		if err := s.touchTx(tx, by, source, id, true); err != nil {
			return err
		}
		return s.publishedTx(tx, by, *of, list[0], false)
	})
	return out, err
}

// UpdateTranslation changes a translation. It fails with fault.NotFound,
// fault.Forbidden, and fault.Invalid naming the field.
func (s *Service) UpdateTranslation(ctx context.Context, by auth.Actor, source string, id int64, t Text) (Translation, error) {
	var out Translation
	err := s.changeSource(ctx, by, source, id, func(tx *gorm.DB, of *models.Article) error {
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		if _, err := s.rewriteTx(tx, by, source, id, of, t); err != nil {
			return err
		}
		row, err := textTx(tx, source, id, t.Locale)
		out = l.translation(row)
		return err
	})
	return out, err
}

func textTx(tx *gorm.DB, source string, id int64, locale string) (models.Translation, error) {
	var row models.Translation
	err := tx.Take(&row, "source_type = ? AND source_id = ? AND locale = ?", source, id, strings.ToLower(locale)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("translation", locale)
	}
	return row, err
}

// rewriteTx changes a translation of a record that the caller has locked, and
// reports whether it did: what is written as it is already stays untouched. of is
// the article, if it is one.
func (s *Service) rewriteTx(tx *gorm.DB, by auth.Actor, source string, id int64, of *models.Article, t Text) (bool, error) {
	row, err := textTx(tx, source, id, t.Locale)
	if err != nil {
		return false, err
	}
	before := row
	written, changed, err := t.apply(&row)
	if err != nil || !changed {
		return false, err
	}
	if of != nil && !(before.Draft && row.Draft) {
		if err := mayPublishTx(tx, by, *of); err != nil {
			return false, err
		}
	}
	row.UpdatedAt, row.UpdatedByID = s.now(), by.ID()
	if err := tx.Select("title", "html_body", "markdown", "draft", "outdated", "updated_at", "updated_by_id").Updates(&row).Error; err != nil {
		return false, err
	}
	if written {
		if err := reviseTx(tx, row); err != nil {
			return false, err
		}
	}
	if err := s.touchTx(tx, by, source, id, written); err != nil {
		return false, err
	}
	if of == nil {
		return true, nil
	}
	return true, s.shownNowTx(tx, by, *of, before, row)
}

// touchTx notes that a translation of a record changed; written: its title or
// body.
func (s *Service) touchTx(tx *gorm.DB, by auth.Actor, source string, id int64, written bool) error {
	set, args := "updated_at = ?", []any{s.now()}
	if written && source == models.SourceArticle {
		set, args = set+", edited_at = ?", append(args, s.now())
	}
	return tx.Exec("UPDATE "+tables[source]+" SET "+set+" WHERE account_id = ? AND id = ?", append(args, by.AccountID, id)...).Error
}

// shownNowTx notes that an article can, or can no longer, be read in a language.
func (s *Service) shownNowTx(tx *gorm.DB, by auth.Actor, a models.Article, before, after models.Translation) error {
	switch {
	case before.Draft == after.Draft:
		return nil
	case after.Draft:
		return s.unpublishedTx(tx, by, []brandArticle{{a.ID, a.BrandID}})
	}
	return s.publishedTx(tx, by, a, after, false)
}

// DeleteTranslation removes a translation for good, with its revisions. It fails
// with fault.NotFound, fault.Forbidden, and with fault.Invalid for the source, and
// so for the last one.
func (s *Service) DeleteTranslation(ctx context.Context, by auth.Actor, id int64) error {
	var t models.Translation
	err := s.db.WithContext(ctx).Take(&t, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing("translation", id)
	}
	if err != nil {
		return err
	}
	err = s.changeSource(ctx, by, t.SourceType, t.SourceID, func(tx *gorm.DB, of *models.Article) error {
		if err := tx.Take(&t, "id = ?", id).Error; err != nil { // it may have been published since
			return err
		}
		if of != nil && !t.Draft {
			if err := mayPublishTx(tx, by, *of); err != nil {
				return err
			}
		}
		var source string
		err := tx.Raw("SELECT source_locale FROM "+tables[t.SourceType]+" WHERE account_id = ? AND id = ?", by.AccountID, t.SourceID).Row().Scan(&source)
		if err != nil {
			return err
		}
		if source == t.Locale {
			return fault.InvalidField("locale", "%s is the language that others are translated from", t.Locale)
		}
		gone := tx.Delete(&models.Translation{}, "id = ?", id)
		if gone.Error != nil {
			return gone.Error
		}
		if err := tx.Where("translation_id = ?", id).Delete(&models.TranslationRevision{}).Error; err != nil {
			return err
		}
		if err := s.touchTx(tx, by, t.SourceType, t.SourceID, true); err != nil {
			return err
		}
		if of == nil {
			return nil
		}
		return s.shownNowTx(tx, by, *of, t, models.Translation{Draft: true})
	})
	if fault.Is(err, fault.NotFound) || errors.Is(err, gorm.ErrRecordNotFound) { // of an archived article, or deleted meanwhile
		return fault.Missing("translation", id)
	}
	return err
}
