package rules

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
)

// Effect is what an action wants done to the ticket that its rule holds for.
// Which members are set depends on the field.
type Effect struct {
	Field string // as in Action, but "custom_fields" for every custom field
	// ID is a record: of custom_fields the field, of assignee_id, group_id and
	// the other ids the new value, 0 for none.
	ID int64
	// Text is a status, a comment, a recipient: what is one text.
	Text string
	// Texts are tags; of notifications the subject and the body, with their
	// placeholders.
	Texts []string
	// Value of a custom field in the form of tickets; null for none.
	Value json.RawMessage
	// Parameters of notification_webhook; nil: Texts has the body.
	Parameters Parameters
	// Channel of comment_value is the one that the text is for: "channel:all".
	Channel string
	// Share of deflection is how many of a hundred tickets it is for: 0 to 100.
	Share int
}

// Actions are a rule's actions, compiled. They are immutable.
type Actions struct {
	list  []act
	refs  []Ref
	needs Needs
}

// act is one action, ready. It gives false if there is nothing to do: it was
// meant for somebody whom the ticket does not have.
type act struct {
	do    func(*Subject) (Effect, bool)
	texts []string // with placeholders
}

// CheckActions holds actions against what a kind of rules may do. It fails with
// fault.Invalid that names every one that is wrong by its position.
func CheckActions(list []Action, use Use, env Env) ([]Ref, error) {
	env.Known = nil
	a, errs := compileActions(list, use, env)
	return a.refs, fault.Join(errs...)
}

// CompileActions makes actions ready. One that cannot be done any more, because
// a record or a field that it names is gone, does nothing.
func CompileActions(list []Action, use Use, env Env) *Actions {
	a, _ := compileActions(list, use, env)
	return a
}

func compileActions(list []Action, use Use, env Env) (*Actions, []error) {
	a := &Actions{}
	var errs []error
	for i, given := range list {
		at := fmt.Sprintf("actions[%d]", i)
		ready, refs, err := compileAction(given, use, env)
		if env.CheckText != nil {
			for _, text := range ready.texts {
				err = cmp.Or(err, env.CheckText(text))
			}
		}
		if err != nil {
			errs = append(errs, fault.Base(fault.CodeInvalid, "%s: %s %v", at, shown(given.Field), err))
			continue
		}
		if slices.ContainsFunc(refs, func(r Ref) bool { return !env.known(r.Kind, r.ID) }) {
			continue
		}
		for _, r := range refs {
			r.At = at
			a.refs = append(a.refs, r)
		}
		a.list = append(a.list, ready)
		a.needs.Requester = a.needs.Requester || given.Field == "locale_id" // which may be his already
	}
	return a, errs
}

// For are the effects on a ticket, in the order of the actions. Each is made as
// the ticket is then: do carries one out before the next is asked.
func (a *Actions) For(s *Subject, do func(Effect) error) error {
	for _, ready := range a.list {
		e, ok := ready.do(s)
		if !ok {
			continue
		}
		if err := do(e); err != nil {
			return err
		}
	}
	return nil
}

// Needs are the people that the actions look at beside the ticket.
func (a *Actions) Needs() Needs { return a.needs }

// Refs are the users that the actions name.
func (a *Actions) Refs() []Ref { return a.refs }

// action is one field that actions may set, or one thing that they may do.
type action struct {
	name       string
	title      string
	uses       Use
	list       string // what its values are chosen from; see Definitions
	nullable   bool
	repeatable bool
	compile    func(env Env, raw json.RawMessage) (act, []Ref, error)
}

const (
	always     = Triggers | Automations | Macros
	unattended = Triggers | Automations
)

// actionTable are the actions that helpd carries out (contract rules.md §2), in
// the order in which lists of them show them.
var actionTable = []action{
	{name: "status", title: "Status", uses: always, list: "status", compile: setText("status", "new", "open", "pending", "hold", "solved", "closed")},
	{name: "custom_status_id", title: "Ticket status", uses: always, list: "custom_status", compile: setID("custom_status_id", false, hasStatus)},
	{name: "ticket_form_id", title: "Form", uses: always, list: "form", compile: setID("ticket_form_id", false, hasForm)},
	{name: "type", title: "Type", uses: always, list: "type", compile: setText("type", typeField.values[1:]...)},
	{name: "priority", title: "Priority", uses: always, list: "priority", compile: setText("priority", priorityField.values[1:]...)},
	{name: "group_id", title: "Group", uses: always, list: "group", nullable: true, compile: setGroup},
	{name: "assignee_id", title: "Assignee", uses: always, list: "agent", nullable: true, compile: setUser("assignee_id", Agents, true, "current_user", "requester_id")},
	{name: "brand_id", title: "Brand", uses: Triggers | Macros, list: "brand", compile: setID("brand_id", false, hasBrand)},
	{name: "set_schedule", title: "Schedule", uses: Triggers, list: "schedule", compile: setID("set_schedule", false, hasSchedule)},
	{name: "set_tags", title: "Set tags", uses: always, list: "tags", compile: tags("set_tags")},
	{name: "current_tags", title: "Add tags", uses: always, list: "tags", compile: tags("current_tags")},
	{name: "remove_tags", title: "Remove tags", uses: always, list: "tags", compile: tags("remove_tags")},
	{name: "follower", title: "Add follower", uses: always, list: "agent", repeatable: true, compile: setUser("follower", Agents, false, "current_user")},
	{name: "cc", title: "Add CC", uses: always, list: "user", repeatable: true, compile: setUser("cc", Users, false, "current_user", "requester_id", "assignee_id")},
	{name: "locale_id", title: "Requester's language", uses: unattended, list: "locale", compile: setLocale},
	{name: "satisfaction_score", title: "Satisfaction", uses: unattended, list: "offered", compile: setText("satisfaction_score", "offered")},
	{name: "reply_public", title: "Public comment", uses: Triggers, list: "text", compile: comment("reply_public")},
	{name: "reply_internal", title: "Internal note", uses: Triggers, list: "text", compile: comment("reply_internal")},
	{name: "notification_user", title: "Email user", uses: unattended, list: "recipient", repeatable: true, compile: notifyUser},
	{name: "notification_group", title: "Email group", uses: unattended, list: "group", repeatable: true, compile: notifyGroup},
	{name: "notification_webhook", title: "Notify active webhook", uses: unattended, list: "webhook", repeatable: true, compile: notifyWebhook},
	{name: "deflection", title: "Autoreply with articles", uses: Triggers, list: "requester", compile: autoreply},

	{name: "subject", title: "Subject", uses: Macros, list: "text", compile: comment("subject")},
	{name: "comment_value", title: "Comment", uses: Macros, list: "text", compile: macroComment},
	{name: "comment_value_html", title: "Comment (HTML)", uses: Macros, list: "text", compile: comment("comment_value_html")},
	{name: "comment_mode_is_public", title: "Comment mode", uses: Macros, list: "bool", compile: setText("comment_mode_is_public", "true", "false")},
}

var actionByName = func() map[string]*action {
	m := make(map[string]*action, len(actionTable))
	for i := range actionTable {
		m[actionTable[i].name] = &actionTable[i]
	}
	return m
}()

func compileAction(given Action, use Use, env Env) (act, []Ref, error) {
	if a := actionByName[given.Field]; a != nil {
		if a.uses&use == 0 {
			return act{}, nil, errors.New("cannot be done by this kind of rule")
		}
		if err := forMacros(given, use); err != nil {
			return act{}, nil, err
		}
		return a.compile(env, given.Value)
	}
	if key, ok := sources[0].cut(given.Field); ok {
		return setField(env, key, given.Value)
	}
	return act{}, nil, errors.New("is not an action that rules know")
}

// forMacros holds the statuses that people may not set themselves.
func forMacros(given Action, use Use) error {
	if given.Field != "status" {
		return nil
	}
	if value, _ := one(given.Value); !(ActionInfo{use: use}).sets(value) {
		return fmt.Errorf("cannot be %q in a macro", value)
	}
	return nil
}

func setText(field string, values ...string) func(Env, json.RawMessage) (act, []Ref, error) {
	return func(_ Env, raw json.RawMessage) (act, []Ref, error) {
		value, err := one(raw)
		if err == nil && !slices.Contains(values, value) {
			err = fmt.Errorf("cannot be %q (%s)", shown(value), strings.Join(values, ", "))
		}
		return simply(Effect{Field: field, Text: value}), nil, err
	}
}

func simply(e Effect) act {
	return act{do: func(*Subject) (Effect, bool) { return e, true }}
}

func setID(field string, nullable bool, exists func(Env, int64) bool) func(Env, json.RawMessage) (act, []Ref, error) {
	return func(env Env, raw json.RawMessage) (act, []Ref, error) {
		value, err := one(raw)
		if err != nil {
			return act{}, nil, err
		}
		n, ok := id(value)
		switch {
		case value == "" && nullable:
		case !ok:
			return act{}, nil, fmt.Errorf("cannot be %q", shown(value))
		case !exists(env, n):
			return act{}, nil, fmt.Errorf("%d %w", n, errGone)
		}
		return simply(Effect{Field: field, ID: n}), nil, nil
	}
}

// setGroup also takes current_groups: the group of the agent who applies a
// macro, or updates the ticket.
func setGroup(env Env, raw json.RawMessage) (act, []Ref, error) {
	if value, err := one(raw); err == nil && value == "current_groups" {
		return act{do: func(s *Subject) (Effect, bool) { return Effect{Field: "group_id", ID: s.By.GroupID}, s.By.GroupID != 0 }}, nil, nil
	}
	return setID("group_id", true, Env.hasGroup)(env, raw)
}

func hasSchedule(e Env, id int64) bool {
	for _, s := range e.Config.Schedules {
		if s.ID == id {
			return true
		}
	}
	return false
}

// setUser takes the id of a user of a kind, or one of the values that stand for
// somebody; "" for nobody where that is a value.
func setUser(field, kind string, nullable bool, special ...string) func(Env, json.RawMessage) (act, []Ref, error) {
	return func(_ Env, raw json.RawMessage) (act, []Ref, error) {
		value, err := one(raw)
		if err != nil {
			return act{}, nil, err
		}
		n, ok := id(value)
		switch {
		case slices.Contains(special, value):
			return act{do: func(s *Subject) (Effect, bool) {
				n := somebody(value, s.By.ID, s.After.Ticket)
				return Effect{Field: field, ID: n}, n != 0
			}}, nil, nil
		case value == "" && nullable:
			return simply(Effect{Field: field}), nil, nil
		case !ok:
			return act{}, nil, fmt.Errorf("cannot be %q", shown(value))
		}
		return simply(Effect{Field: field, ID: n}), []Ref{{Kind: kind, ID: n}}, nil
	}
}

func tags(field string) func(Env, json.RawMessage) (act, []Ref, error) {
	return func(_ Env, raw json.RawMessage) (act, []Ref, error) {
		list, ok := texts(raw)
		words := strings.Fields(strings.Join(list, " "))
		if !ok || len(words) == 0 && field != "set_tags" {
			return act{}, nil, errors.New("needs tags with spaces between")
		}
		return simply(Effect{Field: field, Texts: words}), nil, nil
	}
}

func setLocale(_ Env, raw json.RawMessage) (act, []Ref, error) {
	value, err := one(raw)
	if err != nil {
		return act{}, nil, err
	}
	n, _ := id(value)
	code, ok := locales.Code(n)
	if !ok {
		return act{}, nil, fmt.Errorf("%q is no locale", shown(value))
	}
	return simply(Effect{Field: "locale_id", Text: code, ID: n}), nil, nil
}

// comment is a text with placeholders.
func comment(field string) func(Env, json.RawMessage) (act, []Ref, error) {
	return func(_ Env, raw json.RawMessage) (act, []Ref, error) {
		value, err := one(raw)
		if err == nil && strings.TrimSpace(value) == "" {
			err = errors.New("needs a text")
		}
		a := simply(Effect{Field: field, Text: value})
		a.texts = []string{value}
		return a, nil, err
	}
}

// macroComment is a text, or one for a channel: ["channel:all", "text"].
func macroComment(env Env, raw json.RawMessage) (act, []Ref, error) {
	list, ok := texts(raw)
	if !ok || len(list) == 0 || len(list) > 2 {
		return act{}, nil, errors.New("needs a text")
	}
	channel := "channel:all"
	if len(list) == 2 {
		channel = list[0]
	}
	if !strings.HasPrefix(channel, "channel:") {
		return act{}, nil, errors.New(`needs a channel such as "channel:all" before the text`)
	}
	last, _ := json.Marshal(list[len(list)-1])
	a, refs, err := comment("comment_value")(env, last)
	text := a.do
	a.do = func(s *Subject) (Effect, bool) {
		e, ok := text(s)
		e.Channel = channel
		return e, ok
	}
	return a, refs, err
}

// setField sets a custom field of the ticket. A date may be a day, or
// ["days_from_now", "3"], or ["specific_date", "2026-12-24"].
func setField(env Env, key string, raw json.RawMessage) (act, []Ref, error) {
	n, _ := id(key)
	f, ok := env.Config.Field(n)
	if !ok || !f.Active || !f.Custom() {
		return act{}, nil, fmt.Errorf("names a field that %w", errGone)
	}
	if list, ok := texts(raw); ok && f.Type == models.FieldDate && len(list) == 2 {
		switch list[0] {
		case "days_from_now":
			days, err := strconv.Atoi(list[1])
			if err != nil || days < -maxDays || days > maxDays {
				return act{}, nil, errors.New("needs a number of days")
			}
			return act{do: func(s *Subject) (Effect, bool) {
				day, _ := json.Marshal(env.today(s.Now).AddDate(0, 0, days).Format(time.DateOnly))
				return Effect{Field: "custom_fields", ID: n, Value: day}, true
			}}, nil, nil
		case "specific_date":
			raw, _ = json.Marshal(list[1])
		}
	}
	if err := env.Config.Set(map[string]json.RawMessage{}, n, raw); err != nil {
		return act{}, nil, errors.New(strings.TrimPrefix(err.Error(), f.Title+": "))
	}
	if text, scalar := scalar(raw); scalar && f.Options != nil && text != "" &&
		!slices.ContainsFunc(strings.Fields(text), func(v string) bool {
			return slices.ContainsFunc(f.Options, func(o models.FieldOption) bool { return o.Value == strings.ToLower(v) })
		}) {
		return act{}, nil, fmt.Errorf("%q is none of the options", shown(text))
	}
	return simply(Effect{Field: "custom_fields", ID: n, Value: raw}), nil, nil
}

const maxDays = 366 * 100
