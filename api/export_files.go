package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
)

type exportFileHandlers struct{ files *exports.Files }

func (h exportFileHandlers) ListExports(ctx context.Context, _ gen.ListExportsRequestObject) (gen.ListExportsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.files.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	links, err := h.files.Links(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return gen.ListExports200JSONResponse{Listing: listing(ctx, "exports", mapped(ctx, list, func(ctx context.Context, e models.Export) gen.Export { return exportJSON(ctx, e, links) }))}, nil
}

func (h exportFileHandlers) CreateExport(ctx context.Context, r gen.CreateExportRequestObject) (gen.CreateExportResponseObject, error) {
	var in gen.ExportInput
	if r.Body != nil && r.Body.Export != nil {
		in = *r.Body.Export
	}
	w := exports.Wanted{Resources: in.Resources}
	w.Format, _ = in.Format.Get() // null is none
	w.Since, _ = in.Since.Get()
	e, err := h.files.Start(ctx, auth.From(ctx), w)
	if err != nil {
		return nil, err
	}
	return gen.CreateExport202JSONResponse{
		Headers: gen.CreateExport202ResponseHeaders{Location: link(ctx, "exports", e.ID)}, Body: gen.ExportEnvelope{Export: exportJSON(ctx, e, exports.Links{})}, // it has no files yet
	}, nil
}

func (h exportFileHandlers) ShowExport(ctx context.Context, r gen.ShowExportRequestObject) (gen.ShowExportResponseObject, error) {
	e, err := h.files.Show(ctx, auth.From(ctx), int64(r.ExportID))
	if err != nil {
		return nil, err
	}
	links, err := h.files.Links(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return gen.ShowExport200JSONResponse{Export: exportJSON(ctx, e, links)}, nil
}

func (h exportFileHandlers) DeleteExport(ctx context.Context, r gen.DeleteExportRequestObject) (gen.DeleteExportResponseObject, error) {
	if err := h.files.Delete(ctx, auth.From(ctx), int64(r.ExportID)); err != nil {
		return nil, err
	}
	return gen.DeleteExport204Response{}, nil
}

func exportJSON(ctx context.Context, e models.Export, links exports.Links) gen.Export {
	out := gen.Export{
		ID: e.ID, URL: link(ctx, "exports", e.ID), Status: gen.JobState(e.Status), Format: e.Format, Resources: e.Resources, Since: e.Since,
		Progress: e.Progress, Total: e.Total, Message: e.Message, Files: []gen.ExportFile{}, UserID: e.UserID,
		CreatedAt: wire.Time(e.CreatedAt), UpdatedAt: wire.Time(e.UpdatedAt), ExpiresAt: wire.Time(e.ExpiresAt),
	}
	m := exports.ManifestOf(e)
	if m == nil {
		return out
	}
	address := func(name string) string { return callOf(ctx).base + "/exports/" + links.Of(e, name) }
	out.Cursor, out.TakenAt, out.ManifestURL = &m.Cursor, (*wire.Time)(&m.TakenAt), new(address(exports.ManifestName))
	out.Files = each(m.Files, func(f exports.File) gen.ExportFile {
		return gen.ExportFile{
			Name: f.Name, Resource: f.Resource, Rows: f.Rows, Bytes: f.Bytes, Sha256: f.SHA256, URL: address(f.Name),
			Columns: each(f.Columns, func(c exports.Column) gen.ExportColumn { return gen.ExportColumn{Name: c.Name, Type: string(c.Type)} }),
		}
	})
	return out
}

// exportDownloads serves files by signed links, which only those learn who may
// have them.
func (h exportFileHandlers) exportDownloads(e *echo.Echo) {
	headToo{e}.GET("/exports/:token/:name", h.downloadExport)
}

func (h exportFileHandlers) downloadExport(c echo.Context) error {
	name := c.Param("name")
	body, err := h.files.Open(c.Request().Context(), c.Param("token"), name, c.QueryParam("expires"), c.QueryParam("signature"))
	if err != nil {
		return err
	}
	defer body.Close()
	head := c.Response().Header()
	head.Set("Content-Type", "application/octet-stream")
	if strings.HasSuffix(name, ".json") {
		head.Set("Content-Type", "application/json")
	}
	head.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "private, no-cache")
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, body)
	return nil
}
