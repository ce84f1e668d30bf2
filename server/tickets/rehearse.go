package tickets

import (
	"encoding/json"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rules"
)

// rehearsal is what saves that are never written share, so that there are as many
// statements however many they are.
type rehearsal struct {
	people  people
	targets map[string]error // see save.checkTargets
}

// rehearse tells what a rule would make of the tickets for which it holds: each
// effect is carried out as a save does it, one after the other, and nothing is
// written. Mails and comments are told with their placeholders and not made.
func (s *Service) rehearse(tx *gorm.DB, by auth.Actor, config *fields.Config, r *rules.Rule, matches []DryMatch) error {
	shared := &rehearsal{people: nobody(), targets: map[string]error{}}
	var ids models.IDs
	for _, m := range matches {
		if id := m.subject.After.Ticket.AssigneeID; id != nil {
			ids = append(ids, *id)
		}
		_ = r.Actions.For(m.subject, func(e rules.Effect) error { // it never fails
			switch e.Field {
			case "assignee_id", "follower", "cc":
				ids = append(ids, e.ID)
			}
			return nil
		})
	}
	if err := shared.people.read(tx, by.AccountID, ids, nil); err != nil {
		return err
	}
	for i := range matches {
		sv := &save{service: s, tx: tx, by: by, config: config, rehearsal: shared}
		if err := sv.rehearse(r, &matches[i]); err != nil {
			return err
		}
	}
	return nil
}

// rehearse carries out a rule on the ticket of a match.
func (s *save) rehearse(r *rules.Rule, m *DryMatch) error {
	subject := m.subject
	s.now, s.created, s.metric, s.people = subject.Now, subject.Before.Ticket == nil, *subject.Metric, s.rehearsal.people
	s.ids = idBlock{1, 64} // for a rating, which nobody keeps
	if !s.created {
		s.before, s.valuesBefore = *subject.Before.Ticket, subject.Before.Values
	}
	was, locale := snapshotOf(subject.After), subject.Requester.Locale
	s.after, s.values = *subject.After.Ticket, cloneValues(subject.After.Values)
	s.after.CustomFields = models.ToJSON(s.values)
	s.rating = ratingOf(&s.after)
	subject.After = rules.State{Ticket: &s.after, Values: s.values}
	err := s.actBy(r, subject, func(e rules.Effect) error {
		if message, ok := e.Message(); ok {
			m.Messages = append(m.Messages, message)
			return nil
		}
		return s.carryOut(e)
	})
	if err != nil {
		return err
	}
	m.Changes = rules.Differences(was, subject.After)
	if to := subject.Requester.Locale; to != locale {
		m.Changes = append(m.Changes, rules.Difference{Field: "locale_id", From: locale, To: to})
	}
	return nil
}

// ratingOf is the rating that a ticket carries.
func ratingOf(t *models.Ticket) *rating {
	r := &rating{SatisfactionRating: models.SatisfactionRating{AccountID: t.AccountID, TicketID: t.ID}}
	var carried struct {
		ID      int64   `json:"id"`
		Score   string  `json:"score"`
		Comment *string `json:"comment"`
	}
	_ = json.Unmarshal(t.Satisfaction, &carried) // of none there is nothing
	r.ID, r.Score, r.Comment = carried.ID, carried.Score, carried.Comment
	r.before, r.told = r.SatisfactionRating, r.SatisfactionRating
	return r
}

// checkTargets holds the lookups among custom fields that became others against
// the records that there are. Saves that rehearse a rule all ask for the same
// ones.
func (s *save) checkTargets(had models.JSON) error {
	if s.rehearsal == nil {
		return s.service.fields.CheckTargetsTx(s.tx, s.by, &s.config.Definitions, had, s.after.CustomFields)
	}
	given := map[string]json.RawMessage{}
	for _, v := range s.change.CustomFields {
		key := strconv.FormatInt(v.ID, 10)
		given[key] = s.values[key]
	}
	now := models.ToJSON(given)
	err, checked := s.rehearsal.targets[string(now)]
	if !checked {
		err = s.service.fields.CheckTargetsTx(s.tx, s.by, &s.config.Definitions, models.JSON("{}"), now)
		s.rehearsal.targets[string(now)] = err
	}
	return err
}
