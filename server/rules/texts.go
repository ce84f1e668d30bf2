package rules

import (
	"errors"
	"slices"
	"strings"
)

// textField is a text that is searched for words.
type textField struct {
	name string // what folded texts are remembered by
	read func(*Subject) string
	expr string // the same in SQL; empty: it is of a change
}

// compile takes words, of which one must be there, or with is a text that must
// stand there as it is, but for case, width and white space.
func (f textField) compile(_ Env, op string, c Condition) (test, error) {
	value, err := one(c.Value)
	if err != nil {
		return test{}, err
	}
	whole := op == "is" || op == "is_not"
	sought, words := Fold(value), phrases(value)
	if sought == "" || len(words) == 0 && !whole {
		return test{}, errors.New("needs a word")
	}
	t := aspect{
		is: func(s *Subject, _ State) bool {
			in := s.fold(f.name, f.read(s))
			if whole {
				return strings.Contains(in, sought)
			}
			return slices.ContainsFunc(words, func(w phrase) bool { return w.in(in) })
		},
		where: func(q *query) string {
			if whole {
				return "position(" + q.arg(sought) + " IN " + foldedSQL(f.expr) + ") > 0"
			}
			patterns := make([]string, len(words))
			for i, w := range words {
				patterns[i] = w.pattern()
			}
			return foldedSQL(f.expr) + " ~ " + q.arg(strings.Join(patterns, "|"))
		},
	}.test(op)
	t.cost, t.value = 10, func(s *Subject) any { return f.read(s) }
	return t, nil
}

var (
	subjectWords     = textField{name: "subject", read: func(s *Subject) string { return text(s.After.Ticket.Subject) }}
	descriptionWords = textField{
		name: "description", read: func(s *Subject) string { return text(s.After.Ticket.Subject) + "\n" + s.After.Ticket.Description },
		expr: "coalesce(t.subject, '') || chr(10) || t.description",
	}
	// commentWords is the comment of the change and, as the first comment comes
	// with a subject, that.
	commentWords = textField{name: "comment", read: func(s *Subject) string {
		switch {
		case s.Comment == nil:
			return ""
		case s.created():
			return text(s.After.Ticket.Subject) + "\n" + s.Comment.Text
		}
		return s.Comment.Text
	}}
)
