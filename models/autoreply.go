package models

import "time"

// Autoreply is a trigger's wish that a ticket's requester be sent articles. There is
// one for a ticket at most.
type Autoreply struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID  int64 `gorm:"primaryKey;autoIncrement:false"`
	RuleID    int64
	RuleTitle string
	ActorID   int64  // whose change the trigger followed; 0 once it is done
	Suppress  bool   // see outbox.Notification
	Base      string // what links begin with
	Subject   string // texts with placeholders, as the rule had them then; empty once it is done
	Body      string
	AskedAt   time.Time
	DueAt     *time.Time // when to try it next; nil: it is done
	Tries     int
}
