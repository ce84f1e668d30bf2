package rulebook

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// MaxAgents is how many agents are offered for a condition, the first by name.
const MaxAgents = 1_000

// Definition is a field that conditions may ask about.
type Definition struct {
	rules.FieldInfo
	Choices []rules.Choice // nil: values are not chosen from a list
	OneOf   bool           // it may also stand in any
}

// ActionDefinition is something that rules may do.
type ActionDefinition struct {
	rules.ActionInfo
	Choices []rules.Choice // nil: values are not chosen from a list
}

// Type is how values are chosen: from a list; by autocomplete, where the list has
// only those that stand for somebody or nobody; or as date, tags or text.
func (d Definition) Type() string { return typeOf(d.FieldInfo, d.Choices) }

// Type is how values are chosen, as Definition.Type.
func (d ActionDefinition) Type() string { return typeOf(d.FieldInfo, d.Choices) }

func typeOf(f rules.FieldInfo, choices []rules.Choice) string {
	switch {
	case f.List == "user" || f.List == "organization":
		return "autocomplete"
	case choices != nil:
		return "list"
	case f.List == "tags":
		return "tags"
	case f.Name == "exact_created_at" || f.Custom != nil && f.Custom.Type == models.FieldDate:
		return "date"
	}
	return "text"
}

// Definitions are what a kind of rules may ask about and do.
type Definitions struct {
	Fields  []Definition
	Actions []ActionDefinition
}

// Define tells what a kind of rules may ask about and do, with the account's own
// fields and records: as many statements, however many there are.
func (s *Service) Define(ctx context.Context, by auth.Actor, use rules.Use) (Definitions, error) {
	out := Definitions{Fields: []Definition{}, Actions: []ActionDefinition{}}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return out, err
	}
	records, err := recordsOf(s.db.WithContext(ctx), by.AccountID)
	if err != nil {
		return out, err
	}
	env := rules.Env{Config: config}
	for _, f := range rules.Fields(use, env) {
		out.Fields = append(out.Fields, Definition{f, f.Choices(config, records), rules.OneOf(rules.Condition{Field: f.Name}, use, env)})
	}
	for _, a := range rules.ActionsOf(use, env) {
		out.Actions = append(out.Actions, ActionDefinition{a, a.Choices(config, records)})
	}
	return out, nil
}

// recordsOf are the records that conditions choose among, each kind by name.
func recordsOf(tx *gorm.DB, account int64) (r rules.Records, err error) {
	lists := map[string]*[]rules.Choice{"group": &r.Groups, "agent": &r.Agents, "schedule": &r.Schedules}
	for _, list := range lists {
		*list = []rules.Choice{}
	}
	err = postgres.Rows(tx, `SELECT 'group', id::text, name FROM groups WHERE account_id = ? AND NOT deleted
		UNION ALL SELECT 'schedule', id::text, name FROM schedules WHERE account_id = ?
		UNION ALL (SELECT 'agent', id::text, name FROM users WHERE account_id = ? AND role IN ('agent', 'admin') AND active AND NOT only_private_comments
			ORDER BY lower(name), id LIMIT ?)
		ORDER BY 1, 3, 2`, []any{account, account, account, MaxAgents}, func(row postgres.Scanned) error {
		var kind string
		var c rules.Choice
		if err := row.Scan(&kind, &c.Value, &c.Title); err != nil {
			return err
		}
		*lists[kind] = append(*lists[kind], c)
		return nil
	})
	return r, err
}
