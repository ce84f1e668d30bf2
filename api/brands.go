package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

func (h fieldHandlers) ListBrands(ctx context.Context, _ gen.ListBrandsRequestObject) (gen.ListBrandsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	brands, err := h.fields.Brands(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListBrands200JSONResponse{Listing: listing(ctx, "brands", mapped(ctx, brands, brandJSON))}, nil
}

func (h fieldHandlers) ShowBrand(ctx context.Context, r gen.ShowBrandRequestObject) (gen.ShowBrandResponseObject, error) {
	b, err := h.fields.GetBrand(ctx, auth.From(ctx), int64(r.BrandID))
	if err != nil {
		return nil, err
	}
	return gen.ShowBrand200JSONResponse{Brand: brandJSON(ctx, b)}, nil
}

func brandJSON(ctx context.Context, b fields.Brand) gen.Brand {
	out := gen.Brand{
		URL: link(ctx, "brands", b.ID), ID: b.ID, Name: b.Name, Subdomain: b.Subdomain, BrandURL: callOf(ctx).base,
		HasHelpCenter: b.HasHelpCenter, HelpCenterState: gen.HelpCenterState(b.HelpCenterState), Active: b.Active, Default: b.Default,
		IsDeleted: b.IsDeleted, TicketFormIds: list(b.TicketFormIDs), SignatureTemplate: b.SignatureTemplate,
		CreatedAt: wire.Time(b.CreatedAt), UpdatedAt: wire.Time(b.UpdatedAt),
	}
	if b.BrandURL != nil { // without one it is reached where the caller reached us
		out.BrandURL = *b.BrandURL
	}
	if auth.From(ctx).Admin() {
		out.HostMapping = b.HostMapping
	}
	return out
}
