package rules

import (
	"strings"
	"time"

	"github.com/helpd/helpd/server/timezone"
)

// Search is what conditions need to become SQL, beside the set-up.
type Search struct {
	Env
	Now    time.Time
	Viewer int64 // current_user; 0: nobody
}

// query collects the arguments of SQL that is being made.
type query struct {
	Search
	args []any
}

// arg is a placeholder of the value.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "?"
}

// Where are the conditions as SQL over tickets t and, where the matcher Measures,
// their ticket_metrics m: one that is never null, with the arguments of its
// placeholders. It names neither the account nor who may see what.
func (m *Matcher) Where(s Search) (string, []any) {
	if m.dead {
		return "false", nil
	}
	q := &query{Search: s}
	var parts []string
	for _, t := range m.all {
		parts = append(parts, "("+t.where(q)+")")
	}
	if len(m.any) > 0 {
		var alternatives []string
		for _, t := range m.any {
			alternatives = append(alternatives, "("+t.where(q)+")")
		}
		parts = append(parts, "("+strings.Join(alternatives, " OR ")+")")
	}
	if len(parts) == 0 {
		return "true", nil
	}
	return strings.Join(parts, " AND "), q.args
}

// today is the date in the account's zone.
func (e Env) today(now time.Time) time.Time {
	y, m, d := now.In(timezone.Load(e.Config.Account.TimeZone)).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// not is the contrary of SQL that may be null, which counts as false.
func not(where string) string { return "(" + where + ") IS NOT TRUE" }

// literals are texts of our own in SQL. They are no arguments: only so does the
// planner see that a partial index serves.
func literals(list []string) string { return "'" + strings.Join(list, "', '") + "'" }
