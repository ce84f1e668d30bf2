package models

import "time"

// ChannelEmail is the only channel of mails as yet.
const ChannelEmail = "email"

// OutboxMail is a mail that a rule has caused, or one to those who subscribed to an
// article or its section, to one of them each.
type OutboxMail struct {
	Tenant
	TicketID     *int64 // nil: it is about ArticleID, and no rule's
	ArticleID    *int64
	AuditID      int64
	EventID      int64 // of the audit, that tells of the mail
	RuleID       int64
	Channel      string  // ChannelEmail
	RecipientIDs IDs     `gorm:"column:recipient_ids"` // users, those of CCs behind those of Recipients
	Recipients   Strings // addresses; each gets a mail of its own
	CCs          Strings `gorm:"column:ccs"` // addresses that are on all of them
	Headers      JSON    // From, Reply-To and the rest, by name
	Subject      string
	HTMLBody     string
	TextBody     string
	CreatedAt    time.Time  `gorm:"autoCreateTime:false"`
	SentAt       *time.Time // nil: to be sent
}

// TableName is not that of a list of mails.
func (OutboxMail) TableName() string { return "outbox" }
