package helpcenter

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/segments"
)

// AccessChange is what a caller asks of who may see and manage a section. What is
// nil is left alone; an empty list clears.
type AccessChange struct {
	ViewableBy      *string
	ManageableBy    *string
	GroupIDs        []int64
	OrganizationIDs []int64
	Tags            []string
}

// Access is a section with who may see and manage it. Staff may ask.
func (s *Service) Access(ctx context.Context, by auth.Actor, id int64) (models.Section, error) {
	var row models.Section
	if !by.Staff() {
		return row, fault.Denied()
	}
	seen, args := seenSection(by)
	found := s.db.WithContext(ctx).Table("sections AS s").Where("s.id = ?", id).Where(seen, args...).Limit(1).Find(&row)
	if found.Error != nil || found.RowsAffected == 0 {
		return row, orMissing(found.Error, "section", id)
	}
	return row, nil
}

// UpdateAccess says who may see a section and what is in it, and whether all
// agents may manage its articles. It fails with fault.NotFound, and with
// fault.Invalid naming the field.
func (s *Service) UpdateAccess(ctx context.Context, by auth.Actor, id int64, c AccessChange) (models.Section, error) {
	var out models.Section
	err := s.changeSection(ctx, by, id, func(tx *gorm.DB, row *models.Section) error {
		if err := c.applyTx(tx, row); err != nil {
			return err
		}
		row.UpdatedAt = s.now()
		out = *row
		return tx.Select("viewable_by", "manageable_by", "restricted_to_group_ids", "restricted_to_organization_ids", "required_tags", "updated_at").Updates(row).Error
	})
	return out, err
}

func (c AccessChange) applyTx(tx *gorm.DB, row *models.Section) error {
	var errs []error
	if set(&row.ViewableBy, c.ViewableBy) && !slices.Contains([]string{models.ViewableByEverybody, models.ViewableBySignedIn, models.ViewableByStaff}, row.ViewableBy) {
		errs = append(errs, fault.InvalidField("viewable_by", "%.50s is none of everybody, signed_in_users and staff", row.ViewableBy))
	}
	if set(&row.ManageableBy, c.ManageableBy) && !slices.Contains([]string{models.ManageableByStaff, models.ManageableByManager}, row.ManageableBy) {
		errs = append(errs, fault.InvalidField("manageable_by", "%.50s is none of staff and managers", row.ManageableBy))
	}
	for _, list := range []struct {
		field, what, cond string
		of                any
		to                *models.IDs
		ids               []int64
	}{
		{"restricted_to_group_ids", "a group", "NOT deleted", &models.Group{}, &row.RestrictedToGroupIDs, c.GroupIDs},
		{"restricted_to_organization_ids", "an organization", "deleted_at IS NULL", &models.Organization{}, &row.RestrictedToOrganizationIDs, c.OrganizationIDs},
	} {
		if list.ids == nil {
			continue
		}
		err := segments.CheckSize(list.field, len(list.ids))
		if err == nil {
			err = segments.ExistTx(tx, list.field, list.what, list.of, list.cond, *list.to, list.ids)
		}
		errs = append(errs, err)
		*list.to = list.ids
	}
	if c.Tags != nil {
		row.RequiredTags = c.Tags
		errs = append(errs, segments.CheckSize("required_tags", len(c.Tags)))
	}
	return fault.Join(errs...)
}
