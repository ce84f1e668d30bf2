package tags_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tags"
	"github.com/helpd/helpd/server/testdb"
)

// cloud is an account whose tags change without tickets.
type cloud struct {
	*testing.T
	*tags.Service
	db *gorm.DB
	by auth.Actor
}

func newCloud(t *testing.T, db *gorm.DB) cloud {
	t.Helper()
	account, admin, err := accounts.Create(t.Context(), db, time.Now(), accounts.New{
		Subdomain: strings.ToLower(rand.Text()), Name: "Acme", AdminEmail: "ada@acme.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return cloud{t, tags.New(db), db, auth.Actor{AccountID: account.ID, User: admin}}
}

// change puts a tag on so many tickets, or off them.
func (c cloud) change(name string, by int) error {
	delta := 1
	if by < 0 {
		by, delta = -by, -1
	}
	for range by {
		err := c.db.Exec("INSERT INTO tag_changes (account_id, name, delta) VALUES (?, ?, ?)", c.by.AccountID, name, delta).Error
		if err != nil {
			return err
		}
	}
	return nil
}

func (c cloud) changes(changes ...any) {
	c.Helper()
	for i := 0; i < len(changes); i += 2 {
		if err := c.change(changes[i].(string), changes[i+1].(int)); err != nil {
			c.Fatal(err)
		}
	}
}

func (c cloud) want(r page.Request, want string) {
	c.Helper()
	list, err := c.List(c.Context(), c.by, r)
	var got []string
	for _, t := range list.Items {
		got = append(got, fmt.Sprint(t.Name, "=", t.Count))
	}
	if s := strings.Join(got, " "); s != want || err != nil {
		c.Errorf("%+v: %s, want %s, %v", r, s, want, err)
	}
}

func TestTagsInUseTheMostUsedFirst(t *testing.T) {
	t.Parallel()
	c := newCloud(t, testdb.Tx(t))
	other := newCloud(t, c.db)
	other.changes("theirs", 9)
	c.changes("a", 1, "b", 3, "日本", 3, "gone", 2, "gone", -2)
	c.want(page.First(10), "b=3 日本=3 a=1")
	c.want(page.Request{Number: 1, Size: 2}, "b=3 日本=3")
	c.changes("a", 5, "b", -3)
	c.want(page.First(10), "a=6 日本=3")
	if n, _, err := c.Count(t.Context(), c.by); n != 2 || err != nil {
		t.Errorf("%d tags, %v", n, err)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	c := newCloud(t, testdb.Tx(t))
	c.changes("beta", 1, "better", 2, "be_t", 1, "be%t", 1, `be\t`, 1, "gone_beta", 1, "bet_gone", 1, "bet_gone", -1)
	for text, want := range map[string]string{
		"bet": "better beta", " BET ": "better beta", "be_": "be_t", "be%": "be%t", `be\`: `be\t`, "xx": "",
	} {
		got, err := c.Complete(t.Context(), c.by, text)
		if strings.Join(got, " ") != want || got == nil || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "b", " b "} {
		if _, err := c.Complete(t.Context(), c.by, text); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCountsAreExactWhileManyFold(t *testing.T) {
	t.Parallel()
	c := newCloud(t, testdb.DB(t))
	var all sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 8 {
		all.Go(func() {
			for range 10 {
				errs <- c.change("common", 1)
				errs <- c.change(fmt.Sprint("tag", i%3), 2)
				errs <- c.change(fmt.Sprint("tag", i%3), -1)
			}
		})
		all.Go(func() {
			for range 5 {
				if i%2 == 0 {
					errs <- c.Fold(t.Context())
					continue
				}
				_, err := c.List(t.Context(), c.by, page.First(10))
				errs <- err
			}
		})
	}
	go func() { all.Wait(); close(errs) }()
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	c.want(page.First(10), "common=80 tag0=30 tag1=30 tag2=20")
	var left int64
	if err := c.db.Raw("SELECT count(*) FROM tag_changes").Row().Scan(&left); err != nil || left != 0 {
		t.Errorf("%d changes are left, %v", left, err)
	}
}
