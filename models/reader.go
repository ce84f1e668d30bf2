package models

import "time"

// ArticleComment is what a reader says under an article.
type ArticleComment struct {
	Tenant
	ArticleID          int64
	AuthorID           int64
	Locale             string // of the translation that it is about
	HTMLBody           string // sanitised
	VoteSum            int
	VoteCount          int
	NonAuthorEditorID  *int64 // who last changed it, if not the author
	NonAuthorUpdatedAt *time.Time
	Stamps
}

// What a Vote is on.
const (
	VotedArticle = "Article"
	VotedComment = "Comment"
)

// Vote is what a user thinks of an article or a comment. Each user has one on each.
type Vote struct {
	Tenant
	UserID   int64
	ItemType string // VotedArticle or VotedComment
	ItemID   int64
	Value    int // 1 or -1
	Stamps
}

// ContentSubscription has a user told by mail: of an article's comments; of a
// section's new articles.
type ContentSubscription struct {
	Tenant
	UserID          int64
	ContentType     string // SourceArticle or SourceSection
	ContentID       int64
	Locale          string
	IncludeComments bool // a section's: of the comments on all of its articles, too
	Stamps
}

// UserSubscription has a user told by mail of what another one writes in the help
// center.
type UserSubscription struct {
	Tenant
	FollowerID int64
	FollowedID int64
	CreatedAt  time.Time `gorm:"autoCreateTime:false"`
}
