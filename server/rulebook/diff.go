package rulebook

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/helpd/helpd/server/rules"
)

// Diff is what became another between two revisions of a trigger. Source is nil
// for the first one, of which everything is new.
type Diff struct {
	Source      *int64         `json:"source_id"`
	Target      int64          `json:"target_id"`
	Title       []Edit         `json:"title"`
	Description []Edit         `json:"description"`
	Active      []Edit         `json:"active"`
	Conditions  ConditionEdits `json:"conditions"`
	Actions     []PartEdits    `json:"actions"`
}

// Edit is a value that stayed (=), came (+) or went (-).
type Edit struct {
	Change  string `json:"change"`
	Content any    `json:"content"`
}

// ConditionEdits are those of both lists of conditions.
type ConditionEdits struct {
	All []PartEdits `json:"all"`
	Any []PartEdits `json:"any"`
}

// PartEdits are those of one condition or action.
type PartEdits struct {
	Field    []Edit `json:"field"`
	Operator []Edit `json:"operator,omitempty"` // of a condition
	Value    []Edit `json:"value"`
}

// part is a condition or an action.
type part struct {
	field    string
	operator *string
	value    json.RawMessage
}

func (p part) same(q part) bool {
	return p.field == q.field && reflect.DeepEqual(p.operator, q.operator) && bytes.Equal(p.value, q.value)
}

func difference(source *int64, was Snapshot, target int64, is Snapshot) Diff {
	old := source != nil
	return Diff{
		Source: source, Target: target,
		Title: edits(old, was.Title, is.Title), Active: edits(old, was.Active, is.Active),
		Description: edits(old, text(was.Description), text(is.Description)),
		Conditions: ConditionEdits{
			All: partEdits(conditionParts(was.Conditions.All), conditionParts(is.Conditions.All)),
			Any: partEdits(conditionParts(was.Conditions.Any), conditionParts(is.Conditions.Any)),
		},
		Actions: partEdits(actionParts(was.Actions), actionParts(is.Actions)),
	}
}

// text is a text that may be null, as JSON has it.
func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func conditionParts(list []rules.Condition) []part {
	out := make([]part, len(list))
	for n, c := range list {
		out[n] = part{c.Field, &c.Operator, c.Value}
	}
	return out
}

func actionParts(list []rules.Action) []part {
	out := make([]part, len(list))
	for n, a := range list {
		out[n] = part{field: a.Field, value: a.Value}
	}
	return out
}

// edits lead from one value to another; without an old one to the new one alone.
func edits(old bool, was, is any) []Edit {
	switch {
	case !old:
		return []Edit{{"+", is}}
	case reflect.DeepEqual(was, is):
		return []Edit{{"=", is}}
	}
	return []Edit{{"-", was}, {"+", is}}
}

// partEdits lead from one list to another. What both begin and end with stayed;
// between, a part became another if it stands at the same place and is about the
// same field, and went or came otherwise.
func partEdits(was, is []part) []PartEdits {
	head, tail := 0, 0
	for head < min(len(was), len(is)) && was[head].same(is[head]) {
		head++
	}
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail].same(is[len(is)-1-tail]) {
		tail++
	}
	out := make([]PartEdits, 0, max(len(was), len(is)))
	for _, p := range is[:head] {
		out = append(out, whole("=", p))
	}
	gone, come := was[head:len(was)-tail], is[head:len(is)-tail]
	for n := range max(len(gone), len(come)) {
		if n < len(gone) && n < len(come) && gone[n].field == come[n].field {
			out = append(out, became(gone[n], come[n]))
			continue
		}
		if n < len(gone) {
			out = append(out, whole("-", gone[n]))
		}
		if n < len(come) {
			out = append(out, whole("+", come[n]))
		}
	}
	for _, p := range is[len(is)-tail:] {
		out = append(out, whole("=", p))
	}
	return out
}

// whole is a part that stayed, came or went.
func whole(change string, p part) PartEdits {
	e := PartEdits{Field: []Edit{{change, p.field}}, Value: []Edit{{change, p.value}}}
	if p.operator != nil {
		e.Operator = []Edit{{change, *p.operator}}
	}
	return e
}

// became is a part about one field that became another.
func became(was, is part) PartEdits {
	e := PartEdits{Field: []Edit{{"=", is.field}}, Value: edits(true, was.value, is.value)}
	if is.operator != nil {
		e.Operator = edits(true, *was.operator, *is.operator)
	}
	return e
}
