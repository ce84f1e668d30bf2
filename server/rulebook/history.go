package rulebook

import (
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// TriggersThen are the triggers that were active at each of some times, ready,
// in the order in which they run now. Those that were deleted since are not among
// them.
func TriggersThen(tx *gorm.DB, config *fields.Config, times []time.Time) ([][]*rules.Rule, error) {
	lists := make([][]*rules.Rule, len(times))
	if len(times) == 0 {
		return lists, nil
	}
	versions, err := versionsOf(tx, config.Account.ID, slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare))
	if err != nil {
		return nil, err
	}
	all := make([]models.Rule, len(versions))
	for i, v := range versions {
		all[i] = v.Rule
	}
	ready, err := Compile(tx, config.Account.ID, config, rules.Triggers, all)
	if err != nil {
		return nil, err
	}
	for n, at := range times {
		for i, v := range versions {
			later := i+1 < len(versions) && versions[i+1].ID == v.ID && !versions[i+1].since.After(at)
			if v.Active && !v.since.After(at) && !later {
				lists[n] = append(lists[n], ready[i])
			}
		}
	}
	return lists, nil
}

// version is a trigger as it was for a while.
type version struct {
	models.Rule
	since time.Time
}

// versionsOf are all versions of triggers between two times, the first of each
// being the one that it had or began with; triggers in the order in which they
// run, and the versions of one in that of time. A trigger without revisions has
// been as it is.
func versionsOf(tx *gorm.DB, account int64, from, to time.Time) ([]version, error) {
	var list []version
	err := postgres.Rows(tx, `SELECT r.id, r.title, r.active, r.conditions, r.actions, coalesce(v.created_at, r.created_at), v.snapshot
		FROM rules r LEFT JOIN trigger_revisions v ON v.account_id = r.account_id AND v.trigger_id = r.id AND v.created_at <= ?
			AND v.created_at >= coalesce((SELECT max(b.created_at) FROM trigger_revisions b
				WHERE b.account_id = r.account_id AND b.trigger_id = r.id AND b.created_at <= ?), '-infinity')
		WHERE r.account_id = ? AND r.kind = '`+models.RuleTrigger+`' AND r.created_at <= ?
		ORDER BY r.category_position, r.category_id, r.position, r.title, r.id, v.created_at, v.id`, []any{to, from, account, to}, func(row postgres.Scanned) error {
		v := version{Rule: models.Rule{Tenant: models.Tenant{AccountID: account}, Kind: models.RuleTrigger}}
		var then models.JSON
		if err := row.Scan(&v.ID, &v.Title, &v.Active, &v.Conditions, &v.Actions, &v.since, &then); err != nil {
			return err
		}
		if then != nil {
			kept := struct {
				Title      *string      `json:"title"`
				Active     *bool        `json:"active"`
				Conditions *models.JSON `json:"conditions"`
				Actions    *models.JSON `json:"actions"`
			}{&v.Title, &v.Active, &v.Conditions, &v.Actions}
			if err := json.Unmarshal(then, &kept); err != nil {
				return err
			}
		}
		list = append(list, v)
		return nil
	})
	return list, err
}
