package organizations

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// fieldsTx puts the values of organization fields into o, whose tags go along.
func (s *Service) fieldsTx(tx *gorm.DB, o *models.Organization, by auth.Actor, c Change) error {
	if c.Fields == nil && c.Tags == nil {
		return nil
	}
	config, err := s.fields.Current(tx, by.AccountID)
	if err != nil {
		return err
	}
	values, tags, err := config.Organizations.Edit(o.OrganizationFields, o.Tags, c.Tags != nil, c.Fields)
	if err == nil {
		err = s.fields.CheckTargetsTx(tx, by, &config.Organizations, o.OrganizationFields, values)
	}
	o.OrganizationFields, o.Tags = values, tags
	return config.Localised(err, by.User.Locale)
}

// Tags are the tags of an organization, in the order they were given.
func (s *Service) Tags(ctx context.Context, by auth.Actor, id int64) ([]string, error) {
	o, err := s.Show(ctx, by, id)
	return o.Tags, err
}

// SetTags puts the tags in the place of those an organization has.
func (s *Service) SetTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	return s.retag(ctx, by, id, func([]string) []string { return normalise(tags) })
}

// AddTags adds those of the tags that an organization does not have.
func (s *Service) AddTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	return s.retag(ctx, by, id, func(has []string) []string {
		return normalise(append(slices.Clone(has), tags...))
	})
}

// RemoveTags removes those of the tags that an organization has.
func (s *Service) RemoveTags(ctx context.Context, by auth.Actor, id int64, tags []string) ([]string, error) {
	gone := normalise(tags)
	return s.retag(ctx, by, id, func(has []string) []string {
		return slices.DeleteFunc(slices.Clone(has), func(t string) bool { return slices.Contains(gone, t) })
	})
}

func (s *Service) retag(ctx context.Context, by auth.Actor, id int64, f func([]string) []string) ([]string, error) {
	var o models.Organization
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if o, err = s.lockTx(tx, by, id); err != nil {
			return err
		}
		return s.updateTx(tx, by, &o, Change{Tags: append([]string{}, f(o.Tags)...)})
	})
	return o.Tags, err
}
