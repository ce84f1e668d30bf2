package tickets

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/testdb"
	"github.com/helpd/helpd/server/users"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a fresh account: its admin Ada, an agent Gus and an end user Ann.
type world struct {
	*testing.T
	*Service
	db      *gorm.DB
	ctx     context.Context
	admin   auth.Actor
	gus     auth.Actor
	ann     auth.Actor
	group   int64 // the default one, of Ada and Gus
	elapsed *atomic.Int64
}

// now is a clock that tests move with tick.
func (w *world) now() time.Time { return noon.Add(time.Duration(w.elapsed.Load())) }

func (w *world) tick(d time.Duration) { w.elapsed.Add(int64(d)) }

func newWorld(t *testing.T) *world { t.Helper(); return newWorldOn(t, testdb.Tx(t)) }

func newWorldOn(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	account, admin, err := accounts.Create(t.Context(), db, noon, accounts.New{
		Subdomain: strings.ToLower(rand.Text()), Name: "Acme", AdminName: "Ada", AdminEmail: "ada@acme.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, db: db, elapsed: new(atomic.Int64)}
	config, files := fields.New(db, w.now, nil), attachments.New(db, nil, w.now, attachments.Options{})
	w.Service = New(db, config, users.New(db, auth.New(db, w.now), config, w.now), files, rulebook.New(db, config, files, w.now), sla.New(db, config, w.now), w.now)
	w.admin = auth.Actor{AccountID: account.ID, User: admin, Via: "token"}
	w.group = *admin.DefaultGroupID
	w.admin.GroupIDs = []int64{w.group}
	w.ctx = auth.With(t.Context(), w.admin)
	w.gus, w.ann = w.user("Gus", "agent"), w.user("Ann", "end-user")
	return w
}

// user makes a user whose address is his name at acme.test. An agent is in the
// account's default group.
func (w *world) user(name, role string, more ...func(*users.Change)) auth.Actor {
	w.Helper()
	c := users.Change{Name: &name, Role: &role, Email: some(strings.ToLower(name) + "@acme.test")}
	for _, f := range more {
		f(&c)
	}
	u, err := w.users.Create(w.ctx, w.admin, c)
	if err != nil {
		w.Fatal(err)
	}
	a, err := auth.New(w.db, w.now).Actor(w.ctx, w.admin.AccountID, u.ID, "token")
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) newGroup(name string, members ...auth.Actor) int64 {
	w.Helper()
	stamps := models.Stamps{CreatedAt: noon, UpdatedAt: noon}
	g := models.Group{Name: name, Stamps: stamps}
	w.row(&g)
	for _, m := range members {
		w.row(&models.GroupMembership{GroupID: g.ID, UserID: m.ID(), Stamps: stamps})
	}
	return g.ID
}

func (w *world) organization(name string, members ...auth.Actor) int64 {
	w.Helper()
	stamps := models.Stamps{CreatedAt: noon, UpdatedAt: noon}
	o := models.Organization{Name: name, OrganizationFields: models.JSON("{}"), Stamps: stamps}
	w.row(&o)
	for _, m := range members {
		w.row(&models.OrganizationMembership{OrganizationID: o.ID, UserID: m.ID(), Stamps: stamps})
	}
	return o.ID
}

func (w *world) row(row any) {
	w.Helper()
	if err := w.db.WithContext(w.ctx).Create(row).Error; err != nil {
		w.Fatal(err)
	}
}

func some[T any](v T) nullable.Nullable[T] { return nullable.NewNullableWithValue(v) }

func none[T any]() nullable.Nullable[T] { return nullable.NewNullNullable[T]() }

// says is a comment; public unless told otherwise.
func says(body string, public ...bool) *NewComment {
	c := &NewComment{Body: body}
	if len(public) > 0 {
		c.Public = &public[0]
	}
	return c
}

// ticket makes a ticket of Ann's, with a first comment unless c has one.
func (w *world) ticket(c Change) models.Ticket {
	w.Helper()
	if c.Comment == nil {
		c.Comment = says("It smokes.")
	}
	if !c.RequesterID.IsSpecified() && c.Requester == nil {
		c.RequesterID = some(w.ann.ID())
	}
	saved, err := w.Create(w.ctx, w.admin, c)
	if err != nil {
		w.Fatal(err)
	}
	return saved.Ticket
}

func (w *world) change(id int64, c Change) models.Ticket {
	w.Helper()
	saved, err := w.Update(w.ctx, w.admin, id, c)
	if err != nil {
		w.Fatal(err)
	}
	return saved.Ticket
}

func (w *world) exec(statement string, args ...any) {
	w.Helper()
	if err := w.db.WithContext(w.ctx).Exec(statement, args...).Error; err != nil {
		w.Fatal(err)
	}
}

// scan reads one row of raw SQL.
func (w *world) scan(dest any, query string, args ...any) {
	w.Helper()
	if err := w.db.WithContext(w.ctx).Raw(query, args...).Row().Scan(dest); err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(query string, args ...any) int {
	w.Helper()
	var n int
	w.scan(&n, query, args...)
	return n
}

// refused checks that err is a fault of the kind that says text.
func (w *world) refused(err error, kind fault.Kind, text string) {
	w.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) {
		w.Errorf("the error is %v and should be of kind %d and say %q", err, kind, text)
	}
}
