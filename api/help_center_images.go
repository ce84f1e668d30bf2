package api

import (
	"context"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
)

// userImagesPath is where user images are shown.
const userImagesPath = "/hc/user_images/"

func (h helpCenterHandlers) RequestUserImageUpload(ctx context.Context, r gen.RequestUserImageUploadRequestObject) (gen.RequestUserImageUploadResponseObject, error) {
	o, err := h.help.OfferImage(ctx, auth.From(ctx), string(or(r.Body.ContentType, "")), int64(or(r.Body.FileSize, 0)))
	return gen.RequestUserImageUpload200JSONResponse{Upload: gen.UserImageUpload{
		URL: callOf(ctx).base + edge.UserImageUploads + o.Link, Token: o.Token, Headers: map[string]string{"Content-Type": o.ContentType},
	}}, err
}

func (h helpCenterHandlers) CreateUserImage(ctx context.Context, r gen.CreateUserImageRequestObject) (gen.CreateUserImageResponseObject, error) {
	a, err := h.help.MakeImage(ctx, auth.From(ctx), string(or(r.Body.Token, "")), int64(or(r.Body.BrandID, 0)))
	return gen.CreateUserImage201JSONResponse{UserImage: gen.UserImage{
		Path: userImagesPath + a.Token + attachments.ImageEnding(a.ContentType), ContentType: a.ContentType, Size: a.Size,
	}}, err
}

// userImages takes images at signed links, and shows those that were made user images.
func (h helpCenterHandlers) userImages(e *echo.Echo, files attachmentHandlers) {
	e.PUT(edge.UserImageUploads+":link", func(c echo.Context) error {
		r := c.Request()
		if err := h.help.PutImage(r.Context(), c.Param("link"), r.Header.Get("Content-Type"), r.Body); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	headToo{e}.GET(userImagesPath+":name", func(c echo.Context) error {
		a, err := files.attachments.ImageByToken(c.Request().Context(), strings.TrimSuffix(c.Param("name"), path.Ext(c.Param("name"))))
		if err != nil {
			return err
		}
		// In the reader's browser alone: elsewhere it could not be taken back.
		return files.serveKept(c, a, "private, max-age=31536000, immutable")
	})
}
