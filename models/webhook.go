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
	PreviousSecret  *string
	RotatedAt       *time.Time // when Secret took the place of PreviousSecret
	CreatedBy       int64      // SystemUser: helpd itself
	UpdatedBy       int64
	Stamps
}
