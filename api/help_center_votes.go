package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

// vote casts a vote on an article, or on a comment of it unless that is 0.
func (h helpCenterHandlers) vote(ctx context.Context, article gen.ArticleIDParam, comment gen.ArticleCommentIDParam, value int, body *gen.VoteBody) (gen.VoteEnvelope, error) {
	c := helpcenter.VoteChange{Value: value}
	if body != nil && body.Vote != nil {
		c.UserID, c.CreatedAt = (*int64)(body.Vote.UserID), (*time.Time)(body.Vote.CreatedAt)
	}
	v, err := h.help.CastVote(ctx, auth.From(ctx), localeAsked(ctx), int64(article), int64(comment), c)
	return gen.VoteEnvelope{Vote: voteJSON(ctx, v)}, err
}

func (h helpCenterHandlers) UpvoteArticle(ctx context.Context, r gen.UpvoteArticleRequestObject) (gen.UpvoteArticleResponseObject, error) {
	out, err := h.vote(ctx, r.ArticleID, 0, 1, r.Body)
	return gen.UpvoteArticle200JSONResponse(out), err
}

func (h helpCenterHandlers) DownvoteArticle(ctx context.Context, r gen.DownvoteArticleRequestObject) (gen.DownvoteArticleResponseObject, error) {
	out, err := h.vote(ctx, r.ArticleID, 0, -1, r.Body)
	return gen.DownvoteArticle200JSONResponse(out), err
}

func (h helpCenterHandlers) UpvoteArticleComment(ctx context.Context, r gen.UpvoteArticleCommentRequestObject) (gen.UpvoteArticleCommentResponseObject, error) {
	out, err := h.vote(ctx, r.ArticleID, r.CommentID, 1, r.Body)
	return gen.UpvoteArticleComment200JSONResponse(out), err
}

func (h helpCenterHandlers) DownvoteArticleComment(ctx context.Context, r gen.DownvoteArticleCommentRequestObject) (gen.DownvoteArticleCommentResponseObject, error) {
	out, err := h.vote(ctx, r.ArticleID, r.CommentID, -1, r.Body)
	return gen.DownvoteArticleComment200JSONResponse(out), err
}

func (h helpCenterHandlers) ListArticleVotes(ctx context.Context, r gen.ListArticleVotesRequestObject) (gen.ListArticleVotesResponseObject, error) {
	l, err := h.voteList(ctx, func(p page.Request) (page.Result[models.Vote], error) {
		return h.help.VotesOn(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), 0, p)
	})
	return gen.ListArticleVotes200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticleCommentVotes(ctx context.Context, r gen.ListArticleCommentVotesRequestObject) (gen.ListArticleCommentVotesResponseObject, error) {
	l, err := h.voteList(ctx, func(p page.Request) (page.Result[models.Vote], error) {
		return h.help.VotesOn(ctx, auth.From(ctx), localeAsked(ctx), int64(r.ArticleID), int64(r.CommentID), p)
	})
	return gen.ListArticleCommentVotes200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListUserVotes(ctx context.Context, r gen.ListUserVotesRequestObject) (gen.ListUserVotesResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	l, err := h.voteList(ctx, func(p page.Request) (page.Result[models.Vote], error) {
		return h.help.Votes(ctx, auth.From(ctx), user, p)
	})
	return gen.ListUserVotes200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListVotes(ctx context.Context, _ gen.ListVotesRequestObject) (gen.ListVotesResponseObject, error) {
	l, err := h.voteList(ctx, func(p page.Request) (page.Result[models.Vote], error) {
		return h.help.Votes(ctx, auth.From(ctx), 0, p)
	})
	return gen.ListVotes200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) voteList(ctx context.Context, list func(page.Request) (page.Result[models.Vote], error)) (wire.Listing, error) {
	var found []models.Vote
	l, err := helpListOf(ctx, "votes", keeping(&found, list), func(v models.Vote) gen.Vote { return voteJSON(ctx, v) })
	if err != nil {
		return l, err
	}
	var side sideLoads
	side.ofVotes(found)
	if err := side.add(ctx, h, l.Add); err != nil {
		return l, err
	}
	texts, comments, err := h.besideVotes(ctx, side)
	if texts != nil {
		l.Add("translations", texts)
	}
	if comments != nil {
		l.Add("comments", comments)
	}
	return l, err
}

// besideVotes are the translations of articles, and the comments, that the caller
// asks for; nil what is not asked for.
func (h helpCenterHandlers) besideVotes(ctx context.Context, side sideLoads) (texts []gen.Translation, comments []gen.ArticleComment, err error) {
	if includes(ctx, "translations") {
		// Of those that the caller may see alone.
		seen, err := h.help.ArticlesByID(ctx, auth.From(ctx), localeAsked(ctx), side.articles)
		if err != nil {
			return nil, nil, err
		}
		ids := each(seen, func(a helpcenter.Article) int64 { return a.ID })
		of, err := h.help.TranslationsOf(ctx, auth.From(ctx), models.SourceArticle, ids)
		if err != nil {
			return nil, nil, err
		}
		texts = []gen.Translation{}
		for _, id := range ids {
			texts = append(texts, each(of[id], func(t helpcenter.Translation) gen.Translation { return translationJSON(ctx, t) })...)
		}
	}
	if includes(ctx, "comments") {
		found, err := h.help.CommentsByID(ctx, auth.From(ctx), side.comments)
		if err != nil {
			return nil, nil, err
		}
		comments = each(found, func(c models.ArticleComment) gen.ArticleComment { return articleCommentJSON(ctx, c) })
	}
	return texts, comments, nil
}

func (h helpCenterHandlers) ShowVote(ctx context.Context, r gen.ShowVoteRequestObject) (gen.ShowVoteResponseObject, error) {
	v, err := h.help.Vote(ctx, auth.From(ctx), int64(r.VoteID))
	if err != nil {
		return nil, err
	}
	out := gen.VoteEnvelope{Vote: voteJSON(ctx, v)}
	var side sideLoads
	side.ofVotes([]models.Vote{v})
	if out.Users, out.Articles, err = side.usersAndArticles(ctx, h); err != nil {
		return nil, err
	}
	out.Translations, out.Comments, err = h.besideVotes(ctx, side)
	return gen.ShowVote200JSONResponse(out), err
}

func (h helpCenterHandlers) DeleteVote(ctx context.Context, r gen.DeleteVoteRequestObject) (gen.DeleteVoteResponseObject, error) {
	return gen.DeleteVote204Response{}, h.help.DeleteVote(ctx, auth.From(ctx), int64(r.VoteID))
}

func voteJSON(ctx context.Context, v models.Vote) gen.Vote {
	return gen.Vote{
		ID: v.ID, URL: link(ctx, "help_center/votes", v.ID), UserID: v.UserID, Value: int64(v.Value), ItemID: v.ItemID, ItemType: gen.VoteItem(v.ItemType),
		CreatedAt: wire.Time(v.CreatedAt), UpdatedAt: wire.Time(v.UpdatedAt),
	}
}
