package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/users"
)

// The identities of users under /users, for agents, and under /end_users, for
// end users about themselves: the same operations, held to the caller's rights
// by package users.

func (h userHandlers) identityList(ctx context.Context, user gen.UserIDParam, types []string) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := h.users.IdentityList(ctx, auth.From(ctx), int64(user), types, p)
	if err != nil {
		return wire.Listing{}, err
	}
	return listing(ctx, "identities", mapped(ctx, found, identityJSON)), nil
}

func (h userHandlers) addIdentity(ctx context.Context, user gen.UserIDParam, in gen.UserIdentityInput) (gen.UserIdentityEnvelope, string, error) {
	i, err := h.users.AddIdentity(ctx, auth.From(ctx), int64(user), identityInput(in))
	return gen.UserIdentityEnvelope{Identity: identityJSON(ctx, i)}, identityLink(ctx, i), err
}

func (h userHandlers) showIdentity(ctx context.Context, user gen.UserIDParam, id gen.UserIdentityIDParam) (gen.UserIdentityEnvelope, error) {
	i, err := h.users.Identity(ctx, auth.From(ctx), int64(user), int64(id))
	return gen.UserIdentityEnvelope{Identity: identityJSON(ctx, i)}, err
}

func (h userHandlers) changeIdentity(ctx context.Context, user gen.UserIDParam, id gen.UserIdentityIDParam, in gen.UserIdentityInput) (gen.UserIdentityEnvelope, error) {
	c := users.IdentityChange{Value: (*string)(in.Value), Verified: (*bool)(in.Verified)}
	i, err := h.users.UpdateIdentity(ctx, auth.From(ctx), int64(user), int64(id), c)
	return gen.UserIdentityEnvelope{Identity: identityJSON(ctx, i)}, err
}

func (h userHandlers) firstIdentity(ctx context.Context, user gen.UserIDParam, id gen.UserIdentityIDParam) (wire.Listing, error) {
	all, err := h.users.MakePrimary(ctx, auth.From(ctx), int64(user), int64(id))
	return whole("identities", identitiesJSON(ctx, all)), err
}

func (h userHandlers) verifyIdentity(ctx context.Context, user gen.UserIDParam, id gen.UserIdentityIDParam) (gen.UserIdentityEnvelope, error) {
	i, err := h.users.VerifyIdentity(ctx, auth.From(ctx), int64(user), int64(id))
	return gen.UserIdentityEnvelope{Identity: identityJSON(ctx, i)}, err
}

func (h userHandlers) ListUserIdentities(ctx context.Context, r gen.ListUserIdentitiesRequestObject) (gen.ListUserIdentitiesResponseObject, error) {
	l, err := h.identityList(ctx, r.UserID, r.Params.Type)
	return gen.ListUserIdentities200JSONResponse{Listing: l}, err
}

func (h userHandlers) CreateUserIdentity(ctx context.Context, r gen.CreateUserIdentityRequestObject) (gen.CreateUserIdentityResponseObject, error) {
	body, location, err := h.addIdentity(ctx, r.UserID, r.Body.Identity)
	return gen.CreateUserIdentity201JSONResponse{Headers: gen.CreateUserIdentity201ResponseHeaders{Location: location}, Body: body}, err
}

func (h userHandlers) ShowUserIdentity(ctx context.Context, r gen.ShowUserIdentityRequestObject) (gen.ShowUserIdentityResponseObject, error) {
	body, err := h.showIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.ShowUserIdentity200JSONResponse(body), err
}

func (h userHandlers) UpdateUserIdentity(ctx context.Context, r gen.UpdateUserIdentityRequestObject) (gen.UpdateUserIdentityResponseObject, error) {
	body, err := h.changeIdentity(ctx, r.UserID, r.UserIdentityID, r.Body.Identity)
	return gen.UpdateUserIdentity200JSONResponse(body), err
}

func (h userHandlers) DeleteUserIdentity(ctx context.Context, r gen.DeleteUserIdentityRequestObject) (gen.DeleteUserIdentityResponseObject, error) {
	err := h.users.DeleteIdentity(ctx, auth.From(ctx), int64(r.UserID), int64(r.UserIdentityID))
	return gen.DeleteUserIdentity204Response{}, err
}

func (h userHandlers) MakeUserIdentityPrimary(ctx context.Context, r gen.MakeUserIdentityPrimaryRequestObject) (gen.MakeUserIdentityPrimaryResponseObject, error) {
	l, err := h.firstIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.MakeUserIdentityPrimary200JSONResponse{Listing: l}, err
}

func (h userHandlers) VerifyUserIdentity(ctx context.Context, r gen.VerifyUserIdentityRequestObject) (gen.VerifyUserIdentityResponseObject, error) {
	body, err := h.verifyIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.VerifyUserIdentity200JSONResponse(body), err
}

func (h userHandlers) ListEndUserIdentities(ctx context.Context, r gen.ListEndUserIdentitiesRequestObject) (gen.ListEndUserIdentitiesResponseObject, error) {
	l, err := h.identityList(ctx, r.UserID, r.Params.Type)
	return gen.ListEndUserIdentities200JSONResponse{Listing: l}, err
}

func (h userHandlers) CreateEndUserIdentity(ctx context.Context, r gen.CreateEndUserIdentityRequestObject) (gen.CreateEndUserIdentityResponseObject, error) {
	body, location, err := h.addIdentity(ctx, r.UserID, r.Body.Identity)
	return gen.CreateEndUserIdentity201JSONResponse{Headers: gen.CreateEndUserIdentity201ResponseHeaders{Location: location}, Body: body}, err
}

func (h userHandlers) ShowEndUserIdentity(ctx context.Context, r gen.ShowEndUserIdentityRequestObject) (gen.ShowEndUserIdentityResponseObject, error) {
	body, err := h.showIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.ShowEndUserIdentity200JSONResponse(body), err
}

func (h userHandlers) UpdateEndUserIdentity(ctx context.Context, r gen.UpdateEndUserIdentityRequestObject) (gen.UpdateEndUserIdentityResponseObject, error) {
	body, err := h.changeIdentity(ctx, r.UserID, r.UserIdentityID, r.Body.Identity)
	return gen.UpdateEndUserIdentity200JSONResponse(body), err
}

func (h userHandlers) DeleteEndUserIdentity(ctx context.Context, r gen.DeleteEndUserIdentityRequestObject) (gen.DeleteEndUserIdentityResponseObject, error) {
	err := h.users.DeleteIdentity(ctx, auth.From(ctx), int64(r.UserID), int64(r.UserIdentityID))
	return gen.DeleteEndUserIdentity204Response{}, err
}

func (h userHandlers) MakeEndUserIdentityPrimary(ctx context.Context, r gen.MakeEndUserIdentityPrimaryRequestObject) (gen.MakeEndUserIdentityPrimaryResponseObject, error) {
	l, err := h.firstIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.MakeEndUserIdentityPrimary200JSONResponse{Listing: l}, err
}

func (h userHandlers) VerifyEndUserIdentity(ctx context.Context, r gen.VerifyEndUserIdentityRequestObject) (gen.VerifyEndUserIdentityResponseObject, error) {
	body, err := h.verifyIdentity(ctx, r.UserID, r.UserIdentityID)
	return gen.VerifyEndUserIdentity200JSONResponse(body), err
}

func (h userHandlers) RequestUserVerfication(ctx context.Context, r gen.RequestUserVerficationRequestObject) (gen.RequestUserVerficationResponseObject, error) {
	err := h.users.RequestVerification(ctx, auth.From(ctx), int64(r.UserID), int64(r.UserIdentityID))
	return gen.RequestUserVerfication200JSONResponse{}, err
}

func (h userHandlers) RequestEndUserVerification(ctx context.Context, r gen.RequestEndUserVerificationRequestObject) (gen.RequestEndUserVerificationResponseObject, error) {
	err := h.users.RequestVerification(ctx, auth.From(ctx), int64(r.UserID), int64(r.UserIdentityID))
	return gen.RequestEndUserVerification200JSONResponse{}, err
}
