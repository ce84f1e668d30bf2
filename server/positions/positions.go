// Package positions puts records into an order that people chose.
package positions

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Most is the largest position.
const Most = 1_000_000_000

// Check refuses a position that is none.
func Check(n int64) error {
	if n < 0 || n > Most {
		return fault.InvalidField("position", "must be between 0 and %d", Most)
	}
	return nil
}

// Kind is what the records are that have an order.
type Kind struct {
	Table string
	Name  string // for people, as in "5 is not a view"
	Field string // of a call, that names records
	From  int    // the first position
}

// ReorderTx puts records of an account, which are in this order, into another
// one: those with ids first. Those that move are changed now. It fails with
// fault.Invalid, which names the field, for an id that order does not have.
func (k Kind) ReorderTx(tx *gorm.DB, account int64, order, ids []int64, now time.Time) error {
	order, err := k.putFirst(order, ids)
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE "+k.Table+` t SET position = o.n - 1 + ?, updated_at = CASE WHEN t.position = o.n - 1 + ? THEN t.updated_at ELSE ? END
		FROM unnest(?::bigint[]) WITH ORDINALITY AS o(id, n) WHERE t.account_id = ? AND t.id = o.id`,
		k.From, k.From, now, models.IDs(order), account).Error
}

func (k Kind) putFirst(order, ids []int64) ([]int64, error) {
	var first []int64
	for _, id := range ids {
		if slices.Contains(first, id) {
			continue // named twice
		}
		at := slices.Index(order, id)
		if at < 0 {
			return nil, fault.InvalidField(k.Field, "%d is not a %s", id, k.Name)
		}
		order = slices.Delete(order, at, at+1)
		first = append(first, id)
	}
	return append(first, order...), nil
}
