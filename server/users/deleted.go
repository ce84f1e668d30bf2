package users

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// deleted selects the users who are not active: deleted, merged into others,
// or deleted for good.
func deleted(by auth.Actor) (page.Query, error) {
	if !by.Staff() {
		return page.Query{}, fault.Denied()
	}
	return page.Query{Select: columns, From: "users u", Where: "u.account_id = ? AND NOT u.active", Args: []any{by.AccountID}, Order: byID}, nil
}

// Deleted is a page of the users who were deleted, by id. It fails with
// fault.Forbidden.
func (s *Service) Deleted(ctx context.Context, by auth.Actor, p page.Request) (page.Result[models.User], error) {
	q, err := deleted(by)
	if err != nil {
		return page.Result[models.User]{}, err
	}
	return page.List(ctx, s.db, q, p, scanOf(by.AccountID))
}

// CountDeleted is how many users Deleted has, and when they were counted.
func (s *Service) CountDeleted(ctx context.Context, by auth.Actor) (int, time.Time, error) {
	q, err := deleted(by)
	if err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, q.From, q.Where, q.Args)
}

// DeletedUser is a user who was deleted. It fails with fault.NotFound.
func (s *Service) DeletedUser(ctx context.Context, by auth.Actor, id int64) (models.User, error) {
	var u models.User
	if !by.Staff() {
		return u, fault.Denied()
	}
	err := s.db.WithContext(ctx).Take(&u, "id = ? AND NOT active", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return u, fault.Missing("deleted user", id)
	}
	return u, err
}
