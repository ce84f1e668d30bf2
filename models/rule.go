package models

import "time"

// Kinds of rules.
const (
	RuleTrigger    = "trigger"
	RuleAutomation = "automation"
	RuleView       = "view"
	RuleMacro      = "macro"
)

// Rule is a trigger, an automation, a view or a macro.
type Rule struct {
	Tenant
	Kind             string // RuleTrigger and the rest
	Title            string // as it was written, with its placeholders
	Description      *string
	Active           bool
	Default          bool // made with the account
	Position         int
	CategoryID       *int64 // a trigger's
	CategoryPosition int    // that of the category
	Conditions       JSON   // rules.Conditions
	Actions          JSON   // []rules.Action
	Output           JSON   // a view's; nil otherwise
	OwnerID          *int64 // whose alone it is; nil: it is shared
	GroupIDs         IDs    `gorm:"column:group_ids"` // whose members alone it is for; empty: all agents
	Stamps
}

// TriggerCategory is a part of an account's triggers, which run part by part.
type TriggerCategory struct {
	Tenant
	Name     string
	Position int
	Stamps
}

// AutomationMark is that an automation has acted on a ticket.
type AutomationMark struct {
	AccountID    int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID     int64 `gorm:"primaryKey;autoIncrement:false"`
	AutomationID int64 `gorm:"primaryKey;autoIncrement:false"`
	Moments      IDs   // that its conditions asked about, in microseconds since 1970
	Times        int
}

// TriggerRevision is what a trigger was after a change.
type TriggerRevision struct {
	Tenant
	TriggerID int64
	AuthorID  int64
	Snapshot  JSON      // rulebook.Snapshot
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// RuleUse is a rule's having done something to a ticket. A job folds the rows
// into RuleUsage.
type RuleUse struct {
	AccountID int64
	RuleID    int64
	UsedAt    time.Time
}

// RuleUsage is how often a rule was used from a time on, for a span of time.
type RuleUsage struct {
	AccountID int64     `gorm:"primaryKey;autoIncrement:false"`
	RuleID    int64     `gorm:"primaryKey;autoIncrement:false"`
	Since     time.Time `gorm:"primaryKey"`
	Span      int       `gorm:"primaryKey;autoIncrement:false"` // 0 five minutes, 1 an hour, 2 a day
	Uses      int64
}

// TableName keeps GORM from making a plural.
func (RuleUsage) TableName() string { return "rule_usage" }
