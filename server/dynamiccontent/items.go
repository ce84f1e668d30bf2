package dynamiccontent

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// Limits, in characters and variants.
const (
	maxName    = 255
	maxContent = 65_535
	// MaxMany is how many variants one call may name.
	MaxMany = 100
)

// Service keeps the items of all accounts.
type Service struct {
	db  *gorm.DB
	now func() time.Time
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service { return &Service{db: db, now: now} }

// Item is an item with its variants, by id.
type Item struct {
	models.DynamicContentItem
	Variants []models.DynamicContentVariant
}

// Placeholder is how other texts name the item.
func (i Item) Placeholder() string { return "{{dc." + i.Key + "}}" }

// standard is the default variant.
func (i Item) standard() *models.DynamicContentVariant {
	for n := range i.Variants {
		if i.Variants[n].Default {
			return &i.Variants[n]
		}
	}
	return nil
}

// Outdated reports whether a variant has not been changed since the default
// one was, whose translation it is.
func (i Item) Outdated(v models.DynamicContentVariant) bool {
	d := i.standard()
	return d != nil && !v.Default && v.UpdatedAt.Before(d.UpdatedAt)
}

// AnyOutdated reports whether any variant is outdated.
func (i Item) AnyOutdated() bool { return slices.ContainsFunc(i.Variants, i.Outdated) }

var byID = page.By("id", page.Column{Expr: "id", Kind: page.Int})

// List is a page of the items by id.
func (s *Service) List(ctx context.Context, by auth.Actor, p page.Request) (page.Result[Item], error) {
	r, err := page.List(ctx, s.db, page.Query{
		Select: "id, name, key, default_locale, created_at, updated_at", From: "dynamic_content_items",
		Where: "account_id = ?", Args: []any{by.AccountID}, Order: byID,
	}, p, func(rows *sql.Rows, order ...any) (Item, error) {
		i := Item{DynamicContentItem: models.DynamicContentItem{Tenant: models.Tenant{AccountID: by.AccountID}}}
		return i, rows.Scan(append([]any{&i.ID, &i.Name, &i.Key, &i.DefaultLocale, &i.CreatedAt, &i.UpdatedAt}, order...)...)
	})
	if err != nil {
		return r, err
	}
	return r, withVariants(s.db.WithContext(ctx), r.Items)
}

// ByPlaceholder are the items with these keys, which may be written as
// placeholders: welcome, dc.welcome or {{dc.welcome}}. Others are left out. It
// fails with fault.TooMany beyond MaxMany.
func (s *Service) ByPlaceholder(ctx context.Context, by auth.Actor, identifiers []string) ([]Item, error) {
	if len(identifiers) > MaxMany {
		return nil, fault.Exceeds(MaxMany)
	}
	keys := make(models.Strings, len(identifiers))
	for n, text := range identifiers {
		keys[n] = strings.TrimPrefix(strings.ToLower(strings.Trim(text, "{} ")), "dc.")
	}
	var rows []models.DynamicContentItem
	if err := s.db.WithContext(ctx).Where("key = ANY(?)", keys).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	items := make([]Item, len(rows))
	for n, row := range rows {
		items[n].DynamicContentItem = row
	}
	return items, withVariants(s.db.WithContext(ctx), items)
}

// withVariants reads the variants of items with one query.
func withVariants(tx *gorm.DB, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	at, ids := make(map[int64]int, len(items)), make(models.IDs, len(items))
	for n, i := range items {
		at[i.ID], ids[n] = n, i.ID
	}
	var variants []models.DynamicContentVariant
	if err := tx.Where("item_id = ANY(?)", ids).Order("id").Find(&variants).Error; err != nil {
		return err
	}
	for _, v := range variants {
		items[at[v.ItemID]].Variants = append(items[at[v.ItemID]].Variants, v)
	}
	return nil
}

// Get is an item. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (Item, error) {
	return get(s.db.WithContext(ctx), id)
}

func get(tx *gorm.DB, id int64) (Item, error) {
	items := make([]Item, 1)
	err := tx.Take(&items[0].DynamicContentItem, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Item{}, fault.Missing("dynamic content item", id)
	}
	if err == nil {
		err = withVariants(tx, items)
	}
	return items[0], err
}

// Create makes an item called name with its variants; that of defaultLocale is
// the default one. Its key comes of the name and stays. It fails with
// fault.Invalid, also when another item has the key.
func (s *Service) Create(ctx context.Context, by auth.Actor, name string, defaultLocale int64, variants []VariantChange) (Item, error) {
	now := s.now()
	i := Item{DynamicContentItem: models.DynamicContentItem{Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}}
	locale, err := localeOf("default_locale_id", defaultLocale)
	i.DefaultLocale = locale
	i.Key = keyOf(name)
	if err = fault.Join(i.rename(name), err); err != nil {
		return i, err
	}
	if len(variants) > MaxMany {
		return i, fault.Exceeds(MaxMany)
	}
	for n := range variants {
		of := variants[n].LocaleID
		isDefault := of != nil && *of == defaultLocale
		if !isDefault && variants[n].Default != nil && *variants[n].Default {
			return i, fault.InvalidField("variants", "the default one must be that of default_locale_id")
		}
		variants[n].Default = &isDefault
	}
	err = accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		err := tx.Create(&i.DynamicContentItem).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("name", "%s has already been taken", i.Name)
		}
		if err != nil {
			return err
		}
		if err := s.addTx(tx, &i, variants); err != nil {
			return err
		}
		if i.standard() == nil {
			return fault.InvalidField("variants", "need one of the default locale")
		}
		return nil
	})
	return i, err
}

// Rename changes the name of an item; its placeholder stays. It fails with
// fault.NotFound or fault.Invalid.
func (s *Service) Rename(ctx context.Context, by auth.Actor, id int64, name *string) (Item, error) {
	var i Item
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if i, err = get(tx, id); err != nil || name == nil {
			return err
		}
		if err := i.rename(*name); err != nil {
			return err
		}
		i.UpdatedAt = s.now()
		return tx.Select("name", "updated_at").Updates(&i.DynamicContentItem).Error
	})
	return i, err
}

func (i *Item) rename(name string) error {
	i.Name = strings.TrimSpace(name)
	switch {
	case i.Name == "":
		return fault.Blank("name")
	case utf8.RuneCountInString(i.Name) > maxName:
		return fault.TooLong("name", maxName)
	case strings.Trim(i.Key, "_") == "":
		return fault.Malformed("name", "needs a letter or digit")
	}
	return nil
}

var gaps = regexp.MustCompile(`[^\pL\pN]+`)

// keyOf is a name as the key of a placeholder.
func keyOf(name string) string {
	return gaps.ReplaceAllString(strings.ToLower(strings.TrimSpace(name)), "_")
}

// Delete removes an item. Its placeholder then stays as it is in texts. It
// fails with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		gone := tx.Delete(&models.DynamicContentItem{}, "id = ?", id) // its variants with it
		if gone.Error == nil && gone.RowsAffected == 0 {
			return fault.Missing("dynamic content item", id)
		}
		return gone.Error
	})
}
