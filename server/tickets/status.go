package tickets

import (
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// applyStatus takes the status given. A custom status wins over a plain one,
// which stands for the default of its category.
func (s *save) applyStatus() error {
	c, t := s.change, &s.after
	if s.created && s.rule == nil {
		t.Status = models.StatusNew
	}
	if id, err := c.CustomStatusID.Get(); err == nil && id != t.CustomStatusID {
		st, ok := s.config.Status(id)
		if !ok || !st.Active {
			return fault.InvalidField("custom_status_id", "%d is invalid", id)
		}
		t.Status, t.CustomStatusID = st.StatusCategory, id
		return s.checkStatus()
	}
	// A custom status that the ticket has already is an echo of what the client
	// read, beside which the plain one is what it changed.
	if c.Status == nil {
		return nil
	}
	if !slices.Contains(statuses, *c.Status) {
		return fault.InvalidField("status", "%s is not one of %s", *c.Status, strings.Join(statuses, ", "))
	}
	if *c.Status == t.Status {
		return nil
	}
	t.Status, t.CustomStatusID = *c.Status, 0
	return s.checkStatus()
}

// checkStatus holds the transition against the lifecycle (contract tickets.md §2).
func (s *save) checkStatus() error {
	switch {
	case s.after.Status == models.StatusHold && !s.config.HoldEnabled():
		return fault.InvalidField("status", "hold is not enabled")
	case s.after.Status == models.StatusNew && !s.created && s.before.Status != models.StatusNew:
		return fault.Base(fault.CodeInvalid, "Status: new is not valid for ticket update")
	case s.after.Status == models.StatusClosed && (s.created || s.before.Status != models.StatusSolved) && !s.silent && !s.follows && s.rule == nil:
		return fault.Base(fault.CodeInvalid, "Status: closed is not valid for ticket update")
	}
	return nil
}

// statusRules are the system's own moves, which come before those of rules.
func (s *save) statusRules() error {
	t := &s.after
	// What is imported has the status that it is said to have.
	explicit := s.silent || s.change.Status != nil || s.change.CustomStatusID.IsSpecified()
	// A reply of the requester, or of somebody copied, reopens.
	if s.comment != nil && !s.created && s.comment.Public && !explicit && (!s.staff(s.comment.AuthorID) || s.requesterReplies()) {
		switch t.Status {
		case models.StatusPending, models.StatusHold, models.StatusSolved:
			t.Status, t.CustomStatusID = models.StatusOpen, 0
		}
	}
	if t.Status == models.StatusSolved && t.AssigneeID == nil && !s.silent && s.config.Settings.Tickets.AssignTicketsUponSolve &&
		s.by.Staff() && s.by.ID() > 0 && !s.by.User.OnlyPrivateComments {
		s.assignSolver()
	}
	s.settleStatus()
	return nil
}

// settleStatus makes the status fit the rest of the ticket: what has an assignee
// is no longer new, and a plain status is the default of its category.
func (s *save) settleStatus() {
	t := &s.after
	if t.Status == models.StatusNew && t.AssigneeID != nil {
		t.Status, t.CustomStatusID = models.StatusOpen, 0
	}
	if t.CustomStatusID == 0 {
		t.CustomStatusID = s.config.DefaultStatus(t.Status).ID
	}
}

// assignSolver gives a ticket to the agent who solves it, in its group if he
// is a member, otherwise in his own.
func (s *save) assignSolver() {
	me := s.by.ID()
	s.after.AssigneeID = &me
	if s.after.GroupID == nil || !s.by.InGroup(*s.after.GroupID) {
		s.after.GroupID = s.by.User.DefaultGroupID
	}
}

func (s *save) staff(id int64) bool {
	if id == s.by.ID() {
		return s.by.Staff()
	}
	p, ok := s.people.byID[id]
	return ok && p.staff()
}

// validate holds the whole ticket against what its status needs, once it is
// solved or an agent sets another status: a ticket that lacks a field later on
// must not refuse every reply.
func (s *save) validate() error {
	if s.created && s.comment == nil {
		return noDescription()
	}
	if s.change.Request {
		return s.validateRequest()
	}
	solved := s.after.Status == models.StatusSolved
	solving := solved && s.before.Status != models.StatusSolved
	moving := !s.created && s.after.CustomStatusID != s.before.CustomStatusID && (s.change.Status != nil || s.change.CustomStatusID.IsSpecified())
	if s.silent || !solving && !moving {
		return nil
	}
	demand := "is required when solving a ticket"
	if !solved {
		demand = "is required when setting a ticket to " + s.after.Status
	}
	var details []fault.Detail
	if solving && s.after.AssigneeID == nil {
		details = append(details, fault.Detail{Description: "Assignee: " + demand, Code: fault.CodeBlank})
	}
	if s.by.Staff() { // the demands are made on agents
		for _, f := range s.config.Missing(&s.after) {
			if f.Type == models.FieldAssignee {
				continue // told above
			}
			details = append(details, fault.Titled(f.Title, fault.CodeBlank, "%s", demand))
		}
	}
	return fault.Record(details...)
}
