package tickets

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// closeAfter is how long a ticket stays solved, whatever the account's own
	// rules close earlier (contract tickets.md §2).
	closeAfter = 28 * 24 * time.Hour
	// archiveAfter is how long a closed ticket stays in lists.
	archiveAfter = 120 * 24 * time.Hour
	// closedAtMost is how many tickets one run closes. The next has the rest.
	closedAtMost = 10_000
	// archivedAtOnce is how many tickets one statement archives.
	archivedAtOnce = 500
)

// CloseSolved closes, in all accounts, the tickets that have been solved for
// closeAfter. No rules run on them. A ticket that cannot be closed holds up no
// other.
func (s *Service) CloseSolved(ctx context.Context) error {
	before := s.now().Add(-closeAfter)
	due, err := s.due(ctx, "SELECT account_id, id FROM tickets WHERE status = 'solved' AND deleted_at IS NULL AND solved_at < ? ORDER BY solved_at LIMIT ?",
		before, closedAtMost)
	failures := []error{err}
	for _, t := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = append(failures, s.closeSolved(postgres.WithAccount(ctx, t.account), t, before))
	}
	return errors.Join(failures...)
}

func (s *Service) closeSolved(ctx context.Context, t key, before time.Time) error {
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		// It may have been opened in between.
		sv, err := s.lockWhereTx(tx, auth.System(t.account), t.id, "t.account_id = ? AND t.deleted_at IS NULL AND t.status = 'solved' AND t.solved_at < ?",
			[]any{t.account, before})
		if err != nil {
			return err
		}
		sv.change, sv.unruled = Change{Status: new(models.StatusClosed)}, true
		_, err = sv.run()
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// ArchiveClosed archives, in all accounts, the tickets that have been closed for
// archiveAfter: they leave lists, and are shown, searched and exported as before.
// Nothing that anybody reads of a ticket changes, so that no audit tells of it.
func (s *Service) ArchiveClosed(ctx context.Context) error {
	before := s.now().Add(-archiveAfter)
	for {
		// A ticket is closed when it is solved or later.
		due, err := s.due(ctx, `SELECT t.account_id, t.id FROM tickets t
			JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
			WHERE t.status = 'closed' AND NOT t.archived AND t.deleted_at IS NULL AND t.solved_at < ? AND coalesce(m.status_updated_at, t.solved_at) < ?
			ORDER BY t.solved_at LIMIT ?`, before, before, archivedAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		byAccount := map[int64]models.IDs{}
		for _, t := range due {
			byAccount[t.account] = append(byAccount[t.account], t.id)
		}
		for account, ids := range byAccount {
			if err := s.archive(postgres.WithAccount(ctx, account), account, ids); err != nil {
				return err
			}
		}
	}
}

func (s *Service) archive(ctx context.Context, account int64, ids models.IDs) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		// The rows are locked, so that no audit comes in between.
		err := tx.Exec("UPDATE tickets SET archived = true WHERE account_id = ? AND id IN (SELECT id FROM tickets WHERE account_id = ? AND id = ANY(?) ORDER BY id FOR UPDATE)",
			account, account, ids).Error
		if err != nil {
			return err
		}
		return archiveAuditsTx(tx, ids)
	})
}

// archiveAuditsTx takes the audits of archived tickets out of the list of all.
func archiveAuditsTx(tx *gorm.DB, tickets models.IDs) error {
	return tx.Model(&models.Audit{}).Where("ticket_id = ANY(?::bigint[])", tickets).Update("archived", true).Error
}
