package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

func (h userHandlers) ListDeletedUsers(ctx context.Context, _ gen.ListDeletedUsersRequestObject) (gen.ListDeletedUsersResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.users.Deleted(ctx, auth.From(ctx), p)
	return gen.ListDeletedUsers200JSONResponse{Listing: listing(ctx, "deleted_users", mapped(ctx, found, deletedUserJSON))}, err
}

func (h userHandlers) CountDeletedUsers(ctx context.Context, _ gen.CountDeletedUsersRequestObject) (gen.CountDeletedUsersResponseObject, error) {
	n, at, err := h.users.CountDeleted(ctx, auth.From(ctx))
	return gen.CountDeletedUsers200JSONResponse(countJSON(n, at)), err
}

func (h userHandlers) ShowDeletedUser(ctx context.Context, r gen.ShowDeletedUserRequestObject) (gen.ShowDeletedUserResponseObject, error) {
	u, err := h.users.DeletedUser(ctx, auth.From(ctx), int64(r.DeletedUserID))
	return gen.ShowDeletedUser200JSONResponse{DeletedUser: deletedUserJSON(ctx, u)}, err
}

func deletedUserJSON(ctx context.Context, u models.User) gen.DeletedUser {
	all := userJSON(ctx, u)
	return gen.DeletedUser{
		ID: all.ID, URL: link(ctx, "deleted_users", u.ID), Name: all.Name, Email: all.Email, CreatedAt: all.CreatedAt, UpdatedAt: all.UpdatedAt,
		TimeZone: all.TimeZone, Phone: all.Phone, SharedPhoneNumber: all.SharedPhoneNumber, Photo: all.Photo, LocaleID: all.LocaleID,
		Locale: all.Locale, OrganizationID: all.OrganizationID, Role: all.Role, Active: all.Active,
	}
}

func (h userHandlers) PermanentlyDeleteUser(ctx context.Context, r gen.PermanentlyDeleteUserRequestObject) (gen.PermanentlyDeleteUserResponseObject, error) {
	u, err := h.erasure.User(ctx, auth.From(ctx), int64(r.DeletedUserID))
	return gen.PermanentlyDeleteUser200JSONResponse{DeletedUser: deletedUserJSON(ctx, u)}, err
}

func (h userHandlers) ShowUserComplianceDeletionStatuses(ctx context.Context, r gen.ShowUserComplianceDeletionStatusesRequestObject) (gen.ShowUserComplianceDeletionStatusesResponseObject, error) {
	by := auth.From(ctx)
	e, err := h.erasure.Status(ctx, by, int64(r.UserID))
	if err != nil {
		return nil, err
	}
	subdomain, err := h.users.Subdomain(ctx, by)
	if err != nil {
		return nil, err
	}
	stages := []gen.ComplianceDeletionStatus{}
	add := func(action, application string, at *time.Time, receipt map[string]int64) {
		if wanted := or(r.Params.Application, ""); at != nil && (wanted == "" || wanted == "all" || wanted == application) {
			stages = append(stages, gen.ComplianceDeletionStatus{
				Action: action, Application: application, AccountSubdomain: subdomain, CreatedAt: wire.Time(*at),
				ExecuterID: e.ExecuterID, UserID: e.UserID, Receipt: receipt,
			})
		}
	}
	if e != nil {
		var receipt map[string]int64
		if err := json.Unmarshal(e.Receipt, &receipt); err != nil {
			return nil, err
		}
		add("request_deletion", "all", &e.RequestedAt, nil)
		add("started", "support", e.StartedAt, nil)
		add("complete", "support", e.CompletedAt, receipt)
	}
	return gen.ShowUserComplianceDeletionStatuses200JSONResponse{Listing: whole("compliance_deletion_statuses", stages)}, nil
}
