package api

import (
	"context"
	"fmt"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

type sessionHandlers struct{ auth *auth.Service }

func (h sessionHandlers) list(ctx context.Context, user int64) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.auth.Sessions(ctx, auth.From(ctx), user, p)
	return listing(ctx, "sessions", mapped(ctx, list, sessionJSON)), err
}

func (h sessionHandlers) ListSessions(ctx context.Context, _ gen.ListSessionsRequestObject) (gen.ListSessionsResponseObject, error) {
	l, err := h.list(ctx, 0)
	return gen.ListSessions200JSONResponse{Listing: l}, err
}

func (h sessionHandlers) ListSessionsByUser(ctx context.Context, r gen.ListSessionsByUserRequestObject) (gen.ListSessionsByUserResponseObject, error) {
	l, err := h.list(ctx, int64(r.UserID))
	return gen.ListSessionsByUser200JSONResponse{Listing: l}, err
}

func (h sessionHandlers) ShowSession(ctx context.Context, r gen.ShowSessionRequestObject) (gen.ShowSessionResponseObject, error) {
	v, err := h.auth.Session(ctx, auth.From(ctx), int64(r.UserID), int64(r.SessionID))
	return gen.ShowSession200JSONResponse{Session: sessionJSON(ctx, v)}, err
}

// current is the caller's session. Callers with a token have none.
func (h sessionHandlers) current(ctx context.Context) (models.Session, error) {
	by := auth.From(ctx)
	if by.SessionID == 0 {
		return models.Session{}, fault.Missing("session of", by.ID())
	}
	return h.auth.Session(ctx, by, by.ID(), by.SessionID)
}

func (h sessionHandlers) ShowCurrentlyAuthenticatedSession(ctx context.Context, _ gen.ShowCurrentlyAuthenticatedSessionRequestObject) (gen.ShowCurrentlyAuthenticatedSessionResponseObject, error) {
	v, err := h.current(ctx)
	return gen.ShowCurrentlyAuthenticatedSession200JSONResponse{Session: sessionJSON(ctx, v)}, err
}

func (h sessionHandlers) RenewCurrentSession(ctx context.Context, _ gen.RenewCurrentSessionRequestObject) (gen.RenewCurrentSessionResponseObject, error) {
	_, err := h.current(ctx)
	return gen.RenewCurrentSession200JSONResponse{AuthenticityToken: auth.NewToken()}, err
}

func (h sessionHandlers) DeleteAuthenticatedSession(ctx context.Context, _ gen.DeleteAuthenticatedSessionRequestObject) (gen.DeleteAuthenticatedSessionResponseObject, error) {
	v, err := h.current(ctx)
	if err == nil {
		err = h.auth.EndSessions(ctx, auth.From(ctx), v.UserID, v.ID)
	}
	return gen.DeleteAuthenticatedSession204Response{}, err
}

func (h sessionHandlers) DeleteMySessions(ctx context.Context, _ gen.DeleteMySessionsRequestObject) (gen.DeleteMySessionsResponseObject, error) {
	by := auth.From(ctx)
	return gen.DeleteMySessions204Response{}, h.auth.EndSessions(ctx, by, by.ID(), 0)
}

func (h sessionHandlers) BulkDeleteSessionsByUserID(ctx context.Context, r gen.BulkDeleteSessionsByUserIDRequestObject) (gen.BulkDeleteSessionsByUserIDResponseObject, error) {
	return gen.BulkDeleteSessionsByUserID204Response{}, h.auth.EndSessions(ctx, auth.From(ctx), int64(r.UserID), 0)
}

func (h sessionHandlers) DeleteSession(ctx context.Context, r gen.DeleteSessionRequestObject) (gen.DeleteSessionResponseObject, error) {
	return gen.DeleteSession204Response{}, h.auth.EndSessions(ctx, auth.From(ctx), int64(r.UserID), int64(r.SessionID))
}

func (h sessionHandlers) LogoutManyUsers(ctx context.Context, r gen.LogoutManyUsersRequestObject) (gen.LogoutManyUsersResponseObject, error) {
	ids, err := named(r.Params.Ids)
	if err == nil && len(ids) == 0 {
		err = fault.Attribute("ids", "a list of ids")
	}
	if err != nil {
		return nil, err
	}
	return gen.LogoutManyUsers202JSONResponse{}, h.auth.LogOut(ctx, auth.From(ctx), ids)
}

func sessionJSON(ctx context.Context, v models.Session) gen.Session {
	return gen.Session{
		ID: v.ID, URL: fmt.Sprintf("%s/api/v2/users/%d/sessions/%d.json", callOf(ctx).base, v.UserID, v.ID), UserID: v.UserID,
		AuthenticatedAt: wire.Time(v.AuthenticatedAt), LastSeenAt: wire.Time(v.LastSeenAt),
	}
}
