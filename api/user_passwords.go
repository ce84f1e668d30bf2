package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/users"
)

func (h userHandlers) SetUserPassword(ctx context.Context, r gen.SetUserPasswordRequestObject) (gen.SetUserPasswordResponseObject, error) {
	return gen.SetUserPassword200JSONResponse{}, h.users.SetPassword(ctx, auth.From(ctx), int64(r.UserID), or(r.Body.Password, ""))
}

// ChangeOwnPassword wants the old password as a sign-in does, with the same
// limit of guesses: whoever has got hold of a token must not find it out.
func (h userHandlers) ChangeOwnPassword(ctx context.Context, r gen.ChangeOwnPasswordRequestObject) (gen.ChangeOwnPasswordResponseObject, error) {
	by := auth.From(ctx)
	if int64(r.UserID) != by.ID() {
		if _, err := h.users.Get(ctx, by, int64(r.UserID)); err != nil {
			return nil, err
		}
		return nil, fault.Base(fault.CodeInvalid, "Password: only your own can be changed with the previous one")
	}
	if by.User.Email == nil {
		return nil, fault.InvalidField("previous_password", "is not right")
	}
	_, err := h.authenticator.password(ctx, by.AccountID, *by.User.Email, or(r.Body.PreviousPassword, ""))
	if fault.Is(err, fault.Unauthenticated) {
		return nil, fault.InvalidField("previous_password", "is not right")
	}
	if err != nil {
		return nil, err
	}
	return gen.ChangeOwnPassword200JSONResponse{}, h.users.ChangePassword(ctx, by, or(r.Body.Password, ""))
}

func (h userHandlers) GetUserPasswordRequirements(ctx context.Context, r gen.GetUserPasswordRequirementsRequestObject) (gen.GetUserPasswordRequirementsResponseObject, error) {
	_, err := h.users.Get(ctx, auth.From(ctx), int64(r.UserID))
	return gen.GetUserPasswordRequirements200JSONResponse{Requirements: users.PasswordRequirements()}, err
}
