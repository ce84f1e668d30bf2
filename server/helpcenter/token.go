package helpcenter

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/signing"
)

// claims are what a token says that readers are given and bring back.
type claims[T any] struct {
	Until int64 `json:"u"` // seconds since 1970
	Of    T     `json:"o"`
}

// token is what readers are given for a purpose, to bring it back until a time.
func token[T any](ctx context.Context, s *Service, purpose string, of T, until time.Time) (string, error) {
	key, err := signing.KeyFor(ctx, s.db, s.now())
	if err != nil {
		return "", err
	}
	return signed(key, purpose, of, until)
}

func tokenTx[T any](tx *gorm.DB, s *Service, purpose string, of T, until time.Time) (string, error) {
	key, err := signing.KeyTx(tx, s.now())
	if err != nil {
		return "", err
	}
	return signed(key, purpose, of, until)
}

func signed[T any](key signing.Key, purpose string, of T, until time.Time) (string, error) {
	b, err := json.Marshal(claims[T]{until.Unix(), of})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + key.Sign(purpose, text), nil
}

// brought reads a token; false if it was not given for the purpose in this account, or
// for a time that is over.
func brought[T any](ctx context.Context, s *Service, purpose, token string) (of T, ok bool, err error) {
	text, signature, _ := strings.Cut(token, ".")
	key, err := signing.KeyFor(ctx, s.db, s.now())
	if err != nil || !key.Signed(purpose, text, signature) {
		return of, false, err
	}
	var c claims[T]
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c.Of, err == nil && s.now().Unix() < c.Until, nil
}

// linkOf is a token as it stands in a link, for whoever has that: behind the number of
// the account.
func linkOf(account int64, token string) string { return strconv.FormatInt(account, 10) + "." + token }

// followed reads such a link, and returns a context of its account. It fails with
// fault.NotFound for one that was not given for the purpose, or for a time that is over.
func followed[T any](ctx context.Context, s *Service, purpose, link string) (context.Context, T, error) {
	number, token, _ := strings.Cut(link, ".")
	var of T
	account, err := strconv.ParseInt(number, 10, 64)
	if err != nil || account <= 0 {
		return ctx, of, badLink()
	}
	// The account is not to be believed yet: nothing is made for it.
	key, err := signing.KeyOf(ctx, s.db, account)
	if err != nil || len(key) == 0 {
		return ctx, of, cmp.Or(err, badLink())
	}
	ctx = postgres.WithAccount(ctx, account)
	of, ok, err := brought[T](ctx, s, purpose, token)
	if err == nil && !ok {
		err = badLink()
	}
	return ctx, of, err
}

func badLink() error { return fault.New(fault.NotFound, "The link is not valid or has expired") }
