package models

import "time"

// Upload is a token that files wait under until a comment takes them.
type Upload struct {
	Tenant
	TokenHash []byte // SHA-256 of the token
	UserID    *int64 // null: uploaded by nobody we know
	OfImages  bool   // it waits for a UserImage, and for nothing else
	ExpiresAt time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// Attachment is a file, or the thumbnail of one.
type Attachment struct {
	Tenant
	UploadID              *int64 // until a comment takes it
	SuspendedTicketID     *int64 // until it is recovered or removed
	MacroID               *int64 // of a file that a macro adds to comments
	TicketID              *int64
	CommentID             *int64
	ArticleID             *int64
	OfArticles            bool    // also one that no article has taken yet
	Locale                *string // of an article's: the language that it is for; nil: all
	ParentID              *int64  // a thumbnail's picture
	Token                 string  // the unguessable part of its address
	FileName              string
	ContentType           string
	Charset               string // of text; empty otherwise
	Size                  int64  // bytes
	Width                 *int   // pixels, pictures only
	Height                *int
	Inline                bool
	Deleted               bool // redacted
	MalwareAccessOverride bool
	MalwareScanResult     string    // MalwareNotScanned
	BlobKey               string    // in the blob store; empty once redacted
	CreatedAt             time.Time `gorm:"autoCreateTime:false"`
}

// UserImage is a picture that a user shows in what he writes.
type UserImage struct {
	AccountID    int64     `gorm:"primaryKey;autoIncrement:false"`
	AttachmentID int64     `gorm:"primaryKey;autoIncrement:false"`
	UserID       int64     // who uploaded it
	BrandID      int64     // where it is shown
	CreatedAt    time.Time `gorm:"autoCreateTime:false"`
}

// MalwareNotScanned is the scan result of a file that no scanner has seen.
const MalwareNotScanned = "not_scanned"

// BlobRemoval is a blob that is to go from the blob store, or one that is
// being written and goes unless an attachment comes to refer to it.
type BlobRemoval struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Key       string `gorm:"primaryKey"`
	Doomed    bool   // false: it may still be kept
	DueAt     time.Time
}
