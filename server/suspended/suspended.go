// Package suspended keeps what came in and is not to become a ticket by itself:
// from people whom the account has suspended, or who should have signed in. For
// 14 days an agent can look at it, have it become a ticket (package tickets), or
// delete it.
package suspended

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// Keep is how long a suspended ticket is there if nobody acts.
	Keep = 14 * 24 * time.Hour
	// sweepBatch is how many rows one statement of a sweep takes.
	sweepBatch = 500
	// MaxMany is how many ids one call may name.
	MaxMany = 100
)

// Service keeps suspended tickets.
type Service struct {
	db          *gorm.DB
	attachments *attachments.Service
	now         func() time.Time
}

// New makes the service.
func New(db *gorm.DB, a *attachments.Service, now func() time.Time) *Service {
	return &Service{db: db, attachments: a, now: now}
}

// Record is a suspended ticket with its files.
type Record struct {
	models.SuspendedTicket
	Files []attachments.File
}

// KeepTx keeps t, whose id and times it sets, its text of the cause too, with
// the files under the upload tokens. Every way in which something becomes
// suspended ends here.
func (s *Service) KeepTx(tx *gorm.DB, t models.SuspendedTicket, uploads []string) (models.SuspendedTicket, error) {
	now := s.now()
	t.CreatedAt, t.UpdatedAt, t.Cause = now, now, CauseOf(t.CauseID).Text
	if err := tx.Create(&t).Error; err != nil {
		return t, err
	}
	_, err := s.attachments.SuspendTx(tx, uploads, t.ID)
	return t, err
}

// mayManage is about who may look at suspended tickets: agents whom no
// restriction holds. Nothing tells yet whose groups and organizations the
// tickets would belong to.
func mayManage(by auth.Actor) error {
	if !by.Staff() || by.Restriction() != "" {
		return fault.Denied()
	}
	return nil
}

// MayExport fails with fault.Forbidden where Export would.
func (s *Service) MayExport(by auth.Actor) error { return mayManage(by) }

// Delete removes a suspended ticket with its files. It fails with
// fault.Forbidden and with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	if err := mayManage(by); err != nil {
		return err
	}
	n, err := remove(s.db.WithContext(ctx), "t.account_id = ? AND t.id = ?", s.now(), by.AccountID, id)
	if err == nil && n == 0 {
		err = fault.Missing("suspended ticket", id)
	}
	return err
}

// DeleteMany removes those of up to MaxMany suspended tickets that there are.
func (s *Service) DeleteMany(ctx context.Context, by auth.Actor, ids []int64) error {
	if err := mayMany(by, ids); err != nil {
		return err
	}
	_, err := remove(s.db.WithContext(ctx), "t.account_id = ? AND t.id = ANY(?)", s.now(), by.AccountID, models.IDs(ids))
	return err
}

func mayMany(by auth.Actor, ids []int64) error {
	if err := mayManage(by); err != nil {
		return err
	}
	if len(ids) == 0 {
		return fault.New(fault.BadRequest, "Parameter ids is missing")
	}
	if len(ids) > MaxMany {
		return fault.Exceeds(MaxMany)
	}
	return nil
}

// DropTx removes suspended tickets that have become tickets.
func (s *Service) DropTx(tx *gorm.DB, by auth.Actor, ids []int64) error {
	_, err := remove(tx, "t.account_id = ? AND t.id = ANY(?)", s.now(), by.AccountID, models.IDs(ids))
	return err
}

// EraseTx removes what people sent, who are known by their ids or by e-mail
// addresses, whatever became of the rest, and returns how many there were.
func EraseTx(tx *gorm.DB, now time.Time, account int64, users []int64, addresses []string) (int64, error) {
	folded := make(models.Strings, len(addresses))
	for i, address := range addresses {
		folded[i] = strings.ToLower(address)
	}
	n, err := remove(tx, "t.account_id = ? AND (t.author_id = ANY(?::bigint[]) OR lower(t.author_email) = ANY(?::text[]))", now,
		account, models.IDs(users), folded)
	return int64(n), err
}

// Sweep removes the suspended tickets of all accounts that are kept no longer.
// Any number of processes may sweep at a time.
func (s *Service) Sweep(ctx context.Context) error {
	db := s.db.WithContext(postgres.AcrossAccounts(ctx))
	for {
		n, err := remove(db, `(t.account_id, t.id) IN (SELECT old.account_id, old.id FROM suspended_tickets old
			WHERE old.created_at <= ? ORDER BY old.created_at LIMIT ? FOR UPDATE SKIP LOCKED)`, s.now(), s.now().Add(-Keep), sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

// remove removes the suspended tickets t of a condition with their files, and
// returns their number.
func remove(db *gorm.DB, where string, now time.Time, args ...any) (n int, err error) {
	err = db.Raw("WITH gone AS (DELETE FROM suspended_tickets t WHERE "+where+" RETURNING t.account_id, t.id), "+
		attachments.DropFiles("suspended_ticket_id")+" SELECT count(*) FROM gone", append(args, now)...).Row().Scan(&n)
	return n, err
}
