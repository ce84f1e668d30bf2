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

func (h helpCenterHandlers) ListSections(ctx context.Context, _ gen.ListSectionsRequestObject) (gen.ListSectionsResponseObject, error) {
	l, err := h.sectionList(ctx, 0)
	return gen.ListSections200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListSectionsByCategory(ctx context.Context, r gen.ListSectionsByCategoryRequestObject) (gen.ListSectionsByCategoryResponseObject, error) {
	l, err := h.sectionList(ctx, int64(r.CategoryID))
	return gen.ListSectionsByCategory200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListUserSegmentSections(ctx context.Context, r gen.ListUserSegmentSectionsRequestObject) (gen.ListUserSegmentSectionsResponseObject, error) {
	l, err := h.sectionsFound(ctx, func(p page.Request) (page.Result[helpcenter.Section], error) {
		return h.help.SectionsOf(ctx, auth.From(ctx), localeAsked(ctx), int64(r.UserSegmentID), p)
	})
	return gen.ListUserSegmentSections200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) sectionList(ctx context.Context, category int64) (wire.Listing, error) {
	return h.sectionsFound(ctx, func(p page.Request) (page.Result[helpcenter.Section], error) {
		return h.help.ListSections(ctx, auth.From(ctx), localeAsked(ctx), category, p)
	})
}

func (h helpCenterHandlers) sectionsFound(ctx context.Context, list func(page.Request) (page.Result[helpcenter.Section], error)) (wire.Listing, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := list(p)
	if err != nil {
		return wire.Listing{}, err
	}
	all, err := h.sectionsJSON(ctx, found.Items)
	if err != nil {
		return wire.Listing{}, err
	}
	l := helpList(ctx, "sections", with(found, all))
	err = h.addCategories(ctx, found.Items, func(c []gen.Category) { l.Add("categories", c) })
	return l, err
}

// addCategories side-loads the categories of sections, if the caller asks for
// them.
func (h helpCenterHandlers) addCategories(ctx context.Context, of []helpcenter.Section, add func([]gen.Category)) error {
	if !includes(ctx, "categories") {
		return nil
	}
	ids := idsOf(of, func(s helpcenter.Section) []int64 { return []int64{s.CategoryID} })
	return h.sideCategories(ctx, localeAsked(ctx), ids, add)
}

func (h helpCenterHandlers) sideCategories(ctx context.Context, locale string, ids []int64, add func([]gen.Category)) error {
	found, err := h.help.CategoriesByID(ctx, auth.From(ctx), locale, ids)
	if err != nil {
		return err
	}
	all, err := h.categoriesJSON(ctx, found)
	add(all)
	return err
}

func (h helpCenterHandlers) ShowSection(ctx context.Context, r gen.ShowSectionRequestObject) (gen.ShowSectionResponseObject, error) {
	s, err := h.help.Section(ctx, auth.From(ctx), localeAsked(ctx), int64(r.SectionID))
	if err != nil {
		return nil, err
	}
	out, err := h.sectionEnvelope(ctx, s)
	return gen.ShowSection200JSONResponse(out), err
}

func (h helpCenterHandlers) CreateSection(ctx context.Context, r gen.CreateSectionRequestObject) (gen.CreateSectionResponseObject, error) {
	s, err := h.help.CreateSection(ctx, auth.From(ctx), localeAsked(ctx), int64(r.CategoryID), sectionChange(r.Body.Section))
	if err != nil {
		return nil, err
	}
	out, err := h.sectionEnvelope(ctx, s)
	return gen.CreateSection201JSONResponse{Headers: gen.CreateSection201ResponseHeaders{Location: out.Section.URL}, Body: out}, err
}

func (h helpCenterHandlers) UpdateSection(ctx context.Context, r gen.UpdateSectionRequestObject) (gen.UpdateSectionResponseObject, error) {
	s, err := h.help.UpdateSection(ctx, auth.From(ctx), localeAsked(ctx), int64(r.SectionID), sectionChange(r.Body.Section))
	if err != nil {
		return nil, err
	}
	out, err := h.sectionEnvelope(ctx, s)
	return gen.UpdateSection200JSONResponse(out), err
}

func (h helpCenterHandlers) DeleteSection(ctx context.Context, r gen.DeleteSectionRequestObject) (gen.DeleteSectionResponseObject, error) {
	return gen.DeleteSection204Response{}, h.help.DeleteSection(ctx, auth.From(ctx), int64(r.SectionID))
}

func (h helpCenterHandlers) UpdateSectionSourceLocale(ctx context.Context, r gen.UpdateSectionSourceLocaleRequestObject) (gen.UpdateSectionSourceLocaleResponseObject, error) {
	err := h.help.UpdateSourceLocale(ctx, auth.From(ctx), models.SourceSection, int64(r.SectionID), "section_locale", string(r.Body.SectionLocale))
	return gen.UpdateSectionSourceLocale200JSONResponse{}, err
}

func (h helpCenterHandlers) ShowSectionAccessPolicy(ctx context.Context, r gen.ShowSectionAccessPolicyRequestObject) (gen.ShowSectionAccessPolicyResponseObject, error) {
	s, err := h.help.Access(ctx, auth.From(ctx), int64(r.SectionID))
	return gen.ShowSectionAccessPolicy200JSONResponse{AccessPolicy: accessPolicyJSON(s)}, err
}

func (h helpCenterHandlers) UpdateSectionAccessPolicy(ctx context.Context, r gen.UpdateSectionAccessPolicyRequestObject) (gen.UpdateSectionAccessPolicyResponseObject, error) {
	in := r.Body.AccessPolicy
	s, err := h.help.UpdateAccess(ctx, auth.From(ctx), int64(r.SectionID), helpcenter.AccessChange{
		ViewableBy: (*string)(in.ViewableBy), ManageableBy: (*string)(in.ManageableBy), GroupIDs: in.RestrictedToGroupIds.Int64s(),
		OrganizationIDs: in.RestrictedToOrganizationIds.Int64s(), Tags: in.RequiredTags,
	})
	return gen.UpdateSectionAccessPolicy200JSONResponse{AccessPolicy: accessPolicyJSON(s)}, err
}

func accessPolicyJSON(s models.Section) gen.AccessPolicy {
	return gen.AccessPolicy{
		ViewableBy: s.ViewableBy, ManageableBy: s.ManageableBy, RestrictedToGroupIds: list(s.RestrictedToGroupIDs),
		RestrictedToOrganizationIds: list(s.RestrictedToOrganizationIDs), RequiredTags: list(s.RequiredTags),
	}
}

func sectionChange(in gen.SectionInput) helpcenter.SectionChange {
	return helpcenter.SectionChange{
		CategoryID: (*int64)(in.CategoryID), UserSegmentID: wire.NullableID(in.UserSegmentID), ParentSectionID: wire.NullableID(in.ParentSectionID), Position: (*int64)(in.Position),
		Sorting: (*string)(in.Sorting), ThemeTemplate: (*string)(in.ThemeTemplate), Texts: each(in.Translations, textOf),
		Text: textOf(gen.TextInput{Locale: in.Locale, Title: in.Name, Body: in.Description}),
	}
}

func (h helpCenterHandlers) sectionEnvelope(ctx context.Context, s helpcenter.Section) (gen.SectionEnvelope, error) {
	all, err := h.sectionsJSON(ctx, []helpcenter.Section{s})
	if err != nil {
		return gen.SectionEnvelope{}, err
	}
	out := gen.SectionEnvelope{Section: all[0]}
	return out, h.addCategories(ctx, []helpcenter.Section{s}, func(c []gen.Category) { out.Categories = c })
}

func (h helpCenterHandlers) sectionsJSON(ctx context.Context, of []helpcenter.Section) ([]gen.Section, error) {
	texts, err := h.helpTranslations(ctx, models.SourceSection, each(of, func(s helpcenter.Section) int64 { return s.ID }))
	return each(of, func(s helpcenter.Section) gen.Section {
		t := s.Text
		return gen.Section{
			ID: s.ID, URL: helpURL(ctx, s.BrandID, t.Locale, "sections", idText(s.ID)), HTMLURL: htmlURL(ctx, s.BrandID, t.Locale, "sections", s.ID, t.Title),
			CategoryID: s.CategoryID, ParentSectionID: s.ParentSectionID, Position: int64(s.Position), Sorting: gen.SectionSorting(s.Sorting),
			CreatedAt: wire.Time(s.CreatedAt), UpdatedAt: wire.Time(s.UpdatedAt), Name: t.Title, Description: or(t.HTMLBody, ""),
			Locale: t.Locale, SourceLocale: s.SourceLocale, Outdated: t.Outdated, ThemeTemplate: s.ThemeTemplate,
			ManageableBy: s.ManageableBy, UserSegmentID: s.UserSegmentID, Translations: embedded(ctx, texts, s.BrandID, s.ID),
		}
	}), err
}
