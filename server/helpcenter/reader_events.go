package helpcenter

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

// What events about articles tell of comments, votes and subscriptions. Their
// names are the original's; what they hold besides ids is ours.
type (
	commentEvent struct {
		AuthorID string `json:"author_id"`
		Body     string `json:"body"`
		ID       string `json:"id"`
		Locale   string `json:"locale"`
	}
	ofCommentEvent struct {
		Comment commentEvent `json:"comment"`
	}
	voteEvent struct {
		ID     string `json:"id"`
		UserID string `json:"user_id"`
		Value  int    `json:"value"`
	}
	ofVoteEvent struct {
		Vote voteEvent `json:"vote"`
	}
	subscriptionEvent struct {
		ID     string `json:"id"`
		Locale string `json:"locale"`
		UserID string `json:"user_id"`
	}
	ofSubscriptionEvent struct {
		Subscription subscriptionEvent `json:"subscription"`
	}
)

func (s *Service) noteTx(tx *gorm.DB, by auth.Actor, article, brand int64, what string, change any) error {
	return events.AppendTx(tx, s.by(by), "article", article, events.Event{Type: "article." + what, Detail: Detail(article, brand), Change: change})
}

func commentOf(c models.ArticleComment) commentEvent {
	return commentEvent{events.ID(c.AuthorID), c.HTMLBody, events.ID(c.ID), c.Locale}
}

func (s *Service) commentedTx(tx *gorm.DB, by auth.Actor, a Article, c models.ArticleComment) error {
	return s.noteTx(tx, by, a.ID, a.BrandID, "comment_created", ofCommentEvent{commentOf(c)})
}

func (s *Service) commentChangedTx(tx *gorm.DB, by auth.Actor, a Article, before, after models.ArticleComment) error {
	return s.noteTx(tx, by, a.ID, a.BrandID, "comment_changed", events.Changed{Current: commentOf(after), Previous: commentOf(before)})
}

// commentGoneTx notes that a comment can no longer be read.
func (s *Service) commentGoneTx(tx *gorm.DB, by auth.Actor, a Article, c models.ArticleComment) error {
	return s.noteTx(tx, by, a.ID, a.BrandID, "comment_unpublished", ofCommentEvent{commentOf(c)})
}

func voteOf(v models.Vote) voteEvent { return voteEvent{events.ID(v.ID), events.ID(v.UserID), v.Value} }

// votedTx notes a vote on an article. There are no events of votes on comments.
func (s *Service) votedTx(tx *gorm.DB, by auth.Actor, a Article, before, after *models.Vote) error {
	switch {
	case before == nil && after.ItemType == models.VotedArticle:
		return s.noteTx(tx, by, a.ID, a.BrandID, "vote_created", ofVoteEvent{voteOf(*after)})
	case before == nil || before.ItemType != models.VotedArticle:
		return nil
	case after == nil:
		return s.noteTx(tx, by, a.ID, a.BrandID, "vote_removed", ofVoteEvent{voteOf(*before)})
	}
	return s.noteTx(tx, by, a.ID, a.BrandID, "vote_changed", events.Changed{Current: voteOf(*after), Previous: voteOf(*before)})
}

// subscribedTx notes a subscription to an article. There are no events of
// sections.
func (s *Service) subscribedTx(tx *gorm.DB, by auth.Actor, brand int64, v models.ContentSubscription) error {
	if v.ContentType != models.SourceArticle {
		return nil
	}
	return s.noteTx(tx, by, v.ContentID, brand, "subscription_created", ofSubscriptionEvent{subscriptionEvent{events.ID(v.ID), v.Locale, events.ID(v.UserID)}})
}
