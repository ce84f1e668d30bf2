package helpcenter

import (
	"context"
	"time"

	"github.com/helpd/helpd/server/postgres"
)

const (
	// keptFor is how long what readers looked for is kept, and what they were offered:
	// a year, and a month to compare with the same of the year before.
	keptFor = 400 * 24 * time.Hour
	// forgottenAtOnce is how many rows one statement removes.
	forgottenAtOnce = 5_000
)

// Forget removes, of all accounts, what readers looked for and what they were offered
// too long ago. Links to answer with have expired long before. A job runs it daily.
func (s *Service) Forget(ctx context.Context) error {
	ctx = postgres.AcrossAccounts(ctx)
	for _, old := range []struct{ table, age string }{{"help_center_queries", "day"}, {"deflections", "offered_at"}} {
		for {
			done := s.db.WithContext(ctx).Exec("DELETE FROM "+old.table+" WHERE ctid = ANY(ARRAY(SELECT ctid FROM "+old.table+" WHERE "+old.age+" < ? ORDER BY "+old.age+" LIMIT ?))",
				s.now().Add(-keptFor).UTC(), forgottenAtOnce)
			if done.Error != nil {
				return done.Error
			}
			if done.RowsAffected < forgottenAtOnce {
				break
			}
		}
	}
	return nil
}
