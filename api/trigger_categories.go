package api

import (
	"context"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListTriggerCategories(ctx context.Context, _ gen.ListTriggerCategoriesRequestObject) (gen.ListTriggerCategoriesResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	by := auth.From(ctx)
	list, err := h.rules.Categories(ctx, by, p)
	if err != nil {
		return nil, err
	}
	json := page.Map(list, categoryJSON)
	if includes(ctx, "rule_counts") {
		counts, err := h.rules.RuleCounts(ctx, by, list.Items)
		if err != nil {
			return nil, err
		}
		for n, c := range list.Items {
			has := counts[c.ID]
			json.Items[n].ActiveCount, json.Items[n].InactiveCount = &has.Active, &has.Inactive
		}
	}
	return gen.ListTriggerCategories200JSONResponse{Listing: listing(ctx, "trigger_categories", json)}, nil
}

func (h ruleHandlers) CreateTriggerCategory(ctx context.Context, r gen.CreateTriggerCategoryRequestObject) (gen.CreateTriggerCategoryResponseObject, error) {
	c, err := h.rules.CreateCategory(ctx, auth.From(ctx), *categoryChange(&r.Body.TriggerCategory))
	return gen.CreateTriggerCategory201JSONResponse{TriggerCategory: categoryJSON(c)}, allAsList(err)
}

func (h ruleHandlers) ShowTriggerCategoryByID(ctx context.Context, r gen.ShowTriggerCategoryByIDRequestObject) (gen.ShowTriggerCategoryByIDResponseObject, error) {
	c, err := h.rules.Category(ctx, auth.From(ctx), int64(r.TriggerCategoryID))
	return gen.ShowTriggerCategoryByID200JSONResponse{TriggerCategory: categoryJSON(c)}, allAsList(err)
}

func (h ruleHandlers) UpdateTriggerCategory(ctx context.Context, r gen.UpdateTriggerCategoryRequestObject) (gen.UpdateTriggerCategoryResponseObject, error) {
	c, err := h.rules.UpdateCategory(ctx, auth.From(ctx), int64(r.TriggerCategoryID), *categoryChange(&r.Body.TriggerCategory))
	return gen.UpdateTriggerCategory200JSONResponse{TriggerCategory: categoryJSON(c)}, allAsList(err)
}

func (h ruleHandlers) DeleteTriggerCategory(ctx context.Context, r gen.DeleteTriggerCategoryRequestObject) (gen.DeleteTriggerCategoryResponseObject, error) {
	return gen.DeleteTriggerCategory204Response{}, allAsList(h.rules.DeleteCategory(ctx, auth.From(ctx), int64(r.TriggerCategoryID)))
}

func (h ruleHandlers) BatchOperateTriggerCategories(ctx context.Context, r gen.BatchOperateTriggerCategoriesRequestObject) (gen.BatchOperateTriggerCategoriesResponseObject, error) {
	job := r.Body.Job
	if action := string(or(job.Action, "")); action != "patch" {
		return nil, allAsList(fault.New(fault.BadRequest, "action must be patch"))
	}
	items := or(job.Items, gen.TriggerCategoryItemsInput{})
	categories, triggers, err := h.rules.Arrange(ctx, auth.From(ctx), each(items.TriggerCategories, func(in gen.TriggerCategoryPlaceInput) rulebook.CategoryPlace {
		return rulebook.CategoryPlace{ID: int64(or(in.ID, 0)), Position: (*int64)(in.Position)}
	}), each(items.Triggers, triggerPlace))
	return gen.BatchOperateTriggerCategories200JSONResponse{
		Status: "complete", Errors: []gen.ErrorItem{}, Results: gen.TriggerCategoryResults{
			TriggerCategories: each(categories, categoryJSON),
			Triggers:          each(triggers, func(t models.Rule) gen.Trigger { return triggerJSON(ctx, t) }),
		},
	}, allAsList(err)
}

// categoryChange is nil for none told.
func categoryChange(in *gen.TriggerCategoryInput) *rulebook.CategoryChange {
	if in == nil {
		return nil
	}
	return &rulebook.CategoryChange{Name: (*string)(in.Name), Position: (*int64)(in.Position)}
}

func categoryJSON(c models.TriggerCategory) gen.TriggerCategory {
	return gen.TriggerCategory{
		ID: strconv.FormatInt(c.ID, 10), Name: c.Name, Position: int64(c.Position), CreatedAt: wire.Time(c.CreatedAt), UpdatedAt: wire.Time(c.UpdatedAt),
	}
}
