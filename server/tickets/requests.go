package tickets

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

// A request is a ticket as end users have it: what agents keep among themselves
// is left out, and little of it can be changed.

// CreateRequest makes a request of the caller's, or of c.Requester's where nobody
// has signed in. Of c, what end users may not set is left out: other people's
// tickets, and fields that they may not edit. It fails with fault.Unauthenticated
// where the account wants people to sign in, and with fault.Invalid.
func (s *Service) CreateRequest(ctx context.Context, by auth.Actor, c Change) (Saved, error) {
	c.Request = true
	return s.Create(ctx, by, c)
}

// UpdateRequest adds the comment and the CCs of c to a request, and solves it if
// c says so. It fails with fault.NotFound, with fault.Forbidden where by may see
// the request but not add to it, and with fault.Invalid for a closed one and for
// one that by may not solve.
func (s *Service) UpdateRequest(ctx context.Context, by auth.Actor, id int64, c Change) (models.Ticket, *fields.Config, error) {
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		where, args := visibleRequest(by)
		sv, err := s.lockWhereTx(tx, by, id, where, args)
		if err != nil {
			return err
		}
		sv.change = Change{Request: true, Solve: c.Solve, Comment: c.Comment, EmailCCs: c.EmailCCs, Origin: c.Origin}
		_, err = sv.run()
		return err
	})
	if err != nil {
		return models.Ticket{}, nil, err
	}
	return s.Request(ctx, by, id) // whose description may be another comment than the ticket's
}

// CanSolve reports whether the actor may solve a request: the requester may, once
// an agent has it, but no problem, which is not theirs alone.
func CanSolve(by auth.Actor, t *models.Ticket) bool {
	return by.ID() > 0 && t.RequesterID == by.ID() && t.AssigneeID != nil && (t.Type == nil || *t.Type != models.TypeProblem) && !solved(t)
}

func solved(t *models.Ticket) bool {
	return t.Status == models.StatusSolved || t.Status == models.StatusClosed
}

// asRequest holds the change to what end users may ask.
func (s *save) asRequest() error {
	switch {
	case !s.change.Request:
		return nil
	case s.created:
		return s.newRequest()
	}
	if err := s.mayAdd(); err != nil {
		return err
	}
	if s.change.Solve {
		if !CanSolve(s.by, &s.before) && s.before.Status != models.StatusSolved {
			if s.before.Status == models.StatusClosed {
				return closedPreventsUpdate()
			}
			return fault.InvalidField("solved", "this request cannot be solved by you")
		}
		s.change.Status = new(models.StatusSolved)
	}
	return s.checkCCs()
}

func (s *save) newRequest() error {
	c := &s.change
	if s.by.Anonymous() {
		if !s.config.Settings.Tickets.AnonymousRequests {
			return fault.New(fault.Unauthenticated, "sign in to create a request")
		}
		// Nobody has shown whose organizations and tickets these are: an answer
		// to them would tell.
		c.OrganizationID, c.FollowupOf = nil, 0
		if c.Requester == nil {
			return fault.Blank("requester")
		}
	} else {
		c.Requester = nil
	}
	if subject := pointer(c.Subject); subject == nil || *subject == "" {
		return fault.Blank("subject")
	}
	if c.OrganizationID.IsNull() {
		c.OrganizationID = nil
	}
	form, err := s.requestForm()
	if err != nil {
		return err
	}
	s.keepEditable(form)
	return s.checkCCs()
}

// requestForm is the form that a new request names, which end users must be able
// to choose; 0 for the default one.
func (s *save) requestForm() (int64, error) {
	if id, err := s.change.TicketFormID.Get(); err == nil {
		if _, ok := s.config.PortalForm(id); !ok {
			return 0, fault.InvalidField("ticket_form_id", "%d is invalid", id)
		}
		return id, nil
	}
	return 0, nil // the default one
}

// keepEditable leaves out the fields that end users may not edit.
func (s *save) keepEditable(form int64) {
	editable := map[string]bool{}
	custom := map[int64]bool{}
	for _, f := range s.config.PortalFields(form) {
		if f.EditableInPortal {
			editable[f.Type], custom[f.ID] = true, true
		}
	}
	c := &s.change
	c.CustomFields = slices.DeleteFunc(slices.Clone(c.CustomFields), func(v FieldValue) bool { return !custom[v.ID] })
	if !editable[models.FieldPriority] {
		c.Priority = nil
	}
	if !editable[models.FieldTicketType] {
		c.Type, c.DueAt = nil, nil
	}
}

// mayAdd lets those change a request who asked it or are copied on it, and
// members of an organization that shares comments. Agents may what they may of
// the ticket.
func (s *save) mayAdd() error {
	t, me := &s.before, s.by.ID()
	if s.by.Staff() || t.RequesterID == me || slices.Contains(t.EmailCCIDs, me) {
		return nil
	}
	var shared bool
	err := s.tx.Raw(`SELECT EXISTS (SELECT FROM organization_memberships m JOIN organizations o ON o.account_id = m.account_id AND o.id = m.organization_id
		WHERE m.account_id = ? AND m.user_id = ? AND o.id = ? AND o.shared_comments)`, s.by.AccountID, me, optionalID(t.OrganizationID)).Row().Scan(&shared)
	if err == nil && !shared {
		return fault.Denied()
	}
	return err
}

// checkCCs refuses people whom an end user names by an id but cannot know: their
// names are shown beside the request. Who has an organization in common does.
func (s *save) checkCCs() error {
	var ids models.IDs
	for _, p := range s.change.EmailCCs {
		if p.UserID != 0 && p.UserID != s.by.ID() && !slices.Contains(s.before.EmailCCIDs, p.UserID) {
			ids = append(ids, p.UserID)
		}
	}
	if len(ids) == 0 || s.by.Staff() {
		return nil
	}
	var known []int64
	err := s.tx.Raw(`SELECT DISTINCT theirs.user_id FROM organization_memberships mine JOIN organization_memberships theirs
			ON theirs.account_id = mine.account_id AND theirs.organization_id = mine.organization_id
		WHERE mine.account_id = ? AND mine.user_id = ? AND theirs.user_id = ANY(?)`, s.by.AccountID, s.by.ID(), ids).Scan(&known).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return fault.InvalidField("email_ccs", "%d is invalid", id)
		}
	}
	return nil
}

// requesterReplies tells a reply by an agent who asked for help as an end user does.
func (s *save) requesterReplies() bool {
	return s.change.Request && s.comment.AuthorID == s.after.RequesterID
}

// validateRequest holds a new request against the fields that end users must
// fill in.
func (s *save) validateRequest() error {
	if !s.change.Request || !s.created {
		return nil
	}
	var details []fault.Detail
	for _, f := range s.config.MissingInPortal(optionalID(s.after.TicketFormID), &s.after) {
		details = append(details, fault.Titled(f.TitleInPortal, fault.CodeBlank, "cannot be blank"))
	}
	return fault.Record(details...)
}
