package tickets

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// Question is what a ticket asks, for answers to be suggested.
type Question struct {
	Text      string // its subject, and its first comment that end users may read
	BrandID   int64
	Requester auth.Actor // who is to read the answers
	// Answerable reports whether an answer may solve the ticket: the caller is its
	// requester or an agent, who may tell him of it, and the requester sees it.
	Answerable bool
}

// Question is what a ticket asks that by may see. It fails with fault.NotFound.
func (s *Service) Question(ctx context.Context, by auth.Actor, ticket int64) (Question, error) {
	var q Question
	var subject *string
	var body string
	var requester int64
	var public bool
	where, args := Visible(by)
	err := s.db.WithContext(ctx).Raw("SELECT t.subject, "+publicDescription+", t.requester_id, t.is_public, t.brand_id FROM tickets t WHERE t.id = ? AND "+where,
		append([]any{ticket}, args...)...).Row().Scan(&subject, &body, &requester, &public, &q.BrandID)
	if isNoRows(err) {
		return q, fault.Missing("ticket", ticket)
	}
	if err != nil {
		return q, err
	}
	if subject != nil {
		q.Text = *subject + "\n"
	}
	q.Text = strings.TrimSpace(q.Text + body)
	q.Requester, err = asRequester(s.db.WithContext(ctx), by.AccountID, requester)
	q.Answerable = public && (by.Staff() || by.ID() == requester)
	return q, err
}

// asRequester is a ticket's requester, with the rights that he has when he signs in.
// Of one who cannot, nobody: he sees what everybody sees.
func asRequester(tx *gorm.DB, account, id int64) (auth.Actor, error) {
	by := auth.Actor{AccountID: account}
	err := tx.Limit(1).Find(&by.User, "id = ? AND active AND NOT suspended", id).Error
	if err == nil && by.Staff() {
		err = tx.Model(&models.GroupMembership{}).Where("user_id = ?", id).Pluck("group_id", &by.GroupIDs).Error
	}
	return by, err
}

// SolveAsked solves the ticket of an article that was offered and that has answered it,
// in its requester's name and in the transaction in which he says so. One that is solved or closed stays as it is, and so does one that is gone, that is no
// more his, or that is a problem, which is others' too. c tells where the call came
// from.
func (s *Service) SolveAsked(c Change) func(tx *gorm.DB, d models.Deflection) error {
	return func(tx *gorm.DB, d models.Deflection) error {
		return s.solveAskedTx(tx, d.AccountID, *d.TicketID, *d.UserID, c)
	}
}

func (s *Service) solveAskedTx(tx *gorm.DB, account, ticket, requester int64, c Change) error {
	by, err := asRequester(tx, account, requester)
	if err != nil || by.Anonymous() {
		return err
	}
	where, args := visibleRequest(by)
	sv, err := s.lockWhereTx(tx, by, ticket, where, args)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t := &sv.before
	if t.RequesterID != requester || solved(t) || t.Type != nil && *t.Type == models.TypeProblem {
		return nil
	}
	// As a request: nobody need have had the ticket for an article to solve it.
	sv.change = Change{Request: true, Status: new(models.StatusSolved), Via: c.Via, Origin: c.Origin}
	_, err = sv.run()
	return err
}
