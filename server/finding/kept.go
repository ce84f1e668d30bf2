package finding

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/recent"
	"github.com/helpd/helpd/server/search"
)

const (
	// keptSets is how many sets are kept, of 125 KB for a million records.
	keptSets = 256
	// changedAtMost is up to how many changed records it is looked whether they are
	// in a set, and not the set made anew.
	changedAtMost = 2_000
	// longest is how long making a set may take.
	longest = 30 * time.Second
)

// kept are sets of the records that conditions of searches hold for. Words give a
// hundred thousand records in a few milliseconds; looking into the row of each takes
// a hundred times as long. So a condition that is asked for a second time is made a
// set in the background, and from then on brought up to date by the records that
// have changed since, which their places in the exports tell.
type kept struct {
	db     *gorm.DB
	sets   *recent.Map[*keptSet]
	wanted chan *keptSet // to be made
}

type keptSet struct {
	account int64
	kind    search.Kind
	clause  clause

	mu sync.Mutex
	keptState
}

// keptState is what a set is at a time.
type keptState struct {
	asked int
	made  bool
	set   search.Set
	seq   int64 // the changes up to it are in the set
	at    time.Time
}

func newKept(db *gorm.DB) *kept {
	return &kept{db: db, sets: recent.New[*keptSet](keptSets), wanted: make(chan *keptSet, 16)}
}

// lasting reports whether the clause holds for a record as long as the record's row
// stays the same. One about time has other arguments each time.
func (c clause) lasting() bool { return !strings.Contains(c.sql, "SELECT") }

// narrow takes those of the plan's clauses that there are sets for out of it, as tx
// sees them or later.
func (k *kept) narrow(tx *gorm.DB, p *plan) error {
	if p.kind == search.Group { // they have no places in the exports
		return nil
	}
	var rest []clause
	for _, c := range p.where {
		set, ok, err := k.setOf(tx, p, c)
		if err != nil {
			return err
		}
		if ok {
			p.within = append(p.within, set)
		} else {
			rest = append(rest, c)
		}
	}
	p.where = rest
	return nil
}

func (k *kept) setOf(tx *gorm.DB, p *plan, c clause) (search.Set, bool, error) {
	if !c.lasting() {
		return search.Set{}, false, nil
	}
	s, have := k.get(p, c)
	if have.made {
		now, ok, err := s.caughtUp(tx, have)
		if err != nil {
			return now.set, false, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if ok && now.seq >= s.seq { // nobody was here with a later state
			s.set, s.seq, s.at, s.made = now.set, now.seq, now.at, true
		}
		if s.made = s.made && ok; s.made {
			return s.set, true, nil
		}
	}
	if have.asked > 1 {
		select {
		case k.wanted <- s:
		default: // enough to do
		}
	}
	return search.Set{}, false, nil
}

// get is the set of a clause, which may be yet to be made, and what it is now.
func (k *kept) get(p *plan, c clause) (*keptSet, keptState) {
	s := k.sets.Get(fmt.Sprint(p.by.AccountID, p.kind, c.sql, c.args), func() *keptSet {
		return &keptSet{account: p.by.AccountID, kind: p.kind, clause: c}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s, s.keptState
}

// caughtUp is the set as it was made, with what has changed since; false if that is
// too much.
func (s *keptSet) caughtUp(tx *gorm.DB, made keptState) (keptState, bool, error) {
	t := tables[s.kind]
	// What is not numbered yet is touched.
	query := fmt.Sprintf(`WITH changed AS MATERIALIZED ((
			SELECT record_id FROM export_positions WHERE account_id = ? AND kind = ? AND generated_at >= ? AND seq > ?
			UNION ALL SELECT record_id FROM touched WHERE account_id = ? AND kind = ?) LIMIT ?)
		SELECT c.seq, c.at, x.record_id, %[2]s.id IS NOT NULL FROM event_clock c LEFT JOIN changed x ON true
		LEFT JOIN %[1]s %[2]s ON %[2]s.id = x.record_id AND %[3]s`, t.name, t.as, s.where())
	changes := map[int64]bool{}
	n := 0
	args := append([]any{s.account, string(s.kind), made.at, made.seq, s.account, string(s.kind), changedAtMost + 1}, s.args()...)
	err := postgres.Rows(tx, query, args, func(row postgres.Scanned) error {
		var id *int64
		var in bool
		err := row.Scan(&made.seq, &made.at, &id, &in)
		if id != nil {
			changes[*id] = in
			n++
		}
		return err
	})
	if len(changes) > 0 {
		made.set = made.set.With(changes)
	}
	return made, n <= changedAtMost, err
}

// where is the condition of the set's records, of whoever may see them.
func (s *keptSet) where() string {
	as := tables[s.kind].as
	where := as + ".account_id = ? AND " + s.clause.sql
	if s.kind == search.Ticket { // so that the indexes of what is there serve
		where += " AND t.deleted_at IS NULL"
	}
	return where
}

func (s *keptSet) args() []any { return append([]any{s.account}, s.clause.args...) }

// Run makes sets until ctx is done.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case set := <-s.kept.wanted:
			if err := s.kept.make(ctx, set); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "keep the records of a condition", "condition", set.clause.sql, "error", err)
			}
		}
	}
}

// make finds the records of a set.
func (k *kept) make(ctx context.Context, s *keptSet) error {
	s.mu.Lock()
	done := s.made // it was wanted twice
	s.mu.Unlock()
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(postgres.WithAccount(postgres.Planned(ctx), s.account), longest)
	defer cancel()
	var found keptState
	var ids []int64
	err := k.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := postgres.Row(tx, "SELECT seq, at FROM event_clock", nil, &found.seq, &found.at); err != nil {
			return err
		}
		t := tables[s.kind]
		return postgres.Rows(tx, fmt.Sprintf("SELECT %[2]s.id FROM %[1]s %[2]s WHERE %[3]s", t.name, t.as, s.where()), s.args(), func(row postgres.Scanned) error {
			ids = append(ids, 0)
			return row.Scan(&ids[len(ids)-1])
		})
	}, search.OneState)
	if err != nil {
		return err
	}
	found.set = search.NewSet(ids)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made, s.set, s.seq, s.at = true, found.set, found.seq, found.at
	return nil
}
