package models

import "time"

// EventBatch is what one save tells of one state of a record, in the log of what
// happened in an account. Its id is that of its first event; the others follow. The
// view events has a row for each.
type EventBatch struct {
	Tenant
	Subject   string // zen:ticket:35
	SubjectID int64
	ActorID   int64 // -1 is the system
	SourceID  *string
	Types     Strings   // zen:event-type:ticket.created
	Detail    JSON      // the subject as it was saved
	Changes   JSON      // an array of before and after values, with one for each type
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// EventNumber is the number of the last event of a batch; those before it have the
// numbers before. It is given after commit, in commit order, in one count for all
// accounts.
type EventNumber struct {
	AccountID  int64 `gorm:"primaryKey"`
	Seq        int64 `gorm:"primaryKey"`
	BatchID    int64
	Size       int       // how many events it has
	NumberedAt time.Time // it never runs backwards
}

// EventQueue is a batch of events that have no numbers yet.
type EventQueue struct {
	BatchID   int64 `gorm:"primaryKey"`
	AccountID int64
	Size      int
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
