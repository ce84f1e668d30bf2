package rulebook

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/positions"
)

// Reorder puts the shared rules of a kind with these ids first, in this order,
// and returns them; the others keep theirs behind them. For triggers ids must
// have all that are active, or it fails with fault.NotFound, and the account but
// one category, or it fails with fault.BadRequest. Of the other kinds an unknown
// id is fault.Invalid.
func (s *Service) Reorder(ctx context.Context, by auth.Actor, kind string, ids []int64) ([]models.Rule, error) {
	if err := someOf(kind, len(ids), maxPlaces); err != nil {
		return nil, err
	}
	var list []models.Rule
	err := s.change(ctx, by, kind, func(tx *gorm.DB) error {
		// Those who reorder at a time lock the rules one after another, not each
		// in an order of his own.
		if err := tx.Exec("SELECT FROM rules WHERE account_id = ? AND kind = ? AND owner_id IS NULL ORDER BY id FOR NO KEY UPDATE", by.AccountID, kind).Error; err != nil {
			return err
		}
		if err := tx.Where("kind = ? AND owner_id IS NULL", kind).Order(asTheyRun).Find(&list).Error; err != nil {
			return err
		}
		if kinds[kind].ordered {
			if err := wholeTx(tx, list, ids); err != nil {
				return err
			}
		}
		order := make([]int64, len(list))
		for n, r := range list {
			order[n] = r.ID
		}
		of := positions.Kind{Table: "rules", Name: kind, Field: kind + "_ids", From: 1}
		if err := of.ReorderTx(tx, by.AccountID, order, ids, s.now()); err != nil {
			return err
		}
		return tx.Where("id = ANY(?)", models.IDs(ids)).Order("position").Find(&list).Error
	})
	return list, err
}

// wholeTx refuses an order of triggers that leaves active ones out, or that goes
// across categories.
func wholeTx(tx *gorm.DB, all []models.Rule, ids []int64) error {
	var categories int64
	if err := tx.Model(&models.TriggerCategory{}).Count(&categories).Error; err != nil {
		return err
	}
	if categories > 1 {
		e := fault.New(fault.BadRequest, "Triggers of several categories cannot be reordered at once; use trigger_categories/jobs")
		e.Code = "LimitOneCategory"
		return e
	}
	for _, r := range all {
		if r.Active && !slices.Contains(ids, r.ID) {
			return fault.Missing("trigger in the order:", r.ID)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(r models.Rule) bool { return r.ID == id }) {
			return fault.Missing("trigger", id)
		}
	}
	return nil
}
