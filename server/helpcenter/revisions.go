package helpcenter

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/segments"
	"github.com/helpd/helpd/server/textdiff"
)

// editableTx is a translation of an article that by may edit. It fails with
// fault.NotFound, and with fault.Forbidden for an article that by may only read.
func (s *Service) editableTx(tx *gorm.DB, by auth.Actor, article int64, locale string) (models.Translation, error) {
	if err := s.mayEditTx(tx, by, article); err != nil {
		return models.Translation{}, err
	}
	return textTx(tx, models.SourceArticle, article, locale)
}

func (s *Service) mayEditTx(tx *gorm.DB, by auth.Actor, article int64) error {
	a, err := s.readableTx(tx, by, "", article)
	if err != nil {
		return err
	}
	return mayChangeTx(tx, by, a.PermissionGroupID, a.SectionID, segments.MayEdit)
}

var revisionOrder = page.By("-id", page.Column{Expr: "r.id", Kind: page.Int, Desc: true})

// Revisions is a page of what a translation of an article was after each change
// of its title or body, the newest first. Who may edit the article may. It fails
// as editableTx does.
func (s *Service) Revisions(ctx context.Context, by auth.Actor, article int64, locale string, r page.Request) (page.Result[models.TranslationRevision], error) {
	t, err := s.editableTx(s.db.WithContext(ctx), by, article, locale)
	if err != nil {
		return page.Result[models.TranslationRevision]{}, err
	}
	return page.ListRows(ctx, s.db, page.Query{
		Select: "r.account_id, r.id, r.translation_id, r.title, r.html_body, r.author_id, r.created_at", From: "translation_revisions AS r",
		Where: "r.account_id = ? AND r.translation_id = ?", Args: []any{by.AccountID, t.ID}, Order: revisionOrder,
	}, r, func(row postgres.Scanned, order ...any) (v models.TranslationRevision, err error) {
		return v, row.Scan(append([]any{&v.AccountID, &v.ID, &v.TranslationID, &v.Title, &v.HTMLBody, &v.AuthorID, &v.CreatedAt}, order...)...)
	})
}

// Revision is one of them.
func (s *Service) Revision(ctx context.Context, by auth.Actor, article int64, locale string, id int64) (models.TranslationRevision, error) {
	tx := s.db.WithContext(ctx)
	t, err := s.editableTx(tx, by, article, locale)
	if err != nil {
		return models.TranslationRevision{}, err
	}
	return revisionTx(tx, t.ID, id)
}

func revisionTx(tx *gorm.DB, translation, id int64) (v models.TranslationRevision, err error) {
	err = tx.Take(&v, "translation_id = ? AND id = ?", translation, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("revision", id)
	}
	return v, err
}

// RevisionDiff is what became another between two revisions of a translation.
type RevisionDiff struct {
	SourceID *int64 // nil for the first revision, of which everything is new
	TargetID int64
	Title    []textdiff.Edit
	Body     []textdiff.Edit // of the HTML's source
}

// DiffRevisions compares a revision with another one, or for 0 with the one before
// it.
func (s *Service) DiffRevisions(ctx context.Context, by auth.Actor, article int64, locale string, id, other int64) (RevisionDiff, error) {
	tx := s.db.WithContext(ctx)
	d := RevisionDiff{TargetID: id}
	t, err := s.editableTx(tx, by, article, locale)
	if err != nil {
		return d, err
	}
	after, err := revisionTx(tx, t.ID, id)
	if err != nil {
		return d, err
	}
	var before models.TranslationRevision
	if other != 0 {
		if before, err = revisionTx(tx, t.ID, other); err != nil {
			return d, err
		}
	} else if err = tx.Where("translation_id = ? AND id < ?", t.ID, id).Order("id DESC").Limit(1).Find(&before).Error; err != nil {
		return d, err
	}
	if before.ID != 0 {
		d.SourceID = &before.ID
	}
	d.Title, d.Body = textdiff.HTML(before.Title, after.Title), textdiff.HTML(bodyOf(before), bodyOf(after))
	return d, nil
}

func bodyOf(v models.TranslationRevision) string {
	if v.HTMLBody == nil {
		return ""
	}
	return *v.HTMLBody
}

// RestoreRevision gives a translation the title and body that it had, as a new
// revision. Who may edit the article may; what is published, who may publish it.
func (s *Service) RestoreRevision(ctx context.Context, by auth.Actor, article int64, locale string, id int64) (Translation, error) {
	var out Translation
	err := s.changeArticle(ctx, by, article, func(tx *gorm.DB, of *models.Article) error {
		t, err := textTx(tx, models.SourceArticle, article, locale)
		if err != nil {
			return err
		}
		v, err := revisionTx(tx, t.ID, id)
		if err != nil {
			return err
		}
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		if _, err := s.rewriteTx(tx, by, models.SourceArticle, article, of, Text{Locale: t.Locale, Title: &v.Title, Body: new(bodyOf(v))}); err != nil {
			return err
		}
		t, err = textTx(tx, models.SourceArticle, article, t.Locale)
		out = l.translation(t)
		return err
	})
	return out, err
}
