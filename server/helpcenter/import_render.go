package helpcenter

import (
	"context"
	"crypto/md5" // to tell texts apart, and no secrets
	"encoding/hex"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/richtext"
)

// Rendered are the bodies of files as they are kept, in the order of the files; nil
// for those that are there already as their files have them.
type Rendered []*string

// Render makes the bodies of files ready for Write, on all processors: Markdown and
// cleaning are most of the work of an import, and no transaction has to wait for them.
// It may run while Write is at other files.
func (i *Import) Render(ctx context.Context, files []articlefiles.File) (Rendered, error) {
	there, err := i.sums(ctx, files)
	if err != nil {
		return nil, err
	}
	out := make(Rendered, len(files))
	work := errgroup.Group{}
	work.SetLimit(runtime.GOMAXPROCS(0))
	for n, f := range files {
		if there[textOf{f.ID, f.Locale}] == sumOf(f) {
			continue
		}
		work.Go(func() error {
			out[n] = new(rendered(f))
			return nil
		})
	}
	return out, work.Wait()
}

func rendered(f articlefiles.File) string {
	switch {
	case f.Markdown && strings.TrimSpace(f.Body) == "":
		return f.Body
	case f.Markdown:
		return richtext.ArticleOfMarkdown(f.Body)
	}
	return richtext.Article(f.Body)
}

// textOf is a text of an article.
type textOf struct{ id, locale string }

// sum tells texts apart.
type sum struct {
	markdown bool
	md5      string
}

func sumOf(f articlefiles.File) sum {
	text := f.Body
	if !f.Markdown {
		text = strings.TrimSpace(text)
	}
	m := md5.Sum([]byte(text))
	return sum{f.Markdown, hex.EncodeToString(m[:])}
}

// sums are those of the texts that there are of what files are about.
func (i *Import) sums(ctx context.Context, files []articlefiles.File) (map[textOf]sum, error) {
	ids, locales := make(models.Strings, len(files)), make(models.Strings, len(files))
	for n, f := range files {
		ids[n], locales[n] = f.ID, f.Locale
	}
	out := map[textOf]sum{}
	err := postgres.Rows(i.svc.db.WithContext(ctx), `SELECT a.external_id, t.locale, t.markdown IS NOT NULL, md5(coalesce(t.markdown, t.html_body, ''))
		FROM unnest(?::text[], ?::text[]) AS f (id, locale) JOIN articles AS a ON a.account_id = ? AND a.external_id = f.id AND a.archived_at IS NULL
		JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id AND t.locale = f.locale`,
		[]any{ids, locales, i.by.AccountID}, func(row postgres.Scanned) error {
			var of textOf
			var is sum
			err := row.Scan(&of.id, &of.locale, &is.markdown, &is.md5)
			out[of] = is
			return err
		})
	return out, err
}
