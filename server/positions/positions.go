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

// PutFirst is order with ids in front. An id that order does not have fails it
// with fault.Invalid, which names the field and what the records are.
func PutFirst(order, ids []int64, field, what string) ([]int64, error) {
	var first []int64
	for _, id := range ids {
		if slices.Contains(first, id) {
			continue // named twice
		}
		at := slices.Index(order, id)
		if at < 0 {
			return nil, fault.InvalidField(field, "%d is not a %s", id, what)
		}
		order = slices.Delete(order, at, at+1)
		first = append(first, id)
	}
	return append(first, order...), nil
}

// RenumberTx gives the records of an account's table positions in this order,
// the first one from. Those that move are changed now.
func RenumberTx(tx *gorm.DB, table string, account int64, order []int64, from int, now time.Time) error {
	return tx.Exec("UPDATE "+table+` t SET position = o.n - 1 + ?, updated_at = CASE WHEN t.position = o.n - 1 + ? THEN t.updated_at ELSE ? END
		FROM unnest(?::bigint[]) WITH ORDINALITY AS o(id, n) WHERE t.account_id = ? AND t.id = o.id`,
		from, from, now, models.IDs(order), account).Error
}
