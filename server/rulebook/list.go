package rulebook

import (
	"context"
	"database/sql"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Filter chooses the rules of a listing. The zero value is all that the caller
// sees.
type Filter struct {
	Active     *bool
	CategoryID *int64   // of triggers
	Words      []string // all of which are in the title
}

var (
	byID       = page.Column{Expr: "r.id", Kind: page.Int}
	byPosition = page.Column{Expr: "r.position", Kind: page.Int}
	// running is the order in which triggers run.
	running = page.By("position,position,title,id", page.Column{Expr: "r.category_position", Kind: page.Int}, byPosition,
		page.Column{Expr: "r.title", Kind: page.Text}, byID)
	positions = page.By("position,id", byPosition, byID)
	// orders by what callers call them, of both ways of paging.
	orders = map[string]page.Order{
		"alphabetical": page.By("title,id", page.Column{Expr: "lower(r.title)", Kind: page.Text}, byID),
		"created_at":   page.By("created_at,id", page.Column{Expr: "r.created_at", Kind: page.Time}, byID),
		"updated_at":   page.By("updated_at,id", page.Column{Expr: "r.updated_at", Kind: page.Time}, byID),
	}
)

// orderOf is the order that a page of rules of a kind is asked for in.
func orderOf(kind string, p page.Request) page.Order {
	order, ok := orders[p.Sort]
	if p.Sort == "title" {
		order, ok = orders["alphabetical"], true
	}
	if !ok {
		order = positions
		if kinds[kind].ordered {
			order = running
		}
	}
	if p.Desc {
		return order.Reversed()
	}
	return order
}

// NewestFirst reports whether an order begins with what is largest unless the
// caller says otherwise.
func NewestFirst(sort string) bool { return sort == "created_at" || sort == "updated_at" }

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

// List is a page of the rules of a kind.
func (s *Service) List(ctx context.Context, by auth.Actor, kind string, f Filter, p page.Request) (page.Result[models.Rule], error) {
	q := page.Query{
		// The kind stands there as it is, that partial indexes serve.
		Select: columns, From: "rules r", Where: "r.account_id = ? AND r.kind = '" + kind + "' AND r.owner_id IS NULL", Args: []any{by.AccountID},
		Order: orderOf(kind, p),
	}
	if f.Active != nil {
		q.Where, q.Args = q.Where+" AND r.active = ?", append(q.Args, *f.Active)
	}
	if f.CategoryID != nil {
		q.Where, q.Args = q.Where+" AND r.category_id = ?", append(q.Args, *f.CategoryID)
	}
	for _, word := range f.Words {
		q.Where, q.Args = q.Where+" AND lower(r.title) LIKE ?", append(q.Args, "%"+postgres.EscapeLike(strings.ToLower(word))+"%")
	}
	return page.List(ctx, s.db, q, p, scanned(by.AccountID))
}
