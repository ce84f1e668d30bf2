package tickets

import "github.com/helpd/helpd/models"

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
	var agents []int64
	err := s.tx.Raw(`SELECT m.user_id FROM group_memberships m JOIN users u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.account_id = ? AND m.group_id = ? AND u.active AND NOT u.suspended AND u.role_type IS DISTINCT FROM 1 ORDER BY m.id LIMIT 2`,
		s.by.AccountID, *t.GroupID).Scan(&agents).Error
	if len(agents) == 1 {
		t.AssigneeID = &agents[0]
	}
	return err
}
