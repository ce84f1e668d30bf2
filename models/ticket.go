package models

import "time"

// Statuses of a ticket: the categories of its custom statuses, and closed.
const (
	StatusNew     = "new"
	StatusOpen    = "open"
	StatusPending = "pending"
	StatusHold    = "hold"
	StatusSolved  = "solved"
	StatusClosed  = "closed"
)

// Types of a ticket.
const (
	TypeProblem  = "problem"
	TypeIncident = "incident"
	TypeQuestion = "question"
	TypeTask     = "task"
)

// Ticket is a conversation with a requester. ID is its number, counted from 1
// in each account.
type Ticket struct {
	AccountID        int64 `gorm:"primaryKey;autoIncrement:false"`
	ID               int64 `gorm:"primaryKey;autoIncrement:false"`
	Subject          *string
	SubjectLiteral   bool // no agent wrote the subject: {{dc.x}} in it is a text like any
	Description      string
	Status           string
	CustomStatusID   int64
	Type             *string
	Priority         *string
	RequesterID      int64
	SubmitterID      int64
	AssigneeID       *int64
	GroupID          *int64
	OrganizationID   *int64
	BrandID          int64
	TicketFormID     *int64
	ProblemID        *int64
	ExternalID       *string
	Recipient        *string
	Via              JSON
	Tags             Strings
	CustomFields     JSON // values by field id, only of fields that have one
	FollowerIDs      IDs  `gorm:"column:follower_ids"`
	EmailCCIDs       IDs  `gorm:"column:email_cc_ids"`
	DueAt            *time.Time
	IsPublic         bool
	CommentCount     int
	IncidentCount    int
	FollowupSourceID *int64
	FollowupIDs      IDs `gorm:"column:followup_ids"`
	Satisfaction     JSON
	Stamps
	GeneratedAt time.Time // moves with every write, also with those that UpdatedAt does not show
	SolvedAt    *time.Time
	DeletedAt   *time.Time
	DeletedBy   *int64
	Archived    bool   // closed and no longer listed
	ScheduleID  *int64 // by which working time is counted; nil: the account's default one
	Scrubbed    bool   // deleted for good; nothing that anybody wrote is left
}

// TicketMetric is what is counted and timed about one ticket.
type TicketMetric struct {
	Tenant
	TicketID              int64
	GroupStations         int
	AssigneeStations      int
	Reopens               int
	Replies               int // public comments by agents
	AssigneeUpdatedAt     *time.Time
	RequesterUpdatedAt    *time.Time
	StatusUpdatedAt       *time.Time
	InitiallyAssignedAt   *time.Time
	AssignedAt            *time.Time
	SolvedAt              *time.Time
	FirstSolvedAt         *time.Time
	FirstRepliedAt        *time.Time
	LatestCommentAddedAt  *time.Time
	CustomStatusUpdatedAt *time.Time
	AgentWaitSeconds      int64 // calendar time in pending, of stays that have ended
	RequesterWaitSeconds  int64 // in new, open and hold
	OnHoldSeconds         int64
	Business              BusinessSeconds `gorm:"embedded"`
	Clocks                IDs             // of metric events; see package tickets
	BusinessClocks        IDs             // the working time in them
	SLA                   JSON            // sla.State; nil: it is not measured
	NextBreachAt          *time.Time      // of a target whose clock runs, also one in the past; see sla.State
	BreachDueAt           *time.Time      // the first that is to be told
	Stamps
}

// BusinessSeconds are the times of a metric set in working time, each taken when
// it was over. Nil: it is not over, or there was no schedule for all or a part
// of it.
type BusinessSeconds struct {
	Reply           *int64 `gorm:"column:reply_business_seconds"`
	FirstResolution *int64 `gorm:"column:first_resolution_business_seconds"`
	FullResolution  *int64 `gorm:"column:full_resolution_business_seconds"`
	AgentWait       *int64 `gorm:"column:agent_wait_business_seconds"`
	RequesterWait   *int64 `gorm:"column:requester_wait_business_seconds"`
	OnHold          *int64 `gorm:"column:on_hold_business_seconds"`
}

// TicketMetricEvent is what one save of a ticket told of its metrics.
type TicketMetricEvent struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID  int64 `gorm:"primaryKey;autoIncrement:false"`
	ID        int64 `gorm:"primaryKey;autoIncrement"` // of the first event; the others follow
	Time      time.Time
	Events    JSON // a list; see package tickets
}

// Audit is one save of a ticket with everything that it changed.
type Audit struct {
	Tenant
	TicketID  int64
	AuthorID  int64 // SystemUser for rules
	Via       JSON
	Metadata  JSON
	Events    JSON      // as on the wire; of a comment only its id and type
	Archived  bool      // as its ticket
	Ruled     bool      // triggers were asked about it
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// Comment is one message of a ticket. Its id is that of the audit's event.
type Comment struct {
	AccountID      int64 `gorm:"primaryKey;autoIncrement:false"`
	ID             int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID       int64
	AuditID        int64
	AuthorID       int64
	Type           string // Comment
	Public         bool
	Body           string
	HTMLBody       string
	PlainBody      string
	Via            JSON
	Metadata       JSON
	HasAttachments bool
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
}

// TicketCC is a user with a copy of a ticket: what Ticket.EmailCCIDs holds, by
// user. The database keeps it.
type TicketCC struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID    int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID  int64 `gorm:"primaryKey;autoIncrement:false"`
}

// TicketVisit is when a user last looked at a ticket.
type TicketVisit struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID    int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID  int64 `gorm:"primaryKey;autoIncrement:false"`
	VisitedAt time.Time
}

// TagCount is how often a tag is in use, but for the TagChanges not yet folded
// into it.
type TagCount struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Name      string `gorm:"primaryKey"`
	Count     int64
}

// TagChange is a tag put on (+1) or taken off (-1).
type TagChange struct {
	Tenant
	Name  string
	Delta int
}

// Skip is a ticket that an agent passed over while working through a view.
type Skip struct {
	Tenant
	TicketID int64
	UserID   int64
	Reason   string
	Stamps
}
