package erasure

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/suspended"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// run is one erasure under way.
type run struct {
	*Service
	account, user int64
	known         users.Known
	own           models.IDs // the person's tickets
	ownSubjects   models.Strings
}

func (r *run) all(ctx context.Context) error {
	if err := r.findTickets(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.takeFiles, r.dropSuspended, r.dropMails, r.forgetRequests, r.cover, r.forgetAnswers, r.forgetJobs} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	// Not later: the person is not gone before the words and the bytes are.
	if err := r.index.Settle(ctx, r.account); err != nil {
		return err
	}
	_, err := r.files.Sweep(ctx)
	return err
}

// findTickets finds the tickets on which the person is named or wrote.
func (r *run) findTickets(ctx context.Context) error {
	err := r.db.WithContext(ctx).Raw(`
		SELECT id FROM tickets WHERE account_id = @account AND requester_id = ANY(CAST(@who AS bigint[]))
		UNION SELECT id FROM tickets WHERE account_id = @account AND assignee_id = ANY(CAST(@who AS bigint[]))
		UNION SELECT id FROM tickets WHERE account_id = @account AND email_cc_ids && CAST(@who AS bigint[]) AND email_cc_ids <> '{}'
		UNION SELECT id FROM tickets WHERE account_id = @account AND follower_ids && CAST(@who AS bigint[]) AND follower_ids <> '{}'
		UNION SELECT ticket_id FROM comments WHERE account_id = @account AND author_id = ANY(CAST(@who AS bigint[]))`,
		map[string]any{"account": r.account, "who": models.IDs(r.known.Users)}).Scan(&r.own).Error
	if err != nil {
		return err
	}
	return r.db.WithContext(ctx).Raw("SELECT array_agg('zen:ticket:' || id) FROM unnest(?::bigint[]) AS id", r.own).Row().Scan(&r.ownSubjects)
}

// step runs f in a transaction and notes in the receipt how many of what it did.
func (r *run) step(ctx context.Context, what string, f func(tx *gorm.DB) (int64, error)) error {
	return r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		n, err := f(tx)
		if err != nil || n == 0 {
			return err
		}
		return tx.Exec(`UPDATE erasures SET receipt = jsonb_set(receipt, ARRAY[?::text], to_jsonb(coalesce((receipt->>?)::bigint, 0) + ?))
			WHERE account_id = ? AND user_id = ?`, what, what, n, r.account, r.user).Error
	})
}

// takeFiles takes the files away that the person sent, with what the log of
// events tells of them.
func (r *run) takeFiles(ctx context.Context) error {
	return r.step(ctx, "files", func(tx *gorm.DB) (int64, error) {
		files, n, err := r.files.EraseTx(tx, r.known.Users, r.known.Photos)
		if err != nil || len(files) == 0 {
			return int64(n), err
		}
		var ids, of models.IDs // also those that a merge has given the files to
		for _, f := range files {
			ids, of = append(ids, f.ID), append(of, *f.TicketID)
		}
		return int64(n), tickets.RedactFileNamesTx(tx, r.account, of, ids)
	})
}

// dropSuspended removes what the person sent and no agent has made a ticket.
func (r *run) dropSuspended(ctx context.Context) error {
	return r.step(ctx, "suspended_tickets", func(tx *gorm.DB) (int64, error) {
		return suspended.EraseTx(tx, r.now(), r.account, r.known.Users, r.known.Addresses)
	})
}

// dropMails removes the mails to the person. What others were told stays, without
// the name.
func (r *run) dropMails(ctx context.Context) error {
	return r.step(ctx, "outbox", func(tx *gorm.DB) (int64, error) {
		return outbox.EraseTx(tx, r.account, r.known.Users, r.known.Addresses)
	})
}

// forgetRequests takes away from where the person wrote.
func (r *run) forgetRequests(ctx context.Context) error {
	for _, table := range []string{"audits", "comments"} {
		err := r.step(ctx, table, func(tx *gorm.DB) (int64, error) {
			done := tx.Exec(`UPDATE `+table+` SET metadata = (metadata::jsonb || '{"system":{"client":null,"ip_address":null,"location":null,"latitude":null,"longitude":null}}')::json
				WHERE account_id = ? AND ticket_id = ANY(?::bigint[]) AND author_id = ANY(?::bigint[])
				AND (metadata->'system'->>'ip_address' IS NOT NULL OR metadata->'system'->>'client' IS NOT NULL)`,
				r.account, r.own, models.IDs(r.known.Users))
			return done.RowsAffected, done.Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetAnswers empties the stored answers of writes that name the person; one
// that comes again is still done once. Those under keys that name the person,
// and the person's own, go.
func (r *run) forgetAnswers(ctx context.Context) error {
	return r.step(ctx, "idempotency_keys", func(tx *gorm.DB) (int64, error) {
		pattern := r.everywhere().sql
		gone := tx.Exec("DELETE FROM idempotency_keys WHERE account_id = ? AND (actor_id = ANY(?::bigint[]) OR ? <> '' AND key ~* ?)",
			r.account, models.IDs(r.known.Users), pattern, pattern)
		if gone.Error != nil || pattern == "" {
			return gone.RowsAffected, gone.Error
		}
		emptied := tx.Exec("UPDATE idempotency_keys SET body = '{}' WHERE account_id = ? AND convert_from(body, 'UTF8') ~* ?", r.account, pattern)
		return gone.RowsAffected + emptied.RowsAffected, emptied.Error
	})
}

// forgetJobs removes what the queue remembers of jobs that have ended, and the
// errors of those that have not. What is still to be done tells of no one by
// name: the queue's arguments are ids.
func (r *run) forgetJobs(ctx context.Context) error {
	return r.step(ctx, "jobs", func(tx *gorm.DB) (int64, error) {
		pattern := r.everywhere().sql
		if pattern == "" {
			return 0, nil
		}
		const ours = `(args->>'account_id')::bigint = ? AND (args::text ~* ? OR errors::text ~* ? OR metadata::text ~* ?)`
		done := tx.Exec("DELETE FROM river_job WHERE finalized_at IS NOT NULL AND "+ours, r.account, pattern, pattern, pattern)
		if done.Error != nil {
			return 0, done.Error
		}
		open := tx.Exec("UPDATE river_job SET errors = '{}', metadata = '{}' WHERE finalized_at IS NULL AND "+ours, r.account, pattern, pattern, pattern)
		return done.RowsAffected + open.RowsAffected, open.Error
	})
}
