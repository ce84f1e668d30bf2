package api

import (
	"context"
	"slices"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// What rules can ask about and do, for those who build forms for rules. Where
// values come from is in package rules; SLA policies show the same.

func (h ruleHandlers) ListTriggerActionConditionDefinitions(ctx context.Context, _ gen.ListTriggerActionConditionDefinitionsRequestObject) (gen.ListTriggerActionConditionDefinitionsResponseObject, error) {
	all, err := h.rules.Define(ctx, auth.From(ctx), rules.Triggers)
	if err != nil {
		return nil, err
	}
	out := gen.TriggerDefinitions{Actions: actionDefinitions(ctx, all.Actions), ConditionsAll: []gen.ConditionDefinition{}, ConditionsAny: []gen.ConditionDefinition{}}
	for _, d := range all.Fields {
		one := conditionDefinition(ctx, d)
		if out.ConditionsAll = append(out.ConditionsAll, one); d.OneOf {
			out.ConditionsAny = append(out.ConditionsAny, one)
		}
	}
	return gen.ListTriggerActionConditionDefinitions200JSONResponse{Definitions: out}, nil
}

func (h ruleHandlers) ListMacroActionDefinitions(ctx context.Context, _ gen.ListMacroActionDefinitionsRequestObject) (gen.ListMacroActionDefinitionsResponseObject, error) {
	all, err := h.rules.Define(ctx, auth.From(ctx), rules.Macros)
	return gen.ListMacroActionDefinitions200JSONResponse{Definitions: gen.MacroDefinitions{Actions: actionDefinitions(ctx, all.Actions)}}, err
}

func (h ruleHandlers) ListMacrosActions(ctx context.Context, _ gen.ListMacrosActionsRequestObject) (gen.ListMacrosActionsResponseObject, error) {
	all, err := h.rules.Define(ctx, auth.From(ctx), rules.Macros)
	return gen.ListMacrosActions200JSONResponse{Actions: each(all.Actions, func(d rulebook.ActionDefinition) gen.MacroActionDefinition {
		title := rendered(ctx, d.Title)
		return gen.MacroActionDefinition{
			Value: d.Name, Title: title, TitleForField: title, Group: d.Subject, Operators: []gen.SLAChoice{{Value: "is", Title: rules.OperatorTitle("is")}},
			Values: gen.MacroActionValues{Type: d.Type(), List: ruleValues(ctx, d.Choices)},
		}
	})}, err
}

func actionDefinitions(ctx context.Context, list []rulebook.ActionDefinition) []gen.ActionDefinition {
	return each(list, func(d rulebook.ActionDefinition) gen.ActionDefinition {
		return gen.ActionDefinition{
			Title: rendered(ctx, d.Title), Subject: d.Name, Type: d.Type(), Group: d.Subject, Nullable: d.Nullable, Repeatable: d.Repeatable, Values: ruleValues(ctx, d.Choices),
		}
	})
}

func conditionDefinition(ctx context.Context, d rulebook.Definition) gen.ConditionDefinition {
	return gen.ConditionDefinition{
		Title: rendered(ctx, d.Title), Subject: d.Name, Type: d.Type(), Group: d.Subject, Repeatable: true, Values: ruleValues(ctx, d.Choices),
		Nullable: slices.ContainsFunc(d.Choices, func(c rules.Choice) bool { return c.Value == "" }),
		Operators: each(d.Operators, func(op string) gen.OperatorDefinition {
			return gen.OperatorDefinition{Value: op, Title: rules.OperatorTitle(op), Terminal: !rules.NeedsValue(op)}
		}),
	}
}

func ruleValues(ctx context.Context, list []rules.Choice) []gen.RuleValueDefinition {
	return each(list, func(c rules.Choice) gen.RuleValueDefinition {
		return gen.RuleValueDefinition{Value: c.Value, Title: rendered(ctx, c.Title), Enabled: true}
	})
}
