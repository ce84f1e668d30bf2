package tickets

import (
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// Visible is the condition of the tickets that by may see, on tickets as t, and
// its arguments. It is the only place that decides this: show, lists, counts,
// search, exports, side-loads and events all use it. Deleted tickets are left
// out.
func Visible(by auth.Actor) (string, []any) {
	where, args := owned(by)
	return where + " AND t.deleted_at IS NULL", args
}

// owned is Visible with deleted tickets.
func owned(by auth.Actor) (string, []any) {
	where, args := "t.account_id = ?", []any{by.AccountID}
	me := by.ID()
	if by.Anonymous() {
		return where + " AND false", args
	}
	if !by.Staff() {
		// An end user sees what he asked or was copied on, and the tickets of
		// organizations that share them with him, but none in which agents are
		// among themselves.
		return where + ` AND t.is_public AND (t.requester_id = ? OR t.email_cc_ids @> ARRAY[?::bigint] OR t.organization_id IN (
			SELECT om.organization_id FROM organization_memberships om
			JOIN organizations o ON o.account_id = om.account_id AND o.id = om.organization_id
			WHERE om.account_id = ? AND om.user_id = ? AND (o.shared_tickets OR om.view_tickets)))`, append(args, me, me, by.AccountID, me)
	}
	switch by.Restriction() {
	case models.RestrictGroups:
		return where + " AND (t.group_id = ANY(?) OR t.assignee_id = ? OR t.requester_id = ?)", append(args, models.IDs(by.GroupIDs), me, me)
	case models.RestrictOrganization:
		if by.User.OrganizationID == nil {
			return where + " AND (t.assignee_id = ? OR t.requester_id = ?)", append(args, me, me)
		}
		return where + " AND (t.organization_id = ? OR t.assignee_id = ? OR t.requester_id = ?)", append(args, *by.User.OrganizationID, me, me)
	case models.RestrictAssigned:
		return where + " AND (t.assignee_id = ? OR t.requester_id = ?)", append(args, me, me)
	case models.RestrictRequested:
		return where + " AND t.requester_id = ?", append(args, me)
	}
	return where, args
}

// PublicOnly reports whether by may see public comments only.
func PublicOnly(by auth.Actor) bool { return !by.Staff() }

// columnsFor are the columns of a ticket as by may read them. To an end user the
// description is the first comment that he may read.
func columnsFor(by auth.Actor) string {
	if !PublicOnly(by) {
		return columns
	}
	return strings.Replace(columns, "t.description", `coalesce((SELECT c.plain_body FROM comments c
		WHERE c.account_id = t.account_id AND c.ticket_id = t.id AND c.public ORDER BY c.created_at, c.id LIMIT 1), '')`, 1)
}
