package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

var (
	types      = []string{models.TypeProblem, models.TypeIncident, models.TypeQuestion, models.TypeTask}
	priorities = []string{"low", "normal", "high", "urgent"}
	statuses   = []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved, models.StatusClosed}
)

// apply puts the change into s.after, and tells everything that is wrong with
// its values at once.
func (s *save) apply() error {
	if err := s.mayApply(); err != nil {
		return err
	}
	return fault.Join(s.applyTexts(), s.applyPeople(), s.applyAssignment(), s.applyOrganization(), s.applyPlace(),
		s.applyStatus(), s.applyProblem(), s.applyFields(), s.applyCollaborators(), s.applySatisfaction(), s.applyMetadata())
}

func (s *save) applyTexts() error {
	c, t := s.change, &s.after
	if c.Subject.IsSpecified() {
		t.Subject = pointer(c.Subject)
		if t.Subject != nil {
			cut := cutText(strings.TrimSpace(strings.ReplaceAll(*t.Subject, "\n", " ")), MaxSubject)
			t.Subject = &cut
		}
		if !same(t.Subject, s.before.Subject) {
			t.SubjectLiteral = !s.by.Staff() || s.recovered != nil // whoever recovers it did not write it
		}
	}
	if c.ExternalID.IsSpecified() {
		t.ExternalID = pointer(c.ExternalID)
		if t.ExternalID != nil && utf8.RuneCountInString(*t.ExternalID) > 255 {
			return fault.TooLong("external_id", 255)
		}
	}
	if c.Recipient.IsSpecified() && s.created {
		t.Recipient = pointer(c.Recipient)
	}
	var errs []error
	if c.Type.IsSpecified() {
		t.Type = pointer(c.Type)
		if t.Type != nil && *t.Type == "" {
			t.Type = nil
		}
		if t.Type != nil && !slices.Contains(types, *t.Type) {
			errs = append(errs, fault.InvalidField("type", "%s is not one of %s", *t.Type, strings.Join(types, ", ")))
		}
	}
	// A priority that was set cannot be emptied; null is ignored then.
	if p := pointer(c.Priority); p != nil && *p != "" {
		t.Priority = p
		if !slices.Contains(priorities, *p) {
			errs = append(errs, fault.InvalidField("priority", "%s is not one of %s", *p, strings.Join(priorities, ", ")))
		}
	}
	if c.DueAt.IsSpecified() {
		t.DueAt = pointer(c.DueAt)
		if t.DueAt != nil {
			due := t.DueAt.UTC().Truncate(time.Second)
			t.DueAt = &due
		}
	}
	if t.Type == nil || *t.Type != models.TypeTask {
		t.DueAt = nil // only a task has one
	}
	return fault.Join(errs...)
}

func (s *save) applyPeople() error {
	c, t := s.change, &s.after
	switch id, err := c.RequesterID.Get(); {
	case err == nil:
		if _, ok := s.person(id); !ok {
			return fault.InvalidField("requester", "%d is invalid", id)
		}
		s.organizationNew = id != s.before.RequesterID
		t.RequesterID = id
	case s.created:
		if s.by.ID() <= 0 {
			return fault.Blank("requester")
		}
		t.RequesterID, s.organizationNew = s.by.ID(), true
	}
	if !s.created {
		return nil
	}
	t.SubmitterID = s.by.ID()
	if t.SubmitterID <= 0 {
		t.SubmitterID = t.RequesterID
	}
	if id, err := c.SubmitterID.Get(); err == nil {
		if _, ok := s.person(id); !ok {
			return fault.InvalidField("submitter", "%d is invalid", id)
		}
		t.SubmitterID = id
	}
	return nil
}

// applyAssignment sets the group and the assignee, which must fit: an assignee
// is an agent in the ticket's group.
func (s *save) applyAssignment() error {
	c, t := s.change, &s.after
	if c.GroupID.IsSpecified() {
		t.GroupID = pointer(c.GroupID)
		if err := s.checkGroup(t.GroupID); err != nil {
			return err
		}
	}
	if c.AssigneeEmail != nil && !c.AssigneeID.IsSpecified() {
		id, ok := s.people.byEmail[strings.ToLower(*c.AssigneeEmail)]
		if !ok {
			return fault.InvalidField("assignee", "%s is not an agent", *c.AssigneeEmail)
		}
		c.AssigneeID.Set(id)
	}
	assigned := c.AssigneeID.IsSpecified()
	if assigned {
		t.AssigneeID = pointer(c.AssigneeID)
	}
	if t.AssigneeID == nil {
		return nil
	}
	if !assigned && !c.GroupID.IsSpecified() {
		return nil
	}
	agent, ok := s.person(*t.AssigneeID)
	if !ok || !agent.staff() || agent.Suspended || agent.PrivateOnly { // light agents own no tickets
		if !assigned {
			t.AssigneeID = nil // no agent any more: the group takes over
			return nil
		}
		return fault.InvalidField("assignee", "%d is not an agent", *t.AssigneeID)
	}
	switch {
	case t.GroupID == nil || assigned && !c.GroupID.IsSpecified() && !slices.Contains(agent.GroupIDs, *t.GroupID):
		t.GroupID = agent.DefaultGroupID
		if t.GroupID == nil && len(agent.GroupIDs) > 0 {
			t.GroupID = &agent.GroupIDs[0]
		}
	case slices.Contains(agent.GroupIDs, *t.GroupID):
	case assigned && !same(s.before.AssigneeID, t.AssigneeID):
		return fault.InvalidField("assignee", "%s is not a member of the group", agent.Name)
	default:
		t.AssigneeID = nil // the ticket moves to a group that he is not in
	}
	return nil
}

func (s *save) checkGroup(id *int64) error {
	if id == nil || same(id, s.before.GroupID) || s.config.HasGroup(*id) {
		return nil
	}
	return fault.InvalidField("group", "%d is invalid", *id)
}

// applyOrganization takes the organization given, which must be one of the
// requester's, or the default one of a new requester. A new ticket gets the
// organization's group and tags.
func (s *save) applyOrganization() error {
	c, t := s.change, &s.after
	requester, known := s.people.byID[t.RequesterID] // also one who was deleted since
	switch {
	case c.OrganizationID.IsSpecified():
		id := pointer(c.OrganizationID)
		if id != nil && !slices.Contains(requester.Organizations, *id) && !same(id, s.before.OrganizationID) {
			return fault.InvalidField("organization", "%d is not one of the requester's", *id)
		}
		t.OrganizationID = id
	case s.organizationNew && known:
		t.OrganizationID = requester.OrganizationID
	}
	if !s.created || t.OrganizationID == nil {
		return nil
	}
	group, tags := requester.OrganizationGroup, requester.OrganizationTags
	if tags == nil || !same(requester.OrganizationID, t.OrganizationID) { // another than was read with him
		o, err := s.organization(*t.OrganizationID)
		if err != nil {
			return err
		}
		group, tags = o.group, o.tags
	}
	if t.GroupID == nil && t.AssigneeID == nil {
		t.GroupID = group
	}
	if len(tags) > 0 {
		s.change.AddTags = append(slices.Clone(s.change.AddTags), tags...)
	}
	return nil
}

// organization is what a new ticket takes over from its organization.
type organization struct {
	group *int64
	tags  models.Strings
}

func (s *save) organization(id int64) (organization, error) {
	if s.together != nil {
		if o, ok := s.together.organizations[id]; ok {
			return o, nil
		}
	}
	of, err := organizations(s.tx, s.by.AccountID, models.IDs{id})
	o, ok := of[id]
	if err == nil && !ok {
		err = fault.InvalidField("organization", "%d is not an organization", id)
	}
	return o, err
}

func organizations(tx *gorm.DB, account int64, ids models.IDs) (map[int64]organization, error) {
	of := map[int64]organization{}
	err := postgres.Rows(tx, "SELECT id, group_id, tags FROM organizations WHERE account_id = ? AND id = ANY(?)", []any{account, ids}, func(row postgres.Scanned) error {
		var id int64
		var o organization
		err := row.Scan(&id, &o.group, &o.tags)
		of[id] = o
		return err
	})
	return of, err
}

func (s *save) applyPlace() error {
	c, t := s.change, &s.after
	if s.created && s.rule == nil {
		t.BrandID = s.config.BrandAt(s.by.Brand.ID)
		if form, ok := s.config.DefaultForm(); ok {
			t.TicketFormID = &form.ID
		}
	}
	if id, err := c.BrandID.Get(); err == nil && id != t.BrandID {
		if b, ok := s.config.Brand(id); !ok || !b.Active {
			return fault.InvalidField("brand", "%d is invalid", id)
		}
		t.BrandID = id
	}
	if id, err := c.TicketFormID.Get(); err == nil && !same(&id, t.TicketFormID) {
		if f, ok := s.config.Form(id); !ok || !f.Active {
			return fault.InvalidField("ticket_form_id", "%d is invalid", id)
		}
		t.TicketFormID = &id
	}
	return nil
}

func (s *save) applyFields() error {
	c, t := s.change, &s.after
	had := t.CustomFields // of a follow-up what it takes over
	tags := normalTags(t.Tags)
	direct := c.Tags != nil || len(c.AddTags) > 0 || len(c.RemoveTags) > 0
	if c.Tags != nil {
		tags = normalTags(c.Tags)
	}
	tags = normalTags(append(tags, c.AddTags...))
	if remove := normalTags(c.RemoveTags); len(remove) > 0 {
		tags = slices.DeleteFunc(tags, func(tag string) bool { return slices.Contains(remove, tag) })
	}
	if direct {
		s.config.FromTags(s.values, tags)
	}
	implied := cloneValues(s.values)
	var errs []error
	for _, v := range c.CustomFields {
		errs = append(errs, s.config.Set(s.values, v.ID, v.Value))
	}
	if len(c.CustomFields) > 0 {
		tags = s.config.Retag(tags, implied, s.values)
	}
	if len(tags) > MaxTags {
		errs = append(errs, fault.InvalidField("tags", "are too many (maximum is %d)", MaxTags))
	}
	t.Tags = tags
	if direct || len(c.CustomFields) > 0 {
		t.CustomFields = models.ToJSON(s.values)
		errs = append(errs, s.checkTargets(had))
	}
	return fault.Join(errs...)
}

func (s *save) applyProblem() error {
	c, t := s.change, &s.after
	incident := t.Type != nil && *t.Type == models.TypeIncident
	if id, err := c.ProblemID.Get(); err == nil {
		if t.Type == nil {
			kind := models.TypeIncident
			t.Type, incident = &kind, true
		}
		if !incident {
			return fault.InvalidField("problem", "only an incident can be linked to one")
		}
		if !same(&id, s.before.ProblemID) {
			ok, err := s.isProblem(id)
			if err != nil {
				return err
			}
			if !ok || id == t.ID {
				return fault.InvalidField("problem", "%d is not a problem", id)
			}
		}
		t.ProblemID = &id
		return nil
	}
	if c.ProblemID.IsSpecified() || !incident {
		t.ProblemID = nil
	}
	return nil
}

func (s *save) isProblem(id int64) (bool, error) {
	if s.together != nil && s.together.problems[id] {
		return true, nil
	}
	found, err := problemsAmong(s.tx, s.by, models.IDs{id})
	return found[id], err
}

// problemsAmong are those of the tickets that are problems and that by sees.
func problemsAmong(tx *gorm.DB, by auth.Actor, ids models.IDs) (map[int64]bool, error) {
	found := map[int64]bool{}
	where, args := Visible(by)
	err := postgres.Rows(tx, "SELECT t.id FROM tickets t WHERE t.id = ANY(?) AND t.type = 'problem' AND "+where, append([]any{ids}, args...), func(row postgres.Scanned) error {
		var id int64
		err := row.Scan(&id)
		found[id] = true
		return err
	})
	return found, err
}

func (s *save) applyMetadata() error {
	if len(s.change.Metadata) > MaxMetadata {
		return fault.InvalidField("metadata", "is too long (maximum is %d bytes)", MaxMetadata)
	}
	if s.change.Via != nil {
		s.auditVia = *s.change.Via
	}
	return nil
}

// normalTags folds tags as they are kept: lower case, no white space inside,
// each once, in the order of their coming.
func normalTags(tags []string) models.Strings {
	out := make(models.Strings, 0, len(tags))
	for _, tag := range tags {
		for _, part := range strings.FieldsFunc(strings.ToLower(tag), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
			if !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

func pointer[T any](n nullable.Nullable[T]) *T {
	v, err := n.Get()
	if err != nil {
		return nil
	}
	return &v
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func cloneValues(m map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// cutText is the first max characters of text.
func cutText(text string, max int) string {
	if len(text) <= max {
		return text
	}
	runes := []rune(text)
	if len(runes) <= max {
		return text
	}
	return string(runes[:max])
}
