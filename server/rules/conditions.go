package rules

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/server/fault"
)

// test is one condition, ready to be asked.
type test struct {
	holds func(*Subject) bool
	// where is the same as SQL, on tickets t and their ticket_metrics m. Nil:
	// there is none, since it asks about a change.
	where func(*query) string
	// measured: where asks about the metrics.
	measured bool
	// value is what the condition looks at, for people; nil shows none.
	value func(*Subject) any
	// refs are the records that it names and that Env.Known knows of.
	refs  []Ref
	needs Needs
	// moment is the time that the condition counts hours from; nil: it does not,
	// or whatever acts on the ticket moves it.
	moment    func(*Subject) *time.Time
	momentSQL string
	cost      int // of holds, in comparisons: those that cost least are asked first
}

// Ref is a user or an organization that a rule names.
type Ref struct {
	At   string // "conditions.all[0]" or "actions[2]"
	Kind string // Users, Agents or Organizations
	ID   int64
}

// errGone is the error of a condition on a record that the account does not have.
var errGone = errors.New("does not exist")

// Matcher is a rule's conditions, compiled. It is immutable and may be used by
// many at once.
type Matcher struct {
	all, any   []test
	order      []int // of all: the cheapest first
	conditions Conditions
	refs       []Ref
	needs      Needs
	dead       bool
}

// Check holds conditions against what a kind of rules may ask. It fails with
// fault.Invalid that names every condition that is wrong by its position.
func Check(c Conditions, use Use, env Env) ([]Ref, error) {
	m := &Matcher{}
	env.Known = nil // what is named is looked up by the caller, all at once
	errs := append(m.compile("conditions.all", c.All, &m.all, use, env), m.compile("conditions.any", c.Any, &m.any, use, env)...)
	return m.refs, fault.Join(errs...)
}

// Compile makes conditions ready. Those that cannot hold any more, because a
// record or a field that they name is gone, make the whole rule hold for no
// ticket; it stays readable.
func Compile(c Conditions, use Use, env Env) *Matcher {
	m := &Matcher{conditions: c}
	errs := append(m.compile("conditions.all", c.All, &m.all, use, env), m.compile("conditions.any", c.Any, &m.any, use, env)...)
	m.dead = len(errs) > 0 || slices.ContainsFunc(m.refs, func(r Ref) bool { return !env.known(r.Kind, r.ID) })
	m.order = make([]int, len(m.all))
	for i := range m.order {
		m.order[i] = i
	}
	slices.SortStableFunc(m.order, func(a, b int) int { return cmp.Compare(m.all[a].cost, m.all[b].cost) })
	return m
}

func (m *Matcher) compile(at string, list []Condition, into *[]test, use Use, env Env) []error {
	var errs []error
	for i, c := range list {
		where := fmt.Sprintf("%s[%d]", at, i)
		t, err := compile(c, use, env, at == "conditions.all")
		if err != nil {
			errs = append(errs, fault.Base(fault.CodeInvalid, "%s: %v", where, err))
			continue
		}
		m.needs = m.needs.With(t.needs)
		for _, r := range t.refs {
			r.At = where
			m.refs = append(m.refs, r)
		}
		*into = append(*into, t)
	}
	return errs
}

// shown is a name out of a request within an error: not all of it.
func shown(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

// compile fails with what is wrong with the field, or with the field as it is
// asked about.
func compile(c Condition, use Use, env Env, all bool) (test, error) {
	f, err := lookUp(c.Field, use, env)
	if err == nil && f.onlyAll && !all {
		err = errors.New("may stand in all only")
	}
	if err != nil {
		return test{}, fmt.Errorf("%s %w", shown(c.Field), err)
	}
	t, err := f.asked(c, use, env)
	if err != nil {
		return test{}, fmt.Errorf("%s %w", strings.TrimSpace(shown(c.Field)+" "+shown(c.Operator)), err)
	}
	t.needs = Needs{Requester: f.subject == "requester", Organization: f.subject == "organization"}
	return t, nil
}

// asked is a condition on the field.
func (f field) asked(c Condition, use Use, env Env) (test, error) {
	op := c.Operator
	if op == "" {
		op = f.omitted
	}
	if alias, ok := operatorAliases[op]; ok {
		op = alias
	}
	if !slices.Contains(f.operatorsFor(use), op) {
		if c.Operator == "" {
			return test{}, errors.New("needs an operator")
		}
		return test{}, fmt.Errorf("is no operator of this field (%s)", strings.Join(f.operatorsFor(use), ", "))
	}
	return f.compile(env, op, c)
}

// operatorAliases are other names of operators.
var operatorAliases = map[string]string{
	"changed_to": "value", "changed_from": "value_previous",
	"not_changed_to": "not_value", "not_changed_from": "not_value_previous",
}

// changes are the operators about what a change does to a field.
var changes = []string{"changed", "value", "value_previous", "not_changed", "not_value", "not_value_previous"}

// Match reports whether the conditions hold.
func (m *Matcher) Match(s *Subject) bool {
	if m.dead {
		return false
	}
	for _, i := range m.order {
		if !m.all[i].holds(s) {
			return false
		}
	}
	return len(m.any) == 0 || slices.ContainsFunc(m.any, func(t test) bool { return t.holds(s) })
}

// Failure is why conditions do not hold.
type Failure struct {
	At        string // "all[0]" the first that does not hold; "any[0]": none of any does
	Condition Condition
	Value     any // what the ticket had there
}

// Explain is Match that tells what failed: the first of all in their written
// order, or all of any. Nil: they hold. A rule on a record that is gone fails
// without a condition.
func (m *Matcher) Explain(s *Subject) []Failure {
	if m.dead {
		return []Failure{{At: "rule"}}
	}
	for i, t := range m.all {
		if !t.holds(s) {
			return []Failure{{At: fmt.Sprintf("all[%d]", i), Condition: m.conditions.All[i], Value: t.shows(s)}}
		}
	}
	var failed []Failure
	for i, t := range m.any {
		if t.holds(s) {
			return nil
		}
		failed = append(failed, Failure{At: fmt.Sprintf("any[%d]", i), Condition: m.conditions.Any[i], Value: t.shows(s)})
	}
	return failed
}

func (t test) shows(s *Subject) any {
	if t.value == nil {
		return nil
	}
	return t.value(s)
}

// Measures reports whether Where asks about ticket_metrics m, which need not be
// joined otherwise.
func (m *Matcher) Measures() bool {
	measured := func(t test) bool { return t.measured }
	return slices.ContainsFunc(m.all, measured) || slices.ContainsFunc(m.any, measured)
}

// Refs are the users and organizations that the conditions name.
func (m *Matcher) Refs() []Ref { return m.refs }

// Needs are the people that conditions ask about beside the ticket.
type Needs struct {
	Requester    bool // Subject.Requester beyond its ID
	Organization bool // Subject.Organization
}

// With is what either needs.
func (n Needs) With(other Needs) Needs {
	return Needs{n.Requester || other.Requester, n.Organization || other.Organization}
}

// Needs are the people that the conditions ask about.
func (m *Matcher) Needs() Needs { return m.needs }

// Moments are the times that the conditions count hours from, in microseconds
// since 1970 and 0 for none: as long as they stay, a rule that has acted on the
// ticket has done so.
func (m *Matcher) Moments(s *Subject) []int64 {
	moments := []int64{}
	for _, t := range m.all {
		if t.moment == nil {
			continue
		}
		var micros int64
		if at := t.moment(s); at != nil {
			micros = at.UnixMicro()
		}
		moments = append(moments, micros)
	}
	return moments
}

// MomentsSQL is Moments as SQL, a list of bigint. It has no placeholders.
func (m *Matcher) MomentsSQL() string {
	var parts []string
	for _, t := range m.all {
		if t.moment != nil {
			parts = append(parts, "coalesce((extract(epoch FROM "+t.momentSQL+") * 1000000)::bigint, 0)")
		}
	}
	return "ARRAY[" + strings.Join(parts, ", ") + "]::bigint[]"
}

// Dead reports whether a record or a field that the conditions name is gone.
func (m *Matcher) Dead() bool { return m.dead }
