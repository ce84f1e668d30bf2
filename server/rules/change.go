package rules

import (
	"slices"
	"strconv"
)

// Difference is what an effect makes of a field. Both sides are in the form of
// conditions: ids are texts, "" is none.
type Difference struct {
	Field string `json:"field"`
	From  any    `json:"from"`
	To    any    `json:"to"`
}

// Difference is what an effect would make of the ticket, and false if nothing:
// it is so already, or the effect is a message.
func (e Effect) Difference(s *Subject) (Difference, bool) {
	t := s.After.Ticket
	d := Difference{Field: e.Field}
	switch e.Field {
	case "status":
		d.From, d.To = t.Status, e.Text
	case "type":
		d.From, d.To = text(t.Type), e.Text
	case "priority":
		d.From, d.To = text(t.Priority), e.Text
	case "custom_status_id":
		d.From, d.To = idText(&t.CustomStatusID), idText(&e.ID)
	case "ticket_form_id":
		d.From, d.To = idText(t.TicketFormID), idText(&e.ID)
	case "group_id":
		d.From, d.To = idText(t.GroupID), idText(&e.ID)
	case "assignee_id":
		d.From, d.To = idText(t.AssigneeID), idText(&e.ID)
	case "brand_id":
		d.From, d.To = idText(&t.BrandID), idText(&e.ID)
	case "set_schedule":
		d.Field, d.From, d.To = "schedule_id", idText(t.ScheduleID), idText(&e.ID)
	case "locale_id":
		d.From, d.To = s.Requester.Locale, e.Text
	case "satisfaction_score":
		d.From, d.To = score(t), "false"
	case "set_tags", "current_tags", "remove_tags":
		return e.tags(t.Tags)
	case "custom_fields":
		key := strconv.FormatInt(e.ID, 10)
		d.Field, d.From, d.To = "custom_fields_"+key, plain(s.After.Values[key]), plain(e.Value)
	case "follower":
		d.Field, d.From, d.To = "followers", "", idText(&e.ID)
		return d, !slices.Contains(t.FollowerIDs, e.ID)
	case "cc":
		d.Field, d.From, d.To = "ccs", "", idText(&e.ID)
		return d, !slices.Contains(t.EmailCCIDs, e.ID)
	default:
		return d, false
	}
	return d, d.From != d.To
}

func (e Effect) tags(now []string) (Difference, bool) {
	to := []string{}
	switch e.Field {
	case "set_tags":
		to = append(to, e.Texts...)
	case "current_tags":
		to = append(to, now...)
		for _, tag := range e.Texts {
			if !slices.Contains(to, tag) {
				to = append(to, tag)
			}
		}
	case "remove_tags":
		for _, tag := range now {
			if !slices.Contains(e.Texts, tag) {
				to = append(to, tag)
			}
		}
	}
	from := slices.Clone(now)
	if from == nil {
		from = []string{}
	}
	return Difference{"tags", from, to}, !slices.Equal(slices.Sorted(slices.Values(from)), slices.Sorted(slices.Values(to)))
}

func idText(id *int64) string {
	if id == nil || *id == 0 {
		return ""
	}
	return strconv.FormatInt(*id, 10)
}

// Message is something that an effect would send or say, as the rule has it.
type Message struct {
	Field     string `json:"field"`
	Recipient string `json:"recipient"`
	Subject   string `json:"subject"`
	Body      string `json:"body"`
}

// Message is the message of an effect, if it is one.
func (e Effect) Message() (Message, bool) {
	switch e.Field {
	case "notification_user", "notification_group":
		return Message{e.Field, e.Text, e.Texts[0], e.Texts[1]}, true
	case "reply_public", "reply_internal":
		return Message{Field: e.Field, Body: e.Text}, true
	}
	return Message{}, false
}
