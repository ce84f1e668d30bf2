package tickets

import (
	"context"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
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
			WHERE om.account_id = ? AND om.user_id = ? AND (o.shared_tickets OR om.view_tickets OR ?)))`,
			append(args, me, me, by.AccountID, me, ofOrganizations(by))
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

// ofOrganizations reports whether an end user sees the tickets of all of his
// organizations, whatever they share.
func ofOrganizations(by auth.Actor) bool { return by.Restriction() == models.RestrictOrganization }

// visibleRequest is Visible for tickets as requests, which are those that have
// something public.
func visibleRequest(by auth.Actor) (string, []any) {
	where, args := Visible(by)
	return where + " AND t.is_public", args
}

// ownRequests is visibleRequest for what lists the caller's own requests, to
// which agents are end users too.
func ownRequests(by auth.Actor) (string, []any) {
	if !by.Staff() {
		return visibleRequest(by)
	}
	return "t.account_id = ? AND t.deleted_at IS NULL AND t.is_public AND (t.requester_id = ? OR t.email_cc_ids @> ARRAY[?::bigint])",
		[]any{by.AccountID, by.ID(), by.ID()}
}

// SharesRequests fails unless by may list the requests of an organization: an
// agent may, and a member with whom it shares them. It fails with fault.NotFound
// for others than members, and with fault.Forbidden.
func (s *Service) SharesRequests(ctx context.Context, by auth.Actor, organization int64) error {
	if by.Staff() {
		return nil
	}
	var shared bool
	err := s.db.WithContext(ctx).Raw(`SELECT o.shared_tickets OR om.view_tickets OR ? FROM organization_memberships om
		JOIN organizations o ON o.account_id = om.account_id AND o.id = om.organization_id
		WHERE om.account_id = ? AND om.user_id = ? AND o.id = ? AND o.deleted_at IS NULL`,
		ofOrganizations(by), by.AccountID, by.ID(), organization).Row().Scan(&shared)
	if isNoRows(err) {
		return fault.Missing("organization", organization)
	}
	if err == nil && !shared {
		return fault.Denied()
	}
	return err
}

// PublicOnly reports whether by may see public comments only.
func PublicOnly(by auth.Actor) bool { return !by.Staff() }

// columnsFor are the columns of a ticket as by may read them. To an end user the
// description is the first comment that he may read.
func columnsFor(by auth.Actor) string {
	if !PublicOnly(by) {
		return columns
	}
	return publicColumns
}

// publicDescription is the first comment that end users may read.
const publicDescription = `coalesce((SELECT c.plain_body FROM comments c
	WHERE c.account_id = t.account_id AND c.ticket_id = t.id AND c.public ORDER BY c.created_at, c.id LIMIT 1), '')`

// publicColumns are the columns of a ticket as a request.
var publicColumns = strings.Replace(columns, "t.description", publicDescription, 1)
