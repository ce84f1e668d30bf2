package api

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

func (h fieldHandlers) ListTicketForms(ctx context.Context, r gen.ListTicketFormsRequestObject) (gen.ListTicketFormsResponseObject, error) {
	list, err := h.fields.Forms(ctx, auth.From(ctx), fields.FormFilter{
		Active: (*bool)(r.Params.Active), EndUserVisible: (*bool)(r.Params.EndUserVisible),
		OfBrand: isSet(r.Params.AssociatedToBrand), FallbackToDefault: isSet(r.Params.FallbackToDefault),
	})
	if err != nil {
		return nil, err
	}
	l, err := h.formListing(ctx, list)
	return gen.ListTicketForms200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) ShowManyTicketForms(ctx context.Context, r gen.ShowManyTicketFormsRequestObject) (gen.ShowManyTicketFormsResponseObject, error) {
	ids := wire.IDs(r.Params.Ids).Int64s()
	if len(ids) > maxShowMany {
		return nil, fault.Exceeds(maxShowMany)
	}
	list, err := h.fields.FormsByID(ctx, auth.From(ctx), ids)
	if err != nil {
		return nil, err
	}
	l, err := h.formListing(ctx, list)
	return gen.ShowManyTicketForms200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) ShowTicketForm(ctx context.Context, r gen.ShowTicketFormRequestObject) (gen.ShowTicketFormResponseObject, error) {
	f, err := h.fields.GetForm(ctx, auth.From(ctx), int64(r.TicketFormID))
	if err != nil {
		return nil, err
	}
	return gen.ShowTicketForm200JSONResponse{TicketForm: formJSON(ctx, f)}, nil
}

func (h fieldHandlers) CreateTicketForm(ctx context.Context, r gen.CreateTicketFormRequestObject) (gen.CreateTicketFormResponseObject, error) {
	f, err := h.fields.CreateForm(ctx, auth.From(ctx), formChange(ctx, r.Body.TicketForm))
	if err != nil {
		return nil, err
	}
	return gen.CreateTicketForm201JSONResponse{
		Headers: gen.CreateTicketForm201ResponseHeaders{Location: link(ctx, "ticket_forms", f.ID)},
		Body:    gen.TicketFormEnvelope{TicketForm: formJSON(ctx, f)},
	}, nil
}

func (h fieldHandlers) UpdateTicketForm(ctx context.Context, r gen.UpdateTicketFormRequestObject) (gen.UpdateTicketFormResponseObject, error) {
	f, err := h.fields.UpdateForm(ctx, auth.From(ctx), int64(r.TicketFormID), formChange(ctx, r.Body.TicketForm))
	if err != nil {
		return nil, err
	}
	return gen.UpdateTicketForm200JSONResponse{TicketForm: formJSON(ctx, f)}, nil
}

func (h fieldHandlers) DeleteTicketForm(ctx context.Context, r gen.DeleteTicketFormRequestObject) (gen.DeleteTicketFormResponseObject, error) {
	if err := h.fields.DeleteForm(ctx, auth.From(ctx), int64(r.TicketFormID)); err != nil {
		return nil, err
	}
	return gen.DeleteTicketForm204Response{}, nil
}

func (h fieldHandlers) CloneTicketForm(ctx context.Context, r gen.CloneTicketFormRequestObject) (gen.CloneTicketFormResponseObject, error) {
	f, err := h.fields.CloneForm(ctx, auth.From(ctx), int64(r.TicketFormID), r.Body != nil && isSet(r.Body.PrependCloneTitle))
	if err != nil {
		return nil, err
	}
	return gen.CloneTicketForm200JSONResponse{
		Headers: gen.CloneTicketForm200ResponseHeaders{Location: link(ctx, "ticket_forms", f.ID)},
		Body:    gen.TicketFormEnvelope{TicketForm: formJSON(ctx, f)},
	}, nil
}

func (h fieldHandlers) ReorderTicketForms(ctx context.Context, r gen.ReorderTicketFormsRequestObject) (gen.ReorderTicketFormsResponseObject, error) {
	forms, err := h.fields.ReorderForms(ctx, auth.From(ctx), r.Body.TicketFormIds.Int64s())
	if err != nil {
		return nil, err
	}
	l, err := h.formListing(ctx, forms)
	return gen.ReorderTicketForms200JSONResponse{Listing: l}, err
}

func formChange(ctx context.Context, in gen.TicketFormInput) fields.FormChange {
	c := fields.FormChange{
		Name: written(ctx, in.Name, in.RawName), DisplayName: writtenOrNull(ctx, in.DisplayName, in.RawDisplayName), Position: (*int64)(in.Position),
		Active: (*bool)(in.Active), EndUserVisible: (*bool)(in.EndUserVisible), Default: (*bool)(in.Default), InAllBrands: (*bool)(in.InAllBrands),
	}
	if in.TicketFieldIds != nil {
		c.TicketFieldIDs = list(in.TicketFieldIds.Int64s())
	}
	if in.RestrictedBrandIds != nil {
		c.RestrictedBrandIDs = list(in.RestrictedBrandIds.Int64s())
	}
	if in.AgentConditions != nil {
		c.AgentConditions = each(in.AgentConditions, conditionOf)
	}
	if in.EndUserConditions != nil {
		c.EndUserConditions = each(in.EndUserConditions, conditionOf)
	}
	return c
}

func conditionOf(in gen.FormConditionInput) fields.Condition {
	return fields.Condition{
		ParentFieldID: int64(or(in.ParentFieldID, 0)), Value: json.RawMessage(models.ToJSON(in.Value)),
		ChildFields: each(in.ChildFields, func(in gen.FormConditionChildInput) fields.Child {
			ch := fields.Child{ID: int64(or(in.ID, 0)), IsRequired: isSet(in.IsRequired)}
			if on := in.RequiredOnStatuses; on != nil {
				ch.RequiredOnStatuses = &fields.RequiredOnStatuses{
					Type: string(or(on.Type, "")), Statuses: on.Statuses, CustomStatuses: on.CustomStatuses.Int64s(),
				}
			}
			return ch
		}),
	}
}

// formListing is the envelope of forms, with their fields if they are asked for.
func (h fieldHandlers) formListing(ctx context.Context, forms []models.TicketForm) (wire.Listing, error) {
	l := whole("ticket_forms", each(forms, func(f models.TicketForm) gen.TicketForm { return formJSON(ctx, f) }))
	if !includes(ctx, "ticket_fields") {
		return l, nil
	}
	all, err := h.fields.List(ctx, auth.From(ctx), models.FieldsOfTickets)
	if err != nil {
		return l, err
	}
	show, err := h.fieldJSON(ctx, nil)
	if err != nil {
		return l, err
	}
	used := slices.DeleteFunc(all, func(f *fields.Field) bool {
		return !slices.ContainsFunc(forms, func(form models.TicketForm) bool { return slices.Contains(form.TicketFieldIDs, f.ID) })
	})
	l.Add("ticket_fields", each(used, show))
	return l, nil
}

func formJSON(ctx context.Context, f models.TicketForm) gen.TicketForm {
	return gen.TicketForm{
		URL: link(ctx, "ticket_forms", f.ID), ID: f.ID, Name: rendered(ctx, f.Name), RawName: f.Name, DisplayName: rendered(ctx, f.DisplayName),
		RawDisplayName: f.DisplayName, Position: int64(f.Position), Active: f.Active, EndUserVisible: f.EndUserVisible,
		Default: f.Default, TicketFieldIds: list(f.TicketFieldIDs), InAllBrands: f.InAllBrands,
		RestrictedBrandIds: list(f.RestrictedBrandIDs), AgentConditions: conditionsJSON(f.AgentConditions),
		EndUserConditions: conditionsJSON(f.EndUserConditions), CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.UpdatedAt),
	}
}

func conditionsJSON(stored models.JSON) []gen.FormCondition {
	out := []gen.FormCondition{}
	_ = json.Unmarshal(stored, &out) // written by ourselves
	return out
}
