package groups_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/testdb"
)

var clock = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// world is one account with its first admin and group, and the service.
type world struct {
	*groups.Service
	t       testing.TB
	db      *gorm.DB
	account models.Account
	admin   auth.Actor
	support models.Group // the default
}

var subdomains atomic.Int64

func newWorld(t testing.TB, db *gorm.DB) *world {
	t.Helper()
	now := func() time.Time { return clock }
	w := &world{t: t, db: db}
	a := auth.New(db, now)
	queue, err := jobs.New(db, "postgres://nowhere.invalid/", a, now, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Stop(context.Background()) })
	jobs.Handle(queue, jobs.How{}, func(context.Context, groups.Left) error { return nil })
	w.Service = groups.New(db, a, queue, now)
	name := fmt.Sprintf("acme%d", subdomains.Add(1))
	account, admin, err := accounts.Create(t.Context(), db, clock, accounts.New{
		Subdomain: name, Name: "Acme", AdminName: "Ada", AdminEmail: "ada@" + name + ".example",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.admin = account, auth.Actor{AccountID: account.ID, User: admin}
	if err := w.tx().Take(&w.support, `"default"`).Error; err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) ctx() context.Context { return auth.With(context.Background(), w.admin) }

func (w *world) tx() *gorm.DB { return w.db.WithContext(w.ctx()) }

func (w *world) user(role string, change ...func(*models.User)) models.User {
	w.t.Helper()
	u := models.User{
		Name: role, Role: role, Active: true, TimeZone: "UTC", Locale: "en-US", UserFields: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock},
	}
	for _, f := range change {
		f(&u)
	}
	if err := w.tx().Create(&u).Error; err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *world) actor(u models.User) auth.Actor {
	return auth.Actor{AccountID: w.account.ID, User: u}
}

func (w *world) group(name string) models.Group {
	w.t.Helper()
	g, err := w.Create(w.ctx(), w.admin, groups.Change{Name: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) join(u models.User, g models.Group) models.GroupMembership {
	w.t.Helper()
	m, err := w.Join(w.ctx(), w.admin, 0, groups.NewMembership{UserID: u.ID, GroupID: g.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// enqueued are the jobs that follow departures, oldest first.
func (w *world) enqueued() []groups.Left {
	w.t.Helper()
	var args []string
	err := w.db.Raw("SELECT args FROM river_job WHERE kind = ? AND args->>'account_id' = ? ORDER BY id",
		groups.Left{}.Kind(), fmt.Sprint(w.account.ID)).Scan(&args).Error
	if err != nil {
		w.t.Fatal(err)
	}
	out := make([]groups.Left, len(args))
	for i, text := range args {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// defaults are the groups of a user's default memberships, and the one that
// the user's own record names.
func (w *world) defaults(u models.User) (memberships []int64, own *int64) {
	w.t.Helper()
	err := w.tx().Model(&models.GroupMembership{}).Where(`user_id = ? AND "default"`, u.ID).Pluck("group_id", &memberships).Error
	if err == nil {
		err = w.tx().Take(&u, "id = ?", u.ID).Error
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return memberships, u.DefaultGroupID
}

func (w *world) version() int64 {
	w.t.Helper()
	var a models.Account
	if err := w.tx().Take(&a, "id = ?", w.account.ID).Error; err != nil {
		w.t.Fatal(err)
	}
	return a.ConfigVersion
}

// wrong fails the test unless err blames the field with the code.
func wrong(t *testing.T, err error, field, code string) {
	t.Helper()
	e := fault.Of(err)
	if e == nil || len(e.Details[field]) == 0 || e.Details[field][0].Code != code {
		t.Errorf("error %v, want %s of %s", err, code, field)
	}
}

func is(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error %v, want a fault of kind %d", err, kind)
	}
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func names(list []models.Group) []string {
	out := []string{}
	for _, g := range list {
		out = append(out, g.Name)
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	before := w.version()
	g, err := w.Create(w.ctx(), w.admin, groups.Change{Name: ptr(" Tier 2 "), Description: nullable.NewNullableWithValue("hard ones"), IsPublic: ptr(false)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Show(w.ctx(), w.admin, g.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, []any{got.Name, got.Description, got.IsPublic, got.Default, got.Deleted}, []any{"Tier 2", "hard ones", false, false, false})
	if w.version() == before {
		t.Error("the account's set-up is still the old one")
	}
	w.group("Tier 2") // names may be the same
	_, err = w.Create(w.ctx(), w.admin, groups.Change{Name: ptr(" ")})
	wrong(t, err, "name", fault.CodeBlank)
	_, err = w.Create(w.ctx(), w.admin, groups.Change{Name: ptr(strings.Repeat("x", 256))})
	wrong(t, err, "name", fault.CodeTooLong)
	_, err = w.Create(w.ctx(), w.actor(w.user(models.RoleAgent)), groups.Change{Name: ptr("x")})
	is(t, err, fault.Forbidden)
}

func TestUniqueNamesWhereTheAccountWantsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t))
	settings, err := accounts.ReadSettings(w.account.Settings)
	if err != nil {
		t.Fatal(err)
	}
	settings.Groups.UniqueNames = true
	if err := w.tx().Model(&w.account).Update("settings", models.ToJSON(settings)).Error; err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.Create(w.ctx(), w.admin, groups.Change{Name: ptr("tier 2")}) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		wrong(t, err, "name", fault.CodeDuplicate)
	}
	same(t, made, 1)
	_, err = w.Update(w.ctx(), w.admin, w.support.ID, groups.Change{Name: ptr("TIER 2")})
	wrong(t, err, "name", fault.CodeDuplicate)
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	g := w.group("Tier 2")
	got, err := w.Update(w.ctx(), w.admin, g.ID, groups.Change{Name: ptr("Tier 3"), IsPublic: ptr(false)})
	same(t, []any{got.Name, got.IsPublic, err}, []any{"Tier 3", false, nil})
	got, err = w.Update(w.ctx(), w.admin, g.ID, groups.Change{Description: nullable.NewNullNullable[string](), IsPublic: ptr(false)})
	same(t, []any{got.Name, got.Description, err}, []any{"Tier 3", "", nil})
	_, err = w.Update(w.ctx(), w.admin, g.ID, groups.Change{IsPublic: ptr(true)})
	wrong(t, err, "is_public", fault.CodeInvalid)
	_, err = w.Update(w.ctx(), w.admin, g.ID, groups.Change{Name: ptr("")})
	wrong(t, err, "name", fault.CodeBlank)
	_, err = w.Update(w.ctx(), w.admin, 404, groups.Change{})
	is(t, err, fault.NotFound)
	_, err = w.Update(w.ctx(), w.actor(w.user(models.RoleAgent)), g.ID, groups.Change{})
	is(t, err, fault.Forbidden)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	g, third, second := w.group("Tier 2"), w.group("Tier 3"), w.group("Tier 4")
	u := w.user(models.RoleAgent)
	w.join(u, g)
	w.join(u, second)
	w.join(u, third)
	if err := w.Delete(w.ctx(), w.admin, g.ID); err != nil {
		t.Fatal(err)
	}
	memberships, own := w.defaults(u)
	same(t, memberships, []int64{second.ID}) // the oldest other
	same(t, *own, second.ID)
	same(t, w.enqueued(), []groups.Left{{AccountID: w.account.ID, GroupID: g.ID}})
	got, err := w.Show(w.ctx(), w.admin, g.ID)
	same(t, []any{got.Deleted, err}, []any{true, nil})
	is(t, w.Delete(w.ctx(), w.admin, g.ID), fault.NotFound)
	wrong(t, w.Delete(w.ctx(), w.admin, w.support.ID), "base", fault.CodeInvalid)
	is(t, w.Delete(w.ctx(), w.actor(u), second.ID), fault.Forbidden)
}

func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	private := w.group("Board")
	if _, err := w.Update(w.ctx(), w.admin, private.ID, groups.Change{IsPublic: ptr(false)}); err != nil {
		t.Fatal(err)
	}
	gone := w.group("Abuse")
	same(t, w.Delete(w.ctx(), w.admin, gone.ID), nil)
	w.group("Tier 2")
	u := w.user(models.RoleAgent)
	w.join(u, w.support)
	by := w.actor(u)
	list := func(by auth.Actor, f groups.Filter) []string {
		t.Helper()
		r, err := w.List(w.ctx(), by, f, page.First(10))
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := w.Count(w.ctx(), by, f)
		if err != nil || n != len(r.Items) {
			t.Errorf("counted %d of %d: %v", n, len(r.Items), err)
		}
		return names(r.Items)
	}
	same(t, list(by, groups.Filter{}), []string{"Board", w.support.Name, "Tier 2"})
	same(t, list(by, groups.Filter{Deleted: true}), []string{"Abuse", "Board", w.support.Name, "Tier 2"})
	same(t, list(by, groups.Filter{Assignable: true}), []string{w.support.Name, "Tier 2"})
	same(t, list(w.admin, groups.Filter{Assignable: true}), []string{"Board", w.support.Name, "Tier 2"})
	same(t, list(by, groups.Filter{UserID: u.ID}), []string{w.support.Name})
	w.join(u, private)
	same(t, list(by, groups.Filter{Assignable: true}), []string{"Board", w.support.Name, "Tier 2"})

	_, err := w.List(w.ctx(), by, groups.Filter{UserID: 404}, page.First(10))
	is(t, err, fault.NotFound)
	_, err = w.List(w.ctx(), w.actor(w.user(models.RoleEndUser)), groups.Filter{}, page.First(10))
	is(t, err, fault.Forbidden)
	ids, err := w.MemberIDs(w.ctx(), by, []int64{w.support.ID, private.ID})
	same(t, []any{ids, err}, []any{[]int64{w.admin.ID(), u.ID}, nil})
}

func TestAnotherAccountSeesNothing(t *testing.T) {
	t.Parallel()
	db := testdb.Tx(t)
	w, other := newWorld(t, db), newWorld(t, db)
	g := w.group("Tier 2")
	m := w.join(w.user(models.RoleAgent), g)
	ctx, by := other.ctx(), other.admin
	_, err := other.Show(ctx, by, g.ID)
	is(t, err, fault.NotFound)
	_, err = other.Update(ctx, by, g.ID, groups.Change{Name: ptr("x")})
	is(t, err, fault.NotFound)
	is(t, other.Delete(ctx, by, g.ID), fault.NotFound)
	_, err = other.Membership(ctx, by, 0, m.ID)
	is(t, err, fault.NotFound)
	is(t, other.Leave(ctx, by, 0, m.ID), fault.NotFound)
	_, err = other.MakeDefault(ctx, by, m.UserID, m.ID)
	is(t, err, fault.NotFound)
	_, err = other.Join(ctx, by, 0, groups.NewMembership{UserID: by.ID(), GroupID: g.ID})
	wrong(t, err, "group_id", fault.CodeInvalid)
	_, err = other.Join(ctx, by, 0, groups.NewMembership{UserID: m.UserID, GroupID: other.support.ID})
	wrong(t, err, "user_id", fault.CodeInvalid)
	r, _ := other.List(ctx, by, groups.Filter{Deleted: true}, page.First(10))
	same(t, names(r.Items), []string{other.support.Name})
	all, _ := other.Memberships(ctx, by, groups.Of{}, page.First(10))
	same(t, len(all.Items), 1) // its own admin's
}
