package helpcenter

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
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

// maxRestricted is how many groups, organizations or tags a section may name.
const maxRestricted = 1_000

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
		{"restricted_to_group_ids", "group", "NOT deleted", &models.Group{}, &row.RestrictedToGroupIDs, c.GroupIDs},
		{"restricted_to_organization_ids", "organization", "deleted_at IS NULL", &models.Organization{}, &row.RestrictedToOrganizationIDs, c.OrganizationIDs},
	} {
		if list.ids == nil {
			continue
		}
		errs = append(errs, checkMost(list.field, len(list.ids)))
		var known []int64
		if err := tx.Model(list.of).Where("id = ANY(?::bigint[]) AND "+list.cond, models.IDs(list.ids)).Pluck("id", &known).Error; err != nil {
			return err
		}
		for _, id := range list.ids {
			if !slices.Contains(known, id) && !slices.Contains(*list.to, id) { // which may be gone since
				errs = append(errs, fault.InvalidField(list.field, "%d is no %s", id, list.what))
			}
		}
		*list.to = list.ids
	}
	if c.Tags != nil {
		row.RequiredTags = c.Tags
		errs = append(errs, checkMost("required_tags", len(c.Tags)))
	}
	return fault.Join(errs...)
}

func checkMost(field string, n int) error {
	if n > maxRestricted {
		return fault.InvalidField(field, "cannot be more than %d", maxRestricted)
	}
	return nil
}
