package rulebook

import (
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// FirstCategory is the name of the category that an account has before it makes
// others.
const FirstCategory = "Initial category"

// categorizeTx puts a trigger into a category, behind the others there: into the
// one named, or into the only one that there is.
func (s *Service) categorizeTx(tx *gorm.DB, r *models.Rule, c Change) error {
	id, err := c.CategoryID.Get()
	if err != nil && r.ID != 0 { // unspecified or null: it stays where it is
		return nil
	}
	category, err := s.categoryTx(tx, id)
	if err != nil || r.CategoryID != nil && *r.CategoryID == category.ID {
		return err
	}
	r.CategoryID, r.CategoryPosition = &category.ID, category.Position
	return tx.Model(&models.Rule{}).Where("kind = '"+models.RuleTrigger+"' AND category_id = ?", category.ID).
		Select("coalesce(max(position), 0) + 1").Row().Scan(&r.Position)
}

// categoryTx is the category with an id; with 0 the only one, which is made if
// there is none.
func (s *Service) categoryTx(tx *gorm.DB, id int64) (models.TriggerCategory, error) {
	if id != 0 {
		var c models.TriggerCategory
		err := tx.Take(&c, "id = ?", id).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return c, fault.InvalidField("category_id", "%d is not a trigger category", id)
		}
		return c, err
	}
	var some []models.TriggerCategory
	if err := tx.Order("position, id").Limit(2).Find(&some).Error; err != nil {
		return models.TriggerCategory{}, err
	}
	switch len(some) {
	case 0:
		now := s.now()
		c := models.TriggerCategory{Name: FirstCategory, Position: 1, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
		return c, tx.Create(&c).Error
	case 1:
		return some[0], nil
	}
	return models.TriggerCategory{}, fault.Blank("category_id")
}
