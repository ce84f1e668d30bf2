package rules

// aspect is what the operators is, is_not and those about changes ask of a
// field, for the values of one condition.
type aspect struct {
	// is reports whether a state of the ticket has one of the values.
	is func(*Subject, State) bool
	// set reports whether a state has any value, and differs whether two states
	// have different ones. Nil: the field cannot be asked about changes.
	set     func(State) bool
	differs func(a, b State) bool
	where   func(*query) string // of is; null counts as false
}

// test makes the test of one operator. On a create, everything that is set has
// changed from nothing (contract rules.md §1.4).
func (a aspect) test(op string) test {
	now := func(s *Subject) bool { return a.is(s, s.After) }
	changed := func(s *Subject) bool {
		if s.created() {
			return a.set(s.After)
		}
		return a.differs(s.Before, s.After)
	}
	to := func(s *Subject) bool {
		return a.is(s, s.After) && changed(s) && (s.created() || !a.is(s, s.Before))
	}
	from := func(s *Subject) bool { return !s.created() && a.is(s, s.Before) && !a.is(s, s.After) }
	switch op {
	case "is_not", "not_includes":
		return test{holds: negated(now), where: func(q *query) string { return not(a.where(q)) }}
	case "changed":
		return test{holds: changed, cost: 1}
	case "not_changed":
		return test{holds: negated(changed), cost: 1}
	case "value":
		return test{holds: to, cost: 1}
	case "not_value":
		return test{holds: negated(to), cost: 1}
	case "value_previous":
		return test{holds: from, cost: 1}
	case "not_value_previous":
		return test{holds: negated(from), cost: 1}
	}
	return test{holds: now, where: a.where}
}

func negated(f func(*Subject) bool) func(*Subject) bool {
	return func(s *Subject) bool { return !f(s) }
}

// flag is a field that is yes or no by itself: is and is_not ask about it.
func flag(op string, holds func(*Subject) bool, where func(*query) string) test {
	a := aspect{is: func(s *Subject, _ State) bool { return holds(s) }, where: where}
	return a.test(op)
}
