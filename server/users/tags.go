package users

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

// fieldsTx puts the values of user fields into u, whose tags go along, and notes
// what has changed.
func (s *Service) fieldsTx(tx *gorm.DB, u *subject, by auth.Actor, c Change) error {
	if c.Fields == nil && c.Tags == nil {
		return nil
	}
	config, err := s.fields.Current(tx, by.AccountID)
	if err != nil {
		return err
	}
	values, tags, err := config.Users.Edit(u.UserFields, u.Tags, c.Tags != nil, c.Fields)
	if err == nil {
		err = s.fields.CheckTargetsTx(tx, by, &config.Users, u.UserFields, values)
	}
	if err != nil {
		return config.Localised(err, by.User.Locale)
	}
	for _, d := range config.Users.Differences(u.UserFields, values) {
		u.note("custom_field_changed", events.FieldChanged(d.Field.Field, d.Now, d.Then))
	}
	u.UserFields, u.Tags = values, tags
	return nil
}

// SetTags replaces a user's tags and returns what they are now. It fails as
// Update does.
func (s *Service) SetTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	return s.editTags(ctx, by, id, func([]string) []string { return slices.Clone(tags) })
}

// AddTags adds to a user's tags and returns what they are now.
func (s *Service) AddTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	return s.editTags(ctx, by, id, func(have []string) []string { return append(have, addedTags(have, tags)...) })
}

// RemoveTags takes away from a user's tags and returns what is left.
func (s *Service) RemoveTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	return s.editTags(ctx, by, id, func(have []string) []string {
		return slices.DeleteFunc(have, func(tag string) bool { return slices.Contains(tags, tag) })
	})
}

// editTags reads and writes under one lock, so that two who add tags at the
// same time both succeed.
func (s *Service) editTags(ctx context.Context, by auth.Actor, id int64, edit func([]string) []string) ([]string, error) {
	if err := maySee(by, id); err != nil {
		return nil, err
	}
	var tags []string
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		u, err := lockTx(tx, id)
		if err != nil {
			return err
		}
		wanted := append([]string{}, edit(slices.Clone([]string(u.Tags)))...)
		u, _, err = s.updateTx(tx, by, id, Change{Tags: wanted})
		tags = u.Tags
		return err
	})
	if tags == nil {
		tags = models.Strings{}
	}
	return tags, err
}
