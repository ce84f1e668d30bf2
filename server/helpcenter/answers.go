package helpcenter

import (
	"context"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/signing"
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
	number, token, _ := strings.Cut(link, ".")
	a := Answered{Token: token}
	bad := fault.New(fault.NotFound, "The link is not valid or has expired")
	account, err := strconv.ParseInt(number, 10, 64)
	if err != nil || account <= 0 {
		return ctx, a, bad
	}
	// The account is not to be believed yet: nothing is made for it.
	key, err := signing.KeyOf(ctx, s.db, account)
	if err != nil || len(key) == 0 {
		if err == nil {
			err = bad
		}
		return ctx, a, err
	}
	ctx = postgres.WithAccount(ctx, account)
	of, ok, err := brought[offered](ctx, s, suggestionPurpose, token)
	if err != nil || !ok {
		if err == nil {
			err = bad
		}
		return ctx, a, err
	}
	found, err := postgres.Row(s.db.WithContext(ctx), `SELECT c.name, coalesce(d.ticket_id, 0), d.outcome, coalesce(t.title, '') FROM deflections AS d
		JOIN accounts AS c ON c.id = d.account_id
		LEFT JOIN articles AS a ON a.account_id = d.account_id AND a.id = d.article_id AND a.archived_at IS NULL
		LEFT JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = ? AND t.source_id = a.id AND t.locale = d.locale AND NOT t.draft
		WHERE d.account_id = ? AND d.id = ?`, []any{models.SourceArticle, account, of.ID}, &a.Account, &a.TicketID, &a.Outcome, &a.Title)
	if err == nil && !found {
		err = bad
	}
	return ctx, a, err
}
