package sla

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Metrics that a policy may promise a time for.
const (
	FirstReplyTime      = "first_reply_time"
	NextReplyTime       = "next_reply_time"
	PeriodicUpdateTime  = "periodic_update_time"
	PausableUpdateTime  = "pausable_update_time"
	RequesterWaitTime   = "requester_wait_time"
	AgentWorkTime       = "agent_work_time"
	TotalResolutionTime = "total_resolution_time"
)

var (
	// metrics are in the order of Clocks.
	metrics = []string{
		firstReply: FirstReplyTime, nextReply: NextReplyTime, requesterWait: RequesterWaitTime, agentWork: AgentWorkTime,
		pausableUpdate: PausableUpdateTime, periodicUpdate: PeriodicUpdateTime, totalResolution: TotalResolutionTime,
	}
	priorities = []string{"low", "normal", "high", "urgent"}
)

// maxSeconds is the longest target: ten years.
const maxSeconds = 10 * 366 * 24 * 3600

// Promise is the target of one metric for tickets of one priority, as policies
// keep it and show it.
type Promise struct {
	Priority      string `json:"priority"`
	Metric        string `json:"metric"`
	Minutes       int64  `json:"target"` // of Seconds, rounded down
	Seconds       int64  `json:"target_in_seconds"`
	BusinessHours bool   `json:"business_hours"`
}

// PromiseChange is a promise that a caller asks for, in minutes or in seconds.
type PromiseChange struct {
	Priority      string
	Metric        string
	Minutes       *int64
	Seconds       *int64
	BusinessHours bool
}

func (c Change) applyPromises(p *models.SLAPolicy) error {
	if c.Promises == nil {
		return nil
	}
	var before []Promise
	if err := json.Unmarshal(p.PolicyMetrics, &before); err != nil {
		return err
	}
	list, errs := []Promise{}, []error{}
	for i, in := range c.Promises {
		one, err := in.promise(before)
		if err == nil && slices.ContainsFunc(list, one.alike) {
			err = fmt.Errorf("%s has a target for %s already", one.Priority, one.Metric)
		}
		if err != nil {
			errs = append(errs, fault.InvalidField("policy_metrics", "policy_metrics[%d]: %v", i, err))
			continue
		}
		list = append(list, one)
	}
	p.PolicyMetrics = models.ToJSON(list)
	return fault.Join(errs...)
}

func (p Promise) alike(q Promise) bool { return p.Priority == q.Priority && p.Metric == q.Metric }

// promise is what is asked for, beside those that there were before.
func (c PromiseChange) promise(before []Promise) (Promise, error) {
	p := Promise{Priority: c.Priority, Metric: c.Metric, BusinessHours: c.BusinessHours}
	switch {
	case !slices.Contains(priorities, c.Priority):
		return p, fmt.Errorf("priority is not one of %s", strings.Join(priorities, ", "))
	case !slices.Contains(metrics, c.Metric):
		return p, fmt.Errorf("metric is not one of %s", strings.Join(metrics, ", "))
	}
	seconds := c.Seconds
	if c.Minutes != nil && seconds != nil {
		// A client that knows minutes alone changes them and sends the seconds
		// back as it has read them.
		was := slices.IndexFunc(before, p.alike)
		if was >= 0 && before[was].Seconds == *seconds && before[was].Minutes != *c.Minutes {
			seconds = nil
		}
	}
	switch {
	case seconds != nil:
		p.Seconds = *seconds
	case c.Minutes == nil:
		return p, errors.New("target is missing")
	case *c.Minutes > maxSeconds/60:
		p.Seconds = maxSeconds + 1
	default:
		p.Seconds = *c.Minutes * 60
	}
	if p.Seconds < 1 || p.Seconds > maxSeconds {
		return p, fmt.Errorf("target is not between 1 and %d minutes", maxSeconds/60)
	}
	p.Minutes = p.Seconds / 60
	return p, nil
}
