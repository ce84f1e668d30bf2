package tickets

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/suspended"
)

// held is why a new ticket is suspended, and who wrote it.
type held struct {
	cause       int
	author      *int64
	name, email string
}

// screen suspends what people send who have not signed in, where the account
// wants them to. It comes before anybody is made a user.
func (s *save) screen() error {
	settings := s.config.Settings.Tickets
	if !s.created || !s.by.Anonymous() || s.recovered != nil || !settings.SignupRequired && !settings.SuspendLoggedOutUsers {
		return nil
	}
	h := held{}
	if r := s.change.Requester; r != nil {
		h.name, h.email = r.Name, r.Email
	}
	var registered bool
	err := s.tx.Raw(`SELECT u.id, u.name, i.verified OR u.password_hash IS NOT NULL FROM user_identities i
		JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
		WHERE i.account_id = ? AND i.type = 'email' AND lower(i.value) = lower(?) AND u.active`, s.by.AccountID, strings.TrimSpace(h.email)).
		Row().Scan(&h.author, &h.name, &registered)
	switch {
	case err != nil && !isNoRows(err):
		return err
	case registered && settings.SuspendLoggedOutUsers:
		h.cause = suspended.LoggedOut
	case !registered && settings.SignupRequired:
		h.cause = suspended.SignupRequired
	default:
		return nil
	}
	s.held = &h
	return s.suspend()
}

// admit suspends the ticket of a requester whom the account has suspended. What
// is wrong with it is still told to whoever sends it.
func (s *save) admit() error {
	if !s.created || s.silent || s.recovered != nil {
		return nil
	}
	id, err := s.change.RequesterID.Get()
	if err != nil {
		return nil // the caller, who has signed in
	}
	if p, ok := s.people.byID[id]; ok && p.Active && p.Suspended {
		s.held = &held{cause: suspended.Blocklisted, author: &p.ID, name: p.Name, email: optionalText(p.Email)}
	}
	return nil
}

// suspend keeps what would have been a ticket as a suspended one, and ends the
// save.
func (s *save) suspend() error {
	if s.held == nil {
		return nil
	}
	c := s.change.Comment
	if c == nil || c.blank() && len(c.Uploads) == 0 {
		return noDescription()
	}
	if err := c.checkLength(); err != nil {
		return err
	}
	// Whoever wrote it, and not who recovers it, is to be its author.
	first := *c
	if me := s.by.ID(); me > 0 && first.AuthorID == 0 {
		first.AuthorID = me
		if id, err := s.change.SubmitterID.Get(); err == nil {
			first.AuthorID = id
		} else {
			s.change.SubmitterID.Set(me)
		}
	}
	s.comment = &models.Comment{AuthorID: first.AuthorID}
	s.writeText(s.comment, &first)
	row := models.SuspendedTicket{
		AuthorID: s.held.author, AuthorName: s.held.name, AuthorEmail: s.held.email, Subject: subjectOf(s.comment), Content: s.comment.PlainBody,
		CauseID: s.held.cause, Recipient: pointer(s.change.Recipient), Via: models.ToJSON(viaChannel("api")), BrandID: s.config.BrandAt(s.by.Brand.ID),
	}
	if subject := pointer(s.change.Subject); subject != nil && strings.TrimSpace(*subject) != "" {
		row.Subject = cutText(strings.TrimSpace(strings.ReplaceAll(*subject, "\n", " ")), MaxSubject)
	}
	if s.change.Via != nil {
		row.Via = models.ToJSON(*s.change.Via)
	}
	if id, err := s.change.BrandID.Get(); err == nil {
		if _, ok := s.config.Brand(id); ok {
			row.BrandID = id
		}
	}
	uploads := first.Uploads
	first.Uploads = nil // the suspended ticket has the files
	// The author is who the suspended ticket says, also when merged into another
	// user meanwhile.
	if s.held.author != nil && first.AuthorID == *s.held.author {
		first.AuthorID = 0
	}
	if id, err := s.change.SubmitterID.Get(); err == nil && s.held.author != nil && id == *s.held.author {
		s.change.SubmitterID = nil
	}
	s.change.Comment = &first
	row.Change = models.ToJSON(s.change)
	row, err := s.service.suspended.KeepTx(s.tx, row, uploads)
	s.suspended = &row
	return err
}

func optionalText(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// checkLength refuses a comment that is too long.
func (c NewComment) checkLength() error {
	if utf8.RuneCountInString(c.Body) > MaxComment || utf8.RuneCountInString(c.HTML) > 4*MaxComment {
		return fault.TooLong("comment", MaxComment)
	}
	return nil
}

// noDescription says that a new ticket says nothing.
func noDescription() error {
	return fault.Base(fault.CodeBlank, "Description: cannot be blank")
}

// MarshalJSON writes what a change asks for and leaves the rest out: read again,
// it is the same change. The type itself reads it.
func (c Change) MarshalJSON() ([]byte, error) {
	asked := map[string]json.RawMessage{}
	v := reflect.ValueOf(c)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if member := v.FieldByIndex(f.Index); !f.Anonymous && !member.IsZero() && f.IsExported() {
			asked[f.Name] = json.RawMessage(models.ToJSON(member.Interface()))
		}
	}
	return json.Marshal(asked)
}
