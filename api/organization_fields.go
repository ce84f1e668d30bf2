package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

func (h fieldHandlers) ListOrganizationFields(ctx context.Context, _ gen.ListOrganizationFieldsRequestObject) (gen.ListOrganizationFieldsResponseObject, error) {
	l, err := h.keyedFields(ctx, models.FieldsOfOrganizations)
	return gen.ListOrganizationFields200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) ShowOrganizationField(ctx context.Context, r gen.ShowOrganizationFieldRequestObject) (gen.ShowOrganizationFieldResponseObject, error) {
	f, err := h.keyedField(ctx, models.FieldsOfOrganizations, r.OrganizationFieldID)
	return gen.ShowOrganizationField200JSONResponse{OrganizationField: f}, err
}

func (h fieldHandlers) CreateOrganizationField(ctx context.Context, r gen.CreateOrganizationFieldRequestObject) (gen.CreateOrganizationFieldResponseObject, error) {
	f, err := h.createKeyedField(ctx, models.FieldsOfOrganizations, r.Body.OrganizationField)
	return gen.CreateOrganizationField201JSONResponse{
		Headers: gen.CreateOrganizationField201ResponseHeaders{Location: f.URL}, Body: gen.OrganizationFieldEnvelope{OrganizationField: f},
	}, err
}

func (h fieldHandlers) UpdateOrganizationField(ctx context.Context, r gen.UpdateOrganizationFieldRequestObject) (gen.UpdateOrganizationFieldResponseObject, error) {
	f, err := h.updateKeyedField(ctx, models.FieldsOfOrganizations, r.OrganizationFieldID, r.Body.OrganizationField)
	return gen.UpdateOrganizationField200JSONResponse{OrganizationField: f}, err
}

func (h fieldHandlers) DeleteOrganizationField(ctx context.Context, r gen.DeleteOrganizationFieldRequestObject) (gen.DeleteOrganizationFieldResponseObject, error) {
	err := h.fields.Delete(ctx, auth.From(ctx), models.FieldsOfOrganizations, int64(r.OrganizationFieldID))
	return gen.DeleteOrganizationField204Response{}, err
}

func (h fieldHandlers) ReorderOrganizationField(ctx context.Context, r gen.ReorderOrganizationFieldRequestObject) (gen.ReorderOrganizationFieldResponseObject, error) {
	err := h.fields.Reorder(ctx, auth.From(ctx), models.FieldsOfOrganizations, r.Body.OrganizationFieldIds.Int64s())
	return gen.ReorderOrganizationField200JSONResponse{}, err
}

func (h fieldHandlers) ListOrganizationFieldOptions(ctx context.Context, r gen.ListOrganizationFieldOptionsRequestObject) (gen.ListOrganizationFieldOptionsResponseObject, error) {
	l, err := h.options(ctx, models.FieldsOfOrganizations, r.OrganizationFieldID)
	return gen.ListOrganizationFieldOptions200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) CreateOrUpdateOrganizationFieldOption(ctx context.Context, r gen.CreateOrUpdateOrganizationFieldOptionRequestObject) (gen.CreateOrUpdateOrganizationFieldOptionResponseObject, error) {
	body, created, err := h.putOption(ctx, models.FieldsOfOrganizations, r.OrganizationFieldID, r.Body)
	location := body.CustomFieldOption.URL
	if created {
		return gen.CreateOrUpdateOrganizationFieldOption201JSONResponse{Headers: gen.CreateOrUpdateOrganizationFieldOption201ResponseHeaders{Location: location}, Body: body}, err
	}
	return gen.CreateOrUpdateOrganizationFieldOption200JSONResponse{Headers: gen.CreateOrUpdateOrganizationFieldOption200ResponseHeaders{Location: location}, Body: body}, err
}

func (h fieldHandlers) ShowOrganizationFieldOption(ctx context.Context, r gen.ShowOrganizationFieldOptionRequestObject) (gen.ShowOrganizationFieldOptionResponseObject, error) {
	body, err := h.option(ctx, models.FieldsOfOrganizations, r.OrganizationFieldID, r.OrganizationFieldOptionID)
	return gen.ShowOrganizationFieldOption200JSONResponse(body), err
}

func (h fieldHandlers) DeleteOrganizationFieldOption(ctx context.Context, r gen.DeleteOrganizationFieldOptionRequestObject) (gen.DeleteOrganizationFieldOptionResponseObject, error) {
	err := h.fields.DeleteOption(ctx, auth.From(ctx), models.FieldsOfOrganizations, int64(r.OrganizationFieldID), int64(r.OrganizationFieldOptionID))
	return gen.DeleteOrganizationFieldOption204Response{}, err
}
