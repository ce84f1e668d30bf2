package placeholders

import (
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/locales"
)

// user is somebody; nil if nobody is, or was loaded.
func (v *view) user(id int64) any {
	if o, ok := v.users[id]; ok {
		return o
	}
	u, ok := v.Related.Users[id]
	if !ok {
		return nil
	}
	o := &liquid.Object{Member: func(name string) any { return v.userMember(&u, name) }, Text: func() any { return v.nameOf(&u) }}
	v.users[id] = o
	return o
}

func (v *view) optionalUser(id *int64) any {
	if id == nil {
		return nil
	}
	return v.user(*id)
}

// nameOf is a user's name; to end users, agents go by their aliases.
func (v *view) nameOf(u *models.User) string {
	if v.Public && u.Staff() && u.Alias != nil && strings.TrimSpace(*u.Alias) != "" {
		return *u.Alias
	}
	return u.Name
}

func (v *view) userMember(u *models.User, name string) any {
	switch name {
	case "id":
		return u.ID
	case "name":
		return v.nameOf(u)
	case "first_name":
		first, _, _ := strings.Cut(strings.TrimSpace(v.nameOf(u)), " ")
		return first
	case "last_name":
		_, rest, _ := strings.Cut(strings.TrimSpace(v.nameOf(u)), " ")
		return strings.TrimSpace(rest)
	case "email":
		return optional(u.Email)
	case "language":
		l, _ := locales.ByCode(u.Locale)
		return l.English
	case "locale":
		return u.Locale
	case "phone":
		return optional(u.Phone)
	case "external_id":
		return optional(u.ExternalID)
	case "details":
		return optional(u.Details)
	case "notes":
		return optional(u.Notes)
	case "time_zone":
		return u.TimeZone
	case "role":
		return v.label("role_", u.Role)
	case "extended_role":
		if u.RoleType != nil && *u.RoleType == models.LightAgent {
			return v.label("role_", "light-agent")
		}
		return v.label("role_", u.Role)
	case "tags":
		return strings.Join(u.Tags, " ")
	case "signature":
		return v.signature(u)
	case "organization":
		return v.organization(u.OrganizationID)
	case "custom_fields":
		return v.customFields(models.FieldsOfUsers, u.UserFields)
	}
	return nil
}

// signature is what an agent signs with. It may hold placeholders itself.
func (v *view) signature(u *models.User) any {
	if !u.Staff() || u.Signature == nil || strings.TrimSpace(*u.Signature) == "" {
		return nil
	}
	t, _ := parse(*u.Signature)
	return v.scope.EmbedText(t)
}

// userList are users for loops; as a whole it writes their addresses.
func (v *view) userList(ids models.IDs) any {
	l := &liquid.List{}
	var addresses []string
	for _, id := range ids {
		o := v.user(id)
		if o == nil {
			continue
		}
		l.Items = append(l.Items, o)
		if u := v.Related.Users[id]; u.Email != nil {
			addresses = append(addresses, *u.Email)
		}
	}
	l.Text = func() any { return strings.Join(addresses, ", ") }
	return l
}

func (v *view) names(ids models.IDs) any {
	var names []string
	for _, id := range ids {
		if u, ok := v.Related.Users[id]; ok {
			names = append(names, v.nameOf(&u))
		}
	}
	return strings.Join(names, ", ")
}
