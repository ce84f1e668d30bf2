package tickets

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// OfUser is how many tickets refer to a user.
type OfUser struct{ Assigned, Requested, CCd int64 }

// CountOfUser is how many of the tickets that by may see refer to a user,
// archived ones too.
func (s *Service) CountOfUser(ctx context.Context, by auth.Actor, user int64) (n OfUser, err error) {
	where, seen := Visible(by)
	count := func(cond string) string {
		return "(SELECT count(*) FROM tickets t WHERE " + where + " AND " + cond + ")"
	}
	var args []any
	for range 3 {
		args = append(append(args, seen...), user)
	}
	// The second condition of the last lets the partial index serve.
	_, err = postgres.Row(s.db.WithContext(ctx), "SELECT "+count("t.assignee_id = ?")+", "+count("t.requester_id = ?")+", "+
		count("t.email_cc_ids @> ARRAY[?::bigint] AND t.email_cc_ids <> '{}'"), args, &n.Assigned, &n.Requested, &n.CCd)
	return n, err
}

// CountOfOrganization is how many of the tickets that by may see are an
// organization's, archived ones too.
func (s *Service) CountOfOrganization(ctx context.Context, by auth.Actor, organization int64) (int, error) {
	where, args := Visible(by)
	n, _, err := page.Count(ctx, s.db, "tickets t", where+" AND t.organization_id = ?", append(args, organization))
	return n, err
}

// OpenOf counts, for each of the users, those of the tickets not yet solved that
// by may see and that are assigned to them if they are staff, otherwise that they
// requested.
func (s *Service) OpenOf(ctx context.Context, by auth.Actor, users []models.User) (map[int64]int64, error) {
	out := make(map[int64]int64, len(users))
	var staff, others models.IDs
	for _, u := range users {
		out[u.ID] = 0
		if u.Staff() {
			staff = append(staff, u.ID)
		} else {
			others = append(others, u.ID)
		}
	}
	where, seen := Visible(by)
	count := func(column string) string {
		return "SELECT " + column + ", count(*) FROM tickets t WHERE " + where +
			" AND t.status IN ('new', 'open', 'pending', 'hold') AND " + column + " = ANY(?::bigint[]) GROUP BY 1"
	}
	args := append(append(append(append([]any{}, seen...), staff), seen...), others)
	err := postgres.Rows(s.db.WithContext(ctx), count("t.assignee_id")+" UNION ALL "+count("t.requester_id"), args, func(row postgres.Scanned) error {
		var id, n int64
		err := row.Scan(&id, &n)
		out[id] = n
		return err
	})
	return out, err
}
