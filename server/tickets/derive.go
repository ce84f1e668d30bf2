package tickets

import (
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/events"
)

// derive makes everything that follows from the ticket as it is now: times,
// metrics and the entries of the event log.
func (s *save) derive() error {
	s.after.GeneratedAt = s.now
	if s.created || len(s.auditEvents) > 0 {
		s.after.UpdatedAt = s.now
	}
	if s.created || len(s.auditEvents) > 0 || s.touchUnaudited {
		s.countMetrics()
		s.logChanges()
		return s.runSLA()
	}
	return nil
}

// logged is how a changed field is named in the event log.
var logged = map[string]string{
	"subject": "subject_changed", "requester_id": "requester_changed", "organization_id": "organization_changed",
	"brand_id": "brand_changed", "ticket_form_id": "form_changed", "custom_status_id": "custom_status_changed",
	"status": "status_changed", "priority": "priority_changed", "type": "type_changed",
	"assignee_id": "agent_assignment_changed", "group_id": "group_assignment_changed", "problem_id": "problem_link_changed",
	"external_id": "external_id_changed", "due_at": "task_due_at_changed",
}

// logChanges makes the entries of the event log, in the contract's forms
// (webhooks.md §5): ids are strings, what is missing is "0" or "".
func (s *save) logChanges() {
	if s.created {
		s.logEvent("created", nil)
	} else {
		for _, f := range audited {
			if !f.differs(&s.before, &s.after) || f.name == "tags" {
				continue
			}
			missing := any("")
			if strings.HasSuffix(f.name, "_id") && f.name != "external_id" {
				missing = "0"
			}
			s.logEvent(logged[f.name], map[string]any{
				"current": orMissing(f.value(&s.after), missing), "previous": orMissing(f.value(&s.before), missing),
			})
		}
		s.logSets()
		s.logFields()
		if before, after := s.before.ScheduleID, s.after.ScheduleID; !same(before, after) {
			s.logEvent("schedule_changed", map[string]any{"current": events.OptionalID(after), "previous": events.OptionalID(before)})
		}
		if before, after := s.before.SubmitterID, s.after.SubmitterID; before != after {
			s.logEvent("submitter_changed", map[string]any{"current": events.ID(after), "previous": events.ID(before)})
		}
	}
	if s.comment != nil {
		s.logComment(s.comment, s.files)
	}
	for _, c := range s.ruleComments {
		s.logComment(c, nil)
	}
	s.logSatisfaction()
}

func (s *save) logSets() {
	if added, removed := without(s.after.Tags, s.before.Tags), without(s.before.Tags, s.after.Tags); len(added)+len(removed) > 0 {
		s.logEvent("tags_changed", map[string]any{"tags_added": added, "tags_removed": removed})
	}
	for _, set := range []struct {
		name          string
		before, after models.IDs
	}{{"followers_changed", s.before.FollowerIDs, s.after.FollowerIDs}, {"email_ccs_changed", s.before.EmailCCIDs, s.after.EmailCCIDs}} {
		added, removed := without(set.after, set.before), without(set.before, set.after)
		if len(added)+len(removed) > 0 {
			s.logEvent(set.name, map[string]any{"users_added": idTexts(added), "users_removed": idTexts(removed)})
		}
	}
}

func (s *save) logFields() {
	for i := range s.config.Fields {
		f := &s.config.Fields[i]
		key := strconv.FormatInt(f.ID, 10)
		if now, was := s.values[key], s.valuesBefore[key]; f.Custom() && string(now) != string(was) {
			s.logEvent("custom_field_changed", map[string]any{
				"current": map[string]any{"value": fieldValue(now)}, "previous": map[string]any{"value": fieldValue(was)},
				"custom_field": map[string]any{"id": key, "title": f.Title, "type": f.Type},
			})
		}
	}
}

func (s *save) logComment(c *models.Comment, files []attachments.File) {
	p := s.people.byID[c.AuthorID]
	s.logEvent("comment_added", map[string]any{"comment": map[string]any{
		"id": events.ID(c.ID), "body": c.Body, "is_public": c.Public,
		"author": map[string]any{"id": events.ID(c.AuthorID), "is_staff": s.staffOrSystem(c.AuthorID), "name": p.Name},
	}})
	for _, f := range files {
		s.logEvent("attachment_linked_to_comment", map[string]any{
			"comment": map[string]any{"id": events.ID(c.ID)},
			"attachment": map[string]any{
				"id": events.ID(f.ID), "filename": f.FileName, "content_type": f.ContentType, "is_public": c.Public,
			},
		})
	}
}

// logEvent adds an entry. The position within one save is part of it, so that
// consumers can put a ticket's events into order.
func (s *save) logEvent(kind string, change map[string]any) {
	if change == nil {
		change = map[string]any{}
	}
	s.log = append(s.log, ticketEvent(kind, change, s.auditID, len(s.log)+1))
}

func ticketEvent(kind string, change map[string]any, sequence int64, position int) events.Event {
	change["meta"] = map[string]any{"sequence": map[string]any{"id": events.ID(sequence), "position": position}}
	return events.Event{Type: "ticket." + kind, Change: change}
}

func (s *save) eventDetail() map[string]any { return eventDetail(&s.after, s.authorID()) }

// eventDetail is a ticket in the form that events carry.
func eventDetail(t *models.Ticket, actor int64) map[string]any {
	return map[string]any{
		"actor_id": events.ID(actor), "assignee_id": events.OptionalID(t.AssigneeID), "brand_id": events.ID(t.BrandID),
		"created_at": events.Time(t.CreatedAt), "custom_status": events.ID(t.CustomStatusID), "description": t.Description,
		"external_id": events.Text(t.ExternalID), "form_id": events.OptionalID(t.TicketFormID), "group_id": events.OptionalID(t.GroupID),
		"id": events.ID(t.ID), "is_public": t.IsPublic, "organization_id": events.OptionalID(t.OrganizationID),
		"priority": strings.ToUpper(events.Text(t.Priority)), "requester_id": events.ID(t.RequesterID), "status": strings.ToUpper(t.Status),
		"subject": events.Text(t.Subject), "submitter_id": events.ID(t.SubmitterID), "tags": []string(t.Tags),
		"type": strings.ToUpper(events.Text(t.Type)), "updated_at": events.Time(t.UpdatedAt), "via": map[string]any{"channel": channelOf(*t)},
	}
}

func orMissing(v, missing any) any {
	if v == nil {
		return missing
	}
	return v
}

func without[T comparable](a, b []T) []T {
	out := []T{}
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

func idTexts(ids []int64) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = events.ID(id)
	}
	return out
}
