package rulebook

import (
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// TriggersThen are the triggers that were active at each of some times, in the
// order in which they run now. Those that were deleted since are not among them.
func TriggersThen(tx *gorm.DB, account int64, times []time.Time) ([][]models.Rule, error) {
	lists := make([][]models.Rule, len(times))
	texts := make(models.Strings, len(times))
	for i, at := range times {
		texts[i] = at.UTC().Format(time.RFC3339Nano)
	}
	err := postgres.Rows(tx, `SELECT w.n, r.id, r.title, r.active, r.conditions, r.actions, v.snapshot
		FROM unnest(?::timestamptz[]) WITH ORDINALITY AS w(at, n)
		JOIN rules r ON r.account_id = ? AND r.kind = 'trigger' AND r.created_at <= w.at
		LEFT JOIN LATERAL (SELECT snapshot FROM trigger_revisions v WHERE v.account_id = r.account_id AND v.trigger_id = r.id AND v.created_at <= w.at
			ORDER BY v.created_at DESC, v.id DESC LIMIT 1) v ON true
		ORDER BY w.n, r.category_position, r.category_id, r.position, r.title, r.id`, []any{texts, account}, func(row postgres.Scanned) error {
		r := models.Rule{Tenant: models.Tenant{AccountID: account}, Kind: models.RuleTrigger}
		var n int64
		var then models.JSON
		if err := row.Scan(&n, &r.ID, &r.Title, &r.Active, &r.Conditions, &r.Actions, &then); err != nil {
			return err
		}
		if then != nil {
			kept := struct {
				Title      *string      `json:"title"`
				Active     *bool        `json:"active"`
				Conditions *models.JSON `json:"conditions"`
				Actions    *models.JSON `json:"actions"`
			}{&r.Title, &r.Active, &r.Conditions, &r.Actions}
			if err := json.Unmarshal(then, &kept); err != nil {
				return err
			}
		}
		if r.Active {
			lists[n-1] = append(lists[n-1], r)
		}
		return nil
	})
	return lists, err
}
