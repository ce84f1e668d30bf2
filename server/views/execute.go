package views

import (
	"context"
	"slices"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/tickets"
)

// Executed is a page of a view as a table. Its rows are the tickets.
type Executed struct {
	tickets.Listed
	View    models.Rule // without an id if it is a preview
	Output  rulebook.Output
	Config  *fields.Config
	Metrics map[int64]models.TicketMetric // by ticket id; nil if no column shows any of it
	Latest  map[int64]tickets.Latest      // by ticket id
}

// Execute is a page of a view's table, in another order if o says so. It fails as
// Tickets does.
func (s *Service) Execute(ctx context.Context, by auth.Actor, id int64, o Order, r page.Request) (Executed, error) {
	v, err := s.open(ctx, by, id)
	if err != nil {
		return Executed{}, err
	}
	return s.execute(ctx, by, v, o, r)
}

// Preview is a page of the table of a view that is not kept. It fails with
// fault.Invalid where the view could not be made.
func (s *Service) Preview(ctx context.Context, by auth.Actor, c rulebook.Change, o Order, r page.Request) (Executed, error) {
	v, err := s.try(ctx, by, c)
	if err != nil {
		return Executed{}, err
	}
	return s.execute(ctx, by, v, o, r)
}

// CountPreview counts a view that is not kept. It fails as Preview does.
func (s *Service) CountPreview(ctx context.Context, by auth.Actor, c rulebook.Change) (Count, error) {
	v, err := s.try(ctx, by, c)
	if err != nil {
		return Count{}, err
	}
	list, err := s.countAll(ctx, by, v.config, []models.Rule{v.Rule})
	if err != nil {
		return Count{}, err
	}
	return list[0], nil
}

func (s *Service) try(ctx context.Context, by auth.Actor, c rulebook.Change) (view, error) {
	rule, config, err := s.rules.Try(ctx, by, models.RuleView, c)
	if err != nil {
		return view{}, err
	}
	return view{rule, config, rulebook.OutputOf(rule)}, nil
}

func (s *Service) execute(ctx context.Context, by auth.Actor, v view, o Order, r page.Request) (Executed, error) {
	if err := v.sort(o); err != nil {
		return Executed{}, err
	}
	list, err := s.list(ctx, by, v, r)
	if err != nil {
		return Executed{}, err
	}
	out := Executed{Listed: list, View: v.Rule, Output: v.output, Config: v.config}
	ids := make([]int64, len(list.Items))
	for i, t := range list.Items {
		ids[i] = t.ID
	}
	if v.measured() {
		if out.Metrics, err = s.tickets.Metrics(ctx, by, ids); err != nil {
			return Executed{}, err
		}
	}
	out.Latest, err = s.tickets.LatestOf(ctx, by, ids)
	return out, err
}

// measured reports whether the view shows something of the metrics of tickets.
func (v view) measured() bool {
	shown := slices.Clone(v.output.Columns)
	if v.output.GroupBy != nil {
		shown = append(shown, *v.output.GroupBy)
	}
	return slices.ContainsFunc(shown, func(column string) bool { return keys[column].measured })
}
