// Package signing signs the links of an account that are good for whoever has
// them, without a sign-in.
package signing

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// Key is an account's secret. Nothing is signed with an empty one.
type Key []byte

// KeyTx is the key of the account that tx works in, which is made when it is
// first needed.
func KeyTx(tx *gorm.DB, now time.Time) (Key, error) {
	key, err := kept(tx)
	if err != nil || key != nil {
		return key, err
	}
	made := models.SigningKey{Secret: make([]byte, sha256.Size), CreatedAt: now}
	_, _ = rand.Read(made.Secret) // never fails
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&made).Error; err != nil {
		return nil, err
	}
	return kept(tx) // perhaps another's, which was made meanwhile
}

// KeyFor is the key of ctx's account, as KeyTx has it, in a transaction of its own
// if it is to be made.
func KeyFor(ctx context.Context, db *gorm.DB, now time.Time) (Key, error) {
	db = db.WithContext(ctx)
	key, err := kept(db)
	if err != nil || key != nil {
		return key, err
	}
	err = db.Transaction(func(tx *gorm.DB) (err error) {
		key, err = KeyTx(tx, now)
		return err
	})
	return key, err
}

// kept is the key that the account has; nil if it has none.
func kept(db *gorm.DB) (Key, error) {
	var key models.SigningKey
	err := db.Select("secret").Take(&key).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return key.Secret, err
}

// KeyOf is the key of an account that a link names, which is not to be believed
// yet; empty if it has none.
func KeyOf(ctx context.Context, db *gorm.DB, account int64) (key Key, err error) {
	err = db.WithContext(postgres.AcrossAccounts(ctx)).Raw("SELECT secret FROM signing_keys WHERE account_id = ?", account).Row().Scan(&key)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, gorm.ErrRecordNotFound) {
		err = nil
	}
	return key, err
}

// Sign is the signature of text in a link for a purpose: that of a link for
// another does not fit.
func (k Key) Sign(purpose, text string) string {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Signed reports whether Sign gave the signature.
func (k Key) Signed(purpose, text, signature string) bool {
	return len(k) > 0 && hmac.Equal([]byte(k.Sign(purpose, text)), []byte(signature))
}
