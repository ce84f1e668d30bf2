package tickets

import (
	"encoding/json"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/server/users"
)

// Change is what a caller asks of a ticket. A nil or unspecified field is left
// alone; a null one is cleared.
type Change struct {
	Subject        nullable.Nullable[string]
	Status         *string
	CustomStatusID nullable.Nullable[int64]
	Type           nullable.Nullable[string]
	Priority       nullable.Nullable[string]
	RequesterID    nullable.Nullable[int64]
	Requester      *users.Person // found or created
	SubmitterID    nullable.Nullable[int64]
	AssigneeID     nullable.Nullable[int64]
	AssigneeEmail  *string
	GroupID        nullable.Nullable[int64]
	OrganizationID nullable.Nullable[int64]
	BrandID        nullable.Nullable[int64]
	TicketFormID   nullable.Nullable[int64]
	ProblemID      nullable.Nullable[int64]
	ExternalID     nullable.Nullable[string]
	Recipient      nullable.Nullable[string]
	DueAt          nullable.Nullable[time.Time]
	CustomFields   []FieldValue

	Tags       []string // nil leaves, empty clears
	AddTags    []string
	RemoveTags []string

	FollowerIDs []int64 // replace; nil leaves
	EmailCCIDs  []int64 // replace; nil leaves
	Followers   []Collaborator
	EmailCCs    []Collaborator
	// CollaboratorIDs replace followers and CCs together; nil leaves. Those of them
	// who follow go on following, and the others are copied.
	CollaboratorIDs []int64

	Satisfaction *Satisfaction

	Comment  *NewComment
	MacroIDs []int64         // macros that an agent has applied to get at the change; those he does not see are ignored
	Metadata json.RawMessage // kept with the audit under "custom"
	Via      *Via

	Origin

	Number     int64 // on create: one that Reserve gave out; 0: the next
	FollowupOf int64 // on create: the closed ticket that this one follows up

	// Request holds the change to what end users may ask of a ticket, whoever
	// asks; Solve has the requester solve it.
	Request, Solve bool

	// OpenOnly fails on a closed ticket, whatever admins may change there.
	OpenOnly bool

	// UpdatedStamp, when set, is the updated_at that the caller saw: the change
	// fails with fault.Outdated if the ticket has another (safe update).
	UpdatedStamp *time.Time
}

// Origin is the request that a change came by: its client and address for the
// audit's metadata, and the address that it came to for links in mails.
type Origin struct{ Client, IP, Base string }

// FieldValue is one value of a custom field, as sent.
type FieldValue struct {
	ID    int64
	Value json.RawMessage
}

// Collaborator is somebody to add to a ticket's followers or CCs, or to remove.
// One of UserID and Email is set.
type Collaborator struct {
	UserID int64
	Email  string
	Name   string
	Remove bool
}

// byAddress reports whether an address names somebody to add, whom it makes a
// user if nobody has it.
func (c Collaborator) byAddress() bool { return c.UserID == 0 && c.Email != "" && !c.Remove }

// NewComment is a comment to add. HTML wins over Body.
type NewComment struct {
	Body     string
	HTML     string
	Public   *bool // nil: as the account has it
	AuthorID int64 // 0: the caller
	Uploads  []string
	At       *time.Time // of imports and recoveries only: when it was written; nil: with the change
	copied   []int64    // comments whose files this one gets, too

	suspended int64 // of recoveries: the suspended ticket whose files it takes
}

// Via tells how a change came in.
type Via struct {
	Channel string    `json:"channel"`
	Source  ViaSource `json:"source"`
}

// ViaSource is where a change came from and went to.
type ViaSource struct {
	From map[string]any `json:"from"`
	To   map[string]any `json:"to"`
	Rel  *string        `json:"rel"`
}

// ViaChannel is the way of what came in by a channel, of which no more is known.
func ViaChannel(channel string) *Via { return new(viaChannel(channel)) }

func viaChannel(channel string) Via {
	return Via{Channel: channel, Source: ViaSource{From: map[string]any{}, To: map[string]any{}}}
}
