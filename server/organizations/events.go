package organizations

import (
	"bytes"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

func (s *Service) by(a auth.Actor) events.By {
	return events.By{AccountID: a.AccountID, ActorID: a.ID(), At: s.now()}
}

// recordTx notes that an organization was created or deleted.
func (s *Service) recordTx(tx *gorm.DB, by auth.Actor, what string, o models.Organization) error {
	return events.AppendTx(tx, s.by(by), "organization", o.ID,
		events.Event{Type: "organization." + what, Detail: events.OrganizationDetail(o)})
}

// changedTx notes each change of an organization that has an event.
func (s *Service) changedTx(tx *gorm.DB, by auth.Actor, before, after models.Organization) error {
	detail := events.OrganizationDetail(after)
	var list []events.Event
	if before.Name != after.Name {
		list = append(list, events.Event{Type: "organization.name_changed", Detail: detail, Change: events.Changed{Current: after.Name, Previous: before.Name}})
	}
	if !equal(before.ExternalID, after.ExternalID) {
		list = append(list, events.Event{Type: "organization.external_id_changed", Detail: detail,
			Change: events.Changed{Current: events.Text(after.ExternalID), Previous: events.Text(before.ExternalID)}})
	}
	if !slices.Equal(before.Tags, after.Tags) {
		list = append(list, events.Event{Type: "organization.tags_changed", Detail: detail,
			Change: tagsChanged{tags{without(after.Tags, before.Tags)}, tags{without(before.Tags, after.Tags)}}})
	}
	if !bytes.Equal(before.OrganizationFields, after.OrganizationFields) {
		config, err := s.fields.Current(tx, by.AccountID)
		if err != nil {
			return err
		}
		for _, d := range config.Organizations.Differences(before.OrganizationFields, after.OrganizationFields) {
			list = append(list, events.Event{Type: "organization.custom_field_changed", Detail: detail,
				Change: events.FieldChanged(d.Field.Field, d.Now, d.Then)})
		}
	}
	return events.AppendTx(tx, s.by(by), "organization", after.ID, list...)
}

type tags struct {
	Tags []string `json:"tags"`
}

type tagsChanged struct {
	Added   tags `json:"added"`
	Removed tags `json:"removed"`
}

// without are the elements of a that b does not have.
func without(a, b []string) []string {
	return slices.DeleteFunc(append([]string{}, a...), func(t string) bool { return slices.Contains(b, t) })
}
