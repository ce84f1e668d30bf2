package tickets

import (
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// applyCollaborators sets the followers, who are agents, and the e-mail CCs.
func (s *save) applyCollaborators() error {
	c, t := s.change, &s.after
	c.splitCollaborators(*t)
	// Requesters are told of everything and are copied on nothing.
	defer func() {
		if slices.Contains(t.EmailCCIDs, t.RequesterID) {
			t.EmailCCIDs = slices.DeleteFunc(slices.Clone(t.EmailCCIDs), func(id int64) bool { return id == t.RequesterID })
		}
	}()
	if c.FollowerIDs == nil && c.EmailCCIDs == nil && len(c.Followers) == 0 && len(c.EmailCCs) == 0 {
		return nil
	}
	var err error
	if t.FollowerIDs, err = s.collaborators("followers", t.FollowerIDs, c.FollowerIDs, c.Followers, true); err != nil {
		return err
	}
	t.EmailCCIDs, err = s.collaborators("email_ccs", t.EmailCCIDs, c.EmailCCIDs, c.EmailCCs, false)
	return err
}

// splitCollaborators turns CollaboratorIDs, which a ticket shows as its followers
// and CCs in one list, into what they make of each.
func (c *Change) splitCollaborators(t models.Ticket) {
	if c.CollaboratorIDs == nil {
		return
	}
	c.FollowerIDs, c.EmailCCIDs = []int64{}, []int64{}
	for _, id := range c.CollaboratorIDs {
		follows := slices.Contains(t.FollowerIDs, id)
		if follows {
			c.FollowerIDs = append(c.FollowerIDs, id)
		}
		if !follows || slices.Contains(t.EmailCCIDs, id) {
			c.EmailCCIDs = append(c.EmailCCIDs, id)
		}
	}
	c.CollaboratorIDs = nil
}

func (s *save) collaborators(field string, now models.IDs, replace []int64, changes []Collaborator, agentsOnly bool) (models.IDs, error) {
	out := slices.Clone(now)
	if replace != nil {
		out = models.IDs{}
		for _, id := range replace {
			changes = append(changes, Collaborator{UserID: id})
		}
	}
	for _, c := range changes {
		id := c.UserID
		if id == 0 {
			id = s.people.byEmail[strings.ToLower(c.Email)]
		}
		if c.Remove {
			out = slices.DeleteFunc(out, func(other int64) bool { return other == id })
			continue
		}
		p, ok := s.person(id)
		switch {
		case !ok:
			return nil, fault.InvalidField(field, "%d is invalid", id)
		case agentsOnly && !p.staff():
			return nil, fault.InvalidField(field, "%s is not an agent", p.Name)
		case !slices.Contains(out, id):
			out = append(out, id)
		}
	}
	if len(out) > MaxCollaborators {
		return nil, fault.InvalidField(field, "are too many (maximum is %d)", MaxCollaborators)
	}
	return out, nil
}
