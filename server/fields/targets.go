package fields

import (
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// targetTables have the records that lookups point at, by relationship_target_type.
var targetTables = map[string]string{
	"zen:user":         "SELECT 'zen:user', id FROM users WHERE account_id = ? AND active AND id = ANY(?)",
	"zen:organization": "SELECT 'zen:organization', id FROM organizations WHERE account_id = ? AND deleted_at IS NULL AND id = ANY(?)",
	"zen:ticket":       "SELECT 'zen:ticket', id FROM tickets WHERE account_id = ? AND deleted_at IS NULL AND id = ANY(?)",
}

// target is a record that a lookup points at.
type target struct {
	kind string
	id   int64
}

func isLookup(f *Field) bool { return f.Type == models.FieldLookup }

// CheckTargetsTx fails with fault.Invalid for each lookup whose value has changed
// from then to now and is no record of the account. What was set before may
// point at a record that is gone. It reads with one statement at most.
func (d *Definitions) CheckTargetsTx(tx *gorm.DB, account int64, then, now models.JSON) error {
	pointing := map[*Field]target{}
	ids := map[string]models.IDs{}
	if !slices.ContainsFunc(d.custom, isLookup) {
		return nil
	}
	for _, diff := range d.Differences(then, now) {
		if !isLookup(diff.Field) {
			continue
		}
		id, err := strconv.ParseInt(strings.Trim(string(diff.Now), `"`), 10, 64)
		if err != nil {
			continue // cleared; Set lets nothing else by
		}
		t := target{*diff.Field.RelationshipTargetType, id}
		pointing[diff.Field], ids[t.kind] = t, append(ids[t.kind], id)
	}
	if len(pointing) == 0 {
		return nil
	}
	var queries []string
	var args []any
	for kind, list := range ids {
		queries, args = append(queries, targetTables[kind]), append(args, account, list)
	}
	found := map[target]bool{}
	err := postgres.Rows(tx, strings.Join(queries, " UNION ALL "), args, func(row postgres.Scanned) error {
		var t target
		err := row.Scan(&t.kind, &t.id)
		found[t] = true
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range d.custom { // in their order
		if t, ok := pointing[f]; ok && !found[t] {
			errs = append(errs, f.invalid("%d is not a record of type %s", t.id, t.kind))
		}
	}
	return fault.Join(errs...)
}
