package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

// Fields of users and of organizations differ by the names of their members
// alone: user_fields.go and organization_fields.go call what is here.

// keyedFields is a page of the fields of a kind.
func (h fieldHandlers) keyedFields(ctx context.Context, kind string) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.fields.Page(ctx, auth.From(ctx), kind, p)
	return listing(ctx, kind+"_fields", mapped(ctx, list, keyedFieldJSON)), err
}

func (h fieldHandlers) keyedField(ctx context.Context, kind string, id wire.ID) (gen.KeyedField, error) {
	f, err := h.fields.Get(ctx, auth.From(ctx), kind, int64(id))
	if err != nil {
		return gen.KeyedField{}, err
	}
	return keyedFieldJSON(ctx, f), nil
}

func (h fieldHandlers) createKeyedField(ctx context.Context, kind string, in gen.KeyedFieldInput) (gen.KeyedField, error) {
	f, err := h.fields.Create(ctx, auth.From(ctx), kind, keyedFieldChange(ctx, in))
	if err != nil {
		return gen.KeyedField{}, err
	}
	return keyedFieldJSON(ctx, f), nil
}

func (h fieldHandlers) updateKeyedField(ctx context.Context, kind string, id wire.ID, in gen.KeyedFieldInput) (gen.KeyedField, error) {
	f, err := h.fields.Update(ctx, auth.From(ctx), kind, int64(id), keyedFieldChange(ctx, in))
	if err != nil {
		return gen.KeyedField{}, err
	}
	return keyedFieldJSON(ctx, f), nil
}

func keyedFieldChange(ctx context.Context, in gen.KeyedFieldInput) fields.Change {
	c := fields.Change{
		Type: (*string)(in.Type), Key: (*string)(in.Key), Title: written(ctx, in.Title, in.RawTitle), Description: writtenOrNull(ctx, in.Description, in.RawDescription),
		Position: (*int64)(in.Position), Active: (*bool)(in.Active), RegexpForValidation: nullableText(in.RegexpForValidation),
		Tag: nullableText(in.Tag), RelationshipTargetType: (*string)(in.RelationshipTargetType),
		RelationshipFilter: filterChange(in.RelationshipFilter),
	}
	if in.CustomFieldOptions != nil {
		c.Options = optionChanges(ctx, in.CustomFieldOptions)
	}
	return c
}

func keyedFieldJSON(ctx context.Context, f *fields.Field) gen.KeyedField {
	out := gen.KeyedField{
		URL: link(ctx, f.Kind+"_fields", f.ID), ID: f.ID, Type: f.Type, Key: or(f.Key, ""), Title: rendered(ctx, f.Title), RawTitle: f.Title,
		Description: rendered(ctx, f.Description), RawDescription: f.Description, Position: int64(f.Position), Active: f.Active, System: !f.Removable,
		RegexpForValidation: orNull(f.RegexpForValidation), CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.UpdatedAt),
		CustomFieldOptions: optionsJSON(ctx, f), RelationshipTargetType: f.RelationshipTargetType, RelationshipFilter: filterJSON(f),
	}
	if f.Type == models.FieldCheckbox {
		out.Tag = orNull(f.Tag)
	}
	return out
}
