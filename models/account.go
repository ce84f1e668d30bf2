package models

import "time"

// Tenant is embedded by every table that belongs to an account: the two halves
// of its primary key. The tenancy plugin of package postgres fills AccountID in
// and adds it to every condition.
type Tenant struct {
	AccountID int64 `gorm:"primaryKey;autoIncrement:false"`
	ID        int64 `gorm:"primaryKey;autoIncrement"`
}

// Stamps are the times of a record that is changed in place. Whoever changes
// the record sets them.
type Stamps struct {
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

// Account is one customer of the installation: what the Zendesk API calls the
// account behind a subdomain.
type Account struct {
	ID            int64 `gorm:"primaryKey"`
	Subdomain     string
	Name          string
	TimeZone      string
	Settings      JSON  // accounts.Settings
	ConfigVersion int64 // moves with every change of what the ticket pipeline keeps in memory
	Stamps
}

// Brand is a customer-facing identity of an account.
type Brand struct {
	Tenant
	Name              string
	Subdomain         string
	BrandURL          *string
	HostMapping       *string
	HasHelpCenter     bool
	HelpCenterState   string // HelpCenterEnabled and the rest
	Active            bool
	Default           bool
	IsDeleted         bool
	SignatureTemplate string
	LogoID            *int64
	Logo              JSON    // attachments.File, as it was when it came
	DefaultLocale     *string // of its help center, in lower case; nil: the account's
	Locales           Strings // of its help center, in lower case; none: the account's
	Stamps
}

// States of a brand's help center.
const (
	HelpCenterEnabled    = "enabled"
	HelpCenterRestricted = "restricted" // to the staff
	HelpCenterDisabled   = "disabled"
)

// JobStatus is what became of a bulk operation.
type JobStatus struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	ID        string `gorm:"primaryKey"` // V3- and 32 hex digits
	JobType   string // "Bulk Create Ticket"
	Status    string // JobQueued and the rest
	Total     *int
	Progress  *int
	Message   *string
	Results   JSON
	UserID    int64
	Stamps
}

// States of a JobStatus.
const (
	JobQueued    = "queued"
	JobWorking   = "working"
	JobCompleted = "completed"
	JobFailed    = "failed"
	JobKilled    = "killed"
)

// JobItem is one thing that a bulk job has to do. Its rows go when the job ends.
type JobItem struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	JobID     string `gorm:"primaryKey"`
	Index     int    `gorm:"primaryKey;autoIncrement:false"` // from 0
	Item      []byte // JSON as it came
	Result    JSON   // nil until done
}

// APIToken signs in any active user of its account by e-mail.
type APIToken struct {
	Tenant
	Description string
	TokenHash   []byte // SHA-256 of the token
	LastChars   string
	Active      bool
	LastUsedAt  *time.Time
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// OAuthToken is an access token of one user.
type OAuthToken struct {
	Tenant
	UserID     int64
	TokenHash  []byte // SHA-256 of the token
	FirstChars string
	Scopes     Strings
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	CreatedAt  time.Time `gorm:"autoCreateTime:false"`
}

// TableName keeps GORM from reading "OAuth" as two words.
func (OAuthToken) TableName() string { return "oauth_tokens" }

// JWTKey is a key with which a product vouches for its own users.
type JWTKey struct {
	Tenant
	Kid       string
	Algorithm string    // the only one accepted with this key
	Secret    []byte    // HS256: the secret; otherwise the public key in PEM
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// IdempotencyKey is the answer that a write with a key gave.
type IdempotencyKey struct {
	AccountID   int64  `gorm:"primaryKey;autoIncrement:false"`
	ActorID     int64  `gorm:"primaryKey;autoIncrement:false"` // 0: anonymous
	Key         string `gorm:"primaryKey"`
	RequestHash []byte
	Status      int
	Location    string
	ContentType string
	Body        []byte
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}
