package dynamiccontent

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/page"
)

// VariantChange is what a caller asks of a variant. What is nil is left alone.
type VariantChange struct {
	ID       int64 // of the variant to change; 0 of a new one
	LocaleID *int64
	Content  *string
	Active   *bool
	Default  *bool
}

// Variants is a page of an item's variants by id, and the item. It fails with
// fault.NotFound.
func (s *Service) Variants(ctx context.Context, by auth.Actor, id int64, p page.Request) (page.Result[models.DynamicContentVariant], Item, error) {
	i, err := s.Get(ctx, by, id)
	if err != nil {
		return page.Result[models.DynamicContentVariant]{}, i, err
	}
	r, err := page.List(ctx, s.db, page.Query{
		Select: `id, locale, content, active, "default", created_at, updated_at`, From: "dynamic_content_variants",
		Where: "account_id = ? AND item_id = ?", Args: []any{by.AccountID, id}, Order: byID,
	}, p, func(rows *sql.Rows, order ...any) (models.DynamicContentVariant, error) {
		v := models.DynamicContentVariant{Tenant: models.Tenant{AccountID: by.AccountID}, ItemID: id}
		return v, rows.Scan(append([]any{&v.ID, &v.Locale, &v.Content, &v.Active, &v.Default, &v.CreatedAt, &v.UpdatedAt}, order...)...)
	})
	return r, i, err
}

// Variant is one variant of an item. It fails with fault.NotFound.
func (s *Service) Variant(ctx context.Context, by auth.Actor, id, variant int64) (models.DynamicContentVariant, Item, error) {
	i, err := s.Get(ctx, by, id)
	if err != nil {
		return models.DynamicContentVariant{}, i, err
	}
	v, err := i.variant(variant)
	if err != nil {
		return models.DynamicContentVariant{}, i, err
	}
	return *v, i, nil
}

func (i *Item) variant(id int64) (*models.DynamicContentVariant, error) {
	at := slices.IndexFunc(i.Variants, func(v models.DynamicContentVariant) bool { return v.ID == id })
	if at < 0 {
		return nil, fault.Missing("dynamic content variant", id)
	}
	return &i.Variants[at], nil
}

// AddVariants adds variants to an item: all of them or none. It returns them,
// and the item as it is then. It fails with fault.NotFound, fault.BadAttribute
// without any, fault.TooMany beyond MaxMany, or fault.Invalid, also for a second
// one of a locale.
func (s *Service) AddVariants(ctx context.Context, by auth.Actor, id int64, changes []VariantChange) ([]models.DynamicContentVariant, Item, error) {
	if err := some(changes); err != nil {
		return nil, Item{}, err
	}
	var i Item
	var had int
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if i, err = get(tx, id); err != nil {
			return err
		}
		had = len(i.Variants)
		return s.addTx(tx, &i, changes)
	})
	if err != nil {
		return nil, i, err
	}
	return i.Variants[had:], i, nil
}

func (s *Service) addTx(tx *gorm.DB, i *Item, changes []VariantChange) error {
	had := len(i.Variants)
	if len(changes) == 0 {
		return nil
	}
	now := s.now()
	for _, c := range changes {
		if c.LocaleID == nil {
			return fault.Blank("locale_id")
		}
		i.Variants = append(i.Variants, models.DynamicContentVariant{
			ItemID: i.ID, Active: true, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
		})
		if err := s.apply(i, len(i.Variants)-1, c); err != nil {
			return err
		}
	}
	if err := i.check(); err != nil {
		return err
	}
	added := i.Variants[had:]
	if err := s.settleTx(tx, i, i.Variants[:had]); err != nil {
		return err
	}
	return tx.CreateInBatches(&added, MaxMany).Error
}

// some fails unless there are one to MaxMany changes.
func some(changes []VariantChange) error {
	switch {
	case len(changes) == 0:
		return fault.Attribute("variants", "a list of objects")
	case len(changes) > MaxMany:
		return fault.Exceeds(MaxMany)
	}
	return nil
}

// ChangeVariants changes variants of an item, each named by its id: all of them
// or none. It returns them, and the item as it is then. It fails as AddVariants
// does, and for the default variant that is to be inactive or the default no
// more: another one has to become it.
func (s *Service) ChangeVariants(ctx context.Context, by auth.Actor, id int64, changes []VariantChange) ([]models.DynamicContentVariant, Item, error) {
	if err := some(changes); err != nil {
		return nil, Item{}, err
	}
	var i Item
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if i, err = get(tx, id); err != nil {
			return err
		}
		for _, c := range changes {
			at := slices.IndexFunc(i.Variants, func(v models.DynamicContentVariant) bool { return v.ID == c.ID })
			if at < 0 {
				return fault.Missing("dynamic content variant", c.ID)
			}
			if err := s.apply(&i, at, c); err != nil {
				return err
			}
		}
		if err := i.check(); err != nil {
			return err
		}
		return s.settleTx(tx, &i, i.Variants)
	})
	if err != nil {
		return nil, i, err
	}
	var out []models.DynamicContentVariant
	for _, c := range changes {
		v, err := i.variant(c.ID)
		if err != nil {
			return nil, i, err
		}
		out = append(out, *v)
	}
	return out, i, nil
}

// apply puts c into the variant at an index. One that becomes the default takes
// that from the one before.
func (s *Service) apply(i *Item, at int, c VariantChange) error {
	v := &i.Variants[at]
	before := *v
	if c.LocaleID != nil {
		locale, err := localeOf("locale_id", *c.LocaleID)
		if err != nil {
			return err
		}
		v.Locale = locale
	}
	if c.Content != nil {
		v.Content = *c.Content
	}
	if c.Active != nil {
		v.Active = *c.Active
	}
	if c.Default != nil {
		if v.Default && !*c.Default {
			return fault.InvalidField("default", "make another variant the default instead")
		}
		if *c.Default {
			for n := range i.Variants {
				i.Variants[n].Default = n == at
			}
		}
	}
	if *v != before {
		v.UpdatedAt = s.now()
	}
	switch {
	case v.Content == "":
		return fault.Blank("content")
	case utf8.RuneCountInString(v.Content) > maxContent:
		return fault.TooLong("content", maxContent)
	case v.Default && !v.Active:
		return fault.InvalidField("active", "the default variant cannot be inactive")
	}
	return nil
}

// check refuses an item that has two variants of a locale.
func (i *Item) check() error {
	seen := map[string]bool{}
	for _, v := range i.Variants {
		if seen[v.Locale] {
			return fault.Duplicate("locale_id", "there is a variant of %s already", v.Locale)
		}
		seen[v.Locale] = true
	}
	return nil
}

// settleTx writes those variants of i that are in the table, and the item. In
// two steps, because two of them may swap what only one can have.
func (s *Service) settleTx(tx *gorm.DB, i *Item, kept []models.DynamicContentVariant) error {
	if d := i.standard(); d != nil {
		i.DefaultLocale = d.Locale
	}
	i.UpdatedAt = s.now()
	if err := tx.Select("default_locale", "updated_at").Updates(&i.DynamicContentItem).Error; err != nil || len(kept) == 0 {
		return err
	}
	err := tx.Exec(`UPDATE dynamic_content_variants SET locale = 'variant ' || id, "default" = false WHERE account_id = ? AND item_id = ?`,
		i.AccountID, i.ID).Error
	if err != nil {
		return err
	}
	ids, names, contents := make(models.IDs, len(kept)), make(models.Strings, len(kept)), make(models.Strings, len(kept))
	active, standard, times := make(models.Strings, len(kept)), make(models.Strings, len(kept)), make(models.Strings, len(kept))
	for n, v := range kept {
		ids[n], names[n], contents[n], times[n] = v.ID, v.Locale, v.Content, v.UpdatedAt.Format(time.RFC3339Nano)
		active[n], standard[n] = strconv.FormatBool(v.Active), strconv.FormatBool(v.Default)
	}
	return tx.Exec(`UPDATE dynamic_content_variants v
		SET locale = n.locale, content = n.content, active = n.active, "default" = n.standard, updated_at = n.at
		FROM unnest(?::bigint[], ?::text[], ?::text[], ?::boolean[], ?::boolean[], ?::timestamptz[]) AS n(id, locale, content, active, standard, at)
		WHERE v.account_id = ? AND v.id = n.id`, ids, names, contents, active, standard, times, i.AccountID).Error
}

// DeleteVariant removes a variant. It fails with fault.NotFound, or with
// fault.Invalid for the default one.
func (s *Service) DeleteVariant(ctx context.Context, by auth.Actor, id, variant int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		i, err := get(tx, id)
		if err != nil {
			return err
		}
		v, err := i.variant(variant)
		if err != nil {
			return err
		}
		if v.Default {
			return fault.Base(fault.CodeInvalid, "The default variant cannot be deleted")
		}
		return tx.Delete(v).Error
	})
}

func localeOf(field string, id int64) (string, error) {
	code, ok := locales.Code(id)
	if !ok {
		return "", fault.InvalidField(field, "%d is not a locale", id)
	}
	return code, nil
}
