package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// longestJWT is how far in the future a token may end.
	longestJWT = 24 * time.Hour
	// largestJWT is the size of a token in bytes, far beyond what the claims
	// that we read take.
	largestJWT = 8 << 10
	// largestKid is the length of a key's id; ours have 24 characters.
	largestKid = 64
)

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
	ExternalID text   `json:"external_id"`
}

// text is a string that may come as a number, as many products' ids do.
type text string

// UnmarshalJSON takes a string or a number.
func (t *text) UnmarshalJSON(b []byte) error {
	var number json.Number
	if len(b) > 0 && b[0] != '"' && json.Unmarshal(b, &number) == nil {
		*t = text(number)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// JWTUser signs in the user for whom a product vouches with a JWT. find tells
// who that is, by users.Service.Vouched. The sign-in is remembered like others,
// so that a widget that asks again and again costs nothing.
func (s *Service) JWTUser(ctx context.Context, token string, find func(context.Context, Person) (int64, error)) (Actor, error) {
	return s.recall(sha256.Sum256([]byte("jwt\x00"+token)), func() (Actor, error) {
		p, err := s.JWT(ctx, token)
		if err != nil {
			return Actor{}, err
		}
		user, err := find(ctx, p)
		if err != nil {
			return Actor{}, err
		}
		return s.signIn(ctx, p.AccountID, user, "jwt")
	})
}

// JWT checks a token that a product signed with a key of an account, and
// returns for whom it vouches. The key's id (kid) tells the account, and the
// key alone tells the algorithm. It fails with fault.BadToken.
func (s *Service) JWT(ctx context.Context, token string) (Person, error) {
	var c claims
	var key models.JWTKey
	var lookup error // of the key: an outage is not a bad token
	bad := fault.New(fault.BadToken, "bad JWT")
	if len(token) > largestJWT {
		return Person{}, bad
	}
	parser := jwt.NewParser(jwt.WithValidMethods(Algorithms), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now), jwt.WithLeeway(30*time.Second))
	_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		// What is no key's id is not looked up: a NUL would fail there.
		if kid == "" || len(kid) > largestKid || strings.ContainsRune(kid, 0) {
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
	if lookup != nil && !errors.Is(lookup, gorm.ErrRecordNotFound) {
		return Person{}, lookup
	}
	if err != nil {
		return Person{}, bad
	}
	if c.ExpiresAt.After(s.now().Add(longestJWT)) {
		return Person{}, bad
	}
	p := Person{AccountID: key.AccountID, ExternalID: string(c.ExternalID), Email: c.Email, Name: c.Name}
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
