package rulebook

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/postgres"
)

// CategoryChange is what a caller asks of a category. What is nil is left alone.
type CategoryChange struct {
	Name     *string
	Position *int64 // behind the others for a new one that has none
}

// CategoryPlace is where a category is to be among the others.
type CategoryPlace struct {
	ID       int64
	Position *int64
}

var (
	ofCategory         = page.Column{Expr: "id", Kind: page.Int}
	categoryByPosition = page.By("position,id", page.Column{Expr: "position", Kind: page.Int}, ofCategory)
	categoryOrders     = map[string]page.Order{
		"position":   categoryByPosition,
		"name":       page.By("name,id", page.Column{Expr: "lower(name)", Kind: page.Text}, ofCategory),
		"created_at": page.By("created_at,id", page.Column{Expr: "created_at", Kind: page.Time}, ofCategory),
		"updated_at": page.By("updated_at,id", page.Column{Expr: "updated_at", Kind: page.Time}, ofCategory),
	}
)

// Categories is a page of the trigger categories, by position unless the request
// says otherwise.
func (s *Service) Categories(ctx context.Context, by auth.Actor, p page.Request) (page.Result[models.TriggerCategory], error) {
	order, ok := categoryOrders[p.Sort]
	if !ok {
		order = categoryByPosition
	}
	order = order.Directed(p.Desc)
	return page.List(ctx, s.db, page.Query{
		Select: "id, name, position, created_at, updated_at", From: "trigger_categories", Where: "account_id = ?", Args: []any{by.AccountID}, Order: order,
	}, p, func(rows *sql.Rows, order ...any) (models.TriggerCategory, error) {
		c := models.TriggerCategory{Tenant: models.Tenant{AccountID: by.AccountID}}
		return c, rows.Scan(append([]any{&c.ID, &c.Name, &c.Position, &c.CreatedAt, &c.UpdatedAt}, order...)...)
	})
}

// Category is a trigger category. It fails with fault.NotFound.
func (s *Service) Category(ctx context.Context, by auth.Actor, id int64) (models.TriggerCategory, error) {
	return category(s.db.WithContext(ctx), id)
}

func category(tx *gorm.DB, id int64) (models.TriggerCategory, error) {
	return postgres.One[models.TriggerCategory](tx, "trigger category", id)
}

// RuleCounts is how many triggers a category has.
type RuleCounts struct{ Active, Inactive int64 }

// RuleCounts are those of categories. One without triggers is not in the map.
func (s *Service) RuleCounts(ctx context.Context, by auth.Actor, categories []models.TriggerCategory) (map[int64]RuleCounts, error) {
	ids := make(models.IDs, len(categories))
	for n, c := range categories {
		ids[n] = c.ID
	}
	var rows []struct {
		CategoryID int64
		RuleCounts
	}
	err := s.db.WithContext(ctx).Model(&models.Rule{}).Where("kind = '"+models.RuleTrigger+"' AND category_id = ANY(?)", ids).Group("category_id").
		Select("category_id, count(*) FILTER (WHERE active) AS active, count(*) FILTER (WHERE NOT active) AS inactive").Scan(&rows).Error
	out := make(map[int64]RuleCounts, len(rows))
	for _, r := range rows {
		out[r.CategoryID] = r.RuleCounts
	}
	return out, err
}

// CreateCategory makes a trigger category. It fails with fault.Invalid naming
// the member.
func (s *Service) CreateCategory(ctx context.Context, by auth.Actor, c CategoryChange) (models.TriggerCategory, error) {
	var made models.TriggerCategory
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		made, err = s.createCategoryTx(tx, c)
		return err
	})
	return made, err
}

func (s *Service) createCategoryTx(tx *gorm.DB, c CategoryChange) (models.TriggerCategory, error) {
	now := s.now()
	made := models.TriggerCategory{Stamps: models.Stamps{CreatedAt: now}}
	if c.Name == nil {
		c.Name = new(string)
	}
	if err := tx.Model(&made).Select("coalesce(max(position), 0) + 1").Row().Scan(&made.Position); err != nil {
		return made, err
	}
	if err := s.applyCategory(&made, c); err != nil {
		return made, err
	}
	return made, taken(tx.Create(&made).Error, made.Name)
}

func (s *Service) applyCategory(to *models.TriggerCategory, c CategoryChange) error {
	to.UpdatedAt = s.now()
	var errs []error
	if c.Name != nil {
		to.Name = strings.TrimSpace(*c.Name)
		switch {
		case to.Name == "":
			errs = append(errs, fault.Blank("name"))
		case utf8.RuneCountInString(to.Name) > maxTitle:
			errs = append(errs, fault.TooLong("name", maxTitle))
		}
	}
	if c.Position != nil {
		errs = append(errs, positions.Check(*c.Position))
		to.Position = int(*c.Position)
	}
	return fault.Join(errs...)
}

// taken says so if err is that of another category with the name.
func taken(err error, name string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fault.Duplicate("name", "%s has already been taken", name)
	}
	return err
}

// UpdateCategory changes a trigger category. It fails with fault.NotFound, or
// with fault.Invalid naming the member.
func (s *Service) UpdateCategory(ctx context.Context, by auth.Actor, id int64, c CategoryChange) (models.TriggerCategory, error) {
	var changed models.TriggerCategory
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if changed, err = category(tx, id); err != nil {
			return err
		}
		if err := s.applyCategory(&changed, c); err != nil {
			return err
		}
		if err := taken(tx.Select("name", "position", "updated_at").Updates(&changed).Error, changed.Name); err != nil {
			return err
		}
		return followTx(tx, by.AccountID)
	})
	return changed, err
}

// followTx gives triggers the positions that their categories have now.
func followTx(tx *gorm.DB, account int64) error {
	return tx.Exec(`UPDATE rules r SET category_position = c.position FROM trigger_categories c
		WHERE r.account_id = ? AND r.kind = '`+models.RuleTrigger+`' AND c.account_id = r.account_id AND c.id = r.category_id AND r.category_position <> c.position`, account).Error
}

// DeleteCategory removes a category that has no triggers. It fails with
// fault.NotFound, or with fault.Invalid if it has some.
func (s *Service) DeleteCategory(ctx context.Context, by auth.Actor, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		c, err := category(tx, id)
		if err != nil {
			return err
		}
		var some bool
		err = tx.Raw("SELECT EXISTS (SELECT FROM rules WHERE account_id = ? AND kind = '"+models.RuleTrigger+"' AND category_id = ?)", by.AccountID, id).Row().Scan(&some)
		if err != nil {
			return err
		}
		if some {
			return fault.Base(fault.CodeInvalid, "%s: has triggers, which have to be deleted or moved first", c.Name)
		}
		return tx.Delete(&c).Error
	})
}

// Arrange puts trigger categories and triggers in other places: all of them or
// none. It returns them as they were named. It fails as UpdateMany does.
func (s *Service) Arrange(ctx context.Context, by auth.Actor, categories []CategoryPlace, triggers []Place) ([]models.TriggerCategory, []models.Rule, error) {
	if len(categories)+len(triggers) > maxPlaces {
		return nil, nil, fault.Exceeds(maxPlaces)
	}
	var arranged []models.TriggerCategory
	var placed []models.Rule
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if arranged, err = s.arrangeTx(tx, by, categories); err != nil || len(triggers) == 0 {
			return err
		}
		placed, err = s.placeManyTx(tx, by, models.RuleTrigger, triggers)
		return err
	})
	return arranged, placed, err
}

func (s *Service) arrangeTx(tx *gorm.DB, by auth.Actor, places []CategoryPlace) ([]models.TriggerCategory, error) {
	if len(places) == 0 {
		return nil, nil
	}
	var all []models.TriggerCategory
	if err := tx.Find(&all).Error; err != nil {
		return nil, err
	}
	found := make(map[int64]models.TriggerCategory, len(all))
	for _, c := range all {
		found[c.ID] = c
	}
	out := make([]models.TriggerCategory, len(places))
	ids, at := make(models.IDs, len(places)), make(models.IDs, len(places))
	for n, p := range places {
		c, ok := found[p.ID]
		if !ok {
			return nil, fault.Missing("trigger category", p.ID)
		}
		delete(found, p.ID) // named twice, it is missing
		if err := s.applyCategory(&c, CategoryChange{Position: p.Position}); err != nil {
			return nil, err
		}
		out[n], ids[n], at[n] = c, c.ID, int64(c.Position)
	}
	err := tx.Exec(`UPDATE trigger_categories c SET position = n.position, updated_at = ?
		FROM unnest(?::bigint[], ?::int[]) AS n(id, position) WHERE c.account_id = ? AND c.id = n.id`, s.now(), ids, at, by.AccountID).Error
	if err != nil {
		return nil, err
	}
	return out, followTx(tx, by.AccountID)
}
