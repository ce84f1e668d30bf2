package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/locales"
)

// compileNumber asks about a count of the ticket's metrics.
func compileNumber(read func(*models.TicketMetric) int, column string) compiler {
	return func(_ Env, op string, c Condition) (test, error) {
		value, err := one(c.Value)
		if err != nil {
			return test{}, err
		}
		want, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return test{}, errors.New("needs a whole number")
		}
		has := func(s *Subject) int {
			if s.Metric == nil {
				return 0
			}
			return read(s.Metric)
		}
		sign := map[string]string{"less_than": "<", "greater_than": ">"}[op]
		if sign == "" {
			sign = "="
		}
		t := flag("is", func(s *Subject) bool {
			switch op {
			case "less_than":
				return has(s) < want
			case "greater_than":
				return has(s) > want
			}
			return has(s) == want
		}, func(q *query) string { return column + " " + sign + " " + q.arg(want) })
		t.measured, t.value = true, func(s *Subject) any { return has(s) }
		return t, nil
	}
}

// compileOneOf asks which of a few words something is.
func compileOneOf(words []string, holds func(s *Subject, word string) bool, where func(word string) string, value func(*Subject) any) compiler {
	return func(_ Env, op string, c Condition) (test, error) {
		word, err := one(c.Value)
		if err != nil {
			return test{}, err
		}
		word = strings.ToLower(word)
		if !slices.Contains(words, word) {
			return test{}, fmt.Errorf("cannot be %q (%s)", shown(word), strings.Join(words, ", "))
		}
		t := flag(op, func(s *Subject) bool { return holds(s, word) }, func(*query) string { return where(word) })
		t.value = value
		return t, nil
	}
}

// ofChange stands for the SQL of what only a change has; no view or automation
// may use it.
func ofChange(string) string { return "false" }

// Vias are the channels by the number that rules call them by (contract
// rules.md, via types): the first name is what tickets show.
var vias = map[int][]string{
	0: {"web", "web_form"}, 4: {"email", "mail"}, 5: {"api", "web_service"}, 8: {"rule"}, 16: {"get_satisfaction"},
	23: {"twitter_favorite"}, 26: {"twitter_dm"}, 27: {"closed_ticket"}, 29: {"chat"}, 30: {"twitter"}, 31: {"ticket_sharing"},
	33: {"voice", "voicemail"}, 34: {"phone_call_inbound"}, 35: {"phone_call_outbound"}, 38: {"facebook", "facebook_post"},
	41: {"facebook_message"}, 44: {"api_voicemail"}, 45: {"api_phone_call_inbound"}, 46: {"api_phone_call_outbound"},
	48: {"web_widget"}, 49: {"mobile_sdk"}, 50: {"help_center", "helpcenter"}, 54: {"satisfaction_prediction"},
	55: {"any_channel"}, 56: {"mobile"}, 57: {"sms"}, 72: {"line"}, 73: {"wechat"}, 74: {"whatsapp"},
}

// channels are the names of the channels that a value means, by number or by
// name.
func channels(value string) ([]string, bool) {
	if n, err := strconv.Atoi(value); err == nil {
		names, ok := vias[n]
		return names, ok
	}
	for _, names := range vias {
		if slices.Contains(names, value) {
			return names, true
		}
	}
	return nil, false
}

func compileVia(read func(*Subject) string, expr string) compiler {
	return func(_ Env, op string, c Condition) (test, error) {
		list, ok := texts(c.Value)
		if !ok || len(list) == 0 {
			return test{}, errors.New("needs the number of a channel")
		}
		var names []string
		for _, value := range list {
			some, ok := channels(value)
			if !ok {
				return test{}, fmt.Errorf("%q is no channel", shown(value))
			}
			names = append(names, some...)
		}
		t := aspect{
			is:    func(s *Subject, _ State) bool { return slices.Contains(names, read(s)) },
			where: func(*query) string { return expr + " IN (" + literals(names) + ")" },
		}.test(op)
		t.value = func(s *Subject) any { return read(s) }
		return t, nil
	}
}

func channelOf(s *Subject) string { return gjson.GetBytes(s.After.Ticket.Via, "channel").Str }

// compileRecipient asks for the address that a message was sent to: the whole
// one, or what stands before the @.
func compileRecipient(_ Env, op string, c Condition) (test, error) {
	value, err := one(c.Value)
	if err != nil {
		return test{}, err
	}
	want := strings.ToLower(strings.TrimSpace(value))
	if want == "" {
		return test{}, errors.New("needs an address")
	}
	read := func(s *Subject) string { return strings.ToLower(text(s.After.Ticket.Recipient)) }
	t := flag(op, func(s *Subject) bool {
		local, _, _ := strings.Cut(read(s), "@")
		return read(s) == want || local == want
	}, func(q *query) string {
		return "lower(t.recipient) = " + q.arg(want) + " OR split_part(lower(t.recipient), '@', 1) = " + q.arg(want)
	})
	t.value = func(s *Subject) any { return read(s) }
	return t, nil
}

// compileLocale asks for the requester's language, by the locale's id.
func compileLocale(_ Env, op string, c Condition) (test, error) {
	value, err := one(c.Value)
	if err != nil {
		return test{}, err
	}
	n, _ := id(value)
	code, ok := locales.Code(n)
	if !ok {
		return test{}, fmt.Errorf("%q is no locale", shown(value))
	}
	t := flag(op, func(s *Subject) bool { return s.Requester.Locale == code },
		func(q *query) string { return ofRequester("ru.locale = " + q.arg(code)) })
	t.value = func(s *Subject) any { return s.Requester.Locale }
	return t, nil
}

// ofRequester is a condition on the requester's row.
func ofRequester(where string) string {
	return "EXISTS (SELECT 1 FROM users ru WHERE ru.account_id = t.account_id AND ru.id = t.requester_id AND (" + where + "))"
}

// ofOrganization is a condition on the row of the ticket's organization.
func ofOrganization(where string) string {
	return "EXISTS (SELECT 1 FROM organizations ro WHERE ro.account_id = t.account_id AND ro.id = t.organization_id AND (" + where + "))"
}

// compileRole asks for what a user is: an agent is whoever works for the
// account, or one user by his id.
func compileRole(of func(*Subject) User) compiler {
	return func(_ Env, op string, c Condition) (test, error) {
		value, err := one(c.Value)
		if err != nil {
			return test{}, err
		}
		value = strings.ReplaceAll(strings.ToLower(value), "-", "_")
		t := test{}
		switch n, isID := id(value); {
		case value == "end_user":
			t = flag(op, func(s *Subject) bool { return of(s).Role == models.RoleEndUser }, nil)
		case value == "agent":
			t = flag(op, func(s *Subject) bool { return of(s).Role == models.RoleAgent || of(s).Role == models.RoleAdmin }, nil)
		case value == "admin":
			t = flag(op, func(s *Subject) bool { return of(s).Role == models.RoleAdmin }, nil)
		case isID:
			t = flag(op, func(s *Subject) bool { return of(s).ID == n }, nil)
			t.refs = []Ref{{Kind: Users, ID: n}}
		default:
			return t, fmt.Errorf("cannot be %q (end_user, agent, admin or the id of a user)", shown(value))
		}
		t.value = func(s *Subject) any { return of(s).Role }
		return t, nil
	}
}

// compileInHours asks whether it is working time for the ticket.
func compileInHours(env Env, op string, c Condition) (test, error) {
	return compileOneOf([]string{"true", "false"}, func(s *Subject, word string) bool {
		return open(env, scheduleOf(s.After.Ticket), s.Now) == (word == "true")
	}, ofChange, func(s *Subject) any { return open(env, scheduleOf(s.After.Ticket), s.Now) })(env, op, c)
}

func open(env Env, schedule int64, now time.Time) bool {
	hours := env.hours(schedule)
	return hours != nil && hours.Between(now, now.Add(time.Microsecond)) > 0
}

// compileSchedule asks for a schedule: whether it is the ticket's, or whether it
// is working time by it.
func compileSchedule(holds func(env Env, s *Subject, schedule int64) bool) compiler {
	return func(env Env, op string, c Condition) (test, error) {
		value, err := one(c.Value)
		if err != nil {
			return test{}, err
		}
		n, _ := id(value)
		for _, sched := range env.Config.Schedules {
			if sched.ID == n {
				return flag(op, func(s *Subject) bool { return holds(env, s, n) }, nil), nil
			}
		}
		return test{}, fmt.Errorf("%q %w", shown(value), errGone)
	}
}

// compileTimestamp compares an instant.
func compileTimestamp(read func(*models.Ticket) time.Time, column string) compiler {
	return func(_ Env, op string, c Condition) (test, error) {
		value, err := one(c.Value)
		if err != nil {
			return test{}, err
		}
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return test{}, errors.New("needs a time such as 2026-12-24T18:00:00Z")
		}
		sign := map[string]string{"less_than": "<", "less_than_equal": "<=", "greater_than": ">", "greater_than_equal": ">="}[op]
		t := flag("is", func(s *Subject) bool {
			order := read(s.After.Ticket).Compare(at)
			return strings.HasPrefix(sign, "<") && order < 0 || strings.HasPrefix(sign, ">") && order > 0 || len(sign) == 2 && order == 0
		}, func(q *query) string { return column + " " + sign + " " + q.arg(at) })
		t.value = func(s *Subject) any { return read(s.After.Ticket) }
		return t, nil
	}
}
