package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

func (h fieldHandlers) ListTicketForms(ctx context.Context, r gen.ListTicketFormsRequestObject) (gen.ListTicketFormsResponseObject, error) {
	subdomain, _, _ := strings.Cut(callOf(ctx).host(), ".")
	list, err := h.fields.Forms(ctx, auth.From(ctx), fields.FormFilter{
		Active: (*bool)(r.Params.Active), EndUserVisible: (*bool)(r.Params.EndUserVisible), BrandSubdomain: subdomain,
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

// formListing is the envelope of forms, with their fields if they are asked for.
func (h fieldHandlers) formListing(ctx context.Context, forms []models.TicketForm) (wire.Listing, error) {
	l := whole("ticket_forms", each(forms, func(f models.TicketForm) gen.TicketForm { return formJSON(ctx, f) }))
	if !includes(ctx, "ticket_fields") {
		return l, nil
	}
	all, err := h.fields.List(ctx, auth.From(ctx))
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
		URL: link(ctx, "ticket_forms", f.ID), ID: f.ID, Name: f.Name, RawName: f.Name, DisplayName: f.DisplayName,
		RawDisplayName: f.DisplayName, Position: int64(f.Position), Active: f.Active, EndUserVisible: f.EndUserVisible,
		Default: f.Default, TicketFieldIds: list(f.TicketFieldIDs), InAllBrands: f.InAllBrands,
		RestrictedBrandIds: list(f.RestrictedBrandIDs), AgentConditions: conditionsJSON(f.AgentConditions),
		EndUserConditions: conditionsJSON(f.EndUserConditions), CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.UpdatedAt),
	}
}

func conditionsJSON(stored models.JSON) []gen.FormCondition {
	out := []gen.FormCondition{}
	d := json.NewDecoder(strings.NewReader(string(stored)))
	d.UseNumber() // ids stay what they are
	_ = d.Decode(&out)
	return out
}

func (h fieldHandlers) ListCustomStatuses(ctx context.Context, r gen.ListCustomStatusesRequestObject) (gen.ListCustomStatusesResponseObject, error) {
	list, err := h.fields.Statuses(ctx, auth.From(ctx), fields.StatusFilter{
		Categories: r.Params.StatusCategories, Active: (*bool)(r.Params.Active), Default: (*bool)(r.Params.Default),
	})
	if err != nil {
		return nil, err
	}
	items := each(list, func(st models.CustomStatus) gen.CustomStatus { return statusJSON(ctx, st) })
	return gen.ListCustomStatuses200JSONResponse{Listing: whole("custom_statuses", items)}, nil
}

func (h fieldHandlers) ShowCustomStatus(ctx context.Context, r gen.ShowCustomStatusRequestObject) (gen.ShowCustomStatusResponseObject, error) {
	st, err := h.fields.GetStatus(ctx, auth.From(ctx), int64(r.CustomStatusID))
	if err != nil {
		return nil, err
	}
	return gen.ShowCustomStatus200JSONResponse{CustomStatus: statusJSON(ctx, st)}, nil
}

func (h fieldHandlers) CreateCustomStatus(ctx context.Context, r gen.CreateCustomStatusRequestObject) (gen.CreateCustomStatusResponseObject, error) {
	st, err := h.fields.CreateStatus(ctx, auth.From(ctx), statusChange(r.Body.CustomStatus))
	if err != nil {
		return nil, err
	}
	return gen.CreateCustomStatus201JSONResponse{
		Headers: gen.CreateCustomStatus201ResponseHeaders{Location: link(ctx, "custom_statuses", st.ID)},
		Body:    gen.CustomStatusEnvelope{CustomStatus: statusJSON(ctx, st)},
	}, nil
}

func (h fieldHandlers) UpdateCustomStatus(ctx context.Context, r gen.UpdateCustomStatusRequestObject) (gen.UpdateCustomStatusResponseObject, error) {
	st, err := h.fields.UpdateStatus(ctx, auth.From(ctx), int64(r.CustomStatusID), statusChange(r.Body.CustomStatus))
	if err != nil {
		return nil, err
	}
	return gen.UpdateCustomStatus200JSONResponse{CustomStatus: statusJSON(ctx, st)}, nil
}

func (h fieldHandlers) BulkUpdateDefaultCustomStatus(ctx context.Context, r gen.BulkUpdateDefaultCustomStatusRequestObject) (gen.BulkUpdateDefaultCustomStatusResponseObject, error) {
	if err := h.fields.SetDefaultStatuses(ctx, auth.From(ctx), r.Body.Ids.Int64s()); err != nil {
		return nil, err
	}
	return gen.BulkUpdateDefaultCustomStatus200JSONResponse{}, nil
}

func statusChange(in gen.CustomStatusInput) fields.StatusChange {
	return fields.StatusChange{
		Category: (*string)(in.StatusCategory), AgentLabel: (*string)(in.AgentLabel), EndUserLabel: (*string)(in.EndUserLabel),
		Description: nullableText(in.Description), EndUserDescription: nullableText(in.EndUserDescription), Active: (*bool)(in.Active),
	}
}

func statusJSON(ctx context.Context, st models.CustomStatus) gen.CustomStatus {
	return gen.CustomStatus{
		URL: link(ctx, "custom_statuses", st.ID), ID: st.ID, StatusCategory: gen.StatusCategory(st.StatusCategory),
		AgentLabel: st.AgentLabel, RawAgentLabel: st.AgentLabel, EndUserLabel: st.EndUserLabel, RawEndUserLabel: st.EndUserLabel,
		Description: st.Description, RawDescription: st.Description, EndUserDescription: st.EndUserDescription,
		RawEndUserDescription: st.EndUserDescription, Active: st.Active, Default: st.Default,
		CreatedAt: wire.Time(st.CreatedAt), UpdatedAt: wire.Time(st.UpdatedAt),
	}
}
