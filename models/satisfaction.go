package models

import "time"

// Scores of a ticket's satisfaction.
const (
	ScoreOffered   = "offered"   // the requester was asked
	ScoreUnoffered = "unoffered" // and is asked no more
	ScoreGood      = "good"
	ScoreBad       = "bad"
)

// SatisfactionRating is what a requester says of how a ticket was handled, or
// that he was asked. A ticket has one at most.
type SatisfactionRating struct {
	AccountID   int64 `gorm:"primaryKey;autoIncrement:false"`
	ID          int64 `gorm:"primaryKey;autoIncrement:false"`
	TicketID    int64
	RequesterID int64
	AssigneeID  *int64 // of the ticket when the score was given
	GroupID     *int64
	Score       string
	Comment     *string
	ReasonID    *int64
	Stamps
}

// FirstCustomReason is the least code of a reason that an account has added.
const FirstCustomReason = 1000

// SatisfactionReason is why a requester rates as he does.
type SatisfactionReason struct {
	Tenant
	ReasonCode int // below FirstCustomReason: built in
	Value      string
	Stamps
	DeletedAt *time.Time // ratings still name it
}

// SigningKey is the secret that signs an account's links.
type SigningKey struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	Secret    []byte
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}
