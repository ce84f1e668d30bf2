package helpcenter

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Subscribing is what a caller asks of a subscription.
type Subscribing struct {
	Locale          string // of the content; empty: that of the path
	IncludeComments bool   // of a section
	UserID          *int64 // whose it is, by an admin
}

const subscriptionColumns = "v.account_id, v.id, v.user_id, v.content_type, v.content_id, v.locale, v.include_comments, v.created_at, v.updated_at"

func scanSubscription(row postgres.Scanned, order ...any) (v models.ContentSubscription, err error) {
	return v, row.Scan(append([]any{&v.AccountID, &v.ID, &v.UserID, &v.ContentType, &v.ContentID, &v.Locale, &v.IncludeComments, &v.CreatedAt, &v.UpdatedAt}, order...)...)
}

// contentTx fails with fault.NotFound unless by may see an article or a section,
// in the language if one is asked for. It tells the content's brand.
func (s *Service) contentTx(tx *gorm.DB, by auth.Actor, kind, asked string, id int64) (brand int64, err error) {
	if kind == models.SourceArticle {
		a, err := s.readableTx(tx, by, asked, id)
		return a.BrandID, err
	}
	if asked != "" {
		l, err := s.localesTx(tx, by)
		if err == nil {
			asked, err = l.reading(by, asked)
		}
		if err != nil {
			return 0, err
		}
		section, err := s.sectionTx(tx, by, asked, id)
		return section.BrandID, err
	}
	seen, args := seenSection(by)
	err = tx.Raw("SELECT s.brand_id FROM "+sectionFrom+" WHERE s.account_id = ? AND s.id = ? AND "+seen+" LIMIT 1",
		append([]any{by.AccountID, id}, args...)...).Scan(&brand).Error
	if err == nil && brand == 0 {
		err = fault.Missing("section", id)
	}
	return brand, err
}

// Subscriptions is a page of the subscriptions to an article or a section, which
// kind tells: models.SourceArticle or models.SourceSection. End users see their
// own. It fails with fault.NotFound for the content.
func (s *Service) Subscriptions(ctx context.Context, by auth.Actor, kind, asked string, id int64, r page.Request) (page.Result[models.ContentSubscription], error) {
	if _, err := s.contentTx(s.db.WithContext(ctx), by, kind, asked, id); err != nil {
		return page.Result[models.ContentSubscription]{}, err
	}
	cond, args := "v.content_type = ? AND v.content_id = ?", []any{kind, id}
	if !by.Staff() {
		cond, args = cond+" AND v.user_id = ?", append(args, by.ID())
	}
	return s.listSubscriptions(ctx, by, r, cond, args...)
}

// SubscriptionsOf is a page of a user's subscriptions to what by may see. End
// users may ask for their own. It fails with fault.NotFound for the user.
func (s *Service) SubscriptionsOf(ctx context.Context, by auth.Actor, user int64, r page.Request) (page.Result[models.ContentSubscription], error) {
	if err := s.mayAskOf(ctx, by, user); err != nil {
		return page.Result[models.ContentSubscription]{}, err
	}
	articles, args, err := s.seenTx(s.db.WithContext(ctx), by)
	if err != nil {
		return page.Result[models.ContentSubscription]{}, err
	}
	sections, more := seenSection(by)
	return s.listSubscriptions(ctx, by, r, `v.user_id = ? AND CASE v.content_type
		WHEN 'Article' THEN EXISTS (SELECT FROM `+articleFrom+` WHERE a.account_id = v.account_id AND a.id = v.content_id AND `+articles+`)
		ELSE EXISTS (SELECT FROM sections s WHERE s.account_id = v.account_id AND s.id = v.content_id AND `+sections+`) END`,
		append(append([]any{user}, args...), more...)...)
}

func (s *Service) listSubscriptions(ctx context.Context, by auth.Actor, r page.Request, cond string, args ...any) (page.Result[models.ContentSubscription], error) {
	return page.ListRows(ctx, s.db, page.Query{
		Select: subscriptionColumns, From: "content_subscriptions AS v", Order: voteOrder.Directed(r.Desc),
		Where: "v.account_id = ? AND " + cond, Args: append([]any{by.AccountID}, args...),
	}, r, scanSubscription)
}

// Subscription is one to an article or a section. End users see their own. It
// fails with fault.NotFound.
func (s *Service) Subscription(ctx context.Context, by auth.Actor, kind, asked string, content, id int64) (models.ContentSubscription, error) {
	return s.subscriptionTx(s.db.WithContext(ctx), by, kind, asked, content, id)
}

func (s *Service) subscriptionTx(tx *gorm.DB, by auth.Actor, kind, asked string, content, id int64) (v models.ContentSubscription, err error) {
	if _, err := s.contentTx(tx, by, kind, asked, content); err != nil {
		return v, err
	}
	err = tx.Take(&v, "id = ? AND content_type = ? AND content_id = ?", id, kind, content).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !by.Staff() && v.UserID != by.ID() {
		err = fault.Missing("subscription", id)
	}
	return v, err
}

// Subscribe has a user told of what happens to an article or a section. Who has
// subscribed already goes on as this says. It fails with fault.NotFound for the
// content, with fault.Forbidden for another user, and with fault.Invalid naming
// the field.
func (s *Service) Subscribe(ctx context.Context, by auth.Actor, kind, asked string, id int64, c Subscribing) (models.ContentSubscription, error) {
	var out models.ContentSubscription
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		brand, err := s.contentTx(tx, by, kind, asked, id)
		if err != nil {
			return err
		}
		out = models.ContentSubscription{
			UserID: by.ID(), ContentType: kind, ContentID: id, IncludeComments: c.IncludeComments || kind == models.SourceArticle, Stamps: stamps(s.now()),
		}
		if c.UserID != nil && *c.UserID != by.ID() {
			if !by.Admin() {
				return fault.Denied()
			}
			out.UserID = *c.UserID
			if err := userTx(tx, "user_id", out.UserID); err != nil {
				return err
			}
		}
		out.Locale = strings.ToLower(strings.TrimSpace(c.Locale))
		if out.Locale == "" {
			out.Locale = strings.ToLower(asked)
		}
		if out.Locale == "" {
			return fault.Blank("source_locale")
		}
		if out.Locale != strings.ToLower(asked) { // which was found already
			if _, err := s.contentTx(tx, by, kind, out.Locale, id); fault.Is(err, fault.NotFound) {
				return fault.InvalidField("source_locale", "there is no translation for %.50s", out.Locale)
			} else if err != nil {
				return err
			}
		}
		var before models.ContentSubscription
		err = tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&before, "content_type = ? AND content_id = ? AND user_id = ?", kind, id, out.UserID).Error
		if err == nil {
			out.ID, out.CreatedAt = before.ID, before.CreatedAt
			return tx.Select("locale", "include_comments", "updated_at").Updates(&out).Error
		}
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if err := tx.Create(&out).Error; err != nil {
			if errors.Is(err, gorm.ErrDuplicatedKey) {
				return fault.New(fault.Busy, "subscribed at the same time")
			}
			return err
		}
		return s.subscribedTx(tx, by, brand, out)
	})
	return out, err
}

// Unsubscribe ends a subscription. The subscriber may, and admins. It fails with
// fault.NotFound, and with fault.Forbidden for that of another.
func (s *Service) Unsubscribe(ctx context.Context, by auth.Actor, kind, asked string, content, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		v, err := s.subscriptionTx(tx, by, kind, asked, content, id)
		if err != nil {
			return err
		}
		if v.UserID != by.ID() && !by.Admin() {
			return fault.Denied()
		}
		return tx.Delete(&v).Error
	})
}
