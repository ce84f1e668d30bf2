package helpcenter

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"gorm.io/gorm"

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
