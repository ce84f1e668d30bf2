// Package finding answers searches: it makes SQL of what queries ask of tickets,
// users, organizations and groups, and holds it to what the caller may see. Words
// are looked up in the index of package search, properties in the records' own
// tables.
package finding

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/timezone"
)

// Service finds.
type Service struct {
	db     *gorm.DB
	index  *search.Index
	fields *fields.Service
	kept   *kept
	now    func() time.Time
}

// New makes the service on an index.
func New(db *gorm.DB, index *search.Index, f *fields.Service, now func() time.Time) *Service {
	return &Service{db: db, index: index, fields: f, kept: newKept(db), now: now}
}

// Results are a page of a search.
type Results struct {
	Hits  []Hit
	Count int
	More  bool // than Count, which is exact otherwise
	Next  bool // there is a page behind this one
}

// Search is the page with a number of what a query finds. The request's Sort and
// Desc stand behind what the query itself says; without either the most relevant
// come first, of equals the newest, as they do for a sort that there is not. It fails with fault.BadQuery, also for pages
// beyond MaxFound, and with fault.Unavailable while the index is being built.
func (s *Service) Search(ctx context.Context, by auth.Actor, query string, r page.Request) (Results, error) {
	if (r.Number-1)*r.Size >= MaxFound {
		return Results{}, search.Bad("Requested response size was greater than Search Response Limits")
	}
	q, err := s.ask(ctx, by, query, r)
	if err != nil {
		return Results{}, err
	}
	all, err := s.find(ctx, q, exactTo)
	if err != nil {
		return Results{}, err
	}
	from := min((r.Number-1)*r.Size, len(all.hits))
	end := min(from+r.Size, len(all.hits), MaxFound)
	return Results{Hits: all.hits[from:end], Count: all.count, More: all.more, Next: end < min(len(all.hits), MaxFound)}, nil
}

// Count is how many records a query finds, exactly. It fails as Search does.
func (s *Service) Count(ctx context.Context, by auth.Actor, query string) (int, error) {
	q, err := s.ask(ctx, by, query, page.Request{})
	if err != nil {
		return 0, err
	}
	all, err := s.find(ctx, q, 0)
	return all.count, err
}

// ask understands a query, and waits until the index knows what was written before.
func (s *Service) ask(ctx context.Context, by auth.Actor, query string, r page.Request) (asked, error) {
	c, err := s.compiler(ctx, by)
	if err != nil {
		return asked{}, err
	}
	q, err := c.compile(query, search.Kinds)
	if err != nil {
		return q, err
	}
	if by, known := sorts[r.Sort]; known && q.sort == "" {
		q.sort, q.desc = by, r.Desc
	}
	var kinds []search.Kind
	for i := range q.plans {
		kinds = append(kinds, q.plans[i].kind)
	}
	return q, s.index.CatchUp(ctx, by.AccountID, kinds...)
}

func (s *Service) compiler(ctx context.Context, by auth.Actor) (*compiler, error) {
	if !by.Staff() {
		return nil, fault.Denied()
	}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	return &compiler{by: by, index: s.index, config: config, now: s.now(), zone: timezone.Load(config.Account.TimeZone)}, nil
}

// find runs the plans of a query, each in a transaction of its own.
func (s *Service) find(ctx context.Context, q asked, counted int) (found, error) {
	var list []found
	for i := range q.plans {
		p := &q.plans[i]
		var one found
		err := s.inTx(ctx, p, func(tx *gorm.DB) error {
			hit, ok, err := p.byNumber(tx, q.sort, q.desc)
			if err != nil {
				return err
			}
			if p.byWords() {
				if err := s.kept.narrow(tx, p); err != nil {
					return err
				}
			}
			if one, err = p.run(tx, q.sort, q.desc, counted); err != nil || !ok {
				return err
			}
			p.join(&one, hit, q.sort)
			return nil
		})
		if err != nil {
			return found{}, err
		}
		list = append(list, one)
	}
	return merged(list, q.desc), nil
}

// join adds the record that is called by its number, which may have been found by
// its words already.
func (p *plan) join(to *found, hit Hit, sort string) {
	at := slices.IndexFunc(to.hits, func(h Hit) bool { return h.ID == hit.ID })
	if at >= 0 {
		if sort == "" {
			to.hits[at].key = hit.key
		}
		return
	}
	if !to.words.Has(hit.ID) {
		to.count++
	}
	to.hits = append(to.hits, hit)
}
