package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// How long a sign-in is remembered. A change made by this process is seen at
// once (see Forget); one made by another process within this time.
const (
	actorFresh    = time.Second
	passwordFresh = time.Minute
	remembered    = 50_000 // sign-ins at most
)

// Service checks credentials.
type Service struct {
	db      *gorm.DB
	now     func() time.Time
	pepper  []byte // of the memory of passwords that were right
	mu      sync.Mutex
	actors  map[[32]byte]remember
	forgets int64                  // calls of Forget
	right   map[[32]byte]proof     // passwords that were right
	used    map[tokenUse]time.Time // not yet written
	slots   chan struct{}          // password hashes being computed
	dummy   string                 // a hash to check where there is no user
	hosts   hosts
}

type remember struct {
	actor Actor
	until time.Time
}

// proof is that a password was right a moment ago, and the session it belongs to.
type proof struct {
	account, user int64
	session       int64
	until         time.Time
}

type tokenUse struct {
	account, id int64
	oauth       bool
}

// New makes the service. A password costs 19 MiB while it is checked, so no
// more than two are at once.
func New(db *gorm.DB, now func() time.Time) *Service {
	pepper := make([]byte, 32)
	_, _ = rand.Read(pepper)
	return &Service{
		db: db, now: now, pepper: pepper,
		actors: map[[32]byte]remember{}, right: map[[32]byte]proof{}, used: map[tokenUse]time.Time{},
		slots: make(chan struct{}, 2), dummy: nobodysHash(),
	}
}

// nobodysHash is what passwords of users whom there are not are held against:
// made once, since it is slow by intent.
var nobodysHash = sync.OnceValue(func() string { return HashPassword("nobody's") })

func wrong() error { return fault.New(fault.Unauthenticated, "Couldn't authenticate you") }

// APIToken signs in the active user with this e-mail address by an API token
// of the account, if the account's settings accept API tokens.
func (s *Service) APIToken(ctx context.Context, email, token string) (Actor, error) {
	key := sha256.Sum256([]byte("api\x00" + strings.ToLower(email) + "\x00" + token))
	return s.recall(key, func() (Actor, error) {
		var account, tokenID, user int64
		err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw(`
			SELECT t.account_id, t.id, i.user_id FROM api_tokens t
			JOIN accounts a ON a.id = t.account_id AND coalesce((a.settings #>> '{api,api_token_access}')::boolean, true)
			JOIN user_identities i ON i.account_id = t.account_id AND i.type = 'email' AND lower(i.value) = lower(?)
			WHERE t.token_hash = ? AND t.active`, email, Hash(token)).Row().Scan(&account, &tokenID, &user)
		if errors.Is(err, sql.ErrNoRows) {
			return Actor{}, wrong()
		}
		if err != nil {
			return Actor{}, err
		}
		s.noteUse(tokenUse{account, tokenID, false})
		return s.signIn(ctx, account, user, "token")
	})
}

// Password signs in a user of the account by e-mail and password, if the
// account's settings accept passwords. What was right is remembered for a
// minute, since checking it is slow by intent.
func (s *Service) Password(ctx context.Context, account int64, email, password string) (Actor, error) {
	var user int64
	var hash string
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw(`
		SELECT u.id, u.password_hash FROM user_identities i
		JOIN accounts a ON a.id = i.account_id AND coalesce((a.settings #>> '{api,api_password_access}')::boolean, true)
		JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
		WHERE i.account_id = ? AND i.type = 'email' AND lower(i.value) = lower(?) AND u.password_hash IS NOT NULL`,
		account, email).Row().Scan(&user, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Actor{}, err
	}
	if user == 0 {
		hash = s.dummy // as slow as a wrong password: the time tells nothing
	}
	session, right := s.remembered(password, hash)
	if !right {
		if !s.passwordIsRight(ctx, password, hash) || user == 0 {
			return Actor{}, wrong()
		}
	}
	a, err := s.signIn(ctx, account, user, "password")
	if err == nil && !right {
		session, err = s.seen(ctx, account, user)
		s.remember(password, hash, proof{account, user, session, s.now().Add(passwordFresh)})
	}
	a.SessionID = session
	return a, err
}

// remembered is the session of a password that was right within the last minute.
func (s *Service) remembered(password, hash string) (session int64, right bool) {
	key := s.passwordKey(password, hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.right[key]
	return p.session, known && s.now().Before(p.until)
}

func (s *Service) remember(password, hash string, p proof) {
	key := s.passwordKey(password, hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.right) >= remembered {
		clear(s.right)
	}
	s.right[key] = p
}

func (s *Service) passwordKey(password, hash string) [32]byte {
	mac := hmac.New(sha256.New, s.pepper)
	mac.Write([]byte(hash + "\x00" + password))
	return [32]byte(mac.Sum(nil))
}

func (s *Service) passwordIsRight(ctx context.Context, password, hash string) bool {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return false
	}
	return checkPassword(password, hash)
}

// OAuth signs in the user of an access token.
func (s *Service) OAuth(ctx context.Context, token string) (Actor, error) {
	key := sha256.Sum256([]byte("oauth\x00" + token))
	return s.recall(key, func() (Actor, error) {
		var t models.OAuthToken
		err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Take(&t, "token_hash = ?", Hash(token)).Error
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && t.ExpiresAt != nil && !s.now().Before(*t.ExpiresAt) {
			return Actor{}, fault.New(fault.BadToken, "bad access token")
		}
		if err != nil {
			return Actor{}, err
		}
		s.noteUse(tokenUse{t.AccountID, t.ID, true})
		a, err := s.signIn(ctx, t.AccountID, t.UserID, "oauth")
		a.Scopes = append([]string{}, t.Scopes...)
		if t.ExpiresAt != nil {
			a.expires = *t.ExpiresAt
		}
		return a, err
	})
}

// AsUser is the actor that an admin becomes to act on behalf of a user.
// OAuth tokens need the scope "impersonate" for it.
func (s *Service) AsUser(ctx context.Context, by Actor, email string) (Actor, error) {
	if !by.Admin() {
		return Actor{}, fault.Denied()
	}
	if by.Scopes != nil && !by.HasScope("", "impersonate") {
		return Actor{}, fault.New(fault.MissingScope, "impersonate")
	}
	var user int64
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw(
		"SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'email' AND lower(value) = lower(?)",
		by.AccountID, email).Row().Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return Actor{}, wrong()
	}
	if err != nil {
		return Actor{}, err
	}
	a, err := s.signIn(ctx, by.AccountID, user, by.Via)
	a.Scopes = by.Scopes
	return a, err
}

// Actor is the actor of a user whose identity is proved already. It fails with
// fault.Unauthenticated for a user that may not sign in.
func (s *Service) Actor(ctx context.Context, account, user int64, via string) (Actor, error) {
	return s.signIn(ctx, account, user, via)
}

func (s *Service) signIn(ctx context.Context, account, user int64, via string) (Actor, error) {
	a := Actor{AccountID: account, Via: via}
	ctx = postgres.WithAccount(ctx, account)
	err := s.db.WithContext(ctx).Take(&a.User, "id = ?", user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && (!a.User.Active || a.User.Suspended) {
		return Actor{}, wrong()
	}
	if err != nil {
		return Actor{}, err
	}
	if a.Staff() {
		err = s.db.WithContext(ctx).Model(&models.GroupMembership{}).Where("user_id = ?", user).Pluck("group_id", &a.GroupIDs).Error
	}
	return a, err
}

// recall answers from memory while a sign-in is fresh.
func (s *Service) recall(key [32]byte, load func() (Actor, error)) (Actor, error) {
	now := s.now()
	s.mu.Lock()
	r, ok := s.actors[key]
	forgets := s.forgets
	s.mu.Unlock()
	if ok && now.Before(r.until) {
		return r.actor, nil
	}
	a, err := load()
	if err != nil {
		return Actor{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgets != forgets {
		return a, nil // what was read may be older than what was forgotten
	}
	if len(s.actors) >= remembered {
		clear(s.actors)
	}
	until := now.Add(actorFresh)
	if !a.expires.IsZero() && a.expires.Before(until) {
		until = a.expires
	}
	s.actors[key] = remember{a, until}
	return a, nil
}

// Forget drops every remembered sign-in of the account, once the transaction
// that ctx carries, if any, is committed. It is called after a change of a
// user's rights, of a membership or of a token.
func (s *Service) Forget(ctx context.Context, account int64) {
	postgres.AfterCommit(ctx, func() { s.forget(account) })
}

func (s *Service) forget(account int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgets++
	for key, r := range s.actors {
		if r.actor.AccountID == account {
			delete(s.actors, key)
		}
	}
}

func (s *Service) noteUse(t tokenUse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[t] = s.now()
}

// WriteUses writes when tokens were last used. The last-used times of many
// requests make one statement; a crash loses the last interval's.
func (s *Service) WriteUses(ctx context.Context) error {
	s.mu.Lock()
	used := s.used
	s.used = map[tokenUse]time.Time{}
	s.mu.Unlock()
	var errs []error
	for t, at := range used {
		table := "api_tokens"
		if t.oauth {
			table = "oauth_tokens"
		}
		errs = append(errs, s.db.WithContext(ctx).Exec(
			"UPDATE "+table+" SET last_used_at = ? WHERE account_id = ? AND id = ?", at, t.account, t.id).Error)
	}
	return errors.Join(errs...)
}

// Run writes last-used times every half minute until ctx is done, and once more then.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if err := s.WriteUses(context.WithoutCancel(ctx)); err != nil {
			log.ErrorContext(ctx, "write last-used times of tokens", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
