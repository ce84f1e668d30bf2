// Package tickets keeps tickets, their comments and audits. Every way to change
// a ticket ends in one function, save.commit, in one transaction.
package tickets

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/users"
)

// Service keeps tickets.
type Service struct {
	db          *gorm.DB
	fields      *fields.Service
	users       *users.Service
	attachments *attachments.Service
	now         func() time.Time

	mu     sync.Mutex
	visits map[visit]time.Time // who looked at which ticket, not yet written
}

// New makes the service.
func New(db *gorm.DB, f *fields.Service, u *users.Service, a *attachments.Service, now func() time.Time) *Service {
	return &Service{db: db, fields: f, users: u, attachments: a, now: now, visits: map[visit]time.Time{}}
}

// Limits of a ticket.
const (
	MaxSubject       = 255    // characters; longer ones are cut, as mail subjects are
	MaxComment       = 65_536 // characters of a comment's body
	MaxTags          = 1_000
	MaxCollaborators = 48
	MaxMetadata      = 4 << 10 // bytes
)

func (s *Service) inTx(ctx context.Context, f func(tx *gorm.DB) error) error {
	return s.db.WithContext(ctx).Transaction(f)
}
