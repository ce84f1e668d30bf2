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
	db *gorm.DB

	mu     sync.Mutex
	by     map[string]*keptSet
	wanted chan *keptSet // to be made
}

type keptSet struct {
	account int64
	kind    search.Kind
	clause  clause

	// Of kept.mu.
	asked int
	used  time.Time
	made  bool
	set   search.Set
	seq   int64 // the changes up to it are in the set
	at    time.Time
}

func newKept(db *gorm.DB) *kept {
	return &kept{db: db, by: map[string]*keptSet{}, wanted: make(chan *keptSet, 16)}
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
		now, ok, err := have.caughtUp(tx)
		if err != nil {
			return now.set, false, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
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
func (k *kept) get(p *plan, c clause) (*keptSet, keptSet) {
	key := fmt.Sprint(p.by.AccountID, p.kind, c.sql, c.args)
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.by[key]
	if s == nil {
		if len(k.by) >= keptSets {
			k.drop()
		}
		s = &keptSet{account: p.by.AccountID, kind: p.kind, clause: c}
		k.by[key] = s
	}
	s.asked++
	s.used = time.Now()
	return s, *s
}

// drop forgets the set that was not asked for the longest.
func (k *kept) drop() {
	oldest := ""
	for key, s := range k.by {
		if oldest == "" || s.used.Before(k.by[oldest].used) {
			oldest = key
		}
	}
	delete(k.by, oldest)
}

// caughtUp is the set with what has changed since it was made; false if that is too
// much.
func (s keptSet) caughtUp(tx *gorm.DB) (keptSet, bool, error) {
	t := tables[s.kind]
	// What is not numbered yet is touched.
	query := fmt.Sprintf(`WITH changed AS MATERIALIZED ((
			SELECT record_id FROM export_positions WHERE account_id = ? AND kind = ? AND generated_at >= ? AND seq > ?
			UNION ALL SELECT record_id FROM touched WHERE account_id = ? AND kind = ?) LIMIT ?)
		SELECT c.seq, c.at, x.record_id, %[2]s.id IS NOT NULL FROM event_clock c LEFT JOIN changed x ON true
		LEFT JOIN %[1]s %[2]s ON %[2]s.id = x.record_id AND %[3]s`, t.name, t.as, s.where())
	changes := map[int64]bool{}
	n := 0
	seq, at := s.seq, s.at
	err := postgres.Rows(tx, query, append([]any{s.account, string(s.kind), at, seq, s.account, string(s.kind), changedAtMost + 1}, s.args()...), func(row postgres.Scanned) error {
		var id *int64
		var in bool
		err := row.Scan(&s.seq, &s.at, &id, &in)
		if id != nil {
			changes[*id] = in
			n++
		}
		return err
	})
	if len(changes) > 0 {
		s.set = s.set.With(changes)
	}
	return s, n <= changedAtMost, err
}

// where is the condition of the set's records, of whoever may see them.
func (s keptSet) where() string {
	as := tables[s.kind].as
	where := as + ".account_id = ? AND " + s.clause.sql
	if s.kind == search.Ticket { // so that the indexes of what is there serve
		where += " AND t.deleted_at IS NULL"
	}
	return where
}

func (s keptSet) args() []any { return append([]any{s.account}, s.clause.args...) }

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
	k.mu.Lock()
	done := s.made // it was wanted twice
	k.mu.Unlock()
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(postgres.WithAccount(postgres.Planned(ctx), s.account), longest)
	defer cancel()
	found := keptSet{made: true}
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
	k.mu.Lock()
	defer k.mu.Unlock()
	s.made, s.set, s.seq, s.at = true, found.set, found.seq, found.at
	return nil
}
