package postgres

import (
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/fault"
)

// One is the record with an id among those that db looks for. It fails with
// fault.NotFound, which tells what the record is called.
func One[T any](db *gorm.DB, what string, id int64) (T, error) {
	var record T
	err := db.Take(&record, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing(what, id)
	}
	return record, err
}
