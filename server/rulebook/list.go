package rulebook

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/postgres"
)

// Filter chooses the rules of a listing. The zero value is all that the caller
// sees: what is shared with him, and his own.
type Filter struct {
	Active     *bool
	CategoryID *int64  // of triggers
	Category   *string // the part of a title before "::"
	Words      string  // all of which are in the title
	// What a rule has: a text within its description, a position, and among what
	// it looks for and what it does parts of the same form, as JSON. Nil and
	// empty: whatever it has.
	Description string
	Position    *int64
	Conditions  json.RawMessage
	Actions     json.RawMessage

	// Of macros and views.
	Access       string // AccessPersonal and the rest; empty for all of them
	GroupID      *int64 // that are for this group
	OnlyViewable bool   // for admins, too, without what is for other groups
}

// Values of Filter.Access.
const (
	AccessPersonal = "personal" // the caller's own
	AccessShared   = "shared"   // with all agents, or with the caller's groups
	AccessAccount  = "account"  // with all agents
	AccessAgents   = "agents"   // all agents' own; admins alone may ask
)

var (
	byID       = page.Column{Expr: "r.id", Kind: page.Int}
	byPosition = page.Column{Expr: "r.position", Kind: page.Int}
	// running is the order in which triggers run.
	running = page.By("position,position,title,id", page.Column{Expr: "r.category_position", Kind: page.Int},
		page.Column{Expr: "r.category_id", Kind: page.Int}, byPosition, page.Column{Expr: "r.title", Kind: page.Text}, byID)
	placed       = page.By("position,id", byPosition, byID)
	alphabetical = page.By("title,id", page.Column{Expr: "lower(r.title)", Kind: page.Text}, byID)
	byCreation   = page.By("created_at,id", page.Column{Expr: "r.created_at", Kind: page.Time}, byID)
	// orders by what callers call them, of both ways of paging.
	orders = map[string]page.Order{
		"alphabetical": alphabetical,
		"title":        alphabetical,
		"created_at":   byCreation,
		"updated_at":   page.By("updated_at,id", page.Column{Expr: "r.updated_at", Kind: page.Time}, byID),
	}
)

// LargestFirst reports whether an order begins with what is largest unless the
// caller says otherwise.
func LargestFirst(sort string) bool {
	return sort == "created_at" || sort == "updated_at" || strings.HasPrefix(sort, "usage_")
}

// orderOf is the order in which a page of rules is asked for.
func (k kind) orderOf(p page.Request) page.Order {
	order, ok := orders[p.Sort]
	switch {
	case ok:
	case p.Sort == "position" && k.ordered:
		order = running
	case p.Sort == "position":
		order = placed
	case p.Cursor:
		order = k.byCursor
	default:
		order = k.byNumber
	}
	return order.Directed(p.Desc)
}

// columns of a rule, as scan reads them.
const columns = `r.id, r.kind, r.title, r.description, r.active, r."default", r.position, r.category_id, r.category_position,
	r.conditions, r.actions, r.output, r.owner_id, r.group_ids, r.created_at, r.updated_at`

func scanned(account int64) func(rows *sql.Rows, order ...any) (models.Rule, error) {
	return func(rows *sql.Rows, order ...any) (models.Rule, error) {
		r := models.Rule{Tenant: models.Tenant{AccountID: account}}
		return r, rows.Scan(append([]any{&r.ID, &r.Kind, &r.Title, &r.Description, &r.Active, &r.Default, &r.Position, &r.CategoryID, &r.CategoryPosition,
			&r.Conditions, &r.Actions, &r.Output, &r.OwnerID, &r.GroupIDs, &r.CreatedAt, &r.UpdatedAt}, order...)...)
	}
}

// List is a page of the rules of a kind. It fails with fault.BadRequest for an
// access that there is not, and with fault.Forbidden.
func (s *Service) List(ctx context.Context, by auth.Actor, kind string, f Filter, p page.Request) (page.Result[models.Rule], error) {
	q, err := f.query(by, kind)
	if err != nil {
		return page.Result[models.Rule]{}, err
	}
	switch {
	case !s.byUsage(&q, p.Sort):
		q.Order = kinds[kind].orderOf(p)
	case p.Desc:
		q.Order = q.Order.Reversed()
	}
	return page.List(ctx, s.db, q, p, scanned(by.AccountID))
}

// Count is the number of rules of a listing, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor, kind string, f Filter) (int, time.Time, error) {
	q, err := f.query(by, kind)
	if err != nil {
		return 0, time.Time{}, err
	}
	q.Order = placed
	return page.CountOf(ctx, s.db, q)
}

// MacroCategories are the parts before "::" of the titles of the active macros
// that the caller sees in his lists, in order.
func (s *Service) MacroCategories(ctx context.Context, by auth.Actor) ([]string, error) {
	q, err := Filter{Active: new(true)}.query(by, models.RuleMacro)
	if err != nil {
		return nil, err
	}
	var parts []string
	var args []any
	for _, way := range q.Ways {
		parts = append(parts, "SELECT split_part(r.title, '::', 1) AS name FROM "+q.From+" WHERE "+q.Where+" AND strpos(r.title, '::') > 1 AND "+way.Cond)
		args = append(append(args, q.Args...), way.Args...)
	}
	names := []string{}
	err = s.db.WithContext(ctx).Raw(strings.Join(parts, " UNION ")+" ORDER BY name", args...).Scan(&names).Error
	return names, err
}

// query is the listing for by, in no order yet.
func (f Filter) query(by auth.Actor, kind string) (page.Query, error) {
	q := page.Query{
		// The kind stands there as it is, so that partial indexes serve.
		Select: columns, From: "rules r", Where: "r.account_id = ? AND r.kind = '" + kind + "'", Args: []any{by.AccountID},
		Rejoin: "JOIN rules r ON r.account_id = ? AND r.id = k.id", RejoinArgs: []any{by.AccountID},
	}
	with := func(cond string, args ...any) { q.Where, q.Args = q.Where+" AND "+cond, append(q.Args, args...) }
	if f.Active != nil {
		with("r.active = ?", *f.Active)
	}
	if f.CategoryID != nil {
		with("r.category_id = ?", *f.CategoryID)
	}
	if f.Category != nil {
		with("lower(r.title) LIKE ?", postgres.EscapeLike(strings.ToLower(*f.Category))+"::%")
	}
	if f.GroupID != nil {
		with("r.group_ids @> ARRAY[?::bigint] AND r.group_ids <> '{}'", *f.GroupID)
	}
	if words := strings.Fields(strings.ToLower(f.Words)); len(words) > 0 {
		cond, args := titled(by, words)
		with(cond, args...)
	}
	if f.Description != "" {
		with("lower(r.description) LIKE ?", "%"+postgres.EscapeLike(strings.ToLower(f.Description))+"%")
	}
	if f.Position != nil {
		with("r.position = ?::bigint", *f.Position)
	}
	if f.Conditions != nil {
		with("r.conditions::jsonb @> ?::jsonb", string(tidy(f.Conditions)))
	}
	if f.Actions != nil {
		with("r.actions::jsonb @> ?::jsonb", string(tidy(f.Actions)))
	}
	if !kinds[kind].personal {
		with("r.owner_id IS NULL")
		return q, nil
	}
	ways, err := f.ways(by)
	q.Ways = ways
	return q, err
}

// titled is the condition of a title with all of some words, also where it
// names a system text that has them.
func titled(by auth.Actor, words []string) (string, []any) {
	conds, args := make([]string, len(words)), make([]any, len(words))
	for n, word := range words {
		conds[n], args[n] = "lower(r.title) LIKE ?", "%"+postgres.EscapeLike(word)+"%"
	}
	cond := strings.Join(conds, " AND ")
	names := placeholders.SystemTitles(by.User.Locale, func(text string) bool {
		text = strings.ToLower(text)
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
	if len(names) == 0 {
		return cond, args
	}
	return "(" + cond + " OR lower(r.title) = ANY(?))", append(args, models.Strings(names))
}

// ways lead to the macros and views that the caller is listed.
func (f Filter) ways(by auth.Actor) ([]page.Way, error) {
	own := page.Way{Cond: "r.owner_id = ?", Args: []any{by.ID()}}
	all := page.Way{Cond: "r.owner_id IS NULL AND r.group_ids = '{}'"}
	shared := page.Way{Cond: "r.owner_id IS NULL"}
	if !by.Admin() || f.OnlyViewable {
		shared = page.Way{Cond: "r.owner_id IS NULL AND (r.group_ids = '{}' OR r.group_ids && ?)", Args: []any{models.IDs(by.GroupIDs)}}
	}
	switch f.Access {
	case "":
		return []page.Way{shared, own}, nil
	case AccessPersonal:
		return []page.Way{own}, nil
	case AccessShared:
		return []page.Way{shared}, nil
	case AccessAccount:
		return []page.Way{all}, nil
	case AccessAgents:
		if !by.Admin() {
			return nil, fault.Denied()
		}
		return []page.Way{{Cond: "r.owner_id IS NOT NULL"}}, nil
	}
	return nil, fault.New(fault.BadRequest, "access must be %s, %s, %s or %s", AccessPersonal, AccessShared, AccessAccount, AccessAgents)
}
