package tickets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/helpd/helpd/models"
)

func (w *world) metric(id int64) models.TicketMetric {
	w.Helper()
	sets, err := w.Metrics(w.ctx, w.admin, []int64{id})
	if err != nil {
		w.Fatal(err)
	}
	return sets[id]
}

// auditsOf are all audits of a ticket in the order of time.
func (w *world) auditsOf(id int64) []models.Audit {
	w.Helper()
	var list []models.Audit
	if err := w.db.WithContext(w.ctx).Where("ticket_id = ?", id).Order("created_at, id").Find(&list).Error; err != nil {
		w.Fatal(err)
	}
	return list
}

// auditedEvent is one event of an audit, as clients read it.
type auditedEvent struct {
	ID            int64           `json:"id"`
	Type          string          `json:"type"`
	FieldName     string          `json:"field_name"`
	Value         json.RawMessage `json:"value"`
	PreviousValue json.RawMessage `json:"previous_value"`
	CommentID     int64           `json:"comment_id"`
	Public        *bool           `json:"public"`
	Followers     []string        `json:"current_followers"`
	WasFollowers  []string        `json:"previous_followers"`
	CCs           []string        `json:"current_email_ccs"`
	WasCCs        []string        `json:"previous_email_ccs"`
}

func eventsOf(a models.Audit) []auditedEvent {
	var list []auditedEvent
	_ = json.Unmarshal(a.Events, &list)
	return list
}

// state is a ticket as its audits tell it: fields in the form of events, and
// which of its comments are public.
type state struct {
	fields         map[string]string
	followers, ccs []string
	comments       map[int64]bool
}

// replayed replays the audits of a ticket, in which every event must start from
// where the ones before ended, and holds the result against the ticket.
func (w *world) replayed(id int64) state {
	w.Helper()
	s := state{fields: map[string]string{}, comments: map[int64]bool{}}
	var last time.Time
	for i, a := range w.auditsOf(id) {
		if a.CreatedAt.Before(last) || len(eventsOf(a)) == 0 {
			w.Errorf("audit %d of ticket %d: at %s after %s, events %s", i, id, a.CreatedAt, last, a.Events)
		}
		last = a.CreatedAt
		for _, e := range eventsOf(a) {
			w.replay(&s, id, i, e)
		}
	}
	w.sameAsKept(id, s)
	return s
}

func (w *world) replay(s *state, id int64, i int, e auditedEvent) {
	w.Helper()
	switch e.Type {
	case "Create":
		if _, known := s.fields[e.FieldName]; known || i != 0 {
			w.Errorf("ticket %d: %s is created in audit %d", id, e.FieldName, i)
		}
		s.fields[e.FieldName] = string(e.Value)
	case "Change":
		was, known := s.fields[e.FieldName]
		if !known {
			was = "null"
			if e.FieldName == "tags" {
				was = "[]"
			}
		}
		if string(e.PreviousValue) != was || string(e.Value) == was {
			w.Errorf("ticket %d, audit %d: %s goes from %s to %s, and was %s", id, i, e.FieldName, e.PreviousValue, e.Value, was)
		}
		s.fields[e.FieldName] = string(e.Value)
	case "Comment":
		var public bool
		w.scan(&public, "SELECT public FROM comments WHERE account_id = ? AND id = ? AND ticket_id = ?", w.admin.AccountID, e.ID, id)
		s.comments[e.ID] = public
	case "CommentPrivacyChange":
		s.comments[e.CommentID] = *e.Public
	case "FollowersChange":
		if !slices.Equal(e.WasFollowers, s.followers) {
			w.Errorf("ticket %d, audit %d: followers were %v, and %v", id, i, s.followers, e.WasFollowers)
		}
		s.followers = e.Followers
	case "EmailCcChange":
		if !slices.Equal(e.WasCCs, s.ccs) {
			w.Errorf("ticket %d, audit %d: CCs were %v, and %v", id, i, s.ccs, e.WasCCs)
		}
		s.ccs = e.CCs
	case "CommentRedactionEvent":
	default:
		w.Errorf("ticket %d, audit %d: a %s", id, i, e.Type)
	}
}

// sameAsKept holds a replayed state against the ticket's row and its comments.
func (w *world) sameAsKept(id int64, s state) {
	w.Helper()
	var t models.Ticket
	if err := w.db.WithContext(w.ctx).Take(&t, "id = ?", id).Error; err != nil {
		w.Fatal(err)
	}
	want := map[string]any{
		"subject": t.Subject, "requester_id": texted(&t.RequesterID), "organization_id": texted(t.OrganizationID), "brand_id": texted(&t.BrandID),
		"ticket_form_id": texted(t.TicketFormID), "custom_status_id": texted(&t.CustomStatusID), "status": t.Status, "priority": t.Priority,
		"type": t.Type, "tags": []string(t.Tags), "assignee_id": texted(t.AssigneeID), "group_id": texted(t.GroupID),
		"problem_id": texted(t.ProblemID), "external_id": t.ExternalID, "due_at": due(t.DueAt),
	}
	if t.DeletedAt != nil {
		want["status"] = "deleted"
	}
	values := map[string]json.RawMessage{}
	_ = json.Unmarshal(t.CustomFields, &values)
	for key, value := range values {
		want[key] = value
	}
	for name, value := range want {
		kept, _ := json.Marshal(value)
		got, known := s.fields[name]
		if !known {
			got = "null"
			if name == "tags" {
				got = "[]"
			}
		}
		if got != string(kept) {
			w.Errorf("ticket %d: %s is %s, and by its audits %s", id, name, kept, got)
		}
	}
	for name, value := range s.fields {
		if _, known := want[name]; !known && value != "null" {
			w.Errorf("ticket %d: %s is not set, and by its audits %s", id, name, value)
		}
	}
	if a, b := w.addresses(t.FollowerIDs), w.addresses(t.EmailCCIDs); !slices.Equal(a, s.followers) || !slices.Equal(b, s.ccs) {
		w.Errorf("ticket %d: followed by %v, %v copied, and by its audits %v, %v", id, a, b, s.followers, s.ccs)
	}
	public := 0
	for _, p := range s.comments {
		if p {
			public++
		}
	}
	if t.CommentCount != len(s.comments) || t.IsPublic != (public > 0) {
		w.Errorf("ticket %d: %d comments, public %v, and by its audits %d and %d public", id, t.CommentCount, t.IsPublic, len(s.comments), public)
	}
	if n := w.count("SELECT count(*) FROM comments WHERE account_id = ? AND ticket_id = ?", w.admin.AccountID, id); n != t.CommentCount {
		w.Errorf("ticket %d: %d comments, and %d counted", id, t.CommentCount, n)
	}
}

func (w *world) addresses(ids []int64) []string {
	w.Helper()
	var out []string
	for _, id := range ids {
		var email string
		w.scan(&email, "SELECT email FROM users WHERE account_id = ? AND id = ?", w.admin.AccountID, id)
		out = append(out, email)
	}
	return out
}

func texted(id *int64) *string {
	if id == nil {
		return nil
	}
	text := strconv.FormatInt(*id, 10)
	return &text
}

func due(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := at.UTC().Format("2006-01-02T15:04:05Z")
	return &text
}

// stations counts in the audits how often a field got a value.
func (w *world) stations(id int64, field string) int {
	w.Helper()
	n := 0
	for _, a := range w.auditsOf(id) {
		for _, e := range eventsOf(a) {
			if e.FieldName == field && string(e.Value) != "null" {
				n++
			}
		}
	}
	return n
}

func (s state) String() string { return fmt.Sprint(s.fields, s.followers, s.ccs, s.comments) }
