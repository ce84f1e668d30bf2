package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

func (h fieldHandlers) ListUserFields(ctx context.Context, _ gen.ListUserFieldsRequestObject) (gen.ListUserFieldsResponseObject, error) {
	l, err := h.keyedFields(ctx, models.FieldsOfUsers)
	return gen.ListUserFields200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) ShowUserField(ctx context.Context, r gen.ShowUserFieldRequestObject) (gen.ShowUserFieldResponseObject, error) {
	f, err := h.keyedField(ctx, models.FieldsOfUsers, r.UserFieldID)
	return gen.ShowUserField200JSONResponse{UserField: f}, err
}

func (h fieldHandlers) CreateUserField(ctx context.Context, r gen.CreateUserFieldRequestObject) (gen.CreateUserFieldResponseObject, error) {
	f, err := h.createKeyedField(ctx, models.FieldsOfUsers, r.Body.UserField)
	return gen.CreateUserField201JSONResponse{
		Headers: gen.CreateUserField201ResponseHeaders{Location: f.URL}, Body: gen.UserFieldEnvelope{UserField: f},
	}, err
}

func (h fieldHandlers) UpdateUserField(ctx context.Context, r gen.UpdateUserFieldRequestObject) (gen.UpdateUserFieldResponseObject, error) {
	f, err := h.updateKeyedField(ctx, models.FieldsOfUsers, r.UserFieldID, r.Body.UserField)
	return gen.UpdateUserField200JSONResponse{UserField: f}, err
}

func (h fieldHandlers) DeleteUserField(ctx context.Context, r gen.DeleteUserFieldRequestObject) (gen.DeleteUserFieldResponseObject, error) {
	err := h.fields.Delete(ctx, auth.From(ctx), models.FieldsOfUsers, int64(r.UserFieldID))
	return gen.DeleteUserField204Response{}, err
}

func (h fieldHandlers) ReorderUserField(ctx context.Context, r gen.ReorderUserFieldRequestObject) (gen.ReorderUserFieldResponseObject, error) {
	err := h.fields.Reorder(ctx, auth.From(ctx), models.FieldsOfUsers, r.Body.UserFieldIds.Int64s())
	return gen.ReorderUserField200JSONResponse{}, err
}

func (h fieldHandlers) ListUserFieldOptions(ctx context.Context, r gen.ListUserFieldOptionsRequestObject) (gen.ListUserFieldOptionsResponseObject, error) {
	l, err := h.options(ctx, models.FieldsOfUsers, r.UserFieldID)
	return gen.ListUserFieldOptions200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) CreateOrUpdateUserFieldOption(ctx context.Context, r gen.CreateOrUpdateUserFieldOptionRequestObject) (gen.CreateOrUpdateUserFieldOptionResponseObject, error) {
	body, created, err := h.putOption(ctx, models.FieldsOfUsers, r.UserFieldID, r.Body)
	location := body.CustomFieldOption.URL
	if created {
		return gen.CreateOrUpdateUserFieldOption201JSONResponse{Headers: gen.CreateOrUpdateUserFieldOption201ResponseHeaders{Location: location}, Body: body}, err
	}
	return gen.CreateOrUpdateUserFieldOption200JSONResponse{Headers: gen.CreateOrUpdateUserFieldOption200ResponseHeaders{Location: location}, Body: body}, err
}

func (h fieldHandlers) ShowUserFieldOption(ctx context.Context, r gen.ShowUserFieldOptionRequestObject) (gen.ShowUserFieldOptionResponseObject, error) {
	body, err := h.option(ctx, models.FieldsOfUsers, r.UserFieldID, r.UserFieldOptionID)
	return gen.ShowUserFieldOption200JSONResponse(body), err
}

func (h fieldHandlers) DeleteUserFieldOption(ctx context.Context, r gen.DeleteUserFieldOptionRequestObject) (gen.DeleteUserFieldOptionResponseObject, error) {
	err := h.fields.DeleteOption(ctx, auth.From(ctx), models.FieldsOfUsers, int64(r.UserFieldID), int64(r.UserFieldOptionID))
	return gen.DeleteUserFieldOption204Response{}, err
}
