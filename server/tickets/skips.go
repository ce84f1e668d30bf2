package tickets

import (
	"context"
	"database/sql"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// maxReason is how long the reason of a skip may be, in characters.
const maxReason = 1_000

// Skipped is a skip and the ticket that was passed over, as it is now.
type Skipped struct {
	models.Skip
	Ticket models.Ticket
}

// Skip notes that by passed over a ticket. It fails with fault.NotFound, also
// when by may not see the ticket, and with fault.Invalid naming the field.
func (s *Service) Skip(ctx context.Context, by auth.Actor, ticket int64, reason string) (Skipped, error) {
	if utf8.RuneCountInString(reason) > maxReason {
		return Skipped{}, fault.TooLong("reason", maxReason)
	}
	t, err := s.Get(ctx, by, ticket)
	if err != nil {
		return Skipped{}, err
	}
	now := s.now()
	skip := models.Skip{TicketID: t.ID, UserID: by.ID(), Reason: reason, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	err = s.db.WithContext(ctx).Create(&skip).Error
	return Skipped{skip, t}, err
}

// SkipFilter chooses the skips of a listing. The zero value is all of them.
type SkipFilter struct {
	Ticket int64
	User   int64
}

var skipsByID = page.By("id", page.Column{Expr: "s.id", Kind: page.Int})

// Skips is a page of the skips of tickets that by may see, the oldest first
// unless the request turns it.
func (s *Service) Skips(ctx context.Context, by auth.Actor, f SkipFilter, r page.Request) (page.Result[Skipped], error) {
	where, args := Visible(by)
	where, args = where+" AND s.account_id = ?", append(args, by.AccountID)
	if f.Ticket != 0 {
		where, args = where+" AND s.ticket_id = ?", append(args, f.Ticket)
	}
	if f.User != 0 {
		where, args = where+" AND s.user_id = ?", append(args, f.User)
	}
	q := page.Query{
		Select: "s.id, s.ticket_id, s.user_id, s.reason, s.created_at, s.updated_at, " + columnsFor(by),
		From:   "skips s JOIN tickets t ON t.account_id = s.account_id AND t.id = s.ticket_id", Where: where, Args: args, Order: skipsByID,
	}
	if r.Desc {
		q.Order = q.Order.Reversed()
	}
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (Skipped, error) {
		k := Skipped{models.Skip{Tenant: models.Tenant{AccountID: by.AccountID}}, models.Ticket{AccountID: by.AccountID}}
		dests := append([]any{&k.ID, &k.TicketID, &k.UserID, &k.Reason, &k.CreatedAt, &k.UpdatedAt}, dest(&k.Ticket)...)
		return k, rows.Scan(append(dests, order...)...)
	})
}
