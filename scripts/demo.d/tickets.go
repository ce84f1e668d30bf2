package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/gen/client"
)

// mapping is what the file's words become in the account.
type mapping struct {
	me     int64            // who loads the file; the agent of its tickets
	people map[string]int64 // users by e-mail address
	fields fields
}

var statuses = map[string]string{"Open": "open", "Pending Customer Response": "pending", "Closed": "closed"}

func (r row) status() string { return statuses[r.state] }

var priorities = map[string]string{"Low": "low", "Medium": "normal", "High": "high", "Critical": "urgent"}

// A refund or a cancellation is something to do; the file's own word is kept in
// a custom field.
var types = map[string]string{
	"Technical issue": "incident", "Billing inquiry": "question", "Product inquiry": "question", "Refund request": "task", "Cancellation request": "task",
}

// The file does not say which social medium it was.
var channels = map[string]string{"Email": "email", "Phone": "voice", "Chat": "chat", "Social media": "any_channel"}

// firstDay is when tickets of the file begin that have no time at all.
var firstDay = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)

// created is a guess: the file tells when a ticket was answered and resolved,
// in no certain order, and not when it came. The day of the earlier began then.
func (r row) created() time.Time {
	first := r.responded
	if first.IsZero() || !r.resolved.IsZero() && r.resolved.Before(first) {
		first = r.resolved
	}
	if first.IsZero() {
		return firstDay
	}
	return first.Truncate(24 * time.Hour)
}

func (r row) updated() time.Time {
	last := r.created()
	for _, t := range []time.Time{r.responded, r.resolved} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// ticket is the row as it is imported: the description is the requester's, the
// resolution a public reply of ours at the time of resolution. What somebody
// answered or resolved is assigned to us.
func (m mapping) ticket(r row) client.TicketImportInput {
	requester := m.people[r.email]
	t := client.TicketImportInput{
		ExternalID: given(r.externalID()), Subject: given(r.subject), Status: pointer(r.status()),
		RequesterID: given(requester), SubmitterID: given(requester),
		CreatedAt: given(r.created()), UpdatedAt: given(r.updated()),
		CustomFields: m.fields.values(r), Tags: []string{"demo"},
		Comments: []client.TicketImportCommentInput{{AuthorID: given(requester), Body: given(r.text), CreatedAt: given(r.created())}},
	}
	if priority, ok := priorities[r.priority]; ok {
		t.Priority = given(priority)
	}
	if kind, ok := types[r.kind]; ok {
		t.Type = given(kind)
	}
	if channel, ok := channels[r.channel]; ok {
		t.Via = map[string]any{"channel": channel}
	}
	if r.status() != "open" {
		t.AssigneeID = given(m.me)
	}
	if !r.resolved.IsZero() {
		t.SolvedAt = given(r.resolved)
	}
	if r.resolution != "" {
		at := r.resolved
		if at.IsZero() {
			at = r.updated()
		}
		t.Comments = append(t.Comments, client.TicketImportCommentInput{AuthorID: given(m.me), Body: given(r.resolution), Public: given(true), CreatedAt: given(at)})
	}
	return t
}

func given[T any](v T) nullable.Nullable[T] { return nullable.NewNullableWithValue(v) }

// slug is text as a tag: "GoPro Hero" is gopro_hero.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	if len(words) == 0 {
		return fmt.Sprintf("%x", text)
	}
	return strings.Join(words, "_")
}

func pointer[T any](v T) *T { return &v }
