package views

import (
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/tickets"
)

// key is what tickets are sorted by for a column of a view. What a ticket has
// nothing of comes before all else, as in the original.
type key struct {
	expr     string // SQL, never null
	kind     page.Kind
	join     string // the table that expr is of, if it is none of the ticket's
	measured bool   // expr is of the metrics
	// apart, if not nil, tells tickets apart whose keys are equal though they have
	// something else there: agents of one name. Without, groups of them would run
	// into each other.
	apart *page.Column
}

// keys are those of the system's columns.
var keys = map[string]key{
	"nice_id":            {expr: "t.id", kind: page.Int},
	"created":            {expr: "t.created_at", kind: page.Time},
	"updated":            {expr: "t.updated_at", kind: page.Time},
	"due_date":           {expr: "coalesce(t.due_at, " + never + ")", kind: page.Time},
	"solved":             {expr: "coalesce(t.solved_at, " + never + ")", kind: page.Time},
	"assigned":           {expr: "coalesce(m.assigned_at, " + never + ")", kind: page.Time, measured: true},
	"updated_assignee":   {expr: "coalesce(m.assignee_updated_at, " + never + ")", kind: page.Time, measured: true},
	"updated_requester":  {expr: "coalesce(m.requester_updated_at, " + never + ")", kind: page.Time, measured: true},
	"status":             ranked("t.status", models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved, models.StatusClosed),
	"priority":           ranked("t.priority", "low", "normal", "high", "urgent"),
	"type":               ranked("t.type", models.TypeQuestion, models.TypeIncident, models.TypeProblem, models.TypeTask),
	"satisfaction_score": ranked("t.satisfaction->>'score'", models.ScoreOffered, models.ScoreBad, models.ScoreGood),
	"requester":          named("users", "requester_id", "lower(%.name)"),
	"assignee":           named("users", "assignee_id", "lower(%.name)"),
	"group":              named("groups", "group_id", "lower(%.name)"),
	"organization":       named("organizations", "organization_id", "lower(%.name)"),
	"brand":              named("brands", "brand_id", "lower(%.name)"),
	"ticket_form":        named("ticket_forms", "ticket_form_id", "lower(%.name)"),
	"locale_id": {expr: "requester.locale", kind: page.Text,
		join: " JOIN users requester ON requester.account_id = t.account_id AND requester.id = t.requester_id"},
	"updated_by_type": {expr: "(" + tickets.UpdatedByEndUser + ")::int::bigint", kind: page.Int},
}

// never stands for no time.
const never = "'0001-01-01 00:00:00+00'::timestamptz"

// ranked is by the place of a value in a list.
func ranked(expr string, values ...string) key {
	var b strings.Builder
	b.WriteString("CASE " + expr)
	for i, v := range values {
		b.WriteString(" WHEN '" + v + "' THEN " + strconv.Itoa(i+1))
	}
	b.WriteString(" ELSE 0 END")
	return key{expr: "(" + b.String() + ")::bigint", kind: page.Int}
}

// named is by a text of the record that a ticket refers to; % stands for it.
func named(table, column, expr string) key {
	as := "by_" + column
	return key{
		expr: "coalesce(" + strings.ReplaceAll(expr, "%", as) + ", '')", kind: page.Text, apart: &page.Column{Expr: "coalesce(t." + column + ", 0)", Kind: page.Int},
		join: " LEFT JOIN " + table + " " + as + " ON " + as + ".account_id = t.account_id AND " + as + ".id = t." + column,
	}
}

// keyOf is the key of a column, if there are such columns and they have one.
func keyOf(column string, config *fields.Config) (key, bool) {
	if k, ok := keys[column]; ok {
		return k, true
	}
	id, err := strconv.ParseInt(column, 10, 64)
	if err != nil {
		return key{}, false
	}
	f, ok := config.Field(id)
	if !ok || !f.Custom() {
		return key{}, false
	}
	value := "t.custom_fields->>'" + strconv.FormatInt(f.ID, 10) + "'"
	switch f.Type {
	case models.FieldCheckbox:
		return key{expr: "coalesce(" + value + ", '')", kind: page.Text}, true
	case models.FieldInteger, models.FieldDecimal:
		return key{expr: "coalesce((" + value + ")::numeric, '-infinity')", kind: page.Number}, true
	}
	return key{
		expr: "coalesce(lower(left(" + value + ", 150)), '')", kind: page.Text,
		apart: &page.Column{Expr: "coalesce(left(" + value + ", 150), '')", Kind: page.Text},
	}, true
}

// arrange puts the tickets of a selection in the order of an output: by groups, in
// each of them by what it is sorted by, and by their numbers at last.
func arrange(s *tickets.Selection, o rulebook.Output, config *fields.Config) {
	if o.GroupBy != nil {
		sortBy(s, *o.GroupBy, o.GroupOrder == "desc", true, config)
	}
	if o.SortBy != nil && (o.GroupBy == nil || *o.SortBy != *o.GroupBy) {
		sortBy(s, *o.SortBy, o.SortOrder == "desc", false, config)
	}
	if last := len(s.Order.Columns) - 1; last < 0 || s.Order.Columns[last].Expr != keys["nice_id"].expr {
		sortBy(s, "nice_id", o.SortOrder == "desc", false, config)
	}
}

// sortBy adds a column to the order of a selection, unless it is a field that is
// gone.
func sortBy(s *tickets.Selection, column string, desc, grouping bool, config *fields.Config) {
	k, ok := keyOf(column, config)
	if !ok {
		return
	}
	if s.Order.Name != "" {
		s.Order.Name += ","
	}
	if desc {
		s.Order.Name += "-"
	}
	s.Order.Name += column
	s.Order.Columns = append(s.Order.Columns, page.Column{Expr: k.expr, Kind: k.kind, Desc: desc})
	if grouping && k.apart != nil {
		s.Order.Columns = append(s.Order.Columns, page.Column{Expr: k.apart.Expr, Kind: k.apart.Kind, Desc: desc})
	}
	s.Measured = s.Measured || k.measured
	if !strings.Contains(s.Joins, k.join) {
		s.Joins += k.join
	}
}
