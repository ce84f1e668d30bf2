// Package tags counts how often each tag is in use on tickets.
package tags

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Service reads the counts and folds changes into them.
type Service struct {
	db *gorm.DB
}

// New makes the service.
func New(db *gorm.DB) *Service { return &Service{db} }

// List is a page of the account's tags, the most used first.
func (s *Service) List(ctx context.Context, by auth.Actor, r page.Request) (page.Result[models.TagCount], error) {
	if err := s.settle(ctx, by.AccountID); err != nil {
		return page.Result[models.TagCount]{}, err
	}
	return page.List(ctx, s.db, page.Query{
		Select: "name, count", From: "tag_counts", Where: "account_id = ? AND count > 0", Args: []any{by.AccountID},
		Order: page.By("-score,id", page.Column{Expr: "count", Kind: page.Int, Desc: true}, page.Column{Expr: "name", Kind: page.Text}),
	}, r, func(rows *sql.Rows, order ...any) (models.TagCount, error) {
		t := models.TagCount{AccountID: by.AccountID}
		return t, rows.Scan(append([]any{&t.Name, &t.Count}, order...)...)
	})
}

// Count is the number of tags in use.
func (s *Service) Count(ctx context.Context, by auth.Actor) (int, time.Time, error) {
	if err := s.settle(ctx, by.AccountID); err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, "tag_counts", "account_id = ? AND count > 0", []any{by.AccountID})
}

// Complete are up to 20 tags that begin with a text of two letters or more, the
// most used first.
func (s *Service) Complete(ctx context.Context, by auth.Actor, text string) ([]string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if len([]rune(text)) < 2 {
		return nil, fault.New(fault.BadRequest, "Parameter name must have at least 2 characters")
	}
	if err := s.settle(ctx, by.AccountID); err != nil {
		return nil, err
	}
	pattern := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
	names := []string{}
	err := s.db.WithContext(ctx).Raw(
		"SELECT name FROM tag_counts WHERE account_id = ? AND name LIKE ? AND count > 0 ORDER BY count DESC, name LIMIT 20", by.AccountID, pattern).Scan(&names).Error
	return names, err
}

// settle folds the account's changes into the counts before they are read, so
// that a tag just set is counted by the next request.
func (s *Service) settle(ctx context.Context, account int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return foldTx(tx, account) })
}

// foldTx folds the changes of one account. Two that fold at once take turns, so
// that their upserts cannot deadlock.
func foldTx(tx *gorm.DB, account int64) error {
	var pending bool
	if err := tx.Raw("SELECT EXISTS (SELECT FROM tag_changes WHERE account_id = ?)", account).Row().Scan(&pending); err != nil || !pending {
		return err
	}
	return tx.Exec(`WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('tags', ?))),
		folded AS (DELETE FROM tag_changes USING turn WHERE account_id = ? RETURNING name, delta)
		INSERT INTO tag_counts (account_id, name, count)
		SELECT ?::bigint, name, sum(delta) FROM folded GROUP BY name
		ON CONFLICT (account_id, name) DO UPDATE SET count = tag_counts.count + excluded.count`, account, account, account).Error
}

// Fold folds the changes of all accounts; a job runs it now and then.
func (s *Service) Fold(ctx context.Context) error {
	ctx = postgres.AcrossAccounts(ctx)
	var accounts []int64
	if err := s.db.WithContext(ctx).Raw("SELECT DISTINCT account_id FROM tag_changes").Scan(&accounts).Error; err != nil {
		return err
	}
	for _, account := range accounts {
		if err := s.settle(ctx, account); err != nil {
			return err
		}
	}
	return nil
}
