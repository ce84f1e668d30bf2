package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
)

// customField is a custom field of the ticket, of its requester or of its
// organization.
type customField struct {
	*fields.Field
	key  string // of its value in values, and in expr
	of   func(*Subject, State) map[string]json.RawMessage
	expr string // the jsonb of the values
	// within puts a condition on expr into the rows that have it; nil: they are
	// the tickets themselves.
	within func(where string) string
}

// operatorsOfType are the operators of custom fields by type.
func operatorsOfType(kind string) []string {
	switch kind {
	case models.FieldCheckbox:
		return []string{"is", "is_not"}
	case models.FieldTagger, models.FieldDropdown:
		return []string{"is", "is_not", "includes", "not_includes", "present", "not_present"}
	case models.FieldMultiselect:
		return []string{"includes", "not_includes", "present", "not_present"}
	case models.FieldDate:
		return []string{"is", "is_not", "less_than", "less_than_equal", "greater_than", "greater_than_equal",
			"within_previous_n_days", "within_next_n_days", "present", "not_present"}
	case models.FieldInteger, models.FieldDecimal:
		return []string{"is", "is_not", "less_than", "less_than_equal", "greater_than", "greater_than_equal", "present", "not_present"}
	case models.FieldLookup:
		return []string{"is", "is_not", "present", "not_present"}
	}
	return []string{"is", "is_not", "includes_string", "not_includes_string", "present", "not_present"}
}

func (f customField) value(s *Subject, st State) json.RawMessage { return f.of(s, st)[f.key] }

func (f customField) compile(env Env, op string, c Condition) (test, error) {
	a := aspect{
		set:     func(st State) bool { return len(st.Values[f.key]) > 0 },
		differs: func(a, b State) bool { return string(a.Values[f.key]) != string(b.Values[f.key]) },
	}
	list, ok := texts(c.Value)
	if !ok {
		return test{}, errors.New("needs a value")
	}
	var err error
	switch op {
	case "changed", "not_changed":
	case "present", "not_present":
		a.is = func(s *Subject, st State) bool { return len(f.value(s, st)) > 0 }
		a.where = func(q *query) string { return f.rows("jsonb_exists(" + f.expr + ", '" + f.key + "')") }
		op = map[string]string{"present": "is", "not_present": "is_not"}[op]
	default:
		if len(list) == 0 {
			return test{}, errors.New("needs a value")
		}
		a.is, a.where, err = f.compare(env, op, list)
		op = contraries[op]
	}
	if err != nil {
		return test{}, err
	}
	t := a.test(op)
	t.cost = 3
	t.value = func(s *Subject) any { return f.value(s, s.After) }
	return t, nil
}

// contraries tell which operators are the contrary of what compare makes.
var contraries = map[string]string{
	"is": "is", "is_not": "is_not", "includes": "is", "not_includes": "is_not", "includes_string": "is", "not_includes_string": "is_not",
	"less_than": "is", "less_than_equal": "is", "greater_than": "is", "greater_than_equal": "is",
	"within_previous_n_days": "is", "within_next_n_days": "is",
	"value": "value", "not_value": "not_value", "value_previous": "value_previous", "not_value_previous": "not_value_previous",
}

type (
	holdsIn = func(*Subject, State) bool
	asSQL   = func(*query) string
)

// compare makes what an operator, or the contrary of it, asks of the value.
func (f customField) compare(env Env, op string, list []string) (holdsIn, asSQL, error) {
	switch f.Type {
	case models.FieldCheckbox:
		return f.checkbox(list)
	case models.FieldTagger, models.FieldDropdown, models.FieldMultiselect:
		return f.options(list)
	case models.FieldDate:
		return f.date(env, op, list[0])
	case models.FieldInteger, models.FieldDecimal:
		return f.number(op, list[0])
	case models.FieldLookup:
		n, ok := id(list[0])
		if !ok && list[0] != "" {
			return nil, nil, errors.New("needs the id of a record")
		}
		if !ok {
			return f.empty()
		}
		return f.exactly(strconv.FormatInt(n, 10))
	}
	return f.text(op, list[0])
}

// rows is a condition on the values, which are the tickets' own or those of
// other rows.
func (f customField) rows(where string) string {
	if f.within == nil {
		return where
	}
	return f.within(where)
}

func (f customField) empty() (holdsIn, asSQL, error) {
	return func(s *Subject, st State) bool { return len(f.value(s, st)) == 0 },
		func(*query) string { return not(f.rows("jsonb_exists(" + f.expr + ", '" + f.key + "')")) }, nil
}

// exactly is a value kept as this text.
func (f customField) exactly(want string) (holdsIn, asSQL, error) {
	kept, _ := json.Marshal(want)
	return func(s *Subject, st State) bool { return plain(f.value(s, st)) == want },
		func(q *query) string { return f.rows(f.expr + " @> " + q.arg(f.document(kept)) + "::jsonb") }, nil
}

// document is values with this one alone.
func (f customField) document(value []byte) string { return `{"` + f.key + `":` + string(value) + `}` }

// checkbox takes true and false; one that was never touched is not checked.
func (f customField) checkbox(list []string) (holdsIn, asSQL, error) {
	want, ok := map[string]bool{"true": true, "1": true, "yes": true, "false": false, "0": false, "no": false, "": false}[strings.ToLower(list[0])]
	if !ok || len(list) > 1 {
		return nil, nil, errors.New("needs true or false")
	}
	return func(s *Subject, st State) bool { return (string(f.value(s, st)) == "true") == want },
		func(q *query) string {
			checked := f.rows(f.expr + " @> " + q.arg(f.document([]byte("true"))) + "::jsonb")
			if want {
				return checked
			}
			return not(checked)
		}, nil
}

// options takes the values of options; "" is none of them.
func (f customField) options(list []string) (holdsIn, asSQL, error) {
	if len(list) == 1 && f.Type == models.FieldMultiselect {
		list = strings.Fields(list[0])
	}
	none := slices.Contains(list, "")
	for _, v := range list {
		if v != "" && !slices.ContainsFunc(f.Options, func(o models.FieldOption) bool { return o.Value == v }) {
			return nil, nil, fmt.Errorf("%q is none of the options", shown(v))
		}
	}
	if len(list) == 0 {
		return nil, nil, errors.New("needs an option")
	}
	return func(s *Subject, st State) bool {
			has := chosen(f.value(s, st))
			return len(has) == 0 && none || slices.ContainsFunc(has, func(v string) bool { return slices.Contains(list, v) })
		}, func(q *query) string {
			var parts []string
			for _, v := range list {
				kept, _ := json.Marshal(v)
				if f.Type == models.FieldMultiselect {
					kept = slices.Concat([]byte("["), kept, []byte("]"))
				}
				if v == "" {
					parts = append(parts, not(f.rows("jsonb_exists("+f.expr+", '"+f.key+"')")))
				} else {
					parts = append(parts, f.rows(f.expr+" @> "+q.arg(f.document(kept))+"::jsonb"))
				}
			}
			return strings.Join(parts, " OR ")
		}, nil
}

// date compares days, which are kept as 2026-12-24; n days are counted from the
// day that it is in the account's zone, which is one of them.
func (f customField) date(env Env, op, value string) (holdsIn, asSQL, error) {
	if value == "" {
		return f.empty()
	}
	var bounds func(now time.Time) (first, last string)
	if strings.HasPrefix(op, "within_") {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxHours {
			return nil, nil, errors.New("needs a number of days")
		}
		bounds = func(now time.Time) (string, string) {
			today := env.today(now)
			if op == "within_previous_n_days" {
				return today.AddDate(0, 0, -n).Format(time.DateOnly), today.Format(time.DateOnly)
			}
			return today.Format(time.DateOnly), today.AddDate(0, 0, n).Format(time.DateOnly)
		}
	} else {
		first, last, err := days(op, value)
		if err != nil {
			return nil, nil, err
		}
		bounds = func(time.Time) (string, string) { return first, last }
	}
	expr := f.expr + "->>'" + f.key + "'"
	return func(s *Subject, st State) bool {
			day := plain(f.value(s, st))
			first, last := bounds(s.Now)
			return day != "" && day >= first && day <= last
		}, func(q *query) string {
			first, last := bounds(q.Now)
			return f.rows(expr + " >= " + q.arg(first) + " AND " + expr + " <= " + q.arg(last))
		}, nil
}

// days are the first and the last day that a comparison with a day means.
func days(op, value string) (first, last string, err error) {
	if len(value) > len(time.DateOnly) { // with a time
		value = value[:len(time.DateOnly)]
	}
	day, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return "", "", errors.New("needs a date such as 2026-12-24")
	}
	first, last = "0000-01-01", "9999-12-31"
	switch op {
	case "less_than":
		last = day.AddDate(0, 0, -1).Format(time.DateOnly)
	case "less_than_equal":
		last = value
	case "greater_than":
		first = day.AddDate(0, 0, 1).Format(time.DateOnly)
	case "greater_than_equal":
		first = value
	default:
		first, last = value, value
	}
	return first, last, nil
}

// number compares numbers whatever way they are written: 1.10 is 1.1.
func (f customField) number(op, value string) (holdsIn, asSQL, error) {
	if value == "" {
		return f.empty()
	}
	want, ok := new(big.Rat).SetString(strings.TrimSpace(value))
	if !ok || strings.ContainsAny(value, "/eExXpP_") || len(value) > 64 {
		return nil, nil, errors.New("needs a number")
	}
	meets := func(sign int) bool {
		switch op {
		case "less_than":
			return sign < 0
		case "less_than_equal":
			return sign <= 0
		case "greater_than":
			return sign > 0
		case "greater_than_equal":
			return sign >= 0
		}
		return sign == 0
	}
	sign, ok := map[string]string{"less_than": "<", "less_than_equal": "<=", "greater_than": ">", "greater_than_equal": ">="}[op]
	if !ok {
		sign = "="
	}
	return func(s *Subject, st State) bool {
			has, ok := new(big.Rat).SetString(plain(f.value(s, st)))
			return ok && meets(has.Cmp(want))
		}, func(q *query) string {
			return f.rows("(" + f.expr + "->>'" + f.key + "')::numeric " + sign + " " + q.arg(strings.TrimSpace(value)) + "::numeric")
		}, nil
}

// text compares texts, folded: as a whole, or with a part of them.
func (f customField) text(op, value string) (holdsIn, asSQL, error) {
	want := Fold(value)
	if want == "" {
		if strings.HasSuffix(op, "_string") {
			return nil, nil, errors.New("needs a text")
		}
		return f.empty()
	}
	expr := foldedSQL(f.expr + "->>'" + f.key + "'")
	if strings.HasSuffix(op, "_string") {
		return func(s *Subject, st State) bool { return strings.Contains(Fold(plain(f.value(s, st))), want) },
			func(q *query) string { return f.rows("position(" + q.arg(want) + " IN " + expr + ") > 0") }, nil
	}
	return func(s *Subject, st State) bool { return Fold(plain(f.value(s, st))) == want },
		func(q *query) string { return f.rows(expr + " = " + q.arg(want)) }, nil
}
