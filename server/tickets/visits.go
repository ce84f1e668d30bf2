package tickets

import (
	"context"
	"log/slog"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// visit is a look of a user at a ticket.
type visit struct{ account, user, ticket int64 }

// Visited notes that by looked at a ticket. It is written with others later: a
// show must not write.
func (s *Service) Visited(by auth.Actor, id int64) {
	if !by.Staff() || by.ID() <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.visits) < 100_000 {
		s.visits[visit{by.AccountID, by.ID(), id}] = s.now()
	}
}

// WriteVisits writes who looked at what since it was last called.
func (s *Service) WriteVisits(ctx context.Context) error {
	s.mu.Lock()
	visits := s.visits
	s.visits = map[visit]time.Time{}
	s.mu.Unlock()
	if len(visits) == 0 {
		return nil
	}
	var accounts, users, tickets models.IDs
	var times models.Strings
	for v, at := range visits {
		accounts, users, tickets = append(accounts, v.account), append(users, v.user), append(tickets, v.ticket)
		times = append(times, at.UTC().Format(time.RFC3339Nano))
	}
	return s.db.WithContext(ctx).Exec(`INSERT INTO ticket_visits (account_id, user_id, ticket_id, visited_at)
		SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::timestamptz[]) ORDER BY 1, 2, 3 -- two that write at once do not deadlock
		ON CONFLICT (account_id, user_id, ticket_id) DO UPDATE SET visited_at = excluded.visited_at`, accounts, users, tickets, times).Error
}

// Recent are the tickets that by looked at last, newest look first.
func (s *Service) Recent(ctx context.Context, by auth.Actor) ([]models.Ticket, error) {
	if err := s.WriteVisits(ctx); err != nil {
		return nil, err
	}
	where, args := Visible(by)
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+columnsFor(by)+` FROM ticket_visits v JOIN tickets t ON t.account_id = v.account_id AND t.id = v.ticket_id
		WHERE v.account_id = ? AND v.user_id = ? AND `+where+" ORDER BY v.visited_at DESC LIMIT 20",
		append([]any{by.AccountID, by.ID()}, args...)...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []models.Ticket{}
	scan := scanTicket(by.AccountID)
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// Run writes visits every ten seconds until ctx is done, and once more then. A
// crash loses the last interval's.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if err := s.WriteVisits(context.WithoutCancel(ctx)); err != nil {
			log.ErrorContext(ctx, "write visits of tickets", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
