package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

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
	st, err := h.fields.CreateStatus(ctx, auth.From(ctx), statusChange(ctx, r.Body.CustomStatus))
	if err != nil {
		return nil, err
	}
	return gen.CreateCustomStatus201JSONResponse{
		Headers: gen.CreateCustomStatus201ResponseHeaders{Location: link(ctx, "custom_statuses", st.ID)},
		Body:    gen.CustomStatusEnvelope{CustomStatus: statusJSON(ctx, st)},
	}, nil
}

func (h fieldHandlers) UpdateCustomStatus(ctx context.Context, r gen.UpdateCustomStatusRequestObject) (gen.UpdateCustomStatusResponseObject, error) {
	st, err := h.fields.UpdateStatus(ctx, auth.From(ctx), int64(r.CustomStatusID), statusChange(ctx, r.Body.CustomStatus))
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

func statusChange(ctx context.Context, in gen.CustomStatusInput) fields.StatusChange {
	return fields.StatusChange{
		Category: (*string)(in.StatusCategory), AgentLabel: written(ctx, in.AgentLabel, in.RawAgentLabel), EndUserLabel: written(ctx, in.EndUserLabel, in.RawEndUserLabel),
		Description:        writtenOrNull(ctx, in.Description, in.RawDescription),
		EndUserDescription: writtenOrNull(ctx, in.EndUserDescription, in.RawEndUserDescription), Active: (*bool)(in.Active),
	}
}

func statusJSON(ctx context.Context, st models.CustomStatus) gen.CustomStatus {
	return gen.CustomStatus{
		URL: link(ctx, "custom_statuses", st.ID), ID: st.ID, StatusCategory: gen.StatusCategory(st.StatusCategory),
		AgentLabel: rendered(ctx, st.AgentLabel), RawAgentLabel: st.AgentLabel, EndUserLabel: rendered(ctx, st.EndUserLabel), RawEndUserLabel: st.EndUserLabel,
		Description: renderedOptional(ctx, st.Description), RawDescription: st.Description, EndUserDescription: renderedOptional(ctx, st.EndUserDescription),
		RawEndUserDescription: st.EndUserDescription, Active: st.Active, Default: st.Default,
		CreatedAt: wire.Time(st.CreatedAt), UpdatedAt: wire.Time(st.UpdatedAt),
	}
}
