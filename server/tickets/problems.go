package tickets

import (
	"context"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// Problems are the problems that are not closed and whose subjects hold text in
// any case, at most MaxMany, the latest changed first. An empty text is in all.
func (s *Service) Problems(ctx context.Context, by auth.Actor, text string) ([]models.Ticket, error) {
	where, args := Filter{Problems: true}.where(by)
	where += " AND t.status <> 'closed'"
	if text = strings.TrimSpace(text); text != "" {
		escaped := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text))
		where, args = where+" AND lower(t.subject) LIKE ?", append(args, "%"+escaped+"%")
	}
	return s.read(ctx, by, where+" ORDER BY t.updated_at DESC, t.id DESC LIMIT ?", append(args, MaxMany)...)
}
