package organizations

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// subscriptionQuery lists the subscriptions to live organizations that by may
// see: an end user his own, staff those of the organizations they see.
func subscriptionQuery(by auth.Actor, cond string, args ...any) page.Query {
	seen, seenArgs := scope(by)
	if !by.Staff() {
		seen, seenArgs = "s.user_id = ?", []any{by.ID()}
	}
	return page.Query{
		Select: "s.account_id, s.id, s.user_id, s.organization_id, s.created_at",
		From:   "organization_subscriptions AS s JOIN organizations AS o ON o.account_id = s.account_id AND o.id = s.organization_id",
		Where:  "s.account_id = ? AND o.deleted_at IS NULL AND " + cond + " AND " + seen,
		Args:   append(append([]any{by.AccountID}, args...), seenArgs...),
		Order:  page.By("id", page.Column{Expr: "s.id", Kind: page.Int}),
	}
}

func scanSubscription(rows *sql.Rows, order ...any) (models.OrganizationSubscription, error) {
	var v models.OrganizationSubscription
	err := rows.Scan(append([]any{&v.AccountID, &v.ID, &v.UserID, &v.OrganizationID, &v.CreatedAt}, order...)...)
	return v, err
}

// Subscriptions lists subscriptions by id. It fails with fault.NotFound for an
// unknown user or organization.
func (s *Service) Subscriptions(ctx context.Context, by auth.Actor, of Of, r page.Request) (page.Result[models.OrganizationSubscription], error) {
	var none page.Result[models.OrganizationSubscription]
	q := subscriptionQuery(by, "TRUE")
	switch {
	case by.Anonymous():
		return none, fault.Denied()
	case of.UserID != 0:
		if err := s.mayReadUser(ctx, by, of.UserID); err != nil {
			return none, err
		}
		q = subscriptionQuery(by, "s.user_id = ?", of.UserID)
	case of.OrganizationID != 0:
		if err := s.seenBy(ctx, by, of.OrganizationID); err != nil {
			return none, err
		}
		q = subscriptionQuery(by, "s.organization_id = ?", of.OrganizationID)
	}
	return page.List(ctx, s.db, q, r, scanSubscription)
}

// seenBy fails with fault.NotFound unless by may know of an organization: staff
// by their own rights, an end user as a member.
func (s *Service) seenBy(ctx context.Context, by auth.Actor, id int64) error {
	if by.Staff() {
		_, err := s.Show(ctx, by, id)
		return err
	}
	found, err := s.read(ctx, query(by, "o.id = ? AND "+ofUser, id, by.ID()))
	if err == nil && len(found) == 0 {
		err = fault.Missing("organization", id)
	}
	return err
}

// Subscription is one that by may see. It fails with fault.NotFound.
func (s *Service) Subscription(ctx context.Context, by auth.Actor, id int64) (models.OrganizationSubscription, error) {
	q := subscriptionQuery(by, "s.id = ?", id)
	var v models.OrganizationSubscription
	err := s.db.WithContext(ctx).Raw("SELECT "+q.Select+" FROM "+q.From+" WHERE "+q.Where, q.Args...).
		Row().Scan(&v.AccountID, &v.ID, &v.UserID, &v.OrganizationID, &v.CreatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.Missing("organization subscription", id)
	}
	return v, err
}

// Subscribe has a user, the caller if user is 0, told of what happens in an
// organization. An end user may subscribe himself to those he is a member of
// that share their tickets. It fails with fault.Invalid for what is no user or
// organization, and for a subscription that there is.
func (s *Service) Subscribe(ctx context.Context, by auth.Actor, user, organization int64) (models.OrganizationSubscription, error) {
	if user == 0 {
		user = by.ID()
	}
	v := models.OrganizationSubscription{UserID: user, OrganizationID: organization, CreatedAt: s.now()}
	if by.Anonymous() || !by.Staff() && user != by.ID() {
		return v, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var active int64
		if err := tx.Model(&models.User{}).Where("id = ? AND active", user).Count(&active).Error; err != nil {
			return err
		}
		if active == 0 {
			return fault.InvalidField("user_id", "%d is not a user", user)
		}
		o, err := organizationOfTx(tx, by, organization)
		if err != nil {
			return err
		}
		if !by.Staff() {
			var member int64
			err := tx.Model(&models.OrganizationMembership{}).Where("user_id = ? AND organization_id = ?", user, organization).Count(&member).Error
			if err != nil {
				return err
			}
			if member == 0 || !o.SharedTickets {
				return fault.InvalidField("organization_id", "%d does not share its tickets with you", organization)
			}
		}
		err = tx.Create(&v).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("organization_id", "has this subscription already")
		}
		return err
	})
	return v, err
}

// Unsubscribe ends a subscription that by may see. It fails with fault.NotFound.
func (s *Service) Unsubscribe(ctx context.Context, by auth.Actor, id int64) error {
	if _, err := s.Subscription(ctx, by, id); err != nil {
		return err
	}
	return s.db.WithContext(ctx).Delete(&models.OrganizationSubscription{}, "id = ?", id).Error
}
