package tickets

import (
	"context"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/sla"
)

// appliedSLA is a target of a ticket as metric events keep it, with its policy as
// it was.
type appliedSLA struct {
	Seconds       int64   `json:"s"`
	BusinessHours bool    `json:"b,omitempty"`
	PolicyID      int64   `json:"p"`
	Title         string  `json:"t"`
	Description   *string `json:"d,omitempty"`
}

// eventMetrics are the metrics of SLA targets by their places in metricNames.
var eventMetrics = map[string]int{
	sla.FirstReplyTime: replyTime, sla.NextReplyTime: replyTime, sla.RequesterWaitTime: requesterWaitTime, sla.AgentWorkTime: agentWorkTime,
	sla.PausableUpdateTime: pausableUpdateTime, sla.PeriodicUpdateTime: periodicUpdateTime, sla.TotalResolutionTime: resolutionTime,
}

// runSLA holds the ticket, as rules have left it, against the account's SLA
// policies (contract rules.md §8). Nothing is promised for what is imported, and a
// closed ticket keeps what it has.
func (s *save) runSLA() error {
	if s.silent || s.before.Status == models.StatusClosed {
		return nil
	}
	state, err := sla.Read(s.metric.SLA)
	if err != nil {
		return err
	}
	if s.metric.SLA == nil && !s.created {
		state = sla.Late()
	}
	policy, err := s.promisedBy()
	if err != nil {
		return err
	}
	before, clocks := state.Policy, readClocks(s.metric.Clocks, nil)
	for _, e := range state.Step(s.moment(), sla.Promised{
		Policy: policy, Priority: s.after.Priority, Hours: s.hours(),
		Instance: func(metric string) int64 { return max(1, clocks[eventMetrics[metric]].instance) },
	}) {
		told := targetEvent(e)
		switch e.Type {
		case sla.Applied:
			told.Applied = &appliedSLA{e.Target.Seconds, e.Target.BusinessHours, policy.ID, policy.Title, policy.Description}
		case sla.Breached:
			s.logEvent("sla_breached", breachedTarget(e.Target, state.Policy))
		}
		s.metricEvents = append(s.metricEvents, told)
	}
	if !s.created && before != state.Policy {
		s.logEvent("sla_policy_changed", map[string]any{"current": events.ID(state.Policy), "previous": events.ID(before)})
	}
	s.metric.SLA = models.ToJSON(state)
	s.noteBreaches(state)
	return nil
}

// promisedBy is the policy that the ticket matches; nil for none.
func (s *save) promisedBy() (*sla.Policy, error) {
	list, err := s.service.sla.Policies(s.tx, s.config)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	subject, err := s.subject(rules.Needs{}) // they ask of the ticket alone
	if err != nil {
		return nil, err
	}
	return sla.First(list, subject), nil
}

// moment is the save as the clocks of SLA targets see it.
func (s *save) moment() sla.Moment {
	m := sla.Moment{At: s.now.Unix(), Status: s.after.Status, Created: s.created}
	if s.created {
		m.OfAgent, m.Forwarded = s.staff(s.after.RequesterID), s.auditVia.Channel == "email"
	}
	if c := s.comment; c != nil && c.AuthorID != models.SystemUser {
		m.Said = &sla.Said{Public: c.Public, Requester: c.AuthorID == s.after.RequesterID}
		switch {
		case !s.staff(c.AuthorID):
		case s.people.byID[c.AuthorID].PrivateOnly:
			m.Said.By = sla.LightAgent
		default:
			m.Said.By = sla.Agent
		}
	}
	return m
}

// targetEvent is the metric event of what came of a target, without its policy.
func targetEvent(e sla.Event) metricEvent {
	told := metricEvent{Metric: metricNames[eventMetrics[e.Target.Metric]], Type: "apply_sla", Instance: e.Target.Instance}
	if e.Type != sla.Applied {
		told.Type, told.At, told.Deleted = "breach", e.Target.BreachAt, e.Type == sla.TakenBack
	}
	return told
}

// breachedTarget is what the log tells of a breach.
func breachedTarget(t sla.Target, policy int64) map[string]any {
	return map[string]any{
		"metric": t.Metric, "target_in_seconds": t.Seconds, "business_hours": t.BusinessHours, "breached_at": events.Time(time.Unix(t.BreachAt, 0)),
		"policy": map[string]any{"id": events.ID(policy)},
	}
}

// noteBreaches puts the times of the ticket's breaches where they are found, and
// tells if the next one is another. A deleted ticket has none.
func (s *save) noteBreaches(state sla.State) {
	if s.after.DeletedAt != nil {
		state.Targets = nil
	}
	m, was := &s.metric, breachText(s.metric.NextBreachAt)
	m.NextBreachAt, m.BreachDueAt = state.NextBreach(), state.DueBreach()
	if now := breachText(m.NextBreachAt); !s.created && now != was {
		s.logEvent("next_sla_breach_changed", map[string]any{"current": now, "previous": was})
	}
}

func breachText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return events.Time(*t)
}

// Targets tells how the SLA targets of tickets that by sees stand, by ticket id.
func (s *Service) Targets(ctx context.Context, by auth.Actor, tickets []int64) (map[int64][]sla.Shown, error) {
	out, now := make(map[int64][]sla.Shown, len(tickets)), s.now()
	err := postgres.Rows(s.db.WithContext(ctx), "SELECT ticket_id, sla FROM ticket_metrics WHERE account_id = ? AND ticket_id = ANY(?)",
		[]any{by.AccountID, models.IDs(tickets)}, func(row postgres.Scanned) error {
			var id int64
			var kept models.JSON
			if err := row.Scan(&id, &kept); err != nil {
				return err
			}
			state, err := sla.Read(kept)
			out[id] = state.Show(now)
			return err
		})
	return out, err
}
