package fields

import (
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Targets say which records lookups may point at, by relationship_target_type:
// the condition of those that an actor may see, and its arguments. Users are u
// there, organizations o and tickets t. A type that is not among them has none.
// (Who sees what is for packages to say that this one must not know.)
type Targets map[string]func(by auth.Actor) (where string, args []any)

var targetTables = map[string]string{
	TargetUsers:         "users u WHERE u.account_id = ? AND u.id = ANY(?) AND ",
	TargetOrganizations: "organizations o WHERE o.account_id = ? AND o.id = ANY(?) AND ",
	TargetTickets:       "tickets t WHERE t.account_id = ? AND t.id = ANY(?) AND ",
}

// target is a record that a lookup points at.
type target struct {
	kind string
	id   int64
}

func isLookup(f *Field) bool { return f.Type == models.FieldLookup }

// CheckTargetsTx fails with fault.Invalid for each lookup whose value has changed
// from then to now and is no record that by may see. What was set before may
// point at a record that is gone. It reads with one statement at most.
//
// The filter of a lookup is not asked: it narrows what is offered, and does not
// say what is right (developer.zendesk.com, Lookup Relationships).
func (s *Service) CheckTargetsTx(tx *gorm.DB, by auth.Actor, d *Definitions, then, now models.JSON) error {
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
		see, ok := s.targets[kind]
		if !ok {
			continue
		}
		where, seen := see(by)
		queries = append(queries, "SELECT '"+kind+"', id FROM "+targetTables[kind]+where)
		args = append(append(args, by.AccountID, list), seen...)
	}
	found := map[target]bool{}
	err := postgres.Rows(tx, strings.Join(append(queries, "SELECT '', 0 WHERE false"), " UNION ALL "), args, func(row postgres.Scanned) error {
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
