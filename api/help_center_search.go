package api

import (
	"cmp"
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

// foundSize is how many results a page of a search has unless the caller says.
const foundSize = 25

// foundArticle is an article as a search shows it.
type foundArticle struct {
	gen.Article
	gen.FoundPart
}

func (h helpCenterHandlers) SearchArticles(ctx context.Context, r gen.SearchArticlesRequestObject) (gen.SearchArticlesResponseObject, error) {
	l, err := h.searchArticles(ctx, r.Params)
	return gen.SearchArticles200JSONResponse{Listing: l}, err
}

// SearchArticlesEmbedded is SearchArticles as older widgets call it.
func (h helpCenterHandlers) SearchArticlesEmbedded(ctx context.Context, r gen.SearchArticlesEmbeddedRequestObject) (gen.SearchArticlesEmbeddedResponseObject, error) {
	l, err := h.searchArticles(ctx, gen.SearchArticlesParams(r.Params))
	return gen.SearchArticlesEmbedded200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) searchArticles(ctx context.Context, in gen.SearchArticlesParams) (wire.Listing, error) {
	p, err := numberedPage(ctx, foundSize)
	if err != nil {
		return wire.Listing{}, err
	}
	locale := cmp.Or(or(in.Locale, ""), localeAsked(ctx))
	found, err := h.help.Search(ctx, auth.From(ctx), helpcenter.Sought{
		Query: or(in.Query, ""), Locale: locale, Categories: plainIDs(ctx, "category", in.Category), Sections: plainIDs(ctx, "section", in.Section), Labels: models.Strings(in.LabelNames),
		BrandID: int64(or(in.BrandID, 0)), Multibrand: bool(or(in.Multibrand, false)), Sort: p.Sort, Desc: p.Desc,
		Created: helpcenter.Dates{Before: or(in.CreatedBefore, ""), After: or(in.CreatedAfter, ""), At: or(in.CreatedAt, "")},
		Updated: helpcenter.Dates{Before: or(in.UpdatedBefore, ""), After: or(in.UpdatedAfter, ""), At: or(in.UpdatedAt, "")},
	}, p)
	if err != nil {
		return wire.Listing{}, err
	}
	articles := each(found.Items, func(f helpcenter.FoundArticle) helpcenter.Article { return f.Article })
	shown, err := h.articlesJSON(ctx, articles)
	if err != nil {
		return wire.Listing{}, err
	}
	out := page.Result[foundArticle]{Request: p, Count: found.Count, Items: []foundArticle{}}
	for i, a := range shown {
		out.Items = append(out.Items, foundArticle{a, gen.FoundPart{ResultType: gen.ArticleSearchResultTypeArticle, Snippet: found.Items[i].Snippet}})
	}
	out.HasMore = p.Number*p.Size < found.Count
	l := helpList(ctx, "results", out)
	relation := gen.SearchCountRelationEq
	if found.More {
		relation = gen.SearchCountRelationGte
	}
	l.Add("count_relation", relation)
	if found.Noted != "" {
		l.Add("search_token", found.Noted)
	}
	err = h.besideArticles(ctx, articles, l.Add)
	return l, err
}

// plainIDs are the ids of a parameter; none of an empty one.
func plainIDs(ctx context.Context, name string, ids []wire.ID) []int64 {
	if callOf(ctx).query.Get(name) == "" {
		return nil
	}
	return each(ids, func(id wire.ID) int64 { return int64(id) })
}

// unifiedSize is how many results a page of a unified search has unless the caller
// says.
const unifiedSize = 10

// UnifiedSearch answers as "Unified Search" in Zendesk's reference of the help center
// says: by cursor alone, and empty where no language is enabled.
func (h helpCenterHandlers) UnifiedSearch(ctx context.Context, r gen.UnifiedSearchRequestObject) (gen.UnifiedSearchResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	if p.Cursor = true; callOf(ctx).query.Get("page[size]") == "" {
		p.Size = unifiedSize
	}
	p.Size = min(p.Size, helpcenter.MaxUnified)
	in := r.Params
	found, err := h.help.SearchAnywhere(ctx, auth.From(ctx), helpcenter.SoughtAnywhere{
		Query: or(in.Query, ""), Locales: in.FilterLocales, Kinds: in.FilterContentTypes, Categories: plainIDs(ctx, "filter[category_ids]", in.FilterCategoryIds), Sections: plainIDs(ctx, "filter[section_ids]", in.FilterSectionIds),
		Brands: plainIDs(ctx, "filter[brand_ids]", in.FilterBrandIds), Topics: plainIDs(ctx, "filter[topic_ids]", in.FilterTopicIds), Sources: in.FilterExternalSourceIds,
	}, p)
	if err != nil {
		return nil, err
	}
	l := helpList(ctx, "results", mapped(ctx, found.Result, unifiedResultJSON))
	if found.Noted != "" {
		l.Add("search_token", found.Noted)
	}
	err = h.besideArticlesIn(ctx, found.Locale, each(found.Items, func(f helpcenter.FoundArticle) helpcenter.Article { return f.Article }), l.Add)
	return gen.UnifiedSearch200JSONResponse{Listing: l}, err
}

func unifiedResultJSON(ctx context.Context, f helpcenter.FoundArticle) gen.UnifiedSearchResult {
	t := f.Text
	return gen.UnifiedSearchResult{
		Title: t.Title, Type: gen.UnifiedSearchTypeARTICLE, UpdatedAt: wire.Time(f.UpdatedAt), URL: htmlURL(ctx, f.BrandID, t.Locale, "articles", f.ID, t.Title),
		ID: f.ID, Locale: t.Locale, Snippet: f.Snippet, AuthorID: f.AuthorID, SectionID: f.SectionID, CategoryID: f.CategoryID, BrandID: f.BrandID,
	}
}

func (h helpCenterHandlers) CreateSearchClick(ctx context.Context, r gen.CreateSearchClickRequestObject) (gen.CreateSearchClickResponseObject, error) {
	return gen.CreateSearchClick204Response{}, h.help.Click(ctx, auth.From(ctx), string(r.Body.SearchToken))
}

func (h helpCenterHandlers) ListSearchInsights(ctx context.Context, r gen.ListSearchInsightsRequestObject) (gen.ListSearchInsightsResponseObject, error) {
	p, err := numberedPage(ctx, firstSize)
	if err != nil {
		return nil, err
	}
	in := r.Params
	locale := cmp.Or(or(in.Locale, ""), localeAsked(ctx))
	found, err := h.help.Insights(ctx, auth.From(ctx), helpcenter.Looked{
		Locale: locale, From: or(in.StartDate, ""), To: or(in.EndDate, ""), Empty: bool(or(in.ZeroResults, false)),
	}, p)
	if err != nil {
		return nil, err
	}
	return gen.ListSearchInsights200JSONResponse{Listing: helpList(ctx, "queries", page.Map(found, func(i helpcenter.Insight) gen.SearchInsight {
		return gen.SearchInsight{Query: i.Query, Locale: i.Locale, Searches: i.Searches, ZeroResults: i.Empty, Clicks: i.Clicks, LastSearchedAt: wire.Time(i.LastAt)}
	}))}, nil
}
