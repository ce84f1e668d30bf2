package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/sla"
)

type slaHandlers struct {
	sla   *sla.Service
	rules *rulebook.Service
}

const slaPoliciesPath = "slas/policies"

func (h slaHandlers) ListSLAPolicies(ctx context.Context, _ gen.ListSLAPoliciesRequestObject) (gen.ListSLAPoliciesResponseObject, error) {
	list, err := h.sla.List(ctx, auth.From(ctx))
	return gen.ListSLAPolicies200JSONResponse{Listing: policyListing(ctx, list)}, err
}

func (h slaHandlers) CreateSLAPolicy(ctx context.Context, r gen.CreateSLAPolicyRequestObject) (gen.CreateSLAPolicyResponseObject, error) {
	in := r.Body.SLAPolicy
	if in.Title == nil {
		in.Title = new(wire.Text)
	}
	p, err := h.sla.Create(ctx, auth.From(ctx), policyChange(in))
	if err != nil {
		return nil, err
	}
	return gen.CreateSLAPolicy201JSONResponse{
		Headers: gen.CreateSLAPolicy201ResponseHeaders{Location: link(ctx, slaPoliciesPath, p.ID)},
		Body:    gen.SLAPolicyEnvelope{SLAPolicy: policyJSON(ctx, p)},
	}, nil
}

func (h slaHandlers) ShowSLAPolicy(ctx context.Context, r gen.ShowSLAPolicyRequestObject) (gen.ShowSLAPolicyResponseObject, error) {
	p, err := h.sla.Get(ctx, auth.From(ctx), int64(r.SLAPolicyID))
	return gen.ShowSLAPolicy200JSONResponse{SLAPolicy: policyJSON(ctx, p)}, err
}

func (h slaHandlers) UpdateSLAPolicy(ctx context.Context, r gen.UpdateSLAPolicyRequestObject) (gen.UpdateSLAPolicyResponseObject, error) {
	p, err := h.sla.Update(ctx, auth.From(ctx), int64(r.SLAPolicyID), policyChange(r.Body.SLAPolicy))
	return gen.UpdateSLAPolicy200JSONResponse{SLAPolicy: policyJSON(ctx, p)}, err
}

func (h slaHandlers) DeleteSLAPolicy(ctx context.Context, r gen.DeleteSLAPolicyRequestObject) (gen.DeleteSLAPolicyResponseObject, error) {
	return gen.DeleteSLAPolicy204Response{}, h.sla.Delete(ctx, auth.From(ctx), int64(r.SLAPolicyID))
}

func (h slaHandlers) ReorderSLAPolicies(ctx context.Context, r gen.ReorderSLAPoliciesRequestObject) (gen.ReorderSLAPoliciesResponseObject, error) {
	ids := int64s(r.Params.SLAPolicyIds)
	if r.Body != nil && r.Body.SLAPolicyIds != nil {
		ids = r.Body.SLAPolicyIds.Int64s()
	}
	if len(ids) == 0 {
		return nil, fault.Blank("sla_policy_ids")
	}
	list, err := h.sla.Reorder(ctx, auth.From(ctx), ids)
	return gen.ReorderSLAPolicies200JSONResponse{Listing: policyListing(ctx, list)}, err
}

func policyListing(ctx context.Context, list []models.SLAPolicy) wire.Listing {
	return whole("sla_policies", each(list, func(p models.SLAPolicy) gen.SLAPolicy { return policyJSON(ctx, p) }))
}

func policyChange(in gen.SLAPolicyInput) sla.Change {
	c := sla.Change{Title: (*string)(in.Title), Description: nullableText(in.Description), Position: (*int64)(in.Position)}
	c.Filter = ruleConditions(in.Filter, nil, nil)
	if in.PolicyMetrics != nil {
		c.Promises = each(in.PolicyMetrics, func(m gen.SLAPolicyMetricInput) sla.PromiseChange {
			return sla.PromiseChange{
				Priority: string(or(m.Priority, "")), Metric: string(or(m.Metric, "")),
				Minutes: (*int64)(m.Target), Seconds: (*int64)(m.TargetInSeconds), BusinessHours: isSet(m.BusinessHours),
			}
		})
	}
	if in.MetricSettings.IsSpecified() {
		c.Settings = json.RawMessage(models.ToJSON(in.MetricSettings))
	}
	return c
}

func policyJSON(ctx context.Context, p models.SLAPolicy) gen.SLAPolicy {
	return gen.SLAPolicy{
		URL: link(ctx, slaPoliciesPath, p.ID), ID: p.ID, Title: p.Title, Description: p.Description, Position: int64(p.Position),
		Filter: wire.Raw(p.Filter), PolicyMetrics: wire.Raw(p.PolicyMetrics), MetricSettings: wire.Raw(p.MetricSettings),
		CreatedAt: wire.Time(p.CreatedAt), UpdatedAt: wire.Time(p.UpdatedAt),
	}
}

// targetJSON is how a target of a ticket stands. The time that is left is in the
// largest unit that it fills, rounded towards zero.
func targetJSON(s sla.Shown) gen.TicketSLAMetric {
	out := gen.TicketSLAMetric{Metric: gen.SLAMetric(s.Metric), Stage: s.Stage.String(), BreachAt: orNull((*wire.Time)(s.BreachAt))}
	if s.Left == nil {
		return out
	}
	switch left := *s.Left; {
	case left.Abs() >= 24*time.Hour:
		out.Days = new(int64(left / (24 * time.Hour)))
	case left.Abs() >= time.Hour:
		out.Hours = new(int64(left / time.Hour))
	default:
		out.Minutes = new(int64(left / time.Minute))
	}
	return out
}

func (h slaHandlers) RetrieveSLAPolicyFilterDefinitionItems(ctx context.Context, _ gen.RetrieveSLAPolicyFilterDefinitionItemsRequestObject) (gen.RetrieveSLAPolicyFilterDefinitionItemsResponseObject, error) {
	all, err := h.rules.Define(ctx, auth.From(ctx), rules.SLAPolicies)
	if err != nil {
		return nil, err
	}
	out := gen.SLADefinitions{All: []gen.SLADefinition{}, Any: []gen.SLADefinition{}}
	for _, d := range all.Fields {
		one := filterDefinition(ctx, d)
		if out.All = append(out.All, one); d.OneOf {
			out.Any = append(out.Any, one)
		}
	}
	return gen.RetrieveSLAPolicyFilterDefinitionItems200JSONResponse{Definitions: out}, nil
}

func filterDefinition(ctx context.Context, d rulebook.Definition) gen.SLADefinition {
	out := gen.SLADefinition{
		Value: d.Name, Title: rendered(ctx, d.Title), Group: d.Subject, Values: gen.SLAValues{Type: d.Type()},
		Operators: each(d.Operators, func(op string) gen.SLAChoice { return gen.SLAChoice{Value: op, Title: rules.OperatorTitle(op)} }),
	}
	out.Values.List = each(d.Choices, func(c rules.Choice) gen.SLAChoice {
		return gen.SLAChoice{Value: c.Value, Title: rendered(ctx, c.Title)}
	})
	return out
}
