package users

import (
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

// subject is a user who is being changed, and what has happened so far. The
// events are written once at the end, since each shows the user as saved.
type subject struct {
	models.User
	happened []happening
}

type happening struct {
	what   string // "name_changed", of the catalogue's user.name_changed
	change any
}

func (u *subject) note(what string, change any) {
	u.happened = append(u.happened, happening{what, change})
}

// ref names another record in an event.
type ref struct {
	ID string `json:"id"`
}

type organizationRef struct {
	Organization ref `json:"organization"`
}

type groupRef struct {
	Group ref `json:"group"`
}

// identityDetail is an identity as events show it.
type identityDetail struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
}

type identityRef struct {
	Identity identityDetail `json:"identity"`
}

func identityOf(i models.UserIdentity) identityDetail {
	return identityDetail{ID: events.ID(i.ID), Type: i.Type, Value: i.Value, Primary: i.Primary}
}

type tagList struct {
	Tags []string `json:"tags"`
}

type tagsChanged struct {
	Added   tagList `json:"added"`
	Removed tagList `json:"removed"`
}

// noteChanges notes each change of the user's row that has an event.
func (u *subject) noteChanges(before models.User) {
	note := func(what, was, is string) {
		if was != is {
			u.note(what+"_changed", events.Changed{Current: is, Previous: was})
		}
	}
	noteFlag := func(what string, was, is bool) {
		if was != is {
			u.note(what+"_changed", events.Changed{Current: is, Previous: was})
		}
	}
	noteFlag("active", before.Active, u.Active)
	note("alias", value(before.Alias), value(u.Alias))
	note("custom_role", events.OptionalID(before.CustomRoleID), events.OptionalID(u.CustomRoleID))
	note("default_group", events.OptionalID(before.DefaultGroupID), events.OptionalID(u.DefaultGroupID))
	note("details", value(before.Details), value(u.Details))
	note("external_id", value(before.ExternalID), value(u.ExternalID))
	note("name", before.Name, u.Name)
	note("notes", value(before.Notes), value(u.Notes))
	noteFlag("only_private_comments", before.OnlyPrivateComments, u.OnlyPrivateComments)
	note("photo", events.OptionalID(before.PhotoID), events.OptionalID(u.PhotoID))
	note("role", before.Role, u.Role)
	noteFlag("suspended", before.Suspended, u.Suspended)
	note("time_zone", before.TimeZone, u.TimeZone)
	if value(before.PasswordHash) != value(u.PasswordHash) && u.Active {
		u.note("password_changed", struct{}{})
	}
	if !slices.Equal(before.Tags, u.Tags) {
		u.note("tags_changed", tagsChanged{
			tagList{addedTags(before.Tags, u.Tags)}, tagList{addedTags(u.Tags, before.Tags)},
		})
	}
}

// addedTags are those in the second list that are not in the first.
func addedTags(before, after []string) []string {
	out := []string{}
	for _, tag := range after {
		if !slices.Contains(before, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// recordTx appends what happened to the log of events.
func (s *Service) recordTx(tx *gorm.DB, by auth.Actor, u *subject) error {
	is := events.UserDetail(u.User)
	list := make([]events.Event, len(u.happened))
	for i, h := range u.happened {
		list[i] = events.Event{Type: "user." + h.what, Detail: is, Change: h.change}
	}
	u.happened = nil
	return events.AppendTx(tx, events.By{AccountID: by.AccountID, ActorID: by.ID(), At: u.UpdatedAt}, "user", u.ID, list...)
}
