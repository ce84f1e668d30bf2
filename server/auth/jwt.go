package auth

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// longestJWT is how far in the future a token may end.
const longestJWT = 24 * time.Hour

// Algorithms that a key may be pinned to. "none" is not among them.
var Algorithms = []string{"HS256", "RS256", "ES256", "EdDSA"}

// Person is whom a product vouches for in a JWT. At least one of ExternalID and
// Email is set.
type Person struct {
	AccountID  int64
	ExternalID string
	Email      string
	Name       string
}

type claims struct {
	jwt.RegisteredClaims
	Email      string `json:"email"`
	Name       string `json:"name"`
	ExternalID string `json:"external_id"`
}

// JWT checks a token that a product signed with a key of an account, and
// returns for whom it vouches. The key's id (kid) tells the account, and the
// key alone tells the algorithm. It fails with fault.BadToken.
func (s *Service) JWT(ctx context.Context, token string) (Person, error) {
	var c claims
	var key models.JWTKey
	var lookup error // of the key: an outage is not a bad token
	parser := jwt.NewParser(jwt.WithValidMethods(Algorithms), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now), jwt.WithLeeway(30*time.Second))
	_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if kid == "" {
			return nil, errors.New("no kid")
		}
		lookup = s.db.WithContext(postgres.AcrossAccounts(ctx)).Take(&key, "kid = ?", kid).Error
		if lookup != nil {
			return nil, lookup
		}
		if t.Method.Alg() != key.Algorithm {
			return nil, fmt.Errorf("key %s is for %s", kid, key.Algorithm)
		}
		return verificationKey(key)
	})
	bad := fault.New(fault.BadToken, "bad JWT")
	if lookup != nil && !errors.Is(lookup, gorm.ErrRecordNotFound) {
		return Person{}, lookup
	}
	if err != nil {
		return Person{}, bad
	}
	if c.ExpiresAt.After(s.now().Add(longestJWT)) {
		return Person{}, bad
	}
	p := Person{AccountID: key.AccountID, ExternalID: c.ExternalID, Email: c.Email, Name: c.Name}
	if p.ExternalID == "" {
		p.ExternalID = c.Subject
	}
	if p.ExternalID == "" && p.Email == "" {
		return Person{}, bad
	}
	return p, nil
}

func verificationKey(k models.JWTKey) (any, error) {
	if k.Algorithm == "HS256" {
		return k.Secret, nil
	}
	return parsePublicKey(k.Secret)
}

func parsePublicKey(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM public key")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}
