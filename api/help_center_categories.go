package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

func (h helpCenterHandlers) ListCategories(ctx context.Context, _ gen.ListCategoriesRequestObject) (gen.ListCategoriesResponseObject, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.help.ListCategories(ctx, auth.From(ctx), localeAsked(ctx), p)
	if err != nil {
		return nil, err
	}
	all, err := h.categoriesJSON(ctx, found.Items)
	return gen.ListCategories200JSONResponse{Listing: helpList(ctx, "categories", with(found, all))}, err
}

// with is a page with other items.
func with[T, U any](r page.Result[T], items []U) page.Result[U] {
	out := page.Map(r, func(T) (u U) { return u })
	out.Items = items
	return out
}

func (h helpCenterHandlers) ShowCategory(ctx context.Context, r gen.ShowCategoryRequestObject) (gen.ShowCategoryResponseObject, error) {
	c, err := h.help.Category(ctx, auth.From(ctx), localeAsked(ctx), int64(r.CategoryID))
	if err != nil {
		return nil, err
	}
	out, err := h.categoryJSON(ctx, c)
	return gen.ShowCategory200JSONResponse{Category: out}, err
}

func (h helpCenterHandlers) CreateCategory(ctx context.Context, r gen.CreateCategoryRequestObject) (gen.CreateCategoryResponseObject, error) {
	c, err := h.help.CreateCategory(ctx, auth.From(ctx), localeAsked(ctx), helpCategoryChange(r.Body.Category))
	if err != nil {
		return nil, err
	}
	out, err := h.categoryJSON(ctx, c)
	return gen.CreateCategory201JSONResponse{
		Headers: gen.CreateCategory201ResponseHeaders{Location: out.URL}, Body: gen.CategoryEnvelope{Category: out},
	}, err
}

func (h helpCenterHandlers) UpdateCategory(ctx context.Context, r gen.UpdateCategoryRequestObject) (gen.UpdateCategoryResponseObject, error) {
	c, err := h.help.UpdateCategory(ctx, auth.From(ctx), localeAsked(ctx), int64(r.CategoryID), helpCategoryChange(r.Body.Category))
	if err != nil {
		return nil, err
	}
	out, err := h.categoryJSON(ctx, c)
	return gen.UpdateCategory200JSONResponse{Category: out}, err
}

func (h helpCenterHandlers) DeleteCategory(ctx context.Context, r gen.DeleteCategoryRequestObject) (gen.DeleteCategoryResponseObject, error) {
	return gen.DeleteCategory204Response{}, h.help.DeleteCategory(ctx, auth.From(ctx), int64(r.CategoryID))
}

func (h helpCenterHandlers) UpdateCategorySourceLocale(ctx context.Context, r gen.UpdateCategorySourceLocaleRequestObject) (gen.UpdateCategorySourceLocaleResponseObject, error) {
	err := h.help.UpdateSourceLocale(ctx, auth.From(ctx), models.SourceCategory, int64(r.CategoryID), "category_locale", string(r.Body.CategoryLocale))
	return gen.UpdateCategorySourceLocale200JSONResponse{}, err
}

func helpCategoryChange(in gen.CategoryInput) helpcenter.CategoryChange {
	return helpcenter.CategoryChange{
		Position: (*int64)(in.Position), Texts: each(in.Translations, textOf),
		Text: textOf(gen.TextInput{Locale: in.Locale, Title: in.Name, Body: in.Description}),
	}
}

func (h helpCenterHandlers) categoryJSON(ctx context.Context, c helpcenter.Category) (gen.Category, error) {
	all, err := h.categoriesJSON(ctx, []helpcenter.Category{c})
	if err != nil {
		return gen.Category{}, err
	}
	return all[0], nil
}

func (h helpCenterHandlers) categoriesJSON(ctx context.Context, of []helpcenter.Category) ([]gen.Category, error) {
	texts, err := h.helpTranslations(ctx, models.SourceCategory, each(of, func(c helpcenter.Category) int64 { return c.ID }))
	return each(of, func(c helpcenter.Category) gen.Category {
		t := c.Text
		return gen.Category{
			ID: c.ID, URL: helpURL(ctx, c.BrandID, t.Locale, "categories", idText(c.ID)), HTMLURL: htmlURL(ctx, c.BrandID, t.Locale, "categories", c.ID, t.Title),
			Position: int64(c.Position), CreatedAt: wire.Time(c.CreatedAt), UpdatedAt: wire.Time(c.UpdatedAt), Name: t.Title,
			Description: or(t.HTMLBody, ""), Locale: t.Locale, SourceLocale: c.SourceLocale, Outdated: t.Outdated,
			Translations: embedded(ctx, texts, c.BrandID, c.ID),
		}
	}), err
}
