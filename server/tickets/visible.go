package tickets

import (
	"context"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// Visible is the condition of the tickets that by may see, on tickets as t, and
// its arguments. This file is the only place that decides it: show, lists, counts,
// search, exports, side-loads and events all use it. Deleted tickets are left
// out.
func Visible(by auth.Actor) (string, []any) {
	return sightOf(by).condition("t.deleted_at IS NULL")
}

// owned is Visible with deleted tickets.
func owned(by auth.Actor) (string, []any) {
	return sightOf(by).condition("")
}

// Sees is Visible of a ticket that is in memory, for agents: those who are not
// limited to some tickets, and those of whose tickets it is one.
func Sees(agent auth.Actor, t *models.Ticket) bool {
	is := func(id *int64) bool { return id != nil && *id == agent.ID() }
	mine := is(&t.RequesterID)
	if !agent.Staff() || t.DeletedAt != nil || t.AccountID != agent.AccountID {
		return false
	}
	switch agent.Restriction() {
	case "":
		return true
	case models.RestrictGroups:
		return mine || is(t.AssigneeID) || t.GroupID != nil && agent.InGroup(*t.GroupID)
	case models.RestrictOrganization:
		of := agent.User.OrganizationID
		return mine || is(t.AssigneeID) || of != nil && t.OrganizationID != nil && *of == *t.OrganizationID
	case models.RestrictAssigned:
		return mine || is(t.AssigneeID)
	}
	return mine
}

// visibleRequest is Visible for tickets as requests, which are those that have
// something public.
func visibleRequest(by auth.Actor) (string, []any) {
	return sightOf(by).condition("t.deleted_at IS NULL AND t.is_public")
}

// sight is which tickets an actor sees: those that where holds for and, if there
// are ways, to which one of them leads.
type sight struct {
	where string
	args  []any
	ways  []way
}

// way is a condition that an index answers.
type way struct {
	column string // of tickets that has the id
	id     int64  // 0: one of ids or set
	ids    models.IDs
	set    string // a query of a column id
	args   []any  // of set
}

func sightOf(by auth.Actor) sight {
	s := sight{where: "t.account_id = ?", args: []any{by.AccountID}}
	me := by.ID()
	mine := []way{{column: "t.assignee_id", id: me}, {column: "t.requester_id", id: me}}
	switch {
	case by.Anonymous():
		s.where += " AND false"
		return s
	case !by.Staff():
		// An end user sees what he asked or was copied on, and the tickets of
		// organizations that share them with him, but none in which agents are
		// among themselves.
		s.where += " AND t.is_public"
		s.ways = append(asked(me), way{column: "t.organization_id", set: sharing, args: []any{by.AccountID, me, ofOrganizations(by)}})
		return s
	}
	switch by.Restriction() {
	case models.RestrictGroups:
		s.ways = append(mine, way{column: "t.group_id", ids: by.GroupIDs})
	case models.RestrictOrganization:
		s.ways = mine
		if id := by.User.OrganizationID; id != nil {
			s.ways = append(mine, way{column: "t.organization_id", id: *id})
		}
	case models.RestrictAssigned:
		s.ways = mine
	case models.RestrictRequested:
		s.ways = mine[1:]
	}
	return s
}

// asked are the ways to what a user asked or was copied on.
func asked(me int64) []way {
	return []way{{column: "t.requester_id", id: me}, {column: copied, id: me}}
}

// copied stands for the users with a copy, who are in a column of their own kind.
const copied = "t.email_cc_ids"

// sharing are the organizations that share their tickets with a user; the last
// of its arguments says that all of his do.
const sharing = `SELECT om.organization_id AS id FROM organization_memberships om
	JOIN organizations o ON o.account_id = om.account_id AND o.id = om.organization_id
	WHERE om.account_id = ? AND om.user_id = ? AND o.deleted_at IS NULL AND (o.shared_tickets OR om.view_tickets OR ?)`

// ofOrganizations reports whether an end user sees the tickets of all of his
// organizations, whatever they share.
func ofOrganizations(by auth.Actor) bool { return by.Restriction() == models.RestrictOrganization }

// sightAsEndUser is what by sees of requests in general, to which agents are end
// users too.
func sightAsEndUser(by auth.Actor) sight {
	s := sightOf(by)
	if by.Staff() {
		s = sight{where: "t.account_id = ?", args: []any{by.AccountID}, ways: asked(by.ID())}
	}
	return s
}

// condition is the sight as one condition, with more in front of the ways. It is
// for tickets that are found by something else: of all tickets, no index finds
// those to which one of several ways leads.
func (s sight) condition(more string) (string, []any) {
	where, args := s.where, append([]any{}, s.args...)
	if more != "" {
		where += " AND " + more
	}
	if len(s.ways) == 0 {
		return where, args
	}
	alternatives := make([]string, len(s.ways))
	for i, w := range s.ways {
		switch {
		case w.column == copied:
			alternatives[i], args = "t.email_cc_ids @> ARRAY[?::bigint]", append(args, w.id)
		case w.set != "":
			alternatives[i], args = w.column+" IN ("+w.set+")", append(args, w.args...)
		case w.id != 0:
			alternatives[i], args = w.column+" = ?", append(args, w.id)
		default:
			alternatives[i], args = w.column+" = ANY(?)", append(args, w.ids)
		}
	}
	return where + " AND (" + strings.Join(alternatives, " OR ") + ")", args
}

// pageWays are the ways as a listing goes them.
func (s sight) pageWays() []page.Way {
	out := make([]page.Way, len(s.ways))
	for i, w := range s.ways {
		switch {
		case w.column == copied:
			out[i] = page.Way{Join: copiesOf("cc"), Cond: "cc.user_id = ?", Args: []any{w.id}}
		case w.set != "":
			out[i] = page.Way{Each: "(" + w.set + ") AS one", EachArgs: w.args, Cond: w.column + " = one.id"}
		case w.id != 0:
			out[i] = page.Way{Cond: w.column + " = ?", Args: []any{w.id}}
		default:
			out[i] = page.Way{Each: "unnest(?::bigint[]) AS one(id)", EachArgs: []any{w.ids}, Cond: w.column + " = one.id"}
		}
	}
	return out
}

// copiesOf joins who is copied on tickets t.
func copiesOf(alias string) string {
	return " JOIN ticket_ccs " + alias + " ON " + alias + ".account_id = t.account_id AND " + alias + ".ticket_id = t.id"
}

// leadsTo reports whether a column's being me is one of the ways, so that a
// listing of such tickets needs no other.
func (s sight) leadsTo(column string, id int64) bool {
	for _, w := range s.ways {
		if id != 0 && w.column == column && w.id == id {
			return true
		}
	}
	return false
}

// SharesRequests fails unless by may list the requests of an organization: an
// agent may, and a member with whom it shares them. It fails with fault.NotFound
// for others than members, and with fault.Forbidden.
func (s *Service) SharesRequests(ctx context.Context, by auth.Actor, organization int64) error {
	if by.Staff() {
		return nil
	}
	var shared bool
	err := s.db.WithContext(ctx).Raw(`SELECT o.id IN (`+sharing+`) FROM organization_memberships om
		JOIN organizations o ON o.account_id = om.account_id AND o.id = om.organization_id
		WHERE om.account_id = ? AND om.user_id = ? AND o.id = ? AND o.deleted_at IS NULL`,
		by.AccountID, by.ID(), ofOrganizations(by), by.AccountID, by.ID(), organization).Row().Scan(&shared)
	if isNoRows(err) {
		return fault.Missing("organization", organization)
	}
	if err == nil && !shared {
		return fault.Denied()
	}
	return err
}

// seesAll reports whether by may see every ticket of the account that is not
// deleted: whether Visible asks for no more than that.
func seesAll(by auth.Actor) bool { return by.Staff() && len(sightOf(by).ways) == 0 }

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
