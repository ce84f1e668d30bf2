package tickets

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"time"

	"github.com/tidwall/gjson"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// moment is one audit of a ticket as rules saw it: what the ticket was before,
// what the caller made of it, and what each rule then did.
type moment struct {
	audit   models.Audit
	subject *rules.Subject
	events  []pastEvent      // of the audit
	who     map[string]int64 // ids of people whom events name, by address
}

// asked reports whether triggers were asked about the change at all. They are not
// about changes of closed tickets, imports, deletions and redactions, nor when a
// ticket is closed for its age.
func (m moment) asked() bool { return m.audit.Ruled }

// past is tickets and what happened to them lately.
type past struct {
	tickets map[int64]*models.Ticket
	metrics map[int64]*models.TicketMetric
	audits  []models.Audit // the newest first; of each ticket without a gap
}

const pastColumns = auditColumns + ", a.ruled"

// add scans pastColumns.
func (p *past) add(account int64, row postgres.Scanned) error {
	a := models.Audit{Tenant: models.Tenant{AccountID: account}}
	err := row.Scan(append(auditDest(&a), &a.Ruled)...)
	p.audits = append(p.audits, a)
	return err
}

// inOneMoment has f read the database as it is at one moment, in a transaction
// that writes nothing. One that ctx carries already is taken as it is.
func (s *Service) inOneMoment(ctx context.Context, f func(ctx context.Context, tx *gorm.DB) error) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return f(postgres.WithTx(ctx, tx), tx) },
		&sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// moments undoes the audits of each ticket from what it is now. People and
// organizations are as they are now, and so are the counts of metrics.
func (p past) moments(tx *gorm.DB, account int64) ([]moment, error) {
	all := make([]moment, 0, len(p.audits))
	var addresses models.Strings
	for _, a := range p.audits {
		if p.tickets[a.TicketID] == nil {
			continue
		}
		m := moment{audit: a, subject: &rules.Subject{
			Now: a.CreatedAt, Metric: p.metrics[a.TicketID], Via: gjson.GetBytes(a.Via, "channel").Str, By: rules.User{ID: a.AuthorID},
		}}
		var raw []json.RawMessage
		if err := json.Unmarshal(a.Events, &raw); err != nil {
			return nil, err
		}
		for _, text := range raw {
			e := pastEvent{raw: text}
			if err := json.Unmarshal(text, &e); err != nil {
				continue // of another shape: it tells of no field
			}
			m.events, addresses = append(m.events, e), append(addresses, e.addresses()...)
		}
		all = append(all, m)
	}
	who := nobody()
	if err := who.read(tx, account, nil, addresses); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].who = who.byEmail
	}
	p.undo(all)
	if err := fillComments(tx, account, all); err != nil {
		return nil, err
	}
	subjects := make([]*rules.Subject, len(all))
	for i, m := range all {
		subjects[i] = m.subject
	}
	return all, fillPeople(tx, account, subjects)
}

// undo gives each moment the states of its ticket.
func (p past) undo(all []moment) {
	states := make(map[int64]*rules.State, len(p.tickets))
	for id, t := range p.tickets {
		states[id] = &rules.State{Ticket: t, Values: fields.Values(t.CustomFields)}
	}
	for _, m := range all {
		st, created := states[m.audit.TicketID], false
		back := func(ruled bool) {
			for i := len(m.events) - 1; i >= 0; i-- {
				if e := m.events[i]; (e.rule() != 0) == ruled {
					e.undo(st, m.who)
					created = created || e.Type == "Create"
				}
			}
		}
		back(true)
		m.subject.After = snapshotOf(*st)
		back(false)
		if !created {
			m.subject.Before = snapshotOf(*st)
		}
	}
}

func snapshotOf(st rules.State) rules.State {
	t := *st.Ticket
	return rules.State{Ticket: &t, Values: maps.Clone(st.Values)}
}

// fillComments reads the comments that came with the audits, but for those that
// rules made.
func fillComments(tx *gorm.DB, account int64, all []moment) error {
	at := make(map[int64]int, len(all))
	ids := make(models.IDs, 0, len(all))
	for i, m := range all {
		at[m.audit.ID], ids = i, append(ids, m.audit.ID)
	}
	return postgres.Rows(tx, "SELECT audit_id, public, plain_body, has_attachments FROM comments WHERE account_id = ? AND audit_id = ANY(?) AND via->>'channel' <> 'rule'",
		[]any{account, ids}, func(row postgres.Scanned) error {
			var audit int64
			c := &rules.Comment{}
			err := row.Scan(&audit, &c.Public, &c.Text, &c.Files)
			all[at[audit]].subject.Comment = c
			return err
		})
}

// fillPeople reads who makes changes, and the requesters and organizations of the
// tickets.
func fillPeople(tx *gorm.DB, account int64, all []*rules.Subject) error {
	var users, organizations models.IDs
	for _, s := range all {
		users = append(users, s.By.ID, s.After.Ticket.RequesterID)
		if id := s.After.Ticket.OrganizationID; id != nil {
			organizations = append(organizations, *id)
		}
	}
	of := subjects{map[int64]rules.User{}, map[int64]rules.Organization{}}
	if err := of.read(tx, account, users, organizations); err != nil {
		return err
	}
	for _, s := range all {
		if u, ok := of.users[s.By.ID]; ok {
			s.By = u
		}
		s.Requester = of.users[s.After.Ticket.RequesterID]
		s.Organization = of.organizations[optionalID(s.After.Ticket.OrganizationID)]
	}
	return nil
}

// present is a ticket as it is, with nobody changing it.
func present(t *models.Ticket, m *models.TicketMetric, now time.Time) *rules.Subject {
	st := snapshotOf(rules.State{Ticket: t, Values: fields.Values(t.CustomFields)})
	return &rules.Subject{Now: now, Before: st, After: st, Metric: m, By: rules.User{ID: models.SystemUser}}
}
