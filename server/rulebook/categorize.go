package rulebook

import (
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/fault"
)

// categorizeTx puts triggers that are new, or that are to move, into a category:
// into a new one, the one named, or the only one that there is. There they go
// behind the others unless they name a position.
func (s *Service) categorizeTx(tx *gorm.DB, drafts []draft) error {
	var moving []*draft
	for n := range drafts {
		if drafts[n].moves() {
			moving = append(moving, &drafts[n])
		}
	}
	if len(moving) == 0 {
		return nil
	}
	var all []models.TriggerCategory
	if err := tx.Order("position, id").Find(&all).Error; err != nil {
		return err
	}
	last, err := lastTx(tx)
	if err != nil {
		return err
	}
	for _, d := range moving {
		category, err := s.chooseTx(tx, all, d.change)
		if err != nil {
			return err
		}
		d.after.CategoryID, d.after.CategoryPosition = &category.ID, category.Position
		if d.change.Position == nil {
			last[category.ID]++
			d.after.Position = last[category.ID]
		}
	}
	return nil
}

// moves reports whether a trigger is to come into a category. A null leaves it
// where it is.
func (d *draft) moves() bool {
	id, err := d.change.CategoryID.Get()
	return d.fresh || d.change.Category != nil || err == nil && (d.before.CategoryID == nil || *d.before.CategoryID != id)
}

// chooseTx is the category that a change makes or names, or the only one.
func (s *Service) chooseTx(tx *gorm.DB, all []models.TriggerCategory, c Change) (models.TriggerCategory, error) {
	id, err := c.CategoryID.Get()
	switch {
	case c.Category != nil:
		return s.createCategoryTx(tx, *c.Category)
	case err != nil && len(all) == 0:
		return s.createCategoryTx(tx, CategoryChange{Name: new(accounts.FirstCategory)})
	case err != nil && len(all) == 1:
		return all[0], nil
	case err != nil:
		return models.TriggerCategory{}, fault.Blank("category_id")
	}
	at := slices.IndexFunc(all, func(c models.TriggerCategory) bool { return c.ID == id })
	if at < 0 {
		return models.TriggerCategory{}, fault.InvalidField("category_id", "%d is not a trigger category", id)
	}
	return all[at], nil
}

// lastTx are the positions of the last triggers of all categories.
func lastTx(tx *gorm.DB) (map[int64]int, error) {
	var rows []struct {
		CategoryID int64
		Last       int
	}
	err := tx.Model(&models.Rule{}).Where("kind = '" + models.RuleTrigger + "'").Group("category_id").
		Select("category_id, max(position) AS last").Scan(&rows).Error
	last := make(map[int64]int, len(rows))
	for _, r := range rows {
		last[r.CategoryID] = r.Last
	}
	return last, err
}
