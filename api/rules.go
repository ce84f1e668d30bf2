package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/rulebook"
)

// Triggers, automations, views and macros differ by the members that they have:
// what each has of its own is in triggers.go and the rest, which call what is
// here.

type ruleHandlers struct{ rules *rulebook.Service }

// list is a page of the rules of a kind.
func (h ruleHandlers) list(ctx context.Context, kind string, f rulebook.Filter) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	if !p.Cursor && callOf(ctx).query.Get("sort_order") == "" {
		p.Desc = rulebook.NewestFirst(p.Sort)
	}
	list, err := h.rules.List(ctx, auth.From(ctx), kind, f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	return listing(ctx, kind+"s", mapped(ctx, list, ruleJSON)), nil
}

// ruleJSON is a rule as its kind is written.
func ruleJSON(ctx context.Context, r models.Rule) any {
	return triggerJSON(ctx, r)
}

func ruleConditions(nested *gen.RuleConditionsInput, all, any []gen.RuleConditionInput) *rulebook.Conditions {
	if nested != nil {
		all, any = nested.All, nested.Any
	} else if all == nil && any == nil {
		return nil
	}
	return &rulebook.Conditions{All: each(all, ruleCondition), Any: each(any, ruleCondition)}
}

func ruleCondition(in gen.RuleConditionInput) rulebook.Condition {
	return rulebook.Condition{Field: string(or(in.Field, "")), Operator: string(or(in.Operator, "")), Value: in.Value}
}

// ruleActions is nil for none told.
func ruleActions(in []gen.RuleActionInput) []rulebook.Action {
	if in == nil {
		return nil
	}
	return each(in, func(a gen.RuleActionInput) rulebook.Action {
		return rulebook.Action{Field: string(or(a.Field, "")), Value: a.Value}
	})
}
