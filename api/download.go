package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// downloads serves the bytes of files at their unguessable addresses. It needs
// no sign-in, unless the account wants private attachments: the address, which
// only those get who may see the file, is the right to read it. The name in the
// query is for people; the token alone counts.
func (h attachmentHandlers) downloads(e *echo.Echo) {
	for _, path := range []string{"/attachments/token/:token/", "/attachments/token/:token"} {
		e.GET(path, h.download)
		e.HEAD(path, h.download)
	}
	e.GET("/system/photos/:token/:name", h.photo)
	e.HEAD("/system/photos/:token/:name", h.photo)
}

func (h attachmentHandlers) download(c echo.Context) error {
	ctx := c.Request().Context()
	a, err := h.attachments.ByToken(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	if err := h.mayDownload(c, a); err != nil {
		return err
	}
	return h.serve(c, a)
}

// serve answers with the bytes of a file that the caller may have. He is to ask again
// each time: a file that is redacted must be gone at once.
func (h attachmentHandlers) serve(c echo.Context, a models.Attachment) error {
	return h.serveKept(c, a, "private, no-cache")
}

// serveKept is serve with what Cache-Control is to say.
func (h attachmentHandlers) serveKept(c echo.Context, a models.Attachment, kept string) error {
	body, err := h.attachments.Open(c.Request().Context(), a)
	if err != nil {
		return err
	}
	defer body.Close()
	head := c.Response().Header()
	head.Set("Content-Type", servedType(a))
	head.Set("Content-Disposition", disposition(a))
	head.Set("Content-Security-Policy", policy(a))
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("ETag", `"`+strconv.FormatInt(a.ID, 10)+`"`) // the bytes of a file never change
	head.Set("Cache-Control", kept)
	http.ServeContent(c.Response(), c.Request(), "", a.CreatedAt, body)
	return nil
}

// mayDownload holds a private file against what its reader may see.
func (h attachmentHandlers) mayDownload(c echo.Context, a models.Attachment) error {
	ctx := c.Request().Context()
	private, err := h.attachments.Private(ctx, a)
	if err != nil || !private {
		return err
	}
	actor, err := h.authenticator.actor(ctx, c)
	if err != nil {
		return err
	}
	if actor.Anonymous() {
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	_, err = h.attachments.Show(auth.With(ctx, actor), actor, a.ID, h.seen())
	return err
}

func servedType(a models.Attachment) string {
	if a.Charset == "" {
		return a.ContentType
	}
	return a.ContentType + "; charset=" + a.Charset
}

// inline are the types that browsers show and that carry no scripts which
// could act on our address. SVG and HTML can.
var inline = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/bmp": true, "image/avif": true,
	"application/pdf": true, "text/plain": true,
}

// disposition names the file in both forms of RFC 6266: in ASCII for old
// clients and, if that is not all, in UTF-8.
func disposition(a models.Attachment) string {
	kind := "attachment"
	if inline[a.ContentType] {
		kind = "inline"
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, a.FileName)
	value := kind + `; filename="` + ascii + `"`
	if ascii != a.FileName {
		value += "; filename*=UTF-8''" + percentEncoded(a.FileName)
	}
	return value
}

// policy lets a file that a browser shows load and run nothing. Chromium's PDF
// viewer does not start in a sandbox; PDFs' own scripts run in the viewer's.
func policy(a models.Attachment) string {
	const nothing = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
	if a.ContentType == "application/pdf" {
		return nothing + "; object-src 'self'"
	}
	return nothing + "; sandbox"
}
