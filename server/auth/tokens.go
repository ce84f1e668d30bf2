package auth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// NewAPIToken makes an API token of the account. The token itself is returned
// once and kept nowhere; token, when not empty, is used in place of a new one.
func (s *Service) NewAPIToken(ctx context.Context, account int64, description, token string) (models.APIToken, string, error) {
	if token == "" {
		token = NewToken()
	}
	if len(token) < 16 {
		return models.APIToken{}, "", fault.InvalidField("token", "is too short (minimum is 16 characters)")
	}
	row := models.APIToken{
		Description: description, TokenHash: Hash(token), LastChars: token[len(token)-4:], Active: true, CreatedAt: s.now(),
	}
	err := s.db.WithContext(postgres.WithAccount(ctx, account)).Create(&row).Error
	return row, token, err
}

// Scopes that an OAuth token may have besides "resource:read" and
// "resource:write".
var broadScopes = []string{"read", "write", "impersonate"}

// NewOAuthToken makes an access token of a user. expires may be zero: never.
func (s *Service) NewOAuthToken(ctx context.Context, account, user int64, scopes []string, expires time.Time) (models.OAuthToken, string, error) {
	for _, scope := range scopes {
		_, action, ok := strings.Cut(scope, ":")
		if !slices.Contains(broadScopes, scope) && !(ok && (action == "read" || action == "write")) {
			return models.OAuthToken{}, "", fault.InvalidField("scopes", "%q is not a scope", scope)
		}
	}
	token := NewToken()
	row := models.OAuthToken{
		UserID: user, TokenHash: Hash(token), FirstChars: token[:10], Scopes: scopes, CreatedAt: s.now(),
	}
	if !expires.IsZero() {
		row.ExpiresAt = &expires
	}
	err := s.db.WithContext(postgres.WithAccount(ctx, account)).Create(&row).Error
	return row, token, err
}

// NewJWTKey keeps a key with which a product may vouch for users. For HS256 an
// empty secret makes a new one; the other algorithms take a public key in PEM.
func (s *Service) NewJWTKey(ctx context.Context, account int64, algorithm string, secret []byte) (models.JWTKey, error) {
	if !slices.Contains(Algorithms, algorithm) {
		return models.JWTKey{}, fault.InvalidField("algorithm", "is not one of %s", strings.Join(Algorithms, ", "))
	}
	switch {
	case algorithm != "HS256":
		if _, err := parsePublicKey(secret); err != nil {
			return models.JWTKey{}, fault.InvalidField("key", "%s", err)
		}
	case len(secret) == 0:
		secret = []byte(NewToken())
	case len(secret) < 32:
		return models.JWTKey{}, fault.InvalidField("secret", "is too short (minimum is 32 bytes)")
	}
	id := make([]byte, 12)
	_, _ = rand.Read(id)
	row := models.JWTKey{Kid: hex.EncodeToString(id), Algorithm: algorithm, Secret: secret, CreatedAt: s.now()}
	err := s.db.WithContext(postgres.WithAccount(ctx, account)).Create(&row).Error
	return row, err
}
