package helpcenter

import (
	"context"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// Answered is what the page of an AnswerLink shows.
type Answered struct {
	Account  string // its name
	TicketID int64  // 0: none
	Title    string // of the article; empty: it is not there any more
	Outcome  string // models.DeflectionOffered: nothing was said yet
	Token    string
}

// Answered is what the part of an AnswerLink behind AnswerPath is about, and a context
// of its account. It changes nothing: scanners of mail follow links. It fails with
// fault.NotFound for a link that is not ours or has expired.
func (s *Service) Answered(ctx context.Context, link string) (context.Context, Answered, error) {
	_, token, _ := strings.Cut(link, ".")
	a := Answered{Token: token}
	ctx, of, err := followed[offered](ctx, s, suggestionPurpose, link)
	if err != nil {
		return ctx, a, err
	}
	found, err := postgres.Row(s.db.WithContext(ctx), `SELECT c.name, coalesce(d.ticket_id, 0), d.outcome, coalesce(t.title, '') FROM deflections AS d
		JOIN accounts AS c ON c.id = d.account_id
		LEFT JOIN articles AS a ON a.account_id = d.account_id AND a.id = d.article_id AND a.archived_at IS NULL
		LEFT JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = ? AND t.source_id = a.id AND t.locale = d.locale AND NOT t.draft
		WHERE d.account_id = ? AND d.id = ?`, []any{models.SourceArticle, postgres.Account(ctx), of.ID}, &a.Account, &a.TicketID, &a.Outcome, &a.Title)
	if err == nil && !found {
		err = badLink()
	}
	return ctx, a, err
}
