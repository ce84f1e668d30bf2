package tickets

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/helpd/helpd/models"
)

// AuditRecord is an audit with the comments and files that its events show.
type AuditRecord struct {
	models.Audit
	Comments map[int64]CommentRecord // by event id
}

// auditEvent is one event as it is kept. Members that a type lacks are absent.
type auditEvent struct {
	ID            int64  `json:"id"`
	Type          string `json:"type"`
	Value         *any   `json:"value,omitempty"`
	FieldName     string `json:"field_name,omitempty"`
	PreviousValue *any   `json:"previous_value,omitempty"`
	CommentID     int64  `json:"comment_id,omitempty"`
	AttachmentID  int64  `json:"attachment_id,omitempty"`
	Public        *bool  `json:"public,omitempty"`

	Score      string `json:"score,omitempty"`
	AssigneeID *any   `json:"assignee_id,omitempty"`
	Body       any    `json:"body,omitempty"` // a text; of articlesSent a list
	CauseID    *int   `json:"cause_id,omitempty"`
	CauseName  string `json:"cause_name,omitempty"`

	MacroID    string `json:"macro_id,omitempty"`
	MacroTitle string `json:"macro_title,omitempty"`

	Subject    string  `json:"subject,omitempty"`
	Recipients []int64 `json:"recipients,omitempty"`
	Resource   string  `json:"resource,omitempty"` // the webhook that was called

	PreviousFollowers *[]string `json:"previous_followers,omitempty"`
	CurrentFollowers  *[]string `json:"current_followers,omitempty"`
	PreviousCCs       *[]string `json:"previous_email_ccs,omitempty"`
	CurrentCCs        *[]string `json:"current_email_ccs,omitempty"`

	PreviousScheduleID *any `json:"previous_schedule_id,omitempty"`
	NewScheduleID      *any `json:"new_schedule_id,omitempty"`

	Via *Via `json:"via,omitempty"` // of a rule; nil: the audit's
}

// toldState is a state of a ticket up to which the events of an audit tell how it
// came about. First the caller's change is told, then that of each rule.
type toldState struct {
	anything bool
	ticket   models.Ticket
	values   map[string]json.RawMessage
}

// field is one audited field of a ticket: how events name it and its value in
// their form, in which ids are strings.
type field struct {
	name    string
	value   func(t *models.Ticket) any
	differs func(a, b *models.Ticket) bool
}

func idText(id *int64) any {
	if id == nil {
		return nil
	}
	return strconv.FormatInt(*id, 10)
}

func optional(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func timeText(t *models.Ticket) any {
	if t.DueAt == nil {
		return nil
	}
	return t.DueAt.UTC().Format("2006-01-02T15:04:05Z")
}

// audited are the fields in the order in which a create tells them (contract
// tickets.md §5). Those marked always are told also when they are empty.
var audited = []struct {
	field
	always bool
}{
	{field{"subject", func(t *models.Ticket) any { return optional(t.Subject) }, func(a, b *models.Ticket) bool { return !same(a.Subject, b.Subject) }}, true},
	{field{"requester_id", func(t *models.Ticket) any { return idText(&t.RequesterID) }, func(a, b *models.Ticket) bool { return a.RequesterID != b.RequesterID }}, true},
	{field{"organization_id", func(t *models.Ticket) any { return idText(t.OrganizationID) }, func(a, b *models.Ticket) bool { return !same(a.OrganizationID, b.OrganizationID) }}, false},
	{field{"brand_id", func(t *models.Ticket) any { return idText(&t.BrandID) }, func(a, b *models.Ticket) bool { return a.BrandID != b.BrandID }}, true},
	{field{"ticket_form_id", func(t *models.Ticket) any { return idText(t.TicketFormID) }, func(a, b *models.Ticket) bool { return !same(a.TicketFormID, b.TicketFormID) }}, false},
	{field{"custom_status_id", func(t *models.Ticket) any { return idText(&t.CustomStatusID) }, func(a, b *models.Ticket) bool { return a.CustomStatusID != b.CustomStatusID }}, true},
	{field{"status", func(t *models.Ticket) any { return t.Status }, func(a, b *models.Ticket) bool { return a.Status != b.Status }}, true},
	{field{"priority", func(t *models.Ticket) any { return optional(t.Priority) }, func(a, b *models.Ticket) bool { return !same(a.Priority, b.Priority) }}, true},
	{field{"type", func(t *models.Ticket) any { return optional(t.Type) }, func(a, b *models.Ticket) bool { return !same(a.Type, b.Type) }}, true},
	{field{"tags", func(t *models.Ticket) any { return []string(t.Tags) }, func(a, b *models.Ticket) bool { return !sameSet(a.Tags, b.Tags) }}, false},
	{field{"assignee_id", func(t *models.Ticket) any { return idText(t.AssigneeID) }, func(a, b *models.Ticket) bool { return !same(a.AssigneeID, b.AssigneeID) }}, false},
	{field{"group_id", func(t *models.Ticket) any { return idText(t.GroupID) }, func(a, b *models.Ticket) bool { return !same(a.GroupID, b.GroupID) }}, false},
	{field{"problem_id", func(t *models.Ticket) any { return idText(t.ProblemID) }, func(a, b *models.Ticket) bool { return !same(a.ProblemID, b.ProblemID) }}, false},
	{field{"external_id", func(t *models.Ticket) any { return optional(t.ExternalID) }, func(a, b *models.Ticket) bool { return !same(a.ExternalID, b.ExternalID) }}, false},
	{field{"due_at", timeText, func(a, b *models.Ticket) bool {
		return (a.DueAt == nil) != (b.DueAt == nil) || a.DueAt != nil && !a.DueAt.Equal(*b.DueAt)
	}}, false},
}

// sameSet reports whether two lists of tags hold the same; their order says nothing.
func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// tellChanges makes the audit's events out of what became different since they
// were made last.
func (s *save) tellChanges() error {
	was, creates := s.tells, s.created && !s.tells.anything
	s.tells = toldState{anything: true, ticket: s.after, values: cloneValues(s.values)}
	if s.comment != nil && !was.anything {
		s.auditEvents = append(s.auditEvents, auditEvent{ID: s.comment.ID, Type: s.comment.Type})
	}
	for _, f := range audited {
		value := f.value(&s.after)
		switch {
		case creates && (f.always || f.differs(&was.ticket, &s.after) && value != nil):
			if tags, ok := value.([]string); ok && len(tags) == 0 {
				continue
			}
			if err := s.tell(auditEvent{Type: "Create", FieldName: f.name, Value: &value}); err != nil {
				return err
			}
		case !creates && f.differs(&was.ticket, &s.after):
			previous := f.value(&was.ticket)
			if err := s.tell(auditEvent{Type: "Change", FieldName: f.name, Value: &value, PreviousValue: &previous}); err != nil {
				return err
			}
		}
	}
	if err := s.tellFields(was.values, creates); err != nil {
		return err
	}
	if err := s.tellCollaborators(&was.ticket); err != nil {
		return err
	}
	if before, after := was.ticket.ScheduleID, s.after.ScheduleID; !same(before, after) {
		if err := s.tell(auditEvent{Type: "ScheduleAssignment", PreviousScheduleID: new(any(before)), NewScheduleID: new(any(after))}); err != nil {
			return err
		}
	}
	if err := s.tellSatisfaction(); err != nil {
		return err
	}
	if was.anything {
		return nil
	}
	return s.tellRecovery()
}

func (s *save) tell(e auditEvent) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	e.ID, e.Via = id, s.ruleVia()
	s.auditEvents = append(s.auditEvents, e)
	return nil
}

// tellFields makes the events of custom fields, which are named by their id.
func (s *save) tellFields(before map[string]json.RawMessage, creates bool) error {
	for i := range s.config.Fields {
		f := &s.config.Fields[i]
		key := strconv.FormatInt(f.ID, 10)
		now, was := s.values[key], before[key]
		if !f.Custom() || string(now) == string(was) {
			continue
		}
		value, previous := fieldValue(now), fieldValue(was)
		e := auditEvent{Type: "Change", FieldName: key, Value: &value, PreviousValue: &previous}
		if creates {
			e = auditEvent{Type: "Create", FieldName: key, Value: &value}
		}
		if err := s.tell(e); err != nil {
			return err
		}
	}
	return nil
}

func fieldValue(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	return models.JSON(raw)
}

// tellCollaborators makes the events of followers and CCs, which show addresses.
func (s *save) tellCollaborators(was *models.Ticket) error {
	followers, ccs := !slices.Equal(was.FollowerIDs, s.after.FollowerIDs), !slices.Equal(was.EmailCCIDs, s.after.EmailCCIDs)
	if !followers && !ccs {
		return nil
	}
	var unknown models.IDs
	for _, list := range []models.IDs{was.FollowerIDs, s.after.FollowerIDs, was.EmailCCIDs, s.after.EmailCCIDs} {
		for _, id := range list {
			if _, ok := s.people.byID[id]; !ok {
				unknown = append(unknown, id)
			}
		}
	}
	if err := s.readPeople(unknown, nil); err != nil {
		return err
	}
	if followers {
		before, after := s.addresses(was.FollowerIDs), s.addresses(s.after.FollowerIDs)
		if err := s.tell(auditEvent{Type: "FollowersChange", PreviousFollowers: &before, CurrentFollowers: &after}); err != nil {
			return err
		}
	}
	if ccs {
		before, after := s.addresses(was.EmailCCIDs), s.addresses(s.after.EmailCCIDs)
		return s.tell(auditEvent{Type: "EmailCcChange", PreviousCCs: &before, CurrentCCs: &after})
	}
	return nil
}

func (s *save) addresses(ids models.IDs) []string {
	out := []string{}
	for _, id := range ids {
		if p := s.people.byID[id]; p.Email != nil {
			out = append(out, *p.Email)
		}
	}
	return out
}

// audit is the audit of this save as callers see it. It is made once, when all
// its events are there.
func (s *save) audit() AuditRecord {
	if s.record == nil {
		s.record = new(s.makeAudit())
	}
	return *s.record
}

func (s *save) makeAudit() AuditRecord {
	record := AuditRecord{Audit: models.Audit{
		Tenant: models.Tenant{AccountID: s.by.AccountID, ID: s.auditID}, TicketID: s.after.ID, AuthorID: s.authorID(),
		Via: models.ToJSON(s.auditVia), Metadata: s.metadata(), CreatedAt: s.now, Events: models.JSON("[]"),
	}}
	if len(s.auditEvents) > 0 {
		record.Events = models.ToJSON(s.auditEvents)
	}
	if s.comment != nil {
		s.comment.Via, s.comment.Metadata = record.Via, record.Metadata
		record.Comments = map[int64]CommentRecord{s.comment.ID: {Comment: *s.comment, Files: s.files}}
	}
	for _, c := range s.ruleComments {
		if record.Comments == nil {
			record.Comments = map[int64]CommentRecord{}
		}
		record.Comments[c.ID] = CommentRecord{Comment: *c}
	}
	return record
}

// authorID is who made the change: of what is imported, the comment's author.
func (s *save) authorID() int64 {
	if s.silent && s.comment != nil {
		return s.comment.AuthorID
	}
	if id := s.by.ID(); id != 0 {
		return id
	}
	return s.after.RequesterID
}
