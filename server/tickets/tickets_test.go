package tickets_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/testdb"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

var _ = slog.Default

type desk struct {
	t       *testing.T
	db      *gorm.DB
	tickets *tickets.Service
	users   *users.Service
	account models.Account
	admin   auth.Actor
	ctx     context.Context
}

var n atomic.Int64

func newDesk(t *testing.T) *desk {
	db := testdb.Shared(t)
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	a := auth.New(db, now)
	f := fields.New(db, now)
	u := users.New(db, a, now)
	name := fmt.Sprintf("t%d-%d", os.Getpid(), n.Add(1))
	account, admin, err := accounts.Create(context.Background(), db, now(), accounts.New{Subdomain: name, Name: "A", AdminName: "Ada", AdminEmail: "ada@" + name + ".example"})
	if err != nil {
		t.Fatal(err)
	}
	actor, err := a.Actor(context.Background(), account.ID, admin.ID, "token")
	if err != nil {
		t.Fatal(err)
	}
	at := attachments.New(db, nil, now, attachments.Options{})
	return &desk{t, db, tickets.New(db, f, u, at, now), u, account, actor, auth.With(context.Background(), actor)}
}
func TestCreate(t *testing.T) {
	d := newDesk(t)
	s, err := d.tickets.Create(d.ctx, d.admin, tickets.Change{Comment: &tickets.NewComment{Body: "Hello https://x.y/z."}, Tags: []string{"A b"}, Requester: &users.Person{Email: "bob@x.example", Name: "Bob"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s.Ticket)
	t.Logf("%s", s.Audit.Events)
	st := "solved"
	s, err = d.tickets.Update(d.ctx, d.admin, s.Ticket.ID, tickets.Change{Status: &st, Comment: &tickets.NewComment{HTML: "<p>Hi<script>x</script></p>"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s.Ticket)
	t.Logf("%s", s.Audit.Events)
}
