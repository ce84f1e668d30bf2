package api

import (
	"context"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

func (h helpCenterHandlers) ListArticleSubscriptions(ctx context.Context, r gen.ListArticleSubscriptionsRequestObject) (gen.ListArticleSubscriptionsResponseObject, error) {
	l, err := h.subscriptionsTo(ctx, models.SourceArticle, int64(r.ArticleID))
	return gen.ListArticleSubscriptions200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListSectionSubscriptions(ctx context.Context, r gen.ListSectionSubscriptionsRequestObject) (gen.ListSectionSubscriptionsResponseObject, error) {
	l, err := h.subscriptionsTo(ctx, models.SourceSection, int64(r.SectionID))
	return gen.ListSectionSubscriptions200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListContentSubscriptionsByUser(ctx context.Context, r gen.ListContentSubscriptionsByUserRequestObject) (gen.ListContentSubscriptionsByUserResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	l, err := h.subscriptionList(ctx, func(p page.Request) (page.Result[models.ContentSubscription], error) {
		return h.help.SubscriptionsOf(ctx, auth.From(ctx), user, p)
	})
	return gen.ListContentSubscriptionsByUser200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) subscriptionsTo(ctx context.Context, kind string, id int64) (wire.Listing, error) {
	return h.subscriptionList(ctx, func(p page.Request) (page.Result[models.ContentSubscription], error) {
		return h.help.Subscriptions(ctx, auth.From(ctx), kind, localeAsked(ctx), id, p)
	})
}

func (h helpCenterHandlers) subscriptionList(ctx context.Context, list func(page.Request) (page.Result[models.ContentSubscription], error)) (wire.Listing, error) {
	var found []models.ContentSubscription
	l, err := helpListOf(ctx, "subscriptions", keeping(&found, list), func(s models.ContentSubscription) gen.ContentSubscription { return contentSubscriptionJSON(ctx, s) })
	if err != nil {
		return l, err
	}
	people, err := h.subscribers(ctx, found)
	if people != nil {
		l.Add("users", people)
	}
	return l, err
}

// subscribers are the users of subscriptions, if the caller asks for them.
func (h helpCenterHandlers) subscribers(ctx context.Context, of []models.ContentSubscription) ([]gen.RequestUser, error) {
	side := sideLoads{users: each(of, func(s models.ContentSubscription) int64 { return s.UserID })}
	people, _, err := side.usersAndArticles(ctx, h)
	return people, err
}

func (h helpCenterHandlers) subscribe(ctx context.Context, kind string, id int64, in gen.ContentSubscriptionInput) (gen.ContentSubscriptionEnvelope, error) {
	s, err := h.help.Subscribe(ctx, auth.From(ctx), kind, localeAsked(ctx), id, helpcenter.Subscribing{
		Locale: string(or(in.SourceLocale, "")), IncludeComments: bool(or(in.IncludeComments, false)), UserID: (*int64)(in.UserID),
	})
	return gen.ContentSubscriptionEnvelope{Subscription: contentSubscriptionJSON(ctx, s)}, err
}

func (h helpCenterHandlers) CreateArticleSubscription(ctx context.Context, r gen.CreateArticleSubscriptionRequestObject) (gen.CreateArticleSubscriptionResponseObject, error) {
	out, err := h.subscribe(ctx, models.SourceArticle, int64(r.ArticleID), r.Body.Subscription)
	return gen.CreateArticleSubscription201JSONResponse{Headers: gen.CreateArticleSubscription201ResponseHeaders{Location: out.Subscription.URL}, Body: out}, err
}

func (h helpCenterHandlers) CreateSectionSubscription(ctx context.Context, r gen.CreateSectionSubscriptionRequestObject) (gen.CreateSectionSubscriptionResponseObject, error) {
	out, err := h.subscribe(ctx, models.SourceSection, int64(r.SectionID), r.Body.Subscription)
	return gen.CreateSectionSubscription201JSONResponse{Headers: gen.CreateSectionSubscription201ResponseHeaders{Location: out.Subscription.URL}, Body: out}, err
}

func (h helpCenterHandlers) showSubscription(ctx context.Context, kind string, content, id int64) (out gen.ContentSubscriptionEnvelope, err error) {
	s, err := h.help.Subscription(ctx, auth.From(ctx), kind, localeAsked(ctx), content, id)
	if err != nil {
		return out, err
	}
	out.Subscription = contentSubscriptionJSON(ctx, s)
	out.Users, err = h.subscribers(ctx, []models.ContentSubscription{s})
	return out, err
}

func (h helpCenterHandlers) ShowArticleSubscription(ctx context.Context, r gen.ShowArticleSubscriptionRequestObject) (gen.ShowArticleSubscriptionResponseObject, error) {
	out, err := h.showSubscription(ctx, models.SourceArticle, int64(r.ArticleID), int64(r.SubscriptionID))
	return gen.ShowArticleSubscription200JSONResponse(out), err
}

func (h helpCenterHandlers) ShowSectionSubscription(ctx context.Context, r gen.ShowSectionSubscriptionRequestObject) (gen.ShowSectionSubscriptionResponseObject, error) {
	out, err := h.showSubscription(ctx, models.SourceSection, int64(r.SectionID), int64(r.SubscriptionID))
	return gen.ShowSectionSubscription200JSONResponse(out), err
}

func (h helpCenterHandlers) DeleteArticleSubscription(ctx context.Context, r gen.DeleteArticleSubscriptionRequestObject) (gen.DeleteArticleSubscriptionResponseObject, error) {
	return gen.DeleteArticleSubscription204Response{}, h.help.Unsubscribe(ctx, auth.From(ctx), models.SourceArticle, localeAsked(ctx), int64(r.ArticleID), int64(r.SubscriptionID))
}

func (h helpCenterHandlers) DeleteSectionSubscription(ctx context.Context, r gen.DeleteSectionSubscriptionRequestObject) (gen.DeleteSectionSubscriptionResponseObject, error) {
	return gen.DeleteSectionSubscription204Response{}, h.help.Unsubscribe(ctx, auth.From(ctx), models.SourceSection, localeAsked(ctx), int64(r.SectionID), int64(r.SubscriptionID))
}

func contentSubscriptionJSON(ctx context.Context, s models.ContentSubscription) gen.ContentSubscription {
	return gen.ContentSubscription{
		ID: s.ID, URL: helpURL(ctx, 0, s.Locale, kinds[s.ContentType], strconv.FormatInt(s.ContentID, 10)+"/subscriptions/"+strconv.FormatInt(s.ID, 10)),
		UserID: s.UserID, ContentID: s.ContentID, ContentType: s.ContentType, Locale: s.Locale, IncludeComments: s.IncludeComments,
		CreatedAt: wire.Time(s.CreatedAt), UpdatedAt: wire.Time(s.UpdatedAt),
	}
}
