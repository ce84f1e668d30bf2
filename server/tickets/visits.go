package tickets

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// Recent tickets are the last ones somebody looked at.
const (
	recentShown = 20
	// recentKept are more, for some may be deleted or out of sight by then.
	recentKept = 50
)

// visitor is who looks at tickets.
type visitor struct{ account, user int64 }

// visit is a look at a ticket.
type visit struct {
	ticket int64
	at     time.Time
}

// Visited notes that by looked at a ticket. It is written with others later: a
// show must not write.
func (s *Service) Visited(by auth.Actor, id int64) {
	if !by.Staff() || by.ID() <= 0 {
		return
	}
	who, now := visitor{by.AccountID, by.ID()}, s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.visits[who]
	if i := slices.IndexFunc(list, func(v visit) bool { return v.ticket == id }); i >= 0 {
		list = slices.Delete(list, i, i+1)
	} else if len(list) == recentKept {
		list = slices.Delete(list, 0, 1)
	}
	s.visits[who] = append(list, visit{id, now})
}

// WriteVisits writes who looked at what since it was last called, and forgets
// what is older than the last recentKept of each of them.
func (s *Service) WriteVisits(ctx context.Context) error {
	s.mu.Lock()
	visits := s.visits
	s.visits = map[visitor][]visit{}
	s.mu.Unlock()
	if len(visits) == 0 {
		return nil
	}
	var accounts, users, tickets models.IDs
	var times models.Strings
	for who, list := range visits {
		for _, v := range list {
			accounts, users, tickets = append(accounts, who.account), append(users, who.user), append(tickets, v.ticket)
			times = append(times, v.at.UTC().Format(time.RFC3339Nano))
		}
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec(`INSERT INTO ticket_visits (account_id, user_id, ticket_id, visited_at)
			SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::timestamptz[]) ORDER BY 1, 2, 3 -- two that write at once do not deadlock
			ON CONFLICT (account_id, user_id, ticket_id) DO UPDATE SET visited_at = excluded.visited_at`, accounts, users, tickets, times).Error; err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM ticket_visits v USING (
			SELECT account_id, user_id, ticket_id, row_number() OVER (PARTITION BY account_id, user_id ORDER BY visited_at DESC) AS place
			FROM ticket_visits WHERE (account_id, user_id) IN (SELECT DISTINCT * FROM unnest(?::bigint[], ?::bigint[]))) old
			WHERE old.place > ? AND v.account_id = old.account_id AND v.user_id = old.user_id AND v.ticket_id = old.ticket_id`, accounts, users, recentKept).Error
	})
}

// Recent are the tickets that by looked at last, newest look first.
func (s *Service) Recent(ctx context.Context, by auth.Actor) ([]models.Ticket, error) {
	if err := s.WriteVisits(ctx); err != nil {
		return nil, err
	}
	where, args := Visible(by)
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+columnsFor(by)+` FROM ticket_visits v JOIN tickets t ON t.account_id = v.account_id AND t.id = v.ticket_id
		WHERE v.account_id = ? AND v.user_id = ? AND `+where+" ORDER BY v.visited_at DESC LIMIT ?",
		append(append([]any{by.AccountID, by.ID()}, args...), recentShown)...).Rows()
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
