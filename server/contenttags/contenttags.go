// Package contenttags keeps the words by which readers find articles and posts
// together.
package contenttags

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

// maxName is how long a name may be, in characters.
const maxName = 255

// MaxPage is how many tags a page has at most.
const MaxPage = 30

// Service keeps the content tags of all accounts.
type Service struct {
	db  *gorm.DB
	now func() time.Time
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service { return &Service{db, now} }

var (
	byID   = page.By("id", page.Column{Expr: "id", Kind: page.Text})
	byName = page.By("name", page.Column{Expr: "lower(name)", Kind: page.Text}) // which is unique
)

// List lists the tags whose names begin with a text, whatever its case, by id or
// by name.
func (s *Service) List(ctx context.Context, by auth.Actor, prefix string, r page.Request) (page.Result[models.ContentTag], error) {
	where, args := begins(by, prefix)
	q := page.Query{Select: "id, name, created_at, updated_at", From: "content_tags", Where: where, Args: args, Order: byID}
	if r.Sort == "name" {
		q.Order = byName
	}
	q.Order = q.Order.Directed(r.Desc)
	r.Size = min(r.Size, MaxPage)
	return page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (models.ContentTag, error) {
		t := models.ContentTag{AccountID: by.AccountID}
		return t, rows.Scan(append([]any{&t.ID, &t.Name, &t.CreatedAt, &t.UpdatedAt}, order...)...)
	})
}

// Count is the number of those, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor, prefix string) (int, time.Time, error) {
	where, args := begins(by, prefix)
	return page.Count(ctx, s.db, "content_tags", where, args)
}

func begins(by auth.Actor, prefix string) (string, []any) {
	if prefix == "" {
		return "account_id = ?", []any{by.AccountID}
	}
	cond, args := postgres.Begins("name", prefix)
	return "account_id = ? AND " + cond, append([]any{by.AccountID}, args...)
}

// Show is a tag. It fails with fault.NotFound.
func (s *Service) Show(ctx context.Context, id string) (models.ContentTag, error) {
	return take(s.db.WithContext(ctx), id)
}

func take(tx *gorm.DB, id string) (models.ContentTag, error) {
	var t models.ContentTag
	err := tx.Take(&t, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("content tag", id)
	}
	return t, err
}

// Create makes a tag. Staff may. It fails with fault.Invalid for a name that is
// blank, too long or taken, whatever its case.
func (s *Service) Create(ctx context.Context, by auth.Actor, name string) (models.ContentTag, error) {
	now := s.now().Truncate(time.Microsecond)
	t := models.ContentTag{ID: ulid.New(now), Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	if !by.Staff() {
		return t, fault.Denied()
	}
	if err := rename(&t, name); err != nil {
		return t, err
	}
	return t, taken(s.db.WithContext(ctx).Create(&t).Error, t.Name)
}

// Update renames a tag. Staff may. It fails with fault.NotFound, and as Create
// does. A nil name leaves it as it is.
func (s *Service) Update(ctx context.Context, by auth.Actor, id string, name *string) (models.ContentTag, error) {
	var t models.ContentTag
	if !by.Staff() {
		return t, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if t, err = take(tx.Clauses(clause.Locking{Strength: "UPDATE"}), id); err != nil || name == nil {
			return err
		}
		if err := rename(&t, *name); err != nil {
			return err
		}
		t.UpdatedAt = s.now()
		return taken(tx.Select("name", "updated_at").Updates(&t).Error, t.Name)
	})
	return t, err
}

// Delete removes a tag, also from the articles that have it. Staff may. It fails
// with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id string) error {
	if !by.Staff() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		t, err := take(tx.Clauses(clause.Locking{Strength: "UPDATE"}), id)
		if err != nil {
			return err
		}
		err = tx.Exec("UPDATE articles SET content_tag_ids = array_remove(content_tag_ids, ?) WHERE account_id = ? AND content_tag_ids <> '{}' AND content_tag_ids @> ARRAY[?::text]",
			id, by.AccountID, id).Error
		if err != nil {
			return err
		}
		return tx.Delete(&t).Error
	})
}

func rename(t *models.ContentTag, name string) error {
	t.Name = strings.TrimSpace(name)
	if t.Name == "" {
		return fault.Blank("name")
	}
	if utf8.RuneCountInString(t.Name) > maxName {
		return fault.TooLong("name", maxName)
	}
	return nil
}

// taken says so if err is that of another tag with the name.
func taken(err error, name string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fault.Duplicate("name", "%s has already been taken", name)
	}
	return err
}

// CheckTx fails with fault.Invalid, which names the field, unless all ids are
// tags of the account. Those are held: they cannot go before tx ends.
func CheckTx(tx *gorm.DB, field string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var found []string
	err := tx.Model(&models.ContentTag{}).Clauses(clause.Locking{Strength: "KEY SHARE"}).Where("id = ANY(?::text[])", models.Strings(ids)).Pluck("id", &found).Error
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(found))
	for _, id := range found {
		known[id] = true
	}
	for _, id := range ids {
		if !known[id] {
			return fault.InvalidField(field, "%.50s is not a content tag", id)
		}
	}
	return nil
}
