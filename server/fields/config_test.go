package fields_test

import (
	"context"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// world is a fresh account in a transaction of the test's own.
type world struct {
	*fields.Service
	tx    *gorm.DB
	ctx   context.Context
	admin auth.Actor
}

func newWorld(t *testing.T) world {
	t.Helper()
	tx := testdb.Tx(t)
	account, admin, err := accounts.Create(t.Context(), tx, now, accounts.New{
		Subdomain: "acme", Name: "Acme", AdminEmail: "root@acme.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	by := auth.Actor{AccountID: account.ID, User: admin}
	ctx := auth.With(context.Background(), by)
	tx = tx.WithContext(ctx)
	return world{Service: fields.New(tx, func() time.Time { return now }, nil), tx: tx, ctx: ctx, admin: by}
}

func (w world) config(t *testing.T) *fields.Config {
	t.Helper()
	c, err := w.Current(w.tx, w.admin.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfigOfAFreshAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.config(t)
	if c.Version != 1 || len(c.Fields) != 8 || len(c.Forms) != 1 || len(c.Statuses) != 5 || len(c.Brands) != 1 || c.DefaultGroupID == 0 {
		t.Fatalf("config %+v", c)
	}
	form, ok := c.DefaultForm()
	if !ok || c.DefaultBrand().Name != "Acme" || !c.Settings.Tickets.StatusHold {
		t.Errorf("form %+v, brand %+v", form, c.DefaultBrand())
	}
	if got := c.DefaultStatus(models.StatusHold); got.AgentLabel != "On-hold" {
		t.Errorf("status of hold is %+v", got)
	}
	if got := c.DefaultStatus(models.StatusClosed); got.StatusCategory != models.StatusSolved {
		t.Errorf("status of closed is %+v", got)
	}
	if st, ok := c.Status(c.DefaultStatus(models.StatusOpen).ID); !ok || st.AgentLabel != "Open" {
		t.Errorf("status open is %+v", st)
	}
	if f, ok := c.SystemField(models.FieldAssignee); !ok || f.Title != "Assignee" {
		t.Errorf("assignee field %+v", f)
	}
}

func TestConfigIsReadAnewAfterABump(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.config(t)
	if again := w.config(t); again != first {
		t.Error("the same version was read twice")
	}
	if err := fields.BumpTx(w.tx, w.admin.AccountID); err != nil {
		t.Fatal(err)
	}
	if next := w.config(t); next == first || next.Version != 2 {
		t.Errorf("version %d", next.Version)
	}
	if err := fields.BumpTx(w.tx, 404); !fault.Is(err, fault.NotFound) {
		t.Errorf("bump of no account: %v", err)
	}
}

func TestConfigOfAnotherAccountIsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, _, err := accounts.Create(w.ctx, w.tx, now, accounts.New{Subdomain: "other", Name: "Other", AdminEmail: "root@other.example"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Current(w.tx.WithContext(postgres.WithAccount(t.Context(), account.ID)), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Fields) != 8 || c.Fields[0].AccountID != account.ID || c.Brands[0].Name != "Other" {
		t.Errorf("config %+v", c)
	}
}
