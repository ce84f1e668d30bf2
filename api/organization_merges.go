package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

func (h organizationHandlers) CreateOrganizationMerge(ctx context.Context, r gen.CreateOrganizationMergeRequestObject) (gen.CreateOrganizationMergeResponseObject, error) {
	m, err := h.merging.Organizations(ctx, auth.From(ctx), int64(r.OrganizationID), int64(or(r.Body.OrganizationMerge.WinnerID, 0)))
	return gen.CreateOrganizationMerge200JSONResponse{OrganizationMerge: organizationMergeJSON(ctx, m)}, err
}

func (h organizationHandlers) ListOrganizationMerges(ctx context.Context, r gen.ListOrganizationMergesRequestObject) (gen.ListOrganizationMergesResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.merging.OrganizationMerges(ctx, auth.From(ctx), int64(r.OrganizationID), p)
	return gen.ListOrganizationMerges200JSONResponse{Listing: listing(ctx, "organization_merges", mapped(ctx, found, organizationMergeJSON))}, err
}

func (h organizationHandlers) ShowOrganizationMerge(ctx context.Context, r gen.ShowOrganizationMergeRequestObject) (gen.ShowOrganizationMergeResponseObject, error) {
	m, err := h.merging.OrganizationMerge(ctx, auth.From(ctx), r.OrganizationMergeID)
	return gen.ShowOrganizationMerge200JSONResponse{OrganizationMerge: organizationMergeJSON(ctx, m)}, err
}

func organizationMergeJSON(ctx context.Context, m models.OrganizationMerge) gen.OrganizationMerge {
	return gen.OrganizationMerge{
		ID: m.ID, URL: callOf(ctx).base + "/api/v2/organization_merges/" + m.ID + ".json", WinnerID: m.WinnerID, LoserID: m.LoserID,
		Status: gen.OrganizationMergeStatus(m.Status),
	}
}
