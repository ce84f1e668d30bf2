package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

func (h userHandlers) MergeEndUsers(ctx context.Context, r gen.MergeEndUsersRequestObject) (gen.MergeEndUsersResponseObject, error) {
	e, err := h.merge(ctx, int64(r.UserID), r.Body.User)
	return gen.MergeEndUsers200JSONResponse(e), err
}

func (h userHandlers) MergeSelf(ctx context.Context, r gen.MergeSelfRequestObject) (gen.MergeSelfResponseObject, error) {
	e, err := h.merge(ctx, auth.From(ctx).ID(), r.Body.User)
	return gen.MergeSelf200JSONResponse(e), err
}

// merge finds out into whom: the right password proves that the other one is
// the caller's too, and stands in the place of the right to the other's record.
func (h userHandlers) merge(ctx context.Context, loser int64, in gen.UserMergeInput) (gen.UserEnvelope, error) {
	by := auth.From(ctx)
	if _, err := h.users.Get(ctx, by, loser); err != nil { // before anything is told of the other one
		return gen.UserEnvelope{}, err
	}
	winner := int64(or(in.ID, 0))
	switch {
	case in.Email != nil && in.Password != nil:
		other, err := h.authenticator.password(ctx, by.AccountID, string(*in.Email), *in.Password)
		if fault.Is(err, fault.Unauthenticated) {
			return gen.UserEnvelope{}, fault.InvalidField("password", "is not right for this address")
		}
		if err != nil {
			return gen.UserEnvelope{}, err
		}
		winner = other.ID()
	case !by.Staff():
		return gen.UserEnvelope{}, fault.InvalidField("password", "of the other user is needed, with the email")
	case winner == 0:
		return gen.UserEnvelope{}, fault.Blank("id")
	}
	u, err := h.merging.Users(ctx, by, loser, winner)
	if err != nil {
		return gen.UserEnvelope{}, err
	}
	if !by.Staff() {
		u = withoutNotes(u)
	}
	return gen.UserEnvelope{User: userJSON(ctx, u)}, nil
}
