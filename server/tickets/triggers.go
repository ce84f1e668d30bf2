package tickets

import (
	"slices"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// triggersOf are the account's active triggers, compiled once for each version
// of its set-up.
func (s *save) triggersOf() (*triggers, error) {
	return s.service.triggers.At(s.by.AccountID, s.config.Version, func() (*triggers, error) {
		list, err := s.service.rulebook.Triggers(s.tx, s.by.AccountID, s.config.Version)
		if err != nil {
			return nil, err
		}
		return compileTriggers(s, list)
	})
}

// triggers are compiled ones in the order in which they run.
type triggers struct {
	list  []*rules.Rule
	needs rules.Needs
}

func compileTriggers(s *save, list []models.Rule) (*triggers, error) {
	all := &triggers{}
	compiled, err := rulebook.Compile(s.tx, s.by.AccountID, s.config, rules.Triggers, list)
	if err != nil {
		return nil, err
	}
	for _, r := range compiled {
		if r.Conditions.Dead() {
			continue
		}
		all.list = append(all.list, r)
		all.needs = all.needs.With(r.Conditions.Needs()).With(r.Actions.Needs())
	}
	return all, nil
}

// runRules runs the account's triggers over the change. They see a ticket that
// is being closed by somebody, but none that was closed before, and no import. What they do
// is told in the same audit, each rule's events after those that led to it.
func (s *save) runRules() error {
	if s.silent || s.unruled || s.before.Status == models.StatusClosed || len(s.auditEvents) == 0 {
		return nil
	}
	s.ruled = true
	all, err := s.triggersOf()
	if err != nil || len(all.list) == 0 {
		return err
	}
	subject, err := s.subject(all.needs)
	if err != nil {
		return err
	}
	return rules.Run(all.list, subject, func(r *rules.Rule) (bool, error) { return s.fire(r, subject) })
}

// fire carries out the actions of a rule that holds, and tells what they did.
func (s *save) fire(r *rules.Rule, subject *rules.Subject) (changed bool, err error) {
	defer func() { s.rule = nil }()
	events, told, locale, asks := len(s.auditEvents), len(s.notifications)+len(s.calls), s.requesterLocale, s.autoreply
	if err := s.act(r, subject); err != nil {
		return false, err
	}
	if err := s.tellChanges(); err != nil {
		return false, err
	}
	localised := s.requesterLocale != locale
	if len(s.auditEvents) > events || localised || s.autoreply != asks {
		s.uses = append(s.uses, r.ID)
	}
	// Mails and calls of webhooks change nothing.
	return len(s.auditEvents)-events > len(s.notifications)+len(s.calls)-told || localised, nil
}

// carryOut does one effect of a rule. One that cannot be done to the ticket, as
// it would be refused if a caller asked for it, is left out: a rule never stops
// a save.
func (s *save) carryOut(e rules.Effect) error {
	var c Change
	switch e.Field {
	case "reply_public", "reply_internal":
		return s.reply(e)
	case "notification_user", "notification_group":
		return s.enqueue(e)
	case "notification_webhook":
		return s.callWebhook(e)
	case "deflection":
		s.askForArticles(e)
		return nil
	case "set_schedule":
		s.after.ScheduleID = &e.ID
		return nil
	case "status":
		c.Status = &e.Text
	case "custom_status_id":
		c.CustomStatusID.Set(e.ID)
	case "ticket_form_id":
		c.TicketFormID.Set(e.ID)
	case "brand_id":
		c.BrandID.Set(e.ID)
	case "type":
		c.Type.Set(e.Text)
	case "priority":
		c.Priority.Set(e.Text)
	case "group_id":
		setOrClear(&c.GroupID, e.ID)
	case "assignee_id":
		setOrClear(&c.AssigneeID, e.ID)
	case "set_tags":
		c.Tags = append([]string{}, e.Texts...)
	case "current_tags":
		c.AddTags = e.Texts
	case "remove_tags":
		c.RemoveTags = e.Texts
	case "custom_fields":
		c.CustomFields = []FieldValue{{ID: e.ID, Value: e.Value}}
	case "follower":
		c.Followers = []Collaborator{{UserID: e.ID}}
	case "cc":
		c.EmailCCs = []Collaborator{{UserID: e.ID}}
	case "satisfaction_score":
		c.Satisfaction = &Satisfaction{Score: e.Text}
	}
	return s.attempt(c)
}

// ruleVia is how the effects of the trigger that is being carried out came
// about; nil: they are the audit's own.
func (s *save) ruleVia() *Via {
	if s.rule == nil || s.rule == s.automation {
		return nil
	}
	return new(viaRule(s.rule, "trigger"))
}

// attempt applies a change to the ticket, or leaves it as it is if it would be
// refused.
func (s *save) attempt(c Change) error {
	asked, was, values := s.change, s.after, cloneValues(s.values)
	was.Tags, was.FollowerIDs, was.EmailCCIDs = slices.Clone(was.Tags), slices.Clone(was.FollowerIDs), slices.Clone(was.EmailCCIDs)
	s.change = c
	defer func() { s.change = asked }()
	if err := s.readUnknown(); err != nil {
		return err
	}
	err := fault.Join(s.applyTexts(), s.applyAssignment(), s.applyPlace(), s.applyStatus(), s.applyProblem(), s.applyFields(), s.applyCollaborators(), s.applySatisfaction())
	if fault.Of(err) != nil {
		s.after, s.values = was, values
		return nil
	}
	return err
}

// readUnknown reads the users that s.change names and that are not known yet.
func (s *save) readUnknown() error {
	ids, _ := s.named()
	if s.change.AssigneeID.IsSpecified() || s.change.GroupID.IsSpecified() {
		if s.after.AssigneeID != nil {
			ids = append(ids, *s.after.AssigneeID)
		}
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { _, known := s.people.byID[id]; return known || id <= 0 })
	if len(ids) == 0 {
		return nil
	}
	return s.readPeople(ids, nil)
}

// subject is the change as rules ask about it.
func (s *save) subject(needs rules.Needs) (*rules.Subject, error) {
	subject := &rules.Subject{
		Now: s.now, After: rules.State{Ticket: &s.after, Values: s.values}, Metric: &s.metric, Via: s.auditVia.Channel,
		By: rules.User{ID: s.by.ID(), Role: s.by.User.Role},
	}
	if !s.created {
		subject.Before = rules.State{Ticket: &s.before, Values: s.valuesBefore}
	} else {
		s.after.Via = models.ToJSON(s.auditVia)
	}
	if group := s.by.User.DefaultGroupID; group != nil {
		subject.By.GroupID = *group
	}
	switch {
	case s.by.Anonymous():
		subject.By = rules.User{ID: s.after.RequesterID, Role: models.RoleEndUser}
	case s.by.ID() == models.SystemUser:
		subject.By = rules.User{ID: models.SystemUser}
	}
	if c := s.comment; c != nil {
		subject.Comment = &rules.Comment{Public: c.Public, Text: c.PlainBody, Files: c.HasAttachments}
	}
	subject.Requester = rules.User{ID: s.after.RequesterID}
	if needs.Requester || needs.Organization {
		return subject, s.readSubject(subject)
	}
	return subject, nil
}

// readSubject reads what rules ask of the ticket's requester and organization.
func (s *save) readSubject(to *rules.Subject) error {
	requester, organization := s.after.RequesterID, optionalID(s.after.OrganizationID)
	of := subjects{map[int64]rules.User{}, map[int64]rules.Organization{}}
	users, organizations := models.IDs{requester}, models.IDs{organization}
	if t := s.together; t != nil {
		if t.subjects == nil {
			t.subjects = &of
			users, organizations = t.everybody(users, organizations)
		}
		of = *t.subjects
	}
	if !of.has(requester, organization) {
		if err := of.read(s.tx, s.by.AccountID, users, organizations); err != nil {
			return err
		}
	}
	to.Requester, to.Organization = of.users[requester], of.organizations[organization]
	return nil
}

// subjects are what rules ask of users and organizations.
type subjects struct {
	users         map[int64]rules.User
	organizations map[int64]rules.Organization
}

// has reports whether a ticket's requester and organization were read; 0 is none.
func (s subjects) has(user, organization int64) bool {
	_, u := s.users[user]
	_, o := s.organizations[organization]
	return u && (o || organization == 0)
}

func (s subjects) read(tx *gorm.DB, account int64, users, organizations models.IDs) error {
	return postgres.Rows(tx, `SELECT true, id, role, locale, coalesce(default_group_id, 0), user_fields FROM users WHERE account_id = ? AND id = ANY(?)
		UNION ALL SELECT false, id, '', '', 0, organization_fields FROM organizations WHERE account_id = ? AND id = ANY(?)`,
		[]any{account, users, account, organizations}, func(row postgres.Scanned) error {
			var isUser bool
			var u rules.User
			var values models.JSON
			if err := row.Scan(&isUser, &u.ID, &u.Role, &u.Locale, &u.GroupID, &values); err != nil {
				return err
			}
			if u.Values = fields.Values(values); isUser {
				s.users[u.ID] = u
			} else {
				s.organizations[u.ID] = rules.Organization{Values: u.Values}
			}
			return nil
		})
}

// setOrClear sets an id; 0 clears it.
func setOrClear(n *nullable.Nullable[int64], id int64) {
	if id == 0 {
		n.SetNull()
		return
	}
	n.Set(id)
}
