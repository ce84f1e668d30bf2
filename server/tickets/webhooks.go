package tickets

import (
	"strings"

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
