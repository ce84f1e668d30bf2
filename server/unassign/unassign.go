// Package unassign takes tickets from those they can no longer belong to: an
// agent who left their group or is no agent any more, a group or organization
// that was deleted, an organization that the requester left; and from them the
// options that a field has lost. It follows, as jobs, on what packages users,
// groups, organizations and fields did, and changes tickets by calling package
// tickets.
package unassign

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// patience is how long one job may take, for as many tickets as a group or
// organization has. A job that is cut off begins again with those that are left.
const patience = time.Hour

// atOnce is how many tickets are looked up at a time.
const atOnce = 500

// Register makes the jobs known to the queue. It comes before the queue starts,
// and after u is registered with it.
func Register(queue *jobs.Service, db *gorm.DB, f *fields.Service, u *users.Service, o *organizations.Service, t *tickets.Service, log *slog.Logger) {
	w := worker{db, f, o, t, log}
	how := jobs.How{Timeout: patience}
	jobs.Handle(queue, how, w.optionsGone)
	f.Follow(queue)
	jobs.Handle(queue, how, w.groupLeft)
	jobs.Handle(queue, how, w.organizationLeft)
	u.Follow(queue, how, users.Following{
		Demoted: w.demoted,
		Left: func(ctx context.Context, account, organization, user int64) error {
			return w.organizationLeft(ctx, organizations.Left{AccountID: account, OrganizationID: organization, UserID: user})
		},
	})
}

type worker struct {
	db            *gorm.DB
	fields        *fields.Service
	organizations *organizations.Service
	tickets       *tickets.Service
	log           *slog.Logger
}

// The conditions below hold at the time of the job, not of what led to it: who
// has come back in between keeps the tickets.
const (
	ofDeletedGroup = `group_id = ? AND status <> 'closed'
		AND EXISTS (SELECT FROM groups AS g WHERE g.account_id = tickets.account_id AND g.id = tickets.group_id AND g.deleted)`
	ofFormerMember = `group_id = ? AND assignee_id = ? AND status <> 'closed'
		AND NOT EXISTS (SELECT FROM group_memberships AS m
			WHERE m.account_id = tickets.account_id AND m.group_id = tickets.group_id AND m.user_id = tickets.assignee_id)`
	ofFormerAgent = `assignee_id = ? AND status <> 'closed'
		AND NOT EXISTS (SELECT FROM users AS u
			WHERE u.account_id = tickets.account_id AND u.id = tickets.assignee_id AND u.active AND u.role IN ('agent', 'admin') AND NOT u.only_private_comments)`
	ofFormerOrganization = `organization_id = ? AND status <> 'closed'
		AND NOT EXISTS (SELECT FROM organization_memberships AS m
			WHERE m.account_id = tickets.account_id AND m.organization_id = tickets.organization_id AND m.user_id = tickets.requester_id)`
)

// groupLeft takes the group from tickets of one that was deleted, and the
// group's tickets from an agent who left it.
func (w worker) groupLeft(ctx context.Context, left groups.Left) error {
	if left.UserID != 0 {
		return w.each(ctx, left.AccountID, ofFormerMember, []any{left.GroupID, left.UserID}, handOver)
	}
	return w.each(ctx, left.AccountID, ofDeletedGroup, []any{left.GroupID}, func(*gorm.DB, models.Ticket) (tickets.Change, error) {
		return tickets.Change{GroupID: nullable.NewNullNullable[int64]()}, nil
	})
}

// demoted takes all tickets from somebody who is no agent any more, or a light
// one.
func (w worker) demoted(ctx context.Context, account, user int64) error {
	return w.each(ctx, account, ofFormerAgent, []any{user}, handOver)
}

// handOver takes a ticket from its assignee. One at work stays with its group,
// as nobody's; of a solved one the first in the group takes over, if any: who
// has been a member for longest and can have tickets.
func handOver(tx *gorm.DB, t models.Ticket) (tickets.Change, error) {
	nobody := tickets.Change{AssigneeID: nullable.NewNullNullable[int64]()}
	if t.Status != models.StatusSolved || t.GroupID == nil {
		return nobody, nil
	}
	var first []int64
	err := tx.Raw(`
		SELECT m.user_id FROM group_memberships AS m JOIN users AS u ON u.account_id = m.account_id AND u.id = m.user_id
		WHERE m.account_id = ? AND m.group_id = ? AND u.active AND NOT u.suspended AND u.role_type IS DISTINCT FROM 1
		ORDER BY m.id LIMIT 1`, t.AccountID, *t.GroupID).Scan(&first).Error
	if err != nil || len(first) == 0 {
		return nobody, err
	}
	return tickets.Change{AssigneeID: nullable.NewNullableWithValue(first[0])}, nil
}

// organizationLeft takes the organization from tickets whose requester is no
// member of it; one that was deleted, from its members before.
func (w worker) organizationLeft(ctx context.Context, left organizations.Left) error {
	cond, args := ofFormerOrganization, []any{left.OrganizationID}
	if left.UserID != 0 {
		cond, args = cond+" AND requester_id = ?", append(args, left.UserID)
	} else {
		by := auth.System(left.AccountID)
		if err := w.organizations.Dissolve(auth.With(ctx, by), by, left.OrganizationID); err != nil {
			return err
		}
	}
	return w.each(ctx, left.AccountID, cond, args, func(*gorm.DB, models.Ticket) (tickets.Change, error) {
		return tickets.Change{OrganizationID: nullable.NewNullNullable[int64]()}, nil
	})
}

// each changes the tickets that cond holds for. Each is looked at again when it
// is locked, since somebody may have changed it.
func (w worker) each(ctx context.Context, account int64, cond string, args []any, change func(*gorm.DB, models.Ticket) (tickets.Change, error)) error {
	by := auth.System(account)
	ctx = auth.With(ctx, by)
	for last := int64(0); ; {
		var ids []int64
		err := w.db.WithContext(ctx).Model(&models.Ticket{}).Where(cond, args...).Where("deleted_at IS NULL AND id > ?", last).
			Order("id").Limit(atOnce).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			err := w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				var t models.Ticket
				err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where(cond, args...).Take(&t, "id = ? AND deleted_at IS NULL", id).Error
				if errors.Is(err, gorm.ErrRecordNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				c, err := change(tx, t)
				if err != nil {
					return err
				}
				_, err = w.tickets.Update(postgres.WithTx(ctx, tx), by, id, c)
				return err
			})
			// What cannot be changed must not keep the others waiting.
			if fault.Of(err) != nil {
				w.log.WarnContext(ctx, "ticket keeps who is gone", "account", account, "ticket", id, "error", err)
				err = nil
			}
			if err != nil {
				return err
			}
			last = id
		}
	}
}
