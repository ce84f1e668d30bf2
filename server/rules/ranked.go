package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
)

// choice is a field of tickets with a few known values.
type choice struct {
	values []string // in their order, if they have one; "" for none
	read   func(*models.Ticket) string
	// where is SQL for one of a list of values.
	where func(list []string) string
}

func (f choice) compile(op string, c Condition) (test, error) {
	if op == "changed" || op == "not_changed" {
		return f.aspect(nil).test(op), nil
	}
	list, ok := texts(c.Value)
	if !ok || len(list) == 0 {
		return test{}, fmt.Errorf("needs a value")
	}
	for i, v := range list {
		list[i] = strings.ToLower(v)
		if !slices.Contains(f.values, list[i]) {
			return test{}, fmt.Errorf("cannot be %q (%s)", shown(v), strings.Join(f.values, ", "))
		}
	}
	rank := slices.Index(f.values, list[0])
	switch op {
	case "less_than":
		list, op = f.values[:rank], "is"
	case "greater_than":
		list, op = f.values[rank+1:], "is"
	}
	t := f.aspect(list).test(op)
	t.value = func(s *Subject) any { return f.read(s.After.Ticket) }
	return t, nil
}

func (f choice) aspect(list []string) aspect {
	return aspect{
		is:      func(_ *Subject, st State) bool { return slices.Contains(list, f.read(st.Ticket)) },
		set:     func(st State) bool { return f.read(st.Ticket) != "" },
		differs: func(a, b State) bool { return f.read(a.Ticket) != f.read(b.Ticket) },
		where: func(*query) string {
			if len(list) == 0 {
				return "false"
			}
			return f.where(list)
		},
	}
}

// oneOf is SQL for a nullable text column with one of the values.
func oneOf(column string) func(list []string) string {
	return func(list []string) string {
		where := column + " IN (" + literals(list) + ")"
		if slices.Contains(list, "") {
			where += " OR " + column + " IS NULL"
		}
		return where
	}
}

var (
	statusField = choice{
		values: []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved, models.StatusClosed},
		read:   func(t *models.Ticket) string { return t.Status }, where: oneOf("t.status"),
	}
	priorityField = choice{
		values: []string{"", "low", "normal", "high", "urgent"},
		read:   func(t *models.Ticket) string { return text(t.Priority) }, where: oneOf("t.priority"),
	}
	typeField = choice{
		values: []string{"", models.TypeQuestion, models.TypeIncident, models.TypeProblem, models.TypeTask},
		read:   func(t *models.Ticket) string { return text(t.Type) }, where: oneOf("t.type"),
	}
	// scoreField is the satisfaction rating. The contract calls an offered one
	// false and one that was not offered true.
	scoreField = choice{
		values: []string{"true", "false", "bad", "bad_with_comment", "good", "good_with_comment"},
		read:   score, where: oneOf(scoreSQL),
	}
)

// compileReason asks for the reason of a rating, which conditions name by its code.
func compileReason(env Env, op string, c Condition) (test, error) {
	ids := make(map[string]int64, len(env.Config.Reasons))
	for _, r := range env.Config.Reasons {
		ids[strconv.Itoa(r.ReasonCode)] = r.ID
	}
	given := func(s *Subject) int64 { return gjson.GetBytes(s.After.Ticket.Satisfaction, "reason_id").Int() }
	return compileOneOf(slices.Sorted(maps.Keys(ids)),
		func(s *Subject, code string) bool { return given(s) == ids[code] },
		func(code string) string {
			return fmt.Sprintf("coalesce((t.satisfaction->>'reason_id')::bigint, 0) = %d", ids[code])
		},
		func(s *Subject) any {
			for _, r := range env.Config.Reasons {
				if r.ID == given(s) {
					return r.ReasonCode
				}
			}
			return nil
		})(env, op, c)
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func score(t *models.Ticket) string {
	switch given := gjson.GetBytes(t.Satisfaction, "score").Str; given {
	case models.ScoreGood, models.ScoreBad:
		if gjson.GetBytes(t.Satisfaction, "comment").Str != "" {
			return given + "_with_comment"
		}
		return given
	case models.ScoreOffered:
		return "false"
	}
	return "true"
}

const scoreSQL = `CASE t.satisfaction->>'score'
	WHEN 'good' THEN CASE WHEN coalesce(t.satisfaction->>'comment', '') = '' THEN 'good' ELSE 'good_with_comment' END
	WHEN 'bad' THEN CASE WHEN coalesce(t.satisfaction->>'comment', '') = '' THEN 'bad' ELSE 'bad_with_comment' END
	WHEN 'offered' THEN 'false' ELSE 'true' END`
