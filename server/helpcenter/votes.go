package helpcenter

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// VoteChange is a vote: 1 is for, -1 against.
type VoteChange struct {
	Value     int
	UserID    *int64     // whose it is, by an admin
	CreatedAt *time.Time // by an admin
}

const voteColumns = "v.account_id, v.id, v.user_id, v.item_type, v.item_id, v.value, v.created_at, v.updated_at"

func scanVote(row postgres.Scanned, order ...any) (v models.Vote, err error) {
	return v, row.Scan(append([]any{&v.AccountID, &v.ID, &v.UserID, &v.ItemType, &v.ItemID, &v.Value, &v.CreatedAt, &v.UpdatedAt}, order...)...)
}

var voteOrder = page.By("id", page.Column{Expr: "v.id", Kind: page.Int})

// listVotes is a page of the votes v for which cond holds. End users see their own.
func (s *Service) listVotes(ctx context.Context, by auth.Actor, r page.Request, cond string, args ...any) (page.Result[models.Vote], error) {
	q := page.Query{Select: voteColumns, From: "votes AS v", Order: voteOrder.Directed(r.Desc), Where: "v.account_id = ? AND " + cond, Args: append([]any{by.AccountID}, args...)}
	if !by.Staff() {
		q.Where, q.Args = q.Where+" AND v.user_id = ?", append(q.Args, by.ID())
	}
	return page.ListRows(ctx, s.db, q, r, scanVote)
}

// onSeen is the condition of the votes v on what by may see.
func (s *Service) onSeen(ctx context.Context, by auth.Actor) (string, []any, error) {
	seen, args, err := s.seenTx(s.db.WithContext(ctx), by)
	if by.Admin() { // also on what is archived
		seen, args = ofBrand(by, "a.brand_id")
	}
	return `EXISTS (SELECT FROM ` + articleFrom + ` WHERE a.account_id = v.account_id
		AND a.id = CASE v.item_type WHEN 'Article' THEN v.item_id ELSE (SELECT c.article_id FROM article_comments c WHERE c.account_id = v.account_id AND c.id = v.item_id) END
		AND ` + seen + ")", args, err
}

// Votes is a page of the votes of a user on what by may see; of all users for 0.
// End users see their own. It fails with fault.NotFound for the user.
func (s *Service) Votes(ctx context.Context, by auth.Actor, user int64, r page.Request) (page.Result[models.Vote], error) {
	cond, args, err := s.onSeen(ctx, by)
	if err != nil {
		return page.Result[models.Vote]{}, err
	}
	if user != 0 {
		if err := s.mayAskOf(ctx, by, user); err != nil {
			return page.Result[models.Vote]{}, err
		}
		cond, args = cond+" AND v.user_id = ?", append(args, user)
	}
	return s.listVotes(ctx, by, r, cond, args...)
}

// VotesOn is a page of the votes on an article, or on a comment of it unless that
// is 0. End users see their own. It fails with fault.NotFound.
func (s *Service) VotesOn(ctx context.Context, by auth.Actor, asked string, article, comment int64, r page.Request) (page.Result[models.Vote], error) {
	kind, item := models.VotedArticle, article
	var err error
	if comment != 0 {
		kind, item = models.VotedComment, comment
		_, err = s.Comment(ctx, by, asked, article, comment)
	} else {
		_, err = s.readableTx(s.db.WithContext(ctx), by, asked, article)
	}
	if err != nil {
		return page.Result[models.Vote]{}, err
	}
	return s.listVotes(ctx, by, r, "v.item_type = ? AND v.item_id = ?", kind, item)
}

// Vote is one. End users see their own. It fails with fault.NotFound.
func (s *Service) Vote(ctx context.Context, by auth.Actor, id int64) (models.Vote, error) {
	return s.voteTx(s.db.WithContext(ctx), by, id)
}

func (s *Service) voteTx(tx *gorm.DB, by auth.Actor, id int64) (v models.Vote, err error) {
	cond, args, err := s.onSeen(tx.Statement.Context, by)
	if err != nil {
		return v, err
	}
	err = postgres.Rows(tx, "SELECT "+voteColumns+" FROM votes AS v WHERE v.account_id = ? AND v.id = ? AND "+cond,
		append([]any{by.AccountID, id}, args...), func(row postgres.Scanned) (err error) {
			v, err = scanVote(row)
			return err
		})
	if err == nil && (v.ID == 0 || !by.Staff() && v.UserID != by.ID()) {
		err = fault.Missing("vote", id)
	}
	return v, err
}

// CastVote votes on an article, or on a comment of it unless that is 0. A user has
// one vote, which the next one replaces. It fails with fault.NotFound, with
// fault.Forbidden for the vote of another, and with fault.Invalid.
func (s *Service) CastVote(ctx context.Context, by auth.Actor, asked string, article, comment int64, c VoteChange) (models.Vote, error) {
	var out models.Vote
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		user, at, err := s.voterTx(tx, by, c)
		if err != nil {
			return err
		}
		var a Article
		kind, item := models.VotedArticle, article
		if comment != 0 {
			kind, item = models.VotedComment, comment
			_, a, err = s.commentTx(tx, by, asked, article, comment)
		} else {
			a, err = s.readableTx(tx, by, asked, article)
		}
		if err != nil {
			return err
		}
		// Votes on one thing take turns: what they sum up to is right.
		if err := holdTx(tx, kind, item); err != nil {
			return err
		}
		var before models.Vote
		err = tx.Take(&before, "item_type = ? AND item_id = ? AND user_id = ?", kind, item, user).Error
		switch {
		case errors.Is(err, gorm.ErrRecordNotFound):
			out = models.Vote{UserID: user, ItemType: kind, ItemID: item, Value: c.Value, Stamps: stamps(at)}
			if err := tx.Create(&out).Error; err != nil {
				return err
			}
			return s.countedTx(tx, by, a, nil, &out)
		case err != nil:
			return err
		}
		if out = before; before.Value == c.Value {
			return nil
		}
		out.Value, out.UpdatedAt = c.Value, s.now()
		if err := tx.Select("value", "updated_at").Updates(&out).Error; err != nil {
			return err
		}
		return s.countedTx(tx, by, a, &before, &out)
	})
	return out, err
}

// voterTx is whose vote it is, and when it was cast.
func (s *Service) voterTx(tx *gorm.DB, by auth.Actor, c VoteChange) (int64, time.Time, error) {
	user, at := by.ID(), s.now()
	other := c.UserID != nil && *c.UserID != user
	if (other || c.CreatedAt != nil) && !by.Admin() {
		return 0, at, fault.Denied()
	}
	if c.CreatedAt != nil {
		if c.CreatedAt.After(at) {
			return 0, at, fault.InvalidField("created_at", "is in the future")
		}
		at = *c.CreatedAt
	}
	if other {
		return *c.UserID, at, userTx(tx, "user_id", *c.UserID)
	}
	return user, at, nil
}

// tallies are the tables of what is voted on.
var tallies = map[string]string{models.VotedArticle: "articles", models.VotedComment: "article_comments"}

// holdTx makes other votes on a thing wait. It fails with fault.NotFound for one that
// is gone meanwhile.
func holdTx(tx *gorm.DB, kind string, item int64) error {
	held := tx.Exec("SELECT FROM "+tallies[kind]+" WHERE account_id = ? AND id = ? FOR NO KEY UPDATE", postgres.Account(tx.Statement.Context), item)
	if held.Error != nil || held.RowsAffected == 0 {
		return orMissing(held.Error, strings.ToLower(kind), item)
	}
	return nil
}

// countedTx brings what votes sum up to along with a vote that was before and is
// after, of which one may be nil, and notes it.
func (s *Service) countedTx(tx *gorm.DB, by auth.Actor, a Article, before, after *models.Vote) error {
	sum, count, of := 0, 0, after
	if before != nil {
		sum, count, of = sum-before.Value, count-1, before
	}
	if after != nil {
		sum, count, of = sum+after.Value, count+1, after
	}
	err := tx.Exec("UPDATE "+tallies[of.ItemType]+" SET vote_sum = vote_sum + ?, vote_count = vote_count + ? WHERE account_id = ? AND id = ?",
		sum, count, of.AccountID, of.ItemID).Error
	if err != nil {
		return err
	}
	return s.votedTx(tx, by, a, before, after)
}

// DeleteVote takes a vote back. The voter may, and admins. It fails with
// fault.NotFound, and with fault.Forbidden for the vote of another.
func (s *Service) DeleteVote(ctx context.Context, by auth.Actor, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		v, err := s.voteTx(tx, by, id)
		if err != nil {
			return err
		}
		if v.UserID != by.ID() && !by.Admin() {
			return fault.Denied()
		}
		article := v.ItemID
		if v.ItemType == models.VotedComment {
			if err := tx.Model(&models.ArticleComment{}).Where("id = ?", v.ItemID).Pluck("article_id", &article).Error; err != nil {
				return err
			}
		}
		a, err := s.readableTx(tx, by, "", article)
		if err != nil {
			return err
		}
		if err := holdTx(tx, v.ItemType, v.ItemID); err != nil {
			return err
		}
		if v, err = s.voteTx(tx, by, id); err != nil { // it may have changed, or be gone
			return err
		}
		if err := tx.Delete(&v).Error; err != nil {
			return err
		}
		return s.countedTx(tx, by, a, &v, nil)
	})
}
