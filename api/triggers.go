package api

import (
	"context"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListTriggers(ctx context.Context, r gen.ListTriggersRequestObject) (gen.ListTriggersResponseObject, error) {
	l, err := h.list(ctx, models.RuleTrigger, rulebook.Filter{Active: (*bool)(r.Params.Active), CategoryID: (*int64)(r.Params.CategoryID)})
	return gen.ListTriggers200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListActiveTriggers(ctx context.Context, r gen.ListActiveTriggersRequestObject) (gen.ListActiveTriggersResponseObject, error) {
	l, err := h.list(ctx, models.RuleTrigger, rulebook.Filter{Active: new(true), CategoryID: (*int64)(r.Params.CategoryID)})
	return gen.ListActiveTriggers200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CreateTrigger(ctx context.Context, r gen.CreateTriggerRequestObject) (gen.CreateTriggerResponseObject, error) {
	t, err := h.rules.Create(ctx, auth.From(ctx), models.RuleTrigger, triggerChange(ctx, r.Body.Trigger))
	if err != nil {
		return nil, err
	}
	return gen.CreateTrigger201JSONResponse{
		Headers: gen.CreateTrigger201ResponseHeaders{Location: link(ctx, "triggers", t.ID)}, Body: gen.TriggerEnvelope{Trigger: triggerJSON(ctx, t)},
	}, nil
}

func (h ruleHandlers) GetTrigger(ctx context.Context, r gen.GetTriggerRequestObject) (gen.GetTriggerResponseObject, error) {
	t, err := h.rules.Get(ctx, auth.From(ctx), models.RuleTrigger, int64(r.TriggerID))
	return gen.GetTrigger200JSONResponse{Trigger: triggerJSON(ctx, t)}, err
}

func (h ruleHandlers) UpdateTrigger(ctx context.Context, r gen.UpdateTriggerRequestObject) (gen.UpdateTriggerResponseObject, error) {
	t, err := h.rules.Update(ctx, auth.From(ctx), models.RuleTrigger, int64(r.TriggerID), triggerChange(ctx, r.Body.Trigger))
	if err != nil {
		return nil, err
	}
	return gen.UpdateTrigger200JSONResponse{
		Headers: gen.UpdateTrigger200ResponseHeaders{Location: link(ctx, "triggers", t.ID)}, Body: gen.TriggerEnvelope{Trigger: triggerJSON(ctx, t)},
	}, nil
}

func (h ruleHandlers) DeleteTrigger(ctx context.Context, r gen.DeleteTriggerRequestObject) (gen.DeleteTriggerResponseObject, error) {
	return gen.DeleteTrigger204Response{}, h.rules.Delete(ctx, auth.From(ctx), models.RuleTrigger, int64(r.TriggerID))
}

func triggerChange(ctx context.Context, in gen.TriggerInput) rulebook.Change {
	return rulebook.Change{
		Title: written(ctx, in.Title, in.RawTitle), Active: (*bool)(in.Active), Description: nullableText(in.Description), Position: (*int64)(in.Position),
		CategoryID: wire.NullableID(in.CategoryID), Conditions: ruleConditions(in.Conditions, in.All, in.Any), Actions: ruleActions(in.Actions),
	}
}

func triggerJSON(ctx context.Context, r models.Rule) gen.Trigger {
	return gen.Trigger{
		URL: link(ctx, "triggers", r.ID), ID: r.ID, Title: rendered(ctx, r.Title), RawTitle: r.Title, Active: r.Active, Default: r.Default,
		Description: orNull(r.Description), Position: int64(r.Position), CategoryID: strconv.FormatInt(or(r.CategoryID, 0), 10),
		Conditions: wire.Raw(r.Conditions), Actions: wire.Raw(r.Actions), CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}
