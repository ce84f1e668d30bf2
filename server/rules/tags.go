package rules

import (
	"errors"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
)

// compileTags asks whether a ticket has any of some tags.
func compileTags(_ Env, op string, c Condition) (test, error) {
	list, ok := texts(c.Value)
	if !ok {
		return test{}, errors.New("needs tags with spaces between")
	}
	tags := models.Strings(strings.Fields(strings.ToLower(strings.Join(list, " "))))
	if len(tags) == 0 {
		return test{}, errors.New("needs at least one tag")
	}
	t := aspect{
		is: func(_ *Subject, st State) bool {
			return slices.ContainsFunc(st.Ticket.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
		},
		where: func(q *query) string { return "t.tags && " + q.arg(tags) + "::text[]" },
	}.test(op)
	t.cost, t.value = 2, func(s *Subject) any { return []string(s.After.Ticket.Tags) }
	return t, nil
}
