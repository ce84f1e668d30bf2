package api

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListViews(ctx context.Context, r gen.ListViewsRequestObject) (gen.ListViewsResponseObject, error) {
	l, err := h.list(ctx, models.RuleView, rulebook.Filter{Active: (*bool)(r.Params.Active), Access: or(r.Params.Access, ""), GroupID: (*int64)(r.Params.GroupID)})
	return gen.ListViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListActiveViews(ctx context.Context, r gen.ListActiveViewsRequestObject) (gen.ListActiveViewsResponseObject, error) {
	l, err := h.list(ctx, models.RuleView, rulebook.Filter{Active: new(true), Access: or(r.Params.Access, ""), GroupID: (*int64)(r.Params.GroupID)})
	return gen.ListActiveViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) SearchViews(ctx context.Context, r gen.SearchViewsRequestObject) (gen.SearchViewsResponseObject, error) {
	l, err := h.list(ctx, models.RuleView, rulebook.Filter{Words: or(r.Params.Query, ""), Active: (*bool)(r.Params.Active), Access: or(r.Params.Access, ""), GroupID: (*int64)(r.Params.GroupID)})
	return gen.SearchViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CreateView(ctx context.Context, r gen.CreateViewRequestObject) (gen.CreateViewResponseObject, error) {
	c, err := viewChange(ctx, r.Body.View)
	if err != nil {
		return nil, err
	}
	raw, location, err := h.create(ctx, models.RuleView, c)
	return gen.CreateView201JSONResponse{
		Headers: gen.CreateView201ResponseHeaders{Location: location}, Body: gen.ViewEnvelope{View: raw},
	}, err
}

func (h ruleHandlers) ShowView(ctx context.Context, r gen.ShowViewRequestObject) (gen.ShowViewResponseObject, error) {
	raw, err := h.show(ctx, models.RuleView, r.ViewID)
	return gen.ShowView200JSONResponse{View: raw}, err
}

func (h ruleHandlers) UpdateView(ctx context.Context, r gen.UpdateViewRequestObject) (gen.UpdateViewResponseObject, error) {
	c, err := viewChange(ctx, r.Body.View)
	if err != nil {
		return nil, err
	}
	raw, err := h.update(ctx, models.RuleView, r.ViewID, c)
	return gen.UpdateView200JSONResponse{View: raw}, err
}

func (h ruleHandlers) DeleteView(ctx context.Context, r gen.DeleteViewRequestObject) (gen.DeleteViewResponseObject, error) {
	return gen.DeleteView204Response{}, h.delete(ctx, models.RuleView, r.ViewID)
}

func (h ruleHandlers) BulkDeleteViews(ctx context.Context, r gen.BulkDeleteViewsRequestObject) (gen.BulkDeleteViewsResponseObject, error) {
	return gen.BulkDeleteViews204Response{}, h.deleteMany(ctx, models.RuleView, r.Params.Ids)
}

func (h ruleHandlers) UpdateManyViews(ctx context.Context, r gen.UpdateManyViewsRequestObject) (gen.UpdateManyViewsResponseObject, error) {
	l, err := h.place(ctx, models.RuleView, r.Body.Views)
	return gen.UpdateManyViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ReorderViews(ctx context.Context, r gen.ReorderViewsRequestObject) (gen.ReorderViewsResponseObject, error) {
	l, err := h.reorder(ctx, models.RuleView, r.Body.ViewIds)
	return gen.ReorderViews200JSONResponse{Listing: l}, err
}

// maxCompact is how many views the compact list has.
const maxCompact = 32

func (h ruleHandlers) ListCompactViews(ctx context.Context, _ gen.ListCompactViewsRequestObject) (gen.ListCompactViewsResponseObject, error) {
	page, err := h.rules.List(ctx, auth.From(ctx), models.RuleView, rulebook.Filter{Active: new(true)}, page.Request{Number: 1, Size: maxCompact})
	l, err := h.some(ctx, models.RuleView, page.Items, err)
	return gen.ListCompactViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListSharedViews(ctx context.Context, r gen.ListSharedViewsRequestObject) (gen.ListSharedViewsResponseObject, error) {
	l, err := h.list(ctx, models.RuleView, rulebook.Filter{Active: (*bool)(r.Params.Active), Access: rulebook.AccessShared})
	return gen.ListSharedViews200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CountViews(ctx context.Context, _ gen.CountViewsRequestObject) (gen.CountViewsResponseObject, error) {
	n, at, err := h.rules.Count(ctx, auth.From(ctx), models.RuleView, rulebook.Filter{})
	return gen.CountViews200JSONResponse(countJSON(n, at)), err
}

func (h ruleHandlers) ListViewsByID(ctx context.Context, r gen.ListViewsByIDRequestObject) (gen.ListViewsByIDResponseObject, error) {
	list, err := h.rules.Many(ctx, auth.From(ctx), models.RuleView, int64s(r.Params.Ids))
	l, err := h.some(ctx, models.RuleView, list, err)
	return gen.ListViewsByID200JSONResponse{Listing: l}, err
}

func viewChange(ctx context.Context, in gen.ViewInput) (rulebook.Change, error) {
	c := rulebook.Change{
		Title: written(ctx, in.Title, in.RawTitle), Active: (*bool)(in.Active), Description: nullableText(in.Description), Position: (*int64)(in.Position),
		Conditions: ruleConditions(in.Conditions, in.All, in.Any), Restriction: ruleRestriction(in.Restriction),
	}
	output := in.Output
	if output == nil {
		output = in.Execution
	}
	if output == nil {
		return c, nil
	}
	columns, err := columnIDs(output.Columns)
	c.Output = &rulebook.OutputChange{
		Columns: columns, GroupBy: nullableText(output.GroupBy), GroupOrder: nullableText(output.GroupOrder),
		SortBy: nullableText(output.SortBy), SortOrder: nullableText(output.SortOrder),
	}
	return c, err
}

// columnIDs reads a list of names, of ids of custom fields, and of objects with
// either, as execution has them; nil for none told.
func columnIDs(list wire.Raw) ([]string, error) {
	if len(list) == 0 || string(list) == "null" {
		return nil, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, fault.Attribute("view.output.columns", "a list")
	}
	out := make([]string, len(items))
	for n, item := range items {
		var object struct{ ID wire.Text }
		var text wire.Text
		switch {
		case json.Unmarshal(item, &text) == nil:
			out[n] = string(text)
		case json.Unmarshal(item, &object) == nil:
			out[n] = string(object.ID)
		default:
			return nil, fault.Attribute("view.output.columns", "a list of names and ids")
		}
	}
	return out, nil
}

func viewJSON(ctx context.Context, r models.Rule) gen.View {
	return gen.View{
		URL: link(ctx, "views", r.ID), ID: r.ID, Title: rendered(ctx, r.Title), RawTitle: r.Title, Active: r.Active, Default: r.Default,
		Description: orNull(r.Description), Position: int64(r.Position), Conditions: wire.Raw(r.Conditions), Restriction: restrictionJSON(r),
		Execution: executionJSON(ctx, rulebook.OutputOf(r)), CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}

func executionJSON(ctx context.Context, o rulebook.Output) gen.ViewExecution {
	out := gen.ViewExecution{
		GroupBy: o.GroupBy, GroupOrder: o.GroupOrder, SortBy: o.SortBy, SortOrder: o.SortOrder,
		Group: orderingJSON(ctx, o.GroupBy, o.GroupOrder), Sort: orderingJSON(ctx, o.SortBy, o.SortOrder),
		Columns: []gen.ViewColumn{}, Fields: []gen.ViewColumn{}, CustomFields: []gen.ViewColumn{},
	}
	for _, id := range o.Columns {
		c, ok := columnJSON(ctx, id)
		if !ok {
			continue // a custom field that is gone
		}
		out.Columns = append(out.Columns, c)
		if c.URL == nil {
			out.Fields = append(out.Fields, c)
		} else {
			out.CustomFields = append(out.CustomFields, c)
		}
	}
	return out
}

// orderingJSON is what a view is grouped or sorted by; nil for nothing.
func orderingJSON(ctx context.Context, id *string, order string) *gen.ViewColumn {
	if id == nil {
		return nil
	}
	c, ok := columnJSON(ctx, *id)
	if !ok {
		return nil
	}
	c.Order = new(gen.SortOrder(order))
	return &c
}

func columnJSON(ctx context.Context, id string) (gen.ViewColumn, bool) {
	if c, ok := rulebook.ColumnByID(id); ok {
		return gen.ViewColumn{ID: c.InAnswers(), Title: c.Title, Filterable: &c.Filterable, Sortable: &c.Sortable}, true
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return gen.ViewColumn{}, false
	}
	f, ok := callOf(ctx).setUp.of(ctx).Field(n)
	if !ok {
		return gen.ViewColumn{}, false
	}
	return gen.ViewColumn{ID: f.ID, Title: rendered(ctx, f.Title), Type: &f.Type, URL: new(link(ctx, "ticket_fields", f.ID))}, true
}
