package fields_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/testdb"
)

func TestManyClaimOneTagAndOneGetsIt(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	account, admin, err := accounts.Create(t.Context(), db, now, accounts.New{Subdomain: "acme", Name: "Acme", AdminEmail: "root@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	by := auth.Actor{AccountID: account.ID, User: admin}
	ctx := auth.With(t.Context(), by)
	s := fields.New(db, func() time.Time { return now }, nil)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			if i%2 == 0 {
				_, errs[i] = s.Create(ctx, by, models.FieldsOfTickets, tagger(fmt.Sprint("Field ", i), "claimed"))
			} else {
				_, errs[i] = s.Create(ctx, by, models.FieldsOfTickets, fields.Change{Type: new(models.FieldCheckbox), Title: new("Box"), Tag: nullable.NewNullableWithValue("claimed")})
			}
			if _, err := s.List(ctx, by, models.FieldsOfTickets); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	}
	c, err := s.SetUp(ctx, by)
	if err != nil {
		t.Fatal(err)
	}
	form, _ := c.DefaultForm()
	if made != 1 || len(c.Fields) != 9 || len(form.TicketFieldIDs) != 9 {
		t.Errorf("%d of the fields were made, %d are there, %d on the form", made, len(c.Fields), len(form.TicketFieldIDs))
	}
}
