package api

import (
	"context"
	"encoding/json"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

// What fields of tickets, users and organizations have in common on the wire.

// options is the list of a field's options.
func (h fieldHandlers) options(ctx context.Context, kind string, field wire.ID) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.fields.Options(ctx, auth.From(ctx), kind, int64(field), p)
	return listing(ctx, "custom_field_options", mapped(ctx, list, optionJSON)), err
}

func (h fieldHandlers) putOption(ctx context.Context, kind string, field wire.ID, in *gen.CustomFieldOptionBody) (gen.CustomFieldOptionEnvelope, bool, error) {
	o, created, err := h.fields.PutOption(ctx, auth.From(ctx), kind, int64(field), optionChange(ctx, in.CustomFieldOption))
	return gen.CustomFieldOptionEnvelope{CustomFieldOption: optionJSON(ctx, o)}, created, err
}

func (h fieldHandlers) option(ctx context.Context, kind string, field, id wire.ID) (gen.CustomFieldOptionEnvelope, error) {
	o, err := h.fields.Option(ctx, auth.From(ctx), kind, int64(field), int64(id))
	return gen.CustomFieldOptionEnvelope{CustomFieldOption: optionJSON(ctx, o)}, err
}

func optionChanges(ctx context.Context, in []gen.CustomFieldOptionInput) []fields.OptionChange {
	return each(in, func(o gen.CustomFieldOptionInput) fields.OptionChange { return optionChange(ctx, o) })
}

func optionChange(ctx context.Context, in gen.CustomFieldOptionInput) fields.OptionChange {
	c := fields.OptionChange{
		Name: written(ctx, in.Name, in.RawName), Value: (*string)(in.Value), Position: (*int64)(in.Position), Default: (*bool)(in.Default),
	}
	if in.ID != nil {
		c.ID = int64(*in.ID)
	}
	return c
}

// filterChange is a lookup's filter; nil leaves it, null clears it.
func filterChange(in nullable.Nullable[map[string]any]) json.RawMessage {
	switch {
	case in.IsNull():
		return json.RawMessage("null")
	case in.IsSpecified():
		return json.RawMessage(models.ToJSON(in.MustGet()))
	}
	return nil
}

// optionsJSON are the options of a field as the field shows them; nil for one
// that has none by its type.
func optionsJSON(ctx context.Context, f *fields.Field) []gen.TicketFieldOption {
	switch f.Type {
	case models.FieldTagger, models.FieldDropdown, models.FieldMultiselect:
		return each(f.Options, func(o models.FieldOption) gen.TicketFieldOption {
			return gen.TicketFieldOption{ID: o.ID, Name: rendered(ctx, o.Name), RawName: o.Name, Value: o.Value, Default: o.Default}
		})
	}
	return nil
}

// filterJSON is the filter of a lookup; nil of other fields.
func filterJSON(f *fields.Field) *gen.RelationshipFilter {
	if f.Type != models.FieldLookup {
		return nil
	}
	out := &gen.RelationshipFilter{All: []map[string]any{}, Any: []map[string]any{}}
	_ = json.Unmarshal(f.RelationshipFilter, out) // written by ourselves
	return out
}

func optionJSON(ctx context.Context, o models.FieldOption) gen.CustomFieldOption {
	return gen.CustomFieldOption{
		URL: linkBelow(ctx, o.Kind+"_fields", o.FieldID, "options", o.ID), ID: o.ID, Name: rendered(ctx, o.Name), RawName: o.Name,
		Value: o.Value, Position: int64(o.Position), Default: o.Default,
	}
}
