package models

import "time"

// States of an ArticleReview.
const (
	ReviewOpen      = "in_review"
	ReviewApproved  = "approved" // and published
	ReviewRejected  = "rejected"
	ReviewWithdrawn = "withdrawn"
)

// ArticleReview is a draft on its way to being published.
type ArticleReview struct {
	Tenant
	ArticleID     int64
	TranslationID int64
	Locale        string
	Status        string // ReviewOpen and the rest
	SubmitterID   int64
	ReviewerID    *int64 // who is asked; nil: whoever may publish the article
	Note          string // of the submitter
	DecidedByID   *int64
	DecidedAt     *time.Time
	DecisionNote  string
	Stamps
}

// ArticleVerification has an article read again from time to time.
type ArticleVerification struct {
	AccountID    int64 `gorm:"primaryKey;autoIncrement:false"`
	ArticleID    int64 `gorm:"primaryKey;autoIncrement:false"`
	EveryDays    int
	VerifiedAt   *time.Time // nil: never yet
	VerifiedByID *int64
	DueAt        time.Time
	ToldAt       *time.Time // when an event said that it is due
}
