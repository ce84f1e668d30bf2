package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListAutomations(ctx context.Context, r gen.ListAutomationsRequestObject) (gen.ListAutomationsResponseObject, error) {
	l, err := h.list(ctx, models.RuleAutomation, rulebook.Filter{Active: (*bool)(r.Params.Active)})
	return gen.ListAutomations200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListActiveAutomations(ctx context.Context, _ gen.ListActiveAutomationsRequestObject) (gen.ListActiveAutomationsResponseObject, error) {
	l, err := h.list(ctx, models.RuleAutomation, rulebook.Filter{Active: new(true)})
	return gen.ListActiveAutomations200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) SearchAutomations(ctx context.Context, r gen.SearchAutomationsRequestObject) (gen.SearchAutomationsResponseObject, error) {
	l, err := h.list(ctx, models.RuleAutomation, rulebook.Filter{Words: or(r.Params.Query, ""), Active: (*bool)(r.Params.Active)})
	return gen.SearchAutomations200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CreateAutomation(ctx context.Context, r gen.CreateAutomationRequestObject) (gen.CreateAutomationResponseObject, error) {
	raw, location, err := h.create(ctx, models.RuleAutomation, automationChange(ctx, r.Body.Automation))
	return gen.CreateAutomation201JSONResponse{
		Headers: gen.CreateAutomation201ResponseHeaders{Location: location}, Body: gen.AutomationEnvelope{Automation: raw},
	}, err
}

func (h ruleHandlers) ShowAutomation(ctx context.Context, r gen.ShowAutomationRequestObject) (gen.ShowAutomationResponseObject, error) {
	raw, err := h.show(ctx, models.RuleAutomation, r.AutomationID)
	return gen.ShowAutomation200JSONResponse{Automation: raw}, err
}

func (h ruleHandlers) UpdateAutomation(ctx context.Context, r gen.UpdateAutomationRequestObject) (gen.UpdateAutomationResponseObject, error) {
	raw, err := h.update(ctx, models.RuleAutomation, r.AutomationID, automationChange(ctx, r.Body.Automation))
	return gen.UpdateAutomation200JSONResponse{Automation: raw}, err
}

func (h ruleHandlers) DeleteAutomation(ctx context.Context, r gen.DeleteAutomationRequestObject) (gen.DeleteAutomationResponseObject, error) {
	return gen.DeleteAutomation204Response{}, h.delete(ctx, models.RuleAutomation, r.AutomationID)
}

func (h ruleHandlers) BulkDeleteAutomations(ctx context.Context, r gen.BulkDeleteAutomationsRequestObject) (gen.BulkDeleteAutomationsResponseObject, error) {
	return gen.BulkDeleteAutomations204Response{}, h.deleteMany(ctx, models.RuleAutomation, r.Params.Ids)
}

func (h ruleHandlers) UpdateManyAutomations(ctx context.Context, r gen.UpdateManyAutomationsRequestObject) (gen.UpdateManyAutomationsResponseObject, error) {
	l, err := h.place(ctx, models.RuleAutomation, r.Body.Automations)
	return gen.UpdateManyAutomations200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ReorderAutomations(ctx context.Context, r gen.ReorderAutomationsRequestObject) (gen.ReorderAutomationsResponseObject, error) {
	l, err := h.reorder(ctx, models.RuleAutomation, r.Body.AutomationIds)
	return gen.ReorderAutomations200JSONResponse{Listing: l}, err
}

func automationChange(ctx context.Context, in gen.AutomationInput) rulebook.Change {
	return rulebook.Change{
		Title: written(ctx, in.Title, in.RawTitle), Active: (*bool)(in.Active), Position: (*int64)(in.Position),
		Conditions: ruleConditions(in.Conditions, in.All, in.Any), Actions: ruleActions(in.Actions),
	}
}

func automationJSON(ctx context.Context, r models.Rule) gen.Automation {
	return gen.Automation{
		URL: link(ctx, "automations", r.ID), ID: r.ID, Title: rendered(ctx, r.Title), RawTitle: r.Title, Active: r.Active, Default: r.Default, Position: int64(r.Position),
		Conditions: wire.Raw(r.Conditions), Actions: wire.Raw(r.Actions), CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}
