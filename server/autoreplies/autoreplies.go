// Package autoreplies sends the requesters of tickets the articles that may answer
// them, where a trigger asks for it (the action deflection). The trigger leaves a note
// with the change that it followed (models.Autoreply, which package tickets writes);
// here the articles are looked for and sent, once a ticket.
package autoreplies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/tickets"
)

const (
	// atOnce is how many are taken in hand at a time.
	atOnce = 20
	// maxTries is how often one is tried that fails: for four hours.
	maxTries = 10
)

// Service sends autoreplies.
type Service struct {
	db      *gorm.DB
	tickets *tickets.Service
	help    *helpcenter.Service
	now     func() time.Time
	log     *slog.Logger
}

// New makes the service.
func New(db *gorm.DB, t *tickets.Service, h *helpcenter.Service, now func() time.Time, log *slog.Logger) *Service {
	return &Service{db: db, tickets: t, help: h, now: now, log: log}
}

// Send sends what is due, of all accounts. One that fails is tried again later and
// keeps no others waiting. However many processes do so at the same time, each is sent
// once. A job runs it every few seconds.
func (s *Service) Send(ctx context.Context) error {
	for {
		due, err := s.claim(ctx)
		for _, r := range due {
			if ctx.Err() != nil {
				return ctx.Err() // they are due again soon
			}
			if failed := s.send(postgres.WithAccount(ctx, r.AccountID), r); failed != nil {
				s.log.ErrorContext(ctx, "articles for a ticket not sent", "account", r.AccountID, "ticket", r.TicketID, "try", r.Tries, "error", failed)
			}
		}
		if err != nil || len(due) < atOnce {
			return err
		}
	}
}

// claim takes some that are due in hand: others may try them when the time has passed
// that DueAt says.
func (s *Service) claim(ctx context.Context) (due []models.Autoreply, err error) {
	now := s.now()
	err = postgres.Rows(s.db.WithContext(postgres.AcrossAccounts(ctx)), `WITH due AS (
			SELECT account_id, ticket_id FROM autoreplies WHERE due_at <= ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED)
		UPDATE autoreplies AS r SET tries = r.tries + 1, due_at = CASE WHEN r.tries < ? THEN ?::timestamptz + make_interval(mins => (r.tries + 1) * (r.tries + 1)) END
		FROM due AS d WHERE r.account_id = d.account_id AND r.ticket_id = d.ticket_id
		RETURNING r.account_id, r.ticket_id, r.rule_id, r.rule_title, r.actor_id, r.suppress, r.base, r.subject, r.body, r.asked_at, r.due_at, r.tries`,
		[]any{now, atOnce, maxTries, now}, func(row postgres.Scanned) error {
			var r models.Autoreply
			err := row.Scan(&r.AccountID, &r.TicketID, &r.RuleID, &r.RuleTitle, &r.ActorID, &r.Suppress, &r.Base, &r.Subject, &r.Body, &r.AskedAt, &r.DueAt, &r.Tries)
			if due = append(due, r); r.DueAt == nil {
				due = due[:len(due)-1] // it was tried often enough
			}
			return err
		})
	return due, err
}

func (s *Service) send(ctx context.Context, r models.Autoreply) error {
	by := auth.System(r.AccountID)
	asked, ask, found, err := s.find(ctx, by, r.TicketID)
	if err != nil {
		return err
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// Whoever comes first sends it.
		done := tx.Exec("UPDATE autoreplies SET due_at = NULL, actor_id = 0, base = '', subject = '', body = '' WHERE account_id = ? AND ticket_id = ? AND due_at = ?", r.AccountID, r.TicketID, r.DueAt)
		if done.Error != nil || done.RowsAffected == 0 || len(found) == 0 {
			return done.Error
		}
		err := tx.Transaction(func(tx *gorm.DB) error {
			return s.tickets.SendArticlesTx(tx, r, asked.Requester.ID(), func() ([]placeholders.Article, error) {
				if err := s.help.OfferTx(tx, by, ask, found); err != nil {
					return nil, err
				}
				return articles(r.AccountID, found), nil
			})
		})
		if errors.Is(err, tickets.ErrNoRecipient) { // what was offered is undone
			err = nil
		}
		return err
	})
}

// find finds the articles that may answer a ticket; none where its requester is not to
// be sent any.
func (s *Service) find(ctx context.Context, by auth.Actor, ticket int64) (q tickets.Question, ask helpcenter.Ask, found []helpcenter.Suggestion, err error) {
	q, err = s.tickets.Question(ctx, by, ticket)
	if fault.Is(err, fault.NotFound) {
		return q, ask, nil, nil
	}
	ask = helpcenter.Ask{Question: helpcenter.Shortened(q.Text), Asker: &q.Requester, TicketID: ticket, BrandID: q.BrandID}
	if err != nil || !q.Answerable || q.Requester.Anonymous() || q.Requester.User.Email == nil || strings.TrimSpace(ask.Question) == "" {
		return q, ask, nil, err
	}
	found, err = s.help.Answers(ctx, by, ask)
	if err != nil {
		err = fmt.Errorf("look for articles: %w", err)
	}
	return q, ask, found, err
}

// articles are suggestions as texts name them.
func articles(account int64, found []helpcenter.Suggestion) []placeholders.Article {
	out := make([]placeholders.Article, len(found))
	for i, f := range found {
		out[i] = placeholders.Article{
			ID: f.Article.ID, BrandID: f.Article.BrandID, Locale: f.Text.Locale, Title: f.Text.Title, Excerpt: richtext.Text(f.Snippet), HTMLBody: htmlOf(f),
			Score: f.Score, Path: helpcenter.PagePath(f.Text.Locale, "articles", f.Article.ID, f.Text.Title), Answer: helpcenter.AnswerLink(account, f.Token),
		}
	}
	return out
}

func htmlOf(f helpcenter.Suggestion) string {
	if f.Text.HTMLBody == nil {
		return ""
	}
	return *f.Text.HTMLBody
}
