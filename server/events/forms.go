package events

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/helpd/helpd/models"
)

// Subject names a record in events: Subject("ticket", 35) is "zen:ticket:35".
func Subject(kind string, id int64) string { return "zen:" + kind + ":" + strconv.FormatInt(id, 10) }

// Subjects names records of one kind.
func Subjects(kind string, ids []int64) models.Strings {
	names := make(models.Strings, len(ids))
	for i, id := range ids {
		names[i] = Subject(kind, id)
	}
	return names
}

// Changed is the payload of most changes.
type Changed struct {
	Current  any `json:"current"`
	Previous any `json:"previous"`
}

// ChangedField is the payload of a change of a user's or organization's field.
type ChangedField struct {
	Changed
	Field FieldRef `json:"field"`
}

// FieldRef tells of which field a payload is.
type FieldRef struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Type  string `json:"type"`
}

// FieldChanged says that the value of a field became now from then, both as
// they are stored; nil is none.
func FieldChanged(f models.Field, now, then json.RawMessage) ChangedField {
	value := func(raw json.RawMessage) any {
		if raw == nil {
			return nil
		}
		return raw
	}
	return ChangedField{Changed{Current: value(now), Previous: value(then)}, FieldRef{ID(f.ID), f.Title, f.Type}}
}

// Inside details and payloads every id is a string and what is missing is "0"
// or "", which consumers rely on.

// ID is an id within a payload.
func ID(id int64) string { return strconv.FormatInt(id, 10) }

// OptionalID is an id within a payload; "0" for none.
func OptionalID(id *int64) string {
	if id == nil {
		return "0"
	}
	return ID(*id)
}

// UUID is the id that an event has outside: a UUID of version 8 (RFC 9562) that is
// made of its account and its number in the table.
func UUID(account, id int64) string {
	b := make([]byte, 16)
	binary.BigEndian.PutUint64(b, uint64(account)<<16)
	b[6] |= 0x80
	binary.BigEndian.PutUint64(b[8:], uint64(id)|1<<63)
	text := hex.EncodeToString(b)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// Text is an optional text within a payload; "" for none.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Time is a time within a payload.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// User is the detail of events about users.
type User struct {
	CreatedAt      string `json:"created_at"`
	DefaultGroupID string `json:"default_group_id"`
	Email          string `json:"email"`
	ExternalID     string `json:"external_id"`
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	Role           string `json:"role"`
	UpdatedAt      string `json:"updated_at"`
}

// UserDetail is a user as it was saved.
func UserDetail(u models.User) User {
	return User{
		CreatedAt: Time(u.CreatedAt), DefaultGroupID: OptionalID(u.DefaultGroupID), Email: Text(u.Email), ExternalID: Text(u.ExternalID),
		ID: ID(u.ID), OrganizationID: OptionalID(u.OrganizationID), Role: u.Role, UpdatedAt: Time(u.UpdatedAt),
	}
}

// Organization is the detail of events about organizations.
type Organization struct {
	CreatedAt      string `json:"created_at"`
	ExternalID     string `json:"external_id"`
	GroupID        string `json:"group_id"`
	ID             string `json:"id"`
	Name           string `json:"name"`
	SharedComments bool   `json:"shared_comments"`
	SharedTickets  bool   `json:"shared_tickets"`
	UpdatedAt      string `json:"updated_at"`
}

// OrganizationDetail is an organization as it was saved.
func OrganizationDetail(o models.Organization) Organization {
	return Organization{
		CreatedAt: Time(o.CreatedAt), ExternalID: Text(o.ExternalID), GroupID: OptionalID(o.GroupID), ID: ID(o.ID), Name: o.Name,
		SharedComments: o.SharedComments, SharedTickets: o.SharedTickets, UpdatedAt: Time(o.UpdatedAt),
	}
}
