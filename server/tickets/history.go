package tickets

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// moment is one audit of a ticket as rules saw it: what the ticket was before,
// what the caller made of it, and what each rule then did.
type moment struct {
	audit   models.Audit
	subject *rules.Subject
	events  []pastEvent // of the audit
}

// pastEvent is an event of an audit, as far as it tells of a change.
type pastEvent struct {
	Type      string          `json:"type"`
	FieldName string          `json:"field_name"`
	Value     json.RawMessage `json:"value"`
	Previous  json.RawMessage `json:"previous_value"`
	Via       *struct {
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

// past is tickets and what happened to them lately.
type past struct {
	tickets map[int64]*models.Ticket
	metrics map[int64]*models.TicketMetric
	audits  []models.Audit // the newest first; of each ticket without a gap
}

// moments undoes the audits of each ticket from what it is now. People and
// organizations are as they are now, and so are the counts of metrics.
func (p past) moments(ctx context.Context, s *Service, account int64) ([]moment, error) {
	states := map[int64]*rules.State{}
	for id, t := range p.tickets {
		states[id] = &rules.State{Ticket: t, Values: fields.Values(t.CustomFields)}
	}
	all := make([]moment, 0, len(p.audits))
	for _, a := range p.audits {
		st := states[a.TicketID]
		if st == nil {
			continue
		}
		m := moment{audit: a, subject: &rules.Subject{Now: a.CreatedAt, Metric: p.metrics[a.TicketID], Via: gjson.GetBytes(a.Via, "channel").Str, By: rules.User{ID: a.AuthorID}}}
		var raw []json.RawMessage
		if err := json.Unmarshal(a.Events, &raw); err != nil {
			return nil, err
		}
		created := false
		for _, text := range raw {
			e := pastEvent{raw: text}
			if err := json.Unmarshal(text, &e); err != nil {
				continue // of another shape: it tells of no field
			}
			m.events, created = append(m.events, e), created || e.Type == "Create"
		}
		for _, e := range slices.Backward(m.events) {
			if e.rule() != 0 {
				undo(st, e)
			}
		}
		m.subject.After = snapshotOf(*st)
		for _, e := range slices.Backward(m.events) {
			if e.rule() == 0 {
				undo(st, e)
			}
		}
		if !created {
			m.subject.Before = snapshotOf(*st)
		}
		all = append(all, m)
	}
	db := s.db.WithContext(ctx)
	if err := fillComments(db, account, all); err != nil {
		return nil, err
	}
	return all, fillPeople(db, account, all)
}

func snapshotOf(st rules.State) rules.State {
	t := *st.Ticket
	return rules.State{Ticket: &t, Values: maps.Clone(st.Values)}
}

// undo takes a change back.
func undo(st *rules.State, e pastEvent) { put(st, e.FieldName, e.Previous) }

// redo makes a change again.
func redo(st *rules.State, e pastEvent) { put(st, e.FieldName, e.Value) }

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

// fillComments reads the comments that came with the audits, but for those that
// rules made.
func fillComments(db *gorm.DB, account int64, all []moment) error {
	at := make(map[int64]int, len(all))
	ids := make(models.IDs, 0, len(all))
	for i, m := range all {
		at[m.audit.ID], ids = i, append(ids, m.audit.ID)
	}
	return postgres.Rows(db, "SELECT audit_id, public, plain_body, has_attachments FROM comments WHERE account_id = ? AND audit_id = ANY(?) AND via->>'channel' <> 'rule'",
		[]any{account, ids}, func(row postgres.Scanned) error {
			var audit int64
			c := &rules.Comment{}
			err := row.Scan(&audit, &c.Public, &c.Text, &c.Files)
			all[at[audit]].subject.Comment = c
			return err
		})
}

// fillPeople reads who changed the tickets, and their requesters and
// organizations.
func fillPeople(db *gorm.DB, account int64, all []moment) error {
	var users, organizations models.IDs
	for _, m := range all {
		users = append(users, m.audit.AuthorID, m.subject.After.Ticket.RequesterID)
		if id := m.subject.After.Ticket.OrganizationID; id != nil {
			organizations = append(organizations, *id)
		}
	}
	people := map[int64]rules.User{}
	err := postgres.Rows(db, "SELECT id, role, locale, user_fields, coalesce(default_group_id, 0) FROM users WHERE account_id = ? AND id = ANY(?)",
		[]any{account, users}, func(row postgres.Scanned) error {
			var u rules.User
			var values models.JSON
			err := row.Scan(&u.ID, &u.Role, &u.Locale, &values, &u.GroupID)
			u.Values = fields.Values(values)
			people[u.ID] = u
			return err
		})
	if err != nil {
		return err
	}
	companies := map[int64]rules.Organization{}
	if len(organizations) > 0 {
		err = postgres.Rows(db, "SELECT id, organization_fields FROM organizations WHERE account_id = ? AND id = ANY(?)",
			[]any{account, organizations}, func(row postgres.Scanned) error {
				var id int64
				var values models.JSON
				err := row.Scan(&id, &values)
				companies[id] = rules.Organization{Values: fields.Values(values)}
				return err
			})
	}
	for _, m := range all {
		s := m.subject
		if u, ok := people[m.audit.AuthorID]; ok {
			s.By = u
		}
		s.Requester = people[s.After.Ticket.RequesterID]
		s.Organization = companies[optionalID(s.After.Ticket.OrganizationID)]
	}
	return err
}
