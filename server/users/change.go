package users

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/timezone"
)

// Change is what a caller asks of a user. A nil or unspecified field is left
// alone; a null one is cleared. Its JSON is that of bulk jobs under way.
type Change struct {
	ID         int64                     `json:"id,omitzero"` // of the user, where a call names several; 0 otherwise
	Name       *string                   `json:"name,omitzero"`
	Email      nullable.Nullable[string] `json:"email,omitzero"` // of an existing user: added to the others
	Role       *string                   `json:"role,omitzero"`
	ExternalID nullable.Nullable[string] `json:"external_id,omitzero"`
	Phone      nullable.Nullable[string] `json:"phone,omitzero"`
	// SharedPhoneNumber tells whether others may have the number too. Where the
	// caller does not say, a number is shared if it cannot be an identity.
	SharedPhoneNumber   nullable.Nullable[bool]   `json:"shared_phone_number,omitzero"`
	TimeZone            *string                   `json:"time_zone,omitzero"`
	Locale              *string                   `json:"locale,omitzero"` // wins over LocaleID
	LocaleID            *int64                    `json:"locale_id,omitzero"`
	OrganizationID      nullable.Nullable[int64]  `json:"organization_id,omitzero"`
	OrganizationName    *string                   `json:"organization_name,omitzero"` // of an existing organization; OrganizationID wins
	OrganizationIDs     []int64                   `json:"organization_ids,omitzero"`  // to be a member of these too
	Verified            *bool                     `json:"verified,omitzero"`
	Tags                []string                  `json:"tags,omitzero"` // nil leaves, empty clears
	Alias               nullable.Nullable[string] `json:"alias,omitzero"`
	Details             nullable.Nullable[string] `json:"details,omitzero"`
	Notes               nullable.Nullable[string] `json:"notes,omitzero"`
	Signature           nullable.Nullable[string] `json:"signature,omitzero"`
	CustomRoleID        nullable.Nullable[int64]  `json:"custom_role_id,omitzero"`
	Moderator           *bool                     `json:"moderator,omitzero"`
	TicketRestriction   nullable.Nullable[string] `json:"ticket_restriction,omitzero"`
	OnlyPrivateComments *bool                     `json:"only_private_comments,omitzero"`
	Suspended           *bool                     `json:"suspended,omitzero"`
	DefaultGroupID      nullable.Nullable[int64]  `json:"default_group_id,omitzero"`
	RemotePhotoURL      nullable.Nullable[string] `json:"remote_photo_url,omitzero"`
	Photo               *Photo                    `json:"-"` // not kept in the queue
	Password            *string                   `json:"-"` // not kept in the queue
	// Fields are values of the account's user fields by key; others are ignored.
	Fields     map[string]json.RawMessage `json:"user_fields,omitzero"`
	Identities []NewIdentity              `json:"identities,omitzero"` // added to those there are
}

// Lengths in characters.
const (
	maxText     = 255
	maxLongText = 65_535
	minPassword = 8
)

// How many there may be of each.
const (
	maxTags       = 1000
	maxIdentities = 100 // in one change
)

// apply writes c over u as far as the user's own row holds it, and completes
// what follows from the role. Every value is checked; all that is wrong comes
// back at once.
func apply(u *models.User, c Change) error {
	var errs []error
	if len(c.OrganizationIDs) > MaxMany {
		return fault.Exceeds(MaxMany)
	}
	if len(c.Identities) > maxIdentities {
		return fault.Exceeds(maxIdentities)
	}
	note := func(err error) { errs = append(errs, err) }
	if c.Name != nil {
		u.Name = strings.TrimSpace(*c.Name)
	}
	if u.Name == "" {
		note(tooShort("name", 1))
	}
	note(limit("name", u.Name, maxText))
	note(setText(&u.ExternalID, c.ExternalID, "external_id", maxText))
	note(setText(&u.Phone, c.Phone, "phone", maxText))
	note(setText(&u.Alias, c.Alias, "alias", maxText))
	if text(c.RemotePhotoURL) != "" {
		note(fault.InvalidField("remote_photo_url", "is not fetched; send the picture as user[photo][uploaded_data] in a form"))
	}
	note(setText(&u.Details, c.Details, "details", maxLongText))
	note(setText(&u.Notes, c.Notes, "notes", maxLongText))
	note(setText(&u.Signature, c.Signature, "signature", maxLongText))
	if c.TimeZone != nil && *c.TimeZone != u.TimeZone {
		if _, ok := timezone.IANA(*c.TimeZone); !ok {
			note(fault.InvalidField("time_zone", "%s is not a time zone", *c.TimeZone))
		}
		u.TimeZone = *c.TimeZone
	}
	note(applyLocale(u, c))
	if c.Tags != nil {
		u.Tags = c.Tags
	}
	note(checkTags(u.Tags))
	note(applyRole(u, c))
	if c.Suspended != nil {
		u.Suspended = *c.Suspended
	}
	if c.Password != nil {
		note(checkPassword(u, *c.Password))
	}
	return fault.Join(errs...)
}

func applyLocale(u *models.User, c Change) error {
	switch {
	case c.Locale != nil && *c.Locale != "":
		code, ok := locales.Code(locales.ID(*c.Locale))
		if !ok {
			return fault.InvalidField("locale", "%s is not a locale", *c.Locale)
		}
		u.Locale = code
	case c.LocaleID != nil && *c.LocaleID != 0:
		code, ok := locales.Code(*c.LocaleID)
		if !ok {
			return fault.InvalidField("locale_id", "%d is not a locale", *c.LocaleID)
		}
		u.Locale = code
	}
	return nil
}

var roles = []string{models.RoleEndUser, models.RoleAgent, models.RoleAdmin}

// applyRole sets the role and what comes with it. Rights that belong to another
// role fall away: a client that echoes a whole user back cannot give an end
// user an agent's view.
func applyRole(u *models.User, c Change) error {
	before := u.Role
	if c.Role != nil {
		if !slices.Contains(roles, *c.Role) {
			return fault.InvalidField("role", "%s is not a role: end-user, agent or admin", *c.Role)
		}
		u.Role = *c.Role
	}
	// Custom roles are not kept yet, so that no id of one can be right.
	if c.CustomRoleID.IsSpecified() && !c.CustomRoleID.IsNull() {
		return fault.InvalidField("custom_role_id", "%d is not a custom role", c.CustomRoleID.MustGet())
	}
	if u.Role != before {
		u.TicketRestriction, u.OnlyPrivateComments, u.Moderator = nil, false, false
	}
	if c.OnlyPrivateComments != nil {
		u.OnlyPrivateComments = *c.OnlyPrivateComments
	}
	if c.Moderator != nil {
		u.Moderator = *c.Moderator
	}
	if c.TicketRestriction.IsSpecified() {
		u.TicketRestriction = nil
		if !c.TicketRestriction.IsNull() && c.TicketRestriction.MustGet() != "" {
			u.TicketRestriction = new(c.TicketRestriction.MustGet())
		}
	}
	switch u.Role {
	case models.RoleAdmin:
		u.RoleType, u.Moderator, u.TicketRestriction, u.OnlyPrivateComments = new(4), true, nil, false
	case models.RoleAgent:
		u.RoleType = nil
		if u.OnlyPrivateComments {
			u.RoleType = new(models.LightAgent)
		}
		// What an end user has falls away with a role; sent along with the role
		// it is an echo of the old one.
		if r := u.TicketRestriction; r != nil && *r == models.RestrictRequested {
			u.TicketRestriction = nil
		}
		if r := u.TicketRestriction; r != nil && !slices.Contains(agentRestrictions, *r) {
			return fault.InvalidField("ticket_restriction", "%s is not one of: %s", *r, strings.Join(agentRestrictions, ", "))
		}
	default:
		u.RoleType, u.OnlyPrivateComments = nil, false
		if r := u.TicketRestriction; r == nil || slices.Contains([]string{models.RestrictGroups, models.RestrictAssigned}, *r) {
			u.TicketRestriction = new(models.RestrictRequested)
		}
		if r := *u.TicketRestriction; r != models.RestrictRequested && r != models.RestrictOrganization {
			return fault.InvalidField("ticket_restriction", "%s is not one of: requested, organization", r)
		}
	}
	return nil
}

var agentRestrictions = []string{models.RestrictGroups, models.RestrictOrganization, models.RestrictAssigned}

// setText writes a text over a column; an empty one is null.
func setText(dst **string, n nullable.Nullable[string], field string, max int) error {
	if !n.IsSpecified() {
		return nil
	}
	if n.IsNull() || n.MustGet() == "" {
		*dst = nil
		return nil
	}
	*dst = new(n.MustGet())
	return limit(field, **dst, max)
}

// limit returns a plain nil error where there is nothing to say.
func limit(field, text string, max int) error {
	if utf8.RuneCountInString(text) > max {
		return fault.TooLong(field, max)
	}
	return nil
}

func tooShort(field string, min int) error {
	e := fault.InvalidField(field, "is too short (minimum is %d characters)", min)
	e.Details[field][0].Code = fault.CodeTooShort
	return e
}

func checkTags(tags []string) error {
	if len(tags) > maxTags {
		return fault.InvalidField("tags", "are more than %d", maxTags)
	}
	for _, tag := range tags {
		if utf8.RuneCountInString(tag) > maxText {
			return fault.TooLong("tags", maxText)
		}
	}
	return nil
}

// address is what we take for an e-mail address: one @ between a local part of
// printable characters and a domain of at least two labels. (net/mail would
// also take names, comments and quoted spaces, which no client means.)
var address = regexp.MustCompile(`^[^\s@<>()\[\]\\,;:"]+@[^\s@<>()\[\]\\,;:"._-][^\s@<>()\[\]\\,;:"_]*\.[^\s@<>()\[\]\\,;:"._]*[^\s@<>()\[\]\\,;:"._-]$`)

// cleanEmail brings an address into the form it is kept in, lower case, or says
// what is wrong with it.
func cleanEmail(field, email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if utf8.RuneCountInString(email) > maxText {
		return "", fault.TooLong(field, maxText)
	}
	local, domain, _ := strings.Cut(email, "@")
	if !address.MatchString(email) || strings.Contains(domain, "..") || strings.HasPrefix(local, ".") ||
		strings.HasSuffix(local, ".") || strings.ContainsFunc(email, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.Malformed(field, "%s is not properly formatted", email)
	}
	return email, nil
}

var phoneMarks = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "")
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// cleanPhone returns a number in E.164, the only form that can be an identity;
// false if it is none.
func cleanPhone(phone string) (string, bool) {
	phone = phoneMarks.Replace(phone)
	return phone, e164.MatchString(phone)
}

// mayWrite tells whether by may make or change a user that was before (the zero
// user if new) into after. Agents look after end users and their own profile;
// who is staff, and what staff may do, is for admins. Others are written by the
// product itself (see FindOrCreateTx), and may write to their own profile.
func mayWrite(by auth.Actor, before, after models.User, c Change) error {
	if by.Admin() {
		self := before.ID != 0 && by.ID() == before.ID
		if self && after.Role != before.Role {
			return fault.InvalidField("role", "of your own cannot be changed")
		}
		if self && after.Suspended {
			return fault.InvalidField("suspended", "must not be set on yourself")
		}
		return nil
	}
	self := before.ID != 0 && by.ID() == before.ID
	switch {
	case !by.Staff() && !self:
		return fault.Denied()
	case c.Password != nil, after.Role != before.Role && (before.ID != 0 || after.Staff()):
		return fault.Denied()
	case before.Staff() && !self:
		return fault.Denied()
	case self && rightsChanged(before, after), self && c.DefaultGroupID.IsSpecified() && !sameID(c.DefaultGroupID, before.DefaultGroupID):
		return fault.Denied()
	}
	return nil
}

func sameID(n nullable.Nullable[int64], id *int64) bool {
	if n.IsNull() || id == nil {
		return n.IsNull() && id == nil
	}
	return n.MustGet() == *id
}

// rightsChanged reports whether what the user may do is not what it was.
func rightsChanged(before, after models.User) bool {
	return before.Role != after.Role || before.Suspended != after.Suspended || before.Active != after.Active ||
		before.Moderator != after.Moderator || before.OnlyPrivateComments != after.OnlyPrivateComments ||
		value(before.TicketRestriction) != value(after.TicketRestriction) || value(before.CustomRoleID) != value(after.CustomRoleID)
}

// value is what p points to; zero for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
