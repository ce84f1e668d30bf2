package tickets

import (
	"context"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// Problems are the problems that are not closed and whose subjects hold text in
// any case, at most MaxMany, the latest changed first. An empty text is in all.
func (s *Service) Problems(ctx context.Context, by auth.Actor, text string) ([]models.Ticket, error) {
	q := Filter{Problems: true, whole: true}.query(by, "")
	where, args := q.Where+" AND t.status <> 'closed'", q.Args
	if text = strings.TrimSpace(text); text != "" {
		where, args = where+" AND lower(t.subject) LIKE ?", append(args, "%"+postgres.EscapeLike(strings.ToLower(text))+"%")
	}
	return s.read(ctx, by, where+" ORDER BY t.updated_at DESC, t.id DESC LIMIT ?", append(args, MaxMany)...)
}
