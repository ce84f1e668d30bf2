package tickets

import (
	"encoding/json"

	"github.com/helpd/helpd/models"
)

// followUp makes a new ticket the follow-up of a closed one: it takes over tags
// and custom fields that the caller does not set, and each names the other. A
// source that is missing or not closed is ignored, as the original does.
func (s *save) followUp() error {
	id := s.change.FollowupOf
	if id == 0 || !s.created || s.held != nil { // a recovery comes here again
		return nil
	}
	var source models.Ticket
	where, args := Visible(s.by)
	err := s.tx.Raw("SELECT "+columns+" FROM tickets t WHERE t.id = ? AND t.status = 'closed' AND "+where+" FOR UPDATE", append([]any{id}, args...)...).
		Row().Scan(dest(&source)...)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	s.after.FollowupSourceID = &id
	if s.change.Tags == nil {
		s.change.Tags = append([]string{}, source.Tags...)
	}
	_ = json.Unmarshal(source.CustomFields, &s.values) // written by ourselves
	s.after.CustomFields = source.CustomFields
	if s.change.Via == nil {
		rel := "follow_up"
		via := viaChannel("api")
		via.Source.From = map[string]any{"ticket_id": id, "subject": source.Subject}
		via.Source.Rel = &rel
		s.change.Via = &via
	}
	return s.tx.Exec("UPDATE tickets SET followup_ids = followup_ids || ?::bigint, generated_at = ? WHERE account_id = ? AND id = ?",
		s.after.ID, s.service.now(), s.by.AccountID, id).Error
}
