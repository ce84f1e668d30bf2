// Package tickets keeps tickets, their comments and audits. Every way to change
// a ticket ends in one function, save.commit, in one transaction.
package tickets

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/gather"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/recent"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/suspended"
	"github.com/helpd/helpd/server/users"
)

// Service keeps tickets.
type Service struct {
	db          *gorm.DB
	fields      *fields.Service
	users       *users.Service
	attachments *attachments.Service
	suspended   *suspended.Service
	rulebook    *rulebook.Service
	triggers    accounts.Remembered[*triggers]
	sla         *sla.Service
	shows       *gather.Gatherer[key, shown]
	now         func() time.Time
	queue       *jobs.Service // nil until Work: nothing follows on a change then
	auth        *auth.Service // as queue

	mu sync.Mutex
	// PublicURL is where the API is reached, as https://desk.example.com, for links
	// in mails; empty: as the request that causes a mail has it.
	PublicURL string

	visits map[visitor][]visit // looks that are not yet written, newest last
	kept   *keptSelections
	index  *search.Index // by which requests are searched
	// wholeTo is how many tickets a selection has at most that are found, counted
	// and sorted at once.
	wholeTo int
}

// base is what links in mails begin with: where the API is reached, which the
// request tells where it is not set.
func (s *Service) base(request string, account models.Account) string {
	switch {
	case s.PublicURL != "":
		return s.PublicURL
	case request != "":
		return request
	}
	return "https://" + account.Subdomain + ".localhost"
}

// New makes the service.
func New(db *gorm.DB, f *fields.Service, u *users.Service, a *attachments.Service, r *rulebook.Service, p *sla.Service, now func() time.Time) *Service {
	s := &Service{
		db: db, fields: f, users: u, attachments: a, rulebook: r, sla: p, suspended: suspended.New(db, a, now), now: now, visits: map[visitor][]visit{},
		kept:    recent.New[*kept](keptLists),
		index:   search.NewIndex(db),
		wholeTo: page.MaxOffset, // all that pages by number reach
	}
	s.shows = gather.New(2, s.showTogether)
	return s
}

// Work has q do what follows on changes of tickets and on time's passing: incidents
// go with their problem, deleted tickets are scrubbed in time, and breaches of SLA
// targets are told within ten seconds. It comes before q starts. The
// users who led to it are looked up with a.
func (s *Service) Work(q *jobs.Service, a *auth.Service) {
	s.queue, s.auth = q, a
	jobs.Handle(q, jobs.How{Timeout: time.Hour}, s.followProblem)
	q.Every(time.Hour, "scrub deleted tickets", s.ScrubExpired)
	q.Every(time.Hour, "close solved tickets", s.CloseSolved)
	q.Every(time.Hour, "archive closed tickets", s.ArchiveClosed)
	q.Every(5*time.Second, "SLA breaches", s.TellBreaches)
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
