package rules

import (
	"encoding/json"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

func ticket(status string, priority *string) State {
	return State{Ticket: &models.Ticket{Status: status, Priority: priority}}
}

func TestOperatorsAboutChanges(t *testing.T) {
	t.Parallel()
	env := Env{Config: &fields.Config{}}
	created := &Subject{After: ticket("open", nil)}
	solved := &Subject{Before: ticket("open", nil), After: ticket("solved", new("high"))}
	still := &Subject{Before: ticket("solved", new("high")), After: ticket("solved", new("high"))}
	for _, tc := range []struct {
		field, operator, value string
		s                      *Subject
		want                   bool
	}{
		{"status", "changed", `null`, created, true},
		{"status", "value", `"open"`, created, true},
		{"status", "value", `"solved"`, created, false},
		{"status", "value_previous", `"open"`, created, false},
		{"status", "not_value_previous", `"solved"`, created, true},
		{"priority", "changed", `null`, created, false},
		{"priority", "not_changed", `null`, created, true},
		{"priority", "is", `""`, created, true},
		{"status", "changed", `null`, solved, true},
		{"status", "value", `"solved"`, solved, true},
		{"status", "changed_to", `"solved"`, solved, true},
		{"status", "value_previous", `"open"`, solved, true},
		{"status", "changed_from", `"open"`, solved, true},
		{"status", "not_value", `"solved"`, solved, false},
		{"priority", "changed", `null`, solved, true},
		{"priority", "value", `"high"`, solved, true},
		{"priority", "value_previous", `""`, solved, true},
		{"status", "changed", `null`, still, false},
		{"status", "value", `"solved"`, still, false},
		{"status", "value_previous", `"solved"`, still, false},
		{"status", "not_changed", `null`, still, true},
		{"status", "less_than", `"solved"`, still, false},
		{"status", "greater_than", `"pending"`, still, true},
		{"update_type", "", `"Create"`, created, true},
		{"update_type", "is", `"Change"`, created, false},
		{"comment_is_public", "is", `true`, still, false},
		{"comment_is_public", "is_not", `"not_relevant"`, still, true},
	} {
		c := Conditions{All: []Condition{{Field: tc.field, Operator: tc.operator, Value: json.RawMessage(tc.value)}}}
		if _, err := Check(c, Triggers, env); err != nil {
			t.Errorf("%+v: %v", tc, err)
			continue
		}
		if got := Compile(c, Triggers, env).Match(tc.s); got != tc.want {
			t.Errorf("%s %s %s: %v", tc.field, tc.operator, tc.value, got)
		}
	}
}

func TestCheckNamesConditionsByTheirPosition(t *testing.T) {
	t.Parallel()
	env := Env{Config: &fields.Config{}}
	for _, tc := range []struct{ field, operator, value, says string }{
		{"colour", "is", `"red"`, "conditions.any[1]: colour is not a field that conditions know"},
		{"weather", "", `"fine"`, "conditions.any[1]: weather is not a field that conditions know"},
		{"status", "includes", `"open"`, "conditions.any[1]: status includes is no operator of this field (is, is_not, less_than, greater_than)"},
		{"status", "is", `"opened"`, `conditions.any[1]: status is cannot be "opened" (new, open, pending, hold, solved, closed)`},
		{"status", "is", `{}`, "conditions.any[1]: status is needs a value"},
		{"group_id", "is", `"7"`, "conditions.any[1]: group_id is 7 does not exist"},
		{"group_id", "", `"7"`, "conditions.any[1]: group_id needs an operator"},
		{"custom_fields_7", "is", `"x"`, "conditions.any[1]: custom_fields_7 names a field that does not exist"},
		{"SOLVED", "is", `"1"`, "conditions.any[1]: SOLVED may stand in all only"},
		{"current_tags", "includes", `" "`, "conditions.any[1]: current_tags includes needs at least one tag"},
	} {
		c := Conditions{Any: []Condition{{Field: "status", Operator: "is", Value: json.RawMessage(`"open"`)}, {tc.field, tc.operator, json.RawMessage(tc.value)}}}
		_, err := Check(c, Automations, env)
		f := fault.Of(err)
		if f == nil || len(f.Details["base"]) != 1 || f.Details["base"][0].Description != tc.says {
			t.Errorf("%s: %v, want %s", tc.field, err, tc.says)
		}
		if m := Compile(c, Automations, env); !m.Dead() || m.Match(&Subject{After: ticket("open", nil)}) {
			t.Errorf("%s: a rule that is wrong holds", tc.field)
		}
	}
}

func TestRunBeginsAgainAfterAChange(t *testing.T) {
	t.Parallel()
	env := Env{Config: &fields.Config{}}
	rule := func(id int64, field, operator, value string) *Rule {
		c := Conditions{All: []Condition{{field, operator, json.RawMessage(value)}}}
		return &Rule{ID: id, Conditions: Compile(c, Triggers, env)}
	}
	s := &Subject{Before: ticket("new", nil), After: ticket("open", nil)}
	var fired []int64
	err := Run([]*Rule{rule(1, "priority", "is", `"high"`), rule(2, "status", "is", `"open"`), rule(3, "status", "value", `"open"`)}, s, func(r *Rule) (bool, error) {
		fired = append(fired, r.ID)
		if r.ID == 2 {
			s.After.Ticket.Priority = new("high")
			return true, nil
		}
		return false, nil
	})
	if err != nil || len(fired) != 3 || fired[0] != 2 || fired[1] != 1 || fired[2] != 3 {
		t.Errorf("fired %v, %v; want 2 1 3", fired, err)
	}
}
