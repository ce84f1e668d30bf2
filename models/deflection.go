package models

import "time"

// What people said to an article that they were offered as an answer.
const (
	DeflectionOffered  = "offered" // nothing yet
	DeflectionSolved   = "solved"
	DeflectionRejected = "rejected"
)

// Deflection is an article that was offered as an answer, which may have made a
// ticket needless.
type Deflection struct {
	Tenant
	ArticleID int64
	Locale    string
	TicketID  *int64 // that asked; nil: none
	UserID    *int64 // who asked: a ticket's requester; nil: nobody who signed in
	Score     int    // in thousandths
	Outcome   string // DeflectionOffered and the rest
	OfferedAt time.Time
	DecidedAt *time.Time
	SolvedAt  *time.Time // the first time, when its ticket was solved
}
