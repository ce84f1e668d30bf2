package signing_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/signing"
	"github.com/helpd/helpd/server/testdb"
)

func TestKeysAreMadeOnceAndKeptApart(t *testing.T) {
	t.Parallel()
	tx := testdb.Tx(t)
	keys := map[string]signing.Key{}
	for _, name := range []string{"one", "two"} {
		account, _, err := accounts.Create(t.Context(), tx, time.Now(), accounts.New{Subdomain: name, Name: name, AdminEmail: "root@" + name + ".example"})
		if err != nil {
			t.Fatal(err)
		}
		if none, err := signing.KeyOf(t.Context(), tx, account.ID); err != nil || len(none) != 0 {
			t.Errorf("a key before it is needed: %v, %v", none, err)
		}
		in := tx.WithContext(postgres.WithAccount(context.Background(), account.ID))
		made, err := signing.KeyTx(in, time.Now())
		if err != nil || len(made) != 32 {
			t.Fatal(made, err)
		}
		again, err := signing.KeyTx(in, time.Now())
		if err != nil || !bytes.Equal(again, made) {
			t.Errorf("another key: %v", err)
		}
		if keys[name], err = signing.KeyOf(t.Context(), tx, account.ID); err != nil || !bytes.Equal(keys[name], made) {
			t.Errorf("another key for the link: %v", err)
		}
	}
	one, two := keys["one"], keys["two"]
	signature := one.Sign("file", "text")
	if !one.Signed("file", "text", signature) {
		t.Error("a signature is not known again")
	}
	if one.Signed("survey", "text", signature) || one.Signed("file", "texts", signature) || one.Signed("file", "text", "") || two.Signed("file", "text", signature) {
		t.Error("a signature fits another purpose, text or account")
	}
	if none := signing.Key(nil); none.Signed("file", "text", none.Sign("file", "text")) {
		t.Error("an empty key signs")
	}
}

func TestAKeyThatManyNeedAtOnceIsOne(t *testing.T) {
	t.Parallel()
	db := testdb.Shared(t)
	name := strings.ToLower(rand.Text())
	account, _, err := accounts.Create(t.Context(), db, time.Now(), accounts.New{Subdomain: name, Name: name, AdminEmail: "root@" + name + ".example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := postgres.WithAccount(t.Context(), account.ID)
	var keys [8]signing.Key
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = signing.KeyFor(ctx, db, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	kept, err := signing.KeyOf(t.Context(), db, account.ID)
	if err != nil || len(kept) != 32 {
		t.Fatal(kept, err)
	}
	for _, key := range keys {
		if !bytes.Equal(key, kept) {
			t.Error("another key than the one that is kept")
		}
	}
}
