package tickets

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/recent"
)

const (
	// keptFor is how long a list is kept. What its order asks of other records,
	// names above all, may be so old.
	keptFor = 30 * time.Second
	// keptLists is how many lists there are, of 80 KB at most.
	keptLists = 128
	// changedAtMost is up to how many changed tickets it is looked whether they
	// concern a list, and not the list found anew.
	changedAtMost = 500
)

// keptSelections are the numbers of the tickets of selections that were asked for
// lately. A list is given again as long as no ticket has changed that is in it or
// would be, which the places of tickets in the exports tell for less than to find
// and sort some thousand tickets.
type keptSelections = recent.Map[*kept]

type kept struct {
	mu   sync.Mutex
	made time.Time // zero: there is no list
	ids  []int64
	many bool  // too many to be kept
	seq  int64 // what is numbered up to it is in the list
	at   time.Time
}

// lasting reports whether the selection has a ticket as long as the ticket's row
// stays the same. Conditions about time have other arguments each time.
func (s Selection) lasting() bool { return !s.Measured && !strings.Contains(s.Where, "SELECT") }

// listed are the numbers of the selection's tickets that by may see, in its order;
// false if they are too many.
func (s *Service) listed(ctx context.Context, by auth.Actor, selection Selection, q page.Query) ([]int64, bool, error) {
	list := s.kept.Get(selection.Key(by)+orderText(q.Order), func() *kept { return &kept{} })
	list.mu.Lock()
	defer list.mu.Unlock()
	if !list.made.IsZero() && time.Since(list.made) < keptFor {
		same, err := s.unchanged(ctx, by, q, list)
		if err != nil || same {
			return list.ids, !list.many, err
		}
	}
	list.made = time.Time{}
	// Before the tickets are found: what changes meanwhile is looked at again.
	if _, err := postgres.RowIn(ctx, s.db, "SELECT seq, at FROM event_clock", nil, &list.seq, &list.at); err != nil {
		return nil, false, err
	}
	ids, err := page.IDs(ctx, s.db, q, s.wholeTo+1)
	if err != nil {
		return nil, false, err
	}
	list.made, list.ids, list.many = time.Now(), ids, len(ids) > s.wholeTo
	if list.many {
		list.ids = nil
	}
	return list.ids, !list.many, nil
}

// unchanged reports whether the list is as it would be found now.
func (s *Service) unchanged(ctx context.Context, by auth.Actor, q page.Query, list *kept) (bool, error) {
	if list.many {
		return true, nil
	}
	var changed models.IDs
	var concerned bool
	var seq int64
	var at time.Time
	// One statement sees one state: what is not numbered yet is touched.
	_, err := postgres.RowIn(ctx, s.db, `WITH changed AS MATERIALIZED ((
			SELECT record_id FROM export_positions WHERE account_id = ? AND kind = 'ticket' AND generated_at >= ? AND seq > ?
			UNION ALL SELECT record_id FROM touched WHERE account_id = ? AND kind = 'ticket') LIMIT ?)
		SELECT ARRAY(SELECT record_id FROM changed), EXISTS (SELECT FROM `+q.CountFrom+` WHERE `+q.Where+` AND t.id IN (SELECT record_id FROM changed)),
			c.seq, c.at FROM event_clock c`,
		append([]any{by.AccountID, list.at, list.seq, by.AccountID, changedAtMost + 1}, q.Args...), &changed, &concerned, &seq, &at)
	if err != nil || concerned || len(changed) > changedAtMost {
		return false, err
	}
	if len(changed) > 0 {
		is := make(map[int64]bool, len(changed))
		for _, id := range changed {
			is[id] = true
		}
		for _, id := range list.ids {
			if is[id] {
				return false, nil
			}
		}
	}
	list.seq, list.at = seq, at
	return true, nil
}
