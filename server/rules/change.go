package rules

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Difference is a field in which two states of a ticket differ. Both sides are
// in the form of conditions: ids are texts, "" is none; of tags, followers and
// CCs they are lists of texts.
type Difference struct {
	Field    string
	From, To any
}

// Differences are the fields of which rules know and in which a ticket became
// another one.
func Differences(from, to State) []Difference {
	var out []Difference
	a, b := from.Ticket, to.Ticket
	for _, d := range []Difference{
		{"status", a.Status, b.Status}, {"custom_status_id", idText(&a.CustomStatusID), idText(&b.CustomStatusID)},
		{"ticket_form_id", idText(a.TicketFormID), idText(b.TicketFormID)},
		{"type", text(a.Type), text(b.Type)}, {"priority", text(a.Priority), text(b.Priority)},
		{"group_id", idText(a.GroupID), idText(b.GroupID)}, {"assignee_id", idText(a.AssigneeID), idText(b.AssigneeID)},
		{"brand_id", idText(&a.BrandID), idText(&b.BrandID)}, {"schedule_id", idText(a.ScheduleID), idText(b.ScheduleID)},
		{"problem_id", idText(a.ProblemID), idText(b.ProblemID)}, {"due_at", moment(a.DueAt), moment(b.DueAt)},
		{"satisfaction_score", score(a), score(b)},
	} {
		if d.From != d.To {
			out = append(out, d)
		}
	}
	for _, list := range []struct {
		field    string
		from, to []string
	}{{"tags", a.Tags, b.Tags}, {"followers", idTexts(a.FollowerIDs), idTexts(b.FollowerIDs)}, {"ccs", idTexts(a.EmailCCIDs), idTexts(b.EmailCCIDs)}} {
		if !slices.Equal(slices.Sorted(slices.Values(list.from)), slices.Sorted(slices.Values(list.to))) {
			out = append(out, Difference{list.field, append([]string{}, list.from...), append([]string{}, list.to...)}) // [] and not null
		}
	}
	keys := slices.Collect(maps.Keys(from.Values))
	for key := range to.Values {
		if _, both := from.Values[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if was, is := plain(from.Values[key]), plain(to.Values[key]); was != is {
			out = append(out, Difference{"custom_fields_" + key, was, is})
		}
	}
	return out
}

func moment(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func idTexts(ids []int64) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = idText(&id)
	}
	return out
}

func idText(id *int64) string {
	if id == nil || *id == 0 {
		return ""
	}
	return strconv.FormatInt(*id, 10)
}

// Message is something that an effect would send or say, as the rule has it.
type Message struct {
	Field     string
	Recipient string
	Subject   string
	Body      string
}

// Message is the message of an effect, if it is one.
func (e Effect) Message() (Message, bool) {
	switch e.Field {
	case "notification_user", "notification_group", "deflection":
		return Message{e.Field, e.Text, e.Texts[0], e.Texts[1]}, true
	case "notification_webhook":
		return Message{Field: e.Field, Recipient: e.Text, Body: e.Body()}, true
	case "reply_public", "reply_internal":
		return Message{Field: e.Field, Body: e.Text}, true
	}
	return Message{}, false
}
