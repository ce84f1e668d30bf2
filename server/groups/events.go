package groups

import (
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

// by is who changes memberships now. (There are no events about groups
// themselves.)
func (s *Service) by(a auth.Actor) events.By {
	return events.By{AccountID: a.AccountID, ActorID: a.ID(), At: s.now()}
}
