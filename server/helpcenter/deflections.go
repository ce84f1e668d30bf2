package helpcenter

import (
	"context"
	"math"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// OfferTx notes that articles were offered, and gives each its token. A ticket is
// offered an article once: later its token is that of the first time, and what was
// said to it stays.
func (s *Service) OfferTx(tx *gorm.DB, by auth.Actor, ask Ask, found []Suggestion) error {
	asker := by
	if ask.Asker != nil {
		asker = *ask.Asker
	}
	var articles, scores models.IDs
	var locales models.Strings
	at := make(map[int64]*Suggestion, len(found))
	for i := range found {
		f := &found[i]
		at[f.Article.ID] = f
		articles, locales, scores = append(articles, f.Article.ID), append(locales, f.Text.Locale), append(scores, int64(math.Round(1000*f.Score)))
	}
	now := s.now().UTC()
	rows := map[int64]int64{}
	err := postgres.Rows(tx, `INSERT INTO deflections AS d (account_id, article_id, locale, ticket_id, user_id, score, outcome, offered_at)
		SELECT ?, v.article, v.locale, nullif(?::bigint, 0), nullif(?::bigint, 0), v.score, 'offered', ? FROM unnest(?::bigint[], ?::text[], ?::bigint[]) AS v(article, locale, score)
		ON CONFLICT (account_id, ticket_id, article_id) WHERE ticket_id IS NOT NULL DO UPDATE SET score = d.score RETURNING d.id, d.article_id`,
		[]any{by.AccountID, ask.TicketID, max(asker.ID(), 0), now, articles, locales, scores}, func(row postgres.Scanned) error {
			var id, article int64
			err := row.Scan(&id, &article)
			rows[article] = id
			return err
		})
	if err != nil {
		return err
	}
	for article, f := range at {
		if f.Token, err = tokenTx(tx, s, suggestionPurpose, offered{rows[article]}, now.Add(answerable)); err != nil {
			return err
		}
	}
	return nil
}

const suggestionPurpose = "suggestion"

// offered is what the token of a suggestion says.
type offered struct {
	ID int64 `json:"d"`
}

// DecideSuggestion notes what came of a suggestion, models.DeflectionSolved or
// DeflectionRejected. The same answer again changes nothing, and another replaces it.
// The first time that it solved a ticket, solve is called in the same transaction.
// It fails with fault.Invalid for a token that is none of the account's or too old.
func (s *Service) DecideSuggestion(ctx context.Context, token, outcome string, solve func(*gorm.DB, models.Deflection) error) error {
	of, ok, err := brought[offered](ctx, s, suggestionPurpose, token)
	if err != nil {
		return err
	}
	if !ok {
		return notOffered()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var d models.Deflection
		found := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Limit(1).Find(&d, "id = ?", of.ID)
		switch {
		case found.Error != nil:
			return found.Error
		case found.RowsAffected == 0:
			return notOffered()
		case d.Outcome == outcome:
			return nil
		}
		now := s.now()
		first := outcome == models.DeflectionSolved && d.SolvedAt == nil
		d.Outcome, d.DecidedAt = outcome, &now
		if first {
			d.SolvedAt = &now
		}
		if err := tx.Select("outcome", "decided_at", "solved_at").Updates(&d).Error; err != nil {
			return err
		}
		if !first || d.TicketID == nil || d.UserID == nil {
			return nil
		}
		return solve(tx, d)
	})
}

func notOffered() error {
	return fault.InvalidField("token", "is none of a suggestion, or has expired")
}

// Deflected counts what came of the suggestions of an article, or of a day.
type Deflected struct {
	ArticleID                 int64     // 0: by day
	Day                       time.Time // in UTC; zero: by article
	Offered, Solved, Rejected int64
}

// Ways to count suggestions.
const (
	ByArticle = "article"
	ByDay     = "day"
)

// Deflections is a page, by number, of what came of the suggestions of a period, each
// day or article by itself; the latest day and the article that was offered most
// often first. The days are as in Looked. Agents learn of articles that they may see.
func (s *Service) Deflections(ctx context.Context, by auth.Actor, from, to, group string, r page.Request) (page.Result[Deflected], error) {
	out := page.Result[Deflected]{Request: r, Items: []Deflected{}}
	from, to, err := s.period(from, to)
	if err != nil {
		return out, err
	}
	columns, key, order := "d.article_id, NULL::timestamptz", "d.article_id", "3 DESC, 1"
	switch group {
	case "", ByArticle:
	case ByDay:
		key = "date_trunc('day', d.offered_at, 'UTC')"
		columns, order = "0::bigint, "+key, "2 DESC"
	default:
		return out, fault.InvalidField("group_by", "is none of article and day")
	}
	where, args := "d.account_id = ? AND d.offered_at >= ?::timestamptz AND d.offered_at < ?::timestamptz + interval '1 day'", []any{by.AccountID, from + "T00:00:00Z", to + "T00:00:00Z"}
	if by.Admin() { // also of what is archived
		of, more := ofBrand(by, "a.brand_id")
		where, args = where+" AND EXISTS (SELECT FROM articles AS a WHERE a.account_id = d.account_id AND a.id = d.article_id AND "+of+")", append(args, more...)
	} else {
		seen, more := SeenArticle(by)
		where, args = where+" AND EXISTS (SELECT FROM "+articleFrom+" WHERE a.account_id = d.account_id AND a.id = d.article_id AND t.locale = d.locale AND "+seen+")", append(args, more...)
	}
	return grouped(s.db.WithContext(ctx), r, columns+", count(*), count(*) FILTER (WHERE d.outcome = 'solved'), count(*) FILTER (WHERE d.outcome = 'rejected')",
		"FROM deflections AS d WHERE "+where+" GROUP BY "+key, order, args, func(row postgres.Scanned, count *int) (one Deflected, err error) {
			var day *time.Time
			err = row.Scan(&one.ArticleID, &day, &one.Offered, &one.Solved, &one.Rejected, count)
			if day != nil {
				one.Day = day.UTC()
			}
			return one, err
		})
}
