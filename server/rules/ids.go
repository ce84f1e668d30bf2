package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
)

// idField is a field of tickets that holds a record's id.
type idField struct {
	column  string // of tickets
	read    func(*models.Ticket) *int64
	record  string                       // Users, Organizations, or "" of those in the set-up
	exists  func(env Env, id int64) bool // of those in the set-up
	special []string                     // values that stand for somebody of the ticket or of the moment
}

// compile takes ids, "" for none, and the field's special values.
func (f idField) compile(env Env, op string, c Condition) (test, error) {
	if op == "changed" || op == "not_changed" {
		return f.aspect(nil, nil).test(op), nil
	}
	list, ok := texts(c.Value)
	if !ok || len(list) == 0 {
		return test{}, fmt.Errorf("needs an id")
	}
	var ids []int64
	var special []string
	var refs []Ref
	for _, text := range list {
		n, ok := id(text)
		switch {
		case text == "":
			ids = append(ids, 0)
		case slices.Contains(f.special, text):
			special = append(special, text)
		case !ok:
			return test{}, fmt.Errorf("cannot be %q", shown(text))
		case f.record != "":
			ids, refs = append(ids, n), append(refs, Ref{Kind: f.record, ID: n})
		case !f.exists(env, n):
			return test{}, fmt.Errorf("%d %w", n, errGone)
		default:
			ids = append(ids, n)
		}
	}
	t := f.aspect(ids, special).test(op)
	t.refs, t.value = refs, func(s *Subject) any { return f.read(s.After.Ticket) }
	return t, nil
}

func (f idField) aspect(ids []int64, special []string) aspect {
	of := func(st State) int64 {
		if p := f.read(st.Ticket); p != nil {
			return *p
		}
		return 0
	}
	return aspect{
		is: func(s *Subject, st State) bool {
			has := of(st)
			return slices.Contains(ids, has) || has != 0 && slices.ContainsFunc(special, func(name string) bool { return has == somebody(name, s.By.ID, st.Ticket) })
		},
		set:     func(st State) bool { return of(st) != 0 },
		differs: func(a, b State) bool { return of(a) != of(b) },
		where: func(q *query) string {
			var parts []string
			for _, n := range ids {
				if n == 0 {
					parts = append(parts, f.column+" IS NULL")
				} else {
					parts = append(parts, f.column+" = "+q.arg(n))
				}
			}
			for _, name := range special {
				parts = append(parts, f.column+" = "+somebodySQL(name, q))
			}
			return strings.Join(parts, " OR ")
		},
	}
}

// somebody is the user that a special value stands for; 0 for nobody.
func somebody(name string, by int64, t *models.Ticket) int64 {
	switch name {
	case "current_user":
		return max(by, 0) // the system is nobody
	case "requester_id":
		return t.RequesterID
	case "assignee_id":
		if t.AssigneeID != nil {
			return *t.AssigneeID
		}
	}
	return 0
}

func somebodySQL(name string, q *query) string {
	if name == "current_user" {
		return q.arg(max(q.Viewer, 0))
	}
	return "t." + name
}
