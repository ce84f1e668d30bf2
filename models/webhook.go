package models

import "time"

// States of a webhook.
const (
	WebhookActive   = "active"
	WebhookInactive = "inactive"
)

// ConditionalEvents is the subscription of webhooks that triggers and automations
// use.
const ConditionalEvents = "conditional_ticket_events"

// Kinds of credentials that a webhook sends.
const (
	AuthBasic  = "basic_auth"
	AuthBearer = "bearer_token"
	AuthAPIKey = "api_key"
)

// Webhook is where others are told of what happens.
type Webhook struct {
	AccountID       int64  `gorm:"primaryKey;autoIncrement:false"`
	ID              string `gorm:"primaryKey"` // a ULID
	Name            string
	Description     *string
	Status          string // WebhookActive or WebhookInactive
	Endpoint        string
	HTTPMethod      string  `gorm:"column:http_method"`
	RequestFormat   string  // json, xml or form_encoded
	Subscriptions   Strings // types of events, or ConditionalEvents alone
	ExcludedSources Strings // whose events are not delivered
	AuthType        *string // AuthBasic and the rest; nil: none
	AuthData        JSON    // webhooks.Credentials; nil: none
	CustomHeaders   JSON    // {name: value}
	Secret          string  // that deliveries are signed with
	EarlierSecrets  JSON    // that they are signed with, too, for a while: webhooks.EarlierSecret, the newest first
	CreatedBy       int64   // SystemUser: helpd itself
	UpdatedBy       int64
	Stamps
	// While the endpoint fails most of the time: until when nothing is sent, and
	// how often in a row that was so.
	BlockedUntil *time.Time
	Blocks       int
}

// WebhookInvocation is what a webhook delivers, or has delivered.
type WebhookInvocation struct {
	AccountID   int64   `gorm:"primaryKey;autoIncrement:false"`
	WebhookID   string  `gorm:"primaryKey"`
	ID          string  `gorm:"primaryKey"` // a ULID, whose time is when it was made
	MessageID   string  // the id of the first delivery of the same thing
	EventType   *string // of deliveries of events
	RuleID      *int64  // of deliveries that a rule asked for
	TicketID    *int64
	Endpoint    *string // with what placeholders stood for; nil: the webhook's
	Payload     string
	Status      string // of the latest attempt; webhooks.StatusPending: there was none
	StatusCode  *int
	Error       *string // why it is not sent
	Tries       int
	NextAt      *time.Time // when it is sent, or taken from ClaimedBy; nil: never
	ClaimedBy   *string    // the process that is sending it
	CompletedAt *time.Time // of the latest attempt
}

// WebhookAttempt is one time that something was sent.
type WebhookAttempt struct {
	AccountID       int64  `gorm:"primaryKey;autoIncrement:false"`
	WebhookID       string `gorm:"primaryKey"`
	InvocationID    string `gorm:"primaryKey"`
	ID              string `gorm:"primaryKey"` // a ULID
	Status          string
	StatusCode      *int    // nil: there was no answer
	Error           *string // why there was none
	RequestHeaders  JSON    // [{"key","value"}]
	ResponseHeaders JSON
	ResponsePayload string
	CompletedAt     time.Time
}

// WebhookFailure counts the requests to an endpoint that fails, in half a minute.
type WebhookFailure struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	WebhookID string `gorm:"primaryKey"`
	Slot      int64  `gorm:"primaryKey;autoIncrement:false"` // half minutes since 1970
	Tries     int
	Errors    int
}
