package attachments

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// ForArticlesTx has the file of an upload, which just came, wait for an article to
// take it by its id. Nothing else may. inline: it is shown within the text. locale
// is the language that it is for; nil is all.
func (s *Service) ForArticlesTx(tx *gorm.DB, f *File, inline bool, locale *string) error {
	f.OfArticles, f.Inline, f.Locale = true, inline, locale
	return tx.Model(&models.Attachment{}).Where("id = ? OR parent_id = ?", f.ID, f.ID).
		Updates(map[string]any{"of_articles": true, "inline": inline, "locale": locale}).Error
}

// GiveArticleTx makes files that wait for an article those of one. by may give
// what he has uploaded, admins what anybody has. It fails with fault.Invalid,
// which names the field, for any other.
func (s *Service) GiveArticleTx(tx *gorm.DB, by auth.Actor, article int64, field string, ids []int64) ([]models.Attachment, error) {
	uploads := tx.Model(&models.Upload{}).Select("id").Where("account_id = ? AND expires_at > ? AND (user_id = ? OR ?)", by.AccountID, s.now(), by.ID(), by.Admin())
	var files []models.Attachment
	err := locking(tx).Order("id").Find(&files, "id = ANY(?::bigint[]) AND parent_id IS NULL AND of_articles AND upload_id IN (?)", models.IDs(ids), uploads).Error
	if err != nil {
		return nil, err
	}
	known := map[int64]bool{}
	var of models.IDs
	for i := range files {
		known[files[i].ID] = true
		of = append(of, *files[i].UploadID)
		files[i].UploadID, files[i].ArticleID = nil, &article
	}
	for _, id := range ids {
		if !known[id] {
			return nil, fault.InvalidField(field, "%d is not a file that waits for an article", id)
		}
	}
	err = tx.Model(&models.Attachment{}).Where("upload_id = ANY(?::bigint[])", of).Updates(map[string]any{"article_id": article, "upload_id": nil}).Error
	if err != nil {
		return nil, err
	}
	return files, tx.Where("id = ANY(?::bigint[])", of).Delete(&models.Upload{}).Error
}

const articleFileColumns = "f.account_id, f.id, f.upload_id, f.article_id, f.of_articles, f.locale, f.file_name, f.content_type, f.charset, f.size, f.inline, f.blob_key, f.created_at"

func scanArticleFile(row postgres.Scanned, order ...any) (f models.Attachment, err error) {
	return f, row.Scan(append([]any{&f.AccountID, &f.ID, &f.UploadID, &f.ArticleID, &f.OfArticles, &f.Locale, &f.FileName, &f.ContentType, &f.Charset,
		&f.Size, &f.Inline, &f.BlobKey, &f.CreatedAt}, order...)...)
}

var articleFilesByID = page.By("id", page.Column{Expr: "f.id", Kind: page.Int})

// OfArticle is a page of the files of an article, in the order they came. inline
// narrows it down to those that are shown within the text, or are not; locales to
// those for languages, and for all; nil is any.
func (s *Service) OfArticle(ctx context.Context, account, article int64, inline *bool, locales models.Strings, r page.Request) (page.Result[models.Attachment], error) {
	q := page.Query{
		Select: articleFileColumns, From: "attachments AS f", Order: articleFilesByID,
		Where: "f.account_id = ? AND f.article_id = ? AND f.parent_id IS NULL", Args: []any{account, article},
	}
	if inline != nil {
		q.Where, q.Args = q.Where+" AND f.inline = ?", append(q.Args, *inline)
	}
	if locales != nil {
		q.Where, q.Args = q.Where+" AND (f.locale IS NULL OR f.locale = ANY(?::text[]))", append(q.Args, locales)
	}
	return page.ListRows(ctx, s.db, q, r, scanArticleFile)
}

// ArticleFile is a file of an article, or one that waits for an article: that by
// has uploaded, or anybody for admins. Who may see the article is for the caller
// to say. It fails with fault.NotFound.
func (s *Service) ArticleFile(ctx context.Context, by auth.Actor, id int64) (models.Attachment, error) {
	var f models.Attachment
	err := s.db.WithContext(ctx).Take(&f, "id = ? AND of_articles AND parent_id IS NULL", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return f, fault.Missing("Attachment", id)
	}
	if err != nil || f.ArticleID != nil {
		return f, err
	}
	var u models.Upload
	err = s.db.WithContext(ctx).Take(&u, "id = ?", f.UploadID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !by.Admin() && (by.Anonymous() || u.UserID == nil || *u.UserID != by.ID()) {
		return f, fault.Missing("Attachment", id)
	}
	return f, err
}

// DropArticleFileTx removes a file of an article, or one that waits for an
// article; see DropPhotosTx.
func (s *Service) DropArticleFileTx(tx *gorm.DB, f models.Attachment) error {
	if f.UploadID != nil {
		if err := tx.Delete(&models.Upload{}, "id = ?", *f.UploadID).Error; err != nil {
			return err
		}
	}
	return s.dropTx(tx, "(id = ? OR parent_id = ?) AND of_articles", f.ID, f.ID)
}
