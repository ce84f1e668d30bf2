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
	"github.com/helpd/helpd/server/textdiff"
)

func (h helpCenterHandlers) ListReviews(ctx context.Context, r gen.ListReviewsRequestObject) (gen.ListReviewsResponseObject, error) {
	l, err := h.reviewList(ctx, 0, or(r.Params.Status, ""))
	return gen.ListReviews200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticleReviews(ctx context.Context, r gen.ListArticleReviewsRequestObject) (gen.ListArticleReviewsResponseObject, error) {
	l, err := h.reviewList(ctx, int64(r.ArticleID), or(r.Params.Status, ""))
	return gen.ListArticleReviews200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) reviewList(ctx context.Context, article int64, status string) (wire.Listing, error) {
	var found []models.ArticleReview
	l, err := helpListOf(ctx, "reviews", keeping(&found, func(p page.Request) (page.Result[models.ArticleReview], error) {
		return h.help.Reviews(ctx, auth.From(ctx), article, status, p)
	}), func(r models.ArticleReview) gen.Review { return reviewJSON(ctx, r) })
	if err != nil {
		return l, err
	}
	err = besideReviews(found).add(ctx, h, l.Add)
	return l, err
}

func besideReviews(list []models.ArticleReview) (side sideLoads) {
	for _, r := range list {
		side.articles, side.users = append(side.articles, r.ArticleID), append(side.users, r.SubmitterID)
		for _, id := range []*int64{r.ReviewerID, r.DecidedByID} {
			if id != nil {
				side.users = append(side.users, *id)
			}
		}
	}
	return side
}

func (h helpCenterHandlers) reviewEnvelope(ctx context.Context, r models.ArticleReview, err error) (out gen.ReviewEnvelope, _ error) {
	if err != nil {
		return out, err
	}
	out.Review = reviewJSON(ctx, r)
	out.Users, out.Articles, err = besideReviews([]models.ArticleReview{r}).usersAndArticles(ctx, h)
	return out, err
}

func (h helpCenterHandlers) ShowReview(ctx context.Context, r gen.ShowReviewRequestObject) (gen.ShowReviewResponseObject, error) {
	found, err := h.help.Review(ctx, auth.From(ctx), int64(r.ReviewID))
	out, err := h.reviewEnvelope(ctx, found, err)
	return gen.ShowReview200JSONResponse(out), err
}

func (h helpCenterHandlers) SubmitArticleReview(ctx context.Context, r gen.SubmitArticleReviewRequestObject) (gen.SubmitArticleReviewResponseObject, error) {
	in := r.Body.Review
	made, err := h.help.Submit(ctx, auth.From(ctx), int64(r.ArticleID), helpcenter.Submission{
		Locale: string(or(in.Locale, "")), Note: string(or(in.Note, "")), ReviewerID: value(wire.NullableID(in.ReviewerID)),
	})
	out, err := h.reviewEnvelope(ctx, made, err)
	return gen.SubmitArticleReview201JSONResponse{Headers: gen.SubmitArticleReview201ResponseHeaders{Location: out.Review.URL}, Body: out}, err
}

func (h helpCenterHandlers) decide(ctx context.Context, id gen.ReviewIDParam, approve bool, body *gen.ReviewDecisionBody) (gen.ReviewEnvelope, error) {
	note := ""
	if body != nil && body.Review != nil {
		note = string(or(body.Review.Note, ""))
	}
	r, err := h.help.Decide(ctx, auth.From(ctx), int64(id), approve, note)
	return h.reviewEnvelope(ctx, r, err)
}

func (h helpCenterHandlers) ApproveReview(ctx context.Context, r gen.ApproveReviewRequestObject) (gen.ApproveReviewResponseObject, error) {
	out, err := h.decide(ctx, r.ReviewID, true, r.Body)
	return gen.ApproveReview200JSONResponse(out), err
}

func (h helpCenterHandlers) RejectReview(ctx context.Context, r gen.RejectReviewRequestObject) (gen.RejectReviewResponseObject, error) {
	out, err := h.decide(ctx, r.ReviewID, false, r.Body)
	return gen.RejectReview200JSONResponse(out), err
}

func (h helpCenterHandlers) WithdrawReview(ctx context.Context, r gen.WithdrawReviewRequestObject) (gen.WithdrawReviewResponseObject, error) {
	return gen.WithdrawReview204Response{}, h.help.Withdraw(ctx, auth.From(ctx), int64(r.ReviewID))
}

func reviewJSON(ctx context.Context, r models.ArticleReview) gen.Review {
	return gen.Review{
		ID: r.ID, URL: link(ctx, "help_center/reviews", r.ID), ArticleID: r.ArticleID, Locale: r.Locale, Status: gen.ReviewStatus(r.Status),
		SubmitterID: r.SubmitterID, ReviewerID: r.ReviewerID, Note: r.Note, DecidedByID: r.DecidedByID, DecidedAt: (*wire.Time)(r.DecidedAt),
		DecisionNote: r.DecisionNote, CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}

func (h helpCenterHandlers) ListUnverifiedArticles(ctx context.Context, _ gen.ListUnverifiedArticlesRequestObject) (gen.ListUnverifiedArticlesResponseObject, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.help.Unverified(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	articles := each(found.Items, func(u helpcenter.Unverified) helpcenter.Article { return u.Article })
	all, err := h.articlesJSON(ctx, articles)
	if err != nil {
		return nil, err
	}
	l := helpList(ctx, "articles", with(found, all))
	l.Add("verifications", each(found.Items, func(u helpcenter.Unverified) gen.Verification { return verificationJSON(u.Verification) }))
	err = h.besideArticles(ctx, articles, l.Add)
	return gen.ListUnverifiedArticles200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ShowArticleVerification(ctx context.Context, r gen.ShowArticleVerificationRequestObject) (gen.ShowArticleVerificationResponseObject, error) {
	v, err := h.help.Verification(ctx, auth.From(ctx), int64(r.ArticleID))
	return gen.ShowArticleVerification200JSONResponse{Verification: verificationJSON(v)}, err
}

func (h helpCenterHandlers) SetArticleVerification(ctx context.Context, r gen.SetArticleVerificationRequestObject) (gen.SetArticleVerificationResponseObject, error) {
	in := r.Body.Verification
	v, err := h.help.SetVerification(ctx, auth.From(ctx), int64(r.ArticleID), in.EveryDays, (*time.Time)(in.DueAt))
	return gen.SetArticleVerification200JSONResponse{Verification: verificationJSON(v)}, err
}

func (h helpCenterHandlers) EndArticleVerification(ctx context.Context, r gen.EndArticleVerificationRequestObject) (gen.EndArticleVerificationResponseObject, error) {
	return gen.EndArticleVerification204Response{}, h.help.EndVerification(ctx, auth.From(ctx), int64(r.ArticleID))
}

func (h helpCenterHandlers) VerifyArticle(ctx context.Context, r gen.VerifyArticleRequestObject) (gen.VerifyArticleResponseObject, error) {
	v, err := h.help.Verify(ctx, auth.From(ctx), int64(r.ArticleID))
	return gen.VerifyArticle200JSONResponse{Verification: verificationJSON(v)}, err
}

func verificationJSON(v models.ArticleVerification) gen.Verification {
	return gen.Verification{
		ArticleID: v.ArticleID, EveryDays: int64(v.EveryDays), VerifiedAt: (*wire.Time)(v.VerifiedAt), VerifiedByID: v.VerifiedByID, DueAt: wire.Time(v.DueAt),
	}
}

func (h helpCenterHandlers) ListRevisions(ctx context.Context, r gen.ListRevisionsRequestObject) (gen.ListRevisionsResponseObject, error) {
	article, locale := int64(r.ArticleID), r.TranslationLocale
	var found []models.TranslationRevision
	l, err := helpListOf(ctx, "revisions", keeping(&found, func(p page.Request) (page.Result[models.TranslationRevision], error) {
		return h.help.Revisions(ctx, auth.From(ctx), article, locale, p)
	}), func(v models.TranslationRevision) gen.Revision { return revisionOfJSON(ctx, article, locale, v) })
	if err != nil {
		return nil, err
	}
	side := sideLoads{users: each(found, func(v models.TranslationRevision) int64 { return v.AuthorID })}
	people, _, err := side.usersAndArticles(ctx, h)
	if people != nil {
		l.Add("users", people)
	}
	return gen.ListRevisions200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ShowRevision(ctx context.Context, r gen.ShowRevisionRequestObject) (gen.ShowRevisionResponseObject, error) {
	v, err := h.help.Revision(ctx, auth.From(ctx), int64(r.ArticleID), r.TranslationLocale, int64(r.RevisionID))
	if err != nil {
		return nil, err
	}
	out := gen.RevisionEnvelope{Revision: revisionOfJSON(ctx, int64(r.ArticleID), r.TranslationLocale, v)}
	out.Users, _, err = sideLoads{users: []int64{v.AuthorID}}.usersAndArticles(ctx, h)
	return gen.ShowRevision200JSONResponse(out), err
}

func (h helpCenterHandlers) DiffRevision(ctx context.Context, r gen.DiffRevisionRequestObject) (gen.DiffRevisionResponseObject, error) {
	d, err := h.help.DiffRevisions(ctx, auth.From(ctx), int64(r.ArticleID), r.TranslationLocale, int64(r.RevisionID), int64(or(r.Params.SourceID, 0)))
	edit := func(e textdiff.Edit) gen.TextEdit { return gen.TextEdit{Change: e.Change, Content: e.Content} }
	return gen.DiffRevision200JSONResponse{Diff: gen.RevisionDiff{SourceID: d.SourceID, TargetID: d.TargetID, Title: each(d.Title, edit), Body: each(d.Body, edit)}}, err
}

func (h helpCenterHandlers) RestoreRevision(ctx context.Context, r gen.RestoreRevisionRequestObject) (gen.RestoreRevisionResponseObject, error) {
	t, err := h.help.RestoreRevision(ctx, auth.From(ctx), int64(r.ArticleID), r.TranslationLocale, int64(r.RevisionID))
	return gen.RestoreRevision200JSONResponse{Translation: translationJSON(ctx, t)}, err
}

func revisionOfJSON(ctx context.Context, article int64, locale string, v models.TranslationRevision) gen.Revision {
	return gen.Revision{
		ID: v.ID, URL: callOf(ctx).base + helpCenterPath + "articles/" + idText(article) + "/translations/" + locale + "/revisions/" + idText(v.ID) + ".json",
		Locale: locale, Title: v.Title, Body: v.HTMLBody, AuthorID: v.AuthorID, CreatedAt: wire.Time(v.CreatedAt),
	}
}

// ShowHelpCenterSession gives a token as pages ask for it before they write. None
// is needed here: no browser sends a caller's credentials by itself.
func (h helpCenterHandlers) ShowHelpCenterSession(context.Context, gen.ShowHelpCenterSessionRequestObject) (gen.ShowHelpCenterSessionResponseObject, error) {
	return gen.ShowHelpCenterSession200JSONResponse{CurrentSession: gen.HelpCenterSession{CsrfToken: auth.NewToken()}}, nil
}
