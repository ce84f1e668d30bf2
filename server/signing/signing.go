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
	var key models.SigningKey
	err := tx.Select("secret").Take(&key).Error
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return key.Secret, err
	}
	key = models.SigningKey{Secret: make([]byte, sha256.Size), CreatedAt: now}
	_, _ = rand.Read(key.Secret) // never fails
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&key).Error; err != nil {
		return nil, err
	}
	err = tx.Select("secret").Take(&key).Error
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
