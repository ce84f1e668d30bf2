package users

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a fresh account with its admin, and an agent and an end user.
type world struct {
	*testing.T
	*Service
	tx    *gorm.DB
	ctx   context.Context // of the admin
	admin auth.Actor
	agent auth.Actor
	ann   models.User // an end user
	group int64       // the default one
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, testdb.Tx(t))
}

func newWorldOn(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	account, admin, err := accounts.Create(t.Context(), db, noon, accounts.New{
		Subdomain: strings.ToLower(rand.Text()), Name: "Acme", TimeZone: "Europe/Berlin", AdminName: "Ada", AdminEmail: "ada@acme.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, tx: db}
	now := func() time.Time { return noon }
	w.Service = New(db, auth.New(db, now), fields.New(db, now, nil), now)
	w.admin = auth.Actor{AccountID: account.ID, User: admin, Via: "token"}
	w.ctx = auth.With(t.Context(), w.admin)
	w.group = *admin.DefaultGroupID
	w.agent = w.as(w.create(Change{Name: new("Gus"), Email: str("gus@acme.test"), Role: new("agent")}))
	w.ann = w.create(Change{Name: new("Ann"), Email: str("ann@example.com")})
	return w
}

func str(s string) nullable.Nullable[string] { return nullable.NewNullableWithValue(s) }
func num(n int64) nullable.Nullable[int64]   { return nullable.NewNullableWithValue(n) }
func flag(b bool) nullable.Nullable[bool]    { return nullable.NewNullableWithValue(b) }

func (w *world) as(u models.User) auth.Actor {
	return auth.Actor{AccountID: w.admin.AccountID, User: u, Via: "token"}
}

// create makes a user as the admin.
func (w *world) create(c Change) models.User {
	w.Helper()
	u, err := w.Create(w.ctx, w.admin, c)
	if err != nil {
		w.Fatal(err)
	}
	return u
}

func (w *world) update(id int64, c Change) models.User {
	w.Helper()
	u, err := w.Update(w.ctx, w.admin, id, c)
	if err != nil {
		w.Fatal(err)
	}
	return u
}

func (w *world) organization(name string, domains ...string) int64 {
	w.Helper()
	o := models.Organization{
		Name: name, DomainNames: domains, OrganizationFields: models.JSON("{}"), Stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon},
	}
	if err := w.tx.WithContext(w.ctx).Create(&o).Error; err != nil {
		w.Fatal(err)
	}
	return o.ID
}

// ticket makes a ticket with this status; assignee 0 is nobody.
func (w *world) ticket(requester, assignee int64, status string) {
	w.Helper()
	ticket := models.Ticket{
		Status: status, RequesterID: requester, SubmitterID: requester, Via: models.JSON("{}"), CustomFields: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon}, GeneratedAt: noon,
	}
	if assignee != 0 {
		ticket.AssigneeID = &assignee
	}
	var n int64
	if err := w.tx.Raw("SELECT next_ticket_id(?)", w.admin.AccountID).Row().Scan(&n); err != nil {
		w.Fatal(err)
	}
	ticket.ID = n
	if err := w.tx.WithContext(w.ctx).Create(&ticket).Error; err != nil {
		w.Fatal(err)
	}
}

// refused checks that err is a fault of the kind that says text.
func (w *world) refused(err error, kind fault.Kind, text string) {
	w.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) {
		w.Errorf("the error is %v and should be of kind %d and say %q", err, kind, text)
	}
}

// happened are the events of a user, oldest first, without their prefix.
func (w *world) happened(id int64) string {
	w.Helper()
	var types []string
	err := w.tx.WithContext(w.ctx).Raw("SELECT type FROM events WHERE account_id = ? AND subject_id = ? ORDER BY id", w.admin.AccountID, id).Scan(&types).Error
	if err != nil {
		w.Fatal(err)
	}
	for i := range types {
		types[i] = strings.TrimPrefix(types[i], "zen:event-type:user.")
	}
	return strings.Join(types, " ")
}

func names(us []models.User) string {
	var out []string
	for _, u := range us {
		out = append(out, u.Name)
	}
	return strings.Join(out, " ")
}
