package groups

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

type ref struct {
	ID string `json:"id"`
}

type membershipChanged struct {
	Group ref `json:"group"`
}

// memberChangedTx notes that a membership of each of the users was created or
// deleted. (There are no events about groups themselves.)
func (s *Service) memberChangedTx(tx *gorm.DB, by auth.Actor, what string, group int64, users ...models.User) error {
	list := make([]events.About, len(users))
	for i, u := range users {
		list[i] = events.About{ID: u.ID, Event: events.Event{
			Type: "user.group_membership_" + what, Detail: events.UserDetail(u), Change: membershipChanged{ref{events.ID(group)}},
		}}
	}
	return events.AppendAllTx(tx, events.By{AccountID: by.AccountID, ActorID: by.ID(), At: s.now()}, "user", list)
}
