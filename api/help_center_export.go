package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/helpcenter"
)

// ListArticlesIncremental has the articles that the caller may see, as they read
// in their source languages, in the order of their last changes.
func (h helpCenterHandlers) ListArticlesIncremental(ctx context.Context, r gen.ListArticlesIncrementalRequestObject) (gen.ListArticlesIncrementalResponseObject, error) {
	since, err := startTime(r.Params.StartTime)
	if err != nil {
		return nil, err
	}
	by := auth.From(ctx)
	p, err := h.exports.Since(ctx, by, exports.Which{Kind: exports.Articles, Present: true}, since, exports.MaxPage)
	if err != nil {
		return nil, err
	}
	seen, err := h.help.ArticlesByID(ctx, by, "", p.IDs())
	if err != nil {
		return nil, err
	}
	place := make(map[int64]int, len(p.Entries))
	for i, e := range p.Entries {
		place[e.ID] = i
	}
	slices.SortFunc(seen, func(a, b helpcenter.Article) int { return place[a.ID] - place[b.ID] })
	out := gen.ArticleExportEnvelope{Articles: []gen.Article{}, Count: int64(len(seen)), EndOfStream: !p.More, EndTime: p.End}
	if p.End != nil {
		out.NextPage = new(callOf(ctx).startingAt(*p.End))
	}
	out.Articles, err = h.articlesJSON(ctx, seen)
	return gen.ListArticlesIncremental200JSONResponse(out), err
}

// articleShape moves when the form of articles does, so that nobody goes on with
// one of an older form.
const articleShape = 1

// articleTag is the ETag of an article as the caller asks for it.
func articleTag(ctx context.Context, s helpcenter.State, id int64) string {
	c := callOf(ctx)
	return edge.ETag(fmt.Appendf(nil, "%d %s %s %d %d %d", articleShape, c.base, s.Locale, id, s.Version, s.SetUp))
}

// unchangedArticle is the answer to who has an article already.
type unchangedArticle struct{ tag string }

// VisitShowArticleResponse writes it.
func (a unchangedArticle) VisitShowArticleResponse(w http.ResponseWriter) error {
	w.Header().Set("Etag", a.tag)
	w.WriteHeader(http.StatusNotModified)
	return nil
}

// ShowArticle answers who has the article already without reading its texts.
func (h helpCenterHandlers) ShowArticle(ctx context.Context, r gen.ShowArticleRequestObject) (gen.ShowArticleResponseObject, error) {
	by, locale, id := auth.From(ctx), localeAsked(ctx), int64(r.ArticleID)
	c := callOf(ctx)
	alone := c.query.Get("include") == ""
	if has := c.echo.Request().Header["If-None-Match"]; alone && len(has) > 0 {
		s, err := h.help.State(ctx, by, locale, id)
		if err != nil {
			return nil, err
		}
		if tag := articleTag(ctx, s, id); edge.Matches(has, tag) {
			return unchangedArticle{tag}, nil
		}
	}
	a, state, err := h.help.Article(ctx, by, locale, id)
	if err != nil {
		return nil, err
	}
	if alone {
		c.echo.Response().Header().Set("Etag", articleTag(ctx, state, id))
	}
	out, err := h.articleEnvelope(ctx, a)
	return gen.ShowArticle200JSONResponse(out), err
}
