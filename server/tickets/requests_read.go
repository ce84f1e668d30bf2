package tickets

import (
	"context"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
)

// Statuses of requests, as lists of them tell them apart.
var (
	OpenStatuses   = []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold}
	HoldStatuses   = []string{models.StatusHold}
	SolvedStatuses = []string{models.StatusSolved, models.StatusClosed}
)

// Request is a ticket that by may see, as a request, and the account's set-up
// that it is shown with. It fails with fault.NotFound, also where nothing of the
// ticket is public.
func (s *Service) Request(ctx context.Context, by auth.Actor, id int64) (models.Ticket, *fields.Config, error) {
	where, args := visibleRequest(by)
	return s.show(ctx, by, id, publicColumns, where, args)
}

// Authors of comments.
const (
	ByAgents   = "agent"
	ByEndUsers = "end_user"
)

// CommentFilter chooses among the comments of a request. The zero value is all.
type CommentFilter struct {
	Since *time.Time // written then or later
	Role  string     // ByAgents or ByEndUsers; empty: by anybody
}

// RequestComments is a page of a request's comments, the oldest first unless r
// turns it. It fails with fault.NotFound, and with fault.BadAttribute for a role
// that there is not.
func (s *Service) RequestComments(ctx context.Context, by auth.Actor, request int64, f CommentFilter, r page.Request) (page.Result[CommentRecord], error) {
	if _, _, err := s.Request(ctx, by, request); err != nil {
		return page.Result[CommentRecord]{}, err
	}
	where, args := publicComments(by, request)
	if f.Since != nil {
		where, args = where+" AND c.created_at >= ?", append(args, *f.Since)
	}
	// The system counts as an agent and is no user.
	const byEndUser = "EXISTS (SELECT FROM users u WHERE u.account_id = c.account_id AND u.id = c.author_id AND u.role = 'end-user')"
	switch f.Role {
	case "":
	case ByEndUsers:
		where += " AND " + byEndUser
	case ByAgents:
		where += " AND NOT " + byEndUser
	default:
		return page.Result[CommentRecord]{}, fault.Attribute("role", ByAgents+" or "+ByEndUsers)
	}
	return s.listComments(ctx, by, where, args, r)
}

// RequestComment is one comment of a request. It fails with fault.NotFound.
func (s *Service) RequestComment(ctx context.Context, by auth.Actor, request, id int64) (CommentRecord, error) {
	if _, _, err := s.Request(ctx, by, request); err != nil {
		return CommentRecord{}, err
	}
	where, args := publicComments(by, request)
	return s.oneComment(ctx, by, id, where, args)
}
