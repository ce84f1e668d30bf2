package helpcenter

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/segments"
)

// maxNote is how long a note of a review may be, in characters.
const maxNote = 5_000

// Submission is what a caller asks of a review.
type Submission struct {
	Locale     string // of the draft; empty: the article's own
	Note       string
	ReviewerID *int64 // who is asked; nil: whoever may publish the article
}

const reviewColumns = `r.account_id, r.id, r.article_id, r.translation_id, r.locale, r.status, r.submitter_id, r.reviewer_id, r.note,
	r.decided_by_id, r.decided_at, r.decision_note, r.created_at, r.updated_at`

func scanReview(row postgres.Scanned, order ...any) (r models.ArticleReview, err error) {
	return r, row.Scan(append([]any{&r.AccountID, &r.ID, &r.ArticleID, &r.TranslationID, &r.Locale, &r.Status, &r.SubmitterID, &r.ReviewerID, &r.Note,
		&r.DecidedByID, &r.DecidedAt, &r.DecisionNote, &r.CreatedAt, &r.UpdatedAt}, order...)...)
}

const reviewFrom = "article_reviews AS r JOIN articles AS a ON a.account_id = r.account_id AND a.id = r.article_id " +
	"JOIN translations AS t ON t.account_id = r.account_id AND t.id = r.translation_id"

// Reviews is a page of the reviews of articles that by may see, of one article
// unless that is 0, and in one state unless that is empty; by id. Staff may.
func (s *Service) Reviews(ctx context.Context, by auth.Actor, article int64, status string, p page.Request) (page.Result[models.ArticleReview], error) {
	none := page.Result[models.ArticleReview]{}
	if !by.Staff() {
		return none, fault.Denied()
	}
	seen, args := SeenArticle(by)
	q := page.Query{Select: reviewColumns, From: reviewFrom, Order: page.By("id", page.Column{Expr: "r.id", Kind: page.Int}),
		Where: "r.account_id = ? AND " + seen, Args: append([]any{by.AccountID}, args...)}
	if article != 0 {
		if _, err := s.readableTx(s.db.WithContext(ctx), by, "", article); err != nil {
			return none, err
		}
		q.Where, q.Args = q.Where+" AND r.article_id = ?", append(q.Args, article)
	}
	switch status {
	case "":
	case models.ReviewOpen, models.ReviewApproved, models.ReviewRejected, models.ReviewWithdrawn:
		q.Where, q.Args = q.Where+" AND r.status = ?", append(q.Args, status)
	default:
		return none, fault.InvalidField("status", "is none of in_review, approved, rejected and withdrawn")
	}
	q.Order = q.Order.Directed(p.Desc)
	return page.ListRows(ctx, s.db, q, p, scanReview)
}

// Review is one. Staff may. It fails with fault.NotFound.
func (s *Service) Review(ctx context.Context, by auth.Actor, id int64) (models.ArticleReview, error) {
	return s.reviewTx(s.db.WithContext(ctx), by, id)
}

func (s *Service) reviewTx(tx *gorm.DB, by auth.Actor, id int64) (r models.ArticleReview, err error) {
	if !by.Staff() {
		return r, fault.Denied()
	}
	seen, args := SeenArticle(by)
	err = postgres.Rows(tx, "SELECT "+reviewColumns+" FROM "+reviewFrom+" WHERE r.account_id = ? AND r.id = ? AND "+seen,
		append([]any{by.AccountID, id}, args...), func(row postgres.Scanned) (err error) {
			r, err = scanReview(row)
			return err
		})
	if err == nil && r.ID == 0 {
		err = fault.Missing("review", id)
	}
	return r, err
}

// Submit has a draft reviewed. Who may edit the article may. It fails with
// fault.NotFound, with fault.Forbidden, and with fault.Invalid for what is no
// draft, is in review already, or for a reviewer who may not publish it.
func (s *Service) Submit(ctx context.Context, by auth.Actor, article int64, c Submission) (models.ArticleReview, error) {
	var made models.ArticleReview
	err := s.changeArticle(ctx, by, article, func(tx *gorm.DB, a *models.Article) error {
		locale := strings.TrimSpace(c.Locale)
		if locale == "" {
			locale = a.SourceLocale
		}
		t, err := textTx(tx, models.SourceArticle, article, locale)
		if fault.Is(err, fault.NotFound) {
			return fault.InvalidField("locale", "the article has no translation for %.50s", locale)
		}
		if err != nil {
			return err
		}
		if !t.Draft {
			return fault.InvalidField("locale", "the translation for %s is published", t.Locale)
		}
		if err := fault.Join(checkNote(c.Note), reviewerTx(tx, by, *a, c.ReviewerID)); err != nil {
			return err
		}
		made = models.ArticleReview{
			ArticleID: article, TranslationID: t.ID, Locale: t.Locale, Status: models.ReviewOpen, SubmitterID: by.ID(), ReviewerID: c.ReviewerID,
			Note: strings.TrimSpace(c.Note), Stamps: stamps(s.now()),
		}
		// The article is locked: nobody submits it in between.
		var n int64
		if err := tx.Model(&made).Where("translation_id = ? AND status = ?", t.ID, models.ReviewOpen).Count(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			return fault.Duplicate("locale", "the translation for %s is in review already", t.Locale)
		}
		if err := tx.Create(&made).Error; err != nil {
			return err
		}
		return s.reviewedTx(tx, by, *a, made, "review_requested")
	})
	return made, err
}

func checkNote(note string) error {
	if utf8.RuneCountInString(note) > maxNote {
		return fault.TooLong("note", maxNote)
	}
	return nil
}

// reviewerTx refuses a reviewer who could not publish the article.
func reviewerTx(tx *gorm.DB, by auth.Actor, a models.Article, id *int64) error {
	if id == nil {
		return nil
	}
	var u models.User
	err := tx.Take(&u, "id = ? AND active", *id).Error
	if err == nil {
		err = mayChangeTx(tx, auth.Actor{AccountID: by.AccountID, User: u}, a.PermissionGroupID, a.SectionID, segments.MayPublish)
	}
	if errors.Is(err, gorm.ErrRecordNotFound) || fault.Is(err, fault.Forbidden) {
		return fault.InvalidField("reviewer_id", "%d may not publish the article", *id)
	}
	return err
}

// Decide approves a draft, which publishes it, or rejects it. Who may publish the
// article may. It fails with fault.NotFound, with fault.Forbidden, and with
// fault.Invalid for a review that has ended.
func (s *Service) Decide(ctx context.Context, by auth.Actor, id int64, approve bool, note string) (models.ArticleReview, error) {
	status := models.ReviewRejected
	if approve {
		status = models.ReviewApproved
	}
	return s.endReview(ctx, by, id, status, note, func(tx *gorm.DB, a *models.Article, r models.ArticleReview) error {
		if err := mayChangeTx(tx, by, a.PermissionGroupID, a.SectionID, segments.MayPublish); err != nil || !approve {
			return err
		}
		_, err := s.rewriteTx(tx, by, models.SourceArticle, a.ID, a, Text{Locale: r.Locale, Draft: new(false)})
		return err
	})
}

// Withdraw ends a review without a decision. Who submitted the draft may, and
// admins. It fails as Decide does.
func (s *Service) Withdraw(ctx context.Context, by auth.Actor, id int64) error {
	_, err := s.endReview(ctx, by, id, models.ReviewWithdrawn, "", func(_ *gorm.DB, _ *models.Article, r models.ArticleReview) error {
		return denied(r.SubmitterID == by.ID() || by.Admin())
	})
	return err
}

// endReview ends a review that is open, if f lets it, which does what follows.
func (s *Service) endReview(ctx context.Context, by auth.Actor, id int64, status, note string, f func(tx *gorm.DB, a *models.Article, r models.ArticleReview) error) (models.ArticleReview, error) {
	r, err := s.Review(ctx, by, id)
	if err != nil {
		return r, err
	}
	err = s.changeArticle(ctx, by, r.ArticleID, func(tx *gorm.DB, a *models.Article) error {
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&r, "id = ?", id).Error; err != nil {
			return orMissing(err, "review", id)
		}
		if err := checkNote(note); err != nil {
			return err
		}
		if r.Status != models.ReviewOpen {
			if err := mayChangeTx(tx, by, a.PermissionGroupID, a.SectionID, segments.MayPublish); err != nil && r.SubmitterID != by.ID() {
				return err
			}
			return fault.Base(fault.CodeInvalid, "The review has ended: it is %s", r.Status)
		}
		now := s.now()
		r.Status, r.DecidedByID, r.DecidedAt, r.DecisionNote, r.UpdatedAt = status, new(by.ID()), &now, strings.TrimSpace(note), now
		// Before the draft is published, which ends what is open.
		if err := tx.Select("status", "decided_by_id", "decided_at", "decision_note", "updated_at").Updates(&r).Error; err != nil {
			return err
		}
		if err := f(tx, a, r); err != nil {
			return err
		}
		return s.reviewedTx(tx, by, *a, r, "review_"+status)
	})
	return r, err
}

// passedTx ends the review of a draft that has been published without waiting for
// it: who published it has approved.
func (s *Service) passedTx(tx *gorm.DB, by auth.Actor, a models.Article, t models.Translation) error {
	var ended []models.ArticleReview
	now := s.now()
	err := tx.Model(&ended).Clauses(clause.Returning{}).Where("translation_id = ? AND status = ?", t.ID, models.ReviewOpen).
		Updates(map[string]any{"status": models.ReviewApproved, "decided_by_id": by.ID(), "decided_at": now, "updated_at": now}).Error
	for _, r := range ended {
		err = errors.Join(err, s.reviewedTx(tx, by, a, r, "review_"+models.ReviewApproved))
	}
	return err
}

type reviewEvent struct {
	ID          string `json:"id"`
	Locale      string `json:"locale"`
	ReviewerID  string `json:"reviewer_id"`
	Status      string `json:"status"`
	SubmitterID string `json:"submitter_id"`
}

// reviewedTx notes what happened to a review. The original has no such events.
func (s *Service) reviewedTx(tx *gorm.DB, by auth.Actor, a models.Article, r models.ArticleReview, what string) error {
	reviewer := int64(0)
	if r.ReviewerID != nil {
		reviewer = *r.ReviewerID
	}
	return s.noteTx(tx, by, a.ID, a.BrandID, what, struct {
		Review reviewEvent `json:"review"`
	}{reviewEvent{events.ID(r.ID), r.Locale, events.ID(reviewer), r.Status, events.ID(r.SubmitterID)}})
}
