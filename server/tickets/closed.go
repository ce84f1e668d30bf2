package tickets

import (
	"slices"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// mayApply refuses what a closed ticket does not take: all but the tags, the
// subject, the priority and fields, by an admin. An import tells of what was
// before the close.
func (s *save) mayApply() error {
	if s.before.Status != models.StatusClosed || s.silent {
		return nil
	}
	s.change = s.change.without(s.before)
	c := s.change
	c.Subject, c.Priority, c.Tags, c.AddTags, c.RemoveTags, c.CustomFields, c.UpdatedStamp = nil, nil, nil, nil, nil, nil, nil
	c.Via, c.Metadata = nil, nil
	// Clients echo the status that they read.
	if c.Status != nil && *c.Status == models.StatusClosed {
		c.Status = nil
	}
	if id, err := c.CustomStatusID.Get(); err == nil && id == s.before.CustomStatusID {
		c.CustomStatusID = nil
	}
	if !c.OpenOnly && s.by.Admin() && s.config.Settings.Tickets.ModifyClosedTickets && c.empty() {
		return nil
	}
	return closedPreventsUpdate()
}

// without leaves out what t has already: clients read a ticket, change a member
// and send all of it back.
func (c Change) without(t models.Ticket) Change {
	c.splitCollaborators(t)
	for _, id := range []struct {
		asked *nullable.Nullable[int64]
		now   *int64
	}{
		{&c.RequesterID, &t.RequesterID}, {&c.SubmitterID, &t.SubmitterID}, {&c.AssigneeID, t.AssigneeID}, {&c.GroupID, t.GroupID},
		{&c.OrganizationID, t.OrganizationID}, {&c.BrandID, &t.BrandID}, {&c.TicketFormID, t.TicketFormID}, {&c.ProblemID, t.ProblemID},
	} {
		drop(id.asked, id.now)
	}
	drop(&c.Type, t.Type)
	drop(&c.ExternalID, t.ExternalID)
	drop(&c.Recipient, t.Recipient)
	if due, err := c.DueAt.Get(); c.DueAt.IsNull() && t.DueAt == nil || err == nil && t.DueAt != nil && due.Equal(*t.DueAt) {
		c.DueAt = nil
	}
	if slices.Equal(c.FollowerIDs, t.FollowerIDs) {
		c.FollowerIDs = nil
	}
	if slices.Equal(c.EmailCCIDs, t.EmailCCIDs) {
		c.EmailCCIDs = nil
	}
	return c
}

// drop leaves out a value that is what is there.
func drop[T comparable](asked *nullable.Nullable[T], now *T) {
	v, err := asked.Get()
	if asked.IsNull() && now == nil || err == nil && now != nil && v == *now {
		*asked = nil
	}
}

// closedPreventsUpdate has the text that three client libraries compare.
func closedPreventsUpdate() error {
	return &fault.Error{Kind: fault.Invalid, Details: map[string][]fault.Detail{
		"status": {{Description: "Status: closed prevents ticket update"}},
	}}
}

// empty reports whether the change asks for nothing.
func (c Change) empty() bool {
	for _, given := range []bool{
		c.Subject.IsSpecified(), c.Status != nil, c.CustomStatusID.IsSpecified(), c.Type.IsSpecified(), c.Priority.IsSpecified(),
		c.RequesterID.IsSpecified(), c.Requester != nil, c.SubmitterID.IsSpecified(), c.AssigneeID.IsSpecified(), c.AssigneeEmail != nil,
		c.GroupID.IsSpecified(), c.OrganizationID.IsSpecified(), c.BrandID.IsSpecified(), c.TicketFormID.IsSpecified(),
		c.ProblemID.IsSpecified(), c.ExternalID.IsSpecified(), c.Recipient.IsSpecified(), c.DueAt.IsSpecified(), len(c.CustomFields) > 0,
		c.Tags != nil, len(c.AddTags) > 0, len(c.RemoveTags) > 0, c.FollowerIDs != nil, c.EmailCCIDs != nil, c.CollaboratorIDs != nil,
		len(c.Followers) > 0, len(c.EmailCCs) > 0, c.Satisfaction != nil, c.Comment != nil,
	} {
		if given {
			return false
		}
	}
	return true
}
