package models

import "time"

// Roles of a user.
const (
	RoleEndUser = "end-user"
	RoleAgent   = "agent"
	RoleAdmin   = "admin"
)

// LightAgent is the role type of agents who comment among agents and own no
// tickets.
const LightAgent = 1

// SystemUser is the author of what nobody did: rules and jobs.
const SystemUser int64 = -1

// Ticket restrictions of a user: which tickets besides the requested ones may
// be seen. Nil is all of them.
const (
	RestrictGroups       = "groups"
	RestrictOrganization = "organization"
	RestrictAssigned     = "assigned"
	RestrictRequested    = "requested"
)

// User is a person of an account: end user, agent or admin.
type User struct {
	Tenant
	Name                string
	Email               *string // value of the primary e-mail identity
	Role                string
	RoleType            *int // 0 custom agent, 1 light agent, 4 admin; null for end users
	CustomRoleID        *int64
	Active              bool // false after a delete
	Suspended           bool
	Verified            bool
	Shared              bool
	Moderator           bool
	OnlyPrivateComments bool
	TicketRestriction   *string
	ExternalID          *string // unique in the account, whatever its case
	Phone               *string
	SharedPhoneNumber   *bool
	Alias               *string
	Details             *string
	Notes               *string
	Signature           *string
	TimeZone            string // as set: a Rails name or IANA
	Locale              string // en-US
	Tags                Strings
	UserFields          JSON
	OrganizationID      *int64 // of the default membership
	DefaultGroupID      *int64 // of the default membership
	PhotoID             *int64
	Photo               JSON // as users.Photo shows it; nil without one
	RemotePhotoURL      *string
	PasswordHash        *string
	LastLoginAt         *time.Time
	Stamps
	DeletedAt    *time.Time
	MergedIntoID *int64 // of a user who was merged into another
	// PermanentlyDeleted: nothing is left by which anybody could be known.
	PermanentlyDeleted bool
}

// Staff reports whether the user is an agent or admin.
func (u User) Staff() bool { return u.Role == RoleAgent || u.Role == RoleAdmin }

// Kinds of identities.
const (
	IdentityEmail = "email"
	IdentityPhone = "phone_number"
)

// UserIdentity is an address by which a user is known.
type UserIdentity struct {
	Tenant
	UserID             int64
	Type               string
	Value              string
	Verified           bool
	Primary            bool
	UndeliverableCount int
	Stamps
}

// Organization is a company or other body that users belong to.
type Organization struct {
	Tenant
	Name               string
	SharedTickets      bool
	SharedComments     bool
	ExternalID         *string
	DomainNames        Strings // domains, or whole addresses
	Details            *string
	Notes              *string
	GroupID            *int64
	Tags               Strings
	OrganizationFields JSON
	Stamps
	DeletedAt *time.Time
}

// OrganizationMembership puts a user into an organization.
type OrganizationMembership struct {
	Tenant
	UserID         int64
	OrganizationID int64
	Default        bool
	ViewTickets    bool
	Stamps
}

// Group is a team of agents.
type Group struct {
	Tenant
	Name        string
	Description string
	IsPublic    bool
	Default     bool
	Deleted     bool
	Stamps
}

// GroupMembership puts an agent into a group.
type GroupMembership struct {
	Tenant
	UserID  int64
	GroupID int64
	Default bool
	Stamps
}

// Session is a sign-in with e-mail and password.
type Session struct {
	Tenant
	UserID          int64
	AuthenticatedAt time.Time
	LastSeenAt      time.Time // to the minute
	ExpiresAt       time.Time
}

// OrganizationSubscription tells a user of what happens in an organization.
type OrganizationSubscription struct {
	Tenant
	UserID         int64
	OrganizationID int64
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
}

// Erasure is the permanent deletion of a user.
type Erasure struct {
	AccountID   int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID      int64 `gorm:"primaryKey;autoIncrement:false"`
	ExecuterID  int64 // who asked for it
	RequestedAt time.Time
	StartedAt   *time.Time
	CompletedAt *time.Time
	Terms       JSON // what is to be looked for; nil when it is done
	Receipt     JSON // how many rows of which table were changed or removed
}

// OrganizationMerge is the merging of one organization into another.
type OrganizationMerge struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	ID        string `gorm:"primaryKey"` // a ULID
	LoserID   int64
	WinnerID  int64
	UserID    int64  // who asked for it
	Status    string // MergeNew and the rest
	Stamps
}

// States of an OrganizationMerge.
const (
	MergeNew        = "new"
	MergeInProgress = "in_progress"
	MergeFailed     = "error"
	MergeComplete   = "complete"
)
