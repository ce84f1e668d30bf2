package finding

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// timed is a record with its times.
type timed struct {
	id               int64
	created, updated time.Time
}

// What is found in an order of time is the same, whether it is met on the way through
// all records, looked up, or found without words; and pages of an export are all of it.
func TestOrdersByTime(t *testing.T) {
	t.Parallel()
	const all = few + 2_000
	s := newShelf(t, all)
	// Times that are the same for several, and not in the order of the numbers.
	s.exec(`UPDATE organizations SET created_at = '2026-01-01'::timestamptz + (id * 7919 % 9000) * interval '1 second',
		updated_at = '2026-02-01'::timestamptz + (id * 104729 % 15000) * interval '1 second', name = name || CASE WHEN id % 10 = 0 THEN ' tenth' ELSE '' END`)
	index := search.NewIndex(s.db)
	if err := index.Settle(s.ctx, 1, search.Organization); err != nil {
		t.Fatal(err)
	}
	var have []timed
	err := postgres.Rows(s.db.WithContext(s.ctx), "SELECT id, created_at, updated_at FROM organizations WHERE account_id = 1 ORDER BY id", nil, func(row postgres.Scanned) error {
		have = append(have, timed{})
		o := &have[len(have)-1]
		return row.Scan(&o.id, &o.created, &o.updated)
	})
	if err != nil || len(have) != all {
		t.Fatalf("%d, %v", len(have), err)
	}
	look := search.Words{Kind: search.Organization}
	plans := map[string]*plan{"no words": {}, "a word of all": {match: look.Word("organization")}, "a word of few": {match: look.Word("tenth")}}
	for name, p := range plans {
		p.kind, p.index, p.by = search.Organization, index, auth.Actor{AccountID: 1, User: models.User{Role: models.RoleAdmin}}
		want := have
		if name == "a word of few" {
			want = nil
			for _, o := range have {
				if o.id%10 == 0 {
					want = append(want, o)
				}
			}
		}
		s.read(func(tx *gorm.DB) error {
			for _, by := range []string{"created", "updated", "priority"} { // which organizations have not
				for _, desc := range []bool{true, false} {
					out, err := p.run(tx, by, desc, exactTo)
					if err != nil {
						return err
					}
					if got, want := idsOf(out.hits), inOrder(want, by, desc || by == "priority", desc || by != "created")[:len(out.hits)]; len(got) != MaxFound || !slices.Equal(got, want) {
						t.Errorf("%s by %s, %t: %d, %v, want %v", name, by, desc, len(got), got[:5], want[:5])
					}
				}
			}
			var got []int64
			var from *cursor
			for {
				list, err := p.export(tx, from, MaxExported)
				if err != nil {
					return err
				}
				if got = append(got, idsOf(list)...); len(list) < MaxExported {
					break
				}
				last := list[len(list)-1]
				from = &cursor{Created: last.created.UnixMicro(), ID: last.ID}
			}
			if !slices.Equal(got, inOrder(want, "created", true, false)) {
				t.Errorf("%s: exported %d of %d", name, len(got), len(want))
			}
			return nil
		})
	}
}

// Tickets come in the same order by whatever way they are read: those that are
// archived, too.
func TestOrdersOfTickets(t *testing.T) {
	t.Parallel()
	const all = 400
	s := newShelf(t, 0)
	s.exec("ALTER TABLE tickets DROP CONSTRAINT tickets_account_id_requester_id_fkey") // there are no people here
	s.exec(`INSERT INTO tickets (account_id, id, subject, description, custom_status_id, brand_id, ticket_form_id, requester_id, submitter_id, via, tags, custom_fields,
			follower_ids, email_cc_ids, is_public, comment_count, incident_count, followup_ids, generated_at, status, type, priority, archived, created_at, updated_at)
		SELECT 1, n, 'x', 'x', 1, 1, 1, 1, 1, '{}', '{}', '{}', '{}', '{}', true, 0, 0, '{}', now(), status,
			(ARRAY[NULL, 'question', 'incident', 'problem', 'task'])[1 + n * 31 % 5], (ARRAY[NULL, 'low', 'normal', 'high', 'urgent'])[1 + n * 17 % 5],
			status = 'closed' AND n % 3 > 0, now() - (n * 7919 % 50) * interval '1 hour', now() - (n * 104729 % 70) * interval '1 minute'
		FROM (SELECT n, (ARRAY['new', 'open', 'pending', 'hold', 'solved', 'closed', 'closed'])[1 + n * 13 % 7] AS status FROM generate_series(1, ?::int) n) x`, all)
	admin := models.User{Tenant: models.Tenant{AccountID: 1, ID: 1}, Role: models.RoleAdmin}
	for _, p := range []*plan{{}, {live: true, where: []clause{{"(t.status IN ('open', 'new')" + onLists, nil}}}} {
		p.kind, p.by = search.Ticket, auth.Actor{AccountID: 1, User: admin}
		s.read(func(tx *gorm.DB) error {
			where, args := p.condition()
			for _, desc := range []bool{true, false} {
				for by, r := range ranks {
					want, err := p.ranked(tx, where, args, p.key(by), desc)
					if err != nil {
						return err
					}
					if got, err := p.byValue(tx, nil, r, desc); err != nil || !slices.Equal(idsOf(got), idsOf(want)) || len(got) < all/7 || got[0].key != want[0].key {
						t.Errorf("by %s, %t: %v and %v, %v", by, desc, idsOf(got), idsOf(want), err)
					}
				}
				for _, column := range times {
					o := order{column: column, desc: desc, newest: true}
					want, err := p.first(tx, o, where, args, true, all)
					if err != nil {
						return err
					}
					var got []Hit
					for range all/10 + 1 {
						list, err := p.first(tx, o, where, args, false, 10)
						if err != nil {
							return err
						}
						if got = append(got, list...); len(list) < 10 {
							break
						}
						o.behind = &place{list[9].at, list[9].ID}
					}
					if !slices.Equal(idsOf(got), idsOf(want)) || len(got) < all/7 {
						t.Errorf("by %s, %t: %v and %v", column, desc, idsOf(got), idsOf(want))
					}
				}
			}
			return nil
		})
	}
}

// read runs f in a transaction that searches run in.
func (s *shelf) read(f func(tx *gorm.DB) error) {
	s.t.Helper()
	if err := s.db.WithContext(s.ctx).Transaction(f, search.OneState); err != nil {
		s.t.Error(err)
	}
}

func idsOf(hits []Hit) []int64 {
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

func inOrder(list []timed, by string, desc, newest bool) []int64 {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b timed) int {
		at, of := a.created.Compare(b.created), cmp.Compare(a.id, b.id)
		if by == "updated" {
			at = a.updated.Compare(b.updated)
		}
		if desc {
			at = -at
		}
		if newest {
			of = -of
		}
		return cmp.Or(at, of)
	})
	ids := make([]int64, len(list))
	for i, o := range list {
		ids[i] = o.id
	}
	return ids
}
