package sla

import (
	"encoding/json"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// Policy is an SLA policy, ready to be applied to tickets. It is immutable.
type Policy struct {
	ID          int64
	Title       string
	Description *string

	filter   *rules.Matcher
	promises []Promise
	settings Settings
}

// Policies are the account's, in the order in which tickets are held against them.
// They are read once for each version of the set-up, see fields.Service.Config.
func (s *Service) Policies(tx *gorm.DB, config *fields.Config) ([]*Policy, error) {
	return s.policies.At(config.Account.ID, config.Version, func() ([]*Policy, error) { return compile(tx, config) })
}

// First is the first policy that a ticket matches; nil for none.
func First(list []*Policy, ticket *rules.Subject) *Policy {
	for _, p := range list {
		if p.filter.Match(ticket) {
			return p
		}
	}
	return nil
}

func compile(tx *gorm.DB, config *fields.Config) ([]*Policy, error) {
	var rows []models.SLAPolicy
	if err := tx.Order("position, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	env, filters := rules.Env{Config: config}, make([]rules.Conditions, len(rows))
	list, refs := make([]*Policy, len(rows)), []rules.Ref{}
	for i, r := range rows {
		p := &Policy{ID: r.ID, Title: r.Title, Description: r.Description}
		for into, kept := range map[any]models.JSON{&filters[i]: r.Filter, &p.promises: r.PolicyMetrics, &p.settings: r.MetricSettings} {
			if err := json.Unmarshal(kept, into); err != nil {
				return nil, err
			}
		}
		list[i], refs = p, append(refs, rules.Compile(filters[i], rules.SLAPolicies, env).Refs()...)
	}
	var err error
	if env.Known, err = rulebook.Known(tx, config.Account.ID, refs); err != nil {
		return nil, err
	}
	for i, p := range list {
		p.filter = rules.Compile(filters[i], rules.SLAPolicies, env)
	}
	return list, nil
}

// promise is what the policy promises for a metric of tickets of a priority.
func (p *Policy) promise(priority, metric string) (Promise, bool) {
	for _, one := range p.promises {
		if one.Priority == priority && one.Metric == metric {
			return one, true
		}
	}
	return Promise{}, false
}
