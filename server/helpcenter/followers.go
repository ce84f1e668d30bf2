package helpcenter

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Which user subscriptions of a user are listed.
const (
	Followers  = "followers"  // those of others to the user
	Followings = "followings" // those of the user to others
)

// Follows is a page of the subscriptions of users to each other: Followers, or what is
// empty, or Followings. End users may ask for their own. It fails with fault.NotFound
// for the user, and with fault.Invalid naming type.
func (s *Service) Follows(ctx context.Context, by auth.Actor, user int64, which string, r page.Request) (page.Result[models.UserSubscription], error) {
	none := page.Result[models.UserSubscription]{}
	if err := s.mayAskOf(ctx, by, user); err != nil {
		return none, err
	}
	column := "v.followed_id"
	switch which {
	case "", Followers:
	case Followings:
		column = "v.follower_id"
	default:
		return none, fault.InvalidField("type", "%.50s is neither followers nor followings", which)
	}
	return page.ListRows(ctx, s.db, page.Query{
		Select: "v.account_id, v.id, v.follower_id, v.followed_id, v.created_at", From: "user_subscriptions AS v", Order: voteOrder.Directed(r.Desc),
		Where: "v.account_id = ? AND " + column + " = ?", Args: []any{by.AccountID, user},
	}, r, func(row postgres.Scanned, order ...any) (v models.UserSubscription, err error) {
		return v, row.Scan(append([]any{&v.AccountID, &v.ID, &v.FollowerID, &v.FollowedID, &v.CreatedAt}, order...)...)
	})
}

// Follow has by told of the articles that a user publishes and of the comments that he
// writes, as far as by may see them. Who follows him already goes on. End users may
// follow the staff, and who has commented on what they may see. It fails with
// fault.NotFound for anybody else, and with fault.Invalid naming user_id for by.
func (s *Service) Follow(ctx context.Context, by auth.Actor, user int64) (models.UserSubscription, error) {
	out := models.UserSubscription{FollowerID: by.ID(), FollowedID: user, CreatedAt: s.now()}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		u, err := postgres.One[models.User](tx.Select("account_id", "id", "role", "active"), "user", user)
		if err != nil || !u.Active {
			return orMissing(err, "user", user)
		}
		if user == by.ID() {
			return fault.InvalidField("user_id", "is your own: nobody follows himself")
		}
		if !by.Staff() && !u.Staff() {
			if err := s.heardTx(tx, by, user); err != nil {
				return err
			}
		}
		made := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&out)
		if made.Error != nil || made.RowsAffected == 1 {
			return made.Error
		}
		return tx.Take(&out, "followed_id = ? AND follower_id = ?", user, by.ID()).Error
	})
	return out, err
}

// heardTx fails with fault.NotFound unless a user has commented on what by may see.
func (s *Service) heardTx(tx *gorm.DB, by auth.Actor, user int64) error {
	seen, args, err := s.seenTx(tx, by)
	if err != nil {
		return err
	}
	heard := false
	_, err = postgres.Row(tx, "SELECT EXISTS (SELECT FROM "+commentFrom+" WHERE c.account_id = ? AND c.author_id = ? AND "+seen+")",
		append([]any{by.AccountID, user}, args...), &heard)
	if err == nil && !heard {
		err = fault.Missing("user", user)
	}
	return err
}

// Unfollow ends a subscription that a user is one of the two of. Either of them may, and
// admins. It fails with fault.NotFound, and with fault.Forbidden.
func (s *Service) Unfollow(ctx context.Context, by auth.Actor, user, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var v models.UserSubscription
		err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&v, "id = ? AND (followed_id = ? OR follower_id = ?)", id, user, user).Error
		own := v.FollowerID == by.ID() || v.FollowedID == by.ID()
		switch {
		case errors.Is(err, gorm.ErrRecordNotFound), err == nil && !own && !by.Staff():
			return fault.Missing("user subscription", id)
		case err != nil:
			return err
		case !own && !by.Admin():
			return fault.Denied()
		}
		return tx.Delete(&v).Error
	})
}
