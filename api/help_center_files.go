package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
)

func articleFileJSON(ctx context.Context, f models.Attachment) gen.ArticleAttachment {
	base := callOf(ctx).base
	return gen.ArticleAttachment{
		ID: f.ID, URL: link(ctx, "help_center/articles/attachments", f.ID), ArticleID: f.ArticleID, FileName: f.FileName, DisplayFileName: f.FileName,
		ContentURL:  base + "/hc/article_attachments/" + idText(f.ID) + "/" + percentEncoded(f.FileName),
		ContentType: f.ContentType, Size: f.Size, Inline: f.Inline, Locale: f.Locale, CreatedAt: wire.Time(f.CreatedAt), UpdatedAt: wire.Time(f.CreatedAt),
	}
}

// articleForm is a form with a file of an article. Other fields may stand before
// the file and behind it.
type articleForm struct {
	parts  *multipart.Reader
	inline bool
	locale string
}

// open reads the form up to the contents of its file.
func openArticleForm(contentType string, body io.Reader) (helpcenter.NewFile, error) {
	var in helpcenter.NewFile
	kind, params, _ := mime.ParseMediaType(contentType)
	if kind != "multipart/form-data" {
		return in, fault.New(fault.BadRequest, "The body must be a form (multipart/form-data) with the file as file")
	}
	f := &articleForm{parts: multipart.NewReader(body, params["boundary"])}
	part, err := f.next()
	if err != nil {
		return in, err
	}
	if part == nil {
		return in, fault.New(fault.BadRequest, "The form has no file")
	}
	in.FileName, in.ContentType, in.Body = part.FileName(), part.Header.Get("Content-Type"), formFile{part}
	in.Rest = func() (bool, string, error) {
		again, err := f.next()
		if err == nil && again != nil {
			err = fault.New(fault.BadRequest, "The form has more than one file")
		}
		return f.inline, f.locale, err
	}
	return in, nil
}

// next reads fields up to a file; nil is the end.
func (f *articleForm) next() (*multipart.Part, error) {
	for {
		part, err := f.parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, formError(err)
		}
		if part.FormName() == "file" || part.FileName() != "" {
			return part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, formField))
		if err != nil {
			return nil, formError(err)
		}
		switch part.FormName() {
		case "inline":
			var flag wire.Flag
			if err := flag.Bind(string(value)); err != nil {
				return nil, fault.Attribute("inline", "true or false")
			}
			f.inline = bool(flag)
		case "locale":
			f.locale = string(value)
		}
	}
}

func (h helpCenterHandlers) addFile(ctx context.Context, article wire.ID, contentType string, body io.Reader) (gen.ArticleAttachmentEnvelope, error) {
	f, err := h.help.AddFile(ctx, auth.From(ctx), int64(article), func() (helpcenter.NewFile, error) { return openArticleForm(contentType, body) })
	return gen.ArticleAttachmentEnvelope{ArticleAttachment: articleFileJSON(ctx, f)}, err
}

func (h helpCenterHandlers) CreateAttachment(ctx context.Context, r gen.CreateAttachmentRequestObject) (gen.CreateAttachmentResponseObject, error) {
	out, err := h.addFile(ctx, 0, r.ContentType, r.Body)
	return gen.CreateAttachment201JSONResponse{Headers: gen.CreateAttachment201ResponseHeaders{Location: out.ArticleAttachment.URL}, Body: out}, err
}

func (h helpCenterHandlers) CreateArticleAttachment(ctx context.Context, r gen.CreateArticleAttachmentRequestObject) (gen.CreateArticleAttachmentResponseObject, error) {
	out, err := h.addFile(ctx, r.ArticleID, r.ContentType, r.Body)
	return gen.CreateArticleAttachment201JSONResponse{Headers: gen.CreateArticleAttachment201ResponseHeaders{Location: out.ArticleAttachment.URL}, Body: out}, err
}

func (h helpCenterHandlers) fileList(ctx context.Context, article wire.ID, inline *bool) (wire.Listing, error) {
	return helpListOf(ctx, "article_attachments", func(p page.Request) (page.Result[models.Attachment], error) {
		return h.help.Files(ctx, auth.From(ctx), int64(article), inline, localeAsked(ctx), p)
	}, func(f models.Attachment) gen.ArticleAttachment { return articleFileJSON(ctx, f) })
}

func (h helpCenterHandlers) ListArticleAttachments(ctx context.Context, r gen.ListArticleAttachmentsRequestObject) (gen.ListArticleAttachmentsResponseObject, error) {
	l, err := h.fileList(ctx, r.ArticleID, nil)
	return gen.ListArticleAttachments200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListInlineArticleAttachments(ctx context.Context, r gen.ListInlineArticleAttachmentsRequestObject) (gen.ListInlineArticleAttachmentsResponseObject, error) {
	l, err := h.fileList(ctx, r.ArticleID, new(true))
	return gen.ListInlineArticleAttachments200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListBlockArticleAttachments(ctx context.Context, r gen.ListBlockArticleAttachmentsRequestObject) (gen.ListBlockArticleAttachmentsResponseObject, error) {
	l, err := h.fileList(ctx, r.ArticleID, new(false))
	return gen.ListBlockArticleAttachments200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ShowArticleAttachment(ctx context.Context, r gen.ShowArticleAttachmentRequestObject) (gen.ShowArticleAttachmentResponseObject, error) {
	f, err := h.help.File(ctx, auth.From(ctx), int64(r.ArticleID), int64(r.ArticleAttachmentID))
	return gen.ShowArticleAttachment200JSONResponse{ArticleAttachment: articleFileJSON(ctx, f)}, err
}

func (h helpCenterHandlers) ShowArticleAttachmentNoArticle(ctx context.Context, r gen.ShowArticleAttachmentNoArticleRequestObject) (gen.ShowArticleAttachmentNoArticleResponseObject, error) {
	f, err := h.help.File(ctx, auth.From(ctx), 0, int64(r.ArticleAttachmentID))
	return gen.ShowArticleAttachmentNoArticle200JSONResponse{ArticleAttachment: articleFileJSON(ctx, f)}, err
}

func (h helpCenterHandlers) DeleteArticleAttachment(ctx context.Context, r gen.DeleteArticleAttachmentRequestObject) (gen.DeleteArticleAttachmentResponseObject, error) {
	return gen.DeleteArticleAttachment204Response{}, h.help.DeleteFile(ctx, auth.From(ctx), int64(r.ArticleAttachmentID))
}

func (h helpCenterHandlers) BulkAttachmentsArticles(ctx context.Context, r gen.BulkAttachmentsArticlesRequestObject) (gen.BulkAttachmentsArticlesResponseObject, error) {
	err := h.help.GiveFiles(ctx, auth.From(ctx), int64(r.ArticleID), r.Body.AttachmentIds.Int64s())
	return gen.BulkAttachmentsArticles200JSONResponse{}, err
}

// articleFiles serves the bytes of files to those who may see their articles. The
// name is for people.
func (h helpCenterHandlers) articleFiles(e *echo.Echo, files attachmentHandlers) {
	serve := func(c echo.Context) error {
		ctx := c.Request().Context()
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil || id <= 0 {
			return fault.Missing("Attachment", c.Param("id"))
		}
		by, err := files.authenticator.caller(ctx, c)
		if err != nil {
			return err
		}
		f, err := h.help.File(auth.With(ctx, by), by, 0, id)
		if err != nil {
			return err
		}
		return files.serve(c, f)
	}
	for _, path := range []string{"/hc/article_attachments/:id/:name", "/hc/article_attachments/:id"} {
		e.GET(path, serve)
		e.HEAD(path, serve)
	}
}
