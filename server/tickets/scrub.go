package tickets

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/idempotency"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/webhooks"
)

const (
	// keepDeleted is how many days a deleted ticket can be restored.
	keepDeleted = 30
	// scrubbed stands for the texts of a ticket that is deleted for good.
	scrubbed = "SCRUBBED"
	// scrubAtOnce is how many tickets are looked up at a time.
	scrubAtOnce = 500
)

// MayScrub fails with fault.NotFound where there is no deleted ticket with the id
// that by may see, and with fault.Forbidden where by may not delete for good.
func (s *Service) MayScrub(ctx context.Context, by auth.Actor, id int64) error {
	config, err := s.Config(ctx, by)
	if err != nil {
		return err
	}
	if err := mayDelete(by, config); err != nil {
		return err
	}
	where, args := owned(by)
	list, err := s.read(ctx, by, where+" AND t.id = ? AND t.deleted_at IS NOT NULL AND NOT t.scrubbed", append(args, id)...)
	if err == nil && len(list) == 0 {
		err = fault.Missing("deleted ticket", id)
	}
	return err
}

// Scrub deletes a deleted ticket for good: its comments, audits, files, events and
// all that anybody wrote. Its number, times and metrics stay. It fails as
// MayScrub.
func (s *Service) Scrub(ctx context.Context, by auth.Actor, id int64) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.MayScrub(postgres.WithTx(ctx, tx), by, id); err != nil {
			return err
		}
		return s.scrubTx(tx, by, id)
	})
}

// scrubbedTables have rows of a ticket that go with it, by the ticket's id.
var scrubbedTables = []any{
	&models.Comment{}, &models.Audit{}, &models.Skip{}, &models.TicketVisit{}, &models.SatisfactionRating{}, &models.OutboxMail{},
}

func (s *Service) scrubTx(tx *gorm.DB, by auth.Actor, id int64) error {
	var t models.Ticket
	if err := tx.Raw("SELECT "+columns+" FROM tickets t WHERE t.account_id = ? AND t.id = ? FOR UPDATE", by.AccountID, id).
		Row().Scan(dest(&t)...); err != nil {
		return err
	}
	for _, rows := range scrubbedTables {
		if err := tx.Where("ticket_id = ?", id).Delete(rows).Error; err != nil {
			return err
		}
	}
	if err := s.attachments.DropTx(tx, id); err != nil {
		return err
	}
	if err := search.DropTx(tx, by.AccountID, search.Ticket, id); err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM "+events.Table+" WHERE account_id = ? AND subject_id = ? AND subject = ?", by.AccountID, id, events.Subject("ticket", id)).Error; err != nil {
		return err
	}
	if err := webhooks.RedactTx(tx, by.AccountID, id, time.Time{}); err != nil {
		return err
	}
	if err := idempotency.BlankTx(tx, by.AccountID, "tickets", id); err != nil {
		return err
	}
	now := s.now()
	if err := tx.Exec(`UPDATE tickets SET scrubbed = true, subject = ?, description = ?, external_id = NULL, recipient = NULL, tags = '{}',
		custom_fields = '{}', follower_ids = '{}', email_cc_ids = '{}', satisfaction = NULL, via = ?, generated_at = ? WHERE account_id = ? AND id = ?`,
		scrubbed, scrubbed, models.ToJSON(viaChannel(channelOf(t))), now, by.AccountID, id).Error; err != nil {
		return err
	}
	return events.AppendTx(tx, events.By{AccountID: by.AccountID, ActorID: by.ID(), At: now}, "ticket", id, events.Event{
		Type: "ticket.permanently_deleted", Detail: map[string]any{"id": events.ID(id)},
	})
}

// ScrubExpired deletes the tickets for good, in all accounts, that were deleted
// so long ago that they cannot be restored.
func (s *Service) ScrubExpired(ctx context.Context) error {
	for {
		due, err := s.due(ctx, "SELECT account_id, id FROM tickets WHERE deleted_at < ? AND deleted_at IS NOT NULL AND NOT scrubbed ORDER BY deleted_at LIMIT ?",
			s.now().AddDate(0, 0, -keepDeleted), scrubAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, t := range due {
			ctx := postgres.WithAccount(ctx, t.account)
			if err := s.inTx(ctx, func(tx *gorm.DB) error { return s.scrubTx(tx, auth.System(t.account), t.id) }); err != nil {
				return err
			}
		}
	}
}

// due are the tickets of all accounts that a statement of their accounts and
// numbers finds.
func (s *Service) due(ctx context.Context, statement string, args ...any) (tickets []key, err error) {
	err = postgres.Rows(s.db.WithContext(ctx), statement, args, func(row postgres.Scanned) error {
		var k key
		err := row.Scan(&k.account, &k.id)
		tickets = append(tickets, k)
		return err
	})
	return tickets, err
}
