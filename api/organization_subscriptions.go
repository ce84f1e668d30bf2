package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/organizations"
)

func (h organizationHandlers) subscriptions(ctx context.Context, of organizations.Of) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.organizations.Subscriptions(ctx, auth.From(ctx), of, p)
	return listing(ctx, "organization_subscriptions", mapped(ctx, list, organizationSubscriptionJSON)), err
}

func (h organizationHandlers) ListOrganizationSubscriptions(ctx context.Context, _ gen.ListOrganizationSubscriptionsRequestObject) (gen.ListOrganizationSubscriptionsResponseObject, error) {
	l, err := h.subscriptions(ctx, organizations.Of{})
	return gen.ListOrganizationSubscriptions200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) ListOrganizationSubscriptionsByOrganization(ctx context.Context, r gen.ListOrganizationSubscriptionsByOrganizationRequestObject) (gen.ListOrganizationSubscriptionsByOrganizationResponseObject, error) {
	l, err := h.subscriptions(ctx, organizations.Of{OrganizationID: int64(r.OrganizationID)})
	return gen.ListOrganizationSubscriptionsByOrganization200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) ListOrganizationSubscriptionsByUser(ctx context.Context, r gen.ListOrganizationSubscriptionsByUserRequestObject) (gen.ListOrganizationSubscriptionsByUserResponseObject, error) {
	l, err := h.subscriptions(ctx, organizations.Of{UserID: int64(r.UserID)})
	return gen.ListOrganizationSubscriptionsByUser200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) ShowOrganizationSubscription(ctx context.Context, r gen.ShowOrganizationSubscriptionRequestObject) (gen.ShowOrganizationSubscriptionResponseObject, error) {
	v, err := h.organizations.Subscription(ctx, auth.From(ctx), int64(r.OrganizationSubscriptionID))
	return gen.ShowOrganizationSubscription200JSONResponse{OrganizationSubscription: organizationSubscriptionJSON(ctx, v)}, err
}

func (h organizationHandlers) CreateOrganizationSubscription(ctx context.Context, r gen.CreateOrganizationSubscriptionRequestObject) (gen.CreateOrganizationSubscriptionResponseObject, error) {
	in := r.Body.OrganizationSubscription
	v, err := h.organizations.Subscribe(ctx, auth.From(ctx), int64(or(in.UserID, 0)), int64(or(in.OrganizationID, 0)))
	return gen.CreateOrganizationSubscription200JSONResponse{OrganizationSubscription: organizationSubscriptionJSON(ctx, v)}, err
}

func (h organizationHandlers) DeleteOrganizationSubscription(ctx context.Context, r gen.DeleteOrganizationSubscriptionRequestObject) (gen.DeleteOrganizationSubscriptionResponseObject, error) {
	err := h.organizations.Unsubscribe(ctx, auth.From(ctx), int64(r.OrganizationSubscriptionID))
	return gen.DeleteOrganizationSubscription204Response{}, err
}

func organizationSubscriptionJSON(_ context.Context, v models.OrganizationSubscription) gen.OrganizationSubscription {
	return gen.OrganizationSubscription{ID: v.ID, UserID: v.UserID, OrganizationID: v.OrganizationID, CreatedAt: wire.Time(v.CreatedAt)}
}
