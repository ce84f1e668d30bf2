package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// victimDSN in the environment makes the test binary a process that works jobs
// and is killed in the middle of the item victimItem.
const (
	victimDSN  = "HELPD_TEST_JOBS_DSN"
	victimItem = 5
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, victim(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim works jobs until it kills itself, the item half done.
func victim(dsn string) error {
	db, err := postgres.Open(dsn, postgres.Options{})
	if err != nil {
		return err
	}
	s, err := New(db, dsn, auth.New(db, time.Now), time.Now, quiet)
	if err != nil {
		return err
	}
	kill := func(_ context.Context, index int) error {
		if index == victimItem {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}
	s.Register("note", noting(db, kill))
	s.Register("note many", notingMany(db, kill))
	if err := s.Start(context.Background()); err != nil {
		return err
	}
	select {} // the kill ends it
}

var quiet = slog.New(slog.DiscardHandler)

// noting is an operation that notes each index in the table noted, calls then,
// and answers {"index":…}.
func noting(db *gorm.DB, then func(ctx context.Context, index int) error) Operation {
	return Operation{
		JobType: "Bulk Update Ticket", Doing: "Updating ticket", Action: "update",
		Run: func(ctx context.Context, by auth.Actor, _ json.RawMessage, index int) (any, error) {
			// As a domain function does: in a transaction of its own.
			err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				return tx.Exec("INSERT INTO noted (account_id, index) VALUES (?, ?)", by.AccountID, index).Error
			})
			if err == nil && then != nil {
				err = then(ctx, index)
			}
			return map[string]int{"index": index}, err
		},
	}
}

// notingMany is noting of many at once. A fault that then returns is the item's.
func notingMany(db *gorm.DB, then func(ctx context.Context, index int) error) Operation {
	op := noting(db, func(context.Context, int) error { return errors.New("done one by one") })
	op.RunMany = func(ctx context.Context, by auth.Actor, items []Item) ([]Result, error) {
		results := make([]Result, len(items))
		for i, item := range items {
			err := error(nil)
			if then != nil {
				err = then(ctx, item.Index)
			}
			results[i] = Result{map[string]int{"index": item.Index}, err}
			if err != nil {
				continue
			}
			if err := db.WithContext(ctx).Exec("INSERT INTO noted (account_id, index) VALUES (?, ?)", by.AccountID, item.Index).Error; err != nil {
				return nil, err
			}
		}
		return results, nil
	}
	return op
}

// world is a database with an account and an agent in it.
type world struct {
	t   *testing.T
	dsn string
	db  *gorm.DB
	by  auth.Actor
	ctx context.Context
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dsn: testdb.DSN(t)}
	w.db = testdb.Open(t, w.dsn)
	w.exec("CREATE TABLE noted (account_id bigint NOT NULL, index int NOT NULL)")
	w.by = w.agent("one")
	w.ctx = auth.With(t.Context(), w.by)
	return w
}

func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	if err := w.db.Exec(statement, args...).Error; err != nil {
		w.t.Fatal(err)
	}
}

// agent makes an account and returns an agent of it.
func (w *world) agent(subdomain string) auth.Actor {
	w.t.Helper()
	now := time.Now()
	account := models.Account{Subdomain: subdomain, Name: subdomain, TimeZone: "UTC", Settings: models.JSON("{}"), Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	ctx := postgres.AcrossAccounts(w.t.Context())
	if err := w.db.WithContext(ctx).Create(&account).Error; err != nil {
		w.t.Fatal(err)
	}
	user := models.User{Name: "Agent", Role: models.RoleAgent, Active: true, TimeZone: "UTC", Locale: "en-US", UserFields: models.JSON("{}"), Stamps: account.Stamps}
	user.AccountID = account.ID
	if err := w.db.WithContext(ctx).Create(&user).Error; err != nil {
		w.t.Fatal(err)
	}
	return auth.Actor{AccountID: account.ID, User: user}
}

// service is a queue on the world's database, with a handle of its own as in
// another process.
func (w *world) service() *Service {
	w.t.Helper()
	db := testdb.Open(w.t, w.dsn)
	s, err := New(db, w.dsn, auth.New(db, time.Now), time.Now, quiet)
	if err != nil {
		w.t.Fatal(err)
	}
	s.retryAfter = func(int) time.Duration { return 0 }
	w.t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			w.t.Errorf("stop: %v", err)
		}
	})
	return s
}

func (w *world) start(s *Service) *Service {
	w.t.Helper()
	if err := s.Start(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) bulk(s *Service, items ...string) models.JobStatus {
	w.t.Helper()
	return w.bulkOf(s, "note", items...)
}

func (w *world) bulkOf(s *Service, operation string, items ...string) models.JobStatus {
	w.t.Helper()
	job, err := s.StartBulk(w.ctx, w.by, operation, raw(items...))
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}

func raw(items ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(items))
	for i, item := range items {
		out[i] = json.RawMessage(item)
	}
	return out
}

// numbered are n items {"id":1}, {"id":2} …
func numbered(n int) []string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":%d}`, i+1)
	}
	return items
}

// until waits for a condition on rows, for half a minute at most.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// ended waits for the job to end and returns its status.
func (w *world) ended(s *Service, id string) (job models.JobStatus) {
	w.t.Helper()
	w.until("end of the job", func() bool {
		var err error
		if job, err = s.Show(w.ctx, w.by, id); err != nil {
			w.t.Fatal(err)
		}
		return job.Status != models.JobQueued && job.Status != models.JobWorking
	})
	return job
}

// noted are the indexes noted, in order.
func (w *world) noted() []int {
	w.t.Helper()
	out := []int{}
	if err := w.db.Raw("SELECT index FROM noted ORDER BY index").Scan(&out).Error; err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.Raw(query, args...).Scan(&n).Error; err != nil {
		w.t.Fatal(err)
	}
	return n
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
