package api

import (
	"context"
	"encoding/json"
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
		list, err := h.fields.Page(ctx, auth.From(ctx), p)
		if err != nil {
			return nil, err
		}
		l, err := h.addCreators(ctx, listing(ctx, "ticket_fields", page.Map(list, show)), list.Items)
		return gen.ListTicketFields200JSONResponse{Listing: l}, err
	}
	list, err := h.fields.List(ctx, auth.From(ctx))
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
	f, err := h.fields.Get(ctx, auth.From(ctx), int64(r.TicketFieldID))
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
	f, err := h.fields.Create(ctx, auth.From(ctx), fieldChange(r.Body.TicketField))
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
	f, err := h.fields.Update(ctx, auth.From(ctx), int64(r.TicketFieldID), fieldChange(r.Body.TicketField))
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
	if err := h.fields.Delete(ctx, auth.From(ctx), int64(r.TicketFieldID)); err != nil {
		return nil, err
	}
	return gen.DeleteTicketField204Response{}, nil
}

func (h fieldHandlers) ReorderTicketFields(ctx context.Context, r gen.ReorderTicketFieldsRequestObject) (gen.ReorderTicketFieldsResponseObject, error) {
	if err := h.fields.Reorder(ctx, auth.From(ctx), r.Body.TicketFieldIds.Int64s()); err != nil {
		return nil, err
	}
	return gen.ReorderTicketFields200JSONResponse{}, nil
}

func (h fieldHandlers) ListTicketFieldOptions(ctx context.Context, r gen.ListTicketFieldOptionsRequestObject) (gen.ListTicketFieldOptionsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.fields.Options(ctx, auth.From(ctx), int64(r.TicketFieldID), p)
	if err != nil {
		return nil, err
	}
	return gen.ListTicketFieldOptions200JSONResponse{Listing: listing(ctx, "custom_field_options", mapped(ctx, list, optionJSON))}, nil
}

func (h fieldHandlers) CreateOrUpdateTicketFieldOption(ctx context.Context, r gen.CreateOrUpdateTicketFieldOptionRequestObject) (gen.CreateOrUpdateTicketFieldOptionResponseObject, error) {
	o, created, err := h.fields.PutOption(ctx, auth.From(ctx), int64(r.TicketFieldID), optionChange(r.Body.CustomFieldOption))
	if err != nil {
		return nil, err
	}
	body := gen.CustomFieldOptionEnvelope{CustomFieldOption: optionJSON(ctx, o)}
	if created {
		return gen.CreateOrUpdateTicketFieldOption201JSONResponse{
			Headers: gen.CreateOrUpdateTicketFieldOption201ResponseHeaders{Location: body.CustomFieldOption.URL}, Body: body,
		}, nil
	}
	return gen.CreateOrUpdateTicketFieldOption200JSONResponse{
		Headers: gen.CreateOrUpdateTicketFieldOption200ResponseHeaders{Location: body.CustomFieldOption.URL}, Body: body,
	}, nil
}

func (h fieldHandlers) ShowTicketFieldOption(ctx context.Context, r gen.ShowTicketFieldOptionRequestObject) (gen.ShowTicketFieldOptionResponseObject, error) {
	o, err := h.fields.Option(ctx, auth.From(ctx), int64(r.TicketFieldID), int64(r.TicketFieldOptionID))
	if err != nil {
		return nil, err
	}
	return gen.ShowTicketFieldOption200JSONResponse{CustomFieldOption: optionJSON(ctx, o)}, nil
}

func (h fieldHandlers) DeleteTicketFieldOption(ctx context.Context, r gen.DeleteTicketFieldOptionRequestObject) (gen.DeleteTicketFieldOptionResponseObject, error) {
	if err := h.fields.DeleteOption(ctx, auth.From(ctx), int64(r.TicketFieldID), int64(r.TicketFieldOptionID)); err != nil {
		return nil, err
	}
	return gen.DeleteTicketFieldOption204Response{}, nil
}

func fieldChange(in gen.TicketFieldInput) fields.Change {
	c := fields.Change{
		Type: (*string)(in.Type), Title: (*string)(first(in.Title, in.RawTitle)), Description: nullableText(in.Description),
		TitleInPortal: nullableText(in.TitleInPortal), AgentDescription: nullableText(in.AgentDescription),
		Position: (*int64)(in.Position), Active: (*bool)(in.Active), Required: (*bool)(in.Required),
		CollapsedForAgents: (*bool)(in.CollapsedForAgents), RegexpForValidation: nullableText(in.RegexpForValidation),
		VisibleInPortal: (*bool)(in.VisibleInPortal), EditableInPortal: (*bool)(in.EditableInPortal),
		RequiredInPortal: (*bool)(in.RequiredInPortal), Tag: nullableText(in.Tag), SubTypeID: (*int64)(in.SubTypeID),
		RelationshipTargetType: (*string)(in.RelationshipTargetType),
	}
	switch {
	case in.RelationshipFilter.IsNull():
		c.RelationshipFilter = json.RawMessage("null")
	case in.RelationshipFilter.IsSpecified():
		c.RelationshipFilter = json.RawMessage(models.ToJSON(in.RelationshipFilter.MustGet()))
	}
	if in.CustomFieldOptions != nil {
		c.Options = each(in.CustomFieldOptions, optionChange)
	}
	return c
}

func optionChange(in gen.CustomFieldOptionInput) fields.OptionChange {
	c := fields.OptionChange{
		Name: (*string)(first(in.Name, in.RawName)), Value: (*string)(in.Value), Position: (*int64)(in.Position), Default: (*bool)(in.Default),
	}
	if in.ID != nil {
		c.ID = int64(*in.ID)
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
		URL: link(ctx, "ticket_fields", f.ID), ID: f.ID, Type: f.Type, Title: f.Title, RawTitle: f.Title,
		Description: f.Description, RawDescription: f.Description, Position: int64(f.Position), Active: f.Active, Required: f.Required,
		CollapsedForAgents: f.CollapsedForAgents, RegexpForValidation: orNull(f.RegexpForValidation),
		TitleInPortal: f.TitleInPortal, RawTitleInPortal: f.TitleInPortal, VisibleInPortal: f.VisibleInPortal,
		EditableInPortal: f.EditableInPortal, RequiredInPortal: f.RequiredInPortal, Tag: orNull(f.Tag),
		CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.UpdatedAt), Removable: f.Removable,
		Key: nullable.NewNullNullable[string](), AgentDescription: orNull(f.AgentDescription),
		RelationshipTargetType: f.RelationshipTargetType,
	}
	if f.SubTypeID != nil {
		out.SubTypeID = new(int64(*f.SubTypeID))
	}
	if f.Type == models.FieldTagger || f.Type == models.FieldMultiselect {
		out.CustomFieldOptions = each(f.Options, func(o models.TicketFieldOption) gen.TicketFieldOption {
			return gen.TicketFieldOption{ID: o.ID, Name: o.Name, RawName: o.Name, Value: o.Value, Default: o.Default}
		})
	}
	if f.Type == models.FieldLookup {
		out.RelationshipFilter = &gen.RelationshipFilter{All: []map[string]any{}, Any: []map[string]any{}}
		_ = json.Unmarshal(f.RelationshipFilter, out.RelationshipFilter) // written by ourselves
	}
	return out
}

func optionJSON(ctx context.Context, o models.TicketFieldOption) gen.CustomFieldOption {
	return gen.CustomFieldOption{
		URL: linkBelow(ctx, "ticket_fields", o.TicketFieldID, "options", o.ID), ID: o.ID, Name: o.Name, RawName: o.Name,
		Value: o.Value, Position: int64(o.Position), Default: o.Default,
	}
}
