package helpcenter

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// maxPath is the length of the longest path that is redirected, in bytes.
const maxPath = 1_000

// checkPath refuses what is no path of a page: it begins with a slash and has no
// host, query or fragment, also once it is without escapes. Paths of the API stay
// its own.
func checkPath(path string) error {
	u, err := url.Parse(path)
	plain := plainPath(path)
	switch {
	case path == "":
		return fault.Blank("path")
	case err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.HasPrefix(plain, "//") || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(path, "?#\\ \t\r\n"):
		return fault.InvalidField("path", "must be a path that begins with a slash, without host, query and fragment")
	case strings.ContainsRune(plain, 0) || !utf8.ValidString(plain): // which PostgreSQL takes for no text
		return fault.InvalidField("path", "has a NUL character or is not UTF-8")
	case plain == "/" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(plain, "/api/"):
		return fault.InvalidField("path", "%.50s is helpd's own", path)
	case len(path) > maxPath:
		return fault.InvalidField("path", "is too long (maximum is %d bytes)", maxPath)
	}
	return nil
}

// plainPath is a path as it is kept: without escapes, however it was written.
func plainPath(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return keptPath(path)
}

// keptPath is a path without escapes as it is kept.
func keptPath(path string) string {
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// escapedPath is a path that is kept as checkPath takes it, of which plainPath makes
// the same again.
func escapedPath(path string) string {
	var out strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`%?#\`, c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

var redirectOrder = page.By("id", page.Column{Expr: "r.id", Kind: page.Int})

// ListRedirects is a page of the paths that lead to articles, by id; article is one
// that they lead to, or 0. Admins may ask.
func (s *Service) ListRedirects(ctx context.Context, by auth.Actor, article int64, r page.Request) (page.Result[models.Redirect], error) {
	if !by.Admin() {
		return page.Result[models.Redirect]{}, fault.Denied()
	}
	q := page.Query{
		Select: "r.account_id, r.id, r.brand_id, r.path, r.article_id, r.created_at", From: "redirects AS r", Order: redirectOrder,
	}
	of, args := ofBrand(by, "r.brand_id")
	q.Where, q.Args = "r.account_id = ? AND "+of, append([]any{by.AccountID}, args...)
	if article != 0 {
		q.Where, q.Args = q.Where+" AND r.article_id = ?", append(q.Args, article)
	}
	return page.ListRows(ctx, s.db, q, r, func(row postgres.Scanned, order ...any) (out models.Redirect, err error) {
		err = row.Scan(append([]any{&out.AccountID, &out.ID, &out.BrandID, &out.Path, &out.ArticleID, &out.CreatedAt}, order...)...)
		return out, err
	})
}

// CreateRedirect has a path lead to an article. It fails with fault.Invalid naming
// the field.
func (s *Service) CreateRedirect(ctx context.Context, by auth.Actor, path string, article int64) (models.Redirect, error) {
	out := models.Redirect{Path: plainPath(strings.TrimSpace(path)), ArticleID: article, CreatedAt: s.now()}
	if !by.Admin() {
		return out, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var to []models.Article
		if err := hereTx(tx, by).Select("brand_id").Limit(1).Find(&to, "id = ? AND archived_at IS NULL", article).Error; err != nil {
			return err
		}
		var unknown error
		if len(to) == 0 {
			unknown = fault.InvalidField("article_id", "%d is not an article", article)
		} else {
			out.BrandID = to[0].BrandID
		}
		if err := fault.Join(checkPath(strings.TrimSpace(path)), unknown); err != nil {
			return err
		}
		err := tx.Create(&out).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("path", "%.50s is redirected already", out.Path)
		}
		return err
	})
	return out, err
}

// Redirect is a path that leads to an article. It fails with fault.NotFound.
func (s *Service) Redirect(ctx context.Context, by auth.Actor, id int64) (models.Redirect, error) {
	if !by.Admin() {
		return models.Redirect{}, fault.Denied()
	}
	return postgres.One[models.Redirect](hereTx(s.db.WithContext(ctx), by), "redirect", id)
}

// DeleteRedirect has a path lead nowhere. It fails with fault.NotFound.
func (s *Service) DeleteRedirect(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	gone := hereTx(s.db.WithContext(ctx), by).Delete(&models.Redirect{}, "id = ?", id)
	if gone.Error != nil || gone.RowsAffected == 0 {
		return orMissing(gone.Error, "redirect", id)
	}
	return nil
}

// Redirected is the article that an old path, without escapes, leads to, in the language that the path
// names (/hc/ko/…), or else in the default or its own: the first in which by may see
// it. It fails with fault.NotFound also when by may see it in none.
func (s *Service) Redirected(ctx context.Context, by auth.Actor, path string) (Article, error) {
	tx := s.db.WithContext(ctx)
	path = keptPath(path)
	var to []struct {
		ArticleID    int64
		SourceLocale string
	}
	of, args := ofBrand(by, "r.brand_id")
	err := tx.Raw(`SELECT r.article_id, a.source_locale FROM redirects AS r JOIN articles AS a ON a.account_id = r.account_id AND a.id = r.article_id
		WHERE r.account_id = ? AND r.path = ? AND `+of, append([]any{by.AccountID, path}, args...)...).Scan(&to).Error
	if err != nil || len(to) == 0 {
		return Article{}, orMissing(err, "redirect", path)
	}
	l, err := s.localesTx(tx, by)
	if err != nil {
		return Article{}, err
	}
	var named string
	if rest, ok := strings.CutPrefix(path, "/hc/"); ok {
		named, _, _ = strings.Cut(strings.ToLower(rest), "/")
	}
	tried := []string{}
	for _, locale := range []string{named, l.Default, to[0].SourceLocale} {
		if !slices.Contains(l.Enabled, locale) || slices.Contains(tried, locale) {
			continue
		}
		tried = append(tried, locale)
		a, err := s.articleTx(tx, by, locale, to[0].ArticleID)
		if !fault.Is(err, fault.NotFound) {
			return a, err
		}
	}
	return Article{}, fault.Missing("redirect", path)
}
