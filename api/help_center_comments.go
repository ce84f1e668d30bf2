package api

import (
	"context"
	"strconv"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

func (h helpCenterHandlers) ListArticleComments(ctx context.Context, r gen.ListArticleCommentsRequestObject) (gen.ListArticleCommentsResponseObject, error) {
	l, err := h.commentList(ctx, func(p page.Request) (page.Result[models.ArticleComment], error) {
		return h.help.Comments(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), p)
	})
	return gen.ListArticleComments200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticleCommentsByUser(ctx context.Context, r gen.ListArticleCommentsByUserRequestObject) (gen.ListArticleCommentsByUserResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	l, err := h.commentList(ctx, func(p page.Request) (page.Result[models.ArticleComment], error) {
		return h.help.CommentsBy(ctx, auth.From(ctx), user, p)
	})
	return gen.ListArticleCommentsByUser200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) commentList(ctx context.Context, list func(page.Request) (page.Result[models.ArticleComment], error)) (wire.Listing, error) {
	var found []models.ArticleComment
	l, err := helpListOf(ctx, "comments", keeping(&found, list), func(c models.ArticleComment) gen.ArticleComment { return articleCommentJSON(ctx, c) })
	if err != nil {
		return l, err
	}
	var side sideLoads
	side.ofComments(found)
	err = side.add(ctx, h, l.Add)
	return l, err
}

// keeping is list that puts what it finds into items as well.
func keeping[T any](items *[]T, list func(page.Request) (page.Result[T], error)) func(page.Request) (page.Result[T], error) {
	return func(p page.Request) (page.Result[T], error) {
		r, err := list(p)
		*items = r.Items
		return r, err
	}
}

func (h helpCenterHandlers) CreateArticleComment(ctx context.Context, r gen.CreateArticleCommentRequestObject) (gen.CreateArticleCommentResponseObject, error) {
	in := r.Body.Comment
	c, err := h.help.CreateComment(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), helpcenter.CommentChange{
		Body: (*string)(in.Body), Locale: string(or(in.Locale, "")), AuthorID: (*int64)(in.AuthorID), CreatedAt: (*time.Time)(in.CreatedAt),
		Quiet: !bool(or(r.Body.NotifySubscribers, true)),
	})
	out := articleCommentJSON(ctx, c)
	return gen.CreateArticleComment201JSONResponse{
		Headers: gen.CreateArticleComment201ResponseHeaders{Location: out.URL}, Body: gen.ArticleCommentEnvelope{Comment: out},
	}, err
}

func (h helpCenterHandlers) ShowArticleComment(ctx context.Context, r gen.ShowArticleCommentRequestObject) (gen.ShowArticleCommentResponseObject, error) {
	c, err := h.help.Comment(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), int64(r.CommentID))
	if err != nil {
		return nil, err
	}
	out := gen.ArticleCommentEnvelope{Comment: articleCommentJSON(ctx, c)}
	var side sideLoads
	side.ofComments([]models.ArticleComment{c})
	out.Users, out.Articles, err = side.usersAndArticles(ctx, h)
	return gen.ShowArticleComment200JSONResponse(out), err
}

func (h helpCenterHandlers) UpdateArticleComment(ctx context.Context, r gen.UpdateArticleCommentRequestObject) (gen.UpdateArticleCommentResponseObject, error) {
	c, err := h.help.UpdateComment(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), int64(r.CommentID), (*string)(r.Body.Comment.Body))
	return gen.UpdateArticleComment200JSONResponse{Comment: articleCommentJSON(ctx, c)}, err
}

func (h helpCenterHandlers) DeleteArticleComment(ctx context.Context, r gen.DeleteArticleCommentRequestObject) (gen.DeleteArticleCommentResponseObject, error) {
	return gen.DeleteArticleComment204Response{}, h.help.DeleteComment(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), int64(r.CommentID))
}

func articleCommentJSON(ctx context.Context, c models.ArticleComment) gen.ArticleComment {
	below := "/articles/" + strconv.FormatInt(c.ArticleID, 10) + "/comments/" + strconv.FormatInt(c.ID, 10)
	return gen.ArticleComment{
		ID: c.ID, URL: callOf(ctx).base + helpCenterPath + c.Locale + below + ".json", HTMLURL: callOf(ctx).base + "/hc/" + c.Locale + below,
		Body: c.HTMLBody, AuthorID: c.AuthorID, SourceID: c.ArticleID, SourceType: models.SourceArticle, Locale: c.Locale,
		CreatedAt: wire.Time(c.CreatedAt), UpdatedAt: wire.Time(c.UpdatedAt), VoteSum: int64(c.VoteSum), VoteCount: int64(c.VoteCount),
		NonAuthorEditorID: c.NonAuthorEditorID, NonAuthorUpdatedAt: (*wire.Time)(c.NonAuthorUpdatedAt),
	}
}

// sideLoads are records beside comments and votes, by their ids.
type sideLoads struct{ users, articles, comments []int64 }

func (s *sideLoads) ofComments(list []models.ArticleComment) {
	for _, c := range list {
		s.users, s.articles = append(s.users, c.AuthorID), append(s.articles, c.ArticleID)
	}
}

func (s *sideLoads) ofVotes(list []models.Vote) {
	for _, v := range list {
		s.users = append(s.users, v.UserID)
		if v.ItemType == models.VotedArticle {
			s.articles = append(s.articles, v.ItemID)
		} else {
			s.comments = append(s.comments, v.ItemID)
		}
	}
}

// usersAndArticles are those that the caller asks for; nil what is not asked for.
func (s sideLoads) usersAndArticles(ctx context.Context, h helpCenterHandlers) (people []gen.RequestUser, articles []gen.Article, err error) {
	if includes(ctx, "users") {
		found, err := h.users.ByIDs(ctx, auth.From(ctx).AccountID, s.users)
		if err != nil {
			return nil, nil, err
		}
		people = each(found, func(u models.User) gen.RequestUser { return requestUserJSON(ctx, u) })
	}
	if includes(ctx, "articles") {
		found, err := h.help.ArticlesByID(ctx, auth.From(ctx), localeAsked(ctx), s.articles)
		if err != nil {
			return nil, nil, err
		}
		if articles, err = h.articlesJSON(ctx, found); err != nil {
			return nil, nil, err
		}
	}
	return people, articles, nil
}

// add side-loads what the caller asks for into a list.
func (s sideLoads) add(ctx context.Context, h helpCenterHandlers, add func(key string, value any)) error {
	people, articles, err := s.usersAndArticles(ctx, h)
	if err != nil {
		return err
	}
	if people != nil {
		add("users", people)
	}
	if articles != nil {
		add("articles", articles)
	}
	return nil
}
