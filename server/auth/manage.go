package auth

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Kinds of credentials that an account hands out.
const (
	KindAPI   = "api"
	KindOAuth = "oauth"
	KindJWT   = "jwt"
)

// Credential is what may be told of a token or key: not the secret itself.
type Credential struct {
	Kind     string
	ID       int64
	Hint     string   // API: its last characters; OAuth: its first; JWT: the kid
	About    string   // API: the description; JWT: the algorithm
	UserID   int64    // OAuth: whose token it is
	Scopes   []string // OAuth
	Created  time.Time
	LastUsed *time.Time // nil: never, or not noted for this kind
	Expires  *time.Time // nil: never
}

// Name tells a credential from all others of its account, as Revoke takes it.
func (c Credential) Name() string { return c.Kind + ":" + strconv.FormatInt(c.ID, 10) }

// Credentials lists what the account has handed out, oldest first within each kind.
func (s *Service) Credentials(ctx context.Context, account int64) ([]Credential, error) {
	db := s.db.WithContext(postgres.WithAccount(ctx, account))
	var all []Credential
	var tokens []models.APIToken
	if err := db.Where("active").Order("id").Find(&tokens).Error; err != nil {
		return nil, err
	}
	for _, t := range tokens {
		all = append(all, Credential{Kind: KindAPI, ID: t.ID, Hint: "…" + t.LastChars, About: t.Description, Created: t.CreatedAt, LastUsed: t.LastUsedAt})
	}
	var access []models.OAuthToken
	if err := db.Order("id").Find(&access).Error; err != nil {
		return nil, err
	}
	for _, t := range access {
		all = append(all, Credential{Kind: KindOAuth, ID: t.ID, Hint: t.FirstChars + "…", UserID: t.UserID, Scopes: t.Scopes,
			Created: t.CreatedAt, LastUsed: t.LastUsedAt, Expires: t.ExpiresAt})
	}
	var keys []models.JWTKey
	if err := db.Order("id").Find(&keys).Error; err != nil {
		return nil, err
	}
	for _, k := range keys {
		all = append(all, Credential{Kind: KindJWT, ID: k.ID, Hint: k.Kid, About: k.Algorithm, Created: k.CreatedAt})
	}
	return all, nil
}

// Revoke takes back the credential of this name (Credential.Name). Other
// processes notice within a second. It fails with fault.NotFound.
func (s *Service) Revoke(ctx context.Context, account int64, name string) error {
	kind, number, _ := strings.Cut(name, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fault.Missing("credential", name)
	}
	db := s.db.WithContext(postgres.WithAccount(ctx, account))
	var done *gorm.DB
	switch kind {
	case KindAPI:
		done = db.Delete(&models.APIToken{}, "id = ?", id)
	case KindOAuth:
		done = db.Delete(&models.OAuthToken{}, "id = ?", id)
	case KindJWT:
		done = db.Delete(&models.JWTKey{}, "id = ?", id)
	default:
		return fault.Missing("credential", name)
	}
	if done.Error != nil {
		return done.Error
	}
	if done.RowsAffected == 0 {
		return fault.Missing("credential", name)
	}
	s.Forget(ctx, account)
	return nil
}
