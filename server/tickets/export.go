package tickets

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Stored are the tickets with these ids in the order of the ids, whatever has
// become of them: deleted, archived and scrubbed ones, too. Unknown ids are left
// out. It fails with fault.Forbidden unless by is an admin.
func (s *Service) Stored(ctx context.Context, by auth.Actor, ids []int64) ([]models.Ticket, error) {
	if !by.Admin() {
		return nil, fault.Denied()
	}
	where, args := owned(by)
	list := make([]models.Ticket, len(ids))
	// Looked up one by one: joined freely, the planner may read all tickets.
	err := postgres.Rows(s.db.WithContext(ctx), "SELECT "+columns+`, k.n FROM unnest(?::bigint[]) WITH ORDINALITY AS k(id, n)
		CROSS JOIN LATERAL (SELECT * FROM tickets t WHERE `+where+` AND t.id = k.id LIMIT 1) t`, append([]any{models.IDs(ids)}, args...),
		func(row postgres.Scanned) error {
			t := models.Ticket{AccountID: by.AccountID}
			var n int64
			err := row.Scan(append(dest(&t), &n)...)
			if err == nil {
				list[n-1] = t
			}
			return err
		})
	return found(list, func(t models.Ticket) bool { return t.ID != 0 }), err
}

// found are those of a list that are there, in their order.
func found[T any](list []T, there func(T) bool) []T {
	n := 0
	for _, item := range list {
		if there(item) {
			list[n] = item
			n++
		}
	}
	return list[:n]
}
