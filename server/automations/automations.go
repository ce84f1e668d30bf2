// Package automations has the automations of all accounts act on tickets by
// time. What an automation means is in package rules, and how a ticket changes
// in package tickets.
package automations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/tickets"
)

const (
	// MaxTickets is on how many tickets an automation acts in one run; the
	// others wait for the next.
	MaxTickets = 1_000
	// atOnce is how many tickets are saved at the same time: enough to share the
	// waiting for the disk, and too few to keep requests waiting for connections.
	atOnce = 2
)

// Service runs automations.
type Service struct {
	db      *gorm.DB
	fields  *fields.Service
	tickets *tickets.Service
	log     *slog.Logger
}

// New makes the service.
func New(db *gorm.DB, f *fields.Service, t *tickets.Service, log *slog.Logger) *Service {
	return &Service{db: db, fields: f, tickets: t, log: log}
}

// Ran is what a run did.
type Ran struct {
	Automations int // that were asked
	Tickets     int // on which one of them acted
}

// Run runs the active automations of all accounts once; see RunAccount. What
// fails in one account keeps no other from its turn.
func (s *Service) Run(ctx context.Context) (Ran, error) {
	var accounts []int64
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).
		Raw("SELECT DISTINCT account_id FROM rules WHERE kind = '" + models.RuleAutomation + "' AND active ORDER BY account_id").Scan(&accounts).Error
	if err != nil {
		return Ran{}, err
	}
	var ran Ran
	var errs []error
	for _, account := range accounts {
		done, err := s.RunAccount(ctx, account)
		ran.Automations, ran.Tickets = ran.Automations+done.Automations, ran.Tickets+done.Tickets
		if ctx.Err() != nil {
			return ran, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("automations of account %d: %w", account, err))
		}
	}
	return ran, errors.Join(errs...)
}

// RunAccount runs the active automations of an account once, in the order of
// their positions, each on MaxTickets tickets at most. Any number of processes
// may run at the same time: on each ticket an automation acts once. What fails
// of one automation or ticket keeps no other from its turn.
func (s *Service) RunAccount(ctx context.Context, account int64) (Ran, error) {
	ctx = postgres.WithAccount(ctx, account)
	config, err := s.fields.Current(s.db.WithContext(ctx), account)
	if err != nil {
		return Ran{}, err
	}
	list, err := rulebook.Automations(s.db.WithContext(ctx), config)
	if err != nil {
		return Ran{}, err
	}
	var ran Ran
	var errs []error
	for _, r := range list {
		if r.Conditions.Dead() {
			continue
		}
		ran.Automations++
		n, err := s.runOne(ctx, config, r)
		ran.Tickets += n
		if err != nil {
			errs = append(errs, fmt.Errorf("automation %d: %w", r.ID, err))
		}
	}
	return ran, errors.Join(errs...)
}

func (s *Service) runOne(ctx context.Context, config *fields.Config, r *rules.Rule) (int, error) {
	due, err := s.tickets.Due(ctx, config, r, MaxTickets)
	if err != nil {
		return 0, err
	}
	var acted atomic.Int64
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, id := range due {
		group.Go(func() error {
			did, err := s.tickets.Automate(ctx, config.Account.ID, r, id)
			if did {
				acted.Add(1)
			}
			if err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "automation", "account", config.Account.ID, "automation", r.ID, "ticket", id, "error", err)
				err = fmt.Errorf("ticket %d: %w", id, err)
			}
			return err
		})
	}
	err = group.Wait()
	return int(acted.Load()), err
}
