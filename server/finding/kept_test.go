package finding

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/testdb"
)

// shelf is an account with organizations, and what is kept of it.
type shelf struct {
	t   *testing.T
	db  *gorm.DB
	ctx context.Context
	k   *kept
}

func newShelf(t *testing.T, organizations int) *shelf {
	t.Helper()
	s := &shelf{t: t, db: testdb.DB(t), ctx: postgres.WithAccount(context.Background(), 1)}
	s.k = newKept(s.db)
	s.exec("INSERT INTO accounts (id, subdomain, name, time_zone, settings, config_version, created_at, updated_at) VALUES (1, 'a', 'A', 'UTC', '{}', 1, now(), now())")
	s.exec(`INSERT INTO organizations (account_id, id, name, shared_tickets, shared_comments, external_id, domain_names, tags, organization_fields, created_at, updated_at)
		SELECT 1, n, 'Organization ' || n, false, false, n, '{}', '{}', '{}', now(), now() FROM generate_series(1, ?::int) n`, organizations)
	return s
}

func (s *shelf) exec(query string, args ...any) {
	s.t.Helper()
	if err := postgres.Exec(s.db.WithContext(s.ctx), query, args); err != nil {
		s.t.Fatal(err)
	}
}

// shared is a plan of the organizations that share tickets.
func shared() *plan {
	by := auth.Actor{AccountID: 1}
	return &plan{kind: search.Organization, by: by, where: []clause{{"o.shared_tickets = ?", []any{true}}}}
}

// found are the organizations that share tickets by what is kept; false if nothing is.
func (s *shelf) found() (ids []int64, ok bool) {
	s.t.Helper()
	p := shared()
	err := s.db.WithContext(s.ctx).Transaction(func(tx *gorm.DB) error { return s.k.narrow(tx, p) }, search.OneState)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(p.within) == 0 {
		if len(p.where) != 1 {
			s.t.Fatal("the condition is lost")
		}
		return nil, false
	}
	if len(p.where) != 0 {
		s.t.Error("the condition is asked twice")
	}
	return p.within[0].IDs(), true
}

func (s *shelf) asked() (ids []int64) {
	s.t.Helper()
	err := postgres.Rows(s.db.WithContext(s.ctx), "SELECT id FROM organizations WHERE account_id = 1 AND shared_tickets ORDER BY id", nil, func(row postgres.Scanned) error {
		ids = append(ids, 0)
		return row.Scan(&ids[len(ids)-1])
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// A set tells what the table tells, whatever changed since it was made, numbered or
// not.
func TestKeptSetsFollowTheirRecords(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 200)
	if _, ok := s.found(); ok || len(s.k.wanted) != 0 {
		t.Fatal("a condition is kept that was asked for once")
	}
	if _, ok := s.found(); ok || len(s.k.wanted) != 1 {
		t.Fatal("a condition that was asked for twice is not wanted")
	}
	s.exec("UPDATE organizations SET shared_tickets = true WHERE account_id = 1 AND id % 7 = 0")
	if err := s.k.make(s.ctx, <-s.k.wanted); err != nil {
		t.Fatal(err)
	}
	log := events.NewLog(s.db, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 20 {
		got, ok := s.found()
		if want := s.asked(); !ok || !slices.Equal(got, want) {
			t.Fatalf("round %d: %v (%v), want %v", round, got, ok, want)
		}
		s.exec("UPDATE organizations SET shared_tickets = NOT shared_tickets WHERE account_id = 1 AND id = ANY(?)", models.IDs{1 + r.Int64N(200), 1 + r.Int64N(200)})
		if round%3 == 0 {
			s.exec("DELETE FROM organizations WHERE account_id = 1 AND id = ?", 1+r.Int64N(200))
		}
		if round%2 == 0 {
			if _, err := log.Number(postgres.AcrossAccounts(s.ctx)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.exec(`INSERT INTO organizations (account_id, id, name, shared_tickets, shared_comments, domain_names, tags, organization_fields, created_at, updated_at)
		SELECT 1, n, 'More ' || n, true, false, '{}', '{}', '{}', now(), now() FROM generate_series(1000, 1000 + ?::int) n`, changedAtMost)
	if _, ok := s.found(); ok {
		t.Error("what has changed too much is still used")
	}
	if _, err := log.Number(postgres.AcrossAccounts(s.ctx)); err != nil {
		t.Fatal(err)
	}
	if err := s.k.make(s.ctx, <-s.k.wanted); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.found(); !ok || !slices.Equal(got, s.asked()) {
		t.Errorf("made anew: %d", len(got))
	}
}

func TestConditionsOnOtherRecordsAreNotKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 1)
	for range 3 {
		p := shared()
		p.where[0].sql = "o.group_id = ANY(ARRAY(SELECT g.id FROM groups g WHERE g.account_id = ?))"
		p.where[0].args = []any{int64(1)}
		err := s.db.WithContext(s.ctx).Transaction(func(tx *gorm.DB) error { return s.k.narrow(tx, p) }, search.OneState)
		if err != nil || len(p.where) != 1 || len(p.within) != 0 || len(s.k.wanted) != 0 {
			t.Errorf("kept: %+v, %v", p, err)
		}
	}
}
