package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// recipients of notification_user, beside the ids of users.
var recipients = []string{"requester_id", "requester_and_ccs", "assignee_id", "current_user", "all_agents"}

func notifyUser(_ Env, raw json.RawMessage) (act, []Ref, error) {
	list, err := messageTo(raw, "a recipient")
	if err != nil {
		return act{}, nil, err
	}
	var refs []Ref
	n, ok := id(list[0])
	switch {
	case slices.Contains(recipients, list[0]):
	case ok:
		refs = []Ref{{Kind: Users, ID: n}}
	default:
		return act{}, nil, fmt.Errorf("cannot go to %q (%s or the id of a user)", shown(list[0]), strings.Join(recipients, ", "))
	}
	a := simply(Effect{Field: "notification_user", ID: n, Text: list[0], Texts: list[1:]})
	a.texts = list[1:]
	return a, refs, nil
}

// autoreply is a recipient, the requester, a subject and a body, and the share of
// tickets that it is for, in percent; without it all of them.
func autoreply(_ Env, raw json.RawMessage) (act, []Ref, error) {
	list, ok := texts(raw)
	if !ok || len(list) != 3 && len(list) != 4 {
		return act{}, nil, errors.New("needs a recipient, a subject and a body, and may have a share of tickets in percent")
	}
	if err := message(list[:3]); err != nil {
		return act{}, nil, err
	}
	if list[0] != "requester_id" {
		return act{}, nil, fmt.Errorf("cannot go to %q (requester_id)", shown(list[0]))
	}
	share := 100
	if len(list) == 4 {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(list[3]), "%"))
		if err != nil || n < 0 || n > 100 {
			return act{}, nil, fmt.Errorf("cannot be for a share of %q (0 to 100)", shown(list[3]))
		}
		share = n
	}
	a := simply(Effect{Field: "deflection", Text: list[0], Texts: list[1:3], Share: share})
	a.texts = list[1:3]
	return a, nil, nil
}

func notifyGroup(env Env, raw json.RawMessage) (act, []Ref, error) {
	list, err := messageTo(raw, "a group")
	if err != nil {
		return act{}, nil, err
	}
	n, ok := id(list[0])
	if list[0] != "group_id" && !ok {
		return act{}, nil, fmt.Errorf("cannot go to %q (group_id or the id of a group)", shown(list[0]))
	}
	if ok && !env.hasGroup(n) {
		return act{}, nil, fmt.Errorf("%d %w", n, errGone)
	}
	a := act{texts: list[1:], do: func(s *Subject) (Effect, bool) {
		to := n
		if to == 0 && s.After.Ticket.GroupID != nil {
			to = *s.After.Ticket.GroupID
		}
		return Effect{Field: "notification_group", ID: to, Text: list[0], Texts: list[1:]}, to != 0
	}}
	return a, nil, nil
}

// messageTo is a list of whom it is for, a subject and a body.
func messageTo(raw json.RawMessage, whom string) ([]string, error) {
	list, ok := texts(raw)
	if !ok || len(list) != 3 {
		return nil, fmt.Errorf("needs %s, a subject and a body", whom)
	}
	return list, message(list)
}

// message holds whom it is for, a subject and a body.
func message(list []string) error {
	if strings.TrimSpace(list[1]) == "" || strings.TrimSpace(list[2]) == "" {
		return errors.New("needs a subject and a body")
	}
	return nil
}
