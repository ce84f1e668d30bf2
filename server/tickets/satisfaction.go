package tickets

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// MaxRatingComment is how long the comment of a rating may be, in characters.
const MaxRatingComment = 10_000

// Satisfaction is what becomes of a ticket's satisfaction rating: a vote (good
// or bad), or that the requester is asked for one (offered) or no more
// (unoffered). Neither of the latter takes a vote back.
type Satisfaction struct {
	Score      string
	Comment    nullable.Nullable[string] // of a vote; null clears
	ReasonCode nullable.Nullable[int64]  // of a vote; absent leaves it, unless the score changes
}

func (v Satisfaction) vote() bool { return v.Score == models.ScoreGood || v.Score == models.ScoreBad }

// rating is a ticket's rating and, beside it, the reason that it names.
type rating struct {
	models.SatisfactionRating
	reason *string
	before models.SatisfactionRating // the zero value: there was none
	told   models.SatisfactionRating // up to which events tell it
	untold bool                      // there is more to tell
}

func (r rating) voted() bool { return r.Score == models.ScoreGood || r.Score == models.ScoreBad }

// shown is the rating as tickets carry it, so that no list has to look it up.
func (r rating) shown() models.JSON {
	if !r.voted() {
		return models.ToJSON(map[string]any{"score": r.Score})
	}
	return models.ToJSON(map[string]any{"id": r.ID, "score": r.Score, "comment": r.Comment, "reason": r.reason, "reason_id": r.ReasonID})
}

// Rate is the vote of a ticket's requester; a second one replaces the first. c
// tells where it came from. It fails with fault.NotFound for a ticket that by may not see, with
// fault.Forbidden for anybody but its verified requester, and with fault.Invalid
// for a score that is no vote, and for a ticket that was neither solved yet nor
// offered for rating.
func (s *Service) Rate(ctx context.Context, by auth.Actor, ticket int64, v Satisfaction, c Change) (RatingRecord, error) {
	c.Satisfaction = &v
	var record RatingRecord
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, ticket)
		if err != nil {
			return err
		}
		if sv.before.RequesterID != by.ID() || !by.User.Verified {
			return fault.Denied()
		}
		if !v.vote() {
			return fault.InvalidField("score", "%s is not one of good, bad", v.Score)
		}
		sv.change = c
		if _, err := sv.run(); err != nil {
			return err
		}
		record, err = s.rating(postgres.WithTx(ctx, tx), by, "r.ticket_id = ?", ticket)
		return err
	})
	return record, err
}

// applySatisfaction makes the rating that the change asks for out of the one
// that there is.
func (s *save) applySatisfaction() error {
	v := s.change.Satisfaction
	if v == nil {
		return nil
	}
	r, err := s.readRating()
	if err != nil {
		return err
	}
	was := r.SatisfactionRating // maybe changed in this save already
	if v.vote() {
		err = s.applyVote(r, *v)
	} else if !r.voted() {
		r.Score = v.Score
	}
	if err != nil {
		return err
	}
	if r.Score == was.Score && same(r.Comment, was.Comment) && same(r.ReasonID, was.ReasonID) {
		return nil
	}
	if r.ID == 0 {
		r.CreatedAt = s.now
		if r.ID, err = s.newID(); err != nil {
			return err
		}
	}
	r.UpdatedAt, r.untold = s.now, true
	s.rating = r
	s.after.Satisfaction = r.shown()
	return nil
}

func (s *save) applyVote(r *rating, v Satisfaction) error {
	// A ticket that was reopened keeps the time of its first solution.
	if s.metric.FirstSolvedAt == nil && r.Score != models.ScoreOffered && !r.voted() {
		return fault.Base(fault.CodeInvalid, "Ticket: must be solved before it is rated")
	}
	if v.Score != r.Score {
		r.Score, r.ReasonID, r.reason = v.Score, nil, nil
	}
	if v.Comment.IsSpecified() {
		r.Comment = pointer(v.Comment)
		if r.Comment != nil && strings.TrimSpace(*r.Comment) == "" {
			r.Comment = nil
		}
		if r.Comment != nil && utf8.RuneCountInString(*r.Comment) > MaxRatingComment {
			return fault.TooLong("comment", MaxRatingComment)
		}
	}
	if !v.ReasonCode.IsSpecified() {
		return nil
	}
	r.ReasonID, r.reason = nil, nil
	code, err := v.ReasonCode.Get()
	if err != nil {
		return nil // null
	}
	err = s.tx.Raw("SELECT id, value FROM satisfaction_reasons WHERE account_id = ? AND reason_code = ?::bigint AND deleted_at IS NULL", s.by.AccountID, code).
		Row().Scan(&r.ReasonID, &r.reason)
	if isNoRows(err) {
		return fault.InvalidField("reason_code", "%d is invalid", code)
	}
	return err
}

// readRating is the ticket's rating as it was. The ticket's lock holds it.
func (s *save) readRating() (*rating, error) {
	if s.rating != nil {
		return s.rating, nil
	}
	r := &rating{SatisfactionRating: models.SatisfactionRating{AccountID: s.by.AccountID, TicketID: s.after.ID}}
	if s.created {
		return r, nil
	}
	err := s.tx.Raw("SELECT "+ratingColumns+" FROM satisfaction_ratings r WHERE r.account_id = ? AND r.ticket_id = ?", s.by.AccountID, s.after.ID).
		Row().Scan(append(ratingDest(&r.SatisfactionRating), &r.reason)...)
	if err != nil && !isNoRows(err) {
		return nil, err
	}
	r.before, r.told = r.SatisfactionRating, r.SatisfactionRating
	return r, nil
}

// tellSatisfaction makes the audit's events of a rating (contract
// attachments_requests.md §4): what changed and, of a vote, all of it at once.
func (s *save) tellSatisfaction() error {
	r := s.rating
	if r == nil || !r.untold {
		return nil
	}
	before, score := r.told, any(r.Score)
	r.told, r.untold = r.SatisfactionRating, false
	if before.Score == "" {
		before.Score = models.ScoreUnoffered
	}
	var events []auditEvent
	if before.Score != r.Score {
		previous := any(before.Score)
		events = append(events, auditEvent{Type: "Change", FieldName: "satisfaction_score", Value: &score, PreviousValue: &previous})
	}
	if !same(before.Comment, r.Comment) {
		comment, previous := optional(r.Comment), optional(before.Comment)
		events = append(events, auditEvent{Type: "Change", FieldName: "satisfaction_comment", Value: &comment, PreviousValue: &previous})
	}
	if r.voted() {
		assignee := any(s.after.AssigneeID)
		body := ""
		if r.Comment != nil {
			body = *r.Comment
		}
		events = append(events, auditEvent{Type: "SatisfactionRating", Score: r.Score, AssigneeID: &assignee, Body: &body})
	}
	for _, e := range events {
		if err := s.tell(e); err != nil {
			return err
		}
	}
	return nil
}

// logSatisfaction makes the entry of the event log.
func (s *save) logSatisfaction() {
	r := s.rating
	if r == nil || r.Score == models.ScoreUnoffered {
		return
	}
	csat := map[string]any{"score": r.Score}
	if !r.voted() {
		s.logEvent("csat_requested", map[string]any{"csat": csat})
		return
	}
	csat["comment"], csat["reason"] = orMissing(optional(r.Comment), ""), orMissing(optional(r.reason), "")
	s.logEvent("csat_received", map[string]any{"csat": csat})
}

// writeRating stores the rating with the rest of the save.
func (s *save) writeRating(w writes) {
	r, t := s.rating, &s.after
	w.add("new_rating", `INSERT INTO satisfaction_ratings
		(account_id, id, ticket_id, requester_id, assignee_id, group_id, score, comment, reason_id, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, ticket_id) DO UPDATE SET requester_id = excluded.requester_id, assignee_id = excluded.assignee_id,
			group_id = excluded.group_id, score = excluded.score, comment = excluded.comment, reason_id = excluded.reason_id,
			updated_at = excluded.updated_at`,
		t.AccountID, r.ID, t.ID, t.RequesterID, t.AssigneeID, t.GroupID, r.Score, r.Comment, r.ReasonID, r.CreatedAt, r.UpdatedAt)
}

const (
	ratingColumns = `r.id, r.ticket_id, r.requester_id, r.assignee_id, r.group_id, r.score, r.comment, r.reason_id,
		r.created_at, r.updated_at,
		(SELECT x.value FROM satisfaction_reasons x WHERE x.account_id = r.account_id AND x.id = r.reason_id)`
	// The ticket is looked up by each rating: who may not see it does not see
	// how it was rated.
	ratingTables = `satisfaction_ratings r CROSS JOIN LATERAL
		(SELECT * FROM tickets t WHERE t.account_id = r.account_id AND t.id = r.ticket_id LIMIT 1) t`
)

// ratingDest takes ratingColumns but for the last, the reason's text.
func ratingDest(r *models.SatisfactionRating) []any {
	return []any{&r.ID, &r.TicketID, &r.RequesterID, &r.AssigneeID, &r.GroupID, &r.Score, &r.Comment, &r.ReasonID, &r.CreatedAt, &r.UpdatedAt}
}
