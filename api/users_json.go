package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/timezone"
	"github.com/helpd/helpd/server/users"
)

func userChange(in gen.UserInput) users.Change {
	c := users.Change{
		Name: (*string)(in.Name), Email: nullableText(in.Email), Role: in.Role, ExternalID: nullableText(in.ExternalID),
		Phone: nullableText(in.Phone), SharedPhoneNumber: convert(in.SharedPhoneNumber, func(f wire.Flag) bool { return bool(f) }),
		TimeZone: in.TimeZone, Locale: in.Locale, LocaleID: (*int64)(in.LocaleID),
		OrganizationID: wire.NullableID(in.OrganizationID), OrganizationIDs: in.OrganizationIds.Int64s(),
		Verified: (*bool)(in.Verified), Tags: in.Tags, Alias: nullableText(in.Alias), Details: nullableText(in.Details),
		Notes: nullableText(in.Notes), Signature: nullableText(in.Signature), CustomRoleID: wire.NullableID(in.CustomRoleID),
		Moderator: (*bool)(in.Moderator), TicketRestriction: in.TicketRestriction, OnlyPrivateComments: (*bool)(in.OnlyPrivateComments),
		Suspended: (*bool)(in.Suspended), DefaultGroupID: wire.NullableID(in.DefaultGroupID),
		RemotePhotoURL: in.RemotePhotoURL, Password: in.Password, Fields: in.UserFields,
	}
	if id := wire.NullableID(in.ID); id.IsSpecified() && !id.IsNull() {
		c.ID = id.MustGet()
	}
	if in.Organization != nil {
		c.OrganizationName = in.Organization.Name
	}
	for _, i := range in.Identities {
		c.Identities = append(c.Identities, identityInput(i))
	}
	return c
}

func userChanges(in []gen.UserInput) []users.Change {
	out := make([]users.Change, len(in))
	for i, u := range in {
		out[i] = userChange(u)
	}
	return out
}

func identityInput(in gen.UserIdentityInput) users.NewIdentity {
	return users.NewIdentity{
		Type: or(in.Type, ""), Value: string(or(in.Value, "")), Verified: bool(or(in.Verified, false)), Primary: bool(or(in.Primary, false)),
	}
}

func userJSON(ctx context.Context, u models.User) gen.User {
	return gen.User{
		ID: u.ID, URL: link(ctx, "users", u.ID), Name: u.Name, Email: u.Email,
		CreatedAt: wire.Time(u.CreatedAt), UpdatedAt: wire.Time(u.UpdatedAt),
		TimeZone: u.TimeZone, IanaTimeZone: ianaZone(u.TimeZone), Phone: u.Phone, SharedPhoneNumber: u.SharedPhoneNumber, Photo: photoJSON(ctx, u.Photo),
		LocaleID: locales.ID(u.Locale), Locale: u.Locale, OrganizationID: u.OrganizationID, Role: gen.UserRole(u.Role), Verified: u.Verified,
		ExternalID: u.ExternalID, Tags: list(u.Tags), Alias: u.Alias, Active: u.Active, Shared: u.Shared, LastLoginAt: (*wire.Time)(u.LastLoginAt),
		TwoFactorAuthEnabled: new(false), Signature: u.Signature, Details: u.Details, Notes: u.Notes,
		RoleType: wide(u.RoleType), CustomRoleID: u.CustomRoleID, Moderator: u.Moderator, TicketRestriction: u.TicketRestriction,
		OnlyPrivateComments: u.OnlyPrivateComments, RestrictedAgent: restricted(u), Suspended: u.Suspended,
		DefaultGroupID: u.DefaultGroupID, ReportCsv: u.Role == models.RoleAdmin, UserFields: userFields(ctx, u.UserFields),
	}
}

func usersJSON(ctx context.Context, us []models.User) []gen.User {
	return each(us, func(u models.User) gen.User { return userJSON(ctx, u) })
}

// restricted says whether a user sees less than all tickets.
func restricted(u models.User) bool { return u.Role != models.RoleAdmin && u.TicketRestriction != nil }

func ianaZone(name string) string {
	iana, ok := timezone.IANA(name)
	if !ok { // set before the zone was renamed
		return "Etc/UTC"
	}
	return iana
}

// endUserJSON is what end users see of themselves.
func endUserJSON(ctx context.Context, u models.User) gen.EndUser {
	all := userJSON(ctx, u)
	return gen.EndUser{
		ID: all.ID, URL: link(ctx, "end_users", u.ID), Name: all.Name, Email: all.Email,
		CreatedAt: all.CreatedAt, UpdatedAt: all.UpdatedAt, TimeZone: all.TimeZone, IanaTimeZone: all.IanaTimeZone,
		Phone: all.Phone, SharedPhoneNumber: all.SharedPhoneNumber, Photo: all.Photo, LocaleID: all.LocaleID, Locale: all.Locale,
		OrganizationID: all.OrganizationID, Role: all.Role, Verified: all.Verified,
	}
}

func abilitiesJSON(ctx context.Context, by auth.Actor, u models.User) gen.UserAbilities {
	may := users.AbilitiesOf(by, u)
	return gen.UserAbilities{
		URL: link(ctx, "users", u.ID), UserID: u.ID, CanEdit: may.Edit, CanEditPassword: may.EditPassword,
		CanManageIdentitiesOf: may.ManageIdentities, CanVerifyIdentities: may.VerifyIdentities,
	}
}

func identityJSON(ctx context.Context, i models.UserIdentity) gen.UserIdentity {
	out := gen.UserIdentity{
		URL: identityLink(ctx, i), ID: i.ID, UserID: i.UserID, Type: i.Type, Value: i.Value, Verified: i.Verified, Primary: i.Primary,
		CreatedAt: wire.Time(i.CreatedAt), UpdatedAt: wire.Time(i.UpdatedAt),
	}
	if i.Type == models.IdentityEmail {
		out.UndeliverableCount, out.DeliverableState = new(int64(i.UndeliverableCount)), new("deliverable")
	}
	return out
}

func identityLink(ctx context.Context, i models.UserIdentity) string {
	return linkBelow(ctx, "users", i.UserID, "identities", i.ID)
}

func identitiesJSON(ctx context.Context, is []models.UserIdentity) []gen.UserIdentity {
	return each(is, func(i models.UserIdentity) gen.UserIdentity { return identityJSON(ctx, i) })
}
