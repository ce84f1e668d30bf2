package tickets

import (
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// onlyChoice gives a new ticket to the account's only group, and a ticket that
// comes into a group to the group's only agent, where the account wants it so
// (contract tickets.md §2). Light agents, who cannot reply, have no tickets.
func (s *save) onlyChoice() error {
	t := &s.after
	if s.silent || s.follows || !s.config.Settings.Tickets.AssignOnlyChoice || t.Status == models.StatusClosed {
		return nil
	}
	if only, ok := s.config.OnlyGroup(); ok && s.created && t.GroupID == nil {
		t.GroupID = &only
	}
	if t.GroupID == nil || t.AssigneeID != nil || !s.created && same(t.GroupID, s.before.GroupID) {
		return nil
	}
	agents, err := s.firstAgents(*t.GroupID)
	if len(agents) == 1 {
		t.AssigneeID = &agents[0]
	}
	return err
}

// firstAgents are the first two agents of a group, of whom there may be fewer.
func (s *save) firstAgents(group int64) (models.IDs, error) {
	of := map[int64]models.IDs{}
	groups := models.IDs{group}
	if s.together != nil {
		if s.together.agents != nil {
			return s.together.agents[group], nil
		}
		s.together.agents, groups = of, s.config.Groups()
	}
	err := postgres.Rows(s.tx, `SELECT g.id, ARRAY(SELECT m.user_id FROM group_memberships m JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.account_id = ? AND m.group_id = g.id AND u.active AND NOT u.suspended AND u.role_type IS DISTINCT FROM 1 ORDER BY m.id LIMIT 2)
		FROM unnest(?::bigint[]) AS g(id)`, []any{s.by.AccountID, groups}, func(row postgres.Scanned) error {
		var id int64
		var agents models.IDs
		err := row.Scan(&id, &agents)
		of[id] = agents
		return err
	})
	return of[group], err
}
