package organizations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/testdb"
)

var clock = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// world is one account and the service on its database.
type world struct {
	*organizations.Service
	t       testing.TB
	db      *gorm.DB
	account int64
	admin   auth.Actor
}

var subdomains atomic.Int64

func newWorld(t testing.TB, db *gorm.DB) *world {
	now := func() time.Time { return clock }
	w := &world{t: t, db: db}
	a := auth.New(db, now)
	queue, err := jobs.New(db, "postgres://nowhere.invalid/", a, now, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Stop(context.Background()) })
	jobs.Handle(queue, jobs.How{}, func(context.Context, organizations.Left) error { return nil })
	w.Service = organizations.New(db, a, fields.New(db, now, nil), queue, now)
	err = db.Raw(`INSERT INTO accounts (subdomain, name, time_zone, settings, config_version, created_at, updated_at)
		VALUES (?, 'Acme', 'UTC', '{}', 1, ?, ?) RETURNING id`, fmt.Sprintf("acme%d", subdomains.Add(1)), clock, clock).Row().Scan(&w.account)
	if err != nil {
		t.Fatal(err)
	}
	w.admin = w.actor(w.user(models.RoleAdmin))
	return w
}

func (w *world) user(role string) models.User {
	w.t.Helper()
	u := models.User{
		Name: role, Role: role, Active: true, TimeZone: "UTC", Locale: "en-US", UserFields: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock},
	}
	if err := w.db.WithContext(w.ctx()).Create(&u).Error; err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *world) actor(u models.User) auth.Actor { return auth.Actor{AccountID: w.account, User: u} }

func (w *world) ctx() context.Context {
	return auth.With(context.Background(), auth.Actor{AccountID: w.account})
}

func (w *world) organization(name string) models.Organization {
	w.t.Helper()
	return w.create(organizations.Change{Name: &name})
}

func (w *world) create(c organizations.Change) models.Organization {
	w.t.Helper()
	o, err := w.Create(w.ctx(), w.admin, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// enqueued are the jobs that follow departures, oldest first.
func (w *world) enqueued() []organizations.Left {
	w.t.Helper()
	var args []string
	err := w.db.Raw("SELECT args FROM river_job WHERE kind = ? AND args->>'account_id' = ? ORDER BY id",
		organizations.Left{}.Kind(), fmt.Sprint(w.account)).Scan(&args).Error
	if err != nil {
		w.t.Fatal(err)
	}
	out := make([]organizations.Left, len(args))
	for i, text := range args {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// events are the types of events of a subject, oldest first.
func (w *world) events(subject string) []string {
	w.t.Helper()
	var out []string
	if err := w.db.Raw("SELECT type FROM events WHERE account_id = ? AND subject = ? ORDER BY id", w.account, subject).Scan(&out).Error; err != nil {
		w.t.Fatal(err)
	}
	return out
}

func text(s string) nullable.Nullable[string] { return nullable.NewNullableWithValue(s) }

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

func names(list []models.Organization) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, o.Name)
	}
	return out
}

func TestCreateKeepsWhatWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	name, yes := "  Globex ", true
	made := w.create(organizations.Change{
		Name: &name, SharedTickets: &yes, ExternalID: text(" G-1 "), Details: text("Big"), Notes: text("Nice"),
		DomainNames: []string{"Globex.COM, globex.org", "globex.com", "sales@globex.net"}, Tags: []string{"VIP", "vip", "eu"},
	})
	o, err := w.Show(w.ctx(), w.admin, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, o.Name, "Globex")
	same(t, *o.ExternalID, "G-1")
	same(t, []string(o.DomainNames), []string{"globex.com", "globex.org", "sales@globex.net"})
	same(t, []string(o.Tags), []string{"vip", "eu"})
	same(t, string(o.OrganizationFields), "{}")
	same(t, []bool{o.SharedTickets, o.SharedComments}, []bool{true, false})
	same(t, w.events(fmt.Sprintf("zen:organization:%d", o.ID)), []string{"zen:event-type:organization.created"})
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	w.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1")})
	long := string(make([]rune, 0))
	for range 256 {
		long += "ü"
	}
	for _, tc := range []struct {
		name, field, code string
		c                 organizations.Change
	}{
		{"no name", "name", fault.CodeBlank, organizations.Change{}},
		{"blank name", "name", fault.CodeBlank, organizations.Change{Name: ptr("  \t")}},
		{"long name", "name", fault.CodeTooLong, organizations.Change{Name: &long}},
		{"taken name", "name", fault.CodeDuplicate, organizations.Change{Name: ptr(" gLOBEX ")}},
		{"taken external id", "external_id", fault.CodeDuplicate, organizations.Change{Name: ptr("Other"), ExternalID: text("G1")}},
		{"no such group", "group_id", fault.CodeInvalid, organizations.Change{Name: ptr("Other"), GroupID: nullable.NewNullableWithValue[int64](404)}},
		{"no domain", "domain_names", fault.CodeFormat, organizations.Change{Name: ptr("Other"), DomainNames: []string{"a..b"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := w.Create(w.ctx(), w.admin, tc.c)
			wrong(t, err, tc.field, tc.code)
		})
	}
}

func TestManyWithoutExternalID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	a := w.create(organizations.Change{Name: ptr("A"), ExternalID: text("")})
	b := w.create(organizations.Change{Name: ptr("B"), ExternalID: text(" ")})
	if a.ExternalID != nil || b.ExternalID != nil {
		t.Errorf("external ids %v and %v, want none", a.ExternalID, b.ExternalID)
	}
}

func TestOneOfManyGetsTheName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t))
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.Create(w.ctx(), w.admin, organizations.Change{Name: ptr("Globex")}) })
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
}

func TestCreateOrUpdateOfOneExternalIDMakesOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t))
	var wg sync.WaitGroup
	var made atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			_, created, err := w.CreateOrUpdate(w.ctx(), w.admin, 0, organizations.Change{Name: ptr(fmt.Sprint("Globex ", i)), ExternalID: text("g1")})
			if err != nil {
				t.Error(err)
			}
			if created {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	same(t, made.Load(), 1)
	n, _, err := w.Count(w.ctx(), w.admin)
	same(t, n, 1)
	same(t, err, nil)
}

func TestCreateOrUpdateMatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o := w.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1")})

	got, created, err := w.CreateOrUpdate(w.ctx(), w.admin, o.ID, organizations.Change{Notes: text("by id")})
	if err != nil || created || got.ID != o.ID || *got.Notes != "by id" {
		t.Errorf("by id: %v %v %v", got, created, err)
	}
	got, created, err = w.CreateOrUpdate(w.ctx(), w.admin, 0, organizations.Change{ExternalID: text("G1"), Name: ptr("Globex Inc")})
	if err != nil || created || got.ID != o.ID || got.Name != "Globex Inc" {
		t.Errorf("by external id: %v %v %v", got, created, err)
	}
	// The name does not match: it is only taken.
	_, created, err = w.CreateOrUpdate(w.ctx(), w.admin, 0, organizations.Change{Name: ptr("globex inc")})
	wrong(t, err, "name", fault.CodeDuplicate)
	same(t, created, false)
	_, _, err = w.CreateOrUpdate(w.ctx(), w.admin, 404, organizations.Change{Name: ptr("X")})
	is(t, err, fault.NotFound)
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o := w.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1"), Notes: text("n"), Tags: []string{"a", "b"}})
	w.organization("Initech")
	agent := w.actor(w.user(models.RoleAgent))

	got, err := w.Update(w.ctx(), w.admin, o.ID, organizations.Change{
		Name: ptr("GLOBEX"), ExternalID: nullable.NewNullNullable[string](), Tags: []string{"b", "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Name, "GLOBEX")
	same(t, got.ExternalID, nil)
	same(t, *got.Notes, "n")
	same(t, []string(got.Tags), []string{"b", "c"})
	prefix := "zen:event-type:organization."
	same(t, w.events(fmt.Sprintf("zen:organization:%d", o.ID)),
		[]string{prefix + "created", prefix + "name_changed", prefix + "external_id_changed", prefix + "tags_changed"})
	var change string
	if err := w.db.Raw("SELECT change::jsonb::text FROM events WHERE account_id = ? AND type = ?", w.account, prefix+"tags_changed").Row().Scan(&change); err != nil {
		t.Fatal(err)
	}
	same(t, change, `{"added": {"tags": ["c"]}, "removed": {"tags": ["a"]}}`)

	_, err = w.Update(w.ctx(), w.admin, o.ID, organizations.Change{Name: ptr("initech ")})
	wrong(t, err, "name", fault.CodeDuplicate)
	_, err = w.Update(w.ctx(), w.admin, 404, organizations.Change{Name: ptr("X")})
	is(t, err, fault.NotFound)

	// An agent may send the whole back with other notes, and nothing else.
	got, err = w.Update(w.ctx(), agent, o.ID, organizations.Change{Name: ptr("GLOBEX"), Notes: text("called")})
	if err != nil || *got.Notes != "called" {
		t.Errorf("an agent's notes: %v %v", got, err)
	}
	_, err = w.Update(w.ctx(), agent, o.ID, organizations.Change{Name: ptr("Mine"), Notes: text("x")})
	is(t, err, fault.Forbidden)
}

func TestDeletedGroupStaysUntilChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	g := models.Group{Name: "Support", Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock}}
	if err := w.db.WithContext(w.ctx()).Create(&g).Error; err != nil {
		t.Fatal(err)
	}
	o := w.create(organizations.Change{Name: ptr("Globex"), GroupID: nullable.NewNullableWithValue(g.ID)})
	if err := w.db.WithContext(w.ctx()).Model(&g).Update("deleted", true).Error; err != nil {
		t.Fatal(err)
	}
	if _, err := w.Update(w.ctx(), w.admin, o.ID, organizations.Change{Notes: text("x"), GroupID: nullable.NewNullableWithValue(g.ID)}); err != nil {
		t.Errorf("the group it has: %v", err)
	}
	_, err := w.Create(w.ctx(), w.admin, organizations.Change{Name: ptr("Initech"), GroupID: nullable.NewNullableWithValue(g.ID)})
	wrong(t, err, "group_id", fault.CodeInvalid)
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o := w.create(organizations.Change{Name: ptr("Globex"), Tags: []string{"a"}})
	agent := w.actor(w.user(models.RoleAgent))

	got, err := w.AddTags(w.ctx(), w.admin, o.ID, []string{"B", "a"})
	same(t, got, []string{"a", "b"})
	same(t, err, nil)
	got, _ = w.RemoveTags(w.ctx(), w.admin, o.ID, []string{"A", "z"})
	same(t, got, []string{"b"})
	got, _ = w.SetTags(w.ctx(), w.admin, o.ID, []string{})
	same(t, got, []string{})
	_, _ = w.SetTags(w.ctx(), w.admin, o.ID, []string{"x"})
	got, err = w.Tags(w.ctx(), agent, o.ID)
	same(t, got, []string{"x"})
	same(t, err, nil)
	_, err = w.AddTags(w.ctx(), agent, o.ID, []string{"y"})
	is(t, err, fault.Forbidden)
	_, err = w.SetTags(w.ctx(), w.admin, 404, []string{"y"})
	is(t, err, fault.NotFound)
}

func TestListPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	for _, n := range []string{"C", "A", "B"} {
		w.organization(n)
	}
	r, err := w.List(w.ctx(), w.admin, page.First(2))
	if err != nil {
		t.Fatal(err)
	}
	same(t, names(r.Items), []string{"C", "A"})
	same(t, r.HasMore, true)
	r, _ = w.List(w.ctx(), w.admin, page.Request{Cursor: true, Size: 2, After: r.After})
	same(t, names(r.Items), []string{"B"})
	r, _ = w.List(w.ctx(), w.admin, page.Request{Size: 2, Number: 2})
	same(t, names(r.Items), []string{"B"})
	same(t, r.Count, 3)
}

func TestFinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	a := w.create(organizations.Change{Name: ptr("Über AG"), ExternalID: text("U_1")})
	b := w.create(organizations.Change{Name: ptr("über 100%"), ExternalID: text("Ux1")})
	all := page.Request{Size: 100, Number: 1}

	r, err := w.Search(w.ctx(), w.admin, "u_1", "", all)
	same(t, names(r.Items), []string{"Über AG"})
	same(t, err, nil)
	r, _ = w.Search(w.ctx(), w.admin, "", "ÜBER ag", all)
	same(t, names(r.Items), []string{"Über AG"})
	r, _ = w.Search(w.ctx(), w.admin, "u_1", "other", all)
	same(t, names(r.Items), []string{})
	_, err = w.Search(w.ctx(), w.admin, "", " ", all)
	is(t, err, fault.BadAttribute)

	r, _ = w.Autocomplete(w.ctx(), w.admin, "ÜB", fields.Lookup{}, all)
	same(t, names(r.Items), []string{"über 100%", "Über AG"})
	r, _ = w.Autocomplete(w.ctx(), w.admin, "über 100%", fields.Lookup{}, all)
	same(t, names(r.Items), []string{"über 100%"})
	r, _ = w.Autocomplete(w.ctx(), w.admin, "_", fields.Lookup{}, all)
	same(t, names(r.Items), []string{})
	_, err = w.Autocomplete(w.ctx(), w.admin, "", fields.Lookup{}, all)
	is(t, err, fault.BadAttribute)

	many, err := w.ShowMany(w.ctx(), w.admin, []int64{b.ID, 404, a.ID, a.ID}, nil)
	same(t, names(many), []string{"Über AG", "über 100%"})
	same(t, err, nil)
	many, _ = w.ShowMany(w.ctx(), w.admin, nil, []string{"u_1", "nope"})
	same(t, names(many), []string{"Über AG"})
	_, err = w.ShowMany(w.ctx(), w.admin, make([]int64, 101), nil)
	is(t, err, fault.TooMany)
}

func TestWhoMayRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o, other := w.organization("Globex"), w.organization("Initech")
	endUser := w.user(models.RoleEndUser)
	own := models.RestrictOrganization
	held := w.user(models.RoleAgent)
	held.TicketRestriction = &own
	w.join(held, o)
	w.join(endUser, o)
	actor := w.actor(held)

	_, err := w.List(w.ctx(), w.actor(endUser), page.First(10))
	is(t, err, fault.Forbidden)
	_, err = w.Show(w.ctx(), w.actor(endUser), o.ID)
	is(t, err, fault.Forbidden)
	_, err = w.Create(w.ctx(), w.actor(endUser), organizations.Change{Name: ptr("X")})
	is(t, err, fault.Forbidden)
	_, err = w.Update(w.ctx(), w.actor(endUser), o.ID, organizations.Change{Notes: text("X")})
	is(t, err, fault.Forbidden)
	is(t, w.Delete(w.ctx(), w.actor(endUser), o.ID), fault.Forbidden)

	_, err = w.List(w.ctx(), actor, page.First(10))
	is(t, err, fault.Forbidden)
	_, err = w.Show(w.ctx(), actor, o.ID)
	same(t, err, nil)
	_, err = w.Show(w.ctx(), actor, other.ID)
	is(t, err, fault.NotFound)
	_, err = w.Update(w.ctx(), actor, other.ID, organizations.Change{Notes: text("X")})
	is(t, err, fault.NotFound)
}

func TestAnotherAccountSeesNothing(t *testing.T) {
	t.Parallel()
	db := testdb.Tx(t)
	w, other := newWorld(t, db), newWorld(t, db)
	o := w.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1")})
	m := w.join(w.user(models.RoleEndUser), o)
	ctx, by := other.ctx(), other.admin

	_, err := other.Show(ctx, by, o.ID)
	is(t, err, fault.NotFound)
	_, err = other.Update(ctx, by, o.ID, organizations.Change{Name: ptr("X")})
	is(t, err, fault.NotFound)
	is(t, other.Delete(ctx, by, o.ID), fault.NotFound)
	_, err = other.CountUsers(ctx, by, o.ID)
	is(t, err, fault.NotFound)
	_, err = other.Membership(ctx, by, 0, m.ID)
	is(t, err, fault.NotFound)
	is(t, other.Leave(ctx, by, 0, m.ID), fault.NotFound)
	_, err = other.OfUser(ctx, by, m.UserID, page.First(10))
	is(t, err, fault.NotFound)
	_, err = other.Join(ctx, by, 0, organizations.NewMembership{UserID: by.ID(), OrganizationID: o.ID})
	wrong(t, err, "organization_id", fault.CodeInvalid)
	n, _, _ := other.Count(ctx, by)
	same(t, n, 0)
	list, _ := other.Memberships(ctx, by, organizations.Of{}, page.First(10))
	same(t, len(list.Items), 0)
	other.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1")}) // both are free here
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o, second, third := w.create(organizations.Change{Name: ptr("Globex"), ExternalID: text("g1")}), w.organization("Initech"), w.organization("Umbrella")
	only, both := w.user(models.RoleEndUser), w.user(models.RoleEndUser)
	w.join(only, o)
	w.join(both, o)
	w.join(both, third)
	w.join(both, second)

	agent := w.actor(w.user(models.RoleAgent))
	is(t, w.Delete(w.ctx(), agent, o.ID), fault.Forbidden)
	if err := w.Delete(w.ctx(), w.admin, o.ID); err != nil {
		t.Fatal(err)
	}
	_, err := w.Show(w.ctx(), w.admin, o.ID)
	is(t, err, fault.NotFound)
	is(t, w.Delete(w.ctx(), w.admin, o.ID), fault.NotFound)
	// Nothing is shown of it, though its members are not told yet.
	_, err = w.Memberships(w.ctx(), w.admin, organizations.Of{OrganizationID: o.ID}, page.First(10))
	is(t, err, fault.NotFound)
	if list, err := w.Memberships(w.ctx(), w.admin, organizations.Of{UserID: only.ID}, page.First(10)); err != nil || len(list.Items) > 0 {
		t.Errorf("memberships of the deleted: %v, %v", list.Items, err)
	}
	if err := w.Dissolve(w.ctx(), w.admin, o.ID); err != nil {
		t.Fatal(err)
	}
	same(t, w.organizationOf(only), nil)
	same(t, *w.organizationOf(both), third.ID) // joined before the second
	same(t, w.defaults(both), []int64{third.ID})
	same(t, w.enqueued(), []organizations.Left{{AccountID: w.account, OrganizationID: o.ID}})
	same(t, w.events(fmt.Sprint("zen:organization:", o.ID))[1], "zen:event-type:organization.deleted")
	same(t, w.events(fmt.Sprint("zen:user:", only.ID))[1], "zen:event-type:user.organization_membership_deleted")
	w.create(organizations.Change{Name: ptr("globex"), ExternalID: text("G1")}) // free again
}

func TestCountOfActiveMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o := w.organization("Globex")
	u := w.user(models.RoleEndUser)
	w.join(u, o)
	gone := w.user(models.RoleEndUser)
	w.join(gone, o)
	if err := w.db.WithContext(w.ctx()).Model(&gone).Update("active", false).Error; err != nil {
		t.Fatal(err)
	}
	got, err := w.CountUsers(w.ctx(), w.admin, o.ID)
	same(t, got, 1)
	same(t, err, nil)
}

func ptr[T any](v T) *T { return &v }
