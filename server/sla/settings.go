package sla

import (
	"bytes"
	"encoding/json"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Settings say when the clocks of a policy's targets begin and end, beside what
// always holds; as policies keep and show them.
type Settings struct {
	FirstReply     FirstReplySettings     `json:"first_reply_time"`
	NextReply      NextReplySettings      `json:"next_reply_time"`
	PeriodicUpdate PeriodicUpdateSettings `json:"periodic_update_time"`
}

// FirstReplySettings are those of first_reply_time.
type FirstReplySettings struct {
	ForEndUser         bool `json:"activate_on_ticket_created_for_end_user"`
	ForEndUserWithNote bool `json:"activate_on_agent_ticket_created_for_end_user_with_internal_note"`
	ForwardedMail      bool `json:"activate_on_light_agent_on_email_forward_ticket_from_end_user"`
	ForAgent           bool `json:"activate_on_agent_created_ticket_for_self"`
	EndsWithNote       bool `json:"fulfill_on_agent_internal_note"`
}

// NextReplySettings are those of next_reply_time.
type NextReplySettings struct {
	EndsWithNote   bool `json:"fulfill_on_non_requesting_agent_internal_note_after_activation"`
	EndUserNote    bool `json:"activate_on_end_user_added_internal_note"`
	AskedByAgent   bool `json:"activate_on_agent_requested_ticket_with_public_comment_or_internal_note"`
	LightAgentNote bool `json:"activate_on_light_agent_internal_note"`
}

// PeriodicUpdateSettings are those of periodic_update_time.
type PeriodicUpdateSettings struct {
	Notes bool `json:"activate_on_agent_internal_note"`
}

// usual are the settings of a policy that says nothing of them.
func usual() Settings { return Settings{FirstReply: FirstReplySettings{ForEndUser: true}} }

func (c Change) applySettings(p *models.SLAPolicy) error {
	if len(c.Settings) == 0 {
		return nil
	}
	s := usual()
	if !bytes.Equal(c.Settings, []byte("null")) {
		if err := json.Unmarshal(p.MetricSettings, &s); err != nil {
			return err
		}
		if err := json.Unmarshal(c.Settings, &s); err != nil {
			return fault.InvalidField("metric_settings", "is not an object of settings")
		}
	}
	p.MetricSettings = models.ToJSON(s)
	return nil
}
