package api

import (
	"context"
	"strings"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

func translationJSON(ctx context.Context, t helpcenter.Translation) gen.Translation {
	return translationOf(ctx, 0, t)
}

// translationOf is a translation in the help center of a brand; 0 is that of the host.
func translationOf(ctx context.Context, brand int64, t helpcenter.Translation) gen.Translation {
	kind := kinds[t.SourceType]
	return gen.Translation{
		ID: t.ID, URL: baseOfBrand(ctx, brand) + helpCenterPath + kind + "/" + idText(t.SourceID) + "/translations/" + t.Locale + ".json",
		HTMLURL: htmlURL(ctx, brand, t.Locale, kind, t.SourceID, t.Title), SourceID: t.SourceID, SourceType: gen.TranslationSource(t.SourceType),
		Locale: t.Locale, Title: t.Title, Body: t.HTMLBody, Outdated: t.Outdated, Draft: t.Draft, Hidden: t.Hidden,
		CreatedAt: wire.Time(t.CreatedAt), UpdatedAt: wire.Time(t.UpdatedAt), UpdatedByID: t.UpdatedByID, CreatedByID: t.CreatedByID,
	}
}

// translationList is a page of the translations of one record, which are at most
// as many as there are languages.
func (h helpCenterHandlers) translationList(ctx context.Context, source string, id wire.ID, locales []string, outdated, draft *wire.Flag) (wire.Listing, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := h.help.ListTranslations(ctx, auth.From(ctx), source, int64(id),
		helpcenter.TextFilter{Locales: locales, Outdated: (*bool)(outdated), Draft: (*bool)(draft)})
	if err != nil {
		return wire.Listing{}, err
	}
	r, err := page.Of(found, p, func(t helpcenter.Translation) string { return t.Locale })
	return helpList(ctx, "translations", mapped(ctx, r, translationJSON)), err
}

func (h helpCenterHandlers) translation(ctx context.Context, source string, id wire.ID, locale string) (gen.TranslationEnvelope, error) {
	t, err := h.help.Translation(ctx, auth.From(ctx), source, int64(id), locale)
	return gen.TranslationEnvelope{Translation: translationJSON(ctx, t)}, err
}

func (h helpCenterHandlers) translate(ctx context.Context, source string, id wire.ID, in gen.TextInput) (gen.TranslationEnvelope, error) {
	t, err := h.help.CreateTranslation(ctx, auth.From(ctx), source, int64(id), textOf(in))
	return gen.TranslationEnvelope{Translation: translationJSON(ctx, t)}, err
}

func (h helpCenterHandlers) retranslate(ctx context.Context, source string, id wire.ID, locale string, in gen.TextInput) (gen.TranslationEnvelope, error) {
	text := textOf(in)
	text.Locale = strings.ToLower(locale)
	t, err := h.help.UpdateTranslation(ctx, auth.From(ctx), source, int64(id), text)
	return gen.TranslationEnvelope{Translation: translationJSON(ctx, t)}, err
}

func (h helpCenterHandlers) missing(ctx context.Context, source string, id wire.ID) (gen.MissingTranslationsEnvelope, error) {
	locales, err := h.help.MissingTranslations(ctx, auth.From(ctx), source, int64(id))
	return gen.MissingTranslationsEnvelope{Locales: list(locales)}, err
}

func (h helpCenterHandlers) DeleteTranslation(ctx context.Context, r gen.DeleteTranslationRequestObject) (gen.DeleteTranslationResponseObject, error) {
	return gen.DeleteTranslation204Response{}, h.help.DeleteTranslation(ctx, auth.From(ctx), int64(r.TranslationID))
}

func (h helpCenterHandlers) ListTranslations(ctx context.Context, r gen.ListTranslationsRequestObject) (gen.ListTranslationsResponseObject, error) {
	l, err := h.translationList(ctx, models.SourceArticle, r.ArticleID, r.Params.Locales, r.Params.Outdated, r.Params.Draft)
	return gen.ListTranslations200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListMissingTranslations(ctx context.Context, r gen.ListMissingTranslationsRequestObject) (gen.ListMissingTranslationsResponseObject, error) {
	out, err := h.missing(ctx, models.SourceArticle, r.ArticleID)
	return gen.ListMissingTranslations200JSONResponse(out), err
}

func (h helpCenterHandlers) ShowTranslation(ctx context.Context, r gen.ShowTranslationRequestObject) (gen.ShowTranslationResponseObject, error) {
	out, err := h.translation(ctx, models.SourceArticle, r.ArticleID, r.TranslationLocale)
	return gen.ShowTranslation200JSONResponse(out), err
}

func (h helpCenterHandlers) CreateTranslation(ctx context.Context, r gen.CreateTranslationRequestObject) (gen.CreateTranslationResponseObject, error) {
	out, err := h.translate(ctx, models.SourceArticle, r.ArticleID, r.Body.Translation)
	return gen.CreateTranslation201JSONResponse{
		Headers: gen.CreateTranslation201ResponseHeaders{Location: out.Translation.URL}, Body: out,
	}, err
}

func (h helpCenterHandlers) UpdateTranslation(ctx context.Context, r gen.UpdateTranslationRequestObject) (gen.UpdateTranslationResponseObject, error) {
	out, err := h.retranslate(ctx, models.SourceArticle, r.ArticleID, r.TranslationLocale, r.Body.Translation)
	return gen.UpdateTranslation200JSONResponse(out), err
}

func (h helpCenterHandlers) ListSectionTranslations(ctx context.Context, r gen.ListSectionTranslationsRequestObject) (gen.ListSectionTranslationsResponseObject, error) {
	l, err := h.translationList(ctx, models.SourceSection, r.SectionID, r.Params.Locales, r.Params.Outdated, r.Params.Draft)
	return gen.ListSectionTranslations200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListMissingTranslationsBySection(ctx context.Context, r gen.ListMissingTranslationsBySectionRequestObject) (gen.ListMissingTranslationsBySectionResponseObject, error) {
	out, err := h.missing(ctx, models.SourceSection, r.SectionID)
	return gen.ListMissingTranslationsBySection200JSONResponse(out), err
}

func (h helpCenterHandlers) ShowSectionTranslation(ctx context.Context, r gen.ShowSectionTranslationRequestObject) (gen.ShowSectionTranslationResponseObject, error) {
	out, err := h.translation(ctx, models.SourceSection, r.SectionID, r.TranslationLocale)
	return gen.ShowSectionTranslation200JSONResponse(out), err
}

func (h helpCenterHandlers) CreateSectionTranslation(ctx context.Context, r gen.CreateSectionTranslationRequestObject) (gen.CreateSectionTranslationResponseObject, error) {
	out, err := h.translate(ctx, models.SourceSection, r.SectionID, r.Body.Translation)
	return gen.CreateSectionTranslation201JSONResponse{
		Headers: gen.CreateSectionTranslation201ResponseHeaders{Location: out.Translation.URL}, Body: out,
	}, err
}

func (h helpCenterHandlers) UpdateSectionTranslation(ctx context.Context, r gen.UpdateSectionTranslationRequestObject) (gen.UpdateSectionTranslationResponseObject, error) {
	out, err := h.retranslate(ctx, models.SourceSection, r.SectionID, r.TranslationLocale, r.Body.Translation)
	return gen.UpdateSectionTranslation200JSONResponse(out), err
}

func (h helpCenterHandlers) ListCategoryTranslations(ctx context.Context, r gen.ListCategoryTranslationsRequestObject) (gen.ListCategoryTranslationsResponseObject, error) {
	l, err := h.translationList(ctx, models.SourceCategory, r.CategoryID, r.Params.Locales, r.Params.Outdated, r.Params.Draft)
	return gen.ListCategoryTranslations200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListMissingTranslationsByCategory(ctx context.Context, r gen.ListMissingTranslationsByCategoryRequestObject) (gen.ListMissingTranslationsByCategoryResponseObject, error) {
	out, err := h.missing(ctx, models.SourceCategory, r.CategoryID)
	return gen.ListMissingTranslationsByCategory200JSONResponse(out), err
}

func (h helpCenterHandlers) ShowCategoryTranslation(ctx context.Context, r gen.ShowCategoryTranslationRequestObject) (gen.ShowCategoryTranslationResponseObject, error) {
	out, err := h.translation(ctx, models.SourceCategory, r.CategoryID, r.TranslationLocale)
	return gen.ShowCategoryTranslation200JSONResponse(out), err
}

func (h helpCenterHandlers) CreateCategoryTranslation(ctx context.Context, r gen.CreateCategoryTranslationRequestObject) (gen.CreateCategoryTranslationResponseObject, error) {
	out, err := h.translate(ctx, models.SourceCategory, r.CategoryID, r.Body.Translation)
	return gen.CreateCategoryTranslation201JSONResponse{
		Headers: gen.CreateCategoryTranslation201ResponseHeaders{Location: out.Translation.URL}, Body: out,
	}, err
}

func (h helpCenterHandlers) UpdateCategoryTranslation(ctx context.Context, r gen.UpdateCategoryTranslationRequestObject) (gen.UpdateCategoryTranslationResponseObject, error) {
	out, err := h.retranslate(ctx, models.SourceCategory, r.CategoryID, r.TranslationLocale, r.Body.Translation)
	return gen.UpdateCategoryTranslation200JSONResponse(out), err
}
