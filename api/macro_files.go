package api

import (
	"context"
	"io"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) CreateMacroAttachment(ctx context.Context, r gen.CreateMacroAttachmentRequestObject) (gen.CreateMacroAttachmentResponseObject, error) {
	in, err := macroUpload(r.ContentType, r.Body)
	if err != nil {
		return nil, err
	}
	up, err := h.files.Upload(ctx, auth.From(ctx), in)
	return gen.CreateMacroAttachment201JSONResponse{MacroAttachment: macroFileJSON(ctx, up.File)}, err
}

func (h ruleHandlers) CreateAssociatedMacroAttachment(ctx context.Context, r gen.CreateAssociatedMacroAttachmentRequestObject) (gen.CreateAssociatedMacroAttachmentResponseObject, error) {
	f, err := h.rules.AddMacroFile(ctx, auth.From(ctx), int64(r.MacroID), func() (attachments.UploadInput, error) {
		return macroUpload(r.ContentType, r.Body)
	})
	return gen.CreateAssociatedMacroAttachment201JSONResponse{MacroAttachment: macroFileJSON(ctx, f)}, err
}

func macroUpload(contentType string, body io.Reader) (attachments.UploadInput, error) {
	in := attachments.UploadInput{ContentType: contentType, Body: body}
	form, err := readForm(&in, "attachment")
	if err == nil && (!form || in.FileName == "") {
		err = fault.New(fault.BadRequest, "The body must be a form (multipart/form-data) with the file as attachment, and its filename")
	}
	return in, err
}

func (h ruleHandlers) ShowMacroAttachment(ctx context.Context, r gen.ShowMacroAttachmentRequestObject) (gen.ShowMacroAttachmentResponseObject, error) {
	f, err := h.rules.MacroFile(ctx, auth.From(ctx), int64(r.MacroAttachmentID))
	return gen.ShowMacroAttachment200JSONResponse{MacroAttachment: macroFileJSON(ctx, f)}, err
}

func (h ruleHandlers) ListMacroAttachments(ctx context.Context, r gen.ListMacroAttachmentsRequestObject) (gen.ListMacroAttachmentsResponseObject, error) {
	files, err := h.rules.MacroFiles(ctx, auth.From(ctx), int64(r.MacroID))
	if err != nil {
		return nil, err
	}
	return gen.ListMacroAttachments200JSONResponse{Listing: wire.Listing{Key: "macro_attachments", Items: each(files, func(f attachments.File) gen.MacroAttachment {
		return macroFileJSON(ctx, f)
	})}}, nil
}

func macroFileJSON(ctx context.Context, f attachments.File) gen.MacroAttachment {
	a := thumbnailJSON(ctx, f.Attachment)
	return gen.MacroAttachment{ID: a.ID, Filename: a.FileName, ContentType: a.ContentType, ContentURL: a.ContentURL, Size: a.Size, CreatedAt: wire.Time(f.CreatedAt)}
}

// ShowDerivedMacro shows a macro that is not saved.
func (h ruleHandlers) ShowDerivedMacro(ctx context.Context, r gen.ShowDerivedMacroRequestObject) (gen.ShowDerivedMacroResponseObject, error) {
	by := auth.From(ctx)
	switch {
	case r.Params.MacroID != nil:
		m, err := h.rules.Get(ctx, by, models.RuleMacro, int64(*r.Params.MacroID))
		return gen.ShowDerivedMacro200JSONResponse{Macro: replicaJSON(ctx, m)}, err
	case r.Params.TicketID != nil:
		t, err := h.tickets.Get(ctx, by, int64(*r.Params.TicketID))
		if err != nil {
			return nil, err
		}
		comment, err := h.tickets.LastAnswer(ctx, by, t.ID)
		if err != nil {
			return nil, err
		}
		m := models.Rule{
			Title: or(renderedSubject(ctx, &t), ""), Active: true,
			Actions: models.ToJSON(list(rulebook.ActionsOf(t, callOf(ctx).setUp.of(ctx), comment))),
		}
		return gen.ShowDerivedMacro200JSONResponse{Macro: replicaJSON(ctx, m)}, nil
	}
	return nil, fault.New(fault.BadRequest, "Parameter macro_id or ticket_id is missing")
}

func replicaJSON(ctx context.Context, m models.Rule) gen.MacroReplica {
	return gen.MacroReplica{
		Title: rendered(ctx, m.Title), RawTitle: m.Title, Active: m.Active, Description: orNull(m.Description),
		Actions: wire.Raw(m.Actions), Restriction: restrictionJSON(m),
	}
}
