package fields

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// Brand is a brand with the forms that its tickets may have.
type Brand struct {
	models.Brand
	TicketFormIDs []int64
}

var brandsByName = page.By("name,id", page.Column{Expr: "name", Kind: page.Text}, page.Column{Expr: "id", Kind: page.Int})

// Brands is a page of the brands by name, without deleted ones, as a set-up has them.
func (s *Service) Brands(ctx context.Context, by auth.Actor, c *Config, p page.Request) (page.Result[Brand], error) {
	ids, err := s.page(ctx, page.Query{
		Select: "id", From: "brands", Where: "account_id = ? AND NOT is_deleted", Args: []any{by.AccountID}, Order: brandsByName,
	}, p)
	return page.Map(found(ids, c.Brand), c.withForms), err
}

// GetBrand is a brand, also a deleted one. It fails with fault.NotFound.
func (s *Service) GetBrand(ctx context.Context, by auth.Actor, id int64) (Brand, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return Brand{}, err
	}
	b, ok := c.Brand(id)
	if !ok {
		err = s.db.WithContext(ctx).Take(&b, "id = ?", id).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return Brand{}, fault.Missing("brand", id)
		}
	}
	return c.withForms(b), err
}

// BrandsByID are the brands with these ids, without deleted ones.
func (c *Config) BrandsByID(ids []int64) []Brand {
	out := []Brand{}
	for _, id := range ids {
		if b, ok := c.Brand(id); ok {
			out = append(out, c.withForms(b))
		}
	}
	return out
}

func (c *Config) withForms(b models.Brand) Brand {
	out := Brand{Brand: b, TicketFormIDs: []int64{}}
	for _, f := range c.Forms {
		if formOf(f, b.ID) {
			out.TicketFormIDs = append(out.TicketFormIDs, f.ID)
		}
	}
	return out
}
