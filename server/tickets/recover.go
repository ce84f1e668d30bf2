package tickets

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/suspended"
	"github.com/helpd/helpd/server/users"
)

// Who becomes the requester of what is recovered.
const (
	CallerRequests = "caller" // as through the API of the original
	AuthorRequests = "author"
)

var errNotAll = errors.New("not all could be recovered")

// Recover makes suspended tickets tickets, all of them or none: with the author,
// text, files and time that they came with. requester is CallerRequests or
// AuthorRequests. They are returned with the ticket that each one is now.
//
// Where that is not possible, those that failed are returned with the reasons,
// which are also noted, and ok is false. It fails with fault.Forbidden, and with
// fault.NotFound where any of the ids is missing, and with fault.Invalid for
// another requester.
func (s *Service) Recover(ctx context.Context, by auth.Actor, ids []int64, requester string) (list []suspended.Record, ok bool, err error) {
	failed := map[int64][]string{}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if list, err = s.suspended.LockTx(ctx, tx, by, ids); err != nil {
			return err
		}
		if requester != CallerRequests && requester != AuthorRequests {
			return fault.InvalidField("requester", "is not one of author, caller")
		}
		for i := range list {
			// A savepoint each: the others are tried too, to tell all that is wrong.
			err := tx.Transaction(func(tx *gorm.DB) error { return s.recoverTx(tx, by, &list[i], requester) })
			if fault.Of(err) != nil {
				failed[list[i].ID] = reasons(err)
			} else if err != nil {
				return err
			}
		}
		if len(failed) > 0 {
			return errNotAll
		}
		return s.suspended.DropTx(tx, by, ids)
	})
	if !errors.Is(err, errNotAll) {
		return list, err == nil, err
	}
	var those []suspended.Record
	for _, t := range list {
		if t.ErrorMessages = failed[t.ID]; t.ErrorMessages != nil {
			those = append(those, t)
		}
	}
	return those, false, s.suspended.Fail(ctx, by, failed)
}

// reasons are what a fault says, each thing by itself.
func reasons(err error) (all []string) {
	f := fault.Of(err)
	for _, details := range f.Details {
		for _, d := range details {
			all = append(all, d.Description)
		}
	}
	if len(all) == 0 {
		all = []string{f.Error()}
	}
	return all
}

// recoverTx makes t a ticket, or a comment of the one that it was for.
func (s *Service) recoverTx(tx *gorm.DB, by auth.Actor, t *suspended.Record, requester string) error {
	var c Change
	if err := json.Unmarshal(t.Change, &c); err != nil {
		return err
	}
	author, err := s.authorTx(tx, by, t.SuspendedTicket)
	if err != nil {
		return err
	}
	if c.Comment.AuthorID == 0 {
		c.Comment.AuthorID = author
	}
	c.Comment.At, c.Comment.suspended = &t.CreatedAt, t.ID
	var sv *save
	if t.TicketID != nil {
		sv, err = s.lockTx(tx, by, *t.TicketID)
		c = Change{Comment: c.Comment, Via: c.Via, Origin: c.Origin}
	} else {
		sv, err = s.newTx(tx, by, s.now())
		c = recoveredChange(c, by.ID(), author, requester)
	}
	if err != nil {
		return err
	}
	sv.take(c)
	sv.recovered = &t.SuspendedTicket
	if sv.created {
		sv.after.CreatedAt = t.CreatedAt
	}
	saved, err := sv.run()
	if err == nil {
		t.TicketID = &saved.Ticket.ID
	}
	return err
}

// recoveredChange is what was asked, held to no role any more: an agent has
// looked at it.
func recoveredChange(c Change, caller, author int64, requester string) Change {
	if !c.SubmitterID.IsSpecified() {
		c.SubmitterID.Set(author)
	}
	c.Request = false
	c.Requester, c.RequesterID = nil, nullable.NewNullableWithValue(author)
	if requester == CallerRequests {
		c.RequesterID, c.OrganizationID = nullable.NewNullableWithValue(caller), nil // of the author
	}
	return c
}

// authorTx is the user who wrote a suspended ticket. One whom nobody knew is
// made now, which is what recovering vouches for.
func (s *Service) authorTx(tx *gorm.DB, by auth.Actor, t models.SuspendedTicket) (int64, error) {
	if t.AuthorID != nil {
		return *t.AuthorID, nil
	}
	u, _, err := s.users.FindOrCreateTx(tx, by, users.Person{Email: t.AuthorEmail, Name: t.AuthorName})
	if err != nil {
		return 0, renamed(err, "author")
	}
	return u.ID, nil
}

// tellRecovery notes in the audit what the ticket had been suspended for.
func (s *save) tellRecovery() error {
	if s.recovered == nil {
		return nil
	}
	cause := suspended.CauseOf(s.recovered.CauseID)
	return s.tell(auditEvent{Type: "SuspendedTicketRecoveryEvent", CauseID: &cause.ID, CauseName: cause.Name})
}
