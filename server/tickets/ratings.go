package tickets

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// RatingRecord is a rating and the text of the reason that it names.
type RatingRecord struct {
	models.SatisfactionRating
	Reason *string
}

// RatingFilter chooses ratings. The zero value is all of them.
type RatingFilter struct {
	Score string // one of ratingScores; empty is any
	// From and To bound the time of the last change, which for a vote is when
	// it was given; both are included, nil is open.
	From, To *time.Time
}

const received = "r.score IN ('good', 'bad')"

// ratingScores are the names by which ratings are chosen (contract
// attachments_requests.md §4), in the words of the indexes.
var ratingScores = map[string]string{
	"offered":                  "r.score = 'offered'",
	"unoffered":                "r.score = 'unoffered'",
	"received":                 received,
	"received_with_comment":    received + " AND r.comment IS NOT NULL",
	"received_without_comment": received + " AND r.comment IS NULL",
	"good":                     "r.score = 'good'",
	"good_with_comment":        "r.score = 'good' AND r.comment IS NOT NULL",
	"good_without_comment":     "r.score = 'good' AND r.comment IS NULL",
	"bad":                      "r.score = 'bad'",
	"bad_with_comment":         "r.score = 'bad' AND r.comment IS NOT NULL",
	"bad_without_comment":      "r.score = 'bad' AND r.comment IS NULL",
}

func (f RatingFilter) where(by auth.Actor) (string, []any, error) {
	if !by.Staff() {
		return "", nil, fault.Denied()
	}
	visible, args := Visible(by)
	where, args := "r.account_id = ? AND "+visible, append([]any{by.AccountID}, args...)
	if f.Score != "" {
		condition, ok := ratingScores[f.Score]
		if !ok {
			return "", nil, fault.InvalidField("score", "is not one of %s", strings.Join(slices.Sorted(maps.Keys(ratingScores)), ", "))
		}
		where += " AND " + condition
	}
	if f.From != nil {
		where, args = where+" AND r.updated_at >= ?", append(args, *f.From)
	}
	if f.To != nil {
		where, args = where+" AND r.updated_at < ?", append(args, f.To.Add(time.Second)) // the whole second
	}
	return where, args, nil
}

var ratingsByChange = page.By("updated_at,id",
	page.Column{Expr: "r.updated_at", Kind: page.Time}, page.Column{Expr: "r.id", Kind: page.Int})

// Ratings is a page of the ratings of tickets that by may see, the one that
// changed last at the end unless the request turns it: whoever comes back for
// what is new finds changed votes too. It fails with fault.Forbidden for end
// users, and with fault.Invalid for an unknown score.
func (s *Service) Ratings(ctx context.Context, by auth.Actor, f RatingFilter, r page.Request) (page.Result[RatingRecord], error) {
	where, args, err := f.where(by)
	if err != nil {
		return page.Result[RatingRecord]{}, err
	}
	q := page.Query{Select: ratingColumns, From: ratingTables, Where: where, Args: args, Order: ratingsByChange}
	if r.Desc {
		q.Order = q.Order.Reversed()
	}
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (RatingRecord, error) {
		record := RatingRecord{SatisfactionRating: models.SatisfactionRating{AccountID: by.AccountID}}
		return record, rows.Scan(append(record.dest(), order...)...)
	})
}

func (r *RatingRecord) dest() []any { return append(ratingDest(&r.SatisfactionRating), &r.Reason) }

// CountRatings is the number of ratings and when it was taken. It fails as
// Ratings does.
func (s *Service) CountRatings(ctx context.Context, by auth.Actor, f RatingFilter) (int, time.Time, error) {
	where, args, err := f.where(by)
	if err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, ratingTables, where, args)
}

// Rating is a rating by its id. It fails with fault.NotFound.
func (s *Service) Rating(ctx context.Context, by auth.Actor, id int64) (RatingRecord, error) {
	if !by.Staff() {
		return RatingRecord{}, fault.Denied()
	}
	return s.rating(ctx, by, "r.id = ?", id)
}

// rating is the one that the condition finds on a ticket that by may see.
func (s *Service) rating(ctx context.Context, by auth.Actor, condition string, id int64) (RatingRecord, error) {
	record := RatingRecord{SatisfactionRating: models.SatisfactionRating{AccountID: by.AccountID}}
	visible, args := Visible(by)
	err := s.db.WithContext(ctx).Raw("SELECT "+ratingColumns+" FROM "+ratingTables+" WHERE r.account_id = ? AND "+condition+" AND "+visible,
		append([]any{by.AccountID, id}, args...)...).Row().Scan(record.dest()...)
	if isNoRows(err) {
		return record, fault.Missing("satisfaction rating", id)
	}
	return record, err
}
