package api

import (
	"context"
	"slices"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/users"
)

type fieldHandlers struct {
	fields *fields.Service
	users  *users.Service
}

func (h fieldHandlers) ListTicketFields(ctx context.Context, r gen.ListTicketFieldsRequestObject) (gen.ListTicketFieldsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	show, err := h.fieldJSON(ctx, r.Params.Creator)
	if err != nil {
		return nil, err
	}
	if p.Cursor {
		list, err := h.fields.Page(ctx, auth.From(ctx), models.FieldsOfTickets, p)
		if err != nil {
			return nil, err
		}
		l, err := h.addCreators(ctx, listing(ctx, "ticket_fields", page.Map(list, show)), list.Items)
		return gen.ListTicketFields200JSONResponse{Listing: l}, err
	}
	list, err := h.fields.List(ctx, auth.From(ctx), models.FieldsOfTickets)
	if err != nil {
		return nil, err
	}
	l, err := h.addCreators(ctx, whole("ticket_fields", each(list, show)), list)
	return gen.ListTicketFields200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) ShowTicketfield(ctx context.Context, r gen.ShowTicketfieldRequestObject) (gen.ShowTicketfieldResponseObject, error) {
	show, err := h.fieldJSON(ctx, r.Params.Creator)
	if err != nil {
		return nil, err
	}
	f, err := h.fields.Get(ctx, auth.From(ctx), models.FieldsOfTickets, int64(r.TicketFieldID))
	if err != nil {
		return nil, err
	}
	creators, err := h.creators(ctx, []*fields.Field{f})
	return gen.ShowTicketfield200JSONResponse{TicketField: show(f), Users: creators}, err
}

// creators is the side-load of fields: the users who made them; nil unless an
// agent asks for it.
func (h fieldHandlers) creators(ctx context.Context, of []*fields.Field) ([]gen.User, error) {
	by := auth.From(ctx)
	if !by.Staff() || !includes(ctx, "users") {
		return nil, nil
	}
	var ids []int64
	for _, f := range of {
		if f.CreatorUserID != nil && !slices.Contains(ids, *f.CreatorUserID) {
			ids = append(ids, *f.CreatorUserID)
		}
	}
	found, err := h.users.ByIDs(ctx, by.AccountID, ids)
	return usersJSON(ctx, found), err
}

func (h fieldHandlers) addCreators(ctx context.Context, l wire.Listing, of []*fields.Field) (wire.Listing, error) {
	creators, err := h.creators(ctx, of)
	if creators != nil {
		l.Add("users", creators)
	}
	return l, err
}

func (h fieldHandlers) CountTicketFields(ctx context.Context, _ gen.CountTicketFieldsRequestObject) (gen.CountTicketFieldsResponseObject, error) {
	n, at, err := h.fields.Count(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return gen.CountTicketFields200JSONResponse(countJSON(n, at)), nil
}

func (h fieldHandlers) CreateTicketField(ctx context.Context, r gen.CreateTicketFieldRequestObject) (gen.CreateTicketFieldResponseObject, error) {
	f, err := h.fields.Create(ctx, auth.From(ctx), models.FieldsOfTickets, fieldChange(ctx, r.Body.TicketField))
	if err != nil {
		return nil, err
	}
	show, err := h.fieldJSON(ctx, nil)
	if err != nil {
		return nil, err
	}
	return gen.CreateTicketField201JSONResponse{
		Headers: gen.CreateTicketField201ResponseHeaders{Location: link(ctx, "ticket_fields", f.ID)},
		Body:    gen.TicketFieldEnvelope{TicketField: show(f)},
	}, nil
}

func (h fieldHandlers) UpdateTicketField(ctx context.Context, r gen.UpdateTicketFieldRequestObject) (gen.UpdateTicketFieldResponseObject, error) {
	f, err := h.fields.Update(ctx, auth.From(ctx), models.FieldsOfTickets, int64(r.TicketFieldID), fieldChange(ctx, r.Body.TicketField))
	if err != nil {
		return nil, err
	}
	show, err := h.fieldJSON(ctx, nil)
	if err != nil {
		return nil, err
	}
	return gen.UpdateTicketField200JSONResponse{TicketField: show(f)}, nil
}

func (h fieldHandlers) DeleteTicketField(ctx context.Context, r gen.DeleteTicketFieldRequestObject) (gen.DeleteTicketFieldResponseObject, error) {
	if err := h.fields.Delete(ctx, auth.From(ctx), models.FieldsOfTickets, int64(r.TicketFieldID)); err != nil {
		return nil, err
	}
	return gen.DeleteTicketField204Response{}, nil
}

func (h fieldHandlers) ReorderTicketFields(ctx context.Context, r gen.ReorderTicketFieldsRequestObject) (gen.ReorderTicketFieldsResponseObject, error) {
	if err := h.fields.Reorder(ctx, auth.From(ctx), models.FieldsOfTickets, r.Body.TicketFieldIds.Int64s()); err != nil {
		return nil, err
	}
	return gen.ReorderTicketFields200JSONResponse{}, nil
}

func (h fieldHandlers) ListTicketFieldOptions(ctx context.Context, r gen.ListTicketFieldOptionsRequestObject) (gen.ListTicketFieldOptionsResponseObject, error) {
	l, err := h.options(ctx, models.FieldsOfTickets, r.TicketFieldID)
	return gen.ListTicketFieldOptions200JSONResponse{Listing: l}, err
}

func (h fieldHandlers) CreateOrUpdateTicketFieldOption(ctx context.Context, r gen.CreateOrUpdateTicketFieldOptionRequestObject) (gen.CreateOrUpdateTicketFieldOptionResponseObject, error) {
	body, created, err := h.putOption(ctx, models.FieldsOfTickets, r.TicketFieldID, r.Body)
	if err != nil {
		return nil, err
	}
	location := body.CustomFieldOption.URL
	if created {
		return gen.CreateOrUpdateTicketFieldOption201JSONResponse{
			Headers: gen.CreateOrUpdateTicketFieldOption201ResponseHeaders{Location: location}, Body: body,
		}, nil
	}
	return gen.CreateOrUpdateTicketFieldOption200JSONResponse{
		Headers: gen.CreateOrUpdateTicketFieldOption200ResponseHeaders{Location: location}, Body: body,
	}, nil
}

func (h fieldHandlers) ShowTicketFieldOption(ctx context.Context, r gen.ShowTicketFieldOptionRequestObject) (gen.ShowTicketFieldOptionResponseObject, error) {
	body, err := h.option(ctx, models.FieldsOfTickets, r.TicketFieldID, r.TicketFieldOptionID)
	return gen.ShowTicketFieldOption200JSONResponse(body), err
}

func (h fieldHandlers) DeleteTicketFieldOption(ctx context.Context, r gen.DeleteTicketFieldOptionRequestObject) (gen.DeleteTicketFieldOptionResponseObject, error) {
	err := h.fields.DeleteOption(ctx, auth.From(ctx), models.FieldsOfTickets, int64(r.TicketFieldID), int64(r.TicketFieldOptionID))
	return gen.DeleteTicketFieldOption204Response{}, err
}

func fieldChange(ctx context.Context, in gen.TicketFieldInput) fields.Change {
	c := fields.Change{
		Type: (*string)(in.Type), Title: written(ctx, in.Title, in.RawTitle), Description: writtenOrNull(ctx, in.Description, in.RawDescription),
		TitleInPortal: writtenOrNull(ctx, in.TitleInPortal, in.RawTitleInPortal), AgentDescription: nullableText(in.AgentDescription),
		Position: (*int64)(in.Position), Active: (*bool)(in.Active), Required: (*bool)(in.Required),
		CollapsedForAgents: (*bool)(in.CollapsedForAgents), RegexpForValidation: nullableText(in.RegexpForValidation),
		VisibleInPortal: (*bool)(in.VisibleInPortal), EditableInPortal: (*bool)(in.EditableInPortal),
		RequiredInPortal: (*bool)(in.RequiredInPortal), Tag: nullableText(in.Tag), SubTypeID: (*int64)(in.SubTypeID),
		RelationshipTargetType: (*string)(in.RelationshipTargetType),
	}
	c.RelationshipFilter = filterChange(in.RelationshipFilter)
	if in.CustomFieldOptions != nil {
		c.Options = optionChanges(ctx, in.CustomFieldOptions)
	}
	return c
}

// fieldJSON makes the wire form of fields of the caller's account; creator is
// whether it tells who made them.
func (h fieldHandlers) fieldJSON(ctx context.Context, creator *gen.CreatorParam) (func(*fields.Field) gen.TicketField, error) {
	setUp, err := h.fields.SetUp(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return func(f *fields.Field) gen.TicketField {
		out := plainFieldJSON(ctx, f)
		if options := setUp.SystemOptions(f); options != nil {
			out.SystemFieldOptions = each(options, func(o fields.SystemOption) gen.SystemFieldOption { return gen.SystemFieldOption(o) })
		}
		if f.Type == models.FieldCustomStatus {
			out.CustomStatuses = each(setUp.Statuses, func(st models.CustomStatus) gen.CustomStatus { return statusJSON(ctx, st) })
		}
		if creator != nil && bool(*creator) {
			out.CreatorUserID, out.CreatorAppName = new(models.SystemUser), nullable.NewNullNullable[string]()
			if f.CreatorUserID != nil {
				out.CreatorUserID = f.CreatorUserID
			}
		}
		return out
	}, nil
}

func plainFieldJSON(ctx context.Context, f *fields.Field) gen.TicketField {
	out := gen.TicketField{
		URL: link(ctx, "ticket_fields", f.ID), ID: f.ID, Type: f.Type, Title: rendered(ctx, f.Title), RawTitle: f.Title,
		Description: rendered(ctx, f.Description), RawDescription: f.Description, Position: int64(f.Position), Active: f.Active, Required: f.Required,
		CollapsedForAgents: f.CollapsedForAgents, RegexpForValidation: orNull(f.RegexpForValidation),
		TitleInPortal: rendered(ctx, f.TitleInPortal), RawTitleInPortal: f.TitleInPortal, VisibleInPortal: f.VisibleInPortal,
		EditableInPortal: f.EditableInPortal, RequiredInPortal: f.RequiredInPortal, Tag: orNull(f.Tag),
		CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.UpdatedAt), Removable: f.Removable,
		Key: nullable.NewNullNullable[string](), AgentDescription: orNull(f.AgentDescription),
		RelationshipTargetType: f.RelationshipTargetType,
	}
	if f.SubTypeID != nil {
		out.SubTypeID = new(int64(*f.SubTypeID))
	}
	out.CustomFieldOptions, out.RelationshipFilter = optionsJSON(ctx, f), filterJSON(f)
	if !auth.From(ctx).Staff() { // what agents call it, and tell each other of it, is theirs
		out.Title, out.RawTitle, out.AgentDescription = out.TitleInPortal, out.RawTitleInPortal, nullable.NewNullNullable[string]()
	}
	return out
}
