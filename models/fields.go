package models

// Kinds of fields: what has them.
const (
	FieldsOfTickets       = "ticket"
	FieldsOfUsers         = "user"
	FieldsOfOrganizations = "organization"
)

// Types of fields. The first block is the system's, of tickets.
const (
	FieldSubject      = "subject"
	FieldDescription  = "description"
	FieldStatus       = "status"
	FieldTicketType   = "tickettype"
	FieldPriority     = "priority"
	FieldGroup        = "group"
	FieldAssignee     = "assignee"
	FieldCustomStatus = "custom_status"

	FieldText        = "text"
	FieldTextarea    = "textarea"
	FieldCheckbox    = "checkbox"
	FieldDate        = "date"
	FieldInteger     = "integer"
	FieldDecimal     = "decimal"
	FieldRegexp      = "regexp"
	FieldCreditCard  = "partialcreditcard"
	FieldMultiselect = "multiselect"
	FieldTagger      = "tagger"   // of tickets
	FieldDropdown    = "dropdown" // the same of users and organizations
	FieldLookup      = "lookup"
)

// Field defines a field of tickets, users or organizations.
type Field struct {
	Tenant
	Kind                   string  // FieldsOfTickets and the rest
	Key                    *string // names the field of a user or organization; null for a ticket's
	Type                   string
	Title                  string
	Description            string
	TitleInPortal          string
	AgentDescription       *string
	Position               int
	Active                 bool
	Required               bool // to solve a ticket
	CollapsedForAgents     bool
	RegexpForValidation    *string
	VisibleInPortal        bool
	EditableInPortal       bool
	RequiredInPortal       bool
	Tag                    *string // checkbox only
	SubTypeID              *int    // priority, status: 1 hides, or shows, some values
	Removable              bool    // false for the system's
	RelationshipTargetType *string
	RelationshipFilter     JSON
	CreatorUserID          *int64
	Stamps
}

// FieldOption is one choice of a tagger, dropdown or multiselect. Its value is
// a tag, unique among all fields of the kind in the account.
type FieldOption struct {
	Tenant
	Kind     string
	FieldID  int64
	Name     string
	Value    string
	Position int
	Default  bool
	Stamps
}

// TicketForm is an ordered choice of fields.
type TicketForm struct {
	Tenant
	Name               string
	DisplayName        string
	Position           int
	Active             bool
	EndUserVisible     bool
	Default            bool
	TicketFieldIDs     IDs `gorm:"column:ticket_field_ids"`
	InAllBrands        bool
	RestrictedBrandIDs IDs `gorm:"column:restricted_brand_ids"`
	AgentConditions    JSON
	EndUserConditions  JSON
	Stamps
}

// CustomStatus is a status that agents choose, within one of the five
// categories that rules and exports know.
type CustomStatus struct {
	Tenant
	StatusCategory     string // new, open, pending, hold, solved
	AgentLabel         string
	EndUserLabel       string
	Description        *string
	EndUserDescription *string
	Active             bool
	Default            bool // the one a plain status stands for
	Stamps
}
