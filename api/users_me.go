package api

import (
	"context"
	"encoding/json"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/locales"
)

func (h userHandlers) ShowCurrentUser(ctx context.Context, _ gen.ShowCurrentUserRequestObject) (gen.ShowCurrentUserResponseObject, error) {
	by := auth.From(ctx)
	if by.Anonymous() {
		zone, err := h.users.AccountZone(ctx, by)
		if err != nil {
			return nil, err
		}
		return gen.ShowCurrentUser200JSONResponse{User: nobodyJSON(ctx, zone)}, nil
	}
	u, err := h.users.Get(ctx, by, by.ID())
	if err != nil {
		return nil, err
	}
	s, err := h.sides(ctx, []models.User{u})
	return gen.ShowCurrentUser200JSONResponse{
		User: meJSON(ctx, u), Organizations: s.organizations, Abilities: s.abilities, Roles: s.roles, Identities: s.identities, Groups: s.groups, OpenTicketCount: s.open,
	}, err
}

func (h userHandlers) ShowMySettings(ctx context.Context, _ gen.ShowMySettingsRequestObject) (gen.ShowMySettingsResponseObject, error) {
	u := auth.From(ctx).User
	return gen.ShowMySettings200JSONResponse{Settings: gen.UserSettings{Localization: gen.UserLocalization{
		Locale: u.Locale, LocaleID: locales.ID(u.Locale), TimeZone: u.TimeZone, IanaTimeZone: ianaZone(u.TimeZone),
	}}}, nil
}

// withoutNotes is a user without what agents note about end users, which is not
// for their eyes.
func withoutNotes(u models.User) models.User {
	if !u.Staff() {
		u.Details, u.Notes, u.Tags, u.UserFields = nil, nil, nil, nil
	}
	return u
}

// meJSON is the caller.
func meJSON(ctx context.Context, u models.User) gen.CurrentUser {
	u = withoutNotes(u)
	all := userJSON(ctx, u)
	return gen.CurrentUser{
		ID: &all.ID, URL: all.URL, Name: all.Name, Email: all.Email, CreatedAt: &all.CreatedAt, UpdatedAt: &all.UpdatedAt,
		TimeZone: all.TimeZone, IanaTimeZone: all.IanaTimeZone, Phone: all.Phone, SharedPhoneNumber: all.SharedPhoneNumber,
		Photo: all.Photo, LocaleID: all.LocaleID, Locale: all.Locale, OrganizationID: all.OrganizationID, Role: all.Role,
		Verified: all.Verified, AuthenticityToken: auth.NewToken(), ExternalID: all.ExternalID, Tags: all.Tags, Alias: all.Alias,
		Active: all.Active, Shared: all.Shared, SharedAgent: all.SharedAgent, LastLoginAt: all.LastLoginAt,
		TwoFactorAuthEnabled: all.TwoFactorAuthEnabled, Signature: all.Signature, Details: all.Details, Notes: all.Notes,
		RoleType: all.RoleType, CustomRoleID: all.CustomRoleID, Moderator: all.Moderator, TicketRestriction: all.TicketRestriction,
		OnlyPrivateComments: all.OnlyPrivateComments, RestrictedAgent: all.RestrictedAgent, Suspended: all.Suspended,
		DefaultGroupID: all.DefaultGroupID, ReportCsv: all.ReportCsv, UserFields: all.UserFields,
	}
}

// nobodyJSON is the anonymous user.
func nobodyJSON(ctx context.Context, zone string) gen.CurrentUser {
	return gen.CurrentUser{
		URL: callOf(ctx).base + "/api/v2/users/.json", Name: "Anonymous user", Email: new("invalid@example.com"),
		TimeZone: zone, IanaTimeZone: ianaZone(zone), LocaleID: locales.ID(locales.Default), Locale: locales.Default,
		Role: gen.UserRole(models.RoleEndUser), AuthenticityToken: auth.NewToken(), Tags: []string{}, TwoFactorAuthEnabled: new(false),
		TicketRestriction: new(models.RestrictRequested), RestrictedAgent: true, UserFields: json.RawMessage("{}"),
	}
}
