package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/tickets"
)

type tryHandlers struct {
	tickets *tickets.Service
}

func (h tryHandlers) ExplainRules(ctx context.Context, r gen.ExplainRulesRequestObject) (gen.ExplainRulesResponseObject, error) {
	if r.Body.TicketID == nil {
		return nil, fault.Blank("ticket_id")
	}
	count, err := between("audits", (*int64)(r.Body.Audits), 5, tickets.MaxExplained)
	if err != nil {
		return nil, err
	}
	x, err := h.tickets.Explain(ctx, auth.From(ctx), int64(*r.Body.TicketID), count)
	if err != nil {
		return nil, err
	}
	out := gen.Explanation{TicketID: int64(*r.Body.TicketID), Automations: each(x.Automations, explainedRule), Audits: each(x.Audits, func(a tickets.ExplainedAudit) gen.ExplainedAudit {
		return gen.ExplainedAudit{AuditID: a.ID, AuthorID: a.AuthorID, CreatedAt: wire.Time(a.CreatedAt), Triggers: each(a.Rules, explainedRule)}
	})}
	return gen.ExplainRules200JSONResponse{Explanation: out}, nil
}

func explainedRule(r tickets.ExplainedRule) gen.ExplainedRule {
	out := gen.ExplainedRule{ID: r.ID, Title: r.Title, Matched: r.Matched, Events: []wire.Raw{}, Failed: each(r.Failed, func(f rules.Failure) gen.FailedCondition {
		failed := gen.FailedCondition{At: f.At, Condition: wire.Raw("null"), Actual: wire.Raw(models.ToJSON(f.Value))}
		if f.Condition.Field != "" {
			failed.Condition = wire.Raw(models.ToJSON(f.Condition))
		}
		return failed
	})}
	if r.Run != 0 {
		out.Run = new(int64(r.Run))
	}
	for _, e := range r.Events {
		out.Events = append(out.Events, wire.Raw(e))
	}
	return out
}

// between is a number from 1 to most.
func between(field string, n *int64, otherwise, most int) (int, error) {
	switch {
	case n == nil:
		return otherwise, nil
	case *n < 1 || *n > int64(most):
		return 0, fault.InvalidField(field, "must be from 1 to %d", most)
	}
	return int(*n), nil
}

func (h tryHandlers) DryRunRule(ctx context.Context, r gen.DryRunRuleRequestObject) (gen.DryRunRuleResponseObject, error) {
	days, err := between("days", (*int64)(r.Body.Days), 7, tickets.MaxDryDays)
	if err != nil {
		return nil, err
	}
	var kind string
	var in *gen.DryRunRuleInput
	for _, one := range []struct {
		kind string
		in   *gen.DryRunRuleInput
	}{{models.RuleTrigger, r.Body.Trigger}, {models.RuleAutomation, r.Body.Automation}, {models.RuleView, r.Body.View}} {
		if one.in != nil && in != nil {
			return nil, fault.New(fault.BadRequest, "Try one of trigger, automation and view at a time")
		}
		if one.in != nil {
			kind, in = one.kind, one.in
		}
	}
	if in == nil {
		return nil, fault.New(fault.BadRequest, "Tell a trigger, an automation or a view")
	}
	c := rulebook.Change{Conditions: ruleConditions(in.Conditions, in.All, in.Any), Actions: ruleActions(in.Actions)}
	d, err := h.tickets.DryRun(ctx, auth.From(ctx), kind, int64(or(in.ID, 0)), c, days)
	if err != nil {
		return nil, err
	}
	return gen.DryRunRule200JSONResponse{DryRun: dryRunJSON(kind, d)}, nil
}

func dryRunJSON(kind string, d tickets.DryRun) gen.DryRun {
	return gen.DryRun{
		Type: kind, Since: wire.Time(d.Since), Considered: int64(d.Asked), Complete: d.Complete, Matched: int64(d.Matched),
		Matches: each(d.Matches, func(m tickets.DryMatch) gen.DryRunMatch {
			out := gen.DryRunMatch{TicketID: m.TicketID, Subject: m.Subject, At: wire.Time(m.At)}
			if m.AuditID != 0 {
				out.AuditID = &m.AuditID
			}
			out.Changes = each(m.Changes, func(c rules.Difference) gen.DryRunChange {
				return gen.DryRunChange{Field: c.Field, From: wire.Raw(models.ToJSON(c.From)), To: wire.Raw(models.ToJSON(c.To))}
			})
			out.Messages = each(m.Messages, func(s rules.Message) gen.DryRunMessage { return gen.DryRunMessage(s) })
			return out
		}),
	}
}
