package tickets

import (
	"encoding/json"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/webhooks"
)

// webhookCall is a webhook that a rule calls, and what it sends.
type webhookCall struct {
	rule   int64
	effect rules.Effect
}

// callWebhook notes that the rule calls a webhook, and the event of it. As with
// mails, what is sent tells of the ticket as it is saved, and the event shows the
// text as the rule has it.
func (s *save) callWebhook(e rules.Effect) error {
	if err := s.tell(auditEvent{Type: "External", Resource: e.Text, Body: new(e.Body())}); err != nil {
		return err
	}
	s.calls = append(s.calls, webhookCall{s.rule.ID, e})
	return nil
}

// invoke makes what is sent to webhooks. Those are told what agents see.
func (s *save) invoke() error {
	if len(s.calls) == 0 {
		return nil
	}
	c := s.context()
	var texts []string
	for _, call := range s.calls {
		texts = append(texts, call.effect.Texts...)
		for _, p := range call.effect.Parameters {
			texts = append(texts, p[1])
		}
		if w, ok := s.config.Webhook(call.effect.Text); ok && strings.Contains(w.Endpoint, "{") {
			texts = append(texts, w.Endpoint)
		}
	}
	if err := c.Load(s.tx, c.Needs(texts...)); err != nil {
		return err
	}
	reader := *c
	reader.SurveyURL = "" // whoever has it votes in the requester's name
	for _, call := range s.calls {
		w, ok := s.config.Webhook(call.effect.Text)
		if !ok {
			continue
		}
		row := webhooks.Called(&w, call.effect.Texts, call.effect.Parameters, reader, s.now)
		row.RuleID, row.TicketID = &call.rule, &s.after.ID
		s.invocations = append(s.invocations, row)
	}
	return nil
}

// CallAgain makes anew what a rule asked to be delivered and whose texts failed:
// with the texts that the rule has now, and what they mean for the ticket as it is
// now. Of several calls of one webhook it is the first. It fails with
// fault.BadRequest where the rule does not call the webhook any more or the ticket
// is gone.
func (s *Service) CallAgain(tx *gorm.DB, by auth.Actor, failed models.WebhookInvocation) (models.WebhookInvocation, error) {
	sv, err := s.readWhereTx(tx, by, *failed.TicketID, "0::bigint", "t.account_id = ? AND t.deleted_at IS NULL", []any{by.AccountID})
	if fault.Is(err, fault.NotFound) {
		return failed, fault.New(fault.BadRequest, "The ticket that it tells of is not there any more")
	}
	if err != nil {
		return failed, err
	}
	effect, err := sv.callOf(*failed.RuleID, failed.WebhookID)
	if err != nil {
		return failed, err
	}
	sv.calls = []webhookCall{{*failed.RuleID, effect}}
	if err := sv.invoke(); err != nil {
		return failed, err
	}
	row := sv.invocations[0]
	row.MessageID = failed.MessageID
	return row, nil
}

// callOf is what a rule sends to a webhook.
func (s *save) callOf(rule int64, webhook string) (call rules.Effect, err error) {
	gone := fault.New(fault.BadRequest, "The rule that asked for it does not call the webhook any more")
	var list []models.Rule
	if err := s.tx.Find(&list, "id = ? AND kind IN ?", rule, []string{models.RuleTrigger, models.RuleAutomation}).Error; err != nil {
		return call, err
	}
	if _, usable := s.config.Webhook(webhook); len(list) == 0 || !usable {
		return call, gone
	}
	var actions []rules.Action
	if err := json.Unmarshal(list[0].Actions, &actions); err != nil {
		return call, err
	}
	actions = slices.DeleteFunc(actions, func(a rules.Action) bool { return a.Field != "notification_webhook" })
	list[0].Actions = models.ToJSON(actions)
	use := rules.Triggers
	if list[0].Kind == models.RuleAutomation {
		use = rules.Automations
	}
	compiled, err := rulebook.Compile(s.tx, s.by.AccountID, s.config, use, list)
	if err != nil {
		return call, err
	}
	err = compiled[0].Actions.For(&rules.Subject{}, func(e rules.Effect) error {
		if e.Text == webhook && call.Text == "" {
			call = e
		}
		return nil
	})
	if err == nil && call.Text == "" {
		err = gone
	}
	return call, err
}
