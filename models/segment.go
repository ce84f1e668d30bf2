package models

// Kinds of users that segments are of.
const (
	SegmentSignedIn = "signed_in_users" // agents and admins, too
	SegmentStaff    = "staff"
)

// UserSegment is a kind of readers of the help center. See package segments for
// who belongs to one.
type UserSegment struct {
	Tenant
	Name            string
	UserType        string  // SegmentSignedIn or SegmentStaff
	GroupIDs        IDs     `gorm:"column:group_ids"`
	OrganizationIDs IDs     `gorm:"column:organization_ids"`
	Tags            Strings // of which a user must have all
	OrTags          Strings // of which a user must have one
	AddedUserIDs    IDs     `gorm:"column:added_user_ids"` // who belong to it whatever they are
	BuiltIn         bool    // made with the account; never changes
	Stamps
}

// PermissionGroup says who of the staff may edit and publish articles. Admins
// always may.
type PermissionGroup struct {
	Tenant
	Name       string
	EditIDs    IDs  `gorm:"column:edit_ids"`    // segments that may edit
	PublishIDs IDs  `gorm:"column:publish_ids"` // segments that may edit and publish
	BuiltIn    bool // made with the account; never changes
	Stamps
}

// ContentTag is a word by which articles and posts are found together.
type ContentTag struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	ID        string `gorm:"primaryKey"` // a ULID
	Name      string
	Stamps
}
