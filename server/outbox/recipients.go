package outbox

import (
	"slices"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/postgres"
)

// target is who a notification is for, by ids.
type target struct {
	users  []int64
	ccs    []int64
	agents bool
	group  int64 // 0: none
}

func targetOf(n Notification, c *placeholders.Context, f Facts) target {
	t := &c.Ticket
	if n.Group {
		if n.Recipient == "group_id" {
			return target{group: optional(t.GroupID)}
		}
		return target{group: number(n.Recipient)}
	}
	switch n.Recipient {
	case "requester_id":
		return target{users: []int64{t.RequesterID}}
	case "requester_and_ccs":
		if f.CommentPrivate {
			return target{}
		}
		// Who has just written needs no copy of it.
		return target{users: []int64{t.RequesterID}, ccs: slices.DeleteFunc(slices.Clone(t.EmailCCIDs), func(id int64) bool {
			return id == f.Author || id == t.RequesterID
		})}
	case "assignee_id":
		return target{users: []int64{optional(t.AssigneeID)}}
	case "current_user":
		return target{users: []int64{c.ActorID}}
	case "all_agents":
		return target{agents: true}
	}
	return target{users: []int64{number(n.Recipient)}}
}

// number is an id; 0 if the text is none.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func optional(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// person is somebody who may get mail.
type person struct {
	models.User
	groups models.IDs // of agents
}

// people are all who may get mail of a change, by id.
type people []person

// find reads who the targets mean and may get mail at all, by id.
func find(db *gorm.DB, account int64, targets []target) (people, error) {
	var users, groups models.IDs
	agents := false
	for _, t := range targets {
		users = append(append(users, t.users...), t.ccs...)
		agents = agents || t.agents
		if t.group != 0 {
			groups = append(groups, t.group)
		}
	}
	where, args := "u.id = ANY(?)", []any{account, users}
	if agents {
		where += " OR u.role <> 'end-user'"
	}
	if len(groups) > 0 {
		where += " OR u.id IN (SELECT gm.user_id FROM group_memberships gm WHERE gm.account_id = ? AND gm.group_id = ANY(?))"
		args = append(args, account, groups)
	}
	var out people
	err := postgres.Rows(db, `SELECT u.id, u.name, u.email, u.role, u.locale, u.organization_id, u.ticket_restriction,
			CASE WHEN u.role = 'end-user' THEN '{}' ELSE ARRAY(SELECT g.group_id FROM group_memberships g WHERE g.account_id = u.account_id AND g.user_id = u.id) END
		FROM users u WHERE u.account_id = ? AND u.active AND NOT u.suspended AND u.email IS NOT NULL AND (`+where+`) ORDER BY u.id`, args,
		func(row postgres.Scanned) error {
			var p person
			p.AccountID = account
			err := row.Scan(&p.ID, &p.Name, &p.Email, &p.Role, &p.Locale, &p.OrganizationID, &p.TicketRestriction, &p.groups)
			out = append(out, p)
			return err
		})
	return out, err
}

// recipients are people who get the same mail.
type recipients struct {
	to, ccs   []person
	locale    string
	public    bool // one of them may be an end user
	requester bool // it is the requester's
}

// recipients are those of a target, by language. The copies of a mail are in
// that of whom it is for.
func (all people) recipients(t target, c *placeholders.Context, f Facts) []recipients {
	ccs := all.of(t.ccs, c)
	var out []recipients
	for _, p := range all {
		switch {
		case slices.Contains(t.users, p.ID):
			if !p.Staff() && !c.Ticket.IsPublic {
				continue
			}
		case !p.Staff() || f.Sees != nil && !f.Sees(p.User, p.groups):
			continue
		case t.agents, t.group != 0 && slices.Contains(p.groups, t.group):
		default:
			continue
		}
		i := slices.IndexFunc(out, func(r recipients) bool { return r.locale == p.Locale && r.public != p.Staff() && !r.requester })
		if i < 0 || p.ID == c.Ticket.RequesterID {
			out = append(out, recipients{locale: p.Locale, public: !p.Staff(), requester: p.ID == c.Ticket.RequesterID})
			i = len(out) - 1
		}
		out[i].to = append(out[i].to, p)
	}
	if len(ccs) == 0 {
		return out
	}
	// There is one for whom it is, or nobody: then the copies are the mail.
	if len(out) == 0 {
		out = []recipients{{to: ccs[:1], locale: ccs[0].Locale}}
		ccs = ccs[1:]
	}
	out[0].ccs = ccs
	for _, p := range slices.Concat(out[0].to, ccs) {
		out[0].public = out[0].public || !p.Staff()
	}
	return out
}

// of are those of ids who may be told of the ticket, in the order of ids.
func (all people) of(ids []int64, c *placeholders.Context) []person {
	var out []person
	for _, id := range ids {
		for _, p := range all {
			if p.ID == id && (p.Staff() || c.Ticket.IsPublic) {
				out = append(out, p)
			}
		}
	}
	return out
}
