package rules

import "slices"

// Rule is a compiled rule with actions.
type Rule struct {
	ID         int64
	Title      string
	Conditions *Matcher
	Actions    *Actions
}

// Run runs rules over a change of a ticket: in their order, each once at most;
// when one has changed the ticket, the cycle begins again at the top, for the
// rules before may hold now (contract rules.md §3). fire carries out the actions of a rule
// that holds and reports whether the ticket became another by it.
func Run(list []*Rule, s *Subject, fire func(*Rule) (changed bool, err error)) error {
	var fired []*Rule
	for i := 0; i < len(list); i++ {
		r := list[i]
		if slices.Contains(fired, r) || !r.Conditions.Match(s) {
			continue
		}
		fired = append(fired, r)
		changed, err := fire(r)
		if err != nil {
			return err
		}
		if changed {
			i = -1
		}
	}
	return nil
}
