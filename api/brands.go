package api

import (
	"cmp"
	"context"
	"strings"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

type brandHandlers struct {
	brands *brands.Service
	fields *fields.Service
	files  *attachments.Service
}

func (h brandHandlers) ListBrands(ctx context.Context, _ gen.ListBrandsRequestObject) (gen.ListBrandsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	brands, err := h.fields.Brands(ctx, auth.From(ctx), callOf(ctx).setUp.of(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListBrands200JSONResponse{Listing: listing(ctx, "brands", mapped(ctx, brands, brandJSON))}, nil
}

func (h brandHandlers) ShowBrand(ctx context.Context, r gen.ShowBrandRequestObject) (gen.ShowBrandResponseObject, error) {
	b, err := h.fields.GetBrand(ctx, auth.From(ctx), int64(r.BrandID))
	if err != nil {
		return nil, err
	}
	return gen.ShowBrand200JSONResponse{Brand: brandJSON(ctx, b)}, nil
}

func (h brandHandlers) CreateBrand(ctx context.Context, r gen.CreateBrandRequestObject) (gen.CreateBrandResponseObject, error) {
	b, err := h.brands.Create(ctx, auth.From(ctx), h.change(ctx, r.Body.Brand))
	if err != nil {
		return nil, err
	}
	out, err := h.envelope(ctx, b)
	return gen.CreateBrand201JSONResponse{Headers: gen.CreateBrand201ResponseHeaders{Location: out.Brand.URL}, Body: out}, err
}

func (h brandHandlers) UpdateBrand(ctx context.Context, r gen.UpdateBrandRequestObject) (gen.UpdateBrandResponseObject, error) {
	c, err := h.changeOf(ctx, r)
	if err != nil {
		return nil, err
	}
	b, err := h.brands.Update(ctx, auth.From(ctx), int64(r.BrandID), c)
	if err != nil {
		return nil, err
	}
	out, err := h.envelope(ctx, b)
	return gen.UpdateBrand200JSONResponse(out), err
}

// changeOf reads what is asked of a brand, as JSON or as a form with a logo.
func (h brandHandlers) changeOf(ctx context.Context, r gen.UpdateBrandRequestObject) (brands.Change, error) {
	if r.JSONBody != nil {
		return h.change(ctx, r.JSONBody.Brand), nil
	}
	if r.MultipartBody == nil {
		return brands.Change{}, fault.Attribute("brand", "an object")
	}
	// No picture is received for a brand that there is not.
	if b, err := h.fields.GetBrand(ctx, auth.From(ctx), int64(r.BrandID)); err != nil || b.IsDeleted {
		return brands.Change{}, cmp.Or(err, error(fault.Missing("brand", int64(r.BrandID))))
	}
	body, logo, err := readPhotoForm[gen.BrandBody](ctx, h.files, r.MultipartBody, "brand")
	c := h.change(ctx, body.Brand)
	c.Logo = logo
	return c, err
}

func (h brandHandlers) DeleteBrand(ctx context.Context, r gen.DeleteBrandRequestObject) (gen.DeleteBrandResponseObject, error) {
	return gen.DeleteBrand204Response{}, h.brands.Delete(ctx, auth.From(ctx), int64(r.BrandID))
}

// envelope is a brand that has just been saved, with the forms of its tickets.
func (h brandHandlers) envelope(ctx context.Context, b models.Brand) (gen.BrandEnvelope, error) {
	saved, err := h.fields.GetBrand(ctx, auth.From(ctx), b.ID)
	return gen.BrandEnvelope{Brand: brandJSON(ctx, saved)}, err
}

func (h brandHandlers) CheckHostMappingValidity(ctx context.Context, r gen.CheckHostMappingValidityRequestObject) (gen.CheckHostMappingValidityResponseObject, error) {
	out, err := h.checkHost(ctx, models.Brand{Subdomain: strings.ToLower(r.Params.Subdomain), HostMapping: &r.Params.HostMapping})
	return gen.CheckHostMappingValidity200JSONResponse(out), err
}

func (h brandHandlers) CheckHostMappingValidityForExistingBrand(ctx context.Context, r gen.CheckHostMappingValidityForExistingBrandRequestObject) (gen.CheckHostMappingValidityForExistingBrandResponseObject, error) {
	b, err := h.fields.GetBrand(ctx, auth.From(ctx), int64(r.BrandID))
	if err != nil {
		return nil, err
	}
	if b.IsDeleted {
		return nil, fault.Missing("brand", b.ID)
	}
	out, err := h.checkHost(ctx, b.Brand)
	return gen.CheckHostMappingValidityForExistingBrand200JSONResponse(out), err
}

func (h brandHandlers) checkHost(ctx context.Context, b models.Brand) (gen.HostMappingEnvelope, error) {
	if err := accounts.CheckSubdomain(b.Subdomain); err != nil {
		return gen.HostMappingEnvelope{}, err
	}
	expected := ownHost(ctx, b)
	found := brands.Mapping{Reason: brands.NotACNAME}
	if b.HostMapping != nil {
		var err error
		if found, err = h.brands.CheckHost(ctx, auth.From(ctx), b.ID, *b.HostMapping, expected); err != nil {
			return gen.HostMappingEnvelope{}, err
		}
	}
	out := gen.HostMappingEnvelope{IsValid: found.Reason == ""}
	if found.CNAME != "" {
		out.Cname = &found.CNAME
	}
	if !out.IsValid {
		out.Reason, out.ExpectedCnames = (*gen.HostMappingReason)(&found.Reason), []string{expected}
	}
	return out, nil
}

func (h brandHandlers) change(ctx context.Context, in gen.BrandInput) brands.Change {
	c := brands.Change{
		Name: (*string)(in.Name), Subdomain: (*string)(in.Subdomain), BrandURL: nullableText(in.BrandURL), HostMapping: nullableText(in.HostMapping),
		HelpCenterState: (*string)(in.HelpCenterState), Active: (*bool)(in.Active), Default: (*bool)(in.Default),
		SignatureTemplate: nullableText(in.SignatureTemplate), DefaultLocale: nullableText(in.DefaultLocale), Locales: in.Locales,
		UsualURL: func(b models.Brand) string { return baseOf(ctx, b) },
	}
	if in.Logo.IsNull() {
		c.Logo = &attachments.PhotoChange{Files: h.files}
	} else if logo, err := in.Logo.Get(); err == nil {
		c.LogoID = (*int64)(logo.ID)
	}
	return c
}

func brandJSON(ctx context.Context, b fields.Brand) gen.Brand {
	out := gen.Brand{
		URL: link(ctx, "brands", b.ID), ID: b.ID, Name: b.Name, Subdomain: b.Subdomain, BrandURL: baseOf(ctx, b.Brand),
		HasHelpCenter: b.HasHelpCenter, HelpCenterState: gen.HelpCenterState(b.HelpCenterState), Active: b.Active, Default: b.Default,
		IsDeleted: b.IsDeleted, TicketFormIds: list(b.TicketFormIDs), SignatureTemplate: b.SignatureTemplate, DefaultLocale: b.DefaultLocale, Logo: photoJSON(ctx, b.Logo),
		CreatedAt: wire.Time(b.CreatedAt), UpdatedAt: wire.Time(b.UpdatedAt),
	}
	if b.BrandURL != nil { // without one it is where its host is
		out.BrandURL = *b.BrandURL
	}
	if len(b.Locales) > 0 {
		out.Locales = b.Locales
	}
	if auth.From(ctx).Admin() {
		out.HostMapping = b.HostMapping
	}
	return out
}
