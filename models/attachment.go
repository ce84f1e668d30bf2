package models

import "time"

// Upload is a token that files wait under until a comment takes them.
type Upload struct {
	Tenant
	TokenHash []byte // SHA-256 of the token
	UserID    *int64 // null: uploaded by nobody we know
	ExpiresAt time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// Attachment is a file, or the thumbnail of one.
type Attachment struct {
	Tenant
	UploadID              *int64 // until a comment takes it
	TicketID              *int64
	CommentID             *int64
	ParentID              *int64 // a thumbnail's picture
	Token                 string // the unguessable part of its address
	FileName              string
	ContentType           string
	Size                  int64 // bytes
	Width                 *int  // pixels, pictures only
	Height                *int
	Inline                bool
	Deleted               bool // redacted
	MalwareAccessOverride bool
	MalwareScanResult     string
	BlobKey               string    // in the blob store; empty once redacted
	CreatedAt             time.Time `gorm:"autoCreateTime:false"`
}
