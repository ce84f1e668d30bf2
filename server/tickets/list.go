package tickets

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// Filter chooses the tickets of a listing. The zero value is all of them.
type Filter struct {
	ExternalID   string
	Organization int64
	Requester    int64
	Assignee     int64
	CCd          int64
	Follower     int64
	Problem      int64
	Problems     bool     // tickets of type problem only
	Statuses     []string // nil: whatever the status
	Requests     bool     // as requests: what is public

	own   bool            // only what the caller sees as an end user
	found *search.Records // of these only
	whole bool            // by one condition, without ways
}

// query is the listing for by, in no order yet.
func (f Filter) query(by auth.Actor, columns string) page.Query {
	sees := sightOf(by)
	if f.own {
		sees = sightAsEndUser(by)
	}
	live := "t.deleted_at IS NULL AND NOT t.archived"
	if f.Requests { // end users go on seeing theirs
		live = "t.deleted_at IS NULL AND t.is_public"
	}
	q := page.Query{
		Select: columns, From: "tickets t",
		Rejoin: "JOIN tickets t ON t.account_id = ? AND t.id = k.id", RejoinArgs: []any{by.AccountID},
	}
	if f.goesWays(by, sees) {
		q.Where, q.Args, q.Ways = sees.where+" AND "+live, slices.Clone(sees.args), sees.pageWays()
	} else {
		q.Where, q.Args = sees.condition(live)
	}
	if f.CCd != 0 {
		q.From += copiesOf("copied")
	}
	for _, c := range []struct {
		cond  string
		value any
		on    bool
	}{
		{"t.external_id = ?", f.ExternalID, f.ExternalID != ""},
		{"t.organization_id = ?", f.Organization, f.Organization != 0},
		{"t.requester_id = ?", f.Requester, f.Requester != 0},
		{"t.assignee_id = ?", f.Assignee, f.Assignee != 0},
		{"copied.user_id = ?", f.CCd, f.CCd != 0},
		// The second condition lets the partial index serve.
		{"t.follower_ids @> ARRAY[?::bigint] AND t.follower_ids <> '{}'", f.Follower, f.Follower != 0},
		{"t.problem_id = ?", f.Problem, f.Problem != 0},
	} {
		if c.on {
			q.Where, q.Args = q.Where+" AND "+c.cond, append(q.Args, c.value)
		}
	}
	if f.Statuses != nil {
		q.Where += " AND " + inStatuses(f.Statuses) // written out, so that the partial index serves
	}
	if f.Problems {
		q.Where += " AND t.type = 'problem'" // as well
	}
	if f.found != nil {
		cond, args := f.found.Condition("t.id")
		q.Where, q.Args = q.Where+" AND "+cond, append(q.Args, args...)
	}
	return q
}

// inStatuses is the condition of the tickets in one of the statuses in a list.
func inStatuses(list []string) string {
	var quoted []string
	for _, status := range statuses { // what else is in the list, no ticket has
		if slices.Contains(list, status) {
			quoted = append(quoted, "'"+status+"'")
		}
	}
	if quoted == nil {
		return "false"
	}
	return "t.status IN (" + strings.Join(quoted, ", ") + ")"
}

// goesWays reports whether the listing is found by the ways of the sight. It is
// not where the filter is one of them, or where an end user lists an organization,
// nearly all of which he sees.
func (f Filter) goesWays(by auth.Actor, sees sight) bool {
	if f.whole || len(sees.ways) < 2 || !by.Staff() && !f.own && f.Organization != 0 {
		return false
	}
	return !sees.leadsTo("t.requester_id", f.Requester) && !sees.leadsTo("t.assignee_id", f.Assignee) &&
		!sees.leadsTo("t.organization_id", f.Organization) && !sees.leadsTo(copied, f.CCd)
}

var (
	byID = page.Column{Expr: "t.id", Kind: page.Int}
	// orders of both ways of paging.
	orders = map[string]page.Order{
		"id":         page.By("nice_id", byID),
		"updated_at": page.By("updated_at,id", page.Column{Expr: "t.updated_at", Kind: page.Time}, byID),
		"created_at": page.By("created_at,id", page.Column{Expr: "t.created_at", Kind: page.Time}, byID),
		"status":     page.By("status,id", page.Column{Expr: "t.status", Kind: page.Text}, byID),
	}
	// offsetOrders may have nulls, which a cursor could not stand at.
	offsetOrders = map[string]page.Order{
		"subject":   page.By("subject,id", page.Column{Expr: "left(t.subject, 150)"}, byID),
		"requester": page.By("requester,id", page.Column{Expr: "t.requester_id"}, byID),
		"assignee":  page.By("assignee,id", page.Column{Expr: "t.assignee_id"}, byID),
		"group":     page.By("group,id", page.Column{Expr: "t.group_id"}, byID),
	}
)

// order is the order that a request asks for, by number if it asks for none that
// there is.
func (f Filter) order(r page.Request) page.Order {
	o, ok := orders[r.Sort]
	if !ok {
		o = orders["id"]
	}
	if other, ok := offsetOrders[r.Sort]; ok && !r.Cursor && !f.Requests {
		o = other
	}
	if f.CCd != 0 { // whose index is in the order of tickets
		o.Columns = slices.Clone(o.Columns)
		o.Columns[len(o.Columns)-1].Expr = "copied.ticket_id"
	}
	if r.Desc {
		o = o.Reversed()
	}
	return o
}

// Listed is a page of tickets.
type Listed struct {
	page.Result[models.Ticket]
	Config *fields.Config // the account's set-up that they are shown with; nil if there are none
}

// List is a page of tickets that by may see, by number unless the request sorts
// otherwise. An unknown sort is the default one.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, r page.Request) (Listed, error) {
	columns := columnsFor(by)
	if f.Requests {
		columns = publicColumns
	}
	joined, ok := joinedOrders[r.Sort]
	f.whole = ok && !r.Cursor && !f.Requests
	q := f.query(by, versioned(columns))
	q.SelectArgs, q.Order = []any{by.AccountID}, f.order(r)
	if f.whole {
		q = joined.of(q, by.AccountID, r)
	}
	var version int64
	list, err := page.ListRows(ctx, s.db, q, r, func(rows postgres.Scanned, order ...any) (models.Ticket, error) {
		t := models.Ticket{AccountID: by.AccountID}
		return t, rows.Scan(append(append(dest(&t), &version), order...)...)
	})
	if err != nil || version == 0 {
		return Listed{Result: list}, err
	}
	config, err := s.fields.Config(s.db.WithContext(ctx), by.AccountID, version)
	return Listed{list, config}, err
}

// Count is the number of tickets that by may see, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor, f Filter) (int, time.Time, error) {
	q := f.query(by, "")
	q.Order = f.order(page.Request{})
	return page.CountOf(ctx, s.db, q)
}

// joinedOrder is an order by a property of another user. Few tickets are joined
// with their users and sorted. Of more than pages reach, sorting would read all:
// there the users are gone through in the order, and of each the tickets, until
// the page is full.
type joinedOrder struct {
	column string // of u
	link   string // a ticket's user
	nobody bool   // some tickets have none
}

var joinedOrders = map[string]joinedOrder{
	"requester.name": {column: "lower(u.name)", link: "t.requester_id"},
	"locale":         {column: "u.locale", link: "t.requester_id"},
	"assignee.name":  {column: "lower(u.name)", link: "t.assignee_id", nobody: true},
}

// assignees are all users with tickets assigned to them, found one after another
// in the index of tickets, and nobody, in the order of a listing.
const assignees = `(WITH RECURSIVE assignee(id) AS (
	SELECT 0::bigint
	UNION ALL SELECT (SELECT a.assignee_id FROM tickets a WHERE a.account_id = ? AND a.deleted_at IS NULL AND a.assignee_id > assignee.id
		ORDER BY a.assignee_id LIMIT 1) FROM assignee WHERE assignee.id IS NOT NULL)
	SELECT assignee.id, lower(users.name) AS name FROM assignee LEFT JOIN users ON users.account_id = ? AND users.id = assignee.id
	ORDER BY 2 %[1]s, 1 %[1]s) AS u`

// of is the listing q in the order.
func (j joinedOrder) of(q page.Query, account int64, r page.Request) page.Query {
	order, direction := page.By("", page.Column{Expr: j.column}, page.Column{Expr: "u.id"}, byID), "ASC"
	if r.Desc {
		order, direction = order.Reversed(), "DESC"
	}
	large := q
	large.CountFrom, large.Order = "", order
	each := func(cond string) string {
		return fmt.Sprintf("(SELECT t.* FROM %s WHERE %s AND %s ORDER BY t.id %s LIMIT %d)", q.From, q.Where, cond, direction, r.Number*r.Size)
	}
	join := " JOIN users u ON u.account_id = t.account_id AND u.id = " + j.link
	if j.nobody {
		join = " LEFT" + join
		large.Order.Columns = slices.Clone(order.Columns)
		large.Order.Columns[0].Expr = "u.name" // in the order of the assignees
		large.From = fmt.Sprintf(assignees, direction) + " CROSS JOIN LATERAL (" +
			each(j.link+" = u.id") + " UNION ALL " + each("u.id IS NULL AND "+j.link+" IS NULL") + ") AS t"
		large.Where, large.Args = "true", slices.Concat([]any{account, account}, q.Args, q.Args)
	} else {
		large.From = "users u CROSS JOIN LATERAL " + each(j.link+" = u.id") + " AS t"
		large.Where, large.Args = "u.account_id = ?", append(slices.Clone(q.Args), account)
	}
	q.From, q.CountFrom, q.Order, q.Large = q.From+join, q.From, order, &large
	return q
}
