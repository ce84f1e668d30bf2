package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
)

func userSubscriptionJSON(v models.UserSubscription) gen.UserSubscription {
	return gen.UserSubscription{ID: v.ID, FollowerID: v.FollowerID, FollowedID: v.FollowedID}
}

func (h helpCenterHandlers) ListUserSubscriptionsByUser(ctx context.Context, r gen.ListUserSubscriptionsByUserRequestObject) (gen.ListUserSubscriptionsByUserResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	var found []models.UserSubscription
	l, err := helpListOf(ctx, "user_subscriptions", keeping(&found, func(p page.Request) (page.Result[models.UserSubscription], error) {
		return h.help.Follows(ctx, auth.From(ctx), user, or(r.Params.Type, ""), p)
	}), userSubscriptionJSON)
	if err != nil {
		return nil, err
	}
	side := sideLoads{users: idsOf(found, func(v models.UserSubscription) []int64 { return []int64{v.FollowerID, v.FollowedID} })}
	err = side.add(ctx, h, l.Add)
	return gen.ListUserSubscriptionsByUser200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) CreateUserSubscription(ctx context.Context, r gen.CreateUserSubscriptionRequestObject) (gen.CreateUserSubscriptionResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	v, err := h.help.Follow(ctx, auth.From(ctx), user)
	return gen.CreateUserSubscription201JSONResponse{UserSubscription: userSubscriptionJSON(v)}, err
}

func (h helpCenterHandlers) DeleteUserSubscription(ctx context.Context, r gen.DeleteUserSubscriptionRequestObject) (gen.DeleteUserSubscriptionResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	return gen.DeleteUserSubscription204Response{}, h.help.Unfollow(ctx, auth.From(ctx), user, int64(r.UserSubscriptionID))
}
