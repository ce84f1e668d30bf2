package organizations

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/memberships"
	"github.com/helpd/helpd/server/postgres"
)

// domainsAdded is the job that takes in end users who are in no organization
// and have an address at a domain that an organization has got.
type domainsAdded struct {
	AccountID      int64    `json:"account_id"`
	OrganizationID int64    `json:"organization_id"`
	Names          []string `json:"names"`
}

// Kind names the job in the queue.
func (domainsAdded) Kind() string { return "organization_domains_added" }

func (s *Service) work() {
	jobs.Handle(s.jobs, jobs.How{}, func(ctx context.Context, args domainsAdded) error {
		by := auth.System(args.AccountID)
		return s.TakeIn(auth.With(ctx, by), by, args.OrganizationID, args.Names)
	})
}

// domainsTx has those taken in whom new domain names of o bring.
func (s *Service) domainsTx(tx *gorm.DB, before, o models.Organization) error {
	added := without(o.DomainNames, before.DomainNames)
	if len(added) == 0 {
		return nil
	}
	return s.jobs.EnqueueTx(tx, domainsAdded{o.AccountID, o.ID, added})
}

// TakeIn makes the active end users without any organization members of this
// one who have an address at one of the domains, or one of the addresses. An
// organization that is gone takes in nobody.
func (s *Service) TakeIn(ctx context.Context, by auth.Actor, id int64, names []string) error {
	patterns := make(models.Strings, len(names))
	for i, name := range names {
		if patterns[i] = postgres.EscapeLike(name); !strings.Contains(name, "@") {
			patterns[i] = "%@" + patterns[i]
		}
	}
	for {
		n := 0
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
			n, err = s.takeInTx(tx, by, id, patterns)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Service) takeInTx(tx *gorm.DB, by auth.Actor, id int64, patterns models.Strings) (int, error) {
	var users []int64
	// A join, so that the index of parts of addresses serves each pattern.
	err := tx.Model(&models.User{}).Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).
		Where(`active AND role = 'end-user' AND organization_id IS NULL AND id IN (
			SELECT i.user_id FROM unnest(?::text[]) AS p (pattern)
			JOIN user_identities i ON i.account_id = ? AND i.type = 'email' AND lower(i.value) LIKE p.pattern)`, patterns, by.AccountID).
		Order("id").Limit(membersAtOnce).Pluck("id", &users).Error
	if err != nil || len(users) == 0 {
		return 0, err
	}
	var o models.Organization
	err = tx.Clauses(clause.Locking{Strength: "SHARE"}).Take(&o, "id = ? AND deleted_at IS NULL", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	now := s.now()
	err = tx.Exec(`INSERT INTO organization_memberships (account_id, user_id, organization_id, "default", view_tickets, created_at, updated_at)
		SELECT ?, id, ?, true, false, ?, ? FROM unnest(?::bigint[]) AS id`, by.AccountID, id, now, now, models.IDs(users)).Error
	if err != nil {
		return 0, err
	}
	after, err := memberships.Organizations.SettleTx(tx, by.AccountID, users, now)
	if err != nil {
		return 0, err
	}
	return len(users), memberships.Organizations.RecordTx(tx, s.by(by), "created", id, after...)
}
