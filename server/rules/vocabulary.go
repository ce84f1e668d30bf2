package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
)

// compiler makes the test of one condition on a field. Its error says what is
// wrong with the value.
type compiler = func(env Env, op string, c Condition) (test, error)

// field is one field that conditions may ask about.
type field struct {
	name      string
	title     string
	subject   string // ticket, requester, organization, update: how lists of fields are grouped
	uses      Use
	operators []string
	changes   bool   // triggers may also ask what changed
	omitted   string // the operator of a condition without one
	onlyAll   bool   // not in any
	list      string // what its values are chosen from; see Definitions
	compile   compiler
}

const (
	everywhere = Triggers | Automations | Views | SLAPolicies
	onTickets  = Triggers | Automations | Views
	byTime     = Automations | Views
)

var (
	equality = []string{"is", "is_not"}
	lists    = []string{"is", "is_not", "includes", "not_includes"}
	order    = []string{"is", "is_not", "less_than", "greater_than"}
	counts   = []string{"less_than", "greater_than", "is"}
	inHours  = []string{"is", "is_business_hours", "less_than", "less_than_business_hours", "greater_than", "greater_than_business_hours"}
)

// table is the vocabulary (contract rules.md §1), in the order in which lists
// of fields show it. Custom fields are made as they are looked up.
var table = []field{
	{name: "status", title: "Status", uses: onTickets, operators: order, changes: true, list: "status", compile: ranked(statusField)},
	{name: "custom_status_id", title: "Ticket status", uses: everywhere, operators: []string{"includes", "not_includes", "is", "is_not"}, changes: true, list: "custom_status",
		compile: idField{column: "t.custom_status_id", read: func(t *models.Ticket) *int64 { return &t.CustomStatusID }, exists: hasStatus}.compile},
	{name: "ticket_form_id", title: "Form", uses: everywhere, operators: equality, changes: true, list: "form",
		compile: idField{column: "t.ticket_form_id", read: func(t *models.Ticket) *int64 { return t.TicketFormID }, exists: hasForm}.compile},
	{name: "type", title: "Type", uses: everywhere, operators: equality, changes: true, list: "type", compile: ranked(typeField)},
	{name: "ticket_type_id", title: "Type", uses: SLAPolicies, operators: lists, list: "type_id", compile: ticketTypeID},
	{name: "priority", title: "Priority", uses: everywhere, operators: order, changes: true, list: "priority", compile: ranked(priorityField)},
	{name: "group_id", title: "Group", uses: everywhere, operators: equality, changes: true, list: "group",
		compile: idField{column: "t.group_id", read: func(t *models.Ticket) *int64 { return t.GroupID }, exists: Env.hasGroup}.compile},
	{name: "assignee_id", title: "Assignee", uses: everywhere, operators: equality, changes: true, list: "agent",
		compile: idField{column: "t.assignee_id", read: func(t *models.Ticket) *int64 { return t.AssigneeID }, record: Users, special: []string{"current_user", "requester_id"}}.compile},
	{name: "requester_id", title: "Requester", uses: everywhere, operators: equality, changes: true, list: "user",
		compile: idField{column: "t.requester_id", read: func(t *models.Ticket) *int64 { return &t.RequesterID }, record: Users, special: []string{"current_user", "assignee_id"}}.compile},
	{name: "submitter_id", title: "Submitter", uses: onTickets, operators: equality, list: "user",
		compile: idField{column: "t.submitter_id", read: func(t *models.Ticket) *int64 { return &t.SubmitterID }, record: Users, special: []string{"current_user", "requester_id", "assignee_id"}}.compile},
	{name: "organization_id", title: "Organization", uses: everywhere, operators: equality, changes: true, list: "organization",
		compile: idField{column: "t.organization_id", read: func(t *models.Ticket) *int64 { return t.OrganizationID }, record: Organizations}.compile},
	{name: "current_tags", title: "Tags", uses: everywhere, operators: []string{"includes", "not_includes"}, list: "tags", compile: compileTags},
	{name: "brand_id", title: "Brand", uses: everywhere, operators: equality, changes: true, list: "brand",
		compile: idField{column: "t.brand_id", read: func(t *models.Ticket) *int64 { return &t.BrandID }, exists: hasBrand}.compile},
	{name: "via_id", title: "Channel", uses: everywhere, operators: lists, list: "via", compile: compileVia(channelOf, "t.via->>'channel'")},
	{name: "current_via_id", title: "Update via", subject: "update", uses: Triggers | SLAPolicies, operators: equality, list: "via",
		compile: compileVia(func(s *Subject) string { return s.Via }, "t.via->>'channel'")},
	{name: "recipient", title: "Received at", uses: everywhere, operators: equality, omitted: "is", compile: compileRecipient},
	{name: "satisfaction_score", title: "Satisfaction", uses: onTickets, operators: order, changes: true, list: "score", compile: ranked(scoreField)},
	{name: "satisfaction_reason_code", title: "Satisfaction reason", uses: onTickets, operators: equality, list: "reason", compile: compileReason},
	{name: "ticket_is_public", title: "Privacy", uses: onTickets, operators: equality, omitted: "is", list: "privacy", compile: compileOneOf([]string{"public", "private"},
		func(s *Subject, word string) bool { return s.After.Ticket.IsPublic == (word == "public") },
		func(word string) string {
			return map[string]string{"public": "t.is_public", "private": "NOT t.is_public"}[word]
		},
		func(s *Subject) any { return s.After.Ticket.IsPublic })},
	{name: "description_includes_word", title: "Description", uses: byTime, operators: []string{"includes", "not_includes", "is", "is_not"}, list: "text", compile: descriptionWords.compile},

	{name: "update_type", title: "Ticket", subject: "update", uses: Triggers, operators: []string{"is"}, omitted: "is", list: "update_type", compile: compileOneOf([]string{"create", "change"},
		func(s *Subject, word string) bool { return s.created() == (word == "create") }, ofChange,
		func(s *Subject) any { return map[bool]string{true: "Create", false: "Change"}[s.created()] })},
	{name: "subject_includes_word", title: "Subject text", uses: Triggers, operators: []string{"includes", "not_includes", "is", "is_not"}, list: "text", compile: subjectWords.compile},
	{name: "comment_includes_word", title: "Comment text", subject: "update", uses: Triggers, operators: []string{"includes", "not_includes", "is", "is_not"}, list: "text", compile: commentWords.compile},
	{name: "comment_is_public", title: "Comment", subject: "update", uses: Triggers, operators: equality, omitted: "is", list: "comment",
		compile: compileOneOf([]string{"true", "false", "not_relevant", "requester_can_see_comment"}, commentIs, ofChange, func(s *Subject) any { return s.Comment != nil && s.Comment.Public })},
	{name: "attachment", title: "Attachments", subject: "update", uses: Triggers, operators: []string{"is"}, omitted: "is", list: "attachment", compile: compileOneOf([]string{"present", "not_present"},
		func(s *Subject, word string) bool {
			return (s.Comment != nil && s.Comment.Files) == (word == "present")
		}, ofChange, func(s *Subject) any { return s.Comment != nil && s.Comment.Files })},
	{name: "cc", title: "CCs", uses: Triggers, operators: []string{"is"}, omitted: "is", compile: func(_ Env, op string, _ Condition) (test, error) {
		return flag(op, func(s *Subject) bool { return len(s.After.Ticket.EmailCCIDs) > 0 }, nil), nil
	}},
	{name: "role", title: "Current user", subject: "update", uses: Triggers, operators: equality, list: "role", compile: compileRole(func(s *Subject) User { return s.By })},
	{name: "requester_role", title: "Requester's role", subject: "requester", uses: Triggers, operators: equality, list: "role", compile: compileRole(func(s *Subject) User { return s.Requester })},
	{name: "locale_id", title: "Requester's language", subject: "requester", uses: onTickets, operators: equality, list: "locale", compile: compileLocale},
	{name: "reopens", title: "Reopens", uses: Triggers, operators: counts, compile: compileNumber(func(m *models.TicketMetric) int { return m.Reopens }, "m.reopens")},
	{name: "replies", title: "Agent replies", uses: Triggers, operators: counts, compile: compileNumber(func(m *models.TicketMetric) int { return m.Replies }, "m.replies")},
	{name: "agent_stations", title: "Assignee stations", uses: Triggers, operators: counts, compile: compileNumber(func(m *models.TicketMetric) int { return m.AssigneeStations }, "m.assignee_stations")},
	{name: "group_stations", title: "Group stations", uses: Triggers, operators: counts, compile: compileNumber(func(m *models.TicketMetric) int { return m.GroupStations }, "m.group_stations")},
	{name: "in_business_hours", title: "Within business hours", subject: "update", uses: Triggers, operators: []string{"is"}, omitted: "is", list: "bool", compile: compileInHours},
	{name: "is_business_hours", title: "Within business hours", subject: "update", uses: Triggers, operators: []string{"is"}, omitted: "is", list: "bool", compile: compileInHours},
	{name: "within_schedule", title: "Within schedule", subject: "update", uses: Triggers, operators: equality, list: "schedule",
		compile: compileSchedule(func(env Env, s *Subject, schedule int64) bool { return open(env, schedule, s.Now) })},
	{name: "schedule_id", title: "Schedule", uses: Triggers, operators: equality, list: "schedule",
		compile: compileSchedule(func(env Env, s *Subject, schedule int64) bool {
			mine := scheduleOf(s.After.Ticket)
			return mine == schedule || mine == 0 && env.Config.Schedules[0].ID == schedule
		})},

	// Hours since a ticket was created are called NEW; the other statuses mean
	// the time that it has been in them.
	hourly("NEW", "Hours since created", hourField{read: func(s *Subject) *time.Time { return &s.After.Ticket.CreatedAt }, expr: "t.created_at"}),
	hourly("OPEN", "Hours since open", inStatus(models.StatusOpen)),
	hourly("PENDING", "Hours since pending", inStatus(models.StatusPending)),
	hourly("HOLD", "Hours since on hold", inStatus(models.StatusHold)),
	hourly("SOLVED", "Hours since solved", inStatus(models.StatusSolved)),
	hourly("CLOSED", "Hours since closed", inStatus(models.StatusClosed)),
	hourly("assigned_at", "Hours since assigned", hourField{read: stamp(func(m *models.TicketMetric) *time.Time { return m.AssignedAt }), expr: "m.assigned_at"}),
	hourly("updated_at", "Hours since update", hourField{read: func(s *Subject) *time.Time { return &s.After.Ticket.UpdatedAt }, expr: updatedAt}),
	hourly("requester_updated_at", "Hours since requester update", hourField{read: stamp(func(m *models.TicketMetric) *time.Time { return m.RequesterUpdatedAt }), expr: "m.requester_updated_at"}),
	hourly("assignee_updated_at", "Hours since assignee update", hourField{read: stamp(func(m *models.TicketMetric) *time.Time { return m.AssigneeUpdatedAt }), expr: "m.assignee_updated_at"}),
	hourly("due_date", "Hours since due date", hourField{read: dueAt, expr: "t.due_at"}),
	hourly("due_at", "Hours since due date", hourField{read: dueAt, expr: "t.due_at"}), // a name of the original's own views
	hourly("until_due_date", "Hours until due date", hourField{read: dueAt, expr: "t.due_at", ahead: true}),
	hourly("sla_next_breach_at", "Hours since SLA breach", hourField{read: nextBreach, expr: "m.next_breach_at"}),
	hourly("until_sla_next_breach_at", "Hours until next SLA breach", hourField{read: nextBreach, expr: "m.next_breach_at", ahead: true}),

	{name: "exact_created_at", title: "Created", uses: SLAPolicies, operators: []string{"less_than", "less_than_equal", "greater_than", "greater_than_equal"},
		compile: compileTimestamp(func(t *models.Ticket) time.Time { return t.CreatedAt }, "t.created_at")},
}

func hourly(name, title string, f hourField) field {
	return field{name: name, title: title, uses: byTime, operators: inHours, onlyAll: true, list: "hours", compile: f.compile}
}

// nextBreach is the first breach of the targets whose clocks run; see sla.State.
var nextBreach = stamp(func(m *models.TicketMetric) *time.Time { return m.NextBreachAt })

func dueAt(s *Subject) *time.Time { return s.After.Ticket.DueAt }

func ranked(f choice) compiler {
	return func(_ Env, op string, c Condition) (test, error) { return f.compile(op, c) }
}

// ticketTypeID takes types by number.
func ticketTypeID(env Env, op string, c Condition) (test, error) {
	list, ok := texts(c.Value)
	if !ok || len(list) == 0 {
		return test{}, fmt.Errorf("needs the number of a type")
	}
	for i, value := range list {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n >= len(typeField.values) {
			return test{}, fmt.Errorf("cannot be %q (1 question, 2 incident, 3 problem, 4 task)", shown(value))
		}
		list[i] = typeField.values[n]
	}
	value, err := json.Marshal(list)
	if err != nil {
		return test{}, err
	}
	return typeField.compile(op, Condition{Field: c.Field, Operator: op, Value: value})
}

func commentIs(s *Subject, word string) bool {
	switch c := s.Comment; {
	case c == nil:
		return false
	case word == "true", word == "requester_can_see_comment":
		return c.Public
	case word == "false":
		return !c.Public
	}
	return true
}

func (e Env) hasGroup(id int64) bool { return e.Config.HasGroup(id) }

func hasForm(e Env, id int64) bool   { _, ok := e.Config.Form(id); return ok }
func hasStatus(e Env, id int64) bool { _, ok := e.Config.Status(id); return ok }
func hasBrand(e Env, id int64) bool  { _, ok := e.Config.Brand(id); return ok }

var byName = func() map[string]*field {
	m := make(map[string]*field, len(table))
	for i := range table {
		m[table[i].name] = &table[i]
	}
	return m
}()

// lookUp is the field of a name, if rules of the use may ask about it. What the
// account does not have any more is an error, too.
func lookUp(name string, use Use, env Env) (field, error) {
	if f := byName[name]; f != nil {
		if f.uses&use == 0 {
			return field{}, fmt.Errorf("cannot be asked here")
		}
		return *f, nil
	}
	for _, s := range sources {
		key, ok := s.cut(name)
		if !ok {
			continue
		}
		if s.uses&use == 0 {
			return field{}, fmt.Errorf("cannot be asked here")
		}
		f := s.find(env.Config, key)
		if f == nil || !f.Active || !f.Custom() {
			return field{}, fmt.Errorf("names a field that %w", errGone)
		}
		return s.field(name, f), nil
	}
	return field{}, fmt.Errorf("is not a field that conditions know")
}

// source is where custom fields are.
type source struct {
	prefixes []string
	subject  string
	uses     Use
	changes  bool
	key      func(*fields.Field) string // what stands behind the prefix
	kind     func(*fields.Config) *fields.Definitions
	find     func(c *fields.Config, key string) *fields.Field
	of       func(*Subject, State) map[string]json.RawMessage
	expr     string
	within   func(string) string
}

var sources = []source{
	{
		prefixes: []string{"custom_fields_", "ticket_fields_"}, subject: "ticket", uses: everywhere, changes: true,
		key:  func(f *fields.Field) string { return strconv.FormatInt(f.ID, 10) },
		kind: func(c *fields.Config) *fields.Definitions { return &c.Definitions },
		find: func(c *fields.Config, key string) *fields.Field {
			n, _ := id(key)
			f, _ := c.Field(n)
			return f
		},
		of: func(_ *Subject, st State) map[string]json.RawMessage { return st.Values }, expr: "t.custom_fields",
	},
	{
		prefixes: []string{"requester.custom_fields.", "user.custom_fields.", "user.custom_fields_"}, subject: "requester", uses: Triggers | Automations,
		key:  func(f *fields.Field) string { return *f.Key },
		kind: func(c *fields.Config) *fields.Definitions { return &c.Users },
		find: func(c *fields.Config, key string) *fields.Field { return c.Users.Named(key) },
		of:   func(s *Subject, _ State) map[string]json.RawMessage { return s.Requester.Values }, expr: "ru.user_fields", within: ofRequester,
	},
	{
		prefixes: []string{"organization.custom_fields.", "organization.custom_fields_"}, subject: "organization", uses: Triggers | Automations,
		key:  func(f *fields.Field) string { return *f.Key },
		kind: func(c *fields.Config) *fields.Definitions { return &c.Organizations },
		find: func(c *fields.Config, key string) *fields.Field { return c.Organizations.Named(key) },
		of:   func(s *Subject, _ State) map[string]json.RawMessage { return s.Organization.Values }, expr: "ro.organization_fields", within: ofOrganization,
	},
}

func (s source) cut(name string) (key string, ok bool) {
	for _, prefix := range s.prefixes {
		if key, ok = strings.CutPrefix(name, prefix); ok {
			return key, true
		}
	}
	return "", false
}

func (s source) name(f *fields.Field) string { return s.prefixes[0] + s.key(f) }

// all are the active custom fields of the source.
func (s source) all(c *fields.Config) []*fields.Field {
	var list []*fields.Field
	d := s.kind(c)
	for i := range d.Fields {
		if f := &d.Fields[i]; f.Custom() && f.Active {
			list = append(list, f)
		}
	}
	return list
}

// field is a custom field as conditions ask about it.
func (s source) field(name string, f *fields.Field) field {
	c := customField{Field: f, key: strconv.FormatInt(f.ID, 10), of: s.of, expr: s.expr, within: s.within}
	return field{
		name: name, title: f.Title, subject: s.subject, uses: s.uses, operators: operatorsOfType(f.Type), changes: s.changes,
		list: "field", compile: c.compile,
	}
}

// operatorsFor are the operators that rules of the use may ask with.
func (f field) operatorsFor(use Use) []string {
	list := f.operators
	if use == SLAPolicies && slices.Equal(list, equality) {
		list = lists // filters take arrays (contract rules.md §1.6)
	}
	if f.changes && use == Triggers {
		list = slices.Concat(list, changes)
	}
	return list
}
