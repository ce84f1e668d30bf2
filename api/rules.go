package api

import (
	"context"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// Triggers, automations, views and macros differ by the members that they have:
// what each has of its own is in triggers.go and the rest, which call what is
// here.

type ruleHandlers struct {
	rules   *rulebook.Service
	users   *users.Service
	tickets *tickets.Service
	files   *attachments.Service
}

// ruleJSON is a rule as its kind is written.
func ruleJSON(ctx context.Context, r models.Rule) any {
	switch r.Kind {
	case models.RuleTrigger:
		return triggerJSON(ctx, r)
	case models.RuleAutomation:
		return automationJSON(ctx, r)
	case models.RuleView:
		return viewJSON(ctx, r)
	}
	return macroJSON(ctx, r)
}

// list is a page of the rules of a kind.
func (h ruleHandlers) list(ctx context.Context, kind string, f rulebook.Filter) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	if !p.Cursor && !signed(ctx, p) && callOf(ctx).query.Get("sort_order") == "" {
		p.Desc = rulebook.LargestFirst(p.Sort)
	}
	list, err := h.rules.List(ctx, auth.From(ctx), kind, f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	items, err := h.shown(ctx, list.Items)
	l := listing(ctx, kind+"s", list)
	l.Items = items
	return l, err
}

func (h ruleHandlers) SearchRules(ctx context.Context, r gen.SearchRulesRequestObject) (gen.SearchRulesResponseObject, error) {
	kind, ok := strings.CutSuffix(r.RuleType, "s")
	if !ok || !rulebook.IsKind(kind) {
		return nil, fault.Missing("type of rules", r.RuleType)
	}
	l, err := h.list(ctx, kind, rulebook.Filter{Words: or(r.Params.Query, ""), Active: (*bool)(r.Params.Active)})
	return gen.SearchRules200JSONResponse{Listing: l}, err
}

// some are rules of a kind that are not a page of a listing.
func (h ruleHandlers) some(ctx context.Context, kind string, list []models.Rule, err error) (wire.Listing, error) {
	if err != nil {
		return wire.Listing{}, err
	}
	items, err := h.shown(ctx, list)
	return whole(kind+"s", items), err
}

// one is a rule, or the failure to get at it.
func (h ruleHandlers) one(ctx context.Context, r models.Rule, err error) (wire.Raw, error) {
	if err != nil {
		return nil, err
	}
	items, err := h.shown(ctx, []models.Rule{r})
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// shown are rules as answers have them, with what the caller asked to add.
func (h ruleHandlers) shown(ctx context.Context, list []models.Rule) ([]wire.Raw, error) {
	by := auth.From(ctx)
	var usage map[int64][]int64
	if slices.ContainsFunc(rulebook.Spans, func(s rulebook.Span) bool { return includes(ctx, s.Name) }) && len(list) > 0 {
		var err error
		if usage, err = h.rules.Usage(ctx, by, list); err != nil {
			return nil, err
		}
	}
	return each(list, func(r models.Rule) wire.Raw {
		b := models.ToJSON(ruleJSON(ctx, r))
		o := wire.ReopenObject(b)
		if includes(ctx, "app_installation") {
			o.Raw("app_installation", nil)
		}
		if includes(ctx, "permissions") {
			o.Raw("permissions", models.ToJSON(gen.RulePermissions{CanEdit: rulebook.MayChange(by, r)}))
		}
		for n, span := range rulebook.Spans {
			if !includes(ctx, span.Name) {
				continue
			}
			var uses int64
			if counts := usage[r.ID]; counts != nil {
				uses = counts[n]
			}
			o.Int(span.Name, uses)
		}
		return o.End()
	}), nil
}

// create makes a rule and returns it with its URL.
func (h ruleHandlers) create(ctx context.Context, kind string, c rulebook.Change) (wire.Raw, string, error) {
	r, err := h.rules.Create(ctx, auth.From(ctx), kind, c)
	raw, err := h.one(ctx, r, err)
	return raw, link(ctx, kind+"s", r.ID), err
}

func (h ruleHandlers) update(ctx context.Context, kind string, id wire.ID, c rulebook.Change) (wire.Raw, error) {
	r, err := h.rules.Update(ctx, auth.From(ctx), kind, int64(id), c)
	return h.one(ctx, r, err)
}

func (h ruleHandlers) show(ctx context.Context, kind string, id wire.ID) (wire.Raw, error) {
	r, err := h.rules.Get(ctx, auth.From(ctx), kind, int64(id))
	return h.one(ctx, r, err)
}

func (h ruleHandlers) delete(ctx context.Context, kind string, id wire.ID) error {
	return h.rules.Delete(ctx, auth.From(ctx), kind, int64(id))
}

func (h ruleHandlers) deleteMany(ctx context.Context, kind string, ids wire.IDs) error {
	return h.rules.Delete(ctx, auth.From(ctx), kind, int64s(ids)...)
}

func (h ruleHandlers) place(ctx context.Context, kind string, places []gen.RulePlaceInput) (wire.Listing, error) {
	return h.placeAll(ctx, kind, each(places, func(in gen.RulePlaceInput) rulebook.Place {
		return rulebook.Place{ID: int64(or(in.ID, 0)), Position: (*int64)(in.Position), Active: (*bool)(in.Active)}
	}))
}

func (h ruleHandlers) placeAll(ctx context.Context, kind string, places []rulebook.Place) (wire.Listing, error) {
	list, err := h.rules.UpdateMany(ctx, auth.From(ctx), kind, places)
	return h.some(ctx, kind, list, err)
}

func (h ruleHandlers) reorder(ctx context.Context, kind string, ids wire.IDs) (wire.Listing, error) {
	list, err := h.rules.Reorder(ctx, auth.From(ctx), kind, ids.Int64s())
	return h.some(ctx, kind, list, err)
}

func ruleConditions(nested *gen.RuleConditionsInput, all, any []gen.RuleConditionInput) *rules.Conditions {
	if nested != nil {
		all, any = nested.All, nested.Any
	} else if all == nil && any == nil {
		return nil
	}
	return &rules.Conditions{All: each(all, ruleCondition), Any: each(any, ruleCondition)}
}

func ruleCondition(in gen.RuleConditionInput) rules.Condition {
	return rules.Condition{Field: string(or(in.Field, "")), Operator: string(or(in.Operator, "")), Value: in.Value}
}

// ruleActions is nil for none told.
func ruleActions(in []gen.RuleActionInput) []rules.Action {
	if in == nil {
		return nil
	}
	return each(in, func(a gen.RuleActionInput) rules.Action {
		return rules.Action{Field: string(or(a.Field, "")), Value: a.Value}
	})
}

func ruleRestriction(in nullable.Nullable[gen.RuleRestrictionInput]) nullable.Nullable[rulebook.Restriction] {
	return convert(in, func(r gen.RuleRestrictionInput) rulebook.Restriction {
		to := rulebook.Restriction{Type: string(or(r.Type, "")), IDs: r.Ids.Int64s()}
		if id := int64(or(r.ID, 0)); id != 0 && len(to.IDs) == 0 {
			to.IDs = []int64{id}
		}
		return to
	})
}

func restrictionJSON(r models.Rule) nullable.Nullable[gen.RuleRestriction] {
	to, ok := rulebook.RestrictionOf(r)
	if !ok {
		return nullable.NewNullNullable[gen.RuleRestriction]()
	}
	out := gen.RuleRestriction{Type: to.Type, ID: to.IDs[0]}
	if to.Type == rulebook.ToGroup {
		out.Ids = to.IDs
	}
	return nullable.NewNullableWithValue(out)
}
