package finding

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// look is run for a plan with words: the index tells which records have them, and
// if more is asked of these, their table which of them have it.
func (p *plan) look(tx *gorm.DB, by string, desc bool, counted int) (found, error) {
	l, err := p.index.Look(tx, p.by.AccountID, search.Wanted{Kind: p.kind, Match: p.match, Without: p.without, Title: p.title})
	if err != nil {
		return found{}, err
	}
	var out found
	var titles search.Records // of the records that have the words, those that are relevant by them
	var newest []int64        // of the results
	for {
		all, title, more, err := l.Next()
		if err != nil || !more {
			if err == nil {
				break
			}
			return out, err
		}
		all, titles = p.inside(all), titles.With(p.inside(title))
		out.words = out.words.With(all)
		if err := p.tally(tx, &out, all, &newest, counted); err != nil {
			return out, err
		}
		if counted > 0 && out.count > counted && by == "" {
			break
		}
	}
	if counted == 0 {
		return out, nil
	}
	if out.count > counted && p.bounded() {
		out.count, out.more = counted, true
	}
	if by != "" {
		out.hits, err = p.sorted(tx, &out.words, 0, by, desc)
		return out, err
	}
	titled, err := p.titled(tx, &out, titles, newest)
	if err != nil {
		return out, err
	}
	return out, p.relevant(tx, &out, titled, newest)
}

// inside are the records that are in all of the plan's sets.
func (p *plan) inside(r search.Records) search.Records {
	for _, set := range p.within {
		r = r.Within(set)
	}
	return r
}

// titled are the newest results among titles. Most are among the newest of all.
func (p *plan) titled(tx *gorm.DB, out *found, titles search.Records, newest []int64) ([]int64, error) {
	if !p.filtered() {
		return titles.Newest(MaxFound), nil
	}
	var ids []int64
	for _, id := range newest {
		if titles.Has(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) >= MaxFound || !out.more {
		return ids[:min(len(ids), MaxFound)], nil
	}
	return p.some(tx, titles.Before(newest[len(newest)-1]), ids, MaxFound)
}

// bounded reports whether results are counted one by one, and therefore only so far:
// otherwise the index tells how many there are.
func (p *plan) bounded() bool {
	return p.filtered() || p.match.HasPhrase() || p.without.HasPhrase()
}

// tally counts the results among records that have the words, and keeps the newest.
// counted is how many are counted at most, 0 for all.
func (p *plan) tally(tx *gorm.DB, out *found, all search.Records, newest *[]int64, counted int) (err error) {
	switch {
	case !p.filtered():
		out.count += all.Len()
		if n := MaxFound - len(*newest); n > 0 && counted > 0 {
			*newest = append(*newest, all.Newest(n)...)
		}
	case counted == 0:
		var n int
		n, err = p.counted(tx, &all)
		out.count += n
	default:
		*newest, err = p.some(tx, all, *newest, counted+1)
		out.count = len(*newest)
	}
	return err
}

// window is how many records are looked into at first, which are more each time.
const window = 1 << 14

// some appends to ids the newest of those records that the plan's other conditions
// hold for, until there are enough.
func (p *plan) some(tx *gorm.DB, of search.Records, ids []int64, enough int) ([]int64, error) {
	if !p.filtered() {
		return append(ids, of.Newest(max(0, enough-len(ids)))...), nil
	}
	t := p.table()
	for size := window; len(ids) < enough && of.Len() > 0; size *= 2 {
		var now search.Records
		now, of = of.Cut(size)
		where, args := p.among(now)
		err := postgres.Rows(tx, fmt.Sprintf("SELECT k.id FROM (SELECT %[1]s.id FROM %[2]s %[1]s WHERE %[3]s OFFSET 0) k ORDER BY k.id DESC LIMIT %[4]d", t.as, t.name, where, enough-len(ids)), args, func(row postgres.Scanned) error {
			ids = append(ids, 0)
			return row.Scan(&ids[len(ids)-1])
		})
		if err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// counted is how many results there are, of records if these are not nil.
func (p *plan) counted(tx *gorm.DB, of *search.Records) (n int, err error) {
	t := p.table()
	where, args := p.condition()
	if of != nil {
		where, args = p.among(*of)
	}
	_, err = postgres.Row(tx, "SELECT count(*) FROM "+t.name+" "+t.as+" WHERE "+where, args, &n)
	return n, err
}

// among is the plan's condition for those records.
func (p *plan) among(of search.Records) (string, []any) {
	where, args := p.condition()
	those, more := of.Condition(p.table().as + ".id")
	return where + " AND " + those, append(args, more...)
}

// relevant makes the hits: records with the words in their titles and then others,
// the newest of each first.
func (p *plan) relevant(tx *gorm.DB, out *found, titled, newest []int64) error {
	rank := make(map[int64]float64, MaxFound)
	var ids models.IDs
	for i, list := range [][]int64{titled, newest} {
		for _, id := range list {
			if _, ok := rank[id]; !ok && len(ids) < MaxFound {
				rank[id], ids = float64(1-i), append(ids, id)
			}
		}
	}
	t := p.table()
	return postgres.Rows(tx, fmt.Sprintf("SELECT %[1]s.id, %[1]s.created_at FROM %[2]s %[1]s WHERE %[1]s.account_id = ? AND %[1]s.id = ANY(?::bigint[]) ORDER BY %[1]s.created_at DESC, %[1]s.id DESC", t.as, t.name), []any{p.by.AccountID, ids}, func(row postgres.Scanned) error {
		h := Hit{Kind: p.kind}
		err := row.Scan(&h.ID, &h.created)
		h.key = rank[h.ID]
		out.hits = append(out.hits, h)
		return err
	})
}
