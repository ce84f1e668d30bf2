package api

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/brands"
)

// baseOf is where a brand is reached: https://help.example.com. Links to what belongs to
// a brand begin with it.
func baseOf(ctx context.Context, b models.Brand) string {
	c := callOf(ctx)
	if b.ID == c.brand.ID {
		return c.base
	}
	of := c.setUp.of(ctx)
	return brands.Address(c.base, of.Account, of.Brands, b)
}

// baseOfBrand is baseOf for a brand's id; 0 is that of the host.
func baseOfBrand(ctx context.Context, id int64) string {
	c := callOf(ctx)
	if id == 0 || id == c.brand.ID {
		return c.base
	}
	b, ok := c.setUp.of(ctx).Brand(id)
	if !ok {
		return c.base
	}
	return baseOf(ctx, b)
}

// ownHost is the host that begins with a brand's subdomain.
func ownHost(ctx context.Context, b models.Brand) string {
	c := callOf(ctx)
	of := c.setUp.of(ctx)
	return brands.Host(hostOf(c.base), of.Account, of.Brands, b)
}
