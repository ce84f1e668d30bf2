package tickets

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/rules"
)

// pastEvent is an event of an audit, as far as it tells of a change.
type pastEvent struct {
	Type      string          `json:"type"`
	FieldName string          `json:"field_name"`
	Value     json.RawMessage `json:"value"`
	Previous  json.RawMessage `json:"previous_value"`

	PreviousFollowers  []string `json:"previous_followers"`
	CurrentFollowers   []string `json:"current_followers"`
	PreviousCCs        []string `json:"previous_email_ccs"`
	CurrentCCs         []string `json:"current_email_ccs"`
	PreviousScheduleID *int64   `json:"previous_schedule_id"`
	NewScheduleID      *int64   `json:"new_schedule_id"`

	Via *struct {
		Source struct {
			From struct {
				ID    int64  `json:"id"`
				Title string `json:"title"`
			} `json:"from"`
		} `json:"source"`
	} `json:"via"`

	raw json.RawMessage
}

// rule is the trigger whose doing the event is; 0: the audit's own.
func (e pastEvent) rule() int64 {
	if e.Via == nil {
		return 0
	}
	return e.Via.Source.From.ID
}

// mail reports whether the event tells of a mail or the call of a webhook, which
// change nothing.
func (e pastEvent) mail() bool {
	return strings.HasPrefix(e.Type, "Notification") || e.Type == "External" || e.Type == articlesSent
}

// addresses are those of the people that the event names.
func (e pastEvent) addresses() []string {
	var all []string
	for _, list := range [][]string{e.PreviousFollowers, e.CurrentFollowers, e.PreviousCCs, e.CurrentCCs} {
		all = append(all, list...)
	}
	return all
}

// undo takes the change back. who has the ids of people by address.
func (e pastEvent) undo(st *rules.State, who map[string]int64) {
	switch t := st.Ticket; e.Type {
	case "FollowersChange":
		t.FollowerIDs = idsAmong(who, e.PreviousFollowers)
	case "EmailCcChange":
		t.EmailCCIDs = idsAmong(who, e.PreviousCCs)
	case "ScheduleAssignment":
		t.ScheduleID = e.PreviousScheduleID
	default:
		put(st, e.FieldName, e.Previous)
	}
}

// redo makes the change again.
func (e pastEvent) redo(st *rules.State, who map[string]int64) {
	e.Previous, e.PreviousScheduleID, e.PreviousFollowers, e.PreviousCCs = e.Value, e.NewScheduleID, e.CurrentFollowers, e.CurrentCCs
	e.undo(st, who)
}

// idsAmong are the ids of people. Whoever has no longer the address has 0: he
// was there, and nobody knows who he is.
func idsAmong(who map[string]int64, addresses []string) models.IDs {
	ids := make(models.IDs, len(addresses))
	for i, a := range addresses {
		ids[i] = who[strings.ToLower(a)]
	}
	return ids
}

// put gives a field the value that an event tells of.
func put(st *rules.State, field string, value json.RawMessage) {
	v := gjson.ParseBytes(value)
	text := func() *string {
		if v.Type != gjson.String {
			return nil
		}
		return &v.Str
	}
	number := func() *int64 {
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return nil
		}
		return &n
	}
	t := st.Ticket
	switch field {
	case "":
	case "subject":
		t.Subject = text()
	case "requester_id":
		t.RequesterID = optionalID(number())
	case "organization_id":
		t.OrganizationID = number()
	case "brand_id":
		t.BrandID = optionalID(number())
	case "ticket_form_id":
		t.TicketFormID = number()
	case "custom_status_id":
		t.CustomStatusID = optionalID(number())
	case "status":
		t.Status = v.Str
	case "priority":
		t.Priority = text()
	case "type":
		t.Type = text()
	case "assignee_id":
		t.AssigneeID = number()
	case "group_id":
		t.GroupID = number()
	case "problem_id":
		t.ProblemID = number()
	case "external_id":
		t.ExternalID = text()
	case "due_at":
		t.DueAt = nil
		if at, err := time.Parse(time.RFC3339, v.Str); err == nil {
			t.DueAt = &at
		}
	case "tags":
		t.Tags = models.Strings{}
		for _, tag := range v.Array() {
			t.Tags = append(t.Tags, tag.Str)
		}
	case "satisfaction_score":
		t.Satisfaction = withMember(t.Satisfaction, "score", v.Str)
	case "satisfaction_comment":
		t.Satisfaction = withMember(t.Satisfaction, "comment", v.Str)
	default:
		if _, err := strconv.ParseInt(field, 10, 64); err != nil {
			return // nothing that rules ask about
		}
		if v.Type == gjson.Null {
			delete(st.Values, field)
		} else {
			st.Values[field] = value
		}
	}
}

// withMember is a rating with another value of a member.
func withMember(rating models.JSON, name, value string) models.JSON {
	all := map[string]any{}
	_ = json.Unmarshal(rating, &all) // of none there is nothing
	all[name] = value
	return models.ToJSON(all)
}
