package helpcenter

import (
	"context"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// State names what an article is at the moment: it is another after each change
// of what is shown of it in a language. It is read without the texts. It fails as
// Article does.
type State struct {
	Locale  string // that it is read in
	Version int64  // of the article
	SetUp   int64  // of the account
}

// State tells whether an article that by has read before is still the same.
func (s *Service) State(ctx context.Context, by auth.Actor, locale string, id int64) (State, error) {
	l, err := s.Locales(ctx, by)
	if err != nil {
		return State{}, err
	}
	out := State{SetUp: l.version}
	if out.Locale, err = l.reading(by, locale); err != nil {
		return out, err
	}
	seen, args := SeenArticle(by)
	found, err := postgres.RowIn(ctx, s.db, "SELECT a.version FROM "+articleFrom+" WHERE a.account_id = ? AND a.id = ? AND t.locale = ? AND "+seen,
		append([]any{by.AccountID, id, out.Locale}, args...), &out.Version)
	if err == nil && !found {
		err = fault.Missing("article", id)
	}
	return out, err
}
