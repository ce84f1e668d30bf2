package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/dynamiccontent"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/page"
)

type dynamicHandlers struct{ dynamic *dynamiccontent.Service }

func (h dynamicHandlers) ListDynamicContents(ctx context.Context, _ gen.ListDynamicContentsRequestObject) (gen.ListDynamicContentsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	items, err := h.dynamic.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListDynamicContents200JSONResponse{Listing: listing(ctx, "items", mapped(ctx, items, itemJSON))}, nil
}

func (h dynamicHandlers) ShowManyDynamicContents(ctx context.Context, r gen.ShowManyDynamicContentsRequestObject) (gen.ShowManyDynamicContentsResponseObject, error) {
	items, err := h.dynamic.ByPlaceholder(ctx, auth.From(ctx), r.Params.Identifiers)
	if err != nil {
		return nil, err
	}
	return gen.ShowManyDynamicContents200JSONResponse{Listing: whole("items", each(items, func(i dynamiccontent.Item) gen.DynamicContentItem {
		return itemJSON(ctx, i)
	}))}, nil
}

func (h dynamicHandlers) CreateDynamicContent(ctx context.Context, r gen.CreateDynamicContentRequestObject) (gen.CreateDynamicContentResponseObject, error) {
	in := r.Body.Item
	locale := int64(or(in.DefaultLocaleID, wire.ID(locales.ID(locales.Default))))
	variants := each(in.Variants, variantChange)
	if in.Content != nil && len(variants) == 0 {
		variants = []dynamiccontent.VariantChange{{LocaleID: &locale, Content: (*string)(in.Content)}}
	}
	i, err := h.dynamic.Create(ctx, auth.From(ctx), string(or(in.Name, "")), locale, variants)
	if err != nil {
		return nil, err
	}
	return gen.CreateDynamicContent201JSONResponse{
		Headers: gen.CreateDynamicContent201ResponseHeaders{Location: link(ctx, itemsPath, i.ID)},
		Body:    gen.DynamicContentItemEnvelope{Item: itemJSON(ctx, i)},
	}, nil
}

func (h dynamicHandlers) ShowDynamicContentItem(ctx context.Context, r gen.ShowDynamicContentItemRequestObject) (gen.ShowDynamicContentItemResponseObject, error) {
	i, err := h.dynamic.Get(ctx, auth.From(ctx), int64(r.DynamicContentItemID))
	return gen.ShowDynamicContentItem200JSONResponse{Item: itemJSON(ctx, i)}, err
}

func (h dynamicHandlers) UpdateDynamicContentItem(ctx context.Context, r gen.UpdateDynamicContentItemRequestObject) (gen.UpdateDynamicContentItemResponseObject, error) {
	i, err := h.dynamic.Rename(ctx, auth.From(ctx), int64(r.DynamicContentItemID), (*string)(r.Body.Item.Name))
	return gen.UpdateDynamicContentItem200JSONResponse{Item: itemJSON(ctx, i)}, err
}

func (h dynamicHandlers) DeleteDynamicContentItem(ctx context.Context, r gen.DeleteDynamicContentItemRequestObject) (gen.DeleteDynamicContentItemResponseObject, error) {
	return gen.DeleteDynamicContentItem204Response{}, h.dynamic.Delete(ctx, auth.From(ctx), int64(r.DynamicContentItemID))
}

func (h dynamicHandlers) DynamicContentListVariants(ctx context.Context, r gen.DynamicContentListVariantsRequestObject) (gen.DynamicContentListVariantsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, i, err := h.dynamic.Variants(ctx, auth.From(ctx), int64(r.DynamicContentItemID), p)
	if err != nil {
		return nil, err
	}
	return gen.DynamicContentListVariants200JSONResponse{Listing: listing(ctx, "variants", page.Map(list, variantOf(ctx, i)))}, nil
}

func (h dynamicHandlers) ShowDynamicContentVariant(ctx context.Context, r gen.ShowDynamicContentVariantRequestObject) (gen.ShowDynamicContentVariantResponseObject, error) {
	v, i, err := h.dynamic.Variant(ctx, auth.From(ctx), int64(r.DynamicContentItemID), int64(r.DynamicContentVariantID))
	return gen.ShowDynamicContentVariant200JSONResponse{Variant: variantOf(ctx, i)(v)}, err
}

func (h dynamicHandlers) CreateDynamicContentVariant(ctx context.Context, r gen.CreateDynamicContentVariantRequestObject) (gen.CreateDynamicContentVariantResponseObject, error) {
	list, err := h.add(ctx, r.DynamicContentItemID, []gen.DynamicContentVariantInput{r.Body.Variant})
	if err != nil {
		return nil, err
	}
	return gen.CreateDynamicContentVariant201JSONResponse{
		Headers: gen.CreateDynamicContentVariant201ResponseHeaders{Location: list[0].URL}, Body: gen.DynamicContentVariantEnvelope{Variant: list[0]},
	}, nil
}

func (h dynamicHandlers) CreateManyDynamicContentVariants(ctx context.Context, r gen.CreateManyDynamicContentVariantsRequestObject) (gen.CreateManyDynamicContentVariantsResponseObject, error) {
	list, err := h.add(ctx, r.DynamicContentItemID, r.Body.Variants)
	return gen.CreateManyDynamicContentVariants201JSONResponse{Variants: list}, err
}

func (h dynamicHandlers) add(ctx context.Context, item wire.ID, in []gen.DynamicContentVariantInput) ([]gen.DynamicContentVariant, error) {
	list, i, err := h.dynamic.AddVariants(ctx, auth.From(ctx), int64(item), each(in, variantChange))
	return each(list, variantOf(ctx, i)), err
}

func (h dynamicHandlers) UpdateDynamicContentVariant(ctx context.Context, r gen.UpdateDynamicContentVariantRequestObject) (gen.UpdateDynamicContentVariantResponseObject, error) {
	in := r.Body.Variant
	in.ID = &r.DynamicContentVariantID
	list, err := h.change(ctx, r.DynamicContentItemID, []gen.DynamicContentVariantInput{in})
	if err != nil {
		return nil, err
	}
	return gen.UpdateDynamicContentVariant200JSONResponse{Variant: list[0]}, nil
}

func (h dynamicHandlers) UpdateManyDynamicContentVariants(ctx context.Context, r gen.UpdateManyDynamicContentVariantsRequestObject) (gen.UpdateManyDynamicContentVariantsResponseObject, error) {
	list, err := h.change(ctx, r.DynamicContentItemID, r.Body.Variants)
	return gen.UpdateManyDynamicContentVariants200JSONResponse{Variants: list}, err
}

func (h dynamicHandlers) change(ctx context.Context, item wire.ID, in []gen.DynamicContentVariantInput) ([]gen.DynamicContentVariant, error) {
	list, i, err := h.dynamic.ChangeVariants(ctx, auth.From(ctx), int64(item), each(in, variantChange))
	return each(list, variantOf(ctx, i)), err
}

func (h dynamicHandlers) DeleteDynamicContentVariant(ctx context.Context, r gen.DeleteDynamicContentVariantRequestObject) (gen.DeleteDynamicContentVariantResponseObject, error) {
	err := h.dynamic.DeleteVariant(ctx, auth.From(ctx), int64(r.DynamicContentItemID), int64(r.DynamicContentVariantID))
	return gen.DeleteDynamicContentVariant204Response{}, err
}

func variantChange(in gen.DynamicContentVariantInput) dynamiccontent.VariantChange {
	return dynamiccontent.VariantChange{
		ID: int64(or(in.ID, 0)), LocaleID: (*int64)(in.LocaleID), Content: (*string)(in.Content), Active: (*bool)(in.Active), Default: (*bool)(in.Default),
	}
}

const itemsPath = "dynamic_content/items"

func itemJSON(ctx context.Context, i dynamiccontent.Item) gen.DynamicContentItem {
	return gen.DynamicContentItem{
		URL: link(ctx, itemsPath, i.ID), ID: i.ID, Name: i.Name, Placeholder: i.Placeholder(), DefaultLocaleID: locales.ID(i.DefaultLocale),
		Outdated: i.AnyOutdated(), CreatedAt: wire.Time(i.CreatedAt), UpdatedAt: wire.Time(i.UpdatedAt), Variants: each(i.Variants, variantOf(ctx, i)),
	}
}

// variantOf makes the wire form of variants of an item.
func variantOf(ctx context.Context, i dynamiccontent.Item) func(models.DynamicContentVariant) gen.DynamicContentVariant {
	return func(v models.DynamicContentVariant) gen.DynamicContentVariant {
		return gen.DynamicContentVariant{
			URL: linkBelow(ctx, itemsPath, v.ItemID, "variants", v.ID), ID: v.ID, Content: v.Content, LocaleID: locales.ID(v.Locale),
			Outdated: i.Outdated(v), Active: v.Active, Default: v.Default, CreatedAt: wire.Time(v.CreatedAt), UpdatedAt: wire.Time(v.UpdatedAt),
		}
	}
}
