// Package rules is the vocabulary of business rules: the conditions that
// triggers, automations, views and SLA policies are made of, and the actions
// that triggers, automations and macros take.
//
// It is pure: it reads no rows, asks for no time and changes no ticket. A rule
// is compiled against an account's set-up; what comes out answers whether it
// holds for a ticket at hand (Matcher.Match), finds the tickets that it holds
// for (Matcher.Where), and tells what it wants done as data (Effect). A
// condition's two forms, the closure and the SQL, stand side by side in one
// function of its kind, and a test holds them against each other.
package rules

import (
	"encoding/json"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/fields"
)

// Condition is one condition as clients write it. Its value keeps the type that
// it was written with: "96", true, null, ["4", "5"].
type Condition struct {
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
}

// Conditions hold when every one of All does and, unless Any is empty, one of
// Any.
type Conditions struct {
	All []Condition `json:"all"`
	Any []Condition `json:"any"`
}

// Action is one action as clients write it.
type Action struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// Use is what a condition or an action is used by; several are a set.
type Use uint8

// The rules that there are.
const (
	Triggers Use = 1 << iota
	Automations
	Views
	SLAPolicies
	Macros
)

// Kinds of records that rules refer to.
const (
	Users         = "user"
	Agents        = "agent" // users who are agents or admins
	Organizations = "organization"
)

// Env is what rules are compiled against.
type Env struct {
	Config *fields.Config
	// Known reports whether the account has a record that is not deleted, of
	// the kinds Users, Agents and Organizations; those of every other kind are in
	// Config. Nil: it has all of them. A rule with a condition on a record that
	// is gone holds for no ticket.
	Known func(kind string, id int64) bool
	// CheckText tells why a text cannot have the placeholders or tags that it has;
	// nil: texts are not looked at.
	CheckText func(text string) error
}

func (e Env) known(kind string, id int64) bool { return e.Known == nil || e.Known(kind, id) }

// hours are the working hours of a schedule, 0 being the default one; nil if
// there are none.
func (e Env) hours(schedule int64) *businesshours.Hours {
	return e.Config.Hours(&schedule)
}

// State is a ticket at one moment of a change. Values are its custom fields by
// field id.
type State struct {
	Ticket *models.Ticket
	Values map[string]json.RawMessage
}

// Subject is what conditions are asked about: a ticket, and the change of it
// that is under way.
type Subject struct {
	Now    time.Time
	Before State // no Ticket: it is being created
	After  State
	Metric *models.TicketMetric

	// Of the change; the zero values where there is none (automations, SLA).
	Comment *Comment
	By      User   // current_user
	Via     string // channel that the change came in by

	Requester    User
	Organization Organization // of the ticket

	folded map[string]string
}

// Comment is the comment of a change.
type Comment struct {
	Public bool
	Text   string
	Files  bool
}

// User is what conditions ask of a user.
type User struct {
	ID      int64
	Role    string
	Locale  string
	GroupID int64                      // an agent's default group; 0: none
	Values  map[string]json.RawMessage // user fields by field id
}

// Organization is what conditions ask of a ticket's organization.
type Organization struct {
	Values map[string]json.RawMessage // organization fields by field id
}

func (s *Subject) created() bool { return s.Before.Ticket == nil }

// fold is a text as word conditions compare it, made once per subject.
func (s *Subject) fold(name, text string) string {
	folded, ok := s.folded[name]
	if !ok {
		if s.folded == nil {
			s.folded = map[string]string{}
		}
		folded = Fold(text)
		s.folded[name] = folded
	}
	return folded
}
