package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListMacros(ctx context.Context, r gen.ListMacrosRequestObject) (gen.ListMacrosResponseObject, error) {
	l, err := h.list(ctx, models.RuleMacro, rulebook.Filter{Active: (*bool)(r.Params.Active), Access: or(r.Params.Access, ""), Category: r.Params.Category, GroupID: (*int64)(r.Params.GroupID), OnlyViewable: isSet(r.Params.OnlyViewable)})
	return gen.ListMacros200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListActiveMacros(ctx context.Context, r gen.ListActiveMacrosRequestObject) (gen.ListActiveMacrosResponseObject, error) {
	l, err := h.list(ctx, models.RuleMacro, rulebook.Filter{Active: new(true), Access: or(r.Params.Access, ""), Category: r.Params.Category, GroupID: (*int64)(r.Params.GroupID), OnlyViewable: isSet(r.Params.OnlyViewable)})
	return gen.ListActiveMacros200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) SearchMacro(ctx context.Context, r gen.SearchMacroRequestObject) (gen.SearchMacroResponseObject, error) {
	l, err := h.list(ctx, models.RuleMacro, rulebook.Filter{Words: or(r.Params.Query, ""), Active: (*bool)(r.Params.Active), Access: or(r.Params.Access, ""), Category: r.Params.Category, GroupID: (*int64)(r.Params.GroupID), OnlyViewable: isSet(r.Params.OnlyViewable)})
	return gen.SearchMacro200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) CreateMacro(ctx context.Context, r gen.CreateMacroRequestObject) (gen.CreateMacroResponseObject, error) {
	raw, location, err := h.create(ctx, models.RuleMacro, macroChange(ctx, r.Body.Macro))
	return gen.CreateMacro201JSONResponse{
		Headers: gen.CreateMacro201ResponseHeaders{Location: location}, Body: gen.MacroEnvelope{Macro: raw},
	}, err
}

func (h ruleHandlers) ShowMacro(ctx context.Context, r gen.ShowMacroRequestObject) (gen.ShowMacroResponseObject, error) {
	raw, err := h.show(ctx, models.RuleMacro, r.MacroID)
	return gen.ShowMacro200JSONResponse{Macro: raw}, err
}

func (h ruleHandlers) UpdateMacro(ctx context.Context, r gen.UpdateMacroRequestObject) (gen.UpdateMacroResponseObject, error) {
	raw, err := h.update(ctx, models.RuleMacro, r.MacroID, macroChange(ctx, r.Body.Macro))
	return gen.UpdateMacro200JSONResponse{Macro: raw}, err
}

func (h ruleHandlers) DeleteMacro(ctx context.Context, r gen.DeleteMacroRequestObject) (gen.DeleteMacroResponseObject, error) {
	return gen.DeleteMacro204Response{}, h.delete(ctx, models.RuleMacro, r.MacroID)
}

func (h ruleHandlers) DeleteManyMacros(ctx context.Context, r gen.DeleteManyMacrosRequestObject) (gen.DeleteManyMacrosResponseObject, error) {
	return gen.DeleteManyMacros204Response{}, h.deleteMany(ctx, models.RuleMacro, r.Params.Ids)
}

func (h ruleHandlers) UpdateManyMacros(ctx context.Context, r gen.UpdateManyMacrosRequestObject) (gen.UpdateManyMacrosResponseObject, error) {
	l, err := h.place(ctx, models.RuleMacro, r.Body.Macros)
	return gen.UpdateManyMacros200JSONResponse{Listing: l}, err
}

func (h ruleHandlers) ListMacroCategories(ctx context.Context, _ gen.ListMacroCategoriesRequestObject) (gen.ListMacroCategoriesResponseObject, error) {
	names, err := h.rules.MacroCategories(ctx, auth.From(ctx))
	return gen.ListMacroCategories200JSONResponse{Categories: names}, err
}

func macroChange(ctx context.Context, in gen.MacroInput) rulebook.Change {
	return rulebook.Change{
		Title: written(ctx, in.Title, in.RawTitle), Active: (*bool)(in.Active), Description: nullableText(in.Description), Position: (*int64)(in.Position),
		Actions: ruleActions(in.Actions), Restriction: ruleRestriction(in.Restriction), Files: in.Attachments.Int64s(),
	}
}

func macroJSON(ctx context.Context, r models.Rule) gen.Macro {
	return gen.Macro{
		URL: link(ctx, "macros", r.ID), ID: r.ID, Title: rendered(ctx, r.Title), RawTitle: r.Title, Active: r.Active, Default: r.Default,
		Description: orNull(r.Description), Position: int64(r.Position), Actions: wire.Raw(r.Actions), Restriction: restrictionJSON(r),
		CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}
