package rulebook_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/testdb"
)

var noon = time.Date(2026, 3, 4, 12, 3, 0, 0, time.UTC)

// book is the rules of an account in a transaction of its own.
type book struct {
	*testing.T
	*rulebook.Service
	ctx context.Context
	tx  *gorm.DB
	by  auth.Actor
	now time.Time
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{T: t, tx: testdb.Tx(t), now: noon}
	account, admin, err := accounts.Create(t.Context(), b.tx, noon, accounts.New{Subdomain: "acme", Name: "Acme", AdminEmail: "root@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return b.now }
	b.ctx = postgres.WithAccount(t.Context(), account.ID)
	b.by = auth.Actor{AccountID: account.ID, User: admin}
	b.tx = b.tx.WithContext(b.ctx)
	b.Service = rulebook.New(b.tx, fields.New(b.tx, now, nil), attachments.New(b.tx, nil, now, attachments.Options{}), now)
	return b
}

func (b *book) macro(title string) models.Rule {
	b.Helper()
	r := models.Rule{
		Kind: models.RuleMacro, Title: title, Active: true, Conditions: models.JSON(`{"all":[],"any":[]}`), Actions: models.JSON(`[]`),
		Stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon},
	}
	if err := b.tx.Create(&r).Error; err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *book) use(r models.Rule, ago ...time.Duration) {
	b.Helper()
	for _, d := range ago {
		if err := rulebook.UseTx(b.tx, b.by.AccountID, []int64{r.ID, 404404}, b.now.Add(-d)); err != nil {
			b.Fatal(err)
		}
	}
}

func (b *book) usage(rules ...models.Rule) string {
	b.Helper()
	counts, err := b.Usage(b.ctx, b.by, rules)
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for _, r := range rules {
		out = append(out, fmt.Sprint(counts[r.ID]))
	}
	return fmt.Sprint(out)
}

func (b *book) fold() (rows int64) {
	b.Helper()
	if err := b.FoldUses(b.ctx); err != nil {
		b.Fatal(err)
	}
	var left int64
	if err := b.tx.Raw("SELECT count(*) FROM rule_uses").Row().Scan(&left); err != nil || left > 0 {
		b.Fatalf("%d uses are left, %v", left, err)
	}
	if err := b.tx.Raw("SELECT count(*) FROM rule_usage").Row().Scan(&rows); err != nil {
		b.Fatal(err)
	}
	return rows
}

const day = 24 * time.Hour

func TestUsesAreCounted(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	often, once, never := b.macro("often"), b.macro("once"), b.macro("never")
	b.use(often, time.Minute, time.Minute, 2*time.Minute, 3*time.Hour, 3*time.Hour+time.Minute, 26*time.Hour, 20*day, 20*day+time.Hour, 40*day)
	b.use(once, 6*day)
	const want = "[[3 5 6 8] [0 0 1 1] []]"
	if got := b.usage(often, once, never); got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	// Two of one five minutes, two of one hour and two of one day become one
	// count each; what nobody can ask for any more goes.
	if rows := b.fold(); rows != 5 {
		t.Errorf("%d counts", rows)
	}
	if got := b.usage(often, once, never); got != want {
		t.Errorf("folded, it counts %s, want %s", got, want)
	}
	b.use(often, time.Minute)
	b.fold()
	if got := b.usage(often); got != "[[4 6 7 9]]" {
		t.Errorf("folded again, it counts %s", got)
	}
	b.now = b.now.Add(2 * day)
	if got := b.usage(often, once); got != "[[0 0 7 9] [0 0 0 1]]" {
		t.Errorf("two days later it counts %s", got)
	}
	b.fold()
	b.now = b.now.Add(60 * day)
	if rows := b.fold(); rows != 0 {
		t.Errorf("%d counts are left when all is long past", rows)
	}
}

func TestRulesAreListedByUsage(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	one, two, three := b.macro("one"), b.macro("two"), b.macro("three")
	b.use(two, time.Minute, 2*day, 3*day)
	b.use(three, time.Minute, time.Minute)
	for sort, want := range map[string][3]int64{"usage_1h": {three.ID, two.ID, one.ID}, "usage_7d": {two.ID, three.ID, one.ID}} {
		for _, p := range []page.Request{{Number: 1, Size: 9, Sort: sort, Desc: true}, {Cursor: true, Size: 9, Sort: sort, Desc: true}} {
			list, err := b.List(b.ctx, b.by, models.RuleMacro, rulebook.Filter{}, p)
			if err != nil {
				t.Fatal(err)
			}
			var got [3]int64
			for n, r := range list.Items {
				got[n] = r.ID
			}
			if got != want {
				t.Errorf("by %s, cursor %t: %v, want %v", sort, p.Cursor, got, want)
			}
		}
	}
}

// A rule that is gone takes its uses along.
func TestUsesGoWithTheirRule(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	r := b.macro("gone")
	b.use(r, time.Minute)
	b.fold()
	b.use(r, time.Minute)
	if err := b.Delete(b.ctx, b.by, models.RuleMacro, r.ID); err != nil {
		t.Fatal(err)
	}
	if rows := b.fold(); rows != 0 {
		t.Errorf("%d counts are left", rows)
	}
}
