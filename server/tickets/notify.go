package tickets

import (
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/rules"
)

// enqueue notes a mail that the rule wants sent, and the event of it. What the
// mail says and who gets it is found out when the last rule has run: it tells of
// the ticket as it is saved.
func (s *save) enqueue(e rules.Effect) error {
	n := outbox.Notification{RuleID: s.rule.ID, Recipient: e.Text, Subject: e.Texts[0], Body: e.Texts[1]}
	if e.Field == "notification_group" {
		n.Group, n.Recipient = true, strconv.FormatInt(e.ID, 10)
	}
	// Mails of automations repeat what they were told to (contract rules.md §10).
	n.Suppress = s.rule != s.automation && s.suppresses()
	kind := "Notification"
	if e.Text == "requester_and_ccs" {
		kind = "NotificationWithCcs"
	}
	if err := s.tell(auditEvent{Type: kind, Subject: n.Subject, Body: &n.Body}); err != nil {
		return err
	}
	n.EventID = s.auditEvents[len(s.auditEvents)-1].ID
	s.notifications = append(s.notifications, n)
	return nil
}

// suppresses reports whether mails of triggers must not repeat what the ticket says.
func (s *save) suppresses() bool {
	return s.comment != nil && s.context().Suppressed(s.created, !s.change.Request, !s.staffOrSystem(s.comment.AuthorID))
}

// notify makes the mails that the rules want sent, and completes their events.
// Those show the texts as the rule has them: audits are for ever, and what a
// mail repeats of a comment goes when that is redacted. A notification that
// nobody gets leaves none.
func (s *save) notify() error {
	if len(s.notifications) == 0 {
		return nil
	}
	c := s.context()
	facts := outbox.Facts{AuditID: s.auditID, At: s.now, Locale: s.requesterLocale, CommentPrivate: s.comment != nil && !s.comment.Public, Sees: func(agent models.User, groups []int64) bool {
		return Sees(auth.Actor{AccountID: s.by.AccountID, User: agent, GroupIDs: groups}, &s.after)
	}}
	if s.comment != nil {
		facts.Author = s.comment.AuthorID
	}
	var texts []string
	for _, n := range s.notifications {
		texts = append(texts, n.Subject, n.Body)
	}
	if s.after.IsPublic && c.Needs(texts...).Survey {
		survey, err := surveyTx(s.tx, s.by.AccountID, &s.after, s.now)
		if err != nil {
			return err
		}
		c.SurveyURL = c.Base + SurveyPath + survey.Token
	}
	mails, err := outbox.Mails(s.tx, c, facts, s.notifications)
	if err != nil {
		return err
	}
	s.mails = mails
	s.auditEvents = slices.DeleteFunc(s.auditEvents, func(e auditEvent) bool {
		return slices.ContainsFunc(s.notifications, func(n outbox.Notification) bool { return n.EventID == e.ID }) &&
			!slices.ContainsFunc(mails, func(m models.OutboxMail) bool { return m.EventID == e.ID })
	})
	for i := range s.auditEvents {
		e := &s.auditEvents[i]
		for _, m := range mails {
			if m.EventID == e.ID {
				e.Recipients = append(e.Recipients, m.RecipientIDs...)
			}
		}
	}
	return nil
}

// context is what the texts of rules are rendered with: the ticket as it is by
// now. It keeps what was read.
func (s *save) context() *placeholders.Context {
	if s.texts == nil {
		s.texts = &placeholders.Context{Config: s.config, Now: s.now, Base: s.service.base(s.change.Base, s.config.Account), ActorID: s.by.ID(), Created: s.created}
		if c := s.comment; c != nil {
			s.texts.Comment = c
			for _, f := range s.files {
				s.texts.Files = append(s.texts.Files, f.Attachment)
			}
		}
	}
	t := &s.texts.Ticket
	*t, t.CustomFields = s.after, models.ToJSON(s.values)
	if len(s.auditEvents) > 0 {
		t.UpdatedAt = s.now // as it will be
	}
	return s.texts
}

// reply adds a comment that a rule makes. It is the system's, and no reply of an
// agent's in metrics.
func (s *save) reply(e rules.Effect) error {
	public := e.Field == "reply_public"
	fill, err := s.filler(e.Text)
	if err != nil {
		return err
	}
	text := fill(e.Text, liquid.Text, public)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	comment := &models.Comment{
		AccountID: s.by.AccountID, ID: id, TicketID: s.after.ID, AuditID: s.auditID, AuthorID: models.SystemUser, Type: "Comment",
		Public: public, CreatedAt: s.now, Via: models.ToJSON(viaRule(s.rule, "trigger")), Metadata: s.metadata(),
	}
	s.writeText(comment, &NewComment{Body: cutText(text, MaxComment)})
	s.ruleComments = append(s.ruleComments, comment)
	s.auditEvents = append(s.auditEvents, auditEvent{ID: id, Type: comment.Type, Via: s.ruleVia()})
	s.after.CommentCount++
	s.after.IsPublic = s.after.IsPublic || public
	return nil
}
