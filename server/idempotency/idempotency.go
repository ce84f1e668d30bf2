// Package idempotency lets a write that is sent again be done once: the first
// answer is kept with the caller's key, in the transaction of the write itself,
// and given again. It does not know what the write is.
package idempotency

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// Keep is how long a key is remembered.
	Keep = 24 * time.Hour
	// MaxKey is the length of a key in characters.
	MaxKey = 255
)

// Request is a write with a key.
type Request struct {
	By   auth.Actor
	Key  string
	Hash [sha256.Size]byte // of all that makes it another request
	// Snapshot has the write see the database as it was when it began, as
	// Service.Snapshot does.
	Snapshot bool
}

// Answer is what a write answered.
type Answer struct {
	Status      int
	Location    string
	ContentType string
	Body        []byte
}

// Service keeps the answers.
type Service struct {
	db  *gorm.DB
	now func() time.Time

	mu      sync.Mutex
	ongoing map[string]chan struct{} // closed when the request with the key ends
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service {
	return &Service{db: db, now: now, ongoing: map[string]chan struct{}{}}
}

// errUndo ends a transaction whose answer is not kept.
var errUndo = errors.New("not kept")

// Do answers r from memory (hit) or by calling write, in a transaction that the
// context of write carries: what write does and the memory of its answer are
// committed together when Do returns. Only a success (2xx) is kept; any other
// answer and any error undo the write, and the key may be used again. Requests
// with one key take turns.
//
// It fails with fault.BadRequest for a key that is no key and with
// fault.KeyReused for one that came with another request.
func (s *Service) Do(ctx context.Context, r Request, write func(ctx context.Context) (Answer, error)) (a Answer, hit bool, err error) {
	if utf8.RuneCountInString(r.Key) > MaxKey || !utf8.ValidString(r.Key) || strings.ContainsRune(r.Key, 0) {
		return a, false, fault.New(fault.BadRequest, "Idempotency-Key must have at most %d characters", MaxKey)
	}
	leave, err := s.enter(ctx, r)
	if err != nil {
		return a, false, err
	}
	defer leave()
	ctx = postgres.WithAccount(ctx, r.By.AccountID)
	options := &sql.TxOptions{}
	if r.Snapshot {
		options.Isolation = sql.LevelRepeatableRead
	}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		mine, err := s.claimTx(tx, r)
		if err != nil {
			return err
		}
		if !mine {
			hit = true
			a, err = recallTx(tx, r)
			return err
		}
		if a, err = write(postgres.WithTx(ctx, tx)); err != nil {
			return err
		}
		if a.Status < 200 || a.Status > 299 {
			return errUndo
		}
		return keepTx(tx, r, a)
	}, options)
	if errors.Is(err, errUndo) {
		err = nil
	}
	return a, hit, err
}

// Snapshot runs write in a transaction that its context carries, and that sees
// nothing that is committed by others after it began: what write reads and then
// changes has not been changed in between, or the change fails with
// PostgreSQL's serialization failure (40001). An answer that is no success
// (2xx) and any error undo the write.
func (s *Service) Snapshot(ctx context.Context, account int64, write func(ctx context.Context) (Answer, error)) (a Answer, err error) {
	ctx = postgres.WithAccount(ctx, account)
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if a, err = write(postgres.WithTx(ctx, tx)); err != nil {
			return err
		}
		if a.Status < 200 || a.Status > 299 {
			return errUndo
		}
		return nil
	}, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if errors.Is(err, errUndo) {
		err = nil
	}
	return a, err
}

// enter waits for a request with the same key to end in this process. One that
// another process is at holds the key's row; but to wait for that takes a
// connection, and repetitions of one request must not use them all up.
func (s *Service) enter(ctx context.Context, r Request) (leave func(), err error) {
	key := string(models.ToJSON([]any{r.By.AccountID, r.By.ID(), r.Key}))
	for {
		s.mu.Lock()
		other, busy := s.ongoing[key]
		if !busy {
			mine := make(chan struct{})
			s.ongoing[key] = mine
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.ongoing, key)
				s.mu.Unlock()
				close(mine)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claimTx takes the key, or finds it taken. It waits for a transaction that has
// it in hand. A key older than Keep is free.
func (s *Service) claimTx(tx *gorm.DB, r Request) (bool, error) {
	now := s.now()
	result := tx.Exec(`
		INSERT INTO idempotency_keys AS k (account_id, actor_id, key, request_hash, status, location, content_type, body, created_at)
		VALUES (?, ?, ?, ?, 0, '', '', '', ?)
		ON CONFLICT (account_id, actor_id, key) DO UPDATE
		SET request_hash = excluded.request_hash, created_at = excluded.created_at
		WHERE k.created_at < ?`,
		r.By.AccountID, r.By.ID(), r.Key, r.Hash[:], now, now.Add(-Keep))
	return result.RowsAffected == 1, result.Error
}

func recallTx(tx *gorm.DB, r Request) (Answer, error) {
	var a Answer
	var hash []byte
	err := tx.Raw(`SELECT request_hash, status, location, content_type, body FROM idempotency_keys
		WHERE account_id = ? AND actor_id = ? AND key = ?`, r.By.AccountID, r.By.ID(), r.Key).
		Row().Scan(&hash, &a.Status, &a.Location, &a.ContentType, &a.Body)
	if errors.Is(err, sql.ErrNoRows) { // pruned this moment
		return a, fault.New(fault.Busy, "the idempotency key has just expired")
	}
	if err == nil && subtle.ConstantTimeCompare(hash, r.Hash[:]) != 1 {
		return Answer{}, fault.New(fault.KeyReused, "Idempotency-Key %s was used before with another request", r.Key)
	}
	return a, err
}

func keepTx(tx *gorm.DB, r Request, a Answer) error {
	if a.Body == nil {
		a.Body = []byte{}
	}
	return tx.Exec(`UPDATE idempotency_keys SET status = ?, location = ?, content_type = ?, body = ?
		WHERE account_id = ? AND actor_id = ? AND key = ?`,
		a.Status, a.Location, a.ContentType, a.Body, r.By.AccountID, r.By.ID(), r.Key).Error
}

// Prune forgets the keys older than Keep.
func (s *Service) Prune(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec("DELETE FROM idempotency_keys WHERE created_at < ?", s.now().Add(-Keep)).Error
}

// BlankTx takes a record out of the answers that are kept, of which its id alone
// stays: a write that comes again is still done once. resource is as in URLs:
// "tickets".
func BlankTx(tx *gorm.DB, account int64, resource string, id int64) error {
	mark := fmt.Sprintf("/api/v2/%s/%d.json\"", resource, id)
	body := fmt.Sprintf(`{"%s":{"id":%d}}`, strings.TrimSuffix(resource, "s"), id)
	return tx.Exec("UPDATE idempotency_keys SET body = convert_to(?, 'UTF8') WHERE account_id = ? AND position(convert_to(?, 'UTF8') IN body) > 0",
		body, account, mark).Error
}
