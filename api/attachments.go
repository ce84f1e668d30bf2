package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/tickets"
)

type attachmentHandlers struct {
	attachments   *attachments.Service
	tickets       *tickets.Service
	rules         *rulebook.Service
	authenticator authenticator // of downloads, which are outside the API
}

func (h attachmentHandlers) UploadFiles(ctx context.Context, r gen.UploadFilesRequestObject) (gen.UploadFilesResponseObject, error) {
	in := attachments.UploadInput{ContentType: r.ContentType, Body: r.Body}
	if r.Params.Filename != nil {
		in.FileName = *r.Params.Filename
	}
	if r.Params.Token != nil {
		in.Token = *r.Params.Token
	}
	if _, err := readForm(&in, "uploaded_data"); err != nil {
		return nil, err
	}
	up, err := h.attachments.Upload(ctx, auth.From(ctx), in)
	if err != nil {
		return nil, err
	}
	out := gen.Upload{Token: up.Token, ExpiresAt: wire.Time(up.ExpiresAt), Attachments: attachmentsJSON(ctx, up.Files), Attachment: attachmentJSON(ctx, up.File)}
	return gen.UploadFiles201JSONResponse{
		Headers: gen.UploadFiles201ResponseHeaders{Location: out.Attachment.URL},
		Body:    gen.UploadEnvelope{Upload: out},
	}, nil
}

func (h attachmentHandlers) DeleteUpload(ctx context.Context, r gen.DeleteUploadRequestObject) (gen.DeleteUploadResponseObject, error) {
	if err := h.attachments.DeleteUpload(ctx, auth.From(ctx), r.Token); err != nil {
		return nil, err
	}
	return gen.DeleteUpload204Response{}, nil
}

func (h attachmentHandlers) ShowAttachment(ctx context.Context, r gen.ShowAttachmentRequestObject) (gen.ShowAttachmentResponseObject, error) {
	f, err := h.attachments.Show(ctx, auth.From(ctx), int64(r.AttachmentID), h.seen())
	if err != nil {
		return nil, err
	}
	return gen.ShowAttachment200JSONResponse{Attachment: attachmentJSON(ctx, f)}, nil
}

func (h attachmentHandlers) UpdateAttachment(ctx context.Context, r gen.UpdateAttachmentRequestObject) (gen.UpdateAttachmentResponseObject, error) {
	c := attachments.Change{MalwareAccessOverride: (*bool)(r.Body.Attachment.MalwareAccessOverride)}
	f, err := h.attachments.Update(ctx, auth.From(ctx), int64(r.AttachmentID), c, h.seen())
	if err != nil {
		return nil, err
	}
	return gen.UpdateAttachment200JSONResponse{Attachment: attachmentJSON(ctx, f)}, nil
}

// seen holds a file against what the caller may see of its ticket, or of its
// macro.
func (h attachmentHandlers) seen() attachments.Seen {
	return attachments.Seen{
		Comment: func(ctx context.Context, ticketID, commentID int64) error {
			return h.tickets.Seen(ctx, auth.From(ctx), ticketID, commentID)
		},
		Macro: func(ctx context.Context, id int64) error {
			_, err := h.rules.Get(ctx, auth.From(ctx), models.RuleMacro, id)
			return err
		},
	}
}

// formField is how long a field of a form can be: a name or a token.
const formField = 4 << 10

// readForm finds the file in a form, as the Ruby client sends it: the field of
// this name, or the first with a file name. Any other body, for which it reports
// false, is the file itself. Nothing is read beyond the beginning of the file.
func readForm(in *attachments.UploadInput, field string) (form bool, err error) {
	contentType, params, _ := mime.ParseMediaType(in.ContentType)
	if contentType != "multipart/form-data" {
		return false, nil
	}
	parts := multipart.NewReader(in.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return true, fault.New(fault.BadRequest, "The form has no file %s", field)
		}
		if err != nil {
			return true, formError(err)
		}
		if part.FormName() == field || part.FileName() != "" {
			in.ContentType, in.Body = part.Header.Get("Content-Type"), formFile{part}
			if in.FileName == "" {
				in.FileName = part.FileName()
			}
			return true, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, formField))
		if err != nil {
			return true, formError(err)
		}
		switch part.FormName() {
		case "filename":
			in.FileName = string(value)
		case "token":
			in.Token = string(value)
		}
	}
}

// formFile is a file within a form.
type formFile struct{ part io.Reader }

func (f formFile) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if err != nil && err != io.EOF {
		err = formError(err)
	}
	return n, err
}

// formError keeps what the body's reader says, such as fault.TooLarge; the rest
// is about the form.
func formError(err error) error {
	if fault.Of(err) != nil {
		return err
	}
	return fault.New(fault.BadRequest, "The form is malformed or ended early")
}

func attachmentsJSON(ctx context.Context, files []attachments.File) []gen.Attachment {
	out := make([]gen.Attachment, len(files))
	for i, f := range files {
		out[i] = attachmentJSON(ctx, f)
	}
	return out
}

func attachmentJSON(ctx context.Context, f attachments.File) gen.Attachment {
	thumbnails := make([]gen.Thumbnail, len(f.Thumbnails))
	for i, t := range f.Thumbnails {
		thumbnails[i] = thumbnailJSON(ctx, t)
	}
	t := thumbnailJSON(ctx, f.Attachment)
	return gen.Attachment{
		URL: t.URL, ID: t.ID, FileName: t.FileName, ContentURL: t.ContentURL, MappedContentURL: t.MappedContentURL,
		ContentType: t.ContentType, Size: t.Size, Width: t.Width, Height: t.Height, Inline: t.Inline, Deleted: t.Deleted,
		MalwareAccessOverride: t.MalwareAccessOverride, MalwareScanResult: t.MalwareScanResult, Thumbnails: thumbnails,
	}
}

// thumbnailJSON is the form of an attachment without thumbnails of its own.
func thumbnailJSON(ctx context.Context, a models.Attachment) gen.Thumbnail {
	content := callOf(ctx).base + "/attachments/token/" + a.Token + "/?name=" + percentEncoded(a.FileName)
	return gen.Thumbnail{
		URL: link(ctx, "attachments", a.ID), ID: a.ID, FileName: a.FileName, ContentURL: content, MappedContentURL: content,
		ContentType: a.ContentType, Size: a.Size, Width: wide(a.Width), Height: wide(a.Height), Inline: a.Inline, Deleted: a.Deleted,
		MalwareAccessOverride: a.MalwareAccessOverride, MalwareScanResult: a.MalwareScanResult,
	}
}

// percentEncoded escapes all that has a meaning in URLs; a space is %20, which
// does in a path and in a header too.
func percentEncoded(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
