package helpcenter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// maxEvery is how many days there may be at most between two verifications.
const maxEvery = 3_650

const verificationColumns = "v.account_id, v.article_id, v.every_days, v.verified_at, v.verified_by_id, v.due_at, v.told_at"

func verificationInto(v *models.ArticleVerification) []any {
	return []any{&v.AccountID, &v.ArticleID, &v.EveryDays, &v.VerifiedAt, &v.VerifiedByID, &v.DueAt, &v.ToldAt}
}

// Verification is when an article is to be read again. Who may edit it may ask. It
// fails with fault.NotFound also for an article that is never verified.
func (s *Service) Verification(ctx context.Context, by auth.Actor, article int64) (models.ArticleVerification, error) {
	tx := s.db.WithContext(ctx)
	if err := s.mayEditTx(tx, by, article); err != nil {
		return models.ArticleVerification{}, err
	}
	return verificationTx(tx, article)
}

func verificationTx(tx *gorm.DB, article int64) (v models.ArticleVerification, err error) {
	err = tx.Take(&v, "article_id = ?", article).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("verification of article", article)
	}
	return v, err
}

// SetVerification has an article verified every so many days, for the first time
// at due, or if that is nil so many days after it was last verified, or from now.
// Who may edit it may. It fails with fault.Invalid naming the field.
func (s *Service) SetVerification(ctx context.Context, by auth.Actor, article int64, every *int64, due *time.Time) (models.ArticleVerification, error) {
	var v models.ArticleVerification
	err := s.changeArticle(ctx, by, article, func(tx *gorm.DB, a *models.Article) error {
		var err error
		if v, err = verificationTx(tx, article); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		fresh := err != nil
		v.ArticleID = article
		if every != nil {
			if *every < 1 || *every > maxEvery {
				return fault.InvalidField("every_days", "must be between 1 and %d", maxEvery)
			}
			v.EveryDays = int(*every)
		}
		if v.EveryDays == 0 {
			return fault.Blank("every_days")
		}
		from := s.now()
		if v.VerifiedAt != nil {
			from = *v.VerifiedAt
		}
		switch {
		case due != nil:
			v.DueAt = *due
		case every != nil:
			v.DueAt = from.AddDate(0, 0, v.EveryDays)
		}
		v.ToldAt = nil
		if fresh {
			return tx.Create(&v).Error
		}
		return tx.Select("every_days", "due_at", "told_at").Updates(&v).Error
	})
	return v, err
}

// EndVerification has an article verified no more. It fails with fault.NotFound.
func (s *Service) EndVerification(ctx context.Context, by auth.Actor, article int64) error {
	return s.changeArticle(ctx, by, article, func(tx *gorm.DB, _ *models.Article) error {
		v, err := verificationTx(tx, article)
		if err != nil {
			return err
		}
		return tx.Delete(&v).Error
	})
}

// Verify says that an article is right as it is. Who may edit it may. It fails
// with fault.NotFound also for an article that is never verified.
func (s *Service) Verify(ctx context.Context, by auth.Actor, article int64) (models.ArticleVerification, error) {
	var v models.ArticleVerification
	err := s.changeArticle(ctx, by, article, func(tx *gorm.DB, a *models.Article) (err error) {
		if v, err = verificationTx(tx, article); err != nil {
			return err
		}
		now := s.now()
		v.VerifiedAt, v.VerifiedByID, v.DueAt, v.ToldAt = &now, new(by.ID()), now.AddDate(0, 0, v.EveryDays), nil
		if err := tx.Select("verified_at", "verified_by_id", "due_at", "told_at").Updates(&v).Error; err != nil {
			return err
		}
		return s.noteTx(tx, by, a.ID, a.BrandID, "verified", verificationEvent{events.Time(v.DueAt)})
	})
	return v, err
}

// Unverified is an article that is to be verified, in its own language.
type Unverified struct {
	Article
	Verification models.ArticleVerification
}

var dueOrder = page.By("due_at,id", page.Column{Expr: "v.due_at", Kind: page.Time}, page.Column{Expr: "v.article_id", Kind: page.Int})

// Unverified is a page of the articles that by may see and that are due to be
// verified, the longest due first. Staff may.
func (s *Service) Unverified(ctx context.Context, by auth.Actor, r page.Request) (page.Result[Unverified], error) {
	if !by.Staff() {
		return page.Result[Unverified]{}, fault.Denied()
	}
	seen, args := SeenArticle(by)
	return page.ListRows(ctx, s.db, page.Query{
		Select: shownColumns(by) + ", " + verificationColumns, From: articleFrom + " JOIN article_verifications AS v ON v.account_id = a.account_id AND v.article_id = a.id",
		Where: "v.account_id = ? AND v.due_at <= ? AND t.locale = a.source_locale AND " + seen, Args: append([]any{by.AccountID, s.now()}, args...), Order: dueOrder,
	}, r, func(row postgres.Scanned, order ...any) (u Unverified, err error) {
		u.Article, err = scanArticle(row, append(verificationInto(&u.Verification), order...)...)
		return u, err
	})
}

type verificationEvent struct {
	DueAt string `json:"due_at"`
}

// TellDue notes of the articles of all accounts that are due to be verified that
// they are, once for each time. A job runs it now and then.
func (s *Service) TellDue(ctx context.Context) error {
	var accounts []int64
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw(`SELECT DISTINCT v.account_id FROM article_verifications AS v
		JOIN articles AS a ON a.account_id = v.account_id AND a.id = v.article_id AND a.archived_at IS NULL
		WHERE v.told_at IS NULL AND v.due_at <= ? ORDER BY v.account_id`, s.now()).Scan(&accounts).Error
	if err != nil {
		return err
	}
	var errs []error
	for _, account := range accounts {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := s.tellDue(postgres.WithAccount(ctx, account), auth.System(account)); err != nil {
			errs = append(errs, fmt.Errorf("account %d: %w", account, err)) // which must not keep the others
		}
	}
	return errors.Join(errs...)
}

func (s *Service) tellDue(ctx context.Context, by auth.Actor) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var due []struct {
			ID, BrandID int64
			DueAt       time.Time
		}
		err := tx.Raw(`UPDATE article_verifications AS v SET told_at = ? FROM articles AS a
			WHERE v.account_id = ? AND v.told_at IS NULL AND v.due_at <= ? AND a.account_id = v.account_id AND a.id = v.article_id AND a.archived_at IS NULL
			RETURNING a.id, a.brand_id, v.due_at`, s.now(), by.AccountID, s.now()).Scan(&due).Error
		if err != nil || len(due) == 0 {
			return err
		}
		all := make([]events.About, len(due))
		for i, a := range due {
			all[i] = events.About{ID: a.ID, Event: events.Event{
				Type: "article.verification_due", Detail: Detail(a.ID, a.BrandID), Change: verificationEvent{events.Time(a.DueAt)},
			}}
		}
		return events.AppendAllTx(tx, s.by(by), "article", all)
	})
}
