package groups

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

// by is who changes groups and memberships now.
func (s *Service) by(a auth.Actor) events.By {
	return events.By{AccountID: a.AccountID, ActorID: a.ID(), At: s.now()}
}

// detail is a group as events show it. Zendesk has no events of groups; ours are
// of the same form as those of organizations.
type detail struct {
	CreatedAt   string `json:"created_at"`
	Description string `json:"description"`
	ID          string `json:"id"`
	IsPublic    bool   `json:"is_public"`
	Name        string `json:"name"`
	UpdatedAt   string `json:"updated_at"`
}

// recordTx notes what happened to a group.
func (s *Service) recordTx(tx *gorm.DB, by auth.Actor, g models.Group, list ...events.Event) error {
	is := detail{
		CreatedAt: events.Time(g.CreatedAt), Description: g.Description, ID: events.ID(g.ID), IsPublic: g.IsPublic, Name: g.Name,
		UpdatedAt: events.Time(g.UpdatedAt),
	}
	for i := range list {
		list[i].Detail = is
	}
	return events.AppendTx(tx, s.by(by), "group", g.ID, list...)
}

// changes are the events of what is different in a group.
func changes(before, after models.Group) (list []events.Event) {
	note := func(what string, was, is any) {
		if was != is {
			list = append(list, events.Event{Type: "group." + what + "_changed", Change: events.Changed{Current: is, Previous: was}})
		}
	}
	note("name", before.Name, after.Name)
	note("description", before.Description, after.Description)
	note("is_public", before.IsPublic, after.IsPublic)
	return list
}
