package helpcenter

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/postgres"
)

// Category is a category as it reads in one language.
type Category struct {
	models.Category
	Text models.Translation
}

// CategoryChange is what a caller asks of a category. Texts count when it is
// made; later they are changed as translations.
type CategoryChange struct {
	Position *int64
	Text     Text   // name and description
	Texts    []Text // in more languages
}

const (
	categoryColumns = "c.account_id, c.id, c.brand_id, c.source_locale, c.position, c.created_at, c.updated_at, " + textColumns
	categoryFrom    = "categories AS c JOIN translations AS t ON t.account_id = c.account_id AND t.source_type = 'Category' AND t.source_id = c.id"
)

func scanCategory(row postgres.Scanned, order ...any) (c Category, err error) {
	dest := []any{&c.AccountID, &c.ID, &c.BrandID, &c.SourceLocale, &c.Position, &c.CreatedAt, &c.UpdatedAt}
	err = row.Scan(append(append(dest, textInto(&c.Text)...), order...)...)
	c.Text.SourceType, c.Text.SourceID = models.SourceCategory, c.ID
	return c, err
}

// orders of a listing by what a caller may sort by. of is the table's name in it.
func orders(of string, name string, desc bool) (page.Order, error) {
	column := page.Column{Expr: of + ".position", Kind: page.Int}
	switch name {
	case "", "position":
		name = "position"
	case "created_at", "updated_at":
		column = page.Column{Expr: of + "." + name, Kind: page.Time}
	default:
		return page.Order{}, fault.InvalidField("sort_by", "%.50s is none of position, created_at and updated_at", name)
	}
	return page.By(name+",id", column, page.Column{Expr: of + ".id", Kind: page.Int}).Directed(desc), nil
}

// ListCategories is a page of the categories that there are in a language; empty
// is the default one, for staff. It fails with fault.NotFound for one that is not
// enabled.
func (s *Service) ListCategories(ctx context.Context, by auth.Actor, locale string, r page.Request) (page.Result[Category], error) {
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return page.Result[Category]{}, err
	}
	o, err := orders("c", r.Sort, r.Desc)
	if err != nil {
		return page.Result[Category]{}, err
	}
	seen, args := seenCategory(by)
	return page.ListRows(ctx, s.db, page.Query{
		Select: categoryColumns, From: categoryFrom, Where: "c.account_id = ? AND t.locale = ? AND " + seen, Args: append([]any{by.AccountID, locale}, args...), Order: o,
	}, r, scanCategory)
}

// Category is a category as it reads in a language. It fails with fault.NotFound
// also when it has no translation.
func (s *Service) Category(ctx context.Context, by auth.Actor, locale string, id int64) (Category, error) {
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return Category{}, err
	}
	return s.categoryTx(s.db.WithContext(ctx), by, locale, id)
}

func (s *Service) categoryTx(tx *gorm.DB, by auth.Actor, locale string, id int64) (c Category, err error) {
	found, err := s.categoriesTx(tx, by, locale, []int64{id})
	return only(found, err, "category", id)
}

// CategoriesByID are those of the categories that by may see in a language.
func (s *Service) CategoriesByID(ctx context.Context, by auth.Actor, locale string, ids []int64) ([]Category, error) {
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	// A search across brands shows articles of several.
	r := reachOf(config, by, nil)
	if locale, err = r.locales.reading(by, locale); err != nil {
		return nil, err
	}
	return s.categoriesTx(s.db.WithContext(ctx), r.by, locale, ids)
}

func (s *Service) categoriesTx(tx *gorm.DB, by auth.Actor, locale string, ids []int64) (list []Category, err error) {
	seen, args := seenCategory(by)
	err = postgres.Rows(tx, "SELECT "+categoryColumns+" FROM "+categoryFrom+
		" WHERE c.account_id = ? AND t.locale = ? AND c.id = ANY(?::bigint[]) AND "+seen+" ORDER BY c.id", append([]any{by.AccountID, locale, models.IDs(ids)}, args...),
		func(row postgres.Scanned) error {
			c, err := scanCategory(row)
			list = append(list, c)
			return err
		})
	return list, err
}

// CreateCategory makes a category. asked is the language of the path. It fails
// with fault.Invalid naming the field.
func (s *Service) CreateCategory(ctx context.Context, by auth.Actor, asked string, c CategoryChange) (Category, error) {
	var out Category
	if !by.Admin() {
		return out, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		l, err := s.localesTx(tx, by)
		if err != nil {
			return err
		}
		texts, err := l.fresh(by, s.now(), models.SourceCategory, asked, c.Text, c.Texts)
		position := orZero(c.Position)
		if err := fault.Join(err, positions.Check(position)); err != nil {
			return err
		}
		out.Category = models.Category{SourceLocale: texts[0].Locale, Position: int(position), Stamps: stamps(s.now())}
		at, err := s.atHelpCenterTx(tx, by)
		if err != nil {
			return err
		}
		out.BrandID = at.Brand.ID
		if err := tx.Create(&out.Category).Error; err != nil {
			return err
		}
		if err := keepTx(tx, texts, out.ID); err != nil {
			return err
		}
		out.Text = texts[0]
		return nil
	})
	return out, err
}

// UpdateCategory changes the position of a category, which it answers as it reads
// in a language.
func (s *Service) UpdateCategory(ctx context.Context, by auth.Actor, locale string, id int64, c CategoryChange) (Category, error) {
	var out Category
	err := s.changeCategory(ctx, by, id, func(tx *gorm.DB, row *models.Category) error {
		position := orZero(c.Position)
		if c.Position != nil {
			if err := positions.Check(position); err != nil {
				return err
			}
			if int(position) != row.Position {
				row.Position, row.UpdatedAt = int(position), s.now()
				if err := tx.Select("position", "updated_at").Updates(row).Error; err != nil {
					return err
				}
			}
		}
		return s.shownTx(tx, by, locale, row.SourceLocale, func(locale string) (err error) {
			out, err = s.categoryTx(tx, by, locale, id)
			return err
		})
	})
	return out, err
}

// shownTx has a record that was just changed read in the language asked for, or
// else in its own: it may have no translation in the first.
func (s *Service) shownTx(tx *gorm.DB, by auth.Actor, asked, source string, read func(locale string) error) error {
	l, err := s.localesTx(tx, by)
	if err != nil {
		return err
	}
	locale, err := l.reading(by, asked)
	if err != nil {
		return err
	}
	err = read(locale)
	if fault.Is(err, fault.NotFound) && asked == "" {
		return read(source)
	}
	return err
}

// changeCategory runs f on a category that is locked.
func (s *Service) changeCategory(ctx context.Context, by auth.Actor, id int64, f func(tx *gorm.DB, row *models.Category) error) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var row models.Category
		if err := lockTx(hereTx(tx, by), "category", id, &row); err != nil {
			return err
		}
		return f(tx, &row)
	})
}

// lockTx reads the record with an id and makes other writers of it wait.
func lockTx(tx *gorm.DB, what string, id int64, into any) error {
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(into, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing(what, id)
	}
	return err
}

// DeleteCategory removes a category with its sections, and archives their
// articles.
func (s *Service) DeleteCategory(ctx context.Context, by auth.Actor, id int64) error {
	return s.changeCategory(ctx, by, id, func(tx *gorm.DB, row *models.Category) error {
		var sections []int64
		if err := tx.Model(&models.Section{}).Clauses(clause.Locking{Strength: "UPDATE"}).Where("category_id = ?", id).Order("id").Pluck("id", &sections).Error; err != nil {
			return err
		}
		if err := s.dropSectionsTx(tx, by, sections); err != nil {
			return err
		}
		if err := dropTextsTx(tx, by.AccountID, models.SourceCategory, []int64{id}); err != nil {
			return err
		}
		return tx.Delete(row).Error
	})
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
