package idempotency

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// desk is an account in the shared database whose writes add a brand.
type desk struct {
	t   *testing.T
	db  *gorm.DB
	by  auth.Actor
	now time.Time
	*Service
}

func newDesk(t *testing.T) *desk { return newDeskIn(t, testdb.Shared(t)) }

func newDeskIn(t *testing.T, db *gorm.DB) *desk {
	t.Helper()
	d := &desk{t: t, db: db, now: time.Now()}
	d.Service = New(d.db, func() time.Time { return d.now })
	d.by = d.account()
	return d
}

func (d *desk) account() auth.Actor {
	d.t.Helper()
	name := strings.ToLower(rand.Text())
	a := models.Account{Subdomain: name, Name: name, TimeZone: "UTC", Settings: models.JSON("{}"), Stamps: models.Stamps{CreatedAt: d.now, UpdatedAt: d.now}}
	if err := d.db.WithContext(postgres.AcrossAccounts(d.t.Context())).Create(&a).Error; err != nil {
		d.t.Fatal(err)
	}
	return auth.Actor{AccountID: a.ID, User: models.User{Tenant: models.Tenant{AccountID: a.ID, ID: 7}}}
}

func (d *desk) request(key, body string) Request {
	return Request{By: d.by, Key: key, Hash: sha256.Sum256([]byte(body))}
}

// groups counts the groups that writes have added.
func (d *desk) groups() (n int64) {
	d.t.Helper()
	err := d.db.WithContext(postgres.WithAccount(d.t.Context(), d.by.AccountID)).Model(&models.Group{}).Count(&n).Error
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// adding adds a group, in a transaction of its own as domain functions do, and
// answers with the status.
func (d *desk) adding(status int) func(context.Context) (Answer, error) {
	return func(ctx context.Context) (Answer, error) {
		g := models.Group{Name: "Support", Stamps: models.Stamps{CreatedAt: d.now, UpdatedAt: d.now}}
		err := d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return tx.Create(&g).Error })
		return Answer{Status: status, Location: "/groups/1", ContentType: "application/json", Body: fmt.Appendf(nil, `{"id":%d}`, g.ID)}, err
	}
}

func (d *desk) never(context.Context) (Answer, error) {
	d.t.Error("written again")
	return Answer{}, nil
}

func same(a, b Answer) bool {
	return a.Status == b.Status && a.Location == b.Location && a.ContentType == b.ContentType && string(a.Body) == string(b.Body)
}

func TestRepetitionGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, hit, err := d.Do(t.Context(), d.request("k", "a"), d.adding(201))
	if err != nil || hit {
		t.Fatalf("first: hit %v, %v", hit, err)
	}
	again, hit, err := d.Do(t.Context(), d.request("k", "a"), d.never)
	if err != nil || !hit || !same(first, again) {
		t.Errorf("again: hit %v, %v, %+v", hit, err, again)
	}
	if n := d.groups(); n != 1 {
		t.Errorf("%d groups", n)
	}
}

func TestRepetitionsAtOnceWriteOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	// Another process: no memory in common.
	services := []*Service{d.Service, New(d.db, time.Now)}
	var hits, misses atomic.Int32
	bodies := make([]string, 10)
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			a, hit, err := services[i%2].Do(t.Context(), d.request("k", "a"), d.adding(201))
			if err != nil {
				t.Error(err)
			}
			if bodies[i] = string(a.Body); hit {
				hits.Add(1)
			} else {
				misses.Add(1)
			}
		})
	}
	wait.Wait()
	if hits.Load() != 9 || misses.Load() != 1 || d.groups() != 1 {
		t.Errorf("%d hits, %d misses, %d groups", hits.Load(), misses.Load(), d.groups())
	}
	for _, body := range bodies {
		if body != bodies[0] {
			t.Errorf("answers %s and %s", body, bodies[0])
		}
	}
}

func TestKeyWithAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, _, err := d.Do(t.Context(), d.request("k", "a"), d.adding(201)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Do(t.Context(), d.request("k", "b"), d.never); !fault.Is(err, fault.KeyReused) {
		t.Errorf("another request: %v", err)
	}
}

func TestKeysAreTheActorsOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.request("k", "a")
	if _, _, err := d.Do(t.Context(), r, d.adding(201)); err != nil {
		t.Fatal(err)
	}
	r.By.User.ID = 8
	if _, hit, err := d.Do(t.Context(), r, d.adding(201)); err != nil || hit {
		t.Errorf("another user: hit %v, %v", hit, err)
	}
	r.By = d.account()
	if _, hit, err := d.Do(t.Context(), r, d.adding(201)); err != nil || hit {
		t.Errorf("another account: hit %v, %v", hit, err)
	}
}

func TestOnlySuccessIsKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	broken := errors.New("broken")
	for name, write := range map[string]func(context.Context) (Answer, error){
		"refused":    d.adding(422),
		"redirected": d.adding(302),
		"failed": func(ctx context.Context) (Answer, error) {
			a, err := d.adding(201)(ctx)
			return a, errors.Join(err, broken)
		},
	} {
		a, hit, err := d.Do(t.Context(), d.request(name, "a"), write)
		if hit || name == "failed" != errors.Is(err, broken) || name == "refused" && a.Status != 422 {
			t.Errorf("%s: %+v, hit %v, %v", name, a, hit, err)
		}
		if n := d.groups(); n != 0 {
			t.Errorf("%s: %d groups left", name, n)
		}
	}
	// A corrected request may use the key.
	if a, hit, err := d.Do(t.Context(), d.request("refused", "b"), d.adding(201)); err != nil || hit || a.Status != 201 {
		t.Errorf("corrected: %+v, hit %v, %v", a, hit, err)
	}
}

func TestKeyIsFreeAgainAfterAPanic(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	func() {
		defer func() { _ = recover() }()
		_, _, _ = d.Do(t.Context(), d.request("k", "a"), func(ctx context.Context) (Answer, error) {
			_, _ = d.adding(201)(ctx)
			panic("a bug")
		})
	}()
	if n := d.groups(); n != 0 {
		t.Errorf("%d groups left", n)
	}
	if _, hit, err := d.Do(t.Context(), d.request("k", "a"), d.adding(201)); err != nil || hit {
		t.Errorf("hit %v, %v", hit, err)
	}
}

func TestKeyIsKeptForADay(t *testing.T) {
	t.Parallel()
	d := newDeskIn(t, testdb.DB(t)) // Prune would take the keys of other tests
	do := func(body string) (bool, error) {
		_, hit, err := d.Do(t.Context(), d.request("k", body), d.adding(201))
		return hit, err
	}
	if _, err := do("a"); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(Keep - time.Minute)
	if err := d.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hit, err := do("a"); err != nil || !hit {
		t.Errorf("within the day: hit %v, %v", hit, err)
	}
	d.now = d.now.Add(2 * time.Minute)
	if hit, err := do("b"); err != nil || hit {
		t.Errorf("after it: hit %v, %v", hit, err)
	}
	if hit, err := do("b"); err != nil || !hit {
		t.Errorf("the key's second use, repeated: hit %v, %v", hit, err)
	}
	d.now = d.now.Add(Keep + time.Minute)
	if err := d.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := d.db.Raw("SELECT count(*) FROM idempotency_keys").Scan(&left).Error; err != nil || left != 0 {
		t.Errorf("%d keys left, %v", left, err)
	}
}

func TestLongOrBrokenKeyIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, key := range []string{strings.Repeat("ä", 256), "a\x00b", "\xff"} {
		if _, _, err := d.Do(t.Context(), d.request(key, "a"), d.never); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if _, _, err := d.Do(t.Context(), d.request(strings.Repeat("ä", 255), "a"), d.adding(201)); err != nil {
		t.Errorf("255 characters: %v", err)
	}
}
