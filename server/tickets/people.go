package tickets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/users"
)

// person is what a save needs to know of a user.
type person struct {
	ID             int64
	Name           string
	Email          *string
	Role           string
	Active         bool
	Suspended      bool
	OrganizationID *int64
	DefaultGroupID *int64
	PrivateOnly    bool
	Locale         string
	GroupIDs       models.IDs // of agents
	Organizations  models.IDs

	// Of the default organization; nil tags: not read.
	OrganizationGroup *int64
	OrganizationTags  models.Strings
}

func (p person) staff() bool { return p.Role == models.RoleAgent || p.Role == models.RoleAdmin }

// people are the users that a change names, by id and by address.
type people struct {
	byID    map[int64]person
	byEmail map[string]int64
}

func nobody() people { return people{byID: map[int64]person{}, byEmail: map[string]int64{}} }

// findPeople reads all users that the change names in one statement, after the
// requester and CCs that are new have been created.
func (s *save) findPeople() error {
	c := &s.change
	s.people = nobody()
	if c.Requester != nil {
		u, created, err := s.service.users.FindOrCreateTx(s.tx, s.by, *c.Requester)
		if err != nil {
			return renamed(err, "requester")
		}
		if created && strings.TrimSpace(c.Requester.Name) == "" {
			return fault.InvalidField("requester", "Name: is too short (minimum is 1 characters)")
		}
		c.RequesterID.Set(u.ID)
	}
	for _, list := range [][]Collaborator{c.Followers, c.EmailCCs} {
		for i, p := range list {
			if !p.byAddress() {
				continue // one to remove is looked up below
			}
			u, _, err := s.service.users.FindOrCreateTx(s.tx, s.by, users.Person{Email: p.Email, Name: p.Name})
			if err != nil {
				return renamed(err, "collaborators")
			}
			list[i].UserID = u.ID
		}
	}
	ids, emails := s.named()
	// Whoever asks is known already, but for his organizations.
	if !c.OrganizationID.IsSpecified() {
		ids = slices.DeleteFunc(ids, func(id int64) bool { return id == s.by.ID() })
	}
	if id := s.by.ID(); id > 0 {
		u := s.by.User
		s.people.byID[id] = person{
			ID: id, Name: u.Name, Email: u.Email, Role: u.Role, Active: u.Active, OrganizationID: u.OrganizationID,
			DefaultGroupID: u.DefaultGroupID, PrivateOnly: u.OnlyPrivateComments, Locale: u.Locale, GroupIDs: s.by.GroupIDs,
		}
	}
	return s.readPeople(ids, emails)
}

// named are the users that the change needs looked up, by id and by address.
func (s *save) named() (ids models.IDs, emails models.Strings) {
	c := &s.change
	for _, n := range []nullable.Nullable[int64]{c.RequesterID, c.SubmitterID, c.AssigneeID} {
		if id, err := n.Get(); err == nil {
			ids = append(ids, id)
		}
	}
	if s.created && !c.RequesterID.IsSpecified() {
		ids = append(ids, s.by.ID())
	}
	if c.OrganizationID.IsSpecified() && !s.created {
		ids = append(ids, s.before.RequesterID)
	}
	if c.GroupID.IsSpecified() && s.after.AssigneeID != nil {
		ids = append(ids, *s.after.AssigneeID)
	}
	if c.Comment != nil && c.Comment.AuthorID != 0 {
		ids = append(ids, c.Comment.AuthorID)
	}
	if s.imported != nil {
		ids = append(ids, s.imported.authors...)
	}
	ids = append(append(append(ids, c.FollowerIDs...), c.EmailCCIDs...), c.CollaboratorIDs...)
	for _, list := range [][]Collaborator{c.Followers, c.EmailCCs} {
		for _, p := range list {
			if p.UserID != 0 {
				ids = append(ids, p.UserID)
			} else if p.Email != "" {
				emails = append(emails, p.Email)
			}
		}
	}
	if c.AssigneeEmail != nil {
		emails = append(emails, *c.AssigneeEmail)
	}
	return ids, emails
}

const personColumns = `SELECT u.id, u.name, u.email, u.role, u.active, u.suspended, u.organization_id, u.default_group_id, u.only_private_comments, u.locale,
	CASE WHEN u.role = 'end-user' THEN '{}' ELSE ARRAY(SELECT g.group_id FROM group_memberships g WHERE g.account_id = u.account_id AND g.user_id = u.id) END,
	ARRAY(SELECT m.organization_id FROM organization_memberships m WHERE m.account_id = u.account_id AND m.user_id = u.id), o.group_id, o.tags`

const personTables = ` FROM users u LEFT JOIN organizations o ON o.account_id = u.account_id AND o.id = u.organization_id `

// readPeople reads those users, unless they were read for all of the tickets that
// are made together.
func (s *save) readPeople(ids models.IDs, emails models.Strings) error {
	if s.together != nil {
		ids, emails = s.together.known(&s.people, ids, emails)
	}
	return s.people.read(s.tx, s.by.AccountID, ids, emails)
}

// read adds users by id and by address.
func (p *people) read(tx *gorm.DB, account int64, ids models.IDs, emails models.Strings) error {
	ids = slices.DeleteFunc(ids, func(id int64) bool { return id <= 0 })
	if len(ids) == 0 && len(emails) == 0 {
		return nil
	}
	slices.Sort(ids)
	query, args := personColumns+", ''::text"+personTables+"WHERE u.account_id = ? AND u.id = ANY(?)", []any{account, slices.Compact(ids)}
	if len(emails) > 0 {
		query += " UNION ALL " + personColumns + ", lower(i.value)" + personTables + `JOIN user_identities i ON i.account_id = u.account_id AND i.user_id = u.id
			WHERE i.account_id = ? AND i.type = 'email' AND lower(i.value) = ANY(SELECT lower(e) FROM unnest(?::text[]) e)`
		args = append(args, account, emails)
	}
	return postgres.Rows(tx, query, args, func(row postgres.Scanned) error {
		var u person
		var email string
		if err := row.Scan(&u.ID, &u.Name, &u.Email, &u.Role, &u.Active, &u.Suspended, &u.OrganizationID, &u.DefaultGroupID, &u.PrivateOnly, &u.Locale,
			&u.GroupIDs, &u.Organizations, &u.OrganizationGroup, &u.OrganizationTags, &email); err != nil {
			return err
		}
		p.byID[u.ID] = u
		if email != "" {
			p.byEmail[email] = u.ID
		}
		return nil
	})
}

// person is an active user by id.
func (s *save) person(id int64) (person, bool) {
	p, ok := s.people.byID[id]
	return p, ok && p.Active
}

// renamed puts the faults of a person's fields under the field of the ticket.
func renamed(err error, field string) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	if f.Kind == fault.NotFound {
		return fault.InvalidField(field, "is invalid")
	}
	if f.Kind != fault.Invalid {
		return err
	}
	var all []fault.Detail
	for _, details := range f.Details {
		all = append(all, details...)
	}
	for i := range all {
		all[i].Description = fmt.Sprintf("%s: %s", fault.Title(field), all[i].Description)
	}
	return &fault.Error{Kind: fault.Invalid, Details: map[string][]fault.Detail{field: all}}
}
