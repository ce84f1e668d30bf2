package helpcenter

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// MaxGiven is how many files one call gives an article.
const MaxGiven = 20

// NewFile is a file for an article as it comes. What tells of it may come behind
// its contents.
type NewFile struct {
	attachments.UploadInput
	Rest func() (inline bool, locale string, err error) // once the contents have been read
}

// AddFile keeps a file for an article, which by must be allowed to edit, or for 0
// for any that takes it later by its id: agents may upload those. open gives the
// file once it is known that by may. It fails with fault.NotFound,
// fault.Forbidden, fault.TooLarge, and with fault.Invalid naming locale.
func (s *Service) AddFile(ctx context.Context, by auth.Actor, article int64, open func() (NewFile, error)) (models.Attachment, error) {
	var out models.Attachment
	if !by.Staff() {
		return out, fault.Denied()
	}
	if article != 0 { // before the file is read
		if err := s.changeArticle(ctx, by, article, func(*gorm.DB, *models.Article) error { return nil }); err != nil {
			return out, err
		}
	}
	in, err := open()
	if err != nil {
		return out, err
	}
	up, err := s.files.Upload(ctx, by, in.UploadInput)
	if err != nil {
		return out, err
	}
	keep := func(tx *gorm.DB) error {
		inline, locale, err := in.Rest()
		if err != nil {
			return err
		}
		of, err := s.languageTx(tx, by, locale)
		if err != nil {
			return err
		}
		if err := s.files.ForArticlesTx(tx, &up.File, inline, of); err != nil || article == 0 {
			out = up.File.Attachment
			return err
		}
		given, err := s.files.GiveArticleTx(tx, by, article, "file", []int64{up.File.ID})
		if err == nil {
			out = given[0]
		}
		return err
	}
	if article == 0 {
		err = s.db.WithContext(ctx).Transaction(keep)
	} else {
		err = s.changeArticle(ctx, by, article, func(tx *gorm.DB, _ *models.Article) error { return keep(tx) })
	}
	if err != nil { // nothing refers to the file: it goes when the upload expires, at the latest
		_ = s.files.DeleteUpload(ctx, by, up.Token)
	}
	return out, err
}

// languageTx is the language that a file is for; nil is all.
func (s *Service) languageTx(tx *gorm.DB, by auth.Actor, locale string) (*string, error) {
	if locale == "" {
		return nil, nil
	}
	l, err := s.localesTx(tx, by)
	if err != nil {
		return nil, err
	}
	locale, err = l.writing(locale)
	return &locale, err
}

// Files is a page of the files of an article that by may see. inline narrows it
// down to those within the text, or beside it; locale to those for a language, and
// for all. It fails with fault.NotFound.
func (s *Service) Files(ctx context.Context, by auth.Actor, article int64, inline *bool, locale string, r page.Request) (page.Result[models.Attachment], error) {
	tx := s.db.WithContext(ctx)
	l, err := s.seesTx(tx, by, models.SourceArticle, article)
	if err != nil {
		return page.Result[models.Attachment]{}, err
	}
	var locales models.Strings // nil: all
	if locale != "" {
		locales = models.Strings{strings.ToLower(locale)}
	}
	if !by.Staff() { // what is of a draft, its files are too
		texts, err := s.textsTx(tx, by, l, models.SourceArticle, []int64{article})
		if err != nil {
			return page.Result[models.Attachment]{}, err
		}
		seen := models.Strings{}
		for _, t := range texts[article] {
			if locales == nil || slices.Contains(locales, t.Locale) {
				seen = append(seen, t.Locale)
			}
		}
		locales = seen
	}
	return s.files.OfArticle(ctx, by.AccountID, article, inline, locales, r)
}

// File is a file of an article that by may see, or one that waits for an article;
// article, unless it is 0, is the one that it must be of. It fails with
// fault.NotFound.
func (s *Service) File(ctx context.Context, by auth.Actor, article, id int64) (models.Attachment, error) {
	f, err := s.files.ArticleFile(ctx, by, id)
	if err != nil {
		return f, err
	}
	if article != 0 && (f.ArticleID == nil || *f.ArticleID != article) {
		return models.Attachment{}, fault.Missing("Attachment", id)
	}
	if f.ArticleID == nil {
		return f, nil
	}
	if f.Locale != nil && !by.Staff() { // what is of a draft, its files are too
		if _, err := s.readableTx(s.db.WithContext(ctx), by, *f.Locale, *f.ArticleID); err != nil {
			return models.Attachment{}, fault.Missing("Attachment", id)
		}
	}
	if _, err := s.seesTx(s.db.WithContext(ctx), by, models.SourceArticle, *f.ArticleID); err != nil {
		return models.Attachment{}, err
	}
	return f, nil
}

// GiveFiles makes files that wait for an article those of one. It fails with
// fault.NotFound, fault.Forbidden, and with fault.Invalid naming attachment_ids.
func (s *Service) GiveFiles(ctx context.Context, by auth.Actor, article int64, ids []int64) error {
	return s.changeArticle(ctx, by, article, func(tx *gorm.DB, _ *models.Article) error {
		switch {
		case len(ids) == 0:
			return fault.Blank("attachment_ids")
		case len(ids) > MaxGiven:
			return fault.InvalidField("attachment_ids", "cannot be more than %d", MaxGiven)
		}
		_, err := s.files.GiveArticleTx(tx, by, article, "attachment_ids", ids)
		return err
	})
}

// DeleteFile removes a file: of an article that by may edit, or one that waits. It
// fails with fault.NotFound and fault.Forbidden.
func (s *Service) DeleteFile(ctx context.Context, by auth.Actor, id int64) error {
	f, err := s.File(ctx, by, 0, id)
	if err != nil {
		return err
	}
	drop := func(tx *gorm.DB) error { return s.files.DropArticleFileTx(tx, f) }
	if f.ArticleID == nil {
		return s.db.WithContext(ctx).Transaction(drop)
	}
	return s.changeArticle(ctx, by, *f.ArticleID, func(tx *gorm.DB, _ *models.Article) error { return drop(tx) })
}
