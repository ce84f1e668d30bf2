package search

import (
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/richtext"
)

// maxComments is how many comments of a ticket are searched (contract search.md §4).
const maxComments = 500

// TicketText is what a ticket is found by.
type TicketText struct {
	Account, ID  int64
	Locale       string // the requester's
	Subject      *string
	Description  string
	Comments     []Comment // in their order
	CustomFields []byte    // as JSON
}

// Comment is what a comment of a ticket says, and whether end users may read it.
type Comment struct {
	Text   string
	Public bool
}

func (c Comment) part() Part {
	if c.Public {
		return Body
	}
	return Private
}

// Document is the ticket's document. A description that is not the first comment
// has come by itself; it is as public as that.
func (t TicketText) Document() *Document {
	d := &Document{Account: t.Account, Kind: Ticket, ID: t.ID, Locale: t.Locale}
	if t.Subject != nil {
		d.Add(Title, *t.Subject)
	}
	switch {
	case len(t.Comments) == 0:
		d.Add(Private, t.Description)
	case strings.TrimSpace(t.Comments[0].Text) != strings.TrimSpace(t.Description):
		d.Add(t.Comments[0].part(), t.Description)
	}
	for _, c := range t.Comments[:min(len(t.Comments), maxComments)] {
		d.Add(c.part(), c.Text)
	}
	if len(t.CustomFields) > 2 {
		for _, text := range values(t.CustomFields) {
			d.AddName(Fields, text)
		}
	}
	return d
}

func read(tx *gorm.DB, account int64, kind Kind, ids models.IDs) (map[int64]*Document, error) {
	switch kind {
	case Ticket:
		return readTickets(tx, account, ids)
	case User:
		return readUsers(tx, account, ids)
	case Organization:
		return readOrganizations(tx, account, ids)
	case Article:
		return readArticles(tx, account, ids)
	}
	return readGroups(tx, account, ids)
}

func readTickets(tx *gorm.DB, account int64, ids models.IDs) (map[int64]*Document, error) {
	texts := map[int64]*TicketText{}
	err := postgres.Rows(tx, `SELECT t.id, t.subject, t.description, t.custom_fields::text, coalesce(u.locale, '') FROM tickets t
		LEFT JOIN users u ON u.account_id = t.account_id AND u.id = t.requester_id
		WHERE t.account_id = ? AND t.id = ANY(?::bigint[]) AND t.deleted_at IS NULL`, []any{account, ids}, func(row postgres.Scanned) error {
		t := &TicketText{Account: account}
		var fields string
		err := row.Scan(&t.ID, &t.Subject, &t.Description, &fields, &t.Locale)
		t.CustomFields = []byte(fields)
		texts[t.ID] = t
		return err
	})
	if err != nil {
		return nil, err
	}
	err = postgres.Rows(tx, `SELECT c.ticket_id, c.plain_body, c.public FROM unnest(?::bigint[]) AS t(id) CROSS JOIN LATERAL
		(SELECT ticket_id, plain_body, public, created_at, id FROM comments WHERE account_id = ? AND ticket_id = t.id ORDER BY created_at, id LIMIT ?) c
		ORDER BY c.ticket_id, c.created_at, c.id`, []any{ids, account, maxComments}, func(row postgres.Scanned) error {
		var id int64
		var said Comment
		err := row.Scan(&id, &said.Text, &said.Public)
		if t := texts[id]; t != nil {
			t.Comments = append(t.Comments, said)
		}
		return err
	})
	docs := make(map[int64]*Document, len(texts))
	for id, t := range texts {
		docs[id] = t.Document()
	}
	return docs, err
}

func readUsers(tx *gorm.DB, account int64, ids models.IDs) (map[int64]*Document, error) {
	docs := map[int64]*Document{}
	err := postgres.Rows(tx, `SELECT u.id, u.locale, u.name, coalesce(u.alias, ''), coalesce(u.phone, ''), coalesce(u.external_id, ''),
			coalesce(u.details, ''), coalesce(u.notes, ''), u.user_fields::text,
			ARRAY(SELECT i.value FROM user_identities i WHERE i.account_id = u.account_id AND i.user_id = u.id ORDER BY i.id)
		FROM users u WHERE u.account_id = ? AND u.id = ANY(?::bigint[]) AND u.active`, []any{account, ids}, func(row postgres.Scanned) error {
		d := &Document{Account: account, Kind: User}
		var name, alias, phone, external, details, notes, fields string
		var addresses models.Strings
		if err := row.Scan(&d.ID, &d.Locale, &name, &alias, &phone, &external, &details, &notes, &fields, &addresses); err != nil {
			return err
		}
		d.AddName(Title, name)
		for _, text := range append([]string{name, alias, external, phone}, addresses...) {
			d.AddName(Body, text)
		}
		d.notes(details, notes)
		d.fields(fields)
		docs[d.ID] = d
		return nil
	})
	return docs, err
}

func readOrganizations(tx *gorm.DB, account int64, ids models.IDs) (map[int64]*Document, error) {
	docs := map[int64]*Document{}
	err := postgres.Rows(tx, `SELECT id, name, coalesce(external_id, ''), domain_names, coalesce(details, ''), coalesce(notes, ''), organization_fields::text
		FROM organizations WHERE account_id = ? AND id = ANY(?::bigint[]) AND deleted_at IS NULL`, []any{account, ids}, func(row postgres.Scanned) error {
		d := &Document{Account: account, Kind: Organization}
		var name, external, details, notes, fields string
		var domains models.Strings
		if err := row.Scan(&d.ID, &name, &external, &domains, &details, &notes, &fields); err != nil {
			return err
		}
		d.AddName(Title, name)
		for _, text := range append([]string{name, external}, domains...) {
			d.AddName(Body, text)
		}
		d.notes(details, notes)
		d.fields(fields)
		docs[d.ID] = d
		return nil
	})
	return docs, err
}

// notes adds what agents have written about somebody.
func (d *Document) notes(details, notes string) {
	for _, text := range []string{details, notes} {
		d.Add(Body, text)
	}
	d.Add(Details, details)
	d.Add(Notes, notes)
}

func (d *Document) fields(raw string) {
	for _, text := range values([]byte(raw)) {
		d.AddName(Body, text)
		d.AddName(Fields, text)
	}
}

func readGroups(tx *gorm.DB, account int64, ids models.IDs) (map[int64]*Document, error) {
	docs := map[int64]*Document{}
	err := postgres.Rows(tx, "SELECT id, name, description FROM groups WHERE account_id = ? AND id = ANY(?::bigint[]) AND NOT deleted", []any{account, ids}, func(row postgres.Scanned) error {
		d := &Document{Account: account, Kind: Group}
		var name, description string
		err := row.Scan(&d.ID, &name, &description)
		d.AddName(Title, name)
		d.AddName(Body, name)
		d.Add(Body, description)
		docs[d.ID] = d
		return err
	})
	return docs, err
}

// readArticles reads articles by the ids of their translations.
func readArticles(tx *gorm.DB, account int64, ids models.IDs) (map[int64]*Document, error) {
	docs := map[int64]*Document{}
	err := postgres.Rows(tx, `SELECT t.id, t.locale, t.title, coalesce(t.html_body, ''), a.label_names FROM translations t
		JOIN articles a ON a.account_id = t.account_id AND a.id = t.source_id AND a.archived_at IS NULL
		WHERE t.account_id = ? AND t.id = ANY(?::bigint[]) AND t.source_type = 'Article'`, []any{account, ids}, func(row postgres.Scanned) error {
		d := &Document{Account: account, Kind: Article}
		var title, body string
		var labels models.Strings
		err := row.Scan(&d.ID, &d.Locale, &title, &body, &labels)
		d.AddWhole(Locale, d.Locale)
		d.Add(Title, title)
		d.Add(Body, richtext.Text(body))
		for _, label := range labels {
			d.Add(Labels, label)
		}
		docs[d.ID] = d
		return err
	})
	return docs, err
}
