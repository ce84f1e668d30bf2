package models

import "time"

// Event is an entry of the log of what happened in an account.
type Event struct {
	Tenant
	Type      string // zen:event-type:ticket.created
	Subject   string // zen:ticket:35
	SubjectID int64
	ActorID   int64 // -1 is the system
	SourceID  *string
	Detail    JSON      // the subject as it was saved; nil: as that of the event DetailOf
	DetailOf  *int64    // the id of an event of the same subject that was written with this one
	Change    JSON      // before and after values
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// EventNumber is the number of an event. It is given after commit, in commit order,
// in one count for all accounts.
type EventNumber struct {
	AccountID  int64 `gorm:"primaryKey"`
	Seq        int64 `gorm:"primaryKey"`
	EventID    int64
	NumberedAt time.Time // it never runs backwards
}

// EventQueue are events that were written together and have no numbers yet.
type EventQueue struct {
	ID        int64 `gorm:"primaryKey"`
	AccountID int64
	EventIDs  IDs
}

// TableName is for GORM, which would write it in the plural.
func (EventQueue) TableName() string { return "event_queue" }

// EventClock is the one row of numbers that have been given.
type EventClock struct {
	ID     int `gorm:"primaryKey"` // 1
	Seq    int64
	At     time.Time
	Placed int // records that have places of the second of At
}

// TableName is for GORM, which would write it in the plural.
func (EventClock) TableName() string { return "event_clock" }

// EventReader is how far somebody is who follows the log of all accounts.
type EventReader struct {
	Name string `gorm:"primaryKey"`
	Seq  int64
}

// Touched is a write of a record that has no place in the exports yet.
type Touched struct {
	ID        int64 `gorm:"primaryKey"`
	AccountID int64
	Kind      string
	RecordID  int64
}

// TableName is for GORM, which would write it in the plural.
func (Touched) TableName() string { return "touched" }

// ExportPosition is the place of a record in the exports of its kind: "ticket",
// "comment", "audit", "user", "organization" or "rating".
type ExportPosition struct {
	AccountID   int64  `gorm:"primaryKey"`
	Kind        string `gorm:"primaryKey"`
	RecordID    int64  `gorm:"primaryKey"`
	Seq         int64
	GeneratedAt time.Time
}
