package api

import (
	"context"
	"strconv"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
)

func (h helpCenterHandlers) ListArticles(ctx context.Context, r gen.ListArticlesRequestObject) (gen.ListArticlesResponseObject, error) {
	l, err := h.articleList(ctx, helpcenter.Within{}, r.Params.LabelNames, r.Params.StartTime)
	return gen.ListArticles200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticlesByCategory(ctx context.Context, r gen.ListArticlesByCategoryRequestObject) (gen.ListArticlesByCategoryResponseObject, error) {
	l, err := h.articleList(ctx, helpcenter.Within{CategoryID: int64(r.CategoryID)}, r.Params.LabelNames, r.Params.StartTime)
	return gen.ListArticlesByCategory200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticlesBySection(ctx context.Context, r gen.ListArticlesBySectionRequestObject) (gen.ListArticlesBySectionResponseObject, error) {
	l, err := h.articleList(ctx, helpcenter.Within{SectionID: int64(r.SectionID)}, r.Params.LabelNames, r.Params.StartTime)
	return gen.ListArticlesBySection200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticlesByUser(ctx context.Context, r gen.ListArticlesByUserRequestObject) (gen.ListArticlesByUserResponseObject, error) {
	author, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	l, err := h.articleList(ctx, helpcenter.Within{AuthorID: author}, r.Params.LabelNames, r.Params.StartTime)
	return gen.ListArticlesByUser200JSONResponse{Listing: l}, err
}

// userOrMe is the user that a path names by id, or as the caller himself.
func userOrMe(ctx context.Context, text string) (int64, error) {
	if text == "me" {
		by := auth.From(ctx)
		if by.Anonymous() {
			return 0, fault.New(fault.Unauthenticated, "sign in first")
		}
		return by.ID(), nil
	}
	id, err := wire.ParseID(text)
	if err != nil {
		return 0, fault.Attribute("user_id", "an id, or me")
	}
	return int64(id), nil
}

func (h helpCenterHandlers) articleList(ctx context.Context, in helpcenter.Within, labels []string, since *wire.Int) (wire.Listing, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	if in.Labels = labels; since != nil {
		if *since < 0 || *since > 1<<40 {
			return wire.Listing{}, fault.InvalidField("start_time", "is no time in seconds since 1970")
		}
		in.Since = time.Unix(int64(*since), 0)
	}
	found, err := h.help.ListArticles(ctx, auth.From(ctx), localeAsked(ctx), in, p)
	if err != nil {
		return wire.Listing{}, err
	}
	all, err := h.articlesJSON(ctx, found.Items)
	if err != nil {
		return wire.Listing{}, err
	}
	l := helpList(ctx, "articles", with(found, all))
	err = h.besideArticles(ctx, found.Items, l.Add)
	return l, err
}

// besideArticles side-loads what the caller asks for beside articles.
func (h helpCenterHandlers) besideArticles(ctx context.Context, of []helpcenter.Article, add func(key string, value any)) error {
	return h.besideArticlesIn(ctx, localeAsked(ctx), of, add)
}

// besideArticlesIn is besideArticles in a language.
func (h helpCenterHandlers) besideArticlesIn(ctx context.Context, locale string, of []helpcenter.Article, add func(key string, value any)) error {
	if includes(ctx, "users") {
		found, err := h.users.ByIDs(ctx, auth.From(ctx).AccountID, idsOf(of, func(a helpcenter.Article) []int64 { return []int64{a.AuthorID} }))
		if err != nil {
			return err
		}
		add("users", each(found, func(u models.User) gen.RequestUser { return requestUserJSON(ctx, u) }))
	}
	if includes(ctx, "sections") {
		found, err := h.help.SectionsByID(ctx, auth.From(ctx), locale, idsOf(of, func(a helpcenter.Article) []int64 { return []int64{a.SectionID} }))
		if err != nil {
			return err
		}
		all, err := h.sectionsJSON(ctx, found)
		if err != nil {
			return err
		}
		add("sections", all)
	}
	if includes(ctx, "categories") {
		ids := idsOf(of, func(a helpcenter.Article) []int64 { return []int64{a.CategoryID} })
		return h.sideCategories(ctx, locale, ids, func(c []gen.Category) { add("categories", c) })
	}
	return nil
}

func (h helpCenterHandlers) CreateArticle(ctx context.Context, r gen.CreateArticleRequestObject) (gen.CreateArticleResponseObject, error) {
	c := articleChange(r.Body.Article)
	c.Quiet = !bool(or(r.Body.NotifySubscribers, true))
	a, err := h.help.CreateArticle(ctx, auth.From(ctx), localeAsked(ctx), int64(r.SectionID), c)
	if err != nil {
		return nil, err
	}
	out, err := h.articleEnvelope(ctx, a)
	return gen.CreateArticle201JSONResponse{Headers: gen.CreateArticle201ResponseHeaders{Location: out.Article.URL}, Body: out}, err
}

func (h helpCenterHandlers) UpdateArticle(ctx context.Context, r gen.UpdateArticleRequestObject) (gen.UpdateArticleResponseObject, error) {
	a, err := h.help.UpdateArticle(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), articleChange(r.Body.Article))
	if err != nil {
		return nil, err
	}
	out, err := h.articleEnvelope(ctx, a)
	return gen.UpdateArticle200JSONResponse(out), err
}

func (h helpCenterHandlers) ArchiveArticle(ctx context.Context, r gen.ArchiveArticleRequestObject) (gen.ArchiveArticleResponseObject, error) {
	return gen.ArchiveArticle204Response{}, h.help.ArchiveArticle(ctx, auth.From(ctx), int64(r.ArticleID))
}

func (h helpCenterHandlers) UpdateArticleSourceLocale(ctx context.Context, r gen.UpdateArticleSourceLocaleRequestObject) (gen.UpdateArticleSourceLocaleResponseObject, error) {
	err := h.help.UpdateSourceLocale(ctx, auth.From(ctx), models.SourceArticle, int64(r.ArticleID), "article_locale", string(r.Body.ArticleLocale))
	return gen.UpdateArticleSourceLocale200JSONResponse{}, err
}

func articleChange(in gen.ArticleInput) helpcenter.ArticleChange {
	return helpcenter.ArticleChange{
		SectionID: (*int64)(in.SectionID), AuthorID: (*int64)(in.AuthorID), PermissionGroupID: value(wire.NullableID(in.PermissionGroupID)),
		UserSegmentID: wire.NullableID(in.UserSegmentID), UserSegmentIDs: in.UserSegmentIds.Int64s(), Position: (*int64)(in.Position),
		Promoted: (*bool)(in.Promoted), CommentsDisabled: (*bool)(in.CommentsDisabled), LabelNames: in.LabelNames, ContentTagIDs: in.ContentTagIds,
		CreatedAt: (*time.Time)(in.CreatedAt), Texts: each(in.Translations, textOf),
		Text: textOf(gen.TextInput{Locale: in.Locale, Title: in.Title, Body: in.Body, BodyMarkdown: in.BodyMarkdown, Draft: in.Draft}),
	}
}

func (h helpCenterHandlers) articleEnvelope(ctx context.Context, a helpcenter.Article) (gen.ArticleEnvelope, error) {
	all, err := h.articlesJSON(ctx, []helpcenter.Article{a})
	if err != nil {
		return gen.ArticleEnvelope{}, err
	}
	out := gen.ArticleEnvelope{Article: all[0]}
	return out, h.besideArticles(ctx, []helpcenter.Article{a}, func(key string, value any) {
		switch v := value.(type) {
		case []gen.RequestUser:
			out.Users = v
		case []gen.Section:
			out.Sections = v
		case []gen.Category:
			out.Categories = v
		}
	})
}

func (h helpCenterHandlers) articlesJSON(ctx context.Context, of []helpcenter.Article) ([]gen.Article, error) {
	texts, err := h.helpTranslations(ctx, models.SourceArticle, each(of, func(a helpcenter.Article) int64 { return a.ID }))
	return each(of, func(a helpcenter.Article) gen.Article {
		out := articleJSON(ctx, a)
		out.Translations = embedded(ctx, texts, a.BrandID, a.ID)
		return out
	}), err
}

func articleJSON(ctx context.Context, a helpcenter.Article) gen.Article {
	t := a.Text
	out := gen.Article{
		ID: a.ID, URL: helpURL(ctx, a.BrandID, t.Locale, "articles", idText(a.ID)+helpcenter.Slug(t.Title)), HTMLURL: htmlURL(ctx, a.BrandID, t.Locale, "articles", a.ID, t.Title),
		AuthorID: a.AuthorID, CommentsDisabled: a.CommentsDisabled, ContentTagIds: list(a.ContentTagIDs), LabelNames: list(a.LabelNames),
		Draft: t.Draft, Promoted: a.Promoted, Position: int64(a.Position), VoteSum: int64(a.VoteSum), VoteCount: int64(a.VoteCount),
		SectionID: a.SectionID, CreatedAt: wire.Time(a.CreatedAt), UpdatedAt: wire.Time(a.UpdatedAt), EditedAt: wire.Time(a.EditedAt),
		Name: t.Title, Title: t.Title, Body: t.HTMLBody, SourceLocale: a.SourceLocale, Locale: t.Locale, Outdated: t.Outdated,
		OutdatedLocales: list(a.OutdatedLocales), PermissionGroupID: a.PermissionGroupID, UserSegmentIds: list(a.UserSegmentIDs),
	}
	if len(a.UserSegmentIDs) > 0 {
		out.UserSegmentID = &a.UserSegmentIDs[0]
	}
	return out
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
