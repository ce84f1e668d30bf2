package api

import (
	"context"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
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

func (h ruleHandlers) SearchTriggers(ctx context.Context, r gen.SearchTriggersRequestObject) (gen.SearchTriggersResponseObject, error) {
	f := rulebook.Filter{Active: (*bool)(r.Params.Active), CategoryID: (*int64)(r.Params.CategoryID)}
	if err := attributes(&f, or(r.Params.Filter, "")); err != nil {
		return nil, err
	}
	f.Words = or(r.Params.Query, "") + " " + f.Words
	l, err := h.list(ctx, models.RuleTrigger, f)
	return gen.SearchTriggers200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CreateTrigger(ctx context.Context, r gen.CreateTriggerRequestObject) (gen.CreateTriggerResponseObject, error) {
	raw, location, err := h.create(ctx, models.RuleTrigger, triggerChange(ctx, r.Body.Trigger))
	return gen.CreateTrigger201JSONResponse{
		Headers: gen.CreateTrigger201ResponseHeaders{Location: location}, Body: gen.TriggerEnvelope{Trigger: raw},
	}, err
}

func (h ruleHandlers) GetTrigger(ctx context.Context, r gen.GetTriggerRequestObject) (gen.GetTriggerResponseObject, error) {
	raw, err := h.show(ctx, models.RuleTrigger, r.TriggerID)
	return gen.GetTrigger200JSONResponse{Trigger: raw}, err
}

func (h ruleHandlers) UpdateTrigger(ctx context.Context, r gen.UpdateTriggerRequestObject) (gen.UpdateTriggerResponseObject, error) {
	raw, err := h.update(ctx, models.RuleTrigger, r.TriggerID, triggerChange(ctx, r.Body.Trigger))
	return gen.UpdateTrigger200JSONResponse{
		Headers: gen.UpdateTrigger200ResponseHeaders{Location: link(ctx, "triggers", int64(r.TriggerID))}, Body: gen.TriggerEnvelope{Trigger: raw},
	}, err
}

func (h ruleHandlers) DeleteTrigger(ctx context.Context, r gen.DeleteTriggerRequestObject) (gen.DeleteTriggerResponseObject, error) {
	return gen.DeleteTrigger204Response{}, h.delete(ctx, models.RuleTrigger, r.TriggerID)
}

func (h ruleHandlers) DeleteManyTriggers(ctx context.Context, r gen.DeleteManyTriggersRequestObject) (gen.DeleteManyTriggersResponseObject, error) {
	return gen.DeleteManyTriggers204Response{}, h.deleteMany(ctx, models.RuleTrigger, r.Params.Ids)
}

func (h ruleHandlers) UpdateManyTriggers(ctx context.Context, r gen.UpdateManyTriggersRequestObject) (gen.UpdateManyTriggersResponseObject, error) {
	l, err := h.placeTriggers(ctx, r.Body.Triggers)
	return gen.UpdateManyTriggers200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ReorderTriggers(ctx context.Context, r gen.ReorderTriggersRequestObject) (gen.ReorderTriggersResponseObject, error) {
	l, err := h.reorder(ctx, models.RuleTrigger, r.Body.TriggerIds)
	return gen.ReorderTriggers200JSONResponse{Listing: l}, err
}

// attributes adds to f what is written as {"json":{"description":"Close"}}.
func attributes(f *rulebook.Filter, text string) error {
	if text == "" {
		return nil
	}
	var in struct {
		JSON struct {
			Title       wire.Text  `json:"title"`
			RawTitle    wire.Text  `json:"raw_title"`
			Description wire.Text  `json:"description"`
			Active      *wire.Flag `json:"active"`
			CategoryID  *wire.ID   `json:"category_id"`
			Position    *wire.Int  `json:"position"`
			Conditions  wire.Raw   `json:"conditions"`
			Actions     wire.Raw   `json:"actions"`
		} `json:"json"`
	}
	if wire.Check([]byte(text), 10) != nil || wire.Decode([]byte(text), &in) != nil {
		return fault.New(fault.BadRequest, `filter must be JSON with attributes of triggers, such as {"json":{"description":"Close"}}`)
	}
	want := in.JSON
	f.Words, f.Description = string(want.Title)+" "+string(want.RawTitle), string(want.Description)
	f.Position, f.Conditions, f.Actions = (*int64)(want.Position), want.Conditions, want.Actions
	if want.Active != nil {
		f.Active = (*bool)(want.Active)
	}
	if want.CategoryID != nil {
		f.CategoryID = (*int64)(want.CategoryID)
	}
	return nil
}

func (h ruleHandlers) placeTriggers(ctx context.Context, places []gen.TriggerPlaceInput) (wire.Listing, error) {
	return h.placeAll(ctx, models.RuleTrigger, each(places, triggerPlace))
}

func triggerPlace(in gen.TriggerPlaceInput) rulebook.Place {
	return rulebook.Place{ID: int64(or(in.ID, 0)), Position: (*int64)(in.Position), Active: (*bool)(in.Active), CategoryID: (*int64)(in.CategoryID)}
}

func triggerChange(ctx context.Context, in gen.TriggerInput) rulebook.Change {
	return rulebook.Change{
		Title: written(ctx, in.Title, in.RawTitle), Active: (*bool)(in.Active), Description: nullableText(in.Description), Position: (*int64)(in.Position),
		CategoryID: wire.NullableID(in.CategoryID), Category: categoryChange(in.Category), Conditions: ruleConditions(in.Conditions, in.All, in.Any), Actions: ruleActions(in.Actions),
	}
}

func triggerJSON(ctx context.Context, r models.Rule) gen.Trigger {
	return gen.Trigger{
		URL: link(ctx, "triggers", r.ID), ID: r.ID, Title: rendered(ctx, r.Title), RawTitle: r.Title, Active: r.Active, Default: r.Default,
		Description: orNull(r.Description), Position: int64(r.Position), CategoryID: strconv.FormatInt(or(r.CategoryID, 0), 10),
		Conditions: wire.Raw(r.Conditions), Actions: wire.Raw(r.Actions), CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}
