package rulebook

import (
	"encoding/json"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// Compile makes stored rules ready to be asked, against the account's set-up.
// Which of the users and organizations that they name are left is read with one
// statement; see rules.Env.Known.
func Compile(tx *gorm.DB, account int64, config *fields.Config, use rules.Use, list []models.Rule) ([]*rules.Rule, error) {
	env := rules.Env{Config: config}
	conditions, actions := make([]rules.Conditions, len(list)), make([][]rules.Action, len(list))
	var refs []rules.Ref
	for i, r := range list {
		if err := json.Unmarshal(r.Conditions, &conditions[i]); err != nil {
			return nil, err
		}
		if r.Actions != nil {
			if err := json.Unmarshal(r.Actions, &actions[i]); err != nil {
				return nil, err
			}
		}
		refs = append(refs, rules.Compile(conditions[i], use, env).Refs()...)
		refs = append(refs, rules.CompileActions(actions[i], use, env).Refs()...)
	}
	var err error
	if env.Known, err = Known(tx, account, refs); err != nil {
		return nil, err
	}
	compiled := make([]*rules.Rule, len(list))
	for i, r := range list {
		compiled[i] = &rules.Rule{
			ID: r.ID, Title: r.Title, Conditions: rules.Compile(conditions[i], use, env), Actions: rules.CompileActions(actions[i], use, env),
		}
	}
	return compiled, nil
}

// Known tells which of the users and organizations that rules name the account
// has; those that were deleted it has not.
func Known(tx *gorm.DB, account int64, refs []rules.Ref) (func(kind string, id int64) bool, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	ids := map[string]models.IDs{rules.Users: {}, rules.Agents: {}, rules.Organizations: {}}
	for _, r := range refs {
		ids[r.Kind] = append(ids[r.Kind], r.ID)
	}
	known := map[rules.Ref]bool{}
	err := postgres.Rows(tx, `SELECT ?::text, id FROM users WHERE account_id = ? AND id = ANY(?) AND active
		UNION ALL SELECT ?::text, id FROM users WHERE account_id = ? AND id = ANY(?) AND active AND role <> ?
		UNION ALL SELECT ?::text, id FROM organizations WHERE account_id = ? AND id = ANY(?) AND deleted_at IS NULL`,
		[]any{
			rules.Users, account, ids[rules.Users], rules.Agents, account, ids[rules.Agents], models.RoleEndUser,
			rules.Organizations, account, ids[rules.Organizations],
		}, func(row postgres.Scanned) error {
			var r rules.Ref
			err := row.Scan(&r.Kind, &r.ID)
			known[r] = true
			return err
		})
	return func(kind string, id int64) bool { return known[rules.Ref{Kind: kind, ID: id}] }, err
}

// Missing fails with fault.Invalid, which says which of the users and
// organizations that rules name the account does not have.
func Missing(tx *gorm.DB, account int64, refs []rules.Ref) error {
	known, err := Known(tx, account, refs)
	if err != nil || known == nil {
		return err
	}
	var errs []error
	for _, r := range refs {
		if !known(r.Kind, r.ID) {
			errs = append(errs, fault.Base(fault.CodeInvalid, "%s: %s %d does not exist", r.At, r.Kind, r.ID))
		}
	}
	return fault.Join(errs...)
}

// Over is the change as one of a stored rule: what it leaves alone is as stored.
func (c Change) Over(r models.Rule) (Change, error) {
	if c.Conditions == nil {
		c.Conditions = &rules.Conditions{}
		if err := json.Unmarshal(r.Conditions, c.Conditions); err != nil {
			return c, err
		}
	}
	if c.Actions == nil {
		return c, json.Unmarshal(r.Actions, &c.Actions)
	}
	return c, nil
}
