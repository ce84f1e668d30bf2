package rules_test

import (
	"encoding/json"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/rules"
)

// Whatever is offered for a condition is taken.
func TestChoicesAreTaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1)
	env := rules.Env{Config: d.config}
	groups := []rules.Choice{{Value: string(models.ToJSON(d.groups[0])), Title: "G"}}
	schedules := []rules.Choice{{Value: string(models.ToJSON(d.config.Schedules[0].ID)), Title: "S"}}
	offered, lists := 0, map[string]bool{}
	for _, use := range []rules.Use{rules.Triggers, rules.Automations, rules.Views, rules.SLAPolicies} {
		for _, f := range rules.Fields(use, env) {
			choices := f.Choices(d.config, rules.Records{Groups: groups, Agents: []rules.Choice{{Value: "7", Title: "A"}}, Schedules: schedules})
			if choices != nil {
				lists[f.List] = true
			}
			for _, op := range f.Operators {
				if !rules.NeedsValue(op) {
					continue
				}
				for _, c := range choices {
					offered++
					if c.Title == "" {
						t.Errorf("%s %s %q has no title", f.Name, op, c.Value)
					}
					condition := rules.Condition{Field: f.Name, Operator: op, Value: json.RawMessage(models.ToJSON(c.Value))}
					if _, err := rules.Check(rules.Conditions{All: []rules.Condition{condition}}, use, env); err != nil {
						t.Errorf("%s is offered and refused: %v", c.Value, err)
					}
				}
			}
		}
	}
	// Fields that are chosen from a list, and not from what has none.
	for _, list := range []string{"status", "custom_status", "form", "type", "type_id", "priority", "group", "agent", "user", "organization", "brand", "via", "score", "reason",
		"privacy", "update_type", "comment", "attachment", "role", "locale", "bool", "schedule", "field"} {
		if !lists[list] {
			t.Errorf("nothing is offered for lists of %s", list)
		}
	}
	if offered < 500 {
		t.Errorf("%d values are offered", offered)
	}
}

func TestOperatorTitles(t *testing.T) {
	t.Parallel()
	for op, want := range map[string]string{
		"is": "Is", "is_not": "Is not", "less_than_business_hours": "Less than (business hours)", "value_previous": "Changed from",
		"not_includes": "Contains none of the following",
	} {
		if got := rules.OperatorTitle(op); got != want {
			t.Errorf("%s is %s, want %s", op, got, want)
		}
	}
	if rules.NeedsValue("changed") || !rules.NeedsValue("value") {
		t.Error("operators need other values")
	}
}
