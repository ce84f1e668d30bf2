// Package views runs views: it finds the tickets that meet their conditions, in
// their order, and counts them. What views there are is kept by package rulebook,
// what conditions mean is in package rules, and who sees which tickets is said by
// package tickets.
package views

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/tickets"
)

// Service runs the views of all accounts.
type Service struct {
	db      *gorm.DB
	rules   *rulebook.Service
	fields  *fields.Service
	tickets *tickets.Service
	files   *attachments.Service
	now     func() time.Time
	counts  *counts
}

// New makes the service.
func New(db *gorm.DB, book *rulebook.Service, config *fields.Service, list *tickets.Service, files *attachments.Service, now func() time.Time, log *slog.Logger) *Service {
	return &Service{db: db, rules: book, fields: config, tickets: list, files: files, now: now, counts: newCounts(log)}
}

// Order is another order than the view's own. What is empty is as in the view.
type Order struct {
	Sort      string // a column
	Direction string // asc or desc; empty with Sort: names from A to Z, all else from the largest down
	Group     string // a column
}

// view is a view that somebody runs.
type view struct {
	models.Rule
	config *fields.Config
	output rulebook.Output
}

// open is a view that by may run, with what it takes to. It fails with
// fault.NotFound.
func (s *Service) open(ctx context.Context, by auth.Actor, id int64) (view, error) {
	rule, err := s.Show(ctx, by, id)
	if err != nil {
		return view{}, err
	}
	config, err := s.fields.SetUp(ctx, by)
	return view{rule, config, rulebook.OutputOf(rule)}, err
}

// Show is a view that by may run: an active one. It fails with fault.NotFound,
// also for what by may not see.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (models.Rule, error) {
	rule, err := s.rules.Get(ctx, by, models.RuleView, id)
	if err == nil && !rule.Active {
		err = fault.Missing(models.RuleView, id)
	}
	return rule, err
}

// Tickets is a page of the tickets of a view that by may see, in the view's order
// or, if o sorts, in that alone, and the view. It fails with fault.NotFound, and with
// fault.BadRequest for what tickets cannot be sorted by.
func (s *Service) Tickets(ctx context.Context, by auth.Actor, id int64, o Order, r page.Request) (tickets.Listed, models.Rule, error) {
	v, err := s.open(ctx, by, id)
	if err != nil {
		return tickets.Listed{}, v.Rule, err
	}
	if o.Sort != "" {
		v.output.GroupBy = nil // nothing shows the groups
	}
	if err := v.sort(o); err != nil {
		return tickets.Listed{}, v.Rule, err
	}
	list, err := s.list(ctx, by, v, r)
	return list, v.Rule, err
}

func (s *Service) list(ctx context.Context, by auth.Actor, v view, r page.Request) (tickets.Listed, error) {
	selection, err := s.selection(ctx, by, v)
	if err != nil {
		return tickets.Listed{}, err
	}
	return s.tickets.Select(ctx, by, selection, r)
}

// sort puts another order in place of the view's own.
func (v *view) sort(o Order) error {
	if o.Sort != "" {
		column, err := sortable("sort_by", o.Sort, v.config)
		if err != nil {
			return err
		}
		v.output.SortBy, v.output.SortOrder = &column, "desc"
		if k, _ := keyOf(column, v.config); k.kind == page.Text {
			v.output.SortOrder = "asc"
		}
	}
	if o.Direction != "" {
		v.output.SortOrder = o.Direction
	}
	if o.Group != "" {
		column, err := sortable("group_by", o.Group, v.config)
		if err != nil {
			return err
		}
		v.output.GroupBy = &column
	}
	return nil
}

// aliases are what other lists of tickets call columns.
var aliases = map[string]string{
	"id": "nice_id", "created_at": "created", "updated_at": "updated", "assigned_at": "assigned", "solved_at": "solved", "due_at": "due_date",
	"assignee_id": "assignee", "requester_id": "requester", "group_id": "group", "organization_id": "organization", "brand_id": "brand",
	"ticket_form_id": "ticket_form", "ticket_type": "type", "locale": "locale_id",
}

// sortable is the column that a caller calls so.
func sortable(parameter, name string, config *fields.Config) (string, error) {
	column := name
	if alias, ok := aliases[name]; ok {
		column = alias
	} else if c, ok := rulebook.ColumnByID(name); ok {
		column = c.ID
	}
	if _, ok := keyOf(column, config); !ok {
		return "", fault.New(fault.BadRequest, "%s: tickets cannot be sorted by %q", parameter, name)
	}
	return column, nil
}

// selection are the tickets of a view for by, in the view's order.
func (s *Service) selection(ctx context.Context, by auth.Actor, v view) (tickets.Selection, error) {
	compiled, err := s.compile(ctx, by, v.config, []models.Rule{v.Rule})
	if err != nil {
		return tickets.Selection{}, err
	}
	selection := selectionOf(compiled[0], by, v.config, s.now())
	arrange(&selection, v.output, v.config)
	return selection, nil
}

func (s *Service) compile(ctx context.Context, by auth.Actor, config *fields.Config, list []models.Rule) ([]*rules.Rule, error) {
	return rulebook.Compile(s.db.WithContext(ctx), by.AccountID, config, rules.Views, list)
}

// selectionOf are the tickets that meet the conditions of a view at a time, for by.
func selectionOf(r *rules.Rule, by auth.Actor, config *fields.Config, now time.Time) tickets.Selection {
	where, args := r.Conditions.Where(rules.Search{Env: rules.Env{Config: config}, Now: now, Viewer: by.ID()})
	return tickets.Selection{Where: where, Args: args, Measured: r.Conditions.Measures()}
}
